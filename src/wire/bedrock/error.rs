//! [Errors](https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html): a `message`, and a name in a header
//! or in `__type`.

use crate::error::{Error, Kind, shorten};
use crate::json::{Doc, Node};
use crate::wire::aws;

/// Reads the body of an error.
pub(super) fn read(status: u16, body: &[u8]) -> Error {
    let doc = Doc::lenient(body).ok();
    let root = doc.as_ref().map(Doc::root);
    let message = root
        .and_then(aws::message)
        .map_or_else(|| format!("the upstream answered with status {status}"), |m| shorten_long(&m));
    let name = root.and_then(|root| root.get("__type")).and_then(Node::text).unwrap_or_default();
    aws::named(Error::new(Kind::of_status(status), message).with_status(status), &name)
}

/// A message of a sane length.
fn shorten_long(message: &str) -> String {
    const LONGEST: usize = 4096;
    if message.len() > LONGEST { shorten(message) } else { message.to_owned() }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn errors_are_read() {
        let error = read(400, br#"{"message":"The provided model identifier is invalid."}"#);
        assert_eq!(
            (error.kind, error.status, &*error.message),
            (Kind::InvalidRequest, Some(400), "The provided model identifier is invalid.")
        );
        let error = read(429, br#"{"message":"Too many requests","__type":"ThrottlingException"}"#);
        assert_eq!(error.kind, Kind::RateLimit);
        let error = read(403, br#"{"Message":"User is not authorized"}"#);
        assert_eq!((error.kind, &*error.message), (Kind::Permission, "User is not authorized"));
        let error = read(400, br#"{"message":"Input is too long for requested model."}"#);
        assert_eq!(error.openai_code(), Some("context_length_exceeded"));
        assert_eq!(read(502, b"<html>").message, "the upstream answered with status 502");
    }
}
