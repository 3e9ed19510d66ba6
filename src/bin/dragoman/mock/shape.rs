//! Checks of a JSON body, refused in the words of the provider that is played.
//!
//! [`Place`] walks the body and knows its own path. Every check returns a [`Refusal`] whose message, parameter and code
//! are what the provider sends for that mistake. Documented bodies and messages seen in public are the source:
//! <https://platform.openai.com/docs/guides/error-codes>, <https://platform.claude.com/docs/en/api/errors>.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Wire;

/// Why a request is refused.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
    /// OpenAI only, as is the code.
    pub param: Option<String>,
    pub code: Option<&'static str>,
}

impl Refusal {
    /// A bad request that no pattern below fits.
    pub fn new(message: impl Into<String>) -> Refusal {
        Refusal { status: 400, message: message.into(), param: None, code: None }
    }

    /// With another status.
    pub fn status(self, status: u16) -> Refusal {
        Refusal { status, ..self }
    }

    /// With OpenAI's parameter.
    pub fn param(self, param: impl Into<String>) -> Refusal {
        Refusal { param: Some(param.into()), ..self }
    }

    /// With OpenAI's code.
    pub fn code(self, code: &'static str) -> Refusal {
        Refusal { code: Some(code), ..self }
    }
}

/// The outcome of a check.
pub type Checked<T> = Result<T, Refusal>;

/// A value in the body, and where it stands.
#[derive(Clone)]
pub struct Place<'a> {
    pub wire: Wire,
    pub path: String,
    pub value: &'a Value,
}

impl<'a> Place<'a> {
    /// The whole body.
    pub fn root(wire: Wire, value: &'a Value) -> Place<'a> {
        Place { wire, path: String::new(), value }
    }

    /// The members, none of which may be another than these.
    pub fn object(&self, known: &[&str]) -> Checked<&'a Map<String, Value>> {
        let members = self.members()?;
        for name in members.keys() {
            if !known.contains(&name.as_str()) {
                return Err(self.unknown(name));
            }
        }
        Ok(members)
    }

