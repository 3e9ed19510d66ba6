//! The items of `input`: the conversation so far.
//!
//! What the assistant does in one turn comes as several items, and becomes one message.

use super::super::chat::part::{audio, breakpoint, file_data, source};
use super::super::chat::request::unknown;
use super::super::fields::{list, object, optional, required, string, wrong};
use super::request::kept_elsewhere;
use super::seal;
use super::tool::INPUT;
use crate::call::{Content, Document, Generate, Message, Part, Role, Source};
use crate::error::{Error, shorten};
use crate::format::Format;
use crate::json::{Kind, Node, Str};
use crate::replay;

/// What OpenAI has done with tools of its own: no other provider knows it, and the conversation goes on without it.
const DONE: &[&str] = &[
    "code_interpreter_call",
    "file_search_call",
    "image_generation_call",
    "mcp_call",
    "mcp_list_tools",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
];

/// What can be said to any provider.
const SAID: &[&str] =
    &["custom_tool_call", "custom_tool_call_output", "function_call", "function_call_output", "message", "reasoning"];

/// Whether an item of `input` means something to the provider alone that made it.
pub(super) fn is_own(item: Node<'_>) -> bool {
    item.get("type").and_then(Node::text).is_some_and(|kind| !SAID.contains(&&*kind) && !DONE.contains(&&*kind))
}

/// Reads `input`.
pub(super) fn read<'a>(value: Node<'a>, call: &mut Generate<'a>) -> Result<(), Error> {
    if let Some(text) = value.str() {
        say(Role::User, vec![Content::text(text).into()], call);
        return Ok(());
    }
    if value.kind() != Kind::Array {
        return Err(wrong(value, "a string or an array of items"));
    }
    value.items().enumerate().try_for_each(|(at, value)| item(value, call).map_err(|e| e.at_index(at)))
}

fn say<'a>(role: Role, parts: Vec<Part<'a>>, call: &mut Generate<'a>) {
    match call.messages.last_mut() {
        Some(last) if last.role == Role::Assistant && role == Role::Assistant => last.parts.extend(parts),
        _ => call.messages.push(Message { role, name: None, parts }),
    }
}

fn item<'a>(value: Node<'a>, call: &mut Generate<'a>) -> Result<(), Error> {
    let kind = optional(object(value)?, "type", string)?.map_or("message".into(), Str::decode);
    let text = |name| string(required(value, name)?).map_err(|e| e.at(name));
    match &*kind {
        "custom_tool_call" => {
            let input = text(INPUT)?;
            let arguments = Str::plain(format!("{{\"{INPUT}\":{}}}", input.to_json()));
            called(text("call_id")?, text("name")?, arguments, call);
        }
        "custom_tool_call_output" | "function_call_output" => {
            let mut parts = Vec::new();
            content(required(value, "output")?, &mut parts).map_err(|e| e.at("output"))?;
            let id = replay::open(text("call_id")?).0;
            let result = Content::ToolResult { id, parts, is_error: false };
            say(Role::User, vec![result.into()], call);
        }
        "function_call" => {
            called(text("call_id")?, text("name")?, text("arguments")?, call);
        }
        "item_reference" => return Err(kept_elsewhere()),
        "message" => message(value, call)?,
        "reasoning" => {
            if let Some(thought) = reasoning(value)? {
                say(Role::Assistant, vec![thought.into()], call);
            }
        }
        done if DONE.contains(&done) => {
            let name = format!("input.{done}");
            if !call.unread.contains(&name) {
                call.unread.push(name);
            }
        }
        other => {
            let message =
                format!("the upstream does not know items of the type `{}`, which are OpenAI's own", shorten(other));
            return Err(Error::invalid(message).at("type"));
        }
    }
    Ok(())
}

/// Says that the model has called a tool.
fn called<'a>(id: Str<'a>, name: Str<'a>, arguments: Str<'a>, call: &mut Generate<'a>) {
    let (id, proof) = replay::open(id);
    let parts = proof.into_iter().chain([Content::ToolCall { id, name, arguments }]).map(Part::from).collect();
    say(Role::Assistant, parts, call);
}

