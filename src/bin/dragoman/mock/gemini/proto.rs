//! Google's reader of JSON, which turns it into messages and refuses what it cannot place.
//!
//! The mapping: <https://protobuf.dev/programming-guides/json/>. The errors are as they are seen in public.

use serde_json::{Map, Value};

use super::super::shape::{Checked, Refusal};
use super::Door;
use super::fields::{Field, Kind, Message};

/// Reads a message. What comes back has its members spelled `likeThis`, enumerations in capitals, and no nulls.
pub fn read(message: &Message, value: &Value, door: Door) -> Checked<Value> {
    Reader { door }.message(message, value, "")
}

struct Reader {
    door: Door,
}

impl Reader {
    fn message(&self, message: &Message, value: &Value, path: &str) -> Checked<Value> {
        let Some(members) = value.as_object() else {
            return Err(self.invalid(value, path, &self.kind(message.name)));
        };
        let mut read = Map::new();
        for (name, value) in members {
            let known = |field: &&Field| {
                field.door.is_none_or(|door| door == self.door) && (field.name == name || snake(field.name) == *name)
            };
            let Some(field) = message.fields.iter().find(known) else {
                let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
                let message =
                    format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
                return Err(Refusal::new(message).param(path));
            };
            if value.is_null() {
                continue;
            }
            let taken = |other: &&Field| field.union.is_some() && other.union == field.union;
            if message.fields.iter().filter(taken).any(|other| read.contains_key(other.name)) {
                let union = field.union.unwrap_or_default();
                return Err(Refusal::new(format!(
                    "Invalid value at '{path}' (oneof), oneof field '{union}' is already set. Cannot set '{}'",
                    field.name
                ))
                .param(path));
            }
            let path = if path.is_empty() { snake(field.name) } else { format!("{path}.{}", snake(field.name)) };
            let value = match value {
                Value::Array(items) if field.many => {
                    let items = (0..).zip(items);
                    let items =
                        items.map(|(index, item): (usize, _)| self.value(field, item, &format!("{path}[{index}]")));
                    Value::Array(items.collect::<Checked<_>>()?)
                }
                // One of many may stand alone.
                value if field.many => Value::Array(vec![self.value(field, value, &path)?]),
                value => self.value(field, value, &path)?,
            };
            if read.insert(field.name.to_owned(), value).is_some() {
                return Err(Refusal::new(format!("mock: `{}` stands twice, in both spellings", field.name)));
            }
        }
        Ok(Value::Object(read))
    }

