//! The last changes to a body: what an upstream's configuration and its provider's quirks ask for.

use crate::config::Params;
use crate::error::Error;
use crate::json::{Change, Edits, Kind, Node};
use crate::provider::Quirks;
use crate::wire::Dropped;

/// Whether there may be anything to do.
pub fn is_needed(params: &Params, quirks: &Quirks) -> bool {
    let plain = params.default.is_empty()
        && params.force.is_empty()
        && params.drop.is_empty()
        && quirks.drop.is_empty()
        && quirks.rename.is_empty()
        && quirks.clamp.is_empty()
        && quirks.stream_options
        && quirks.developer_role;
    !plain
}

/// Changes the top level of a body, and the roles of its messages.
pub fn apply(
    root: Node<'_>,
    params: &Params,
    quirks: &Quirks,
    dropped: &mut Dropped,
    edits: &mut Edits,
) -> Result<(), Error> {
    let has = |name: &str| root.members().any(|(n, _)| n == name);
    let mut changes: Vec<(&str, Change<'_>)> = Vec::new();
    let forced = |name: &str| params.force.iter().any(|(n, _)| n == name);

    // A limit on output has two names, and a client's own counts under either.
    let limited = LIMITS.iter().any(|name| has(name));
    for (name, json) in &params.default {
        let brought = has(name) || limited && LIMITS.contains(&name.as_str());
        if !brought && !forced(name) {
            changes.push((name, Change::Set(json)));
        }
    }
    for (name, json) in &params.force {
        changes.push((name, Change::Set(json)));
    }
    for name in params.drop.iter().filter(|name| has(name)) {
        dropped.forget(name.clone());
        changes.push((name, Change::Remove));
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
        dropped.note(name)?;
        changes.retain(|(n, _)| *n != name);
        changes.push((name, Change::Remove));
    }
    for &(ours, theirs) in quirks.rename {
        if !has(ours) || changed(&changes, ours) {
            continue;
        }
        let both = has(theirs) || changed(&changes, theirs);
        changes.push((ours, if both { Change::Remove } else { Change::Rename(theirs) }));
    }
    if !quirks.stream_options && has("stream_options") {
        changes.push(("stream_options", Change::Remove));
    }
    if !changes.is_empty() {
        edits.members(root, &changes);
    }
    if !quirks.developer_role {
        let messages = root.get("messages").into_iter().flat_map(Node::items);
        for role in messages.filter_map(|message| message.get("role")) {
            if role.kind() == Kind::String && role.raw() == "\"developer\"" {
                edits.replace(role, "\"system\"");
            }
        }
    }
    Ok(())
}

/// The names of the limit on output.
const LIMITS: &[&str] = &["max_completion_tokens", "max_tokens"];

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
