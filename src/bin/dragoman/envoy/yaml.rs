//! YAML as people write it: short values on one line, names plain where every reader takes them for strings.

use serde_json::Value;

/// How wide a line of an embedded document may be.
const WIDTH: usize = 88;

/// Puts values in the places of a template: `«name»` anywhere in a line. The further lines of a value are indented like
/// the line it stands in, and a line that holds nothing but an empty value goes.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    for line in template.lines() {
        let text = line.trim_start();
        let item = if text.starts_with("- ") { 2 } else { 0 };
        let margin = line.len().saturating_sub(text.len());
        let text = fill_line(text, values);
        if text.is_empty() && !line.is_empty() {
            continue;
        }
        for (number, line) in text.split('\n').enumerate() {
            let margin = if number == 0 { margin } else { margin.saturating_add(item) };
            filled.push_str(format!("{:margin$}{line}", "").trim_end());
            filled.push('\n');
        }
    }
    filled
}

fn fill_line(text: &str, values: &[(&str, &str)]) -> String {
    let mut pieces = text.split('«');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('»').unwrap_or(("", piece));
        let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.trim_end());
        debug_assert!(value.is_some(), "the template names `{name}`, which has no value");
        filled.push_str(value.unwrap_or_default());
        filled.push_str(rest);
    }
    filled
}

/// The items of a list of objects, each without its dash. A comment before an item is at its beginning.
pub fn items(list: &str) -> Vec<String> {
    let (mut items, mut comment): (Vec<String>, String) = (Vec::new(), String::new());
    for line in list.lines() {
        if line.starts_with('#') {
            comment.push_str(line);
            comment.push('\n');
        } else if let Some(first) = line.strip_prefix("- ") {
            items.push(format!("{}{first}\n", std::mem::take(&mut comment)));
        } else if let Some(item) = items.last_mut() {
            item.push_str(line.strip_prefix("  ").unwrap_or(line));
            item.push('\n');
        }
    }
    items
}

/// A string: plain if that is surely read as a string, else in double quotes.
pub fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { Value::from(text).to_string() }
}

fn is_plain(text: &str) -> bool {
    // What readers of YAML 1.1, of which Envoy's is one, take for something else.
    const WORDS: &[&str] = &["false", "n", "no", "null", "off", "on", "true", "y", "yes"];
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'_'));
    let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-.+*:@$".contains(&b));
    first && rest && !text.ends_with(':') && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// A value on one line.
pub fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", scalar(name), flow(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Bool(_) | Value::Null | Value::Number(_) => value.to_string(),
    }
}

/// A member of an object, in as many lines as it needs; `anchor` may name it for use elsewhere. `spread` puts each of its
/// own members or items on a line at least.
pub fn member(name: &str, anchor: &str, value: &Value, spread: bool) -> String {
    let mut lines = Vec::new();
    push_member(&mut lines, 0, &format!("{}:{anchor}", scalar(name)), value, spread);
    lines.join("\n")
}

/// Adds `head`, such as `name:` or `-`, and the value.
fn push_member(lines: &mut Vec<String>, margin: usize, head: &str, value: &Value, spread: bool) {
    let line = format!("{:margin$}{head} {}", "", flow(value));
    let empty = match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => true,
    };
    if empty || (!spread && line.chars().count() <= WIDTH) {
        lines.push(line);
        return;
    }
    let inner = margin.saturating_add(2);
    let start = lines.len();
    match value {
        Value::Array(items) => items.iter().for_each(|item| push_member(lines, inner, "-", item, false)),
        Value::Object(members) => {
            let members = members.iter();
            members.for_each(|(name, value)| push_member(lines, inner, &format!("{}:", scalar(name)), value, false));
        }
        _ => {}
    }
    let head = format!("{:margin$}{head}", "");
    match lines.get_mut(start) {
        // The first member stands behind the dash.
        Some(first) if head.ends_with('-') => *first = format!("{head} {}", first.trim_start()),
        _ => lines.insert(start, head),
    }
}

/// A value as JSON, in as many lines as it needs. `spread` is how many levels have each member on a line at least.
pub fn json(value: &Value, spread: usize) -> String {
    let line = value.to_string();
    if spread == 0 && line.chars().count() <= WIDTH {
        return line;
    }
    let spread = spread.saturating_sub(1);
    let (open, close, lines): (_, _, Vec<String>) = match value {
        Value::Array(items) if !items.is_empty() => ("[", "]", items.iter().map(|item| json(item, spread)).collect()),
        Value::Object(members) if !members.is_empty() => {
            let member =
                |(name, value): (&String, &Value)| format!("{}: {}", Value::from(&**name), json(value, spread));
            ("{", "}", members.iter().map(member).collect())
        }
        _ => return line,
    };
    format!("{open}\n  {}\n{close}", lines.join(",\n").replace('\n', "\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_could_be_taken_for_something_else_is_quoted() {
        for text in ["a", "gpt-4.1", "https://a.example:8443/v1", "sha256:9f86", "a/*", "_x", "anthropic/*"] {
            assert_eq!(scalar(text), text);
        }
        for text in
            ["", "y", "No", "ON", "null", "4", "1e3", "0x1f", "*", "*a", "a: b", "a:", "- a", "a #b", "{a}", "é", "~"]
        {
            assert_eq!(scalar(text), format!("\"{text}\""));
        }
        assert_eq!(scalar("a\"\n\\"), r#""a\"\n\\""#);
    }

    #[test]
    fn long_values_take_several_lines() {
        let long = "x".repeat(60);
        let value = json!({"a": {"b": [1, "two"], "c": {}}, "d": [{"name": long, "list": [long, {"e": long}]}, []]});
        let expected = format!(
            "m: &m\n  a: {{ b: [1, two], c: {{}} }}\n  d:\n    - name: {long}\n      list:\n        - {long}\n        \
             - {{ e: {long} }}\n    - []"
        );
        assert_eq!(member("m", " &m", &value, true), expected);
        let read: Value = serde_yaml_ng::from_str(&expected).unwrap();
        assert_eq!(read["m"], value);
    }

    #[test]
    fn json_is_kept_short() {
        let long = "x".repeat(60);
        let value = json!({"a": {"b": 0.7, "c": [long, long]}, "d": {"e": {}}, "f": [], "g": "\n"});
        let expected = format!(
            "{{\n  \"a\": {{\n    \"b\": 0.7,\n    \"c\": [\n      \"{long}\",\n      \"{long}\"\n    ]\n  }},\n  \
             \"d\": {{\n    \"e\": {{}}\n  }},\n  \"f\": [],\n  \"g\": \"\\n\"\n}}"
        );
        assert_eq!(json(&value, 2), expected);
        assert_eq!(serde_json::from_str::<Value>(&expected).unwrap(), value);
    }

    #[test]
    fn items_of_lists() {
        let list = "- a: 1\n  b:\n    - 2\n# Why.\n- a: 3\n";
        assert_eq!(items(list), ["a: 1\nb:\n  - 2\n", "# Why.\na: 3\n"]);
    }

    #[test]
    fn templates_are_filled() {
        let values = [("b", "«c»"), ("c", ""), ("d", "x:\n  y: 1\n")];
        let filled = fill("a:\n  b: «b»\n  «c»\n  «d»\n  - «d»\n\ne: «b»-«b»\n", &values);
        assert_eq!(filled, "a:\n  b: «c»\n  x:\n    y: 1\n  - x:\n      y: 1\n\ne: «c»-«c»\n");
    }
}
