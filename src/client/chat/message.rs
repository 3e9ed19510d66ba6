//! Messages, by role.

use std::collections::BTreeMap;

use super::super::fields::{boolean, list, object, optional, raw_object, required, string};
use super::part;
use super::request::unknown;
use crate::call::{Content, Message, Part, Role};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Node, Str};
use crate::replay;

/// Reads `messages`.
pub(super) fn read(value: Node<'_>) -> Result<Vec<Message<'_>>, Error> {
    let mut functions = Functions::default();
    let messages = list(value)?.enumerate();
    messages.map(|(at, value)| message(value, &mut functions).map_err(|e| e.at_index(at))).collect()
}

/// Calls in the old way, which have no ids: a result is that of the last call with its name.
#[derive(Default)]
struct Functions {
    calls: usize,
    /// The number of the last call of each name.
    last: BTreeMap<String, usize>,
}

impl Functions {
    fn call<'a>(&mut self, name: &Str<'_>) -> Str<'a> {
        self.calls = self.calls.saturating_add(1);
        self.last.insert(name.to_text().into_owned(), self.calls);
        Self::id(self.calls)
    }

    fn result<'a>(&mut self, name: &Str<'_>) -> Str<'a> {
        match self.last.get(&*name.to_text()) {
            Some(number) => Self::id(*number),
            None => self.call(name),
        }
    }

    fn id<'a>(number: usize) -> Str<'a> {
        Str::plain(format!("call_function_{number}"))
    }
}

fn message<'a>(value: Node<'a>, functions: &mut Functions) -> Result<Message<'a>, Error> {
    let role = required(object(value)?, "role")?;
    let role = string(role).map_err(|e| e.at("role"))?.decode();
    let mut message = match &*role {
        "assistant" => assistant(value, functions)?,
        "developer" => said(value, Role::Developer)?,
        "function" => function_result(value, functions)?,
        "system" => said(value, Role::System)?,
        "tool" => tool_result(value)?,
        "user" => said(value, Role::User)?,
        other => {
            let allowed = "`system`, `developer`, `user`, `assistant`, `tool` or `function`";
            return Err(unknown(other, allowed).at("role"));
        }
    };
    // A mark on a message stands for the end of it.
    if let Some(cache) = optional(value, "cache_control", raw_object)?
        && let Some(last) = message.parts.last_mut()
    {
        last.cache = last.cache.or(Some(cache));
    }
    Ok(message)
}

fn said(value: Node<'_>, role: Role) -> Result<Message<'_>, Error> {
    let mut parts = Vec::new();
    part::content(required(value, "content")?, &mut parts).map_err(|e| e.at("content"))?;
    Ok(Message { role, name: optional(value, "name", string)?, parts })
}

fn assistant<'a>(value: Node<'a>, functions: &mut Functions) -> Result<Message<'a>, Error> {
    let mut parts = Vec::new();
    reasoning(value, &mut parts)?;
    if let Some(content) = value.get("content") {
        part::content(content, &mut parts).map_err(|e| e.at("content"))?;
    }
    if let Some(refusal) = optional(value, "refusal", string)? {
        parts.push(Content::Refusal(refusal).into());
    }
    // Pictures that an earlier answer came with.
    if let Some(images) = optional(value, "images", list)? {
        for (at, picture) in images.filter_map(|image| image.get("image_url")).enumerate() {
            let picture = part::image(picture).map_err(|e| e.at("image_url").at_index(at).at("images"))?;
            parts.push(picture.into());
        }
    }
    if let Some(audio) = optional(value, "audio", raw_object)? {
        parts.push(Content::Native { format: Format::Chat, raw: audio }.into());
    }
    if let Some(call) = value.get("function_call") {
        let (name, arguments) = function(call).map_err(|e| e.at("function_call"))?;
        let id = functions.call(&name);
        parts.push(Content::ToolCall { id, name, arguments }.into());
    }
    if let Some(calls) = optional(value, "tool_calls", list)? {
        for (at, call) in calls.enumerate() {
            tool_call(call, &mut parts).map_err(|e| e.at_index(at).at("tool_calls"))?;
        }
    }
    Ok(Message { role: Role::Assistant, name: optional(value, "name", string)?, parts })
}

