//! `keys` and `teams`: callers.

use std::collections::{BTreeMap, HashMap};

use super::model::Models;
use super::pattern;
use super::read::Value;
use super::upstream::Upstreams;
use super::{Allowed, Key, limit, time};
use crate::error::shorten;

/// What an id holds beside letters and digits.
const ID: &str = "_.:@/-";

/// The longest id.
const LONGEST: usize = 128;

/// Whether `id` can be the id of a key.
pub fn is_key_id(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || ID.contains(c))
}

/// The keys, and how they are found.
#[derive(Default)]
pub(super) struct Keys {
    /// In the order of the document.
    pub(super) list: Vec<Key>,
    /// By hash.
    pub(super) hashes: HashMap<[u8; 32], usize>,
    /// By id.
    pub(super) ids: HashMap<String, usize>,
}

/// What keys are checked against.
pub(super) struct Against<'a> {
    /// What clients may ask for; `None` if it is not known.
    pub(super) models: Option<&'a Models>,
    /// The teams by their ids; `None` if none are listed or they are not known.
    pub(super) teams: Option<&'a BTreeMap<String, Allowed>>,
    /// The upstreams.
    pub(super) upstreams: &'a Upstreams,
    /// Whether callers are known by their virtual key.
    pub(super) need_hash: bool,
}

/// Reads `teams`: what each may use, by its id. `models` are what clients may ask for, if that is known.
pub(super) fn teams(value: &Value<'_>, models: Option<&Models>) -> Option<BTreeMap<String, Allowed>> {
    let mut teams = BTreeMap::new();
    for value in value.list(10_000)? {
        let Some(mut fields) = value.fields() else { continue };
        let id = fields.need("id", "give the team an id");
        let allowed = limit::with_budget(&mut fields, models);
        fields.finish();
        if let Some(value) = id
            && let Some(id) = value.word(LONGEST, ID)
            && teams.insert(id.clone(), allowed.unwrap_or_default()).is_some()
        {
            value.fault(format!("a team with the id `{id}` is listed already"));
        }
    }
    Some(teams)
}

/// Reads `keys`.
pub(super) fn read(value: &Value<'_>, against: &Against<'_>) -> Option<Keys> {
    let mut keys = Keys::default();
    let mut known = HashMap::new();
    for (place, value) in value.list(100_000)?.iter().enumerate() {
        if let Some(key) = one(value, place, against, &mut keys, &mut known) {
            keys.list.push(key);
        }
    }
    Some(keys)
}

/// Reads one key. `known` remembers which names of models were found.
fn one(
    value: &Value<'_>,
    place: usize,
    against: &Against<'_>,
    keys: &mut Keys,
    known: &mut HashMap<String, bool>,
) -> Option<Key> {
    let mut fields = value.fields()?;
    let id = fields.need("id", "give the key an id").and_then(|value| {
        let id = value.word(LONGEST, ID)?;
        if keys.ids.insert(id.clone(), place).is_some() {
            value.fault(format!("a key with the id `{id}` is listed already"));
        }
        Some(id)
    });
    match fields.take("hash") {
        Some(value) => hash(&value, place, keys),
        None if against.need_hash => {
            value.fault_in("hash", "missing; `dragoman key new` makes a key and prints its hash");
        }
        None => {}
    }
    let models = fields.maybe("models", |value| models(value, against, known));
    let team = fields.maybe("team", |value| team(value, against));
    let expires = fields.maybe("expires", time::timestamp);
    let upstreams = fields.or_default("upstreams", |value| upstreams(value, against));
    let disabled = fields.or_default("disabled", Value::bool);
    let tags = fields.or_default("tags", tags);
    let allowed = limit::with_budget(&mut fields, against.models);
    fields.finish();
    Some(Key {
        id: id?,
        models: models?,
        team: team?,
        expires: expires?,
        disabled: disabled?,
        upstreams: upstreams?,
        tags: tags?,
        allowed: allowed?,
    })
}

/// `sha256:` and 64 hexadecimal digits. The text is not repeated: it may be the secret itself.
fn hash(value: &Value<'_>, place: usize, keys: &mut Keys) {
    let Some(text) = value.text() else { return };
    let Some(hash) = text.strip_prefix("sha256:").and_then(decode_hex) else {
        value.fault("expected `sha256:` and 64 hexadecimal digits, the SHA-256 of the secret");
        return;
    };
    if keys.hashes.insert(hash, place).is_some() {
        value.fault("another key has the same hash");
    }
}

fn decode_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, at) in hash.iter_mut().zip((0_usize..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at.saturating_add(2))?, 16).ok()?;
    }
    Some(hash)
}

fn models(value: &Value<'_>, against: &Against<'_>, known: &mut HashMap<String, bool>) -> Option<Vec<String>> {
    let names = value.each(1000, |value| {
        let name = pattern::read(value)?;
        if let Some(models) = against.models.filter(|_| value.may_warn())
            && !*known.entry(name.clone()).or_insert_with(|| models.knows(&name))
        {
            value.warn(format!("no model is called `{}`", shorten(&name)));
        }
        Some(name)
    })?;
    if names.is_empty() {
        value.warn("the key may ask for no model; to allow all, remove the list");
    }
    Some(names)
}

fn upstreams(value: &Value<'_>, against: &Against<'_>) -> Option<Vec<String>> {
    value.each(1000, |value| {
        let name = value.text()?;
        if name != "*" {
            let place = against.upstreams.find(value, &name)?;
            let passes = against.upstreams.list.get(place)?.as_ref().is_none_or(|upstream| !upstream.pass.is_empty());
            if !passes {
                value.warn(format!("`upstreams.{}` passes nothing on: it has no `pass`", shorten(&name)));
            }
        }
        Some(name.into_owned())
    })
}

fn team(value: &Value<'_>, against: &Against<'_>) -> Option<String> {
    let id = value.word(LONGEST, ID)?;
    if let Some(teams) = against.teams.filter(|teams| !teams.contains_key(&id)) {
        value.unknown("team", &id, teams.keys().map(String::as_str), "it must stand in `teams`");
    }
    Some(id)
}

fn tags(value: &Value<'_>) -> Option<Vec<String>> {
    let tag = |value: &Value<'_>| {
        let tag = value.text()?;
        if !(1..=64).contains(&tag.len()) || tag.chars().any(|c| c.is_control() || c == ',') {
            value.fault("a tag has 1 to 64 bytes, no commas and no control characters");
            return None;
        }
        Some(tag.into_owned())
    };
    value.each(32, tag)
}
