//! [`Anthropic`]: [Anthropic's Messages](https://platform.claude.com/docs/en/api/messages), as upstreams speak it.
//!
//! Written for `anthropic-version: 2023-06-01`; answers of `2026-10-21` read the same. What does not map:
//!
//! - Audio, and parts that only another format knows, are refused: nothing that was said may vanish.
//! - System messages stand before the conversation. A later one keeps its place on models that know such, at the end of
//!   the user's turn that it is in, and joins the others in front of the conversation elsewhere.
//! - `response_format: json_object` becomes an instruction, and so does a schema for models that hold to none.
//! - More than one choice is refused.

pub(super) mod content;
mod error;
mod messages;
pub(in crate::wire) mod models;
pub(in crate::wire) mod params;
mod reply;
mod request;
pub(in crate::wire) mod schema;
#[cfg(test)]
mod tests;
pub(in crate::wire) mod thinking;
mod tools;

use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::Call;
use crate::error::Error;

/// The wire.
pub struct Anthropic;

impl Wire for Anthropic {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        request::encode(call, target, dropped)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(reply::Reply::new(request::names()))
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

/// The most output tokens of a model of that name: what a request asks for that says no limit.
pub fn max_output(model: &str) -> u64 {
    models::of(model).max_output
}
