//! [`Cohere`]: Cohere's [chat](https://docs.cohere.com/v2/reference/chat), version 2 of its API, as in its OpenAPI
//! description of August 2026 and its Python library 7.3.
//!
//! What does not map: pictures in results of tools, which follow in a message of the user's; sound and documents other
//! than plain text, which are refused; several answers, biases and alternatives of tokens, labels, the end user and the
//! names of speakers, which are left out and reported. A tool that is forced by name is sent alone, with the demand that
//! a tool be called. Documents that shall be cited go where Cohere cites from; the others are a part of the message.
//! [Embeddings](https://docs.cohere.com/v2/reference/embed) are a row of the catalogue over OpenAI's.

use super::{Dropped, Encoded, Reader, Target, Wire, openai};
use crate::call::Call;
use crate::error::{Error, Kind};

mod messages;
mod reply;
mod request;

/// The wire.
pub struct Cohere;

impl Wire for Cohere {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        match call {
            Call::Generate(call) => request::encode(call, target, dropped),
            _ => Err(Error::new(Kind::NotImplemented, "the upstream only generates")),
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(reply::Reply::new(request::names(), Vec::new()))
    }

    /// An [error](https://docs.cohere.com/reference/errors) is an object with a `message`.
    fn error(&self, status: u16, body: &[u8]) -> Error {
        openai::error::read(status, body)
    }
}
