//! The splice path: the few bytes that change between a client and an upstream of the same format.

use super::Ask;
use crate::json::{Change, Edits, Kind, Node, Str};

/// The provider's name of the model goes in. Usage stands in the last event of every stream.
pub(super) fn request(root: Node<'_>, _ask: &Ask, model: &str, edits: &mut Edits) {
    rename(root, model, edits);
}

/// The client's name of the model goes in.
pub(super) fn answer(root: Node<'_>, ask: &Ask, edits: &mut Edits) {
    rename(root, &ask.model, edits);
}

fn rename(object: Node<'_>, model: &str, edits: &mut Edits) {
    let named = object.get("model").and_then(Node::str).is_some_and(|name| name == *model);
    if object.kind() == Kind::Object && !named {
        edits.members(object, &[("model", Change::Set(&Str::plain(model).to_json()))]);
    }
}
