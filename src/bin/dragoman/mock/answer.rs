//! What to say: the same few rules for both providers, and values that fit a JSON schema.

use serde_json::{Map, Value, json};

use super::directive::Directive;

/// What a request asks, as far as the answer depends on it.
#[derive(Default)]
pub struct Ask {
    /// The last text of the user, without directives.
    pub text: String,
    /// What else the user sent in the last message: `image`, `document`.
    pub attachments: Vec<&'static str>,
    /// The results of the tool calls before, when nothing was said after them.
    pub results: Vec<String>,
    pub tools: Vec<Tool>,
    pub choice: Choice,
    pub parallel: bool,
    pub format: Option<Format>,
    pub thinking: bool,
    pub stops: Vec<String>,
    pub limit: Option<usize>,
}

/// A tool that may be called.
#[derive(Clone)]
pub struct Tool {
    pub name: String,
    pub schema: Value,
    /// OpenAI's custom tools take plain text.
    pub custom: bool,
}

/// Whether a tool must be called.
#[derive(Default, PartialEq, Eq)]
pub enum Choice {
    Any,
    #[default]
    Auto,
    Named(String),
    None,
}

/// What the text must be.
pub enum Format {
    Object,
    Schema(Value),
}

/// One part of an answer.
pub enum Part {
    Call { tool: Tool, input: Value },
    Text(String),
    Thinking { text: String, redacted: bool },
}

/// Why an answer ends.
#[derive(Clone, PartialEq, Eq)]
pub enum Finish {
    Calls,
    Length,
    Refusal,
    Stop,
    StopSequence(String),
}

/// An answer that a provider puts in its format.
pub struct Answer {
    pub parts: Vec<Part>,
    pub finish: Finish,
}

impl Answer {
    /// Follows from the request alone.
    pub fn to(ask: &Ask, directive: &Directive) -> Answer {
        let mut parts = Vec::new();
        if ask.thinking {
            parts.push(Part::Thinking { text: THOUGHT.into(), redacted: directive.redacted });
        }
        let lower = ask.text.to_lowercase();
        if lower.contains("refuse") && directive.tokens.is_none() {
            parts.push(Part::Text("I can't help with that.".into()));
            return Answer { parts, finish: Finish::Refusal };
        }
        let calls = calls(ask, &lower);
        if !calls.is_empty() && directive.tokens.is_none() && ask.limit.is_none_or(|limit| limit > TINY) {
            parts.extend(calls);
            return Answer { parts, finish: Finish::Calls };
        }
        let (text, finish) = cut(text(ask, directive), ask);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Answer { parts, finish }
    }

    /// The tokens of the parts that this takes.
    pub fn tokens(&self, thinking: bool) -> usize {
        let wanted = self.parts.iter().filter(|part| matches!(part, Part::Thinking { .. }) == thinking);
        wanted.map(Part::tokens).sum()
    }
}

impl Part {
    fn tokens(&self) -> usize {
        match self {
            Part::Call { tool, input } => tokens(tool.name.len() + input.to_string().len()) + 8,
            Part::Text(text) => tokens(text.chars().count()),
            Part::Thinking { text, .. } => tokens(text.chars().count()),
        }
    }
}

/// About how many tokens so many characters are.
pub fn tokens(characters: usize) -> usize {
    characters.div_ceil(4)
}

/// A text in the pieces that are streamed: each word with the space after it.
pub fn pieces(text: &str) -> Vec<&str> {
    text.split_inclusive(char::is_whitespace).collect()
}

/// JSON in pieces that are streamed, which end anywhere.
pub fn fragments(json: &str) -> Vec<String> {
    let characters = json.chars().collect::<Vec<_>>();
    characters.chunks(7).map(|chunk| chunk.iter().collect()).collect()
}

fn calls(ask: &Ask, lower: &str) -> Vec<Part> {
    let forced = match &ask.choice {
        Choice::None => return Vec::new(),
        Choice::Auto => None,
        Choice::Any => ask.tools.first(),
        Choice::Named(name) => ask.tools.iter().find(|tool| tool.name == *name),
    };
    let parallel = lower.contains("parallel") && ask.parallel;
    let wanted = ask.results.is_empty() && (lower.contains("weather") || lower.contains("parallel"));
    let Some(first) = forced.or_else(|| ask.tools.first().filter(|_| wanted)) else {
        return Vec::new();
    };
    let mut tools = vec![first.clone()];
    if parallel {
        let other = ask.tools.get(1).filter(|_| forced.is_none());
        tools.push(other.unwrap_or(first).clone());
    }
    let call = |(nth, tool): (usize, Tool)| {
        let input =
            if tool.custom { "example input".into() } else { object(sample(&tool.schema, &tool.schema, "", nth, 0)) };
        Part::Call { tool, input }
    };
    tools.into_iter().enumerate().map(call).collect()
}

