//! Names and values of headers.

use super::read::Value;
use crate::error::shorten;

/// Headers in which keys come and go.
const CREDENTIALS: &[&str] = &["api-key", "authorization", "cookie", "x-api-key", "x-goog-api-key"];

/// Headers that belong to one connection or to the body as it is framed and encoded: the host's and the filter's.
const FRAMING: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a header is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The host tells the caller's key id in it.
    Caller,
    /// It goes from the client to the provider.
    Forward,
    /// It does not go to the provider.
    Remove,
    /// It goes to the provider with a value of ours.
    Set,
}

/// Checks the name of a header that stands at `value` as itself or as the name of a member; in lower case.
pub(super) fn name(value: &Value<'_>, text: &str, used: Use) -> Option<String> {
    let name = text.to_ascii_lowercase();
    let shown = shorten(&name);
    if !is_token(&name) {
        value.fault(format!("`{shown}` cannot be the name of a header"));
    } else if name.starts_with("x-dragoman-") {
        value.fault(format!("`{shown}`: headers that start with `x-dragoman-` are the filter's own"));
    } else if FRAMING.contains(&name.as_str()) {
        value.fault(format!("`{shown}` belongs to the host and the filter"));
    } else if CREDENTIALS.contains(&name.as_str()) {
        value.fault(match used {
            Use::Caller => format!("`{shown}` is where keys come; name a header that only the host sets"),
            Use::Forward => format!("`{shown}` would show the caller's key to the provider; see `credentials: client`"),
            Use::Remove | Use::Set => format!("`{shown}` is set by `credentials`"),
        });
    } else {
        return Some(name);
    }
    None
}

/// Reads the value of a header.
pub(super) fn value(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.len() > 8192 || !is_value(&text) {
        value.fault("the value of a header is at most 8192 bytes of visible ASCII, without outer spaces");
        return None;
    }
    Some(text.into_owned())
}

/// Whether `text` can be the value of a header, as it is.
pub(super) fn is_value(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, 0x20..=0x7e)) && text.trim_matches(' ').len() == text.len()
}

/// Whether `text` is a token of [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2) of a sane length.
fn is_token(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
