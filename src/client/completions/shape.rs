//! What whole answers and chunks have in common.

use crate::event::FinishReason;
use crate::json::{Doc, Node, Writer};

use super::super::chat::shape;

/// What `id` starts with.
pub(super) const PREFIX: &str = "cmpl-";

/// `object`, of answers and of chunks.
pub(super) const OBJECT: &str = "text_completion";

/// `finish_reason`, which knows no tools.
pub(super) fn finish(w: &mut Writer<'_, '_>, reason: &FinishReason<'_>) {
    let reason = if *reason == FinishReason::ToolCalls { &FinishReason::Stop } else { reason };
    shape::finish(w, reason, false, true);
}

/// `logprobs` from the raw objects of a chat's: the same in columns. `offset` is where the first token starts in the
/// completion, in characters.
pub(super) fn logprobs(w: &mut Writer<'_, '_>, chats: &[&str], offset: u64) {
    let docs: Vec<Doc<'_>> = chats.iter().filter_map(|raw| Doc::lenient(raw.as_bytes()).ok()).collect();
    let tokens = || docs.iter().filter_map(|doc| doc.root().get("content")).flat_map(Node::items);
    w.key("logprobs");
    if tokens().next().is_none() {
        return w.null();
    }
    w.object(|w| {
        w.key("tokens").array(|w| tokens().for_each(|token| word(w, token)));
        w.key("token_logprobs").array(|w| tokens().for_each(|token| number(w, token)));
        w.key("top_logprobs").array(|w| {
            for token in tokens() {
                let mut seen = Vec::new();
                w.object(|w| {
                    for other in token.get("top_logprobs").into_iter().flat_map(Node::items) {
                        let Some(name) = other.get("token").and_then(Node::text) else { continue };
                        // Tokens that are parts of characters may look the same.
                        if !seen.contains(&name) {
                            w.name(&name);
                            number(w, other);
                            seen.push(name);
                        }
                    }
                });
            }
        });
        w.key("text_offset").array(|w| {
            let mut at = offset;
            for token in tokens() {
                w.u64(at);
                let length = token.get("token").and_then(Node::str).map_or(0, |text| shape::length(&text));
                at = at.saturating_add(length);
            }
        });
    });
}

fn word(w: &mut Writer<'_, '_>, token: Node<'_>) {
    w.str(&token.get("token").and_then(Node::str).unwrap_or_default());
}

fn number(w: &mut Writer<'_, '_>, token: Node<'_>) {
    match token.get("logprob").filter(|value| value.f64().is_some()) {
        Some(value) => w.raw(value.raw()),
        None => w.null(),
    }
}
