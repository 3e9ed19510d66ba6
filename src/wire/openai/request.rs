//! Writing a call as the body of a chat completion.

use std::borrow::Cow;

use super::LONGEST_NAME;
use super::effort::{effort, samples};
use super::messages::Conversation;
use super::reply::Reply;
use super::schema::{self, NO_PARAMETERS};
use super::strict;
use crate::call::{Generate, OutputFormat, Tool, ToolChoice};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Body, Doc, Str, Writer};
use crate::wire::names::{self, Names};
use crate::wire::{Dropped, Encoded, Target};

/// The longest `user` that OpenAI takes.
const LONGEST_USER: usize = 64;

/// Writes `call`, and makes the reader of its answer.
pub(super) fn encode<'a>(
    call: &'a Generate<'a>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Encoded<'a>, Error> {
    let mut body = Body::default();
    let mut request = Request { w: Writer::new(&mut body), names: Names::new(LONGEST_NAME), dropped };
    request.w.open_object();
    request.w.key("model").text(target.model);
    request.messages(call, target)?;
    let tools = request.tools(call)?;
    let effort = effort(call, target, tools, request.dropped)?;
    request.sampling(call, samples(target.model, effort.as_ref()))?;
    request.limits(call);
    if let Some(effort) = effort {
        request.w.key("reasoning_effort").str(&effort);
    }
    request.output(call)?;
    request.account(call)?;
    request.native(call)?;
    if call.stream {
        request.w.key("stream").bool(true);
        // Asked always: the gateway counts, whether the client wants to know or not.
        request.w.key("stream_options").raw(r#"{"include_usage":true}"#);
    }
    request.w.close_object();
    let stops = call.stop.iter().map(|stop| stop.to_text().into_owned()).collect();
    let reader = Box::new(Reply::new(request.names, stops));
    Ok(Encoded::new(body, reader))
}

struct Request<'r, 'a> {
    w: Writer<'r, 'a>,
    names: Names,
    dropped: &'r mut Dropped,
}

