//! [`Responses`]: OpenAI's [Responses](https://platform.openai.com/docs/api-reference/responses), as upstreams speak it.
//!
//! Only clients of the same format are sent here, so that nothing is written: the reader observes.

use super::{Dropped, Encoded, Reader, Target, Wire, openai};
use crate::call::Call;
use crate::error::{Error, Kind};

mod reply;

/// The wire.
pub struct Responses;

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