    /// The members, whatever their names.
    pub fn members(&self) -> Checked<&'a Map<String, Value>> {
        let wanted = self.words("an object", "Input should be an object");
        self.value.as_object().ok_or_else(|| self.wrong_type(wanted))
    }

    /// A member that must be there.
    pub fn need(&self, name: &str) -> Checked<Place<'a>> {
        self.some(name).ok_or_else(|| {
            let path = self.join(name);
            match self.wire {
                Wire::Anthropic => Refusal::new(format!("{path}: Field required")),
                _ => Refusal::new(format!("Missing required parameter: '{path}'."))
                    .param(path)
                    .code("missing_required_parameter"),
            }
        })
    }

    /// A member that may be absent, but not null.
    pub fn some(&self, name: &str) -> Option<Place<'a>> {
        let value = self.value.get(name)?;
        Some(Place { wire: self.wire, path: self.join(name), value })
    }

    /// A member that may be absent or null.
    pub fn opt(&self, name: &str) -> Option<Place<'a>> {
        self.some(name).filter(|place| !place.value.is_null())
    }

    /// The same value under a path that names its variant, as Anthropic does.
    pub fn tagged(&self, tag: &str) -> Place<'a> {
        Place { path: format!("{}.{tag}", self.path), ..self.clone() }
    }

    pub fn items(&self) -> Checked<Vec<Place<'a>>> {
        let wanted = self.words("an array", "Input should be a valid list");
        let items = self.value.as_array().ok_or_else(|| self.wrong_type(wanted))?;
        let place = |(index, value)| {
            let path = match self.wire {
                Wire::Anthropic => format!("{}.{index}", self.path),
                _ => format!("{}[{index}]", self.path),
            };
            Place { wire: self.wire, path, value }
        };
        Ok(items.iter().enumerate().map(place).collect())
    }

    pub fn text(&self) -> Checked<&'a str> {
        let wanted = self.words("a string", "Input should be a valid string");
        self.value.as_str().ok_or_else(|| self.wrong_type(wanted))
    }

    pub fn flag(&self) -> Checked<bool> {
        let wanted = self.words("a boolean", "Input should be a valid boolean");
        self.value.as_bool().ok_or_else(|| self.wrong_type(wanted))
    }

    /// An integer between the bounds.
    pub fn integer(&self, low: i64, high: i64) -> Checked<i64> {
        let wanted = self.words("an integer", "Input should be a valid integer");
        let number = self.value.as_i64().ok_or_else(|| self.wrong_type(wanted))?;
        if number < low || number > high {
            return Err(self.outside("integer", number < low, if number < low { low } else { high }));
        }
        Ok(number)
    }

    /// A number between the bounds.
    pub fn number(&self, low: i32, high: i32) -> Checked<f64> {
        let wanted = self.words("a decimal", "Input should be a valid number");
        let number = self.value.as_f64().filter(|_| self.value.is_number());
        let number = number.ok_or_else(|| self.wrong_type(wanted))?;
        if number < f64::from(low) || number > f64::from(high) {
            let below = number < f64::from(low);
            return Err(self.outside("decimal", below, i64::from(if below { low } else { high })));
        }
        Ok(number)
    }

    /// One of these words.
    pub fn one_of(&self, allowed: &[&str]) -> Checked<&'a str> {
        let text = self.text()?;
        if allowed.contains(&text) {
            return Ok(text);
        }
        Err(match self.wire {
            Wire::Anthropic => self.wrong(format!("Input should be {}", quoted(allowed, "or"))),
            _ => {
                let message = format!("Invalid value: '{text}'. Supported values are: {}.", quoted(allowed, "and"));
                Refusal::new(message).param(&self.path).code("invalid_value")
            }
        })
    }

    /// The word that says which variant an object is.
    pub fn tag(&self, allowed: &[&str]) -> Checked<&'a str> {
        self.members()?;
        let tag = self.need("type")?;
        let text = tag.text()?;
        if self.wire == Wire::OpenAi || allowed.contains(&text) {
            return tag.one_of(allowed);
        }
        let allowed = allowed.iter().map(|tag| format!("'{tag}'")).collect::<Vec<_>>().join(", ");
        let message =
            format!("Input tag '{text}' found using 'type' does not match any of the expected tags: {allowed}");
        Err(self.wrong(message))
    }

    /// A name of these characters, at most so long.
    pub fn name(&self, longest: usize) -> Checked<&'a str> {
        let text = self.text()?;
        let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        match self.wire {
            Wire::Anthropic if !fits || text.is_empty() || text.len() > longest => {
                let pattern = if longest == usize::MAX { "+$".to_owned() } else { format!("{{1,{longest}}}$") };
                Err(self.wrong(format!("String should match pattern '^[a-zA-Z0-9_-]{pattern}'")))
            }
            _ if text.len() > longest => Err(self.too_long(longest)),
            _ if !fits || text.is_empty() => Err(Refusal::new(format!(
                "Invalid '{}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
                self.path
            ))
            .param(&self.path)
            .code("invalid_value")),
            _ => Ok(text),
        }
    }

    /// OpenAI: a string that is at most so long.
    pub fn at_most(&self, longest: usize) -> Checked<&'a str> {
        let text = self.text()?;
        if text.chars().count() > longest { Err(self.too_long(longest)) } else { Ok(text) }
    }

    /// OpenAI: between one and so many items.
    pub fn few(&self, most: usize) -> Checked<Vec<Place<'a>>> {
        let items = self.items()?;
        let path = &self.path;
        if items.is_empty() {
            let message = format!(
                "Invalid '{path}': empty array. Expected an array with minimum length 1, but got an empty array instead."
            );
            return Err(Refusal::new(message).param(path).code("empty_array"));
        }
        if items.len() > most {
            let message = format!(
                "Invalid '{path}': array too long. Expected an array with maximum length {most}, but got an array with length {} instead.",
                items.len()
            );
            return Err(Refusal::new(message).param(path).code("array_above_max_length"));
        }
        Ok(items)
    }

    /// A refusal at this place.
    pub fn wrong(&self, message: impl AsRef<str>) -> Refusal {
        match self.wire {
            Wire::Anthropic if self.path.is_empty() => Refusal::new(message.as_ref()),
            Wire::Anthropic => Refusal::new(format!("{}: {}", self.path, message.as_ref())),
            _ => Refusal::new(message.as_ref()).param(&self.path).code("invalid_value"),
        }
    }

    /// The value is of another type.
    pub fn wrong_type(&self, wanted: &str) -> Refusal {
        match self.wire {
            Wire::Anthropic => self.wrong(wanted),
            _ => Refusal::new(format!(
                "Invalid type for '{}': expected {wanted}, but got {} instead.",
                self.path,
                kind(self.value)
            ))
            .param(&self.path)
            .code("invalid_type"),
        }
    }

    /// A member that nobody knows.
    pub fn unknown(&self, name: &str) -> Refusal {
        let path = self.join(name);
        match self.wire {
            Wire::Anthropic => Refusal::new(format!("{path}: Extra inputs are not permitted")),
            _ if self.path.is_empty() => Refusal::new(format!("Unrecognized request argument supplied: {name}")),
            _ => Refusal::new(format!("Unknown parameter: '{path}'.")).param(path).code("unknown_parameter"),
        }
    }

    fn too_long(&self, longest: usize) -> Refusal {
        let length = self.value.as_str().unwrap_or_default().chars().count();
        Refusal::new(format!(
            "Invalid '{}': string too long. Expected a string with maximum length {longest}, but got a string with length {length} instead.",
            self.path
        ))
        .param(&self.path)
        .code("string_above_max_length")
    }

    fn outside(&self, kind: &str, below: bool, bound: i64) -> Refusal {
        if self.wire == Wire::Anthropic {
            let side = if below { "greater" } else { "less" };
            return self.wrong(format!("Input should be {side} than or equal to {bound}"));
        }
        let (side, sign) = if below { ("below minimum", ">=") } else { ("above maximum", "<=") };
        let code = match (kind, below) {
            ("integer", true) => "integer_below_min_value",
            ("integer", false) => "integer_above_max_value",
            (_, true) => "decimal_below_min_value",
            (_, false) => "decimal_above_max_value",
        };
        Refusal::new(format!(
            "Invalid '{}': {kind} {side} value. Expected a value {sign} {bound}, but got {} instead.",
            self.path, self.value
        ))
        .param(&self.path)
        .code(code)
    }

    fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn words(&self, openai: &'static str, anthropic: &'static str) -> &'static str {
        if self.wire == Wire::OpenAi { openai } else { anthropic }
    }
}

