//! The formats that clients speak, one folder each.
//!
//! A [`Client`] reads a request into a [`Call`], and writes answers, streams and errors in the
//! client's bytes. Clients know no provider.

use std::fmt;
use std::rc::Rc;

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::Named;
use crate::error::Error;
use crate::event::Event;
use crate::format::{Format, Operation};
use crate::json::{Edits, Node};
use crate::seal::Seal;

pub mod chat;
pub mod completions;
pub mod embeddings;
pub mod estimate;
mod fields;
pub mod gemini;
pub mod images;
pub mod messages;
pub mod moderations;
pub mod needs;
pub mod origin;
pub mod rerank;
pub mod resources;
pub mod responses;
pub mod speech;
pub mod transcriptions;

/// The client side of `format`.
pub fn of(format: Format) -> &'static dyn Client {
    match format {
        // No client speaks the other three.
        Format::Chat | Format::Cohere | Format::Ollama | Format::Replicate => &chat::Chat,
        Format::Completions => &completions::Completions,
        Format::Embeddings => &embeddings::Embeddings,
        Format::Gemini | Format::Vertex => &gemini::Gemini,
        Format::Images => &images::Images,
        Format::Messages => &messages::Messages,
        Format::Moderations => &moderations::Moderations,
        Format::Rerank => &rerank::Rerank,
        Format::Speech => &speech::Speech,
        Format::Transcriptions => &transcriptions::Transcriptions,
        Format::Responses => &responses::Responses,
        // No client speaks the others.
        _ => &chat::Chat,
    }
}

/// The longest id of a provider's answer that is passed on: each event of a stream may repeat it.
const LONGEST_ID: usize = 256;

/// What the gateway must know of a request in `format`, whose path may have named the model.
pub fn ask(format: Format, named: Option<Named>, root: Node<'_>, now: u64) -> Result<Ask, Error> {
    match named {
        Some(Named { model, streams }) => {
            let ask = of(format).ask_for(model, root, now)?;
            Ok(Ask { stream: ask.stream || streams, ..ask })
        }
        None => of(format).ask(root, now),
    }
}

/// What the answer depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// The model as the client named it; answers name it so.
    pub model: String,
    /// The name of the model that stands in for it, if one does.
    pub instead: Option<String>,
    /// Whether the client wants a stream.
    pub stream: bool,
    /// Whether the client wants usage in the stream.
    pub include_usage: bool,
    /// When the call came, in unix seconds.
    pub now: u64,
    /// The type of an answer that is no JSON.
    pub media_type: Option<&'static str>,
    /// Whether the client takes vectors in base64.
    pub base64: bool,
    /// What of the request stands in an answer in the format of Responses.
    pub echo: Option<Rc<responses::Echo>>,
    /// The id of the caller's key; empty where callers are not known, or it does not matter.
    pub caller: String,
    /// What seals the ids of responses that the upstream keeps.
    pub seal: Option<Seal>,
    /// A random number, for [`Self::own_id`].
    pub random: u64,
}

impl Ask {
    /// The model that is to answer.
    pub fn wanted(&self) -> &str {
        self.instead.as_deref().unwrap_or(&self.model)
    }

    /// What takes the place of ids that the provider does not give.
    pub fn own_id(&self) -> OwnId {
        OwnId { now: self.now, random: self.random }
    }
}

/// Digits that no other call's ids are likely to have.
#[derive(Clone, Copy, Debug)]
pub struct OwnId {
    now: u64,
    random: u64,
}

impl fmt::Display for OwnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:016x}", self.now, self.random)
    }
}

/// A format that clients speak. What has an answer of one piece and otherwise the manners of OpenAI's chat says no more than what is
/// its own.
pub trait Client: Sync {
    /// Reads what the gateway must know of any request: model, stream and the like. Little is checked.
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error>;

    /// As [`Self::ask`], where the path has named the model: what the body says of it, if anything, does not count.
    fn ask_for(&self, model: String, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        Ok(Ask { model, ..self.ask(root, now)? })
    }

    /// What an answer that is written here needs to know: `ask`, and perhaps more of the request.
    fn remember(&self, _root: Node<'_>, ask: &Ask) -> Ask {
        ask.clone()
    }

    /// Reads the call, whole and checked but for the model's name, which [`Self::ask`] has read. `operation` is one that
    /// requests of this format are for.
    fn read<'a>(&self, operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error>;

    /// Writes an answer.
    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8>;

    /// A writer of a stream, if the format has streams.
    fn stream(&self, _ask: &Ask) -> Option<Box<dyn StreamWriter>> {
        None
    }

    /// Writes an error answer.
    fn error(&self, error: &Error) -> Vec<u8> {
        chat::Chat.error(error)
    }

    /// Writes an error at the place in a stream where it ends, after so many events.
    fn stream_error(&self, error: &Error, events: u64, out: &mut Vec<u8>) {
        chat::Chat.stream_error(error, events, out);
    }

    /// Writes what ends a stream that an upstream has ended without a word.
    fn stream_end(&self, _out: &mut Vec<u8>) {}

    /// The splice path, request: changes that a body in this format needs for an upstream in the same format.
    /// `model` is the provider's name of the model.
    fn splice_request(&self, root: Node<'_>, ask: &Ask, model: &str, edits: &mut Edits) {
        chat::Chat.splice_request(root, ask, model, edits);
    }

    /// The splice path, whole answer: puts the client's name of the model in.
    fn splice_answer(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) {
        chat::Chat.splice_answer(root, ask, edits);
    }

    /// The splice path, one event of a stream: as [`Self::splice_answer`]; false if the client did not ask for the event.
    fn splice_event(&self, _root: Node<'_>, _ask: &Ask, _edits: &mut Edits) -> bool {
        true
    }
}

/// Writes the events of one answer as a stream in the client's bytes.
pub trait StreamWriter {
    /// Writes one event. After [`Event::End`] or [`Event::Error`] nothing more is written.
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>);

    /// As [`Reader::kept`](crate::wire::Reader::kept).
    fn kept(&self) -> usize {
        0
    }
}
