//! What the filter's reader refuses goes again, so that the document is one that it takes. The reader alone says what this
//! version has: what it takes one day is written from that day on.

use std::collections::{HashMap, HashSet};

use dragoman::config::Config;
use serde_json::Value;

use super::draft::{Draft, Model};
use super::report::Report;

/// More rounds than a document needs: each takes away all that the reader tells of, and it tells of many things at once.
const ROUNDS: usize = 10_000;

/// What the reader says of things that it does not have.
const LACKING: &str = " yet";

/// Members without which what they stand in means nothing, or allows more: (list, member).
const NEEDED: &[(&str, &str)] = &[
    ("upstreams", "base_url"),
    ("upstreams", "credentials"),
    ("upstreams", "options"),
    ("upstreams", "provider"),
    ("models", "name"),
    ("models", "upstreams"),
    ("keys", "budget"),
    ("keys", "expires"),
    ("keys", "hash"),
    ("keys", "id"),
    ("keys", "limits"),
    ("keys", "team"),
    ("teams", "budget"),
    ("teams", "id"),
    ("teams", "limits"),
];

/// A step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Member(String),
    Item(usize),
}

/// Settles the document.
pub fn settle(draft: &mut Draft, report: &mut Report) {
    let document = draft.value();
    let shares = |model: &str| draft.models.iter().find(|known| known.name == model).map(Model::shares);
    draft.document = settled(document, &shares, report);
}

/// The document without what the reader refuses. `shares` are a model's upstreams with their weights.
fn settled(mut document: Value, shares: &dyn Fn(&str) -> Option<Value>, report: &mut Report) -> Value {
    for _ in 0..ROUNDS {
        let Err(faults) = Config::parse_upstreams(document.to_string().as_bytes(), &|_| None) else { break };
        let mut gone = HashMap::new();
        let mut touched = HashSet::new();
        // The last first: so the places of the others stay what they are. One fault of a thing at a time: what else is said
        // of it may be of what is no more.
        for fault in faults.iter().rev() {
            let reason = fault.message.split(';').next().unwrap_or_default();
            let (path, whole) = path(&document, &fault.place);
            let is_place = whole || path.len() >= 2;
            if !is_place || !touched.insert(path.get(..2).unwrap_or(&path).to_vec()) {
                continue;
            }
            if rebalance(&mut document, &path, shares, report) {
                continue;
            }
            if lacks(&mut document, &path, reason, &mut gone, report) {
                break;
            }
            give_up(&mut document, path, reason, &mut gone, report);
        }
        report.withdraw(&gone);
        if touched.is_empty() {
            break;
        }
    }
    document
}

/// Has a model whose balance is refused balanced by weight; whether it was that.
fn rebalance(document: &mut Value, path: &[Step], shares: &dyn Fn(&str) -> Option<Value>, report: &mut Report) -> bool {
    let label = label(document, path);
    if let [Step::Member(list), _, Step::Member(member)] = path
        && (list.as_str(), member.as_str()) == ("models", "balance")
        && let Some(model) = at(document, path.get(..2).unwrap_or_default())
        && model.get("balance").is_some_and(|balance| balance != "weighted")
    {
        let shares = model.get("name").and_then(Value::as_str).and_then(shares);
        let changed = shares.into_iter().map(|shares| ("upstreams".to_owned(), shares));
        if let Some(members) = model.as_object_mut() {
            members.extend(changed.chain([("balance".to_owned(), "weighted".into())]));
        }
        report.replace(&label, "by weight: of what that goes by the deployments tell nothing");
        return true;
    }
    false
}

/// Takes a member that this version does not have from all things that have it; whether it was that.
fn lacks(
    document: &mut Value,
    path: &[Step],
    reason: &str,
    gone: &mut HashMap<String, String>,
    report: &mut Report,
) -> bool {
    let [Step::Member(list), _, Step::Member(member)] = path else { return false };
    if !reason.contains(LACKING) || member == "credentials" {
        return false;
    }
    let things: Vec<Step> = match document.get(list) {
        Some(Value::Object(members)) => members.keys().cloned().map(Step::Member).collect(),
        Some(Value::Array(items)) => (0..items.len()).map(Step::Item).collect(),
        _ => return false,
    };
    let note = format!("this version has no `{member}` of {list}: {reason}");
    for thing in things {
        let path = [Step::Member(list.clone()), thing, Step::Member(member.clone())];
        let label = label(document, &path);
        if remove(document, &path) {
            gone.insert(label, note.clone());
        }
    }
    gone.insert(format!("{list}[].{member}"), note.clone());
    // What bounds spending may not go unnoticed.
    if matches!(member.as_str(), "budget" | "limits") {
        report.step(note);
    }
    true
}

/// Takes away what the reader refuses.
fn give_up(
    document: &mut Value,
    mut path: Vec<Step>,
    reason: &str,
    gone: &mut HashMap<String, String>,
    report: &mut Report,
) {
    let refused = label(document, &path);
    if let [Step::Member(list), _, Step::Member(member), rest @ ..] = path.as_slice() {
        let is_whole = rest.is_empty() || list != "models";
        if is_whole && NEEDED.contains(&(list.as_str(), member.as_str())) {
            path.truncate(2);
        }
    }
    let label = label(document, &path);
    remove(document, &path);
    gone.insert(label.clone(), format!("this version refuses `{refused}`: {reason}"));
    if label != refused {
        report.step(format!("`{label}` is left out: `{refused}`: {reason}"));
    }
}

