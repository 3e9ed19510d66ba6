//! JSON as bytes that mostly stay where they are.
//!
//! Requests and answers pass through Dragoman with few changes, and nothing in them may be rounded, re-escaped or put in
//! another order. So a document is indexed once ([`Doc`]), read by reference ([`Node`]), and its strings travel in the
//! escapes they came in ([`Str`]) until a [`Writer`] copies them out again. A general JSON library decodes what is only
//! to be copied, forgets where a value stood, and scans a value anew for each level that is looked at.
//!
//! [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259) is the grammar, UTF-8 the only encoding.

mod doc;
mod edit;
mod text;
mod write;

#[cfg(test)]
mod tests;

pub use doc::{Doc, Fault, Items, Kind, Members, Memory, Node};
pub use edit::{Change, Edits};
pub use text::Str;
pub use write::{Body, Pieces, Writer};
