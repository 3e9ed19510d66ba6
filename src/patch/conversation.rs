//! The changes that a provider's quirks ask for inside of messages, and inside of answers that are spliced.

use crate::json::{Change, Edits, Kind, Node, Str};
use crate::provider::{CallIds, Quirks, Thought};
use crate::wire::{Dropped, names};

/// The member in which clients of OpenAI's format read thought, and give it back.
const THOUGHT: &str = "reasoning_content";

/// Whether messages that a wire has written may have to be changed. Nothing foreign stands in those.
pub(super) fn is_changed(quirks: &Quirks) -> bool {
    !quirks.developer_role
        || matches!(quirks.call_ids, CallIds::Exactly(_))
        || quirks.prefill.is_some()
        || is_renamed(quirks.thought)
}

/// Whether thought is given back otherwise than clients do it.
fn is_renamed(thought: Thought) -> bool {
    matches!(thought, Thought::Parts { takes: true })
        || matches!(thought, Thought::Field { takes, .. } if takes != THOUGHT)
}

/// Changes the messages and tools of a body.
pub(super) fn apply(root: Node<'_>, quirks: &Quirks, dropped: &mut Dropped, edits: &mut Edits) {
    if !is_changed(quirks) && quirks.foreign.is_empty() && quirks.call_ids == CallIds::Any {
        return;
    }
    let mut messages = root.get("messages").into_iter().flat_map(Node::items).peekable();
    while let Some(message) = messages.next() {
        change(message, messages.peek().is_none(), quirks, dropped, edits);
    }
    if quirks.foreign.is_empty() {
        return;
    }
    for tool in root.get("tools").into_iter().flat_map(Node::items) {
        clean(tool, quirks, dropped, edits);
        tool.get("function").into_iter().for_each(|function| clean(function, quirks, dropped, edits));
    }
}

/// Takes members out of an object that the provider does not know.
fn clean(object: Node<'_>, quirks: &Quirks, dropped: &mut Dropped, edits: &mut Edits) {
    let changes: Vec<_> = foreign(object, None, quirks, dropped).collect();
    if !changes.is_empty() {
        edits.members(object, &changes);
    }
}

/// The members of an object that the provider does not know, but for one whose lot is settled.
fn foreign<'f>(
    object: Node<'f>,
    settled: Option<&'f str>,
    quirks: &'f Quirks,
    dropped: &'f mut Dropped,
) -> impl Iterator<Item = (&'static str, Change<'static>)> + 'f {
    object.members().filter_map(move |(name, value)| {
        let name = *quirks.foreign.iter().find(|foreign| name == **foreign && settled != Some(**foreign))?;
        if !value.is_null() {
            dropped.forget(name);
        }
        Some((name, Change::Remove))
    })
}

