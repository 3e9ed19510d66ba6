//! Virtual keys and teams. LiteLLM keeps the SHA-256 of a key's secret, and so do we: secrets stay what they are.

use std::collections::{BTreeMap, BTreeSet};

use dragoman::config::is_key_id;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::budget::Budget;
use super::decimal::Decimal;
use super::draft::Draft;
use super::dump::{Dump, Row};
use super::report::{Level, Report};
use super::source::{Source, Written, truth, written};

/// The team of the keys by which LiteLLM knows who is signed in.
const DASHBOARD: &str = "litellm-dashboard";

/// The shortest master key that is hard to guess.
const STRONG: usize = 20;

/// Columns that allow and forbid nothing: who made a row and when, and for how much.
const HISTORY: &[&str] = &[
    "admins",
    "budget_id",
    "created_at",
    "created_by",
    "deleted_at",
    "key_name",
    "last_active",
    "last_refreshed_at",
    "last_rotation_at",
    "litellm_budget_table",
    "members",
    "members_with_roles",
    "model_id",
    "model_spend",
    "rotation_count",
    "settings_updated_at",
    "soft_budget_cooldown",
    "team_member_permissions",
    "total_spend",
    "updated_at",
    "updated_by",
];

/// What becomes of other columns.
const COLUMNS: &[(&str, &str)] = &[
    ("access_group_ids", "list the models in `keys[].models`"),
    ("agent_id", "there are no agents"),
    ("allowed_cache_controls", "there is no cache of answers"),
    ("allowed_routes", "Envoy's `rbac` filter can match paths and `dragoman_key`"),
    ("auto_rotate", "`dragoman key new` makes a new secret"),
    ("budget_fallbacks", "a spent budget refuses"),
    ("budget_limits", "a key or team has one budget"),
    ("config", "a key has no settings of models"),
    ("default_team_member_models", "list the models in `keys[].models`"),
    ("key_rotation_at", "`dragoman key new` makes a new secret"),
    ("key_type", "keys call models; there is no other API"),
    ("model_max_budget", "a key or team has one budget, for all models"),
    ("object_permission_id", "there are no such objects"),
    ("organization_id", "there are keys and teams; a budget of an organisation is one of its teams"),
    ("permissions", "keys call models; there is no other API"),
    ("policies", "there are no guardrails"),
    ("project_id", "there are keys and teams"),
    ("rotation_interval", "`dragoman key new` makes a new secret"),
    ("router_settings", "a key has no settings of routing"),
    ("soft_budget", "alert on `dragoman_cost_nanousd_total`"),
    ("tpd_limit", "windows are minutes; days have budgets"),
    ("user_id", "there are keys and teams: a user's own budget does not hold"),
];

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
    if row.contains_key("expires") {
        match text(row, "expires").as_deref().and_then(timestamp) {
            Some(time) => {
                report.exact(reading.from("expires"), format!("{}.expires", reading.to));
                key.insert("expires".to_owned(), time.into());
            }
            None => report.unsupported(reading.from("expires"), "expected a time; the key is disabled"),
        }
    }
    let blocked = |row: &Row| row.get("blocked").is_some_and(|value| !value.is_null() && truth(value) != Some(false));
    let administers = administers(row);
    if administers {
        let note = "the key does not call models, so it is disabled";
        for column in ["allowed_routes", "key_type"].into_iter().filter(|column| row.contains_key(*column)) {
            report.approximate(reading.from(column), format!("{}.disabled", reading.to), note);
        }
    }
    let timeless = row.contains_key("expires") && !key.contains_key("expires");
    if administers || timeless || blocked(row) || team_row.is_some_and(|(_, team)| blocked(team)) {
        key.insert("disabled".to_owned(), true.into());
    }
    if row.contains_key("blocked") {
        report.exact(reading.from("blocked"), format!("{}.disabled", reading.to));
    }
    for (alias, target) in row.get("aliases").and_then(Value::as_object).into_iter().flatten() {
        let from = format!("{}.{alias}", reading.from("aliases"));
        match draft.alias(alias, target.as_str().unwrap_or_default()) {
            Ok(to) => report.approximate(from, to, "for all keys that may use the model"),
            Err(reason) => report.unsupported(from, format!("aliases are of models, for all keys: {reason}")),
        }
    }
    reading.metadata(&mut key, report);
    reading.rest(report);
    draft.keys.push(key);
}

