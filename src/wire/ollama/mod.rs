//! [`Ollama`]: Ollama's own [chat](https://docs.ollama.com/api/chat), as in its sources of August 2026 and its Python
//! library 0.6.
//!
//! What does not map: a demand that a tool be called and a limit to one call at a time, biases of tokens, several
//! answers, labels and the end user, which are left out and reported; pictures at an address, sound, and documents other
//! than plain text, which are refused. [Embeddings](https://docs.ollama.com/api/embed) are a row of the catalogue over
//! OpenAI's.

use super::{Dropped, Encoded, Reader, Target, Wire, openai};
use crate::call::Call;
use crate::error::{Error, Kind};

mod messages;
mod reply;
mod request;

/// The wire.
pub struct Ollama;

impl Wire for Ollama {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        match call {
            Call::Generate(call) => request::encode(call, target, dropped),
            _ => Err(Error::new(Kind::NotImplemented, "the upstream only generates")),
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(reply::Reply::default())
    }

    /// An [error](https://docs.ollama.com/api/errors) is an object with the message as `error`.
    fn error(&self, status: u16, body: &[u8]) -> Error {
        openai::error::read(status, body)
    }
}