fn text(ask: &Ask, directive: &Directive) -> String {
    if let Some(tokens) = directive.tokens {
        return (1..=tokens).map(|number| format!("{:03} ", number % 1000)).collect();
    }
    if let Some(format) = &ask.format {
        let value = match format {
            Format::Object => json!({"answer": said(&ask.text)}),
            Format::Schema(schema) => sample(schema, schema, "", 0, 0),
        };
        return value.to_string();
    }
    if !ask.results.is_empty() {
        return format!("The tool said: {}", short(&ask.results.join("; ")));
    }
    let mut text = said(&ask.text);
    if !ask.attachments.is_empty() {
        text.push_str(&format!(" (with {})", ask.attachments.join(", ")));
    }
    text
}

/// Ends the text at a stop sequence or at the limit, whichever comes first.
fn cut(mut text: String, ask: &Ask) -> (String, Finish) {
    let mut finish = Finish::Stop;
    let first = ask.stops.iter().filter_map(|stop| text.find(stop.as_str()).map(|at| (at, stop))).min();
    if let Some((at, stop)) = first {
        text.truncate(at);
        finish = Finish::StopSequence(stop.clone());
    }
    match ask.limit {
        Some(limit) if tokens(text.chars().count()) > limit || limit <= TINY && finish == Finish::Stop => {
            (text.chars().take(limit.saturating_mul(4)).collect(), Finish::Length)
        }
        _ => (text, finish),
    }
}

fn said(text: &str) -> String {
    format!("You said: {}", short(text))
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn object(value: Value) -> Value {
    if value.is_object() { value } else { json!({}) }
}

/// A value that fits the schema: the smallest one that has all required members.
fn sample(schema: &Value, root: &Value, name: &str, nth: usize, depth: usize) -> Value {
    if depth > 16 {
        return Value::Null;
    }
    let inner = |schema: &Value, name: &str| sample(schema, root, name, nth, depth + 1);
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(reference.trim_start_matches('#'));
        return target.map_or(Value::Null, |target| inner(target, name));
    }
    if let Some(fixed) = schema.get("const") {
        return fixed.clone();
    }
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return options.get(nth % options.len().max(1)).cloned().unwrap_or_default();
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        let options = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        if let Some(option) = options.clone().find(|option| option.get("type") != Some(&json!("null"))) {
            return inner(option, name);
        }
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        Some(Value::String(kind)) => Some(kind.as_str()),
        _ => schema.get("properties").map(|_| "object"),
    };
    match kind.unwrap_or("string") {
        "object" => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let required = schema.get("required").and_then(Value::as_array);
            let required = required.map(|names| names.iter().filter_map(Value::as_str).collect::<Vec<_>>());
            let wanted = |name: &String| required.as_ref().is_none_or(|names| names.contains(&name.as_str()));
            let members = properties.into_iter().flatten().filter(|(name, _)| wanted(name));
            Value::Object(members.map(|(name, schema)| (name.clone(), inner(schema, name))).collect::<Map<_, _>>())
        }
        "array" => {
            let item = schema.get("items").map(|items| inner(items, name));
            Value::Array(item.into_iter().collect())
        }
        "integer" => schema.get("minimum").cloned().unwrap_or_else(|| json!(nth + 1)),
        "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1.5)),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => word(schema, name, nth).into(),
    }
}

fn word(schema: &Value, name: &str, nth: usize) -> &'static str {
    let first = nth == 0;
    match schema.get("format").and_then(Value::as_str) {
        Some("date") => return "2026-01-15",
        Some("date-time") => return "2026-01-15T12:00:00Z",
        Some("email") => return "ada@example.com",
        Some("uri") => return "https://example.com/",
        Some("uuid") => return "123e4567-e89b-42d3-a456-426614174000",
        _ => {}
    }
    let name = name.to_lowercase();
    if ["city", "location", "place"].iter().any(|part| name.contains(part)) {
        return if first { "Paris" } else { "London" };
    }
    if name.contains("unit") {
        return "celsius";
    }
    if first { "example" } else { "another example" }
}

/// Up to so many tokens every answer is cut short.
const TINY: usize = 5;

const THOUGHT: &str = "The user said something. I will answer it in one short sentence.";