/// A row, its place and where it goes.
struct Reading<'r> {
    place: String,
    to: String,
    row: &'r Row,
}

impl Reading<'_> {
    fn from(&self, column: &str) -> String {
        format!("{}.{column}", self.place)
    }

    /// The column of which the id is made.
    fn id(&self, column: &str, id: &str, report: &mut Report) {
        let Some(name) = text(self.row, column) else { return };
        let to = format!("{}.id", self.to);
        match name == id {
            true => report.exact(self.from(column), to),
            false => report.approximate(self.from(column), to, "ids are unique and of plain characters"),
        }
    }

    /// The models that a key may use; `None` is all of them.
    fn models(&self, team: Option<&Row>, draft: &Draft, report: &mut Report) -> Option<Value> {
        let own = expand(self.row, draft);
        let of_team = team.and_then(|team| expand(team, draft));
        if self.row.contains_key("models") {
            report.exact(self.from("models"), format!("{}.models", self.to));
        }
        let models = match (own, of_team) {
            (None, None) => return None,
            (Some(own), None) => own,
            (None, Some(team)) => team,
            (Some(own), Some(team)) => both(own, team),
        };
        Some(models.into())
    }

    fn limits_and_budget(&self, row: &Row, entry: &mut Map<String, Value>, draft: &Draft, report: &mut Report) {
        let mut limits = Map::new();
        for (theirs, ours) in [("rpm_limit", "rpm"), ("tpm_limit", "tpm"), ("max_parallel_requests", "parallel")] {
            let Some(value) = row.get(theirs) else { continue };
            match Decimal::of(value).and_then(Decimal::whole) {
                Some(limit) => {
                    report.exact(self.from(theirs), format!("{}.limits.{ours}", self.to));
                    limits.insert(ours.to_owned(), limit.into());
                }
                None => {
                    report.unsupported(self.from(theirs), "expected a whole number");
                    report.step(format!("`{}` has no `limits.{ours}`: theirs cannot be read", self.to));
                }
            }
        }
        if let Some(parallel) =
            draft.parallel.filter(|_| self.to.starts_with("keys") && !limits.contains_key("parallel"))
        {
            limits.insert("parallel".to_owned(), parallel.into());
        }
        let mut models: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for (theirs, ours) in [("model_rpm_limit", "rpm"), ("model_tpm_limit", "tpm")] {
            let nested = row.get("metadata").and_then(|metadata| metadata.get(theirs));
            let (members, from) = match row.get(theirs).and_then(Value::as_object) {
                Some(members) => (Some(members), self.from(theirs)),
                None => (nested.and_then(Value::as_object), format!("{}.{theirs}", self.from("metadata"))),
            };
            for (model, limit) in members.into_iter().flatten() {
                let from = format!("{from}.{model}");
                match Decimal::of(limit).and_then(Decimal::whole) {
                    Some(limit) => {
                        report.exact(from, format!("{}.limits.models.{model}.{ours}", self.to));
                        models.entry(model.clone()).or_default().insert(ours.to_owned(), limit.into());
                    }
                    None => report.unsupported(from, "expected a whole number"),
                }
            }
        }
        if !models.is_empty() {
            limits.insert("models".to_owned(), json!(models));
        }
        if !limits.is_empty() {
            entry.insert("limits".to_owned(), limits.into());
        }
        let budget = Budget { place: &self.place, to: &self.to, now: crate::now() };
        entry.extend(budget.read(row, report).map(|budget| ("budget".to_owned(), budget)));
    }

    fn metadata(&self, entry: &mut Map<String, Value>, report: &mut Report) {
        for (name, value) in self.row.get("metadata").and_then(Value::as_object).into_iter().flatten() {
            let from = format!("{}.{name}", self.from("metadata"));
            match (name.as_str(), value) {
                ("model_rpm_limit" | "model_tpm_limit", _) => {}
                ("tags", Value::Array(tags)) if self.to.starts_with("keys") => {
                    report.exact(from, format!("{}.tags", self.to));
                    entry.insert("tags".to_owned(), tags.clone().into());
                }
                _ if says_nothing(value) => {}
                _ => report.unsupported(from, "notes stay in LiteLLM's database"),
            }
        }
    }

    /// Columns of which nothing was said.
    fn rest(&self, report: &mut Report) {
        for (name, value) in self.row {
            let from = self.from(name);
            if name == "metadata" || says_nothing(value) || HISTORY.contains(&name.as_str()) {
                continue;
            }
            if report.says(&from) || matches!(name.as_str(), "aliases" | "spend") {
                continue;
            }
            let note = COLUMNS.iter().find(|(column, _)| column == name).map(|(_, note)| *note);
            report.unsupported(from, note.unwrap_or("the importer does not know it"));
        }
    }
}