/// The steps to a place, as far as there is something, and whether that is all the way.
fn path(document: &Value, place: &str) -> (Vec<Step>, bool) {
    let (mut value, mut rest, mut path) = (document, place, Vec::new());
    while !rest.is_empty() {
        let next = match value {
            Value::Object(members) => {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let found = members.iter().filter_map(|(member, value)| {
                    let after = name.strip_prefix(member.as_str())?;
                    let ends = after.is_empty() || after.starts_with(['.', '[']);
                    ends.then(|| (Step::Member(member.clone()), value, after))
                });
                found.max_by_key(|(step, _, _)| match step {
                    Step::Member(name) => name.len(),
                    Step::Item(_) => 0,
                })
            }
            Value::Array(items) => {
                rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).and_then(|(at, after)| {
                    let at = at.parse().ok()?;
                    Some((Step::Item(at), items.get(at)?, after))
                })
            }
            _ => None,
        };
        let Some((step, inside, after)) = next else { break };
        path.push(step);
        (value, rest) = (inside, after);
    }
    (path, rest.is_empty())
}

/// The place for people: things in lists by their names.
fn label(document: &Value, path: &[Step]) -> String {
    let (mut value, mut label) = (Some(document), String::new());
    for step in path {
        value = match (step, value) {
            (Step::Member(name), Some(inside)) => {
                if !label.is_empty() {
                    label.push('.');
                }
                label.push_str(name);
                inside.get(name)
            }
            (Step::Item(at), Some(inside)) => {
                let item = inside.get(at);
                let name = item.and_then(|item| item.get("name").or(item.get("id")).or(Some(item))?.as_str());
                label.push_str(&format!("[{}]", name.map_or_else(|| at.to_string(), str::to_owned)));
                item
            }
            (_, None) => None,
        };
    }
    label
}

fn at<'d>(document: &'d mut Value, path: &[Step]) -> Option<&'d mut Value> {
    path.iter().try_fold(document, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Item(at) => value.get_mut(at),
    })
}

/// Takes a value away, and what is empty without it.
fn remove(document: &mut Value, path: &[Step]) -> bool {
    let Some((last, outer)) = path.split_last() else { return false };
    let Some(inside) = at(document, outer) else { return false };
    let (removed, empty) = match (last, inside) {
        (Step::Member(name), Value::Object(members)) => (members.shift_remove(name).is_some(), members.is_empty()),
        (Step::Item(at), Value::Array(items)) if *at < items.len() => {
            items.remove(*at);
            // An empty list of models is none that may be used.
            (true, items.is_empty() && outer.len() == 1)
        }
        _ => (false, false),
    };
    if removed && empty && !outer.is_empty() {
        remove(document, outer);
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn steps(document: &Value, place: &str) -> String {
        label(document, &path(document, place).0)
    }

    #[test]
    fn places_are_found() {
        let document = json!({
            "upstreams": {"a": {}, "a.b": {"limits": {"rpm": 1}}},
            "models": [{"name": "m", "upstreams": ["a", {"name": "a.b"}]}],
            "keys": [{"id": "k"}],
        });
        for (place, expected) in [
            ("upstreams.a.b.limits.rpm", "upstreams.a.b.limits.rpm"),
            ("upstreams.a.base_url", "upstreams.a"),
            ("models[0].upstreams[1]", "models[m].upstreams[a.b]"),
            ("models[0].upstreams[0]", "models[m].upstreams[a]"),
            ("keys[0].hash", "keys[k]"),
            ("nothing", ""),
        ] {
            assert_eq!(steps(&document, place), expected, "{place}");
        }
    }

    #[test]
    fn what_is_refused_goes_with_what_it_leaves_empty() {
        let document = json!({
            "upstreams": {
                "bad": {"provider": "nobody", "credentials": 1, "options": 2},
                "good": {"provider": "openai", "credentials": "none", "params": {"force": {"model": "x"}}},
            },
            "models": [
                {"name": "lost", "upstreams": ["bad"], "upstream_models": {"bad": "x"}},
                {"name": "kept", "upstreams": ["bad", "good"], "upstream_models": {"bad": "x"}, "balance": "nonsense"},
            ],
            "keys": [{"id": "spent", "expires": "soon", "hash": "x"}, {"id": "good", "tags": ["a,b"]}],
        });
        let mut report = Report::default();
        report.exact("a", "models[lost].name");
        report.exact("b", "models[kept].balance");
        report.exact("c", "upstreams.good.params.force.model");
        report.exact("d", "keys[spent].hash");
        let shares = |_: &str| Some(json!(["bad", {"name": "good", "weight": 2}]));
        let expected = json!({
            "upstreams": {"good": {"provider": "openai", "credentials": "none"}},
            "models": [{"name": "kept", "upstreams": [{"name": "good", "weight": 2}], "balance": "weighted"}],
            "keys": [{"id": "good", "tags": []}],
        });
        assert_eq!(settled(document, &shares, &mut report), expected);
        let text = report.text();
        for line in [
            "a: unsupported (this version refuses `models[lost].upstreams`: ",
            "b: approximate -> models[kept].balance (by weight: of what that goes by the deployments tell nothing)",
            "c: unsupported (this version refuses `upstreams.good.params.force.model`: ",
            "d: unsupported (this version refuses `keys[spent].hash`: ",
            "- `keys[spent]` is left out: `keys[spent].hash`: ",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
