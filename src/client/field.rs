//! The fields of client requests, read strictly: an error tells the place, what is there and what may be.
//!
//! `null` is absent everywhere: SDKs send it for options that were not set.

use std::borrow::Cow;

use crate::error::{Error, shorten};
use crate::json::{Kind, Node, Str};

/// The longest name of a model: names enter logs, metrics and headers.
const LONGEST_MODEL: usize = 256;

/// A member that may be absent.
pub(super) fn optional<'a, T>(
    object: Node<'a>,
    name: &str,
    read: impl FnOnce(Node<'a>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    object.get(name).map(read).transpose().map_err(|e| e.at(name))
}

/// A member that must be there.
pub(super) fn required<'a, T>(
    object: Node<'a>,
    name: &str,
    read: impl FnOnce(Node<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    optional(object, name, read)?.ok_or_else(|| missing(name))
}

/// The error for a member that must be there.
pub(super) fn missing(name: &str) -> Error {
    Error::invalid("this field is required").at(name)
}

/// A name of a model.
pub(super) fn model<'a>(node: Node<'a>) -> Result<Cow<'a, str>, Error> {
    let name = string(node)?.decode();
    if name.is_empty() {
        return Err(Error::invalid("must not be empty"));
    }
    if name.len() > LONGEST_MODEL {
        return Err(Error::invalid(format!("must have at most {LONGEST_MODEL} bytes")));
    }
    Ok(name)
}

/// A string.
pub(super) fn string<'a>(node: Node<'a>) -> Result<Str<'a>, Error> {
    node.str().ok_or_else(|| wrong(node, "a string"))
}

/// The error for a word that is no `what`; `allowed` ends the sentence: "`a` and `b` are".
pub(super) fn unknown_word(word: &str, what: &str, allowed: &str) -> Error {
    Error::invalid(format!("`{}` is no {what}: {allowed}", shorten(word)))
}

/// A boolean.
pub(super) fn boolean(node: Node<'_>) -> Result<bool, Error> {
    node.bool().ok_or_else(|| wrong(node, "a boolean"))
}

/// A whole number from 0 up.
pub(super) fn whole(node: Node<'_>) -> Result<u64, Error> {
    node.u64().ok_or_else(|| match node.kind() {
        Kind::Number => Error::invalid(format!("expected a whole number from 0 up, got {}", shorten(node.raw()))),
        _ => wrong(node, "a whole number"),
    })
}

/// A number, raw.
pub(super) fn number<'a>(node: Node<'a>) -> Result<&'a str, Error> {
    raw(node, Kind::Number)
}

/// An object, raw.
pub(super) fn object<'a>(node: Node<'a>) -> Result<&'a str, Error> {
    raw(node, Kind::Object)
}

/// An array, raw.
pub(super) fn array<'a>(node: Node<'a>) -> Result<&'a str, Error> {
    raw(node, Kind::Array)
}

/// Each value of an array.
pub(super) fn list<'a, T>(node: Node<'a>, mut read: impl FnMut(Node<'a>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    array(node)?;
    node.items().enumerate().map(|(index, item)| read(item).map_err(|e| e.at_index(index))).collect()
}

/// The error for a value of another kind than `expected`.
pub(super) fn wrong(node: Node<'_>, expected: &str) -> Error {
    Error::invalid(format!("expected {expected}, got {}", node.kind().describe()))
}

fn raw<'a>(node: Node<'a>, kind: Kind) -> Result<&'a str, Error> {
    if node.kind() == kind { Ok(node.raw()) } else { Err(wrong(node, kind.describe())) }
}
