//! The splice path: the few bytes that change between a client and an upstream of the same format.

use super::Ask;
use crate::error::Error;
use crate::json::{Change, Edits, Kind, Node, Str};
use crate::seal::Seal;

/// The member of the response that a request goes on from.
const PREVIOUS: &str = "previous_response_id";

/// Refuses to go on from a response that the upstream has not made for this caller.
pub fn check(root: Node<'_>, seal: Option<&Seal>) -> Result<(), Error> {
    let known = |id: Node<'_>| id.text().is_none_or(|id| seal.is_some_and(|seal| seal.open(&id).is_some()));
    if root.get(PREVIOUS).is_none_or(known) { Ok(()) } else { Err(unknown()) }
}

/// Why such a request is refused.
pub fn unknown() -> Error {
    let message = "no response of this id; it must be one that the same key got from an upstream of this model";
    Error::invalid(message).code("previous_response_not_found").at(PREVIOUS)
}

/// The provider's name of the model goes in, and its id of the response before. Usage stands in the last event of every
/// stream.
pub(super) fn request(root: Node<'_>, ask: &Ask, model: &str, edits: &mut Edits) {
    let mut changes = Vec::new();
    let name = renamed(root, model);
    changes.extend(name.as_ref().map(|name| ("model", Change::Set(name))));
    let previous = root.get(PREVIOUS).and_then(Node::text);
    let previous = previous.as_ref().and_then(|id| ask.seal.as_ref()?.open(id)).map(|id| Str::plain(id).to_json());
    changes.extend(previous.as_ref().map(|id| (PREVIOUS, Change::Set(id))));
    edits.members(root, &changes);
}

/// The client's name of the model goes in, and ids of responses are sealed.
pub(super) fn answer(root: Node<'_>, ask: &Ask, edits: &mut Edits) {
    if root.kind() != Kind::Object {
        return;
    }
    let mut changes = Vec::new();
    // Who asks for a response by its id has named no model.
    let name = root.get("model").filter(|_| !ask.model.is_empty()).and_then(|_| renamed(root, &ask.model));
    changes.extend(name.as_ref().map(|name| ("model", Change::Set(name))));
    let sealed = |name| {
        let id = root.get(name)?.text()?;
        Some((name, Str::plain(ask.seal.as_ref()?.close(&id)).to_json()))
    };
    let ids: Vec<_> = ["id", PREVIOUS].into_iter().filter_map(sealed).collect();
    changes.extend(ids.iter().map(|(name, id)| (*name, Change::Set(id))));
    edits.members(root, &changes);
}

/// The name of a model, as JSON, where the object has another.
fn renamed(object: Node<'_>, model: &str) -> Option<String> {
    let same = object.get("model").and_then(Node::str).is_some_and(|name| name == *model);
    (!same).then(|| Str::plain(model).to_json())
}
