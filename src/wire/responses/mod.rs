//! [`Responses`]: OpenAI's [Responses](https://platform.openai.com/docs/api-reference/responses), as upstreams speak it.
//!
//! Only clients of the same format are sent here, so that nothing is written: the reader observes.

use super::{Dropped, Encoded, Reader, Target, Wire, openai};
use crate::call::Call;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::json::Node;

mod reply;

/// The wire.
pub struct Responses;

/// The reader of what the provider keeps: it was accounted when it was made.
pub struct Kept;

impl Reader for Kept {
    fn answer(&mut self, _: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::End);
    }

    fn event(&mut self, _: &str, _: Node<'_>, _: &mut dyn FnMut(Event<'_>)) {}

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::End);
    }
}

impl Wire for Responses {
    fn encode<'a>(&self, _: &'a Call<'a>, _: &Target<'_>, _: &mut Dropped) -> Result<Encoded<'a>, Error> {
        Err(Error::new(Kind::NotImplemented, "the upstream takes responses only as clients write them"))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(reply::Reply::default())
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        openai::error::read(status, body)
    }
}
