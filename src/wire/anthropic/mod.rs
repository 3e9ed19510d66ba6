//! [`Anthropic`]: Anthropic's Messages, as upstreams speak it.

use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::Call;
use crate::error::Error;

/// The wire.
pub struct Anthropic;

impl Wire for Anthropic {
    fn encode<'a>(
        &self,
        _call: &'a Call<'a>,
        _target: &Target<'_>,
        _dropped: &mut Dropped,
    ) -> Result<Encoded<'a>, Error> {
        todo!()
    }

    fn reader(&self) -> Box<dyn Reader> {
        todo!()
    }

    fn error(&self, _status: u16, _body: &[u8]) -> Error {
        todo!()
    }
}
