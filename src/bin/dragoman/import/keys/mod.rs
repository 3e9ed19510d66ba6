//! Virtual keys and teams. LiteLLM keeps the SHA-256 of a key's secret, and so do we: secrets stay what they are.

mod row;

use std::collections::{BTreeMap, BTreeSet};

use dragoman::config::is_key_id;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::row::{Reading, text};
use super::draft::Draft;
use super::dump::{Dump, Row};
use super::report::{Level, Report};
use super::source::{Source, Written, truth, written};

/// The team of the keys by which LiteLLM knows who is signed in.
const DASHBOARD: &str = "litellm-dashboard";

/// The shortest master key that is hard to guess.
const STRONG: usize = 20;

/// Teams by LiteLLM's id.
type Teams<'d> = BTreeMap<String, (String, &'d Row)>;

/// The dump, and what of it was taken over.
struct Keys<'d> {
    dump: &'d Dump,
    teams: Teams<'d>,
    ids: BTreeSet<String>,
    hashes: BTreeSet<String>,
}

/// Reads the master key and the dump.
pub fn read(source: &Source<'_>, dump: &Dump, draft: &mut Draft, report: &mut Report) {
    draft.client_auth = "keys".to_owned();
    master(source, draft, report);
    let hashes = draft.keys.iter().filter_map(|key| key.get("hash")?.as_str()).map(str::to_owned).collect();
    let ids = BTreeSet::from(["master".to_owned()]);
    let mut keys = Keys { dump, teams: teams(dump, draft, report), ids, hashes };
    for row in &dump.keys {
        key(&mut keys, row, draft, report);
    }
    if draft.keys.is_empty() && draft.client_auth == "keys" {
        report.step("nobody may call yet: `dragoman key new` makes keys, `--keys` takes LiteLLM's over");
    }
}

/// The master key: a key that may use every model.
fn master(source: &Source<'_>, draft: &mut Draft, report: &mut Report) {
    const FROM: &str = "general_settings.master_key";
    const VARIABLE: &str = "LITELLM_MASTER_KEY";
    const ADMIN: &str = "it calls every model; there is no API to administer";
    const WEAK: &str = "it is easily guessed, and so is its hash";
    let permits_none = source.setting("general_settings", "dangerously_permit_weak_or_unset_master_key");
    let value = source.setting("general_settings", "master_key");
    let secret = match value.and_then(written) {
        Some(Written::Here(secret)) => Some(secret),
        Some(Written::Variable(name)) => {
            let secret = source.variable(&name);
            if secret.is_none() {
                report.unsupported(FROM, format!("`{name}` is not set here"));
                report.step(format!("set {name} and import again, or make a key with `dragoman key new`"));
            }
            secret
        }
        None => source.variable(VARIABLE),
    };
    if value.is_some_and(|value| value == "") {
        report.unsupported(FROM, "it is empty");
    }
    if permits_none.and_then(truth) == Some(true) {
        let from = "general_settings.dangerously_permit_weak_or_unset_master_key";
        if secret.as_deref().is_none_or(str::is_empty) && value.is_none_or(|value| value == "") {
            draft.client_auth = "open".to_owned();
            report.exact(from, "client_auth");
            report.step("anybody may call: write `client_auth: keys` before others reach the port");
        } else {
            report.needless(from, "there is a master key");
        }
    }
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { return };
    let weak = secret.len() < STRONG || secret.bytes().collect::<BTreeSet<u8>>().len() < STRONG / 2;
    let from = if value.is_some() { FROM.to_owned() } else { format!("environment variable {VARIABLE}") };
    report.approximate(from, "keys[master]", if weak { format!("{ADMIN}; {WEAK}") } else { ADMIN.to_owned() });
    if weak {
        report.step("the master key is weak: replace `keys[master]` (`dragoman key new --id master`)");
    }
    let key = json!({"id": "master", "hash": hash(&secret)});
    draft.keys.extend(key.as_object().cloned());
}

fn hash(secret: &str) -> String {
    let digest: String = Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digest}")
}

