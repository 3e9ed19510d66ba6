//! Embeddings.

use super::reply::usage;
use crate::call::{Embed, Input};
use crate::error::{Error, Kind};
use crate::event::{Event, Vector};
use crate::format::Format;
use crate::json::{self, Body, Node, Str, Writer};
use crate::wire::{Dropped, Encoded, Reader, Target};

/// Writes the call.
pub(super) fn encode<'a>(
    call: &'a Embed<'a>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Encoded<'a>, Error> {
    let mut body = Body::default();
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key("model").text(target.model);
    w.key("input").array(|w| {
        for input in &call.input {
            match input {
                Input::Text(text) => w.share_str(text),
                Input::Tokens(raw) => w.share_raw(raw),
            }
        }
    });
    if let Some(dimensions) = call.dimensions {
        w.key("dimensions").u64(dimensions);
    }
    if let Some(user) = &call.user {
        w.key("user").str(user);
    }
    if call.input_type.is_some() {
        dropped.note("input_type")?;
    }
    for (name, raw) in &call.native {
        if call.format == Some(Format::Embeddings) {
            w.name(name).share_raw(raw);
        } else {
            dropped.note(name.clone().into_owned())?;
        }
    }
    w.close_object();
    Ok(Encoded { body, headers: Vec::new(), reader: Box::new(Reply) })
}

/// The reader: an answer is one object.
pub(super) struct Reply;

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let string = |name| root.get(name).and_then(Node::str).unwrap_or_default();
        let Some(data) = root.get("data").filter(|data| data.kind() == json::Kind::Array) else {
            return out(Event::Error(Error::new(Kind::BadAnswer, "the answer has no embeddings")));
        };
        out(Event::Start { id: Str::default(), model: string("model"), created: None });
        for (entry, place) in data.items().zip(0_u32..) {
            let index = entry.get("index").and_then(Node::u64).and_then(|index| u32::try_from(index).ok());
            let Some(vector) = entry.get("embedding") else { continue };
            let vector = match vector.str() {
                Some(text) => Vector::Base64(text),
                None => Vector::Numbers(vector.raw().into()),
            };
            out(Event::Embedding { index: index.unwrap_or(place), vector });
        }
        if let Some(usage) = root.get("usage").and_then(usage) {
            out(Event::Usage { usage, service_tier: None });
        }
        out(Event::End);
    }

    fn event(&mut self, _name: &str, _root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Unknown);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Error(Error::new(Kind::BadAnswer, "the upstream streamed embeddings")));
    }
}
