//! `encrypted_content` of other providers' thought: the proof of it, if there is any, behind a mark that says whose it is.
//! Clients give it back as it is.

use super::super::chat::part::inner;
use crate::json::{Node, Str};

/// Stands before the signature of a thought in Anthropic's format.
pub(super) const SIGNATURE: &str = "dragoman.messages.signature.";

/// Stands before a thought that only the provider can read, in Anthropic's format.
pub(super) const DATA: &str = "dragoman.messages.data.";

/// Of a thought that nobody has signed.
pub(super) const UNSIGNED: &str = "dragoman.unsigned";

/// A proof.
pub(super) enum Sealed<'a> {
    /// The thought itself.
    Data(Str<'a>),
    /// The signature of a thought that can be read.
    Signature(Str<'a>),
    /// There is none.
    Unsigned,
}

/// What is behind the mark; nothing if it is OpenAI's own.
pub(super) fn open(sealed: Node<'_>) -> Option<Sealed<'_>> {
    let text = inner(sealed);
    if text == UNSIGNED {
        return Some(Sealed::Unsigned);
    }
    let data = text.strip_prefix(DATA).map(|data| Sealed::Data(Str::escaped(data)));
    data.or_else(|| text.strip_prefix(SIGNATURE).map(|signature| Sealed::Signature(Str::escaped(signature))))
}
