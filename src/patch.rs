//! The last changes to a body: what an upstream's configuration and its provider's quirks ask for.

use crate::config::Params;
use crate::error::Error;
use crate::json::{Change, Edits, Node};
use crate::provider::{CallIds, Quirks};
use crate::wire::openai::refuses_old_limit;
use crate::wire::{Dropped, names};

/// Whether there may be anything to do to a body that a wire has written. Nothing foreign stands in those.
pub fn is_needed(params: &Params, quirks: &Quirks) -> bool {
    let plain = params.default.is_empty()
        && params.force.is_empty()
        && params.drop.is_empty()
        && quirks.drop.iter().all(|name| UNWRITTEN.contains(name))
        && quirks.rename.is_empty()
        && quirks.clamp.is_empty()
        && quirks.stream_options
        && quirks.developer_role
        && !matches!(quirks.call_ids, CallIds::Exactly(_));
    !plain
}

/// Changes the top level of a body for `model`, and what stands in its messages and tools.
pub fn apply(
    root: Node<'_>,
    model: &str,
    params: &Params,
    quirks: &Quirks,
    dropped: &mut Dropped,
    edits: &mut Edits,
) -> Result<(), Error> {
    let has = |name: &str| root.members().any(|(n, _)| n == name);
    // Clients write null for what they do not set.
    let brings = |name: &str| root.members().any(|(n, value)| n == name && !value.is_null());
    let mut changes: Vec<(&str, Change<'_>)> = Vec::new();
    let forced = |name: &str| params.force.iter().any(|(n, _)| n == name);

    // A limit on output has two names, and a client's own counts under either.
    let limited = LIMITS.iter().any(|name| brings(name) || forced(name));
    for (name, json) in &params.default {
        let settled = brings(name) || forced(name) || (limited && LIMITS.contains(&name.as_str()));
        if !settled {
            changes.push((name, Change::Set(json)));
        }
    }
    for (name, json) in &params.force {
        changes.push((name, Change::Set(json)));
    }
    for name in params.drop.iter().filter(|name| has(name)) {
        if brings(name) && name != STREAM_OPTIONS {
            dropped.forget(name.clone());
        }
        changes.push((name, Change::Remove));
    }
    // A forced limit stands alone: some servers would take the client's, under the other name.
    if LIMITS.iter().any(|name| forced(name)) {
        let others = LIMITS.iter().copied().filter(|name| has(name) && !forced(name));
        changes.extend(others.map(|name| (name, Change::Remove)));
    }

    let numbers: Vec<(&str, String)> = quirks.clamp.iter().filter_map(|&limit| clamp(root, limit)).collect();
    for (name, json) in &numbers {
        if changed(&changes, name) {
            continue;
        }
        dropped.note(name.to_string())?;
        changes.push((name, Change::Set(json)));
    }
    for &name in quirks.drop.iter().filter(|name| has(name)) {
        if brings(name) {
            dropped.note(name)?;
        }
        changes.retain(|(n, _)| *n != name);
        changes.push((name, Change::Remove));
    }
    for &(ours, theirs) in quirks.rename {
        if !has(ours) || changed(&changes, ours) || (theirs == OLD_LIMIT && refuses_old_limit(model)) {
            continue;
        }
        let both = brings(theirs) || changed(&changes, theirs);
        if !both && has(theirs) {
            changes.push((theirs, Change::Remove));
        }
        changes.push((ours, if both { Change::Remove } else { Change::Rename(theirs) }));
    }
    if !quirks.stream_options && has(STREAM_OPTIONS) {
        changes.push((STREAM_OPTIONS, Change::Remove));
    }
    if !changes.is_empty() {
        edits.members(root, &changes);
    }
    inner(root, quirks, dropped, edits);
    Ok(())
}

/// Changes messages, their parts, and tools.
fn inner(root: Node<'_>, quirks: &Quirks, dropped: &mut Dropped, edits: &mut Edits) {
    if quirks.developer_role && quirks.foreign.is_empty() && quirks.call_ids == CallIds::Any {
        return;
    }
    for message in root.get("messages").into_iter().flat_map(Node::items) {
        let mut changes = Vec::new();
        for (name, value) in message.members() {
            match &*name {
                "content" => value.items().for_each(|part| clean(part, quirks, dropped, edits)),
                "role" if !quirks.developer_role && value.str().is_some_and(|role| role == "developer") => {
                    changes.push(("role", Change::Set("\"system\"")));
                }
                "role" => {}
                "tool_call_id" => call_id(value, quirks.call_ids, edits),
                "tool_calls" => {
                    let ids = value.items().filter_map(|call| call.get("id"));
                    ids.for_each(|id| call_id(id, quirks.call_ids, edits));
                }
                name => changes.extend(foreign(name, value, quirks, dropped)),
            }
        }
        if !changes.is_empty() {
            edits.members(message, &changes);
        }
    }
    for tool in root.get("tools").into_iter().flat_map(Node::items) {
        clean(tool, quirks, dropped, edits);
        tool.get("function").into_iter().for_each(|function| clean(function, quirks, dropped, edits));
    }
}

/// Takes members out of an object that the provider does not know.
fn clean(object: Node<'_>, quirks: &Quirks, dropped: &mut Dropped, edits: &mut Edits) {
    let members = object.members();
    let changes: Vec<_> = members.filter_map(|(name, value)| foreign(&name, value, quirks, dropped)).collect();
    if !changes.is_empty() {
        edits.members(object, &changes);
    }
}

/// What becomes of a member that the provider does not know.
fn foreign(
    name: &str,
    value: Node<'_>,
    quirks: &Quirks,
    dropped: &mut Dropped,
) -> Option<(&'static str, Change<'static>)> {
    let name = *quirks.foreign.iter().find(|foreign| name == **foreign)?;
    if !value.is_null() {
        dropped.forget(name);
    }
    Some((name, Change::Remove))
}

/// Changes an id that the provider refuses: the same way in a call and in its result.
fn call_id(id: Node<'_>, ids: CallIds, edits: &mut Edits) {
    let given = id.str().unwrap_or_default();
    let sent = match ids {
        CallIds::Exactly(length) => names::exact_id(&given, length),
        CallIds::UpTo(most) if given.to_text().len() > most => names::tool_id(&given, most),
        CallIds::Any | CallIds::UpTo(_) => return,
    };
    if sent != given {
        edits.replace(id, sent.to_json());
    }
}

/// Whether an upstream may be asked for usage at the end of a stream.
pub fn may_ask_for_usage(params: &Params, quirks: &Quirks) -> bool {
    quirks.stream_options && !params.drop.iter().any(|name| name == STREAM_OPTIONS)
}

/// How usage is asked for: the gateway's own matter, so it is not reported where it goes.
const STREAM_OPTIONS: &str = "stream_options";

/// Fields that clients of OpenAI's format may send, and that its wire never writes.
const UNWRITTEN: &[&str] = &["thinking", "top_k"];

/// The names of the limit on output.
const LIMITS: &[&str] = &["max_completion_tokens", OLD_LIMIT];

/// The older of them.
const OLD_LIMIT: &str = "max_tokens";

fn changed(changes: &[(&str, Change<'_>)], name: &str) -> bool {
    changes.iter().any(|(n, _)| *n == name)
}

/// The nearest number that the provider takes, if the one in the body is outside its range.
fn clamp<'n>(root: Node<'_>, (name, least, most): (&'n str, f64, f64)) -> Option<(&'n str, String)> {
    let number = root.get(name)?.f64()?;
    let clamped = number.clamp(least, most);
    // `Display` writes a whole number without a point, as counts such as `n` need it.
    (clamped != number).then(|| (name, clamped.to_string()))
}
