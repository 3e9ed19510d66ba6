//! What the items of `input` must be.

use serde_json::{Value, json};

use super::super::super::shape::{Checked, Place, Refusal};

/// How thought begins that this provider has sealed.
pub const SEAL: &str = "gAAAAAB";

/// What of the conversation the answer depends on.
#[derive(Default)]
pub struct Talk {
    pub last_text: String,
    pub all_text: String,
    pub attachments: Vec<&'static str>,
    pub results: Vec<String>,
    /// All items, the kept ones first.
    pub items: Vec<Value>,
}

/// Checks `input`. `before` is what was kept of the conversation.
pub fn input(input: &Place, before: &[Value]) -> Checked<Talk> {
    let mut talk = Talk { items: before.to_vec(), ..Talk::default() };
    if let Some(text) = input.value.as_str() {
        (talk.last_text, talk.all_text) = (text.into(), text.into());
        talk.items.push(json!({"id": "msg_input", "type": "message", "role": "user", "status": "completed", "content": [{"type": "input_text", "text": text}]}));
        return Ok(talk);
    }
    for item in input.items()? {
        one(&item, &mut talk)?;
        talk.items.push(item.value.clone());
    }
    // Every call has a result, and every result a call.
    let ids = |end: &str| -> Vec<String> {
        let wanted = talk
            .items
            .iter()
            .filter(|item| item.get("type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with(end)));
        wanted.filter_map(|item| item.get("call_id")?.as_str().map(str::to_owned)).collect()
    };
    let (calls, results) = (ids("_call"), ids("_call_output"));
    if let Some(id) = calls.iter().find(|id| !results.contains(id)) {
        return Err(Refusal::new(format!("No tool output found for function call {id}.")).param("input"));
    }
    if let Some(id) = results.iter().find(|id| !calls.contains(id)) {
        let message = format!("No tool call found for function call output with call_id {id}.");
        return Err(Refusal::new(message).param("input"));
    }
    Ok(talk)
}

fn one(item: &Place, talk: &mut Talk) -> Checked<()> {
    item.members()?;
    let kind = if item.opt("type").is_some() { item.tag(KINDS)? } else { "message" };
    let prefixes: &[&str] = match kind {
        "message" => &["msg"],
        "reasoning" => &["rs"],
        "function_call" => &["fc"],
        "custom_tool_call" => &["ctc"],
        _ => &[""],
    };
    if let Some(id) = item.opt("id") {
        let text = id.at_most(64)?;
        if !prefixes.iter().any(|prefix| text.starts_with(prefix)) {
            let message =
                format!("Invalid '{}': '{text}'. Expected an ID that begins with '{}'.", id.path, prefixes.join(""));
            return Err(Refusal::new(message).param(&id.path).code("invalid_value"));
        }
    }
    match kind {
        "message" => message(item, talk)?,
        "reasoning" => {
            item.object(&["id", "type", "summary", "content", "encrypted_content", "status"])?;
            item.need("id")?;
            for part in item.need("summary")?.items()? {
                part.tag(&["summary_text"])?;
            }
            match item.opt("encrypted_content") {
                Some(sealed) if sealed.text()?.starts_with(SEAL) => {}
                Some(_) => {
                    return Err(Refusal::new("The encrypted content could not be verified. Reason: Encrypted content could not be decrypted or parsed.")
                        .code("invalid_encrypted_content"));
                }
                // As if nothing was stored.
                None => {
                    let id = item.need("id")?.text()?;
                    return Err(Refusal::new(format!("Item with id '{id}' not found.")).status(404).param("input"));
                }
            }
        }
        "function_call" => {
            item.object(&["id", "type", "status", "call_id", "name", "arguments"])?;
            item.need("arguments")?.text()?;
            item.need("name")?.name(128)?;
            item.need("call_id")?.at_most(64)?;
        }
        "custom_tool_call" => {
            item.object(&["id", "type", "status", "call_id", "name", "input"])?;
            item.need("input")?.text()?;
            item.need("name")?.name(128)?;
            item.need("call_id")?.at_most(64)?;
        }
        _ => {
            item.object(&["id", "type", "status", "call_id", "output"])?;
            item.need("call_id")?.at_most(64)?;
            let mut result = Talk::default();
            content(&item.need("output")?, &["input_text", "input_image", "input_file"], &mut result)?;
            talk.results.push(result.last_text);
        }
    }
    Ok(())
}

fn message(item: &Place, talk: &mut Talk) -> Checked<()> {
    item.object(&["id", "type", "status", "role", "content", "phase"])?;
    let role = item.need("role")?.one_of(&["user", "assistant", "system", "developer"])?;
    let known: &[&str] = match role {
        "assistant" => &["output_text", "refusal"],
        _ => &["input_text", "input_image", "input_file"],
    };
    let mut said = Talk::default();
    content(&item.need("content")?, known, &mut said)?;
    talk.all_text.push_str(&said.all_text);
    if role == "user" {
        talk.results.clear();
        (talk.last_text, talk.attachments) = (said.last_text, said.attachments);
    }
    Ok(())
}

fn content(place: &Place, known: &[&str], talk: &mut Talk) -> Checked<()> {
    if let Some(text) = place.value.as_str() {
        (talk.last_text, talk.all_text) = (text.into(), text.into());
        return Ok(());
    }
    for part in place.items()? {
        match part.tag(known)? {
            "input_image" => {
                part.object(&["type", "image_url", "file_id", "detail"])?;
                if part.opt("image_url").or(part.opt("file_id")).is_none() {
                    return Err(part.need("image_url").err().unwrap_or_else(|| part.wrong("no image")));
                }
                talk.attachments.push("image");
            }
            "input_file" => {
                part.object(&["type", "filename", "file_data", "file_id", "file_url", "detail"])?;
                talk.attachments.push("document");
            }
            "refusal" => {
                part.need("refusal")?.text()?;
            }
            _ => {
                part.object(&["type", "text", "annotations", "logprobs"])?;
                let text = part.need("text")?.text()?;
                talk.last_text = text.to_owned();
                talk.all_text.push_str(text);
            }
        }
    }
    Ok(())
}

const KINDS: &[&str] =
    &["message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"];