/// The first member name that stands twice in one object. The text must be JSON already.
pub fn duplicate(json: &str) -> Option<String> {
    // One entry per open bracket: the names of an object, or nothing for an array.
    let mut open: Vec<Option<HashSet<String>>> = Vec::new();
    let mut rest = json;
    while let Some(at) = rest.find(['"', '{', '}', '[', ']']) {
        let found = rest.get(at..)?;
        match found.bytes().next()? {
            b'{' => open.push(Some(HashSet::new())),
            b'[' => open.push(None),
            b'"' => {
                let end = string_end(found)?;
                let after = found.get(end..)?;
                if after.trim_start().starts_with(':')
                    && let Some(Some(names)) = open.last_mut()
                {
                    let name: String = serde_json::from_str(found.get(..end)?).ok()?;
                    if !names.insert(name.clone()) {
                        return Some(name);
                    }
                }
                rest = after;
                continue;
            }
            _ => {
                open.pop();
            }
        }
        rest = found.get(1..)?;
    }
    None
}

/// `'a', 'b' and 'c'`.
pub fn quoted(words: &[&str], last: &str) -> String {
    let mut words = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>();
    match words.pop() {
        Some(word) if words.is_empty() => word,
        Some(word) => format!("{} {last} {word}", words.join(", ")),
        None => String::new(),
    }
}

/// Where the string ends that starts here, closing quote included.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_stand_twice() {
        let twice = |json| duplicate(json);
        assert_eq!(twice(r#"{"a":1,"b":{"a":1},"c":[{"a":1},{"a":"\"a\":"}]}"#), None);
        assert_eq!(twice(r#"{"a":1,"b":[{"x":"{","x" : 2}]}"#), Some("x".into()));
        assert_eq!(twice(r#"{"a":1,"\u0061":2}"#), Some("a".into()));
    }
}
