//! Configuration documents as people write them: YAML or JSON, in a file or on standard input.

use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use dragoman::json::Doc;
use serde_yaml_ng::Value as Yaml;

/// Reads the document at `path`, or standard input for `-`, as JSON.
pub fn load(path: &str) -> Result<String, String> {
    let bytes = if path == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|error| format!("{path}: {error}"))?;
    to_json(&bytes).map_err(|fault| format!("{path}: {fault}"))
}

/// A document as JSON. What is JSON already stays as it is; all else is taken for YAML, which nearly all JSON is.
fn to_json(bytes: &[u8]) -> Result<String, String> {
    if let (Ok(_), Ok(text)) = (Doc::strict(bytes), std::str::from_utf8(bytes)) {
        return Ok(text.to_owned());
    }
    let mut yaml: Yaml = serde_yaml_ng::from_slice(bytes).map_err(|error| error.to_string())?;
    yaml.apply_merge().map_err(|error| error.to_string())?;
    convert(yaml, "").map(|json| json.to_string())
}

fn convert(yaml: Yaml, place: &str) -> Result<serde_json::Value, String> {
    Ok(match yaml {
        Yaml::Null => serde_json::Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Number(number) => {
            let json = match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => Some(number.into()),
                (_, Some(number), _) => Some(number.into()),
                (_, _, number) => number.and_then(serde_json::Number::from_f64),
            };
            json.ok_or_else(|| at(place, "JSON has no such number"))?.into()
        }
        Yaml::String(text) => text.into(),
        Yaml::Sequence(values) => {
            let values = values.into_iter().enumerate().map(|(i, value)| convert(value, &format!("{place}[{i}]")));
            serde_json::Value::Array(values.collect::<Result<_, _>>()?)
        }
        Yaml::Mapping(members) => {
            let mut object = serde_json::Map::new();
            for (name, value) in members {
                let name = match name {
                    Yaml::String(name) => name,
                    Yaml::Number(number) => number.to_string(),
                    _ => return Err(at(place, "a name is no string")),
                };
                let inside = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                if object.insert(name, convert(value, &inside)?).is_some() {
                    return Err(at(&inside, "stands twice in one object"));
                }
            }
            object.into()
        }
        Yaml::Tagged(_) => return Err(at(place, "YAML tags such as `!name` have no meaning here")),
    })
}

fn at(place: &str, message: &str) -> String {
    if place.is_empty() { message.to_owned() } else { format!("{place}: {message}") }
}

/// Unix seconds; `DRAGOMAN_NOW` makes output repeatable.
#[expect(clippy::disallowed_methods, reason = "the command line reads the clock for the core")]
pub fn now() -> u64 {
    let set = std::env::var("DRAGOMAN_NOW").ok().and_then(|now| now.parse().ok());
    set.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let found = to_json(text.as_bytes());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn json_stays_as_it_is() {
        check("{\"b\": 1.0,\n \"a\": 1e2}\n", Ok("{\"b\": 1.0,\n \"a\": 1e2}\n"));
    }

    #[test]
    fn yaml_becomes_json_in_its_order() {
        check("b: 1\na: [x, 'y', 1.5, -2, true, ~]\n", Ok(r#"{"b":1,"a":["x","y",1.5,-2,true,null]}"#));
        check("{ b: 1, a: { x: } }", Ok(r#"{"b":1,"a":{"x":null}}"#));
        check("expires: 2027-01-01T00:00:00Z", Ok(r#"{"expires":"2027-01-01T00:00:00Z"}"#));
        check("key_label: off", Ok(r#"{"key_label":"off"}"#));
        check("models: { 4: a }", Ok(r#"{"models":{"4":"a"}}"#));
        check("id: 18446744073709551615", Ok(r#"{"id":18446744073709551615}"#));
    }

    #[test]
    fn anchors_and_merges_are_followed() {
        check(
            "a: &x { p: 1, q: 2 }\nb: { <<: *x, q: 3 }\nc: *x\n",
            Ok(r#"{"a":{"p":1,"q":2},"b":{"q":3,"p":1},"c":{"p":1,"q":2}}"#),
        );
    }

    #[test]
    fn faults_name_their_place() {
        for (text, fault) in [
            (
                "a: [1\nb: 2",
                "did not find expected ',' or ']' at line 2 column 2, while parsing a flow sequence at line 1 column 4",
            ),
            (
                "{\"a\": 1 \"b\": 2}",
                "did not find expected ',' or '}' at line 1 column 12, while parsing a flow mapping",
            ),
            ("a:\n  b: 1\n  b: 2\n", "a: duplicate entry with key \"b\" at line 2 column 3"),
            ("{\"a\": 1,\n \"a\": 2}", "duplicate entry with key \"a\""),
            ("4: a\n'4': b\n", "4: stands twice in one object"),
            ("a: { [x]: 1 }", "a: a name is no string"),
            ("a: [!secret x]", "a[0]: YAML tags such as `!name` have no meaning here"),
            ("a: .nan", "a: JSON has no such number"),
            ("a: 1\n---\nb: 2\n", "deserializing from YAML containing more than one document is not supported"),
        ] {
            check(text, Err(fault));
        }
    }
}
