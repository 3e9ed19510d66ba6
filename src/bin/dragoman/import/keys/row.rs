//! A row of LiteLLM's tables of keys and teams: what both have.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::import::budget::Budget;
use crate::import::decimal::Decimal;
use crate::import::draft::Draft;
use crate::import::dump::Row;
use crate::import::report::Report;
use crate::import::source;

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

/// A row, its place and where it goes.
pub struct Reading<'r> {
    /// Such as `LiteLLM_TeamTable[search]`.
    pub place: String,
    /// Such as `teams[search]`.
    pub to: String,
    /// Its columns.
    pub row: &'r Row,
}

impl Reading<'_> {
    /// The place of a column.
    pub fn from(&self, column: &str) -> String {
        format!("{}.{column}", self.place)
    }

    /// The column of which the id is made.
    pub fn id(&self, column: &str, id: &str, report: &mut Report) {
        let Some(name) = text(self.row, column) else { return };
        let to = format!("{}.id", self.to);
        match name == id {
            true => report.exact(self.from(column), to),
            false => report.approximate(self.from(column), to, "ids are unique and of plain characters"),
        }
    }

    /// The models that a key may use; `None` is all of them.
    pub fn models(&self, team: Option<&Row>, draft: &Draft, report: &mut Report) -> Option<Value> {
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

    /// Sets limits and budget of an entry. `row` may have more columns than the key's own.
    pub fn limits_and_budget(&self, row: &Row, entry: &mut Map<String, Value>, draft: &Draft, report: &mut Report) {
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
        let budget = Budget { place: &self.place, to: &self.to, now: crate::document::now() };
        entry.extend(budget.read(row, report).map(|budget| ("budget".to_owned(), budget)));
    }

    /// Sets what the metadata say.
    pub fn metadata(&self, entry: &mut Map<String, Value>, report: &mut Report) {
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
    pub fn rest(&self, report: &mut Report) {
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

/// A column as text, unless it is empty.
pub fn text(row: &Row, column: &str) -> Option<String> {
    row.get(column).and_then(source::text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
