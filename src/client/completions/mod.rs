//! [`Completions`]: OpenAI's old [completions](https://platform.openai.com/docs/api-reference/completions) of a text, as
//! clients speak them.
//!
//! Where the upstream has them too, they are passed on. Elsewhere the prompt is what a user says in a chat, and what the
//! model answers is the completion: `echo`, `best_of` and `suffix` have no place there, and several prompts are several
//! calls, which a client must make itself.

use super::chat::Chat;
use super::{Ask, Client, StreamWriter};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::Error;
use crate::format::Operation;
use crate::json::{Edits, Node};

mod answer;
mod request;
mod shape;
mod stream;
#[cfg(test)]
mod tests;

/// The format.
pub struct Completions;

impl Client for Completions {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        Chat.ask(root, now)
    }

    fn ask_for(&self, model: String, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        Chat.ask_for(model, root, now)
    }

    fn read<'a>(&self, _operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error> {
        request::read(root).map(Call::Generate)
    }

    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8> {
        answer::write(answer, ask)
    }

    fn stream(&self, ask: &Ask) -> Option<Box<dyn StreamWriter>> {
        Some(Box::new(stream::Writer::new(ask)))
    }

    fn stream_end(&self, out: &mut Vec<u8>) {
        Chat.stream_end(out);
    }

    fn splice_event(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) -> bool {
        Chat.splice_event(root, ask, edits)
    }
}
