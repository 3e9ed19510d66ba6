//! [`Replicate`]: Replicate's [predictions](https://replicate.com/docs/reference/http#predictions.create), as of August
//! 2025, in which every model takes an input of its own.
//!
//! The call waits for the prediction with `Prefer: wait`, which Replicate does for a minute; one that takes longer is a
//! timeout. Its streams are at an address that the answer names, out of a filter's reach: a client that asks for a stream
//! gets the whole answer as one.
//!
//! What does not map: language models agree on a prompt, a system's prompt and a few parameters. A conversation of several
//! turns becomes a script, tools are left out and reported, and pictures, which every model takes elsewhere, are refused.
//! What a client of OpenAI's format says beside that format goes into the input as it is.

use super::plain::{self, Piece};
use super::{Dropped, Encoded, Reader, Target, Wire, openai};
use crate::call::{Call, Content, Generate, Message, OutputFormat, Role, Thinking};
use crate::error::{Error, Kind};
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::{self, Body, Node, Str, Writer};
use crate::usage::Usage;

/// The wire.
pub struct Replicate;

impl Wire for Replicate {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        let Call::Generate(call) = call else {
            return Err(Error::new(Kind::NotImplemented, "the upstream only generates"));
        };
        let mut body = Body::default();
        let mut w = Writer::new(&mut body);
        w.open_object();
        w.key("version").text(target.model);
        w.key("input").open_object();
        conversation(&call.messages, dropped, &mut w)?;
        parameters(call, target, dropped, &mut w)?;
        w.close_object();
        w.close_object();
        Ok(Encoded { headers: vec![("prefer", "wait".to_owned())], ..Encoded::new(body, self.reader()) })
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(Reply)
    }

    /// An error is an object with a `detail`.
    fn error(&self, status: u16, body: &[u8]) -> Error {
        openai::error::read(status, body)
    }
}

/// Writes `prompt` and `system_prompt`.
fn conversation<'a>(messages: &'a [Message<'a>], dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    let (mut system, mut turns) = (Vec::new(), Vec::new());
    for (index, message) in messages.iter().enumerate() {
        let text = text(message, dropped).map_err(|e| e.at_index(index).at("messages"))?;
        match message.role {
            Role::Developer | Role::System => system.push(text),
            Role::Assistant => turns.push(("Assistant: ", text)),
            Role::User => turns.push(("User: ", text)),
        }
    }
    if !system.is_empty() {
        w.key("system_prompt").text(&system.join("\n\n"));
    }
    match turns.as_slice() {
        [("User: ", said)] => w.key("prompt").text(said),
        turns => w.key("prompt").string(|s| {
            for (speaker, said) in turns {
                s.text(speaker);
                s.text(said);
                s.text("\n\n");
            }
            s.text("Assistant:");
        }),
    }
    Ok(())
}

fn text(message: &Message<'_>, dropped: &mut Dropped) -> Result<String, Error> {
    let mut pieces = Vec::new();
    plain::pieces(&message.parts, dropped, &mut pieces)?;
    for part in &message.parts {
        if let Content::ToolResult { parts, .. } = &part.content {
            plain::pieces(parts, dropped, &mut pieces)?;
        }
    }
    if pieces.iter().any(|piece| piece.text().is_none()) {
        return Err(Error::invalid("the upstream takes no images here; name them among the model's own inputs"));
    }
    let texts: Vec<_> = pieces.iter().filter_map(Piece::text).map(Str::to_text).collect();
    Ok(texts.join("\n\n"))
}

fn parameters<'a>(
    call: &'a Generate<'a>,
    target: &Target<'_>,
    dropped: &mut Dropped,
    w: &mut Writer<'_, 'a>,
) -> Result<(), Error> {
    if let Some(most) = call.max_output_tokens.or(target.max_tokens) {
        w.key("max_tokens").u64(most);
    }
    let numbers = [
        ("temperature", call.temperature),
        ("top_p", call.top_p),
        ("top_k", call.top_k),
        ("frequency_penalty", call.frequency_penalty),
        ("presence_penalty", call.presence_penalty),
        ("seed", call.seed),
    ];
    for (name, raw) in numbers {
        if let Some(raw) = raw {
            w.key(name).raw(raw);
        }
    }
    if !call.stop.is_empty() {
        let stops: Vec<_> = call.stop.iter().map(Str::to_text).collect();
        w.key("stop_sequences").text(&stops.join(","));
    }
    match call.reasoning.as_ref().map(|reasoning| &reasoning.amount) {
        None | Some(Thinking::Off) => {}
        Some(Thinking::Effort(effort)) => w.key("reasoning_effort").str(effort),
        Some(_) => dropped.note("thinking")?,
    }
    if let Some(verbosity) = &call.verbosity {
        w.key("verbosity").str(verbosity);
    }
    if !call.tools.is_empty() {
        dropped.note("tools")?;
    }
    if !matches!(call.output, OutputFormat::Text) {
        dropped.note("response_format")?;
    }
    let takes = ["frequency_penalty", "parallel_tool_calls", "presence_penalty", "seed", "top_k", "verbosity"];
    plain::unsaid(call, &takes, dropped)?;
    for (name, raw) in &call.native {
        if call.format == Some(Format::Chat) {
            w.name(name).share_raw(raw);
        } else {
            dropped.note(name.clone().into_owned())?;
        }
    }
    Ok(())
}

/// The reader: an answer is one object.
struct Reply;

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let string = |name| root.get(name).and_then(Node::str).unwrap_or_default();
        match &*string("status").to_text() {
            "succeeded" => {}
            "processing" | "queued" | "starting" => {
                return out(Event::Error(Error::new(Kind::Timeout, "the prediction was not ready within a minute")));
            }
            "aborted" | "canceled" | "failed" => {
                let said = root.get("error").and_then(Node::text);
                let message = said.as_deref().unwrap_or("the prediction failed");
                return out(Event::Error(Error::new(Kind::Internal, message)));
            }
            _ => return out(Event::Error(Error::new(Kind::BadAnswer, "the answer has no status that is known"))),
        }
        out(Event::Start { id: string("id"), model: string("model"), created: None });
        out(Event::BlockStart { choice: 0, block: 0, kind: BlockKind::Text });
        let mut say = |text: Str<'_>| {
            if !text.is_empty() {
                out(Event::BlockDelta { choice: 0, block: 0, delta: Delta::Text(text) });
            }
        };
        // A text, its pieces, or whatever else a model makes.
        match root.get("output") {
            None => {}
            Some(pieces) if pieces.items().next().is_some_and(|piece| piece.kind() == json::Kind::String) => {
                pieces.items().filter_map(Node::str).for_each(say);
            }
            Some(output) => say(output.str().unwrap_or_else(|| Str::plain(output.raw()))),
        }
        out(Event::BlockStop { choice: 0, block: 0 });
        out(Event::Finish { choice: 0, reason: FinishReason::Stop, stop_sequence: None });
        let count = |name| root.get("metrics").and_then(|metrics| metrics.get(name)?.u64());
        let (input, output) = (count("input_token_count"), count("output_token_count"));
        if input.or(output).is_some() {
            let (input, output) = (input.unwrap_or_default(), output.unwrap_or_default());
            out(Event::Usage { usage: Usage { input, output, ..Usage::default() }, service_tier: None });
        }
        out(Event::End);
    }

    fn event(&mut self, _name: &str, _root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Unknown);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Error(Error::new(Kind::BadAnswer, "the upstream streamed a prediction")));
    }
}
