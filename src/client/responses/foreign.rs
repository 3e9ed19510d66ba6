//! What other providers' answers have left in a conversation that goes on where the provider speaks this format: thought
//! of theirs, which OpenAI cannot read and refuses.

use super::seal;
use crate::json::{Doc, Edits, Node};
use crate::wire::Dropped;

/// The request without it; nothing if there is nothing of it.
pub fn without(doc: &Doc<'_>, dropped: &mut Dropped) -> Option<Vec<u8>> {
    let input = doc.root().get("input")?;
    let mut edits = Edits::default();
    edits.remove_items(input, is_foreign);
    (!edits.is_empty()).then(|| {
        dropped.forget("reasoning");
        edits.apply(doc).into_bytes()
    })
}

/// Whether an item is thought that was marked here.
fn is_foreign(item: Node<'_>) -> bool {
    item.get("encrypted_content").is_some_and(|sealed| seal::open(sealed).is_some())
}
