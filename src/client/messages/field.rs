//! What this format adds to [`fields`].

use std::borrow::Cow;

use super::super::fields::{self, list, string};
use crate::error::{Error, shorten};
use crate::json::Node;

/// The longest name of a model: names enter logs, metrics and headers.
const LONGEST_MODEL: usize = 256;

/// What `read` makes of a member that must be there.
pub(super) fn required<'a, T>(
    object: Node<'a>,
    name: &str,
    read: impl FnOnce(Node<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    read(fields::required(object, name)?).map_err(|e| e.at(name))
}

/// What `read` makes of each value of an array.
pub(super) fn each<'a, T>(
    value: Node<'a>,
    mut read: impl FnMut(Node<'a>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    list(value)?.enumerate().map(|(index, item)| read(item).map_err(|e| e.at_index(index))).collect()
}

/// The error for a word that is no `what`; `allowed` ends the sentence: "`a` and `b` are".
pub(super) fn unknown_word(word: &str, what: &str, allowed: &str) -> Error {
    Error::invalid(format!("`{}` is no {what}: {allowed}", shorten(word)))
}

/// A name of a model.
pub(super) fn model(value: Node<'_>) -> Result<Cow<'_, str>, Error> {
    let name = string(value)?.decode();
    if name.is_empty() {
        return Err(Error::invalid("must not be empty"));
    }
    if name.len() > LONGEST_MODEL {
        return Err(Error::invalid(format!("must have at most {LONGEST_MODEL} bytes")));
    }
    Ok(name)
}
