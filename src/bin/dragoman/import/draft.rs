//! The document that is made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::report::{self, Report};
use crate::envoy::yaml;

/// The document, as it grows.
#[derive(Default)]
pub struct Draft {
    /// How callers are known.
    pub client_auth: String,
    /// Accounts at providers.
    pub upstreams: Vec<Upstream>,
    /// What clients may ask for.
    pub models: Vec<Model>,
    /// Prices by the provider's name of the model.
    pub prices: Map<String, Value>,
    /// Callers.
    pub keys: Vec<Map<String, Value>>,
    /// Teams.
    pub teams: Vec<Map<String, Value>>,
    /// `drop` or `reject`.
    pub unsupported_params: Option<&'static str>,
    /// LiteLLM's access groups: names for several models.
    pub access_groups: BTreeMap<String, Vec<String>>,
    /// The most calls at a time of a key that says nothing itself.
    pub parallel: Option<u64>,
    /// The names of environment variables that are taken.
    pub variables: BTreeSet<String>,
    /// Secrets of the document, each with the variable that it goes to: never written.
    pub secrets: BTreeMap<String, String>,
    /// All of it, once it is settled.
    pub document: Value,
}

/// An account, before it has a name.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Names that it may get, the best first.
    pub names: Vec<String>,
    /// What stands in the document, but for `models`.
    pub body: Map<String, Value>,
    /// What stands for its place in the report until it has a name.
    pub place: String,
    /// Whether it is no other deployment's: limits are of one.
    pub apart: bool,
    /// The provider's own name of a model: (name, own name).
    pub model: Option<(String, String)>,
}

impl Account {
    /// What `prices` call one of its models.
    pub fn priced(&self, model: &str) -> String {
        let own = self.model.as_ref().filter(|(name, _)| name == model).map_or(model, |(_, own)| own);
        let provider = self.body.get("provider").and_then(Value::as_str).unwrap_or_default();
        format!("{provider}/{own}")
    }
}

/// An account at a provider.
pub struct Upstream {
    /// Its name.
    pub name: String,
    body: Map<String, Value>,
    models: Map<String, Value>,
    /// The place of the only deployment that may use it.
    apart: Option<String>,
}

/// Something that clients may ask for.
#[derive(Default)]
pub struct Model {
    /// The name or pattern.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Where it is.
    pub choices: Vec<Choice>,
    /// How the first is chosen; nothing is in order.
    pub balance: Option<&'static str>,
    /// Models for calls that are too long or refused.
    pub fallbacks: Map<String, Value>,
    /// How long things may take.
    pub timeouts: Map<String, Value>,
    /// How often the host may try again.
    pub retries: Option<u64>,
    /// USD per million tokens.
    pub price: Map<String, Value>,
}

/// One of a model's upstreams.
pub struct Choice {
    /// Its name.
    pub upstream: String,
    /// Its share.
    pub weight: u64,
    /// The model's name there.
    pub model: String,
}

impl Draft {
    /// The upstream with that account, which is made if there is none; not one of `used`.
    pub fn upstream(&mut self, account: &Account, used: &[Choice], report: &mut Report) -> String {
        let is_used = |name: &str| used.iter().any(|choice| choice.upstream == name);
        let fits = |upstream: &Upstream| {
            let free = |(name, own): &(String, String)| upstream.models.get(name).is_none_or(|known| known == own);
            upstream.is(account) && !is_used(&upstream.name) && account.model.as_ref().is_none_or(free)
        };
        let place = self.upstreams.iter().position(fits).unwrap_or_else(|| {
            let name = self.free_name(account);
            let apart = account.apart.then(|| account.place.clone());
            self.upstreams.push(Upstream { name, body: account.body.clone(), models: Map::new(), apart });
            self.upstreams.len().saturating_sub(1)
        });
        let Some(upstream) = self.upstreams.get_mut(place) else { return String::new() };
        upstream.models.extend(account.model.clone().map(|(name, own)| (name, own.into())));
        report.redirect(&account.place, &format!("upstreams.{}", upstream.name), "");
        upstream.name.clone()
    }

    /// Whether an upstream is that account.
    pub fn is_account(&self, upstream: &str, account: &Account) -> bool {
        self.upstreams.iter().any(|known| known.name == upstream && known.is(account))
    }

    /// Gives a model another name; where, or why not.
    pub fn alias(&mut self, alias: &str, target: &str) -> Result<String, String> {
        if alias == target {
            return Ok(format!("models[{target}].name"));
        }
        if alias.contains('*') {
            return Err("an alias is a plain name".to_owned());
        }
        if self.models.iter().any(|model| model.is_called(alias)) {
            return Err(format!("a model is called `{alias}` already"));
        }
        let Some((model, star)) = self.find(target) else { return Err(format!("no model is called `{target}`")) };
        let name = model.name.clone();
        let Some(star) = star else {
            let named = self.models.iter_mut().find(|model| model.name == name);
            named.into_iter().for_each(|model| model.aliases.push(alias.to_owned()));
            return Ok(format!("models[{name}].aliases"));
        };
        // A pattern has no aliases: the name becomes a model of its own.
        let there = |choice: &Choice| Choice {
            upstream: choice.upstream.clone(),
            weight: choice.weight,
            model: choice.model.replacen('*', &star, 1),
        };
        let own = Model {
            name: alias.to_owned(),
            choices: model.choices.iter().map(there).collect(),
            balance: model.balance,
            timeouts: model.timeouts.clone(),
            retries: model.retries,
            price: model.price.clone(),
            ..Model::default()
        };
        self.models.push(own);
        Ok(format!("models[{alias}]"))
    }