    fn value(&self, field: &Field, value: &Value, path: &str) -> Checked<Value> {
        let (fits, kind) = match &field.kind {
            Kind::Any => (true, ""),
            Kind::Bool => (value.is_boolean(), "TYPE_BOOL"),
            Kind::Bytes => return self.bytes(value, path),
            Kind::Enum(name, words) => return self.word(name, words, value, path),
            Kind::Float => (value.is_number(), "TYPE_FLOAT"),
            Kind::Int => {
                let whole = |number: f64| number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX);
                (value.as_f64().is_some_and(whole), "TYPE_INT32")
            }
            Kind::Labels => {
                let texts = value.as_object().is_some_and(|members| members.values().all(Value::is_string));
                (texts, "TYPE_STRING")
            }
            Kind::Message(message) if message.name == "Schema" => return self.schema(message, value, path),
            Kind::Message(message) => return self.message(message, value, path),
            Kind::Struct => (value.is_object(), "type.googleapis.com/google.protobuf.Struct"),
            Kind::Text => (value.is_string(), "TYPE_STRING"),
        };
        if fits { Ok(value.clone()) } else { Err(self.invalid(value, path, kind)) }
    }

    /// The properties of a schema have any names, and are schemas.
    fn schema(&self, message: &Message, value: &Value, path: &str) -> Checked<Value> {
        let read = self.message(message, value, path)?;
        for (name, property) in read.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.schema(message, property, &format!("{path}.properties[{name}]"))?;
        }
        Ok(read)
    }

    /// Base64, in either alphabet, with or without padding; comes back in the usual one, padded.
    fn bytes(&self, value: &Value, path: &str) -> Checked<Value> {
        let text = value.as_str().ok_or_else(|| self.invalid(value, path, "TYPE_BYTES"))?;
        let digits = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
        let known = |digit: u8| digit.is_ascii_alphanumeric() || b"+/".contains(&digit);
        if !digits.bytes().all(known) || digits.len() % 4 == 1 {
            let start: String = text.chars().take(40).collect();
            let message =
                format!("Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for {}", Value::from(start));
            return Err(Refusal::new(message).param(path));
        }
        let padding = "=".repeat((4 - digits.len() % 4) % 4);
        Ok((digits + &padding).into())
    }

    fn word(&self, name: &str, words: &[&str], value: &Value, path: &str) -> Checked<Value> {
        let word = value.as_str().unwrap_or_default().to_ascii_uppercase();
        if words.contains(&word.as_str()) {
            return Ok(word.into());
        }
        Err(self.invalid(value, path, &self.kind(name)))
    }

    fn invalid(&self, value: &Value, path: &str, kind: &str) -> Refusal {
        let value = if value.is_object() || value.is_array() { String::new() } else { format!(", {value}") };
        Refusal::new(format!("Invalid value at '{path}' ({kind}){value}")).param(path)
    }

    fn kind(&self, name: &str) -> String {
        let package = match self.door {
            Door::Cloud => "google.cloud.aiplatform.v1",
            Door::Studio => "google.ai.generativelanguage.v1beta",
        };
        format!("type.googleapis.com/{package}.{name}")
    }
}

/// `likeThis` as `like_this`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fields::GENERATE;
    use super::*;

    #[test]
    fn spellings_and_single_values() {
        let body = json!({
            "contents": {"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "-_8"}}]},
            "generation_config": {"thinkingConfig": {"thinking_level": "low"}, "stopSequences": null},
        });
        let read = read(&GENERATE, &body, Door::Studio).unwrap();
        assert_eq!(
            read,
            json!({
                "contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "+/8="}}]}],
                "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}},
            })
        );
    }

    #[test]
    fn what_cannot_be_placed() {
        let refused = |body, door| read(&GENERATE, &body, door).unwrap_err().message;
        let part = |part: Value| json!({"contents": [{"parts": [part]}]});
        let studio = |body| refused(body, Door::Studio);
        assert_eq!(
            studio(json!({"messages": []})),
            "Invalid JSON payload received. Unknown name \"messages\": Cannot find field."
        );
        assert_eq!(
            studio(part(json!({"txt": ""}))),
            "Invalid JSON payload received. Unknown name \"txt\" at 'contents[0].parts[0]': Cannot find field."
        );
        assert_eq!(studio(part(json!({"text": 1}))), "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 1");
        assert_eq!(
            studio(part(json!({"text": "a", "fileData": {}}))),
            "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. Cannot set 'fileData'"
        );
        assert_eq!(
            studio(json!({"generationConfig": {"seed": 12_345_678_901_u64}})),
            "Invalid value at 'generation_config.seed' (TYPE_INT32), 12345678901"
        );
        assert_eq!(
            studio(json!({"systemInstruction": "a"})),
            "Invalid value at 'system_instruction' (type.googleapis.com/google.ai.generativelanguage.v1beta.Content), \"a\""
        );
        assert!(studio(json!({"labels": {}})).contains("\"labels\""));
        assert!(refused(json!({"serviceTier": "FLEX"}), Door::Cloud).contains("\"serviceTier\""));
        let schema =
            json!({"tools": [{"functionDeclarations": [{"parameters": {"properties": {"a": {"oneOf": []}}}}]}]});
        assert!(studio(schema).contains("at 'tools[0].function_declarations[0].parameters.properties[a]'"));
    }
}
