//! Events, as they stand in a stream.

use std::mem::take;

use crate::error::{Error, Kind};
use crate::json::{Body, Writer};

/// Writes an event with what `fill` says.
pub(super) fn event(kind: &str, number: u64, out: &mut Vec<u8>, fill: &mut dyn FnMut(&mut Writer<'_, '_>)) {
    let mut body = Body::from(take(out));
    open(kind, &mut body);
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key("type").text(kind);
    fill(&mut w);
    w.key("sequence_number").u64(number);
    w.close_object();
    body.copy(b"\n\n");
    *out = body.into_bytes();
}

/// An event up to its `delta`, the same for many of them. `place` is a member that says where in the item it goes.
pub(super) fn head(kind: &str, item_id: &str, output_index: u64, place: Option<(&'static str, u64)>) -> Vec<u8> {
    let mut body = Body::default();
    open(kind, &mut body);
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key("type").text(kind);
    w.key("item_id").text(item_id);
    w.key("output_index").u64(output_index);
    if let Some((name, index)) = place {
        w.key(name).u64(index);
    }
    w.key("delta");
    body.into_bytes()
}

fn open(kind: &str, body: &mut Body<'_>) {
    for part in ["event: ", kind, "\ndata: "] {
        body.copy(part.as_bytes());
    }
}

/// Writes the event of an error that is no response's.
pub(super) fn error(error: &Error, number: u64, out: &mut Vec<u8>) {
    event("error", number, out, &mut |w| {
        w.key("code").text_or_null(error.openai_code());
        w.key("message").text(&text(error));
        w.key("param").text_or_null(error.param.as_deref());
    });
}

/// Writes the error of a response, which has few words for what it is.
pub(super) fn failure(error: &Error, w: &mut Writer<'_, '_>) {
    w.object(|w| {
        w.key("code").text(match error.kind {
            Kind::InvalidRequest => "invalid_prompt",
            Kind::RateLimit => "rate_limit_exceeded",
            _ => "server_error",
        });
        w.key("message").text(&text(error));
    });
}

/// A provider's own message names the place in its own words, if it does.
fn text(error: &Error) -> String {
    if error.status.is_some() { error.message.clone() } else { error.text() }
}
