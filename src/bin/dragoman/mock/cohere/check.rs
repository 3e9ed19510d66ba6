//! What a chat request must be: fields and ranges as in Cohere's OpenAPI description.

use serde_json::Value;

use super::super::answer::{Ask, Choice, Format, Tool, tokens};
use super::super::bytes::{from_base64, image_type};
use super::super::directive::bare_text;
use super::super::shape::{Checked, Refusal};

/// A request that Cohere would serve.
pub struct Call {
    /// With directives.
    pub model: String,
    /// With directives.
    pub last_text: String,
    pub ask: Ask,
    pub stream: bool,
    pub prompt_tokens: usize,
}

/// Checks a body.
pub fn call(body: &Value) -> Checked<Call> {
    known(body, "", FIELDS)?;
    let model = body["model"].as_str().filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| Refusal::new("a model parameter is required for this endpoint."))?;
    if FOREIGN.iter().any(|name| model.starts_with(name)) {
        let message = format!(
            "model '{model}' not found, make sure the correct model ID was used and that you have access to the model."
        );
        return Err(Refusal::new(message).status(404));
    }
    let mut ask = Ask { parallel: true, ..Ask::default() };
    let last_text = messages(body, &mut ask)?;
    ask.text = bare_text(&last_text);
    tools(body, &mut ask)?;
    for (name, least, most) in RANGES {
        let value = &body[*name];
        if !value.is_null() && !value.as_f64().is_some_and(|number| (*least..=*most).contains(&number)) {
            return Err(wrong(format!("{name} must be between {least} and {most} inclusive.")));
        }
    }
    if body["stop_sequences"].as_array().is_some_and(|stops| stops.len() > 5) {
        return Err(wrong("too many stop sequences"));
    }
    ask.stops =
        body["stop_sequences"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    ask.limit = body["max_tokens"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let format = &body["response_format"];
    if !format.is_null() {
        known(format, "response_format", &["type", "json_schema"])?;
        if format["type"] == "json_object" && !ask.tools.is_empty() {
            return Err(wrong("response_format is not supported with tools."));
        }
        ask.format = match (&format["type"], &format["json_schema"]) {
            (Value::String(kind), Value::Null) if kind == "json_object" => Some(Format::Object),
            (Value::String(kind), schema @ Value::Object(_)) if kind == "json_object" => {
                Some(Format::Schema(schema.clone()))
            }
            (Value::String(kind), Value::Null) if kind == "text" => None,
            _ => return Err(wrong("response_format")),
        };
    }
    let thinking = &body["thinking"];
    if !thinking.is_null() {
        known(thinking, "thinking", &["type", "token_budget"])?;
        if !model.contains("reasoning") {
            return Err(wrong("thinking is not supported by this model"));
        }
    }
    ask.thinking = model.contains("reasoning") && thinking["type"] != "disabled";
    let prompt_tokens = tokens(body["messages"].to_string().len()).max(1);
    Ok(Call { model: model.to_owned(), last_text, ask, stream: body["stream"] == true, prompt_tokens })
}

/// Refuses members that Cohere does not know.
pub fn known(value: &Value, place: &str, names: &[&str]) -> Checked<()> {
    let members = value.as_object().ok_or_else(|| wrong(format!("{place} must be an object")))?;
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(Refusal::new(format!("unknown field: parameter '{name}' is not a valid field")).status(422)),
        None => Ok(()),
    }
}

fn wrong(what: impl AsRef<str>) -> Refusal {
    Refusal::new(format!("invalid request: {}", what.as_ref()))
}