fn message<'a>(value: Node<'a>, call: &mut Generate<'a>) -> Result<(), Error> {
    let role = match &*string(required(value, "role")?).map_err(|e| e.at("role"))?.decode() {
        "assistant" => Role::Assistant,
        "developer" => Role::Developer,
        "system" => Role::System,
        "user" => Role::User,
        other => return Err(unknown(other, "`user`, `assistant`, `system` or `developer`").at("role")),
    };
    let mut parts = Vec::new();
    content(required(value, "content")?, &mut parts).map_err(|e| e.at("content"))?;
    say(role, parts, call);
    Ok(())
}

fn content<'a>(value: Node<'a>, out: &mut Vec<Part<'a>>) -> Result<(), Error> {
    if let Some(text) = value.str() {
        out.push(Content::text(text).into());
        return Ok(());
    }
    if value.kind() != Kind::Array {
        return Err(wrong(value, "a string or an array of parts"));
    }
    for (at, value) in value.items().enumerate() {
        out.push(part(value).map_err(|e| e.at_index(at))?);
    }
    Ok(())
}

fn part(value: Node<'_>) -> Result<Part<'_>, Error> {
    let text = |name| string(required(value, name)?).map_err(|e| e.at(name));
    let kind = string(required(object(value)?, "type")?).map_err(|e| e.at("type"))?.decode();
    let content = match &*kind {
        "input_audio" => audio(required(value, "input_audio")?).map_err(|e| e.at("input_audio"))?,
        "input_file" => file(value)?,
        "input_image" => image(value)?,
        "input_text" | "output_text" | "text" => Content::text(text("text")?),
        "refusal" => Content::Refusal(text("refusal")?),
        other => {
            let message = format!("the upstream does not know parts of the type `{}`", shorten(other));
            return Err(Error::invalid(message).at("type"));
        }
    };
    Ok(Part { content, cache: optional(value, "prompt_cache_breakpoint", breakpoint)? })
}

fn image(value: Node<'_>) -> Result<Content<'_>, Error> {
    let source = match (optional(value, "image_url", source)?, optional(value, "file_id", string)?) {
        (Some(source), _) => source,
        (None, Some(id)) => Source::File(id),
        (None, None) => return Err(Error::invalid("expected `image_url` or `file_id`")),
    };
    // The most that others know.
    let detail =
        optional(value, "detail", string)?.map(|detail| if detail == "original" { "high".into() } else { detail });
    Ok(Content::Image { source, detail })
}

fn file(value: Node<'_>) -> Result<Content<'_>, Error> {
    let title = optional(value, "filename", string)?;
    let data = optional(value, "file_data", |data| file_data(data, value, title.as_ref()))?;
    let url = optional(value, "file_url", source)?;
    let source = match (data.or(url), optional(value, "file_id", string)?) {
        (Some(source), _) => source,
        (None, Some(id)) => Source::File(id),
        (None, None) => return Err(Error::invalid("expected `file_data`, `file_url` or `file_id`")),
    };
    match &source {
        Source::Base64 { media_type, .. } if media_type.to_text().starts_with("image/") => {
            Ok(Content::Image { source, detail: None })
        }
        _ => Ok(Content::Document(Document { source, title, context: None, citations: None })),
    }
}

/// A thought, if there is anything in it.
fn reasoning(value: Node<'_>) -> Result<Option<Content<'_>>, Error> {
    let mut texts = Vec::new();
    for name in ["summary", "content"] {
        let parts = optional(value, name, list)?.filter(|_| texts.is_empty());
        texts.extend(parts.into_iter().flatten().filter_map(|part| part.get("text")?.str()));
    }
    let text = match texts.len() {
        0 | 1 => texts.pop().unwrap_or_default(),
        _ => Str::plain(texts.iter().map(Str::to_text).collect::<Vec<_>>().join("\n\n")),
    };
    if let Some(sealed) = value.get("encrypted_content") {
        string(sealed).map_err(|e| e.at("encrypted_content"))?;
        let (signature, format) = match seal::open(sealed) {
            Some(seal::Sealed::Data(data)) => {
                return Ok(Some(Content::RedactedReasoning { data, format: Format::Messages }));
            }
            Some(seal::Sealed::Signature(signature)) => {
                let (signature, format) = replay::signature(signature, Format::Messages);
                (Some(signature), Some(format))
            }
            Some(seal::Sealed::Unsigned) => (None, None),
            None => (sealed.str(), Some(Format::Responses)),
        };
        return Ok(Some(Content::Reasoning { text, signature, format }));
    }
    Ok((!text.is_empty()).then_some(Content::Reasoning { text, signature: None, format: None }))
}
