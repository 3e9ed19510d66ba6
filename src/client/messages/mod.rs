//! [`Messages`]: [Anthropic's Messages](https://platform.claude.com/docs/en/api/messages/create), as clients speak it.
//!
//! `max_tokens`, which Anthropic demands, is not demanded here: token counts come without it, an Anthropic upstream asks
//! for it in its own words, and elsewhere its absence means no limit.

mod answer;
mod content;
mod field;
pub mod foreign;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod usage;

use super::{Ask, Client, StreamWriter, fields};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::format::Operation;
use crate::json::{Body, Edits, Node, Str, Writer};

/// How Anthropic says that a conversation does not fit the model.
const TOO_LONG: &[&str] = &["prompt is too long", "exceed context limit"];

/// Anthropic's word for a thread that the provider does not have.
const NO_THREAD: &str = "thread_not_found";

/// The format.
pub struct Messages;

impl Client for Messages {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        fields::object(root)?;
        let model = field::required(root, "model", field::model)?.into_owned();
        let stream = fields::optional(root, "stream", fields::boolean)?.unwrap_or_default();
        Ok(Ask { model, stream, include_usage: true, now, ..Ask::default() })
    }

    fn read<'a>(&self, operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error> {
        let call = request::read(root)?;
        Ok(if operation == Operation::CountTokens { Call::CountTokens(call) } else { Call::Generate(call) })
    }

    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8> {
        answer::write(answer, ask)
    }

    fn stream(&self, ask: &Ask) -> Option<Box<dyn StreamWriter>> {
        Some(Box::new(stream::Stream::new(ask)))
    }

    fn error(&self, error: &Error) -> Vec<u8> {
        // A provider's own message names the place in its own words, if it does.
        let mut message = if error.status.is_some() { error.message.clone() } else { error.text() };
        // Clients that can shorten a conversation look for Anthropic's words.
        let too_long = error.kind == Kind::ContextWindow;
        if too_long && !TOO_LONG.iter().any(|words| message.contains(words)) {
            message.insert_str(0, "prompt is too long: ");
        }
        let mut body = Body::default();
        let mut w = Writer::new(&mut body);
        w.object(|w| {
            w.key("type").text("error");
            w.key("error").object(|w| {
                w.key("type").text(error.anthropic_type());
                w.key("message").text(&message);
                // The one code that clients wait for.
                if error.code.as_deref() == Some(NO_THREAD) {
                    w.key("details").object(|w| w.key("error_code").text(NO_THREAD));
                }
            });
        });
        body.into_bytes()
    }

    fn stream_error(&self, error: &Error, _events: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: error\ndata: ");
        out.extend_from_slice(&self.error(error));
        out.extend_from_slice(b"\n\n");
    }

    fn splice_request(&self, root: Node<'_>, ask: &Ask, model: &str, edits: &mut Edits) {
        if ask.model != model {
            rename(root, model, edits);
        }
    }

    fn splice_answer(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) {
        rename(root, &ask.model, edits);
    }

    fn splice_event(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) -> bool {
        let start = root.get("type").and_then(Node::str).is_some_and(|kind| kind == "message_start");
        if start && let Some(message) = root.get("message") {
            rename(message, &ask.model, edits);
        }
        true
    }
}

/// Puts `model` where `object` names one.
fn rename(object: Node<'_>, model: &str, edits: &mut Edits) {
    if let Some(node) = object.get("model")
        && node.str().is_none_or(|name| name != model)
    {
        edits.replace(node, Str::plain(model).to_json());
    }
}

impl StreamWriter for stream::Stream {
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        self.write(event, out);
    }

    fn kept(&self) -> usize {
        self.kept
    }
}