fn teams<'d>(dump: &'d Dump, draft: &mut Draft, report: &mut Report) -> Teams<'d> {
    let mut teams = Teams::new();
    let mut ids = BTreeSet::new();
    for row in &dump.teams {
        let Some(team_id) = text(row, "team_id") else { continue };
        let id = free_id(text(row, "team_alias").as_deref(), &team_id, &mut ids);
        let reading = Reading { place: format!("LiteLLM_TeamTable[{id}]"), to: format!("teams[{id}]"), row };
        let mut team = Map::from_iter([("id".to_owned(), Value::from(id.clone()))]);
        reading.id("team_alias", &id, report);
        report.needless(reading.from("team_id"), "keys name the team by its new id");
        reading.limits_and_budget(row, &mut team, draft, report);
        for name in ["models", "blocked"].into_iter().filter(|name| row.contains_key(*name)) {
            report.known(reading.from(name), Level::Exact, "its keys say so themselves");
        }
        reading.metadata(&mut team, report);
        reading.rest(report);
        draft.teams.push(team);
        teams.insert(team_id, (id, row));
    }
    teams
}

fn key(keys: &mut Keys<'_>, row: &Row, draft: &mut Draft, report: &mut Report) {
    let Some(token) = text(row, "token") else { return };
    if text(row, "team_id").as_deref() == Some(DASHBOARD) {
        report.known(format!("LiteLLM_VerificationToken[{DASHBOARD}]"), Level::Exact, "sessions of LiteLLM's page end");
        return;
    }
    // Old databases hold secrets of which no hash was made.
    let hash = if token.starts_with("sk-") { hash(&token) } else { format!("sha256:{}", token.to_ascii_lowercase()) };
    let short: String = hash.chars().skip("sha256:".len()).take(12).collect();
    let id = free_id(text(row, "key_alias").as_deref(), &format!("key-{short}"), &mut keys.ids);
    let reading = Reading { place: format!("LiteLLM_VerificationToken[{id}]"), to: format!("keys[{id}]"), row };
    if !keys.hashes.insert(hash.clone()) {
        report.known(reading.from("token"), Level::Exact, "this key is there already");
        return;
    }
    let mut key = Map::from_iter([("id".to_owned(), Value::from(id.clone())), ("hash".to_owned(), hash.into())]);
    report.exact(reading.from("token"), format!("{}.hash", reading.to));
    reading.id("key_alias", &id, report);
    let team = text(row, "team_id");
    let team_row = team.as_ref().and_then(|team| keys.teams.get(team));
    if let Some(models) = reading.models(team_row.map(|(_, row)| *row), draft, report) {
        key.insert("models".to_owned(), models);
    }
    if let Some(team) = team {
        report.exact(reading.from("team_id"), format!("{}.team", reading.to));
        let name = team_row.map_or_else(|| sanitized(&team), |(id, _)| id.clone());
        if team_row.is_none() && !draft.teams.iter().any(|known| known.get("id") == Some(&name.clone().into())) {
            draft.teams.extend(json!({"id": name}).as_object().cloned());
        }
        key.insert("team".to_owned(), name.into());
    }
    let budget_id = text(row, "budget_id");
    let shared = keys.dump.budgets.iter().find(|budget| budget_id.is_some() && text(budget, "budget_id") == budget_id);
    let mut whole = row.clone();
    for (name, value) in shared.into_iter().flatten() {
        whole.entry(name.clone()).or_insert_with(|| value.clone());
    }
    reading.limits_and_budget(&whole, &mut key, draft, report);
    expiry(&reading, team_row.map(|(_, row)| *row), &mut key, report);
    aliases(&reading, draft, report);
    reading.metadata(&mut key, report);
    reading.rest(report);
    draft.keys.push(key);
}

/// From when on a key is refused, or that it is.
fn expiry(reading: &Reading<'_>, team: Option<&Row>, key: &mut Map<String, Value>, report: &mut Report) {
    let row = reading.row;
    let mut disabled = [Some(row), team].into_iter().flatten().any(is_blocked);
    if row.contains_key("expires") {
        match text(row, "expires").as_deref().and_then(timestamp) {
            Some(time) => {
                report.exact(reading.from("expires"), format!("{}.expires", reading.to));
                key.insert("expires".to_owned(), time.into());
            }
            None => {
                report.unsupported(reading.from("expires"), "expected a time; the key is disabled");
                disabled = true;
            }
        }
    }
    if administers(row) {
        disabled = true;
        for column in ["allowed_routes", "key_type"].into_iter().filter(|column| row.contains_key(*column)) {
            let note = "the key does not call models, so it is disabled";
            report.approximate(reading.from(column), format!("{}.disabled", reading.to), note);
        }
    }
    if row.contains_key("blocked") {
        report.exact(reading.from("blocked"), format!("{}.disabled", reading.to));
    }
    if disabled {
        key.insert("disabled".to_owned(), true.into());
    }
}

