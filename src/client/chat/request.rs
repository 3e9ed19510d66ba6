//! The top level of a request.

use std::borrow::Cow;

use super::super::fields::{
    boolean, count, integer, list, number, object, optional, raw_object, required, string, wrong,
};
use super::{message, tool};
use crate::call::{Generate, OutputFormat, Reasoning, Thinking};
use crate::error::{Error, shorten};
use crate::format::Format;
use crate::json::{Kind, Node, Str};

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
pub(in crate::client) struct Request<'a> {
    /// What is read so far.
    pub(in crate::client) call: Generate<'a>,
    allowed_tools: Option<tool::Allowed<'a>>,
    /// The old limit, which counts if the new one is absent.
    max_tokens: Option<u64>,
    reasoning_effort: Option<Node<'a>>,
    thinking: Option<Reasoning<'a>>,
    /// The old field of the end user.
    user: Option<Str<'a>>,
}

impl<'a> Request<'a> {
    /// Takes a member; false if it is for providers of this format alone.
    pub(in crate::client) fn member(&mut self, name: &str, value: Node<'a>) -> Result<bool, Error> {
        let call = &mut self.call;
        match name {
            "frequency_penalty" => call.frequency_penalty = Some(number(value)?),
            // The old way to say `tool_choice`, which wins.
            "function_call" => call.tool_choice = call.tool_choice.take().or(Some(tool::function_call(value)?)),
            "functions" => tool::functions(value, &mut call.tools)?,
            "logit_bias" => call.logit_bias = Some(raw_object(value)?),
            "logprobs" => call.logprobs = Some(boolean(value)?),
            "max_completion_tokens" => call.max_output_tokens = Some(count(value)?),
            "max_tokens" => self.max_tokens = Some(count(value)?),
            "messages" => call.messages = message::read(value)?,
            "metadata" => call.metadata = Some(raw_object(value)?),
            "modalities" => return text_only(value),
            "model" => call.model = string(value)?.decode(),
            "n" => call.choices = Some(count(value)?),
            "parallel_tool_calls" => call.parallel_tool_calls = Some(boolean(value)?),
            "presence_penalty" => call.presence_penalty = Some(number(value)?),
            "reasoning_effort" => {
                string(value)?;
                self.reasoning_effort = Some(value);
            }
            "response_format" => match output(value)? {
                Some(output) => call.output = output,
                None => return Ok(false),
            },
            "safety_identifier" => call.user = Some(string(value)?),
            "seed" => call.seed = Some(integer(value)?),
            "service_tier" => call.service_tier = Some(string(value)?),
            "stop" => call.stop = stop(value)?,
            // Nothing is stored unless that is asked for.
            "store" => return Ok(value.bool() == Some(false)),
            "stream" => call.stream = boolean(value)?,
            // The gateway's own matter: it always asks for usage, and gives it to clients that did.
            "stream_options" => {}
            "temperature" => call.temperature = Some(number(value)?),
            "thinking" => match thinking(value)? {
                Some(reasoning) => self.thinking = Some(reasoning),
                None => return Ok(false),
            },
            "tool_choice" => match tool::choice(value)? {
                Some(tool::Choice::Allowed(allowed)) => self.allowed_tools = Some(allowed),
                Some(tool::Choice::Of(choice)) => call.tool_choice = Some(choice),
                None => return Ok(false),
            },
            "tools" => tool::tools(value, &mut call.tools)?,
            "top_k" => call.top_k = Some(integer(value)?),
            "top_logprobs" => call.top_logprobs = Some(count(value)?),
            "top_p" => call.top_p = Some(number(value)?),
            "user" => self.user = Some(string(value)?),
            "verbosity" => call.verbosity = Some(string(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(in crate::client) fn finish(mut self) -> Result<Generate<'a>, Error> {
        if self.call.messages.is_empty() {
            return Err(Error::invalid("expected at least one message").at("messages"));
        }
        if let Some(allowed) = self.allowed_tools {
            self.call.tool_choice = Some(allowed.apply(&mut self.call.tools).map_err(|e| e.at("tool_choice"))?);
        }
        self.call.reasoning = match (self.thinking, self.reasoning_effort) {
            (Some(Reasoning { amount: Thinking::Adaptive { .. }, display }), effort) => {
                Some(Reasoning { amount: Thinking::Adaptive { effort: effort.and_then(Node::str) }, display })
            }
            (Some(reasoning), effort) => {
                // The exact word wins; the other is not lost without a report.
                self.call.native.extend(effort.map(|e| (Cow::Borrowed("reasoning_effort"), e.raw())));
                Some(reasoning)
            }
            (None, effort) => {
                effort.and_then(Node::str).map(|e| Reasoning { amount: Thinking::Effort(e), display: None })
            }
        };
        self.call.max_output_tokens = self.call.max_output_tokens.or(self.max_tokens);
        self.call.user = self.call.user.or(self.user);
        self.call.format = Some(Format::Chat);
        Ok(self.call)
    }
}

/// Whether text alone is asked for, which is what every model writes.
fn text_only(value: Node<'_>) -> Result<bool, Error> {
    Ok(list(value)?.all(|modality| modality.str().is_some_and(|s| s == "text")))
}

fn stop(value: Node<'_>) -> Result<Vec<Str<'_>>, Error> {
    match value.kind() {
        Kind::Array => value.items().enumerate().map(|(at, text)| string(text).map_err(|e| e.at_index(at))).collect(),
        Kind::String => Ok(vec![string(value)?]),
        _ => Err(wrong(value, "a string or an array of strings")),
    }
}

/// What `response_format` says; nothing if only providers of this format know it.
fn output(value: Node<'_>) -> Result<Option<OutputFormat<'_>>, Error> {
    let kind = required(object(value)?, "type")?;
    Ok(Some(match &*string(kind).map_err(|e| e.at("type"))?.decode() {
        "json_object" => OutputFormat::JsonObject,
        "json_schema" => json_schema(required(value, "json_schema")?).map_err(|e| e.at("json_schema"))?,
        "text" => OutputFormat::Text,
        _ => return Ok(None),
    }))
}

pub(in crate::client) fn json_schema(value: Node<'_>) -> Result<OutputFormat<'_>, Error> {
    let schema = required(object(value)?, "schema")?;
    Ok(OutputFormat::JsonSchema {
        name: optional(value, "name", string)?,
        description: optional(value, "description", string)?,
        schema: raw_object(schema).map_err(|e| e.at("schema"))?.into(),
        strict: optional(value, "strict", boolean)?,
    })
}

/// What `thinking` says; nothing if it is of a type that has no word here.
fn thinking(value: Node<'_>) -> Result<Option<Reasoning<'_>>, Error> {
    let kind = required(object(value)?, "type")?;
    let amount = match &*string(kind).map_err(|e| e.at("type"))?.decode() {
        "adaptive" => Thinking::Adaptive { effort: None },
        "disabled" => Thinking::Off,
        // Some providers' thought is switched on without a budget.
        "enabled" => {
            optional(value, "budget_tokens", count)?.map_or(Thinking::Adaptive { effort: None }, Thinking::Budget)
        }
        _ => return Ok(None),
    };
    Ok(Some(Reasoning { amount, display: optional(value, "display", string)? }))
}

/// A word that is none of those allowed.
pub(in crate::client) fn unknown(word: &str, allowed: &str) -> Error {
    Error::invalid(format!("expected {allowed}, got `{}`", shorten(word)))
}
