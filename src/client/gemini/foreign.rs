//! What other providers' answers have left in a conversation that goes on at Google.

use super::name::member;
use super::signature;
use crate::json::{Change, Doc, Edits, Node};
use crate::wire::Dropped;
use crate::wire::gemini::UNSIGNED;

/// The request without it; nothing if there is nothing of it. A call must be signed: Google has a word for one that another model
/// made.
pub fn without(doc: &Doc<'_>, dropped: &mut Dropped) -> Option<Vec<u8>> {
    let mut edits = Edits::default();
    let contents = doc.root().get("contents")?;
    edits.remove_items(contents, says_nothing);
    for parts in contents.items().filter(|content| !says_nothing(*content)).filter_map(|content| content.get("parts")) {
        edits.remove_items(parts, is_foreign_thought);
        for part in parts.items().filter(|part| !is_foreign_thought(*part) && is_foreign(*part)) {
            for name in ["thoughtSignature", "thought_signature"].into_iter().filter(|name| part.get(name).is_some()) {
                let called = member(part, "functionCall").is_some();
                let sentinel = format!("\"{UNSIGNED}\"");
                let change = if called { Change::Set(&sentinel) } else { Change::Remove };
                edits.members(part, &[(name, change)]);
            }
        }
    }
    if edits.is_empty() {
        return None;
    }
    dropped.forget("reasoning");
    Some(edits.apply(doc).into_bytes())
}

/// Whether a turn is made of nothing but such thought: Google refuses one without parts.
fn says_nothing(content: Node<'_>) -> bool {
    let parts = || content.get("parts").into_iter().flat_map(Node::items);
    parts().next().is_some() && parts().all(is_foreign_thought)
}

fn is_foreign_thought(part: Node<'_>) -> bool {
    part.get("thought").and_then(Node::bool) == Some(true) && is_foreign(part)
}

/// Whether a part is signed by another than Google.
fn is_foreign(part: Node<'_>) -> bool {
    member(part, "thoughtSignature").and_then(Node::text).is_some_and(|text| signature::is_foreign(&text))
}