/// A key's own names for models.
fn aliases(reading: &Reading<'_>, draft: &mut Draft, report: &mut Report) {
    for (alias, target) in reading.row.get("aliases").and_then(Value::as_object).into_iter().flatten() {
        let from = format!("{}.{alias}", reading.from("aliases"));
        match draft.alias(alias, target.as_str().unwrap_or_default()) {
            Ok(to) => report.approximate(from, to, "for all keys that may use the model"),
            Err(reason) => report.unsupported(from, format!("aliases are of models, for all keys: {reason}")),
        }
    }
}

/// Whether a row is blocked. What is no boolean is taken for yes.
fn is_blocked(row: &Row) -> bool {
    row.get("blocked").is_some_and(|value| !value.is_null() && truth(value) != Some(false))
}

/// Whether a key is for LiteLLM's own API alone.
fn administers(row: &Row) -> bool {
    let routes = row.get("allowed_routes").and_then(Value::as_array).into_iter().flatten();
    let mut routes = routes.filter_map(Value::as_str).peekable();
    let own = |route: &str| matches!(route, "management_routes" | "info_routes");
    let kind = text(row, "key_type");
    matches!(kind.as_deref(), Some("management" | "read_only")) || (routes.peek().is_some() && routes.all(own))
}

/// An id that nothing else has.
fn free_id(wanted: Option<&str>, other: &str, ids: &mut BTreeSet<String>) -> String {
    let first = wanted.map(sanitized).unwrap_or_else(|| sanitized(other));
    let numbered = (2_u32..).map(|number| format!("{first}-{number}"));
    let id = std::iter::once(first.clone()).chain(numbered).find(|id| !ids.contains(id)).unwrap_or_default();
    ids.insert(id.clone());
    id
}

fn sanitized(text: &str) -> String {
    if is_key_id(text) {
        return text.to_owned();
    }
    let id: String = text.chars().take(120).map(|c| if is_key_id(&c.to_string()) { c } else { '-' }).collect();
    if id.is_empty() { "key".to_owned() } else { id }
}

/// A time of PostgreSQL's or Python's as RFC 3339 has it. Without a zone it is UTC.
pub fn timestamp(text: &str) -> Option<String> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix([' ', 'T', 't'])?;
    let (clock, zone) = match rest.find(['+', '-', 'Z', 'z']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, "Z"),
    };
    let clock = clock.split('.').next().unwrap_or(clock);
    let zone = match zone {
        "Z" | "z" | "+00" | "+00:00" | "+0000" => "Z".to_owned(),
        _ if zone.len() == 3 => format!("{zone}:00"),
        _ => zone.to_owned(),
    };
    is_date(date).then(|| format!("{date}T{clock}{zone}"))
}

fn is_date(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        for (theirs, ours) in [
            ("2027-01-01 00:00:00", Some("2027-01-01T00:00:00Z")),
            ("2027-01-01 00:00:00.123", Some("2027-01-01T00:00:00Z")),
            ("2027-01-01T00:00:00.123456+00:00", Some("2027-01-01T00:00:00Z")),
            ("2027-01-01 02:00:00+02", Some("2027-01-01T02:00:00+02:00")),
            ("2027-01-01T00:00:00Z", Some("2027-01-01T00:00:00Z")),
            ("2027-01-01", None),
            ("never", None),
        ] {
            assert_eq!(timestamp(theirs).as_deref(), ours, "{theirs}");
        }
    }

    #[test]
    fn ids_are_free_and_valid() {
        let mut ids = BTreeSet::new();
        assert_eq!(free_id(Some("team a/b"), "x", &mut ids), "team-a/b");
        assert_eq!(free_id(Some("team-a/b"), "x", &mut ids), "team-a/b-2");
        assert_eq!(free_id(None, "key-ab", &mut ids), "key-ab");
    }
}
