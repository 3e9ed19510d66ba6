//! Reads a request: everything but the content of messages.

use super::super::fields::{self, boolean, count, integer, number, object, optional, raw_object, string};
use super::NO_THREAD;
use super::content::{Unread, content, said_by};
use super::field::{each, model, required, unknown_word};
use crate::call::{Content, Generate, Message, OutputFormat, Part, Reasoning, Role, Thinking, Tool, ToolChoice};
use crate::error::{Error, Kind};
use crate::format::Format;
use crate::json::{Node, Str};

pub(super) fn read(root: Node<'_>) -> Result<Generate<'_>, Error> {
    object(root)?;
    let mut call = Generate { format: Some(Format::Messages), ..Generate::default() };
    let mut unread = Unread::default();
    let mut system = None;
    let mut thinking = None;
    let mut effort = None;
    for (name, value) in root.members() {
        if value.is_null() {
            continue;
        }
        let at = |error: Error| error.at(&name);
        match &*name {
            "max_tokens" => call.max_output_tokens = Some(count(value).map_err(at)?),
            "messages" => call.messages = each(value, |node| message(node, &mut unread)).map_err(at)?,
            "metadata" => {
                call.user = metadata(value, &mut unread).map_err(at)?;
            }
            "model" => call.model = model(value).map_err(at)?,
            "output_config" => {
                effort = output_config(value, &mut call, &mut unread).map_err(at)?;
            }
            // The name that the format of the output had in its beta.
            "output_format" => call.output = output_format(value, &mut unread).map_err(at)?,
            "service_tier" => call.service_tier = Some(string(value).map_err(at)?),
            "stop_sequences" => call.stop = each(value, string).map_err(at)?,
            "stream" => call.stream = boolean(value).map_err(at)?,
            "system" => {
                let parts = content(value, "system[]", &mut unread).and_then(|parts| said_by(Role::System, parts));
                system = Some(without_billing(parts.map_err(at)?));
            }
            "temperature" => call.temperature = Some(number(value).map_err(at)?),
            "thinking" => thinking = Some(self::thinking(value, &mut unread).map_err(at)?),
            "thread" => self::thread(value, &mut unread).map_err(at)?,
            "tool_choice" => {
                (call.tool_choice, call.parallel_tool_calls) = tool_choice(value, &mut unread).map_err(at)?;
            }
            "tools" => call.tools = each(value, |node| tool(node, &mut unread)).map_err(at)?,
            "top_k" => call.top_k = Some(integer(value).map_err(at)?),
            "top_p" => call.top_p = Some(number(value).map_err(at)?),
            _ => call.native.push((name, value.raw())),
        }
    }
    for name in ["model", "messages"] {
        fields::required(root, name)?;
    }
    if call.messages.is_empty() {
        return Err(Error::invalid("at least one message is required").at("messages"));
    }
    if let Some(parts) = system.filter(|parts| !parts.is_empty()) {
        call.messages.insert(0, Message { role: Role::System, name: None, parts });
    }
    call.reasoning = reasoning(thinking, effort, &mut unread);
    call.unread = unread.into_names();
    Ok(call)
}

fn message<'a>(node: Node<'a>, unread: &mut Unread) -> Result<Message<'a>, Error> {
    const PLACE: &str = "messages[].content[]";
    object(node)?;
    let role = match &*required(node, "role", string)?.to_text() {
        "assistant" => Role::Assistant,
        // https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
        "system" => Role::System,
        "user" => Role::User,
        other => return Err(unknown_word(other, "role", "`assistant`, `system` and `user` are").at("role")),
    };
    unread.others(node, "messages[]", &["content", "role"]);
    let parts = required(node, "content", |node| said_by(role, content(node, PLACE, unread)?))?;
    Ok(Message { role, name: None, parts })
}

/// Claude Code begins its prompt with a note to Anthropic, who take it out again. Elsewhere it would be read as a part of
/// the prompt, and as it differs from call to call, nothing behind it could be cached.
fn without_billing(mut parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let Some(Content::Text { text, .. }) = parts.first_mut().map(|part| &mut part.content) else { return parts };
    let Some(note) = text.strip_prefix("x-anthropic-billing-header:").map(Str::into_owned) else { return parts };
    let note = note.decode();
    let mut rest = &*note;
    // Such as `cc_version=2.1.29.a1b; cch=0a1b2;`.
    while let Some((pair, after)) = rest.split_once(';')
        && pair.trim().split_once('=').is_some_and(|(_, value)| !value.contains(char::is_whitespace))
    {
        rest = after;
    }
    if rest.is_empty() {
        parts.remove(0);
    } else {
        *text = Str::plain(rest.to_owned());
    }
    parts
}

fn metadata<'a>(node: Node<'a>, unread: &mut Unread) -> Result<Option<Str<'a>>, Error> {
    object(node)?;
    unread.others(node, "metadata", &["user_id"]);
    optional(node, "user_id", string)
}

