//! [`Chat`]: OpenAI's [chat completions](https://platform.openai.com/docs/api-reference/chat), as clients speak it.
//!
//! Beside OpenAI's own fields it reads and writes what LiteLLM's users know from there: `cache_control` on parts,
//! messages and tools, `thinking`, `top_k`, and thought as `reasoning_content` and
//! [`thinking_blocks`](https://docs.litellm.ai/docs/reasoning_content). Those who call tools in the old way
//! (`functions`) are understood, and answered with `tool_calls`.

use super::fields::{boolean, object, optional, required, string};
use super::{Ask, Client, StreamWriter};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::Error;
use crate::format::Operation;
use crate::json::{Edits, Node};

mod answer;
pub(super) mod error;
mod message;
pub(super) mod part;
pub(super) mod request;
pub(super) mod shape;
mod splice;
pub(super) mod stream;
pub(super) mod tool;

#[cfg(test)]
mod tests;

/// The format.
pub struct Chat;

impl Client for Chat {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        self.ask_for(model(root)?, root, now)
    }

    fn ask_for(&self, model: String, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        let stream = optional(object(root)?, "stream", boolean)?.unwrap_or(false);
        let include_usage = optional(root, "stream_options", |o| optional(object(o)?, "include_usage", boolean))?;
        let include_usage = stream && include_usage.flatten().unwrap_or(false);
        Ok(Ask { model, stream, include_usage, now, ..Ask::default() })
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

    fn error(&self, error: &Error) -> Vec<u8> {
        error::write(error)
    }

    fn stream_error(&self, error: &Error, _events: u64, out: &mut Vec<u8>) {
        error::write_event(error, out);
    }

    fn stream_end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(stream::DONE);
    }

    fn splice_request(&self, root: Node<'_>, ask: &Ask, model: &str, edits: &mut Edits) {
        splice::request(root, ask, model, edits);
    }

    fn splice_answer(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) {
        splice::answer(root, ask, edits);
    }

    fn splice_event(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) -> bool {
        splice::event(root, ask, edits)
    }
}

/// The model that a request names.
pub(super) fn model(root: Node<'_>) -> Result<String, Error> {
    /// Longer than any provider's name of a model, and short enough for headers and logs.
    const LONGEST: usize = 256;
    let model = required(object(root)?, "model")?;
    let model = string(model).map_err(|e| e.at("model"))?.decode();
    if model.is_empty() || model.len() > LONGEST {
        let message = format!("expected a name of 1 to {LONGEST} bytes, got {}", model.len());
        return Err(Error::invalid(message).at("model"));
    }
    Ok(model.into_owned())
}
