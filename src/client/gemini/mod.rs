//! [`Gemini`]: Google's [generateContent](https://ai.google.dev/api/generate-content), as clients speak it.
//!
//! The model and whether the answer is streamed stand in the path. Google reads names in two spellings, `topP` and `top_p`, and so
//! does this. Upstreams of Google's get requests as they are, Google Cloud's among them. Elsewhere: thought always comes as parts of its
//! own where the model tells it, with what proves it in `thoughtSignature`, since other providers want it back as a whole; safety
//! settings, caches and tools that Google runs have no meaning.

mod answer;
mod content;
mod error;
mod foreign;
mod name;
mod request;
mod schema;
mod shape;
mod signature;
mod stream;
#[cfg(test)]
mod tests;
mod tool;

pub use foreign::without;
pub use name::member;
pub use request::{MODEL, limit, set_limit};

use super::{Ask, Client, StreamWriter, fields};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::Error;
use crate::format::Operation;
use crate::json::{Edits, Node, Str};

/// The format.
pub struct Gemini;

impl Client for Gemini {
    fn ask(&self, _root: Node<'_>, _now: u64) -> Result<Ask, Error> {
        Err(Error::invalid("expected a path such as `/v1beta/models/MODEL:generateContent`"))
    }

    fn ask_for(&self, model: String, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        fields::object(root)?;
        Ok(Ask { model, include_usage: true, now, ..Ask::default() })
    }

    fn read<'a>(&self, operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error> {
        if operation == Operation::CountTokens {
            return request::read(request::counted(root)).map(Call::CountTokens);
        }
        request::read(root).map(Call::Generate)
    }

    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8> {
        answer::write(answer, ask)
    }

    fn stream(&self, ask: &Ask) -> Option<Box<dyn StreamWriter>> {
        Some(Box::new(stream::Writer::new(ask)))
    }

    fn error(&self, error: &Error) -> Vec<u8> {
        error::write(error)
    }

    fn stream_error(&self, error: &Error, _events: u64, out: &mut Vec<u8>) {
        error::write_event(error, out);
    }

    fn splice_request(&self, root: Node<'_>, _ask: &Ask, model: &str, edits: &mut Edits) {
        if let Some(name) = member(root, "generateContentRequest").and_then(|request| member(request, "model")) {
            edits.replace(name, Str::plain(format!("{MODEL}{model}")).to_json());
        }
    }

    fn splice_answer(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) {
        if let Some(version) = root.get("modelVersion") {
            edits.replace(version, Str::plain(ask.model.as_str()).to_json());
        }
    }

    fn splice_event(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) -> bool {
        self.splice_answer(root, ask, edits);
        true
    }
}