impl<'a> Request<'_, 'a> {
    fn messages(&mut self, call: &'a Generate<'a>, target: &Target<'_>) -> Result<(), Error> {
        self.w.key("messages").open_array();
        let mut conversation = Conversation {
            w: &mut self.w,
            names: &mut self.names,
            dropped: self.dropped,
            format: call.format,
            takes_thought: target.takes_thought,
        };
        conversation.write(&call.messages)?;
        self.w.close_array();
        Ok(())
    }

    /// Whether there are any.
    fn tools(&mut self, call: &'a Generate<'a>) -> Result<bool, Error> {
        let mut sent = Vec::new();
        for tool in &call.tools {
            match tool {
                Tool::Native { format: Format::Chat, .. } | Tool::Function { .. } => sent.push(tool),
                Tool::Native { kind, .. } => self.dropped.note(format!("tools.{}", kind.to_text()))?,
            }
        }
        if sent.is_empty() {
            return Ok(false);
        }
        self.w.key("tools").open_array();
        for tool in &sent {
            self.tool(tool, call.format)?;
        }
        self.w.close_array();
        let named = |wanted: &Str<'_>| sent.iter().any(|t| matches!(t, Tool::Function { name, .. } if name == wanted));
        match &call.tool_choice {
            None => {}
            Some(ToolChoice::Auto) => self.w.key("tool_choice").text("auto"),
            Some(ToolChoice::None) => self.w.key("tool_choice").text("none"),
            Some(ToolChoice::Required) => self.w.key("tool_choice").text("required"),
            Some(ToolChoice::Named(name)) if !named(name) => self.dropped.note("tool_choice")?,
            Some(ToolChoice::Named(name)) => {
                let name = self.names.encode(name);
                self.w.key("tool_choice").object(|w| {
                    w.key("type").text("function");
                    w.key("function").object(|w| w.key("name").str(&name));
                });
            }
        }
        if let Some(parallel) = call.parallel_tool_calls {
            self.w.key("parallel_tool_calls").bool(parallel);
        }
        Ok(true)
    }

    fn tool(&mut self, tool: &'a Tool<'a>, format: Option<Format>) -> Result<(), Error> {
        match tool {
            Tool::Native { raw, .. } => self.w.share_raw(raw),
            Tool::Function { name, description, parameters, strict, .. } => {
                let schema = parameters.as_deref().unwrap_or(NO_PARAMETERS);
                let strict = self.strict(*strict, schema, format, "tools[].strict")?;
                let name = self.names.encode(name);
                self.w.object(|w| {
                    w.key("type").text("function");
                    w.key("function").object(|w| {
                        w.key("name").str(&name);
                        if let Some(description) = description {
                            w.key("description").share_str(description);
                        }
                        schema_as_taken(w.key("parameters"), schema);
                        if let Some(strict) = strict {
                            w.key("strict").bool(strict);
                        }
                    });
                });
            }
        }
        Ok(())
    }

    /// Whether a schema shall be followed to the letter. Anthropic does that for schemas that OpenAI refuses then.
    fn strict(
        &mut self,
        wanted: Option<bool>,
        schema: &str,
        format: Option<Format>,
        field: &'static str,
    ) -> Result<Option<bool>, Error> {
        if wanted != Some(true) || format != Some(Format::Messages) || strict::is_possible(schema) {
            return Ok(wanted);
        }
        self.dropped.note(field)?;
        Ok(Some(false))
    }

    /// Writes how tokens are chosen. `free`: in any way; else values that change nothing are left out without a word.
    fn sampling(&mut self, call: &'a Generate<'a>, free: bool) -> Result<(), Error> {
        let numbers = [
            ("temperature", call.temperature, 1.0),
            ("top_p", call.top_p, 1.0),
            ("frequency_penalty", call.frequency_penalty, 0.0),
            ("presence_penalty", call.presence_penalty, 0.0),
        ];
        for (name, value, usual) in numbers {
            match value {
                Some(value) if free => self.w.key(name).share_raw(value),
                Some(value) if value.parse() != Ok(usual) => self.dropped.note(name)?,
                Some(_) | None => {}
            }
        }
        for (name, value) in [("seed", call.seed), ("logit_bias", call.logit_bias)] {
            if let Some(value) = value {
                self.w.name(name).share_raw(value);
            }
        }
        if let Some(logprobs) = call.logprobs {
            self.w.key("logprobs").bool(logprobs);
        }
        if let Some(top) = call.top_logprobs {
            self.w.key("top_logprobs").u64(top);
        }
        if call.top_k.is_some() {
            self.dropped.note("top_k")?;
        }
        Ok(())
    }

    fn limits(&mut self, call: &'a Generate<'a>) {
        // A configured limit is one of the parameters that are filled in later, under the name it has there.
        if let Some(most) = call.max_output_tokens {
            self.w.key("max_completion_tokens").u64(most);
        }
        if let Some(choices) = call.choices {
            self.w.key("n").u64(choices);
        }
        // OpenAI takes four, others more: not ours to cut.
        if !call.stop.is_empty() {
            self.w.key("stop").array(|w| call.stop.iter().for_each(|stop| w.str(stop)));
        }
    }

    fn output(&mut self, call: &'a Generate<'a>) -> Result<(), Error> {
        if let Some(verbosity) = &call.verbosity {
            self.w.key("verbosity").str(verbosity);
        }
        match &call.output {
            OutputFormat::Text => {}
            OutputFormat::JsonObject => self.w.key("response_format").raw(r#"{"type":"json_object"}"#),
            OutputFormat::JsonSchema { name, description, schema, strict } => {
                let strict = self.strict(*strict, schema, call.format, "output_config.format.strict")?;
                self.w.key("response_format").object(|w| {
                    w.key("type").text("json_schema");
                    w.key("json_schema").object(|w| {
                        let name = name.as_ref().map_or(Str::plain("response"), Str::reborrow);
                        w.key("name").str(&Names::new(LONGEST_NAME).encode(&name));
                        if let Some(description) = description {
                            w.key("description").share_str(description);
                        }
                        schema_as_taken(w.key("schema"), schema);
                        if let Some(strict) = strict {
                            w.key("strict").bool(strict);
                        }
                    });
                });
            }
        }
        Ok(())
    }

    fn account(&mut self, call: &'a Generate<'a>) -> Result<(), Error> {
        if let Some(tier) = &call.service_tier {
            // Anthropic's other word is `auto`, which both have.
            let tier = if *tier == "standard_only" { Str::plain("default") } else { tier.reborrow() };
            self.w.key("service_tier").str(&tier);
        }
        if let Some(user) = &call.user {
            let long = user.to_text().len() > LONGEST_USER;
            let user = if long { names::tool_id(user, LONGEST_USER) } else { user.reborrow() };
            self.w.key("user").str(&user);
        }
        if let Some(metadata) = call.metadata {
            // OpenAI refuses labels for an answer that it is not told to store.
            let stored =
                call.format == Some(Format::Chat) && call.native.iter().any(|f| *f == ("store".into(), "true"));
            if stored && all_strings(metadata) {
                self.w.key("metadata").share_raw(metadata);
            } else {
                self.dropped.note("metadata")?;
            }
        }
        Ok(())
    }

    fn native(&mut self, call: &'a Generate<'a>) -> Result<(), Error> {
        for (name, value) in &call.native {
            if call.format != Some(Format::Chat) {
                self.dropped.note(name.clone().into_owned())?;
            } else if name != "stream_options" {
                self.w.name(name).share_raw(value);
            }
        }
        Ok(())
    }
}

/// Writes a schema as OpenAI takes it.
fn schema_as_taken<'a>(w: &mut Writer<'_, 'a>, schema: &'a str) {
    match schema::taken(schema) {
        Cow::Borrowed(raw) => w.share_raw(raw),
        Cow::Owned(raw) => w.raw(&raw),
    }
}

fn all_strings(object: &str) -> bool {
    Doc::lenient(object.as_bytes()).is_ok_and(|doc| {
        let root = doc.root();
        root.kind() == crate::json::Kind::Object && root.members().all(|(_, value)| value.str().is_some())
    })
}