/// Thought that came with an earlier answer. Clients give it back in up to four ways at once; the first that is there
/// is the one that says most.
fn reasoning<'a>(value: Node<'a>, parts: &mut Vec<Part<'a>>) -> Result<(), Error> {
    if let Some(blocks) = optional(value, "thinking_blocks", list)? {
        for (at, block) in blocks.enumerate() {
            let thought = object(block).and_then(part::thought).map_err(|e| e.at_index(at).at("thinking_blocks"))?;
            parts.extend(thought.map(Part::from));
        }
    } else if let Some(details) = optional(value, "reasoning_details", list)? {
        for (at, detail) in details.enumerate() {
            let thought = reasoning_detail(detail).map_err(|e| e.at_index(at).at("reasoning_details"))?;
            parts.extend(thought.map(Part::from));
        }
    } else {
        let text = optional(value, "reasoning_content", string)?;
        let text = text.or_else(|| value.get("reasoning").and_then(Node::str));
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            parts.push(Content::Reasoning { text, signature: None, format: None }.into());
        }
    }
    Ok(())
}

/// A block of [OpenRouter's](https://openrouter.ai/docs/use-cases/reasoning-tokens) `reasoning_details`. What is sealed
/// by a provider whose seal no wire can give back is left out, as is a type that came later.
fn reasoning_detail(value: Node<'_>) -> Result<Option<Content<'_>>, Error> {
    let kind = required(object(value)?, "type")?;
    let anthropic = value.get("format").and_then(Node::text).is_some_and(|f| f.starts_with("anthropic"));
    let format = anthropic.then_some(Format::Messages);
    Ok(match &*string(kind).map_err(|e| e.at("type"))?.decode() {
        "reasoning.encrypted" => match (optional(value, "data", string)?, format) {
            (Some(data), Some(format)) => Some(Content::RedactedReasoning { data, format }),
            _ => None,
        },
        "reasoning.summary" => {
            let text = optional(value, "summary", string)?;
            text.map(|text| Content::Reasoning { text, signature: None, format: None })
        }
        "reasoning.text" => {
            let signature = optional(value, "signature", string)?.filter(|_| anthropic);
            let format = format.filter(|_| signature.is_some());
            let text = optional(value, "text", string)?.unwrap_or_default();
            Some(Content::Reasoning { text, signature, format })
        }
        _ => None,
    })
}

fn tool_call<'a>(value: Node<'a>, parts: &mut Vec<Part<'a>>) -> Result<(), Error> {
    let kind = optional(object(value)?, "type", string)?;
    if kind.is_some_and(|kind| kind != "function") {
        parts.push(Content::Native { format: Format::Chat, raw: value.raw() }.into());
        return Ok(());
    }
    let id = string(required(value, "id")?).map_err(|e| e.at("id"))?;
    let (name, arguments) = function(required(value, "function")?).map_err(|e| e.at("function"))?;
    let (id, proof) = replay::open(id);
    parts.extend(proof.or_else(|| elsewhere(value)).map(Part::from));
    parts.push(Content::ToolCall { id, name, arguments }.into());
    Ok(())
}

/// The signature of a call where [Google's own interface](https://ai.google.dev/gemini-api/docs/openai) has it.
fn elsewhere(call: Node<'_>) -> Option<Content<'_>> {
    let signature = call.get("extra_content")?.get("google")?.get("thought_signature")?.str()?;
    Some(Content::Reasoning { text: Str::default(), signature: Some(signature), format: Some(Format::Gemini) })
}

/// Name and arguments.
fn function(value: Node<'_>) -> Result<(Str<'_>, Str<'_>), Error> {
    let name = string(required(object(value)?, "name")?).map_err(|e| e.at("name"))?;
    Ok((name, optional(value, "arguments", string)?.unwrap_or_default()))
}

fn tool_result(value: Node<'_>) -> Result<Message<'_>, Error> {
    let id = string(required(value, "tool_call_id")?).map_err(|e| e.at("tool_call_id"))?;
    result(value, replay::open(id).0)
}

fn function_result<'a>(value: Node<'a>, functions: &mut Functions) -> Result<Message<'a>, Error> {
    let name = string(required(value, "name")?).map_err(|e| e.at("name"))?;
    result(value, functions.result(&name))
}

fn result<'a>(value: Node<'a>, id: Str<'a>) -> Result<Message<'a>, Error> {
    let mut parts = Vec::new();
    if let Some(content) = value.get("content") {
        part::content(content, &mut parts).map_err(|e| e.at("content"))?;
    }
    let is_error = optional(value, "is_error", boolean)?.unwrap_or(false);
    let content = Content::ToolResult { id, parts, is_error };
    Ok(Message { role: Role::User, name: None, parts: vec![content.into()] })
}
