//! Errors, in [Google's shape](https://google.aip.dev/193).

use crate::error::{Error, Kind};
use crate::json::{Body, Writer};

/// The body of an error answer.
pub(super) fn write(error: &Error) -> Vec<u8> {
    let mut body = Body::default();
    put(error, &mut body);
    body.into_bytes()
}

/// An error in a stream, on which Google's libraries raise.
pub(super) fn write_event(error: &Error, out: &mut Vec<u8>) {
    let mut body = Body::from(std::mem::take(out));
    body.copy(b"data: ");
    put(error, &mut body);
    body.copy(b"\n\n");
    *out = body.into_bytes();
}

fn put(error: &Error, body: &mut Body<'_>) {
    Writer::new(body).object(|w| {
        w.key("error").object(|w| {
            w.key("code").u64(error.status().into());
            // A provider's own message names the place in its own words, if it does.
            match error.status {
                Some(_) => w.key("message").text(&error.message),
                None => w.key("message").text(&error.text()),
            }
            w.key("status").text(status(error.kind));
            if let Some(reason) = error.openai_code() {
                w.key("details").array(|w| {
                    w.object(|w| {
                        w.key("@type").text("type.googleapis.com/google.rpc.ErrorInfo");
                        w.key("reason").text(reason);
                        w.key("domain").text("dragoman");
                    });
                });
            }
        });
    });
}

/// Google's [word](https://docs.cloud.google.com/apis/design/errors#error_codes) for a kind of error.
fn status(kind: Kind) -> &'static str {
    match kind {
        Kind::Authentication => "UNAUTHENTICATED",
        Kind::ContentPolicy
        | Kind::ContextWindow
        | Kind::InvalidRequest
        | Kind::MethodNotAllowed
        | Kind::TooLarge
        | Kind::UnsupportedMedia => "INVALID_ARGUMENT",
        Kind::NotFound => "NOT_FOUND",
        Kind::NotImplemented => "UNIMPLEMENTED",
        Kind::Overloaded | Kind::Unavailable => "UNAVAILABLE",
        Kind::Permission => "PERMISSION_DENIED",
        Kind::RateLimit => "RESOURCE_EXHAUSTED",
        Kind::Timeout => "DEADLINE_EXCEEDED",
        Kind::BadAnswer | Kind::Internal | Kind::UpstreamAuthentication => "INTERNAL",
    }
}
