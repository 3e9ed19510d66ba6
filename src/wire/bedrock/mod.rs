//! [`Bedrock`]: Amazon Bedrock's [Converse](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html)
//! and [ConverseStream](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html), as in
//! botocore 1.44's model of the service.
//!
//! A model takes what its maker's models take, which [`families`] holds. What does not map:
//!
//! - Several answers, biases and alternatives of tokens, seeds, penalties and the end user: left out and reported, but for
//!   the first, which is refused.
//! - Addresses other than `s3://…`, and ids of files: refused. `remote_images` has the gateway fetch pictures.
//! - Thought that another provider has signed: left out and reported.
//! - `tool_choice: none` beside calls in the conversation, for which there is no word: reported.
//! - Traces of guardrails, which no client's format has a place for.

use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::Call;
use crate::error::{Error, Kind};

mod citation;
mod content;
mod embeddings;
mod error;
mod extra;
mod families;
mod media;
mod messages;
mod output;
mod params;
mod reply;
mod request;
mod thinking;
mod tools;

/// The wire.
pub struct Bedrock;

impl Wire for Bedrock {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        match call {
            Call::Generate(call) => request::encode(call, true, target, dropped),
            _ => Err(Error::new(Kind::NotImplemented, "the upstream only generates this way")),
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(reply::Reply::new(request::names(), true, false))
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

/// The wire of embeddings.
pub struct Embeddings;

impl Wire for Embeddings {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        match call {
            Call::Embed(call) => embeddings::encode(call, target, dropped),
            _ => Err(Error::new(Kind::NotImplemented, "the upstream only makes embeddings this way")),
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(embeddings::Reply::default())
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}