/// Whether a value is that of a column which nobody set.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Bool(value) => !value,
        Value::Null => true,
        Value::Number(_) => Decimal::of(value).is_some_and(Decimal::is_zero),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => matches!(text.as_str(), "" | "f" | "0" | "default"),
    }
}

/// Whether a key is for LiteLLM's own API alone.
fn administers(row: &Row) -> bool {
    let routes = row.get("allowed_routes").and_then(Value::as_array).into_iter().flatten();
    let mut routes = routes.filter_map(Value::as_str).peekable();
    let own = |route: &str| matches!(route, "management_routes" | "info_routes");
    let kind = text(row, "key_type");
    matches!(kind.as_deref(), Some("management" | "read_only")) || (routes.peek().is_some() && routes.all(own))
}

/// The models of a row: access groups are what they stand for; `None` is all models.
fn expand(row: &Row, draft: &Draft) -> Option<Vec<String>> {
    let listed = match row.get("models")? {
        Value::Array(names) if names.is_empty() => return None,
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::String(name) if !name.is_empty() => vec![name.as_str()],
        Value::Object(members) if !members.is_empty() => Vec::new(),
        _ => return None,
    };
    let mut models = Vec::new();
    for name in listed {
        match name {
            "*" | "all-proxy-models" | "all-team-models" => return None,
            "no-default-models" => {}
            _ => match draft.access_groups.get(name) {
                Some(group) => models.extend(group.iter().cloned()),
                None => models.push(name.to_owned()),
            },
        }
    }
    Some(models)
}

/// What both lists allow.
fn both(one: Vec<String>, other: Vec<String>) -> Vec<String> {
    let covers = |pattern: &str, name: &str| match pattern.split_once('*') {
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)),
        None => pattern == name,
    };
    let (of_one, of_other) = (
        one.iter().filter(|name| other.iter().any(|pattern| covers(pattern, name))),
        other.iter().filter(|name| one.iter().any(|pattern| covers(pattern, name) && pattern != *name)),
    );
    of_one.chain(of_other).cloned().collect()
}

fn text(row: &Row, column: &str) -> Option<String> {
    row.get(column).and_then(super::source::text).filter(|text| !text.is_empty())
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
    fn a_key_may_use_what_its_team_may() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (key, team, expected) in [
            (&["a", "b"][..], &["b", "c"][..], &["b"][..]),
            (&["openai/*"], &["openai/gpt-4o", "claude"], &["openai/gpt-4o"]),
            (&["openai/gpt-4o"], &["openai/*"], &["openai/gpt-4o"]),
            (&["*"], &["*"], &["*"]),
            (&["a"], &["b"], &[]),
        ] {
            assert_eq!(both(list(key), list(team)), list(expected), "{key:?} {team:?}");
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