    fn free_name(&self, account: &Account) -> String {
        let is_free = |name: &String| !self.upstreams.iter().any(|upstream| upstream.name == *name);
        if let Some(name) = account.names.iter().find(|name| is_free(name)) {
            return name.clone();
        }
        let first = account.names.first().map_or("upstream", String::as_str);
        (2_u32..).map(|number| format!("{first}-{number}")).find(is_free).unwrap_or_default()
    }

    /// A name for an environment variable that nothing else has.
    pub fn free_variable(&mut self, wanted: &str) -> String {
        let numbered = (2_u32..).map(|number| format!("{wanted}_{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let name = names.find(|name| !self.variables.contains(name)).unwrap_or_default();
        self.variables.insert(name.clone());
        name
    }

    /// The model that a name leads to, with what the `*` of a pattern stands for.
    pub fn find(&self, name: &str) -> Option<(&Model, Option<String>)> {
        let plain = self.models.iter().find(|model| model.is_called(name));
        if let Some(model) = plain {
            return Some((model, None));
        }
        let star = |model: &Model| {
            let (before, after) = model.name.split_once('*')?;
            let star = name.strip_prefix(before)?.strip_suffix(after)?;
            (!star.is_empty()).then(|| star.to_owned())
        };
        let matching = self.models.iter().filter_map(|model| Some((model, star(model)?)));
        matching.max_by_key(|(model, _)| model.name.len()).map(|(model, star)| (model, Some(star)))
    }

    /// The whole document.
    pub fn value(&self) -> Value {
        let upstreams: Map<String, Value> = self.upstreams.iter().map(Upstream::entry).collect();
        let mut document = Map::new();
        document.insert("role".to_owned(), "gateway".into());
        document.insert("client_auth".to_owned(), self.client_auth.clone().into());
        document.insert("upstreams".to_owned(), upstreams.into());
        document.insert("models".to_owned(), self.models.iter().map(Model::value).collect());
        let mut unless_empty = |name: &str, value: Value, empty: bool| {
            if !empty {
                document.insert(name.to_owned(), value);
            }
        };
        unless_empty("prices", self.prices.clone().into(), self.prices.is_empty());
        unless_empty("keys", self.keys.iter().cloned().map(Value::Object).collect(), self.keys.is_empty());
        unless_empty("teams", self.teams.iter().cloned().map(Value::Object).collect(), self.teams.is_empty());
        let params = self.unsupported_params;
        unless_empty("unsupported_params", params.unwrap_or_default().into(), params.is_none());
        document.into()
    }

    /// The settled document in YAML, with what is to be done.
    pub fn write(&self, name: &str, report: &Report) -> String {
        let mut text = format!("# Written by `dragoman import litellm` from {}.\n", report::line(name));
        if !report.steps().is_empty() {
            text.push_str("#\n# Before it serves:\n");
            text.extend(report.steps().iter().map(|step| format!("# - {step}\n")));
        }
        let members = self.document.as_object().into_iter().flatten();
        for (name, value) in members {
            let spread = value.is_object() || value.is_array();
            text.push_str(&format!("{}\n", yaml::member(name, "", value, spread)));
        }
        text
    }
}

impl Upstream {
    fn is(&self, account: &Account) -> bool {
        self.body == account.body && self.apart.as_ref() == account.apart.then_some(&account.place)
    }

    fn entry(&self) -> (String, Value) {
        let mut body = self.body.clone();
        if !self.models.is_empty() {
            body.insert("models".to_owned(), self.models.clone().into());
        }
        (self.name.clone(), body.into())
    }
}

impl Model {
    fn value(&self) -> Value {
        let mut model = Map::from_iter([("name".to_owned(), Value::from(self.name.clone()))]);
        let mut unless_empty = |name: &str, value: Value, empty: bool| {
            if !empty {
                model.insert(name.to_owned(), value);
            }
        };
        unless_empty("aliases", self.aliases.clone().into(), self.aliases.is_empty());
        let upstreams = match self.balance {
            Some("weighted") => self.shares(),
            _ => self.choices.iter().map(|choice| choice.upstream.as_str()).collect(),
        };
        unless_empty("upstreams", upstreams, false);
        // Without a word, what the `*` of a pattern stands for goes upstream, and else the name.
        let usual = if self.name.contains('*') { "*" } else { &self.name };
        let renamed = self.choices.iter().filter(|choice| choice.model != usual);
        let renamed: Map<String, Value> =
            renamed.map(|choice| (choice.upstream.clone(), choice.model.clone().into())).collect();
        unless_empty("upstream_models", renamed.clone().into(), renamed.is_empty());
        unless_empty("balance", self.balance.unwrap_or_default().into(), self.balance.is_none());
        unless_empty("fallbacks", self.fallbacks.clone().into(), self.fallbacks.is_empty());
        unless_empty("timeouts", self.timeouts.clone().into(), self.timeouts.is_empty());
        unless_empty("retries", self.retries.into(), self.retries.is_none());
        unless_empty("price", self.price.clone().into(), self.price.is_empty());
        model.into()
    }

    /// Whether `name` is its own, or an alias.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// The upstreams with their weights.
    pub fn shares(&self) -> Value {
        let share = |choice: &Choice| match choice.weight {
            0 | 1 => choice.upstream.clone().into(),
            weight => json!({"name": choice.upstream, "weight": weight}),
        };
        self.choices.iter().map(share).collect()
    }
}
