//! The splice path: the few bytes that change between a client and an upstream of the same format.

use super::Ask;
use crate::json::{Change, Edits, Kind, Node, Str};

/// The provider's name of the model goes in, and a stream is asked for its usage.
pub(super) fn request(root: Node<'_>, ask: &Ask, model: &str, edits: &mut Edits) {
    const ASK: &str = "include_usage";
    let name;
    let mut changes = Vec::new();
    if !is(root.get("model"), model) {
        name = quoted(model);
        changes.push(("model", Change::Set(&name)));
    }
    if ask.stream {
        match root.get("stream_options") {
            Some(options) if options.get(ASK).and_then(Node::bool) == Some(true) => {}
            Some(options) => edits.members(options, &[(ASK, Change::Set("true"))]),
            None => changes.push(("stream_options", Change::Set(r#"{"include_usage":true}"#))),
        }
    }
    if !changes.is_empty() {
        edits.members(root, &changes);
    }
}

/// The client's name of the model goes in.
pub(super) fn answer(root: Node<'_>, ask: &Ask, edits: &mut Edits) {
    if root.kind() == Kind::Object && !is(root.get("model"), &ask.model) {
        edits.members(root, &[("model", Change::Set(&quoted(&ask.model)))]);
    }
}

/// As [`answer`], where the event is a chunk; false for a chunk of no choices, such as usage or what Azure says of the
/// prompt, if the client did not ask for usage: only then does it expect one.
pub(super) fn event(root: Node<'_>, ask: &Ask, edits: &mut Edits) -> bool {
    let (mut empty, mut named) = (false, false);
    for (name, value) in root.members() {
        match &*name {
            "choices" => empty = value.kind() == Kind::Array && value.items().next().is_none(),
            "model" => {
                named = true;
                if !is(Some(value), &ask.model) {
                    edits.replace(value, quoted(&ask.model));
                }
            }
            _ => {}
        }
    }
    if !named && root.get("choices").is_some() {
        edits.members(root, &[("model", Change::Set(&quoted(&ask.model)))]);
    }
    ask.include_usage || !empty
}

fn is(value: Option<Node<'_>>, text: &str) -> bool {
    value.and_then(Node::str).is_some_and(|s| s == *text)
}

fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len().saturating_add(2));
    json.push('"');
    Str::plain(text).escape_into(&mut json);
    json.push('"');
    json
}
