//! What the messages of a chat completion request must be.
//!
//! Roles and parts: <https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages>.

use serde_json::Value;

use super::super::answer::tokens;
use super::super::bytes::{from_base64, image_type};
use super::super::shape::{Checked, Place, Refusal};

/// What the answer depends on.
#[derive(Default)]
pub struct Talk {
    pub last_text: String,
    pub all_text: String,
    pub attachments: Vec<&'static str>,
    /// Results of tools that nobody has answered yet.
    pub results: Vec<String>,
}

/// Checks all messages.
pub fn messages(place: &Place) -> Checked<Talk> {
    let mut talk = Talk::default();
    // The calls of the last assistant message that have no result yet, and all its calls.
    let (mut open, mut called): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (index, message) in place.few(100_000)?.iter().enumerate() {
        message.members()?;
        let role = message.need("role")?.one_of(&["system", "assistant", "user", "function", "tool", "developer"])?;
        if role != "tool" {
            answered(&open, index)?;
            called.clear();
        }
        let read = content(message, role)?;
        talk.all_text.push_str(&read.text);
        talk.all_text.push('\n');
        match role {
            "user" => {
                message.object(&["role", "content", "name"])?;
                talk.results.clear();
                if !read.text.is_empty() {
                    talk.last_text = read.text;
                }
                talk.attachments = read.attachments;
            }
            "assistant" => {
                open = assistant(message)?;
                called = open.clone();
                talk.results.clear();
            }
            "tool" => {
                message.object(&["role", "content", "tool_call_id"])?;
                let id = message.need("tool_call_id")?.text()?;
                result(id, index, &called)?;
                open.retain(|other| other != id);
                talk.results.push(read.text);
            }
            "function" => {
                message.object(&["role", "content", "name"])?;
                message.need("name")?.name(64)?;
                talk.results.push(read.text);
            }
            _ => {
                message.object(&["role", "content", "name"])?;
            }
        }
        if let Some(name) = message.some("name").filter(|_| role != "function") {
            participant(&name)?;
        }
    }
    answered(&open, place.items()?.len())?;
    Ok(talk)
}

/// About how many tokens the request is: its texts, without images and files.
pub fn size(body: &Value) -> usize {
    fn characters(value: &Value) -> usize {
        match value {
            Value::String(text) => text.chars().count(),
            Value::Array(items) => items.iter().map(characters).sum(),
            Value::Object(members) => {
                let texts = members.iter().filter(|(name, _)| !OPAQUE.contains(&name.as_str()));
                texts.map(|(_, value)| characters(value)).sum()
            }
            _ => 1,
        }
    }
    let parts = ["messages", "tools", "functions", "response_format"];
    let count = parts.iter().filter_map(|part| body.get(part)).map(characters).sum();
    tokens(count).max(1)
}

/// What stands in one message.
#[derive(Default)]
struct Read {
    text: String,
    attachments: Vec<&'static str>,
}

fn content(message: &Place, role: &str) -> Checked<Read> {
    let mut read = Read::default();
    let Some(content) = message.some("content").filter(|place| !place.value.is_null()) else {
        let other = ["tool_calls", "function_call", "refusal", "audio"];
        if role == "assistant" && other.iter().any(|name| message.opt(name).is_some()) {
            return Ok(read);
        }
        return match message.some("content") {
            None => message.need("content").map(|_| read),
            Some(_) if role == "function" => Ok(read),
            Some(_) => Err(Refusal::new("Invalid value for 'content': expected a string, got null.")
                .param(format!("{}.content", message.path.replace("messages[", "messages.[")))),
        };
    };
    match content.value {
        Value::String(text) => read.text.clone_from(text),
        Value::Array(_) => {
            let kinds: &[&str] = match role {
                "user" => &["text", "image_url", "input_audio", "file"],
                "assistant" => &["text", "refusal"],
                _ => &["text"],
            };
            for part in content.few(10_000)? {
                self::part(&part, kinds, &mut read)?;
            }
        }
        _ => return Err(content.wrong_type("one of a string or array of objects")),
    }
    Ok(read)
}

