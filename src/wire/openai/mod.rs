//! [`Openai`]: OpenAI's [chat completions](https://platform.openai.com/docs/api-reference/chat), as upstreams speak it.
//!
//! A hundred providers follow this format, each a little off. Requests keep to what most of them take; what a provider
//! wants otherwise is a quirk of its row, applied to the finished body. Answers are read with patience: a field under
//! another name, in another shape or missing is no error as long as the answer can be understood.
//!
//! What does not map: the format has no place for thought in a conversation, for `top_k` and for tools that another
//! provider runs. They are left out and reported. Documents at an address, files that were uploaded elsewhere, and parts
//! that only another format knows are refused where the user or a tool says them: nothing that was said may vanish.

use super::names::Names;
use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::Call;
use crate::error::{Error, Kind};

mod choice;
mod effort;
mod embeddings;
pub(super) mod error;
pub(super) mod messages;
pub(super) mod pieces;
pub(super) mod reply;
mod request;
mod schema;
mod strict;
#[cfg(test)]
mod tests;

pub use effort::refuses_old_limit;

/// The longest id of a call: some of OpenAI's models take 64 letters, others no more than these.
const LONGEST_ID: usize = 40;

/// The longest name of a tool.
const LONGEST_NAME: usize = 64;

/// The wire of [embeddings](https://platform.openai.com/docs/api-reference/embeddings).
pub struct Embeddings;

impl Wire for Embeddings {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        match call {
            Call::Embed(call) => embeddings::encode(call, target, dropped),
            _ => Err(Error::new(Kind::NotImplemented, "the upstream only makes embeddings")),
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(embeddings::Reply)
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

/// The wire of [completions](https://platform.openai.com/docs/api-reference/completions). Clients of another format are not sent
/// there, so nothing is written here.
pub struct Completions;

impl Wire for Completions {
    fn encode<'a>(&self, _: &'a Call<'a>, _: &Target<'_>, _: &mut Dropped) -> Result<Encoded<'a>, Error> {
        Err(Error::new(Kind::NotImplemented, "the upstream only completes texts"))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Openai.reader()
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

/// The wire.
pub struct Openai;

impl Wire for Openai {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        match call {
            Call::Generate(call) => request::encode(call, target, dropped),
            _ => Err(Error::new(Kind::NotImplemented, "the upstream only generates")),
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(reply::Reply::new(Names::new(LONGEST_NAME), Vec::new()))
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}
