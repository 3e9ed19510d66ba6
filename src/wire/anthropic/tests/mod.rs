//! What is sent for which call, and what is read from which answer.

mod answer;
mod conversation;
mod parameters;

use super::Anthropic;
use crate::call::{Call, Content, Generate, Message, Part, Role};
use crate::error::Error;
use crate::json::Str;
use crate::wire::{Dropped, Target, Wire};

/// A call with the messages, from a client of OpenAI's format.
fn call<'a>(messages: Vec<Message<'a>>) -> Generate<'a> {
    Generate { messages, max_output_tokens: Some(9), format: Some(crate::format::Format::Chat), ..Generate::default() }
}

/// A call in which the user greets.
fn hi<'a>() -> Generate<'a> {
    call(vec![user(vec![text("hi")])])
}

fn say<'a>(role: Role, parts: Vec<Content<'a>>) -> Message<'a> {
    Message { role, name: None, parts: parts.into_iter().map(Part::from).collect() }
}

fn user<'a>(parts: Vec<Content<'a>>) -> Message<'a> {
    say(Role::User, parts)
}

fn assistant<'a>(parts: Vec<Content<'a>>) -> Message<'a> {
    say(Role::Assistant, parts)
}

fn system(said: &str) -> Message<'_> {
    say(Role::System, vec![text(said)])
}

fn text(text: &str) -> Content<'_> {
    Content::text(Str::plain(text))
}

fn marked(said: &str) -> Part<'_> {
    Part { cache: Some(r#"{"type":"ephemeral"}"#), ..Part::from(text(said)) }
}

fn tool_call<'a>(id: &'a str, arguments: &'a str) -> Content<'a> {
    Content::ToolCall { id: id.into(), name: "f".into(), arguments: Str::escaped(arguments) }
}

fn result<'a>(id: &'a str, said: &'a str) -> Content<'a> {
    Content::ToolResult { id: id.into(), parts: vec![text(said).into()], is_error: false }
}

/// What is sent, and what is reported as dropped.
fn sent(model: &str, call: Generate<'_>) -> (String, Vec<String>) {
    let mut dropped = Dropped::default();
    let call = Call::Generate(call);
    let target = Target { model, ..Target::default() };
    let encoded = Anthropic.encode(&call, &target, &mut dropped).unwrap();
    let body = String::from_utf8(encoded.body.into_bytes()).unwrap();
    serde_json::from_str::<serde_json::Value>(&body).unwrap();
    (body, dropped.names.into_iter().map(|name| name.into_owned()).collect())
}

fn refused(call: Generate<'_>) -> Error {
    let call = Call::Generate(call);
    let target = Target { model: "claude-sonnet-4-5", ..Target::default() };
    Anthropic.encode(&call, &target, &mut Dropped::default()).err().unwrap()
}

/// The members after `max_tokens` of what is sent, up to the first of `ends`.
fn after_limit(body: &str) -> &str {
    body.split_once(r#""max_tokens":9,"#).unwrap().1.strip_suffix('}').unwrap()
}
