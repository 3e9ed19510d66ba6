//! What a chat request must be: fields as in Ollama's `api/types.go`. The server ignores what it does not know; here it is
//! refused, since a gateway has no reason to send it.

use serde_json::Value;

use super::super::answer::{Ask, Format, Tool, tokens};
use super::super::bytes::{from_base64, image_type};
use super::super::directive::bare_text;
use super::super::shape::{Checked, Refusal};

/// A request that Ollama would serve.
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
    known(body, FIELDS)?;
    let model =
        body["model"].as_str().filter(|model| !model.is_empty()).ok_or_else(|| Refusal::new("model is required"))?;
    if model.starts_with("missing") {
        return Err(Refusal::new(format!("model '{model}' not found")).status(404));
    }
    let mut ask = Ask { parallel: true, ..Ask::default() };
    let last_text = messages(body, &mut ask)?;
    ask.text = bare_text(&last_text);
    for tool in body["tools"].as_array().into_iter().flatten() {
        known(tool, &["type", "function"])?;
        known(&tool["function"], &["name", "description", "parameters"])?;
        let function = &tool["function"];
        let schema = &function["parameters"];
        if schema["type"] != "object" {
            return Err(Refusal::new("json: cannot unmarshal parameters"));
        }
        let name = function["name"].as_str().unwrap_or_default().to_owned();
        ask.tools.push(Tool { name, schema: schema.clone(), custom: false });
    }
    ask.format = match &body["format"] {
        Value::Null => None,
        Value::String(kind) if kind == "json" => Some(Format::Object),
        schema @ Value::Object(_) => Some(Format::Schema(schema.clone())),
        other => {
            return Err(Refusal::new(format!(
                "invalid format: {other}; expected \"json\" or a valid JSON Schema object"
            )));
        }
    };
    ask.thinking = match &body["think"] {
        Value::Null => false,
        Value::Bool(think) => *think,
        Value::String(level) if ["high", "low", "max", "medium"].contains(&level.as_str()) => true,
        other => {
            return Err(Refusal::new(format!(
                "invalid think value: {other} (must be \"high\", \"medium\", \"low\", \"max\", true, or false)"
            )));
        }
    };
    let options = &body["options"];
    if !options.is_null() {
        known(options, OPTIONS)?;
        ask.limit = options["num_predict"].as_u64().and_then(|limit| usize::try_from(limit).ok());
        ask.stops =
            options["stop"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    let prompt_tokens = tokens(body["messages"].to_string().len()).max(1);
    Ok(Call { model: model.to_owned(), last_text, ask, stream: body["stream"] != false, prompt_tokens })
}

/// Refuses members that Ollama does not know.
pub fn known(value: &Value, names: &[&str]) -> Checked<()> {
    let members = value.as_object().ok_or_else(|| Refusal::new("json: expected an object"))?;
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(Refusal::new(format!("mock: Ollama knows no `{name}`"))),
        None => Ok(()),
    }
}

fn messages(body: &Value, ask: &mut Ask) -> Checked<String> {
    let mut last = String::new();
    for message in body["messages"].as_array().ok_or_else(|| Refusal::new("messages must be an array"))? {
        known(message, &["role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"])?;
        let text =
            message["content"].as_str().ok_or_else(|| Refusal::new("json: cannot unmarshal content into a string"))?;
        let images = message["images"].as_array().map_or(&[][..], Vec::as_slice);
        for image in images {
            let bytes = image.as_str().and_then(from_base64);
            if bytes.is_none_or(|bytes| image_type(&bytes).is_none()) {
                return Err(Refusal::new("illegal base64 data at input byte 4"));
            }
        }
        match message["role"].as_str() {
            Some("user") => {
                ask.results.clear();
                ask.attachments = images.iter().map(|_| "image").collect();
                last = text.to_owned();
            }
            Some("assistant") => {
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    if !call.pointer("/function/arguments").is_some_and(Value::is_object) {
                        return Err(Refusal::new("json: cannot unmarshal string into ToolCallFunctionArguments"));
                    }
                }
            }
            Some("tool") => ask.results.push(text.to_owned()),
            Some("system") => {}
            role => return Err(Refusal::new(format!("invalid role: {role:?}"))),
        }
    }
    Ok(last)
}

const FIELDS: &[&str] = &[
    "format",
    "keep_alive",
    "logprobs",
    "messages",
    "model",
    "options",
    "shift",
    "stream",
    "think",
    "tools",
    "top_logprobs",
    "truncate",
];

const OPTIONS: &[&str] = &[
    "frequency_penalty",
    "min_p",
    "num_ctx",
    "num_predict",
    "presence_penalty",
    "repeat_penalty",
    "seed",
    "stop",
    "temperature",
    "top_k",
    "top_p",
];
