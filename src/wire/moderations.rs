//! [`Moderations`]: OpenAI's [moderations](https://platform.openai.com/docs/api-reference/moderations), as upstreams speak it. Clients speak
//! no other, so nothing is written here, and answers are only looked at.

use super::openai::error;
use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::Call;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::json::{Node, Str};

/// The wire.
pub struct Moderations;

impl Wire for Moderations {
    fn encode<'a>(&self, _: &'a Call<'a>, _: &Target<'_>, _: &mut Dropped) -> Result<Encoded<'a>, Error> {
        Err(Error::new(Kind::NotImplemented, "the upstream only moderates"))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(Reply)
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

/// The reader.
struct Reply;

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        if root.get("results").is_none() {
            let said = error::in_answer(root.get("error"), root);
            let error = said.unwrap_or_else(|| Error::new(Kind::BadAnswer, "the answer has no results"));
            return out(Event::Error(error));
        }
        let model = root.get("model").and_then(Node::str).unwrap_or_default();
        out(Event::Start { id: Str::default(), model, created: None });
        out(Event::End);
    }

    fn event(&mut self, _name: &str, _root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Unknown);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Error(Error::new(Kind::BadAnswer, "the upstream streamed moderations")));
    }
}
