//! Errors, in [OpenAI's shape](https://platform.openai.com/docs/guides/error-codes).

use crate::error::Error;
use crate::json::{Body, Writer};

/// The body of an error answer.
pub(in crate::client) fn write(error: &Error) -> Vec<u8> {
    let mut body = Body::default();
    put(error, &mut body);
    body.into_bytes()
}

/// An error in a stream. OpenAI's SDKs raise on a chunk with `error`. No `[DONE]` follows: to a client that skips
/// chunks it does not know, the cut answer would look complete.
pub(in crate::client) fn write_event(error: &Error, out: &mut Vec<u8>) {
    let mut body = Body::from(std::mem::take(out));
    body.copy(b"data: ");
    put(error, &mut body);
    body.copy(b"\n\n");
    *out = body.into_bytes();
}

pub(in crate::client) fn put(error: &Error, body: &mut Body<'_>) {
    Writer::new(body).object(|w| {
        w.key("error").object(|w| {
            // A provider's own message names the place in its own words, if it does.
            match error.status {
                Some(_) => w.key("message").text(&error.message),
                None => w.key("message").text(&error.text()),
            }
            w.key("type").text(error.openai_type());
            w.key("param").text_or_null(error.param.as_deref());
            w.key("code").text_or_null(error.openai_code());
        });
    });
}
