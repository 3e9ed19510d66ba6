//! Values of a request, with an error that says what was expected where a value is of another kind.
//!
//! Ranges are not checked here: they differ by provider, and each says its own.

use crate::error::{Error, shorten};
use crate::json::{Items, Kind, Node, Str};

/// A value of the wrong kind.
pub(super) fn wrong(value: Node<'_>, expected: &str) -> Error {
    Error::invalid(format!("expected {expected}, got {}", value.kind().describe()))
}

/// A value that is not the number it should be.
fn wrong_number(value: Node<'_>, expected: &str) -> Error {
    match value.kind() {
        Kind::Number => Error::invalid(format!("expected {expected}, got `{}`", shorten(value.raw()))),
        _ => wrong(value, expected),
    }
}

/// A member that must be there.
pub(super) fn required<'a>(object: Node<'a>, name: &str) -> Result<Node<'a>, Error> {
    object.get(name).ok_or_else(|| Error::invalid("required").at(name))
}

/// What `read` makes of a member, unless it is `null` or absent.
pub(super) fn optional<'a, T>(
    object: Node<'a>,
    name: &str,
    read: impl FnOnce(Node<'a>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    object.get(name).map(read).transpose().map_err(|e| e.at(name))
}

/// A boolean.
pub(super) fn boolean(value: Node<'_>) -> Result<bool, Error> {
    value.bool().ok_or_else(|| wrong(value, "a boolean"))
}

/// A whole number from 0 up.
pub(super) fn count(value: Node<'_>) -> Result<u64, Error> {
    value.u64().ok_or_else(|| wrong_number(value, "a whole number from 0 up"))
}

/// A whole number, raw.
pub(super) fn integer(value: Node<'_>) -> Result<&str, Error> {
    match value.f64() {
        Some(number) if number.is_finite() && number.fract() == 0.0 => Ok(value.raw()),
        _ => Err(wrong_number(value, "a whole number")),
    }
}

/// The values of an array.
pub(super) fn list(value: Node<'_>) -> Result<Items<'_>, Error> {
    if value.kind() == Kind::Array { Ok(value.items()) } else { Err(wrong(value, "an array")) }
}

/// A number, raw.
pub(super) fn number(value: Node<'_>) -> Result<&str, Error> {
    match value.f64() {
        Some(number) if number.is_finite() => Ok(value.raw()),
        _ => Err(wrong_number(value, "a number")),
    }
}

/// An object.
pub(super) fn object(value: Node<'_>) -> Result<Node<'_>, Error> {
    if value.kind() == Kind::Object { Ok(value) } else { Err(wrong(value, "an object")) }
}

/// An object, raw.
pub(super) fn raw_object(value: Node<'_>) -> Result<&str, Error> {
    object(value).map(Node::raw)
}

/// A string, in its escapes.
pub(super) fn string(value: Node<'_>) -> Result<Str<'_>, Error> {
    value.str().ok_or_else(|| wrong(value, "a string"))
}
