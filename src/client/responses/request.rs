//! The top level of a request.

use super::super::chat::request::{json_schema, unknown};
use super::super::chat::tool::Allowed;
use super::super::fields::{boolean, count, list, number, object, optional, raw_object, required, string};
use super::{item, tool};
use crate::call::{Content, Generate, Message, OutputFormat, Reasoning, Role, Thinking};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Node, Str};

/// Reads a request.
pub(super) fn read(root: Node<'_>) -> Result<Generate<'_>, Error> {
    let mut request = Request::default();
    for (name, value) in object(root)?.members().filter(|(_, value)| !value.is_null()) {
        if !request.member(&name, value).map_err(|e| e.at(&name))? {
            request.call.native.push((name, value.raw()));
        }
    }
    request.finish()
}

/// A request of which some members are read. Members may come in any order, so what depends on two waits for the end.
#[derive(Default)]
struct Request<'a> {
    call: Generate<'a>,
    allowed_tools: Option<Allowed<'a>>,
    instructions: Option<Str<'a>>,
    /// The old field of the end user.
    user: Option<Str<'a>>,
}

impl<'a> Request<'a> {
    /// Takes a member; false if it is for providers of this format alone.
    fn member(&mut self, name: &str, value: Node<'a>) -> Result<bool, Error> {
        let call = &mut self.call;
        match name {
            "background" | "store" if boolean(value)? => return Err(kept_elsewhere()),
            "background" | "store" => {}
            "conversation" | "previous_response_id" | "prompt" => return Err(kept_elsewhere()),
            "include" => include(value, call)?,
            "input" => item::read(value, call)?,
            "instructions" => self.instructions = Some(string(value)?),
            "max_output_tokens" => call.max_output_tokens = Some(count(value)?),
            // Of tools that the provider runs, and there are none.
            "max_tool_calls" => drop(count(value)?),
            "metadata" => call.metadata = Some(raw_object(value)?).filter(|_| value.members().next().is_some()),
            "model" => call.model = string(value)?.decode(),
            "parallel_tool_calls" => call.parallel_tool_calls = Some(boolean(value)?),
            "reasoning" => reasoning(value, call)?,
            "safety_identifier" => call.user = Some(string(value)?),
            "service_tier" => call.service_tier = Some(string(value)?),
            "stream" => call.stream = boolean(value)?,
            // What pads the events against those who watch their lengths; streams that are written here have none.
            "stream_options" => return Ok(optional(object(value)?, "include_obfuscation", boolean)? != Some(true)),
            "temperature" => call.temperature = Some(number(value)?),
            "text" => text(value, call)?,
            "tool_choice" => match tool::choice(value)? {
                Some(tool::Choice::Allowed(allowed)) => self.allowed_tools = Some(allowed),
                Some(tool::Choice::Of(choice)) => call.tool_choice = Some(choice),
                None => return Ok(false),
            },
            "tools" => tool::tools(value, call)?,
            "top_logprobs" => {
                let most = count(value)?;
                if most > 0 {
                    (call.top_logprobs, call.logprobs) = (Some(most), Some(true));
                }
            }
            "top_p" => call.top_p = Some(number(value)?),
            "truncation" => return Ok(string(value)? == "disabled"),
            "user" => self.user = Some(string(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(mut self) -> Result<Generate<'a>, Error> {
        if self.call.messages.is_empty() {
            return Err(Error::invalid("expected a text or at least one item").at("input"));
        }
        if let Some(text) = self.instructions {
            let parts = vec![Content::text(text).into()];
            self.call.messages.insert(0, Message { role: Role::System, name: None, parts });
        }
        if let Some(allowed) = self.allowed_tools {
            self.call.tool_choice = Some(allowed.apply(&mut self.call.tools).map_err(|e| e.at("tool_choice"))?);
        }
        self.call.user = self.call.user.or(self.user);
        self.call.format = Some(Format::Responses);
        Ok(self.call)
    }
}

/// Whether a request needs what only a provider has that speaks this format itself: something it keeps, or tools of its own.
pub fn is_own(root: Node<'_>) -> bool {
    let on = |name| root.get(name).and_then(Node::bool) == Some(true);
    let tools = || root.get("tools").into_iter().flat_map(Node::items);
    ["background", "store"].into_iter().any(on)
        || ["conversation", "previous_response_id", "prompt"].into_iter().any(|name| root.get(name).is_some())
        || root.get("input").into_iter().flat_map(Node::items).any(item::is_own)
        || tools().filter_map(|tool| tool.get("type")?.text()).any(|kind| tool::is_own(&kind))
}

/// Why a request is refused that needs what a provider keeps.
pub(super) fn kept_elsewhere() -> Error {
    let message = "the upstream has no Responses API of its own, so it keeps no responses, conversations or prompts and \
                   works on none in the background; send all of the conversation as `input`, with `store` false or absent";
    Error::invalid(message).code("unsupported_parameter")
}

/// Takes what shall be in the answer beside its text. Sealed thought always is; the rest is about tools that the provider
/// runs, or about what the client has sent itself.
fn include(value: Node<'_>, call: &mut Generate<'_>) -> Result<(), Error> {
    for (at, what) in list(value)?.enumerate() {
        if string(what).map_err(|e| e.at_index(at))? == "message.output_text.logprobs" {
            call.logprobs = Some(true);
        }
    }
    Ok(())
}

fn reasoning<'a>(value: Node<'a>, call: &mut Generate<'a>) -> Result<(), Error> {
    // How long the summary is, is no other provider's matter; a summary or the thought itself is shown if there is any.
    optional(object(value)?, "summary", string)?;
    let effort = optional(value, "effort", string)?;
    call.reasoning = effort.map(|effort| Reasoning { amount: Thinking::Effort(effort), display: None });
    for (name, usual) in [("context", "auto"), ("mode", "standard")] {
        if optional(value, name, string)?.is_some_and(|word| word != usual) {
            call.unread.push(format!("reasoning.{name}"));
        }
    }
    Ok(())
}

fn text<'a>(value: Node<'a>, call: &mut Generate<'a>) -> Result<(), Error> {
    call.verbosity = optional(object(value)?, "verbosity", string)?;
    if let Some(output) = optional(value, "format", output)? {
        call.output = output;
    }
    Ok(())
}

fn output(value: Node<'_>) -> Result<OutputFormat<'_>, Error> {
    let kind = string(required(object(value)?, "type")?).map_err(|e| e.at("type"))?.decode();
    match &*kind {
        "json_object" => Ok(OutputFormat::JsonObject),
        "json_schema" => json_schema(value),
        "text" => Ok(OutputFormat::Text),
        other => Err(unknown(other, "`text`, `json_object` or `json_schema`").at("type")),
    }
}
