//! Probabilities of tokens, which this format has without the object around them.

use crate::json::{Doc, Node, Writer};

/// Writes the tokens of chat's raw `logprobs` objects, in order. Events of a stream have no `bytes`.
pub(super) fn write(w: &mut Writer<'_, '_>, raw: &[String], bytes: bool) {
    w.array(|w| {
        for doc in raw.iter().filter_map(|raw| Doc::lenient(raw.as_bytes()).ok()) {
            let root = doc.root();
            for list in [root.get("content"), root.get("refusal")].into_iter().flatten() {
                list.items().for_each(|node| token(w, node, bytes, true));
            }
        }
    });
}

fn token(w: &mut Writer<'_, '_>, node: Node<'_>, bytes: bool, top: bool) {
    w.object(|w| {
        let text = node.get("token").and_then(Node::str).unwrap_or_default();
        w.key("token").str(&text);
        w.key("logprob").raw_line(node.get("logprob").map_or("0", Node::raw));
        match node.get("bytes") {
            _ if !bytes => {}
            Some(bytes) => w.key("bytes").raw_line(bytes.raw()),
            // Clients of this format know no null here.
            None => w.key("bytes").array(|w| text.to_text().bytes().for_each(|byte| w.u64(byte.into()))),
        }
        if top {
            let others = node.get("top_logprobs").into_iter().flat_map(Node::items);
            w.key("top_logprobs").array(|w| others.for_each(|other| token(w, other, bytes, false)));
        }
    });
}