fn part(part: &Place, kinds: &[&str], read: &mut Read) -> Checked<()> {
    let kind = part.tag(kinds)?;
    let known: &[&str] =
        if kind == "refusal" { &["type", "refusal"] } else { &["type", kind, "prompt_cache_breakpoint"] };
    part.object(known)?;
    let inner = part.need(kind)?;
    match kind {
        "text" => {
            read.text.push_str(inner.text()?);
        }
        "refusal" => {
            inner.text()?;
        }
        "image_url" => {
            inner.object(&["url", "detail"])?;
            image(&inner.need("url")?)?;
            if let Some(detail) = inner.some("detail") {
                detail.one_of(&["auto", "low", "high", "original"])?;
            }
            read.attachments.push("image");
        }
        "input_audio" => {
            inner.object(&["data", "format"])?;
            inner.need("format")?.one_of(&["wav", "mp3"])?;
            let data = inner.need("data")?;
            from_base64(data.text()?).ok_or_else(|| data.wrong("Invalid base64 audio data."))?;
            read.attachments.push("audio");
        }
        _ => {
            inner.object(&["file_data", "file_id", "filename"])?;
            file(&inner)?;
            read.attachments.push("document");
        }
    }
    Ok(())
}

fn image(url: &Place) -> Checked<()> {
    let text = url.text()?;
    let invalid = |message: &str, code| Refusal::new(message).param(&url.path).code(code);
    if text.starts_with("https://") || text.starts_with("http://") {
        return Ok(());
    }
    let Some((kind, data)) = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) else {
        return Err(invalid("Invalid image_url. Expected a valid URL or a base64-encoded data URL.", "invalid_value"));
    };
    if !kind.starts_with("image/") {
        return Err(invalid("Invalid MIME type. Only image types are supported.", "invalid_image_format"));
    }
    let bytes = from_base64(data).ok_or_else(|| invalid("Invalid base64 image_url.", "invalid_base64"))?;
    match image_type(&bytes) {
        Some(_) => Ok(()),
        None => Err(invalid(
            "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
            "invalid_image_format",
        )),
    }
}

fn file(file: &Place) -> Checked<()> {
    match (file.some("file_id"), file.some("file_data")) {
        (Some(id), None) => id.text().map(drop),
        (None, Some(data)) => {
            file.need("filename")?.text()?;
            let encoded = data.text()?.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
            let bytes = encoded.and_then(|(_, data)| from_base64(data));
            bytes
                .map(drop)
                .ok_or_else(|| data.wrong("Invalid file data: expected a base64-encoded data URL with a MIME type."))
        }
        _ => Err(file.wrong("Exactly one of 'file_id' or 'file_data' must be given.")),
    }
}

/// Checks what only an assistant says; returns the ids of its calls.
fn assistant(message: &Place) -> Checked<Vec<String>> {
    message.object(&["role", "content", "name", "refusal", "audio", "tool_calls", "function_call", "annotations"])?;
    if let Some(refusal) = message.opt("refusal") {
        refusal.text()?;
    }
    if let Some(call) = message.opt("function_call") {
        call.object(&["name", "arguments"])?;
        call.need("name")?.name(64)?;
        call.need("arguments")?.text()?;
    }
    let mut ids = Vec::new();
    let Some(calls) = message.some("tool_calls") else {
        return Ok(ids);
    };
    for call in calls.few(128)? {
        let kind = call.tag(&["function", "custom"])?;
        call.object(&["id", "type", kind])?;
        ids.push(call.need("id")?.at_most(40)?.to_owned());
        let inner = call.need(kind)?;
        let input = if kind == "custom" { "input" } else { "arguments" };
        inner.object(&["name", input])?;
        inner.need("name")?.name(64)?;
        inner.need(input)?.text()?;
    }
    Ok(ids)
}

fn result(id: &str, index: usize, called: &[String]) -> Checked<()> {
    if called.is_empty() {
        return Err(Refusal::new("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.").param(format!("messages.[{index}].role")));
    }
    if !called.iter().any(|other| other == id) {
        return Err(Refusal::new(format!(
            "Invalid parameter: 'tool_call_id' of '{id}' not found in 'tool_calls' of previous message."
        ))
        .param(format!("messages.[{index}].tool_call_id")));
    }
    Ok(())
}

fn answered(open: &[String], index: usize) -> Checked<()> {
    if open.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(format!("An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}", open.join(", "))).param(format!("messages.[{index}].role")))
}

fn participant(name: &Place) -> Checked<()> {
    let text = name.at_most(64)?;
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || "<|\\/>".contains(c)) {
        return Err(Refusal::new(format!("Invalid '{}': string does not match pattern. Expected a string that matches the pattern '^[^\\s<|\\\\/>]+$'.", name.path)).param(&name.path).code("invalid_value"));
    }
    Ok(())
}

/// Members that hold images, sound and files.
const OPAQUE: [&str; 4] = ["image_url", "input_audio", "file", "data"];