fn change(message: Node<'_>, last: bool, quirks: &Quirks, dropped: &mut Dropped, edits: &mut Edits) {
    let is = |name: &str, json: &str| message.get(name).is_some_and(|value| value.raw() == json);
    let mut set: Vec<(&str, String)> = Vec::new();
    let mut changes: Vec<(&str, Change<'_>)> = Vec::new();
    if !quirks.developer_role && is("role", "\"developer\"") {
        set.push(("role", "\"system\"".to_owned()));
    }
    if let Some(flag) = quirks.prefill.filter(|flag| last && is("role", "\"assistant\"") && message.get(flag).is_none())
    {
        set.push((flag, "true".to_owned()));
    }
    if quirks.call_ids != CallIds::Any {
        let changed = |id: Node<'_>| changed_id(id, quirks.call_ids);
        set.extend(message.get("tool_call_id").and_then(changed).map(|id| ("tool_call_id", id)));
        let ids = message.get("tool_calls").into_iter().flat_map(Node::items).filter_map(|call| call.get("id"));
        for (id, other) in ids.filter_map(|id| Some((id, changed(id)?))) {
            edits.replace(id, other);
        }
    }
    if !quirks.foreign.is_empty() {
        let parts = message.get("content").into_iter().flat_map(Node::items);
        parts.for_each(|part| clean(part, quirks, dropped, edits));
    }
    let models = message.get("role").and_then(Node::str).is_some_and(|role| role == "assistant");
    let moves = models && is_renamed(quirks.thought);
    if let Some(thought) = message.get(THOUGHT).and_then(Node::str).filter(|_| moves) {
        match quirks.thought {
            Thought::Field { takes, .. } if message.get(takes).is_none() => {
                changes.push((THOUGHT, Change::Rename(takes)));
            }
            _ => changes.push((THOUGHT, Change::Remove)),
        }
        if matches!(quirks.thought, Thought::Parts { .. }) && !thought.is_empty() {
            set.push(("content", parts(&thought, message.get("content"))));
        }
    }
    // Thought that has been moved is not lost.
    let settled = changes.first().map(|(name, _)| *name);
    for (name, change) in foreign(message, settled, quirks, dropped) {
        changes.push((name, change));
    }
    changes.extend(set.iter().map(|(name, json)| (*name, Change::Set(json))));
    if !changes.is_empty() {
        edits.members(message, &changes);
    }
}

/// An id that the provider takes, as JSON, if this one is another: the same in a call and in its result.
fn changed_id(id: Node<'_>, ids: CallIds) -> Option<String> {
    let given = id.str()?;
    let sent = match ids {
        CallIds::Exactly(length) => names::exact_id(&given, length),
        CallIds::UpTo(most) if given.to_text().len() > most => names::tool_id(&given, most),
        CallIds::Any | CallIds::UpTo(_) => return None,
    };
    (sent != given).then(|| sent.to_json())
}

/// Content as parts, with a thought in front.
fn parts(thought: &Str<'_>, content: Option<Node<'_>>) -> String {
    let mut json = format!(r#"[{{"type":"thinking","thinking":[{{"type":"text","text":{}}}]}}"#, thought.to_json());
    match content {
        Some(content) if content.kind() == Kind::Array => {
            content.items().for_each(|part| json.extend([",", part.raw()]));
        }
        Some(content) if content.str().is_some_and(|text| !text.is_empty()) => {
            json.extend([r#",{"type":"text","text":"#, content.raw(), "}"]);
        }
        _ => {}
    }
    json.push(']');
    json
}

/// Changes what a provider says, whole or in an event of a stream, to where clients of OpenAI's format read it.
pub fn answer(root: Node<'_>, thought: Thought, edits: &mut Edits) {
    if matches!(thought, Thought::Hidden | Thought::Field { says: THOUGHT, .. }) {
        return;
    }
    for choice in root.get("choices").into_iter().flat_map(Node::items) {
        let Some(said) = choice.get("delta").or_else(|| choice.get("message")) else { continue };
        match thought {
            Thought::Field { says, .. } if said.get(says).is_some() && said.get(THOUGHT).is_none() => {
                edits.members(said, &[(says, Change::Rename(THOUGHT))]);
            }
            Thought::Parts { .. } => said.get("content").into_iter().for_each(|content| join(said, content, edits)),
            Thought::Field { .. } | Thought::Hidden => {}
        }
    }
}

/// Puts content that is made of parts into strings: text and thought.
fn join(said: Node<'_>, content: Node<'_>, edits: &mut Edits) {
    if content.kind() != Kind::Array {
        return;
    }
    let (mut text, mut thought) = (String::from("\""), String::from("\""));
    for part in content.items() {
        let piece = |part: Node<'_>, out: &mut String| {
            part.get("text").and_then(Node::str).into_iter().for_each(|piece| piece.escape_into(out));
        };
        match part.get("thinking").or_else(|| part.get("summary")) {
            Some(inner) => inner.items().for_each(|inner| piece(inner, &mut thought)),
            None => piece(part, &mut text),
        }
    }
    text.push('"');
    thought.push('"');
    let thinks = thought.len() > 2;
    let mut changes = vec![("content", Change::Set(&text))];
    if thinks {
        changes.push((THOUGHT, Change::Set(&thought)));
    }
    edits.members(said, &changes);
}