/// Reads the format of the output; returns the effort.
fn output_config<'a>(node: Node<'a>, call: &mut Generate<'a>, unread: &mut Unread) -> Result<Option<Str<'a>>, Error> {
    object(node)?;
    unread.others(node, "output_config", &["effort", "format"]);
    if let Some(format) = optional(node, "format", |node| output_format(node, unread))? {
        call.output = format;
    }
    optional(node, "effort", string)
}

fn output_format<'a>(node: Node<'a>, unread: &mut Unread) -> Result<OutputFormat<'a>, Error> {
    object(node)?;
    unread.others(node, "output_config.format", &["schema", "type"]);
    match &*required(node, "type", string)?.to_text() {
        "json_schema" => {
            let schema = required(node, "schema", raw_object)?;
            // Anthropic follows a schema to the letter; it has no word for less.
            Ok(OutputFormat::JsonSchema { name: None, description: None, schema: schema.into(), strict: Some(true) })
        }
        other => Err(unknown_word(other, "format of output", "only `json_schema` is").at("type")),
    }
}

fn thinking<'a>(node: Node<'a>, unread: &mut Unread) -> Result<Reasoning<'a>, Error> {
    object(node)?;
    unread.others(node, "thinking", &["budget_tokens", "display", "type"]);
    let amount = match &*required(node, "type", string)?.to_text() {
        "adaptive" => Thinking::Adaptive { effort: None },
        // No thought, but remarks between tool calls in the shape of one: those no other format knows.
        "between_tools" => {
            unread.note("thinking.between_tools");
            Thinking::Off
        }
        "disabled" => Thinking::Off,
        "enabled" => Thinking::Budget(required(node, "budget_tokens", count)?),
        other => {
            let allowed = "`adaptive`, `between_tools`, `disabled` and `enabled` are";
            return Err(unknown_word(other, "type of thinking", allowed).at("type"));
        }
    };
    Ok(Reasoning { amount, display: optional(node, "display", string)? })
}

/// Joins `thinking` and `output_config.effort`. The former is the narrower word: where it says all, effort has no place.
fn reasoning<'a>(
    thinking: Option<Reasoning<'a>>,
    effort: Option<Str<'a>>,
    unread: &mut Unread,
) -> Option<Reasoning<'a>> {
    let Some(mut thinking) = thinking else {
        return effort.map(|effort| Reasoning { amount: Thinking::Effort(effort), display: None });
    };
    match (&mut thinking.amount, effort) {
        (Thinking::Adaptive { effort: place }, effort) => *place = effort,
        (_, Some(_)) => unread.note("output_config.effort"),
        (_, None) => {}
    }
    Some(thinking)
}

/// A [thread](https://platform.claude.com/docs/en/build-with-claude/message-threads): the provider keeps the conversation,
/// and gets only what is new. Providers may forget one at any time, and clients then send all of it, so to begin one is a
/// wish, and to go on is refused in Anthropic's words for a thread that is gone.
fn thread(node: Node<'_>, unread: &mut Unread) -> Result<(), Error> {
    object(node)?;
    unread.note("thread");
    match &*required(node, "type", string)?.to_text() {
        "continue" => {
            let message = "the upstream keeps no conversations; send all of its messages";
            Err(Error::new(Kind::NotFound, message).code(NO_THREAD).at("previous_message_id"))
        }
        _ => Ok(()),
    }
}

/// The choice, and whether several calls may come at once.
fn tool_choice<'a>(node: Node<'a>, unread: &mut Unread) -> Result<(Option<ToolChoice<'a>>, Option<bool>), Error> {
    object(node)?;
    unread.others(node, "tool_choice", &["disable_parallel_tool_use", "name", "type"]);
    let choice = match &*required(node, "type", string)?.to_text() {
        "any" => ToolChoice::Required,
        "auto" => ToolChoice::Auto,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(required(node, "name", string)?),
        other => {
            return Err(unknown_word(other, "choice of tools", "`any`, `auto`, `none` and `tool` are").at("type"));
        }
    };
    let alone = optional(node, "disable_parallel_tool_use", boolean)?.unwrap_or_default();
    Ok((Some(choice), alone.then_some(false)))
}

fn tool<'a>(node: Node<'a>, unread: &mut Unread) -> Result<Tool<'a>, Error> {
    object(node)?;
    match optional(node, "type", string)? {
        Some(kind) if kind != "custom" => {
            return Ok(Tool::Native { format: Format::Messages, kind, raw: node.raw() });
        }
        _ => {}
    }
    unread.others(node, "tools[]", &["cache_control", "description", "input_schema", "name", "strict", "type"]);
    Ok(Tool::Function {
        name: required(node, "name", string)?,
        description: optional(node, "description", string)?,
        parameters: Some(required(node, "input_schema", raw_object)?.into()),
        strict: optional(node, "strict", boolean)?,
        cache: optional(node, "cache_control", raw_object)?,
    })
}
