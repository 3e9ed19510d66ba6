//! The last changes to a body: what an upstream's configuration and its provider's quirks ask for.

mod conversation;

pub use conversation::answer;

use crate::config::Params;
use crate::error::Error;
use crate::json::{Change, Edits, Kind, Node};
use crate::provider::{Effort, Quirks};
use crate::wire::Dropped;
use crate::wire::openai::refuses_old_limit;

/// Whether there may be anything to do to a body that a wire has written. Nothing foreign stands in those.
pub fn is_needed(params: &Params, quirks: &Quirks) -> bool {
    let plain = params.default.is_empty()
        && params.force.is_empty()
        && params.drop.is_empty()
        && quirks.drop.iter().all(|name| UNWRITTEN.contains(name))
        && quirks.rename.is_empty()
        && quirks.words.is_empty()
        && quirks.clamp.is_empty()
        && quirks.lists.is_empty()
        && quirks.set.is_empty()
        && quirks.stream_options
        && quirks.effort == Effort::Known
        && !conversation::is_changed(quirks);
    !plain
}

/// Changes the top level of a body for `model`, and its messages.
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
    let is_word = |name: &str| root.get(name).is_some_and(|value| value.kind() == Kind::String);
    for &(ours, theirs) in quirks.words.iter().filter(|(ours, _)| is_word(ours)) {
        if !has(theirs) && !changed(&changes, ours) {
            changes.push((ours, Change::Rename(theirs)));
        }
    }
    let lists: Vec<(&str, String)> = quirks
        .lists
        .iter()
        .filter(|n| is_word(n))
        .filter_map(|n| Some((*n, format!("[{}]", root.get(n)?.raw()))))
        .collect();
    for (name, json) in &lists {
        if !changed(&changes, name) {
            changes.push((name, Change::Set(json)));
        }
    }
    for (name, json) in quirks.set {
        if !has(name) && !changed(&changes, name) {
            changes.push((name, Change::Set(json)));
        }
    }
    if !quirks.stream_options && has(STREAM_OPTIONS) {
        changes.push((STREAM_OPTIONS, Change::Remove));
    }
    let wanted = root.get(EFFORT).and_then(Node::text).filter(|_| !changed(&changes, EFFORT));
    let effort = wanted.and_then(|word| effort(&word, quirks.effort)).unwrap_or_default();
    // What the client says in the provider's own words wins.
    if let Some((name, json)) = effort.switch.filter(|(name, _)| !brings(name) && !changed(&changes, name)) {
        changes.push((name, Change::Set(json)));
    }
    if let Some(json) = &effort.word {
        dropped.note(EFFORT)?;
        changes.push((EFFORT, Change::Set(json)));
    } else if effort.none {
        changes.push((EFFORT, Change::Remove));
    }
    if !changes.is_empty() {
        edits.members(root, &changes);
    }
    conversation::apply(root, quirks, dropped, edits);
    Ok(())
}

/// OpenAI's field of how much to think.
const EFFORT: &str = "reasoning_effort";

/// OpenAI's words for it, from the least on.
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// What becomes of an effort.
#[derive(Default)]
struct Changed {
    /// A field and its raw value.
    switch: Option<(&'static str, &'static str)>,
    /// Another word, as JSON.
    word: Option<String>,
    /// Whether no effort is sent.
    none: bool,
}

/// What becomes of an effort. A word that OpenAI does not have is the provider's own.
fn effort(word: &str, effort: Effort) -> Option<Changed> {
    let rank = |word: &str| EFFORTS.iter().position(|known| *known == word);
    let wanted = rank(word)?;
    let none = word == "none";
    let nearest = |words: &[&str]| {
        if words.contains(&word) {
            return None;
        }
        // Of two that are as near the greater one: it was to be thought about.
        let known = words.iter().rev().filter_map(|word| Some((rank(word)?.abs_diff(wanted), *word)));
        known.min_by_key(|(distance, _)| *distance).map(|(_, word)| format!("\"{word}\""))
    };
    Some(match effort {
        Effort::Known => return None,
        Effort::Switch { field, off, .. } if none => Changed { switch: Some((field, off)), word: None, none },
        Effort::Switch { field, on, words, .. } => Changed { switch: Some((field, on)), word: nearest(words), none },
        Effort::Words(words) => Changed { switch: None, word: nearest(words), none: false },
    })
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
