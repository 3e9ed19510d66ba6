//! [`Responses`]: OpenAI's [Responses](https://platform.openai.com/docs/api-reference/responses), as clients speak it.
//!
//! What needs a provider that keeps responses, or one that runs OpenAI's own tools, works where the provider speaks this
//! format itself. Elsewhere a request that depends on it is refused, as its answer would be another one than was asked for.
//!
//! Custom tools become functions with one string as their argument, and calls of them become custom calls again. Thought
//! that a provider has signed travels as `encrypted_content`, with a mark that says whose it is.

use super::chat::{self, error};
use super::fields::{boolean, object, optional};
use super::{Ask, Client, StreamWriter};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::Error;
use crate::format::Operation;
use crate::json::{Edits, Node};

mod echo;
pub mod foreign;
mod item;
mod logprobs;
mod request;
mod seal;
mod splice;
mod stream;
mod tool;
mod writer;

#[cfg(test)]
mod tests;

pub use echo::Echo;
pub use request::is_own;
pub use splice::{check, unknown};

/// The format.
pub struct Responses;

impl Client for Responses {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        self.ask_for(chat::model(root)?, root, now)
    }

    fn ask_for(&self, model: String, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        let stream = optional(object(root)?, "stream", boolean)?.unwrap_or(false);
        Ok(Ask { model, stream, include_usage: true, now, ..Ask::default() })
    }

    fn remember(&self, root: Node<'_>, ask: &Ask) -> Ask {
        Ask { echo: Some(Echo::new(root).into()), ..ask.clone() }
    }

    fn read<'a>(&self, _operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error> {
        request::read(root).map(Call::Generate)
    }

    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8> {
        stream::whole(answer, ask)
    }

    fn stream(&self, ask: &Ask) -> Option<Box<dyn StreamWriter>> {
        Some(Box::new(stream::Stream::new(ask)))
    }

    fn error(&self, error: &Error) -> Vec<u8> {
        error::write(error)
    }

    fn stream_error(&self, error: &Error, events: u64, out: &mut Vec<u8>) {
        writer::error(error, events, out);
    }

    fn splice_request(&self, root: Node<'_>, ask: &Ask, model: &str, edits: &mut Edits) {
        splice::request(root, ask, model, edits);
    }

    fn splice_answer(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) {
        splice::answer(root, ask, edits);
    }

    fn splice_event(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) -> bool {
        if let Some(response) = root.get("response") {
            splice::answer(response, ask, edits);
        }
        true
    }
}