fn messages(body: &Value, ask: &mut Ask) -> Checked<String> {
    let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
    let mut last = String::new();
    let mut called: Vec<&str> = Vec::new();
    for message in messages.ok_or_else(|| wrong("messages must be at least 1 message long."))? {
        match message["role"].as_str() {
            Some("system") => known(message, "messages", &["role", "content"])?,
            Some("user") => {
                known(message, "messages", &["role", "content"])?;
                ask.results.clear();
                ask.attachments.clear();
                last = text(&message["content"], &["text", "image_url"], ask)?;
                continue;
            }
            Some("assistant") => {
                known(message, "messages", &["role", "content", "tool_calls", "tool_plan", "citations"])?;
                called = message["tool_calls"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|call| call["id"].as_str())
                    .collect();
                let spoken = !message["content"].is_null();
                if !spoken && called.is_empty() {
                    return Err(Refusal::new("message must not be empty in a turn"));
                }
                if spoken {
                    text(&message["content"], &["text", "thinking"], ask)?;
                }
                continue;
            }
            Some("tool") => {
                known(message, "messages", &["role", "content", "tool_call_id"])?;
                if !message["tool_call_id"].as_str().is_some_and(|id| called.contains(&id)) {
                    return Err(Refusal::new("tool call id not found in previous tool calls"));
                }
                let result = text(&message["content"], &["text", "document"], ask)?;
                ask.results.push(result);
                continue;
            }
            role => return Err(wrong(format!("role {role:?}"))),
        }
        text(&message["content"], &["text"], ask)?;
    }
    Ok(last)
}

/// The text of content, all of whose parts are of these kinds.
fn text(content: &Value, kinds: &[&str], ask: &mut Ask) -> Checked<String> {
    if let Some(text) = content.as_str() {
        return Ok(text.to_owned());
    }
    let mut all = String::new();
    for part in content.as_array().ok_or_else(|| wrong("content must be a string or an array"))? {
        let kind = part["type"].as_str().filter(|kind| kinds.contains(kind));
        match kind.ok_or_else(|| wrong(format!("content of type {}", part["type"])))? {
            "image_url" => {
                known(part, "content", &["type", "image_url"])?;
                known(&part["image_url"], "image_url", &["url", "detail"])?;
                image(part.pointer("/image_url/url").and_then(Value::as_str).unwrap_or_default())?;
                ask.attachments.push("image");
            }
            name => {
                known(part, "content", &["type", name])?;
                all.push_str(part[name].as_str().unwrap_or_default());
            }
        }
    }
    Ok(all)
}

fn image(url: &str) -> Checked<()> {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let seen = data.is_some_and(|(_, data)| from_base64(data).is_some_and(|bytes| image_type(&bytes).is_some()));
    if seen || url.starts_with("https://") { Ok(()) } else { Err(wrong("the image cannot be read")) }
}

fn tools(body: &Value, ask: &mut Ask) -> Checked<()> {
    for tool in body["tools"].as_array().into_iter().flatten() {
        known(tool, "tools", &["type", "function"])?;
        let function = &tool["function"];
        known(function, "function", &["name", "description", "parameters"])?;
        let name = function["name"].as_str().unwrap_or_default();
        let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() || !letters || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(wrong(format!(
                "tool names can only contain certain characters (A-Za-z0-9_) and can't begin with a digit (provided name: '{name}')."
            )));
        }
        if !function["parameters"].is_object() {
            return Err(Refusal::new("schema must be an object"));
        }
        ask.tools.push(Tool { name: name.to_owned(), schema: function["parameters"].clone(), custom: false });
    }
    ask.choice = match body["tool_choice"].as_str() {
        None => Choice::Auto,
        Some("NONE") => Choice::None,
        Some("REQUIRED") if !ask.tools.is_empty() => Choice::Any,
        Some(other) => return Err(wrong(format!("tool_choice {other}"))),
    };
    Ok(())
}

const FIELDS: &[&str] = &[
    "citation_options",
    "documents",
    "frequency_penalty",
    "k",
    "logprobs",
    "max_tokens",
    "messages",
    "model",
    "p",
    "presence_penalty",
    "priority",
    "response_format",
    "safety_mode",
    "seed",
    "stop_sequences",
    "stream",
    "strict_tools",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
];

/// Numbers, with the least and the greatest that is taken.
const RANGES: &[(&str, f64, f64)] = &[
    ("frequency_penalty", 0.0, 1.0),
    ("k", 0.0, 500.0),
    ("p", 0.01, 0.99),
    ("presence_penalty", 0.0, 1.0),
    ("temperature", 0.0, f64::MAX),
];

/// Models of others.
const FOREIGN: &[&str] = &["claude-", "gemini-", "gpt-", "missing"];
