//! Requests.

use super::super::chat::request::Request;
use super::super::fields::{count, list, object, string, wrong};
use crate::call::{Content, Generate, Message, Role};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Kind, Node};

/// Members that chat completions have too.
const SHARED: &[&str] = &[
    "frequency_penalty",
    "logit_bias",
    "max_tokens",
    "model",
    "n",
    "presence_penalty",
    "seed",
    "service_tier",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "top_k",
    "top_p",
    "user",
];

/// Reads a request as a conversation of one turn.
pub(super) fn read(root: Node<'_>) -> Result<Generate<'_>, Error> {
    let mut request = Request::default();
    for (name, value) in object(root)?.members().filter(|(_, value)| !value.is_null()) {
        if !member(&mut request, &name, value).map_err(|e| e.at(&name))? {
            request.call.native.push((name, value.raw()));
        }
    }
    if request.call.messages.is_empty() {
        return Err(Error::invalid("expected a prompt").at("prompt"));
    }
    let call = request.finish()?;
    Ok(Generate { format: Some(Format::Completions), ..call })
}

/// Takes a member; false if a chat has no place for it.
fn member<'a>(request: &mut Request<'a>, name: &str, value: Node<'a>) -> Result<bool, Error> {
    match name {
        // What is not asked for need not be said.
        "best_of" => Ok(count(value)? <= 1),
        "echo" => Ok(value.bool() == Some(false)),
        "suffix" => Ok(string(value)?.is_empty()),
        "logprobs" => {
            request.call.logprobs = Some(true);
            request.call.top_logprobs = Some(count(value)?);
            Ok(true)
        }
        "prompt" => {
            request.call.messages = vec![prompt(value)?];
            Ok(true)
        }
        _ if SHARED.contains(&name) => request.member(name, value),
        _ => Ok(false),
    }
}

fn prompt(value: Node<'_>) -> Result<Message<'_>, Error> {
    let text = match value.kind() {
        Kind::Array => {
            let mut items = list(value)?;
            let first = items.next().ok_or_else(|| Error::invalid("expected a prompt, got an empty array"))?;
            if matches!(first.kind(), Kind::Array | Kind::Number) {
                return Err(Error::invalid("the upstream takes no tokens; expected text"));
            }
            if items.next().is_some() {
                return Err(Error::invalid("the upstream takes one prompt per call, got several"));
            }
            string(first).map_err(|e| e.at_index(0))?
        }
        Kind::String => string(value)?,
        _ => return Err(wrong(value, "a string or an array of one string")),
    };
    if text.is_empty() {
        return Err(Error::invalid("the upstream takes no empty prompt"));
    }
    Ok(Message { role: Role::User, name: None, parts: vec![Content::text(text).into()] })
}
