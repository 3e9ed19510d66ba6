//! One entry of `model_list`: a model at an account.

mod address;
mod credentials;
mod params;

use dragoman::provider::Provider;
use serde_json::{Map, Value, json};

pub use self::params::Params;
use super::decimal::Decimal;
use super::draft::{Account, Draft};
use super::prices;
use super::providers::{self, Identity};
use super::report::Report;
use super::router::MOST_RETRIES;
use super::source::Source;

/// A model at an account.
pub struct Deployment {
    /// Its place in the document.
    pub place: String,
    /// What clients ask for.
    pub group: String,
    /// The account.
    pub account: Account,
    /// The model's name there.
    pub model: String,
    /// Its share, if that is said.
    pub weight: Option<Decimal>,
    /// Calls per minute.
    pub rpm: Option<Decimal>,
    /// Tokens per minute.
    pub tpm: Option<Decimal>,
    /// Its rank: lower ones are tried first.
    pub order: Option<u64>,
    /// Seconds for a call.
    pub timeout: Option<Decimal>,
    /// Seconds until the first event of a stream.
    pub stream_timeout: Option<Decimal>,
    /// Further attempts.
    pub retries: Option<u64>,
    /// USD per million tokens.
    pub price: Map<String, Value>,
}

/// What is being read, and what of it was said.
struct Reading<'r, 's> {
    source: &'r Source<'s>,
    draft: &'r mut Draft,
    report: &'r mut Report,
    params: Params,
    /// The model's place in the new document, such as `models[smart]`.
    model: String,
    /// What stands for the account's, until it has a name.
    upstream: String,
}

/// Reads an entry; `None` if the model cannot be reached.
pub fn read(
    source: &Source<'_>,
    place: &str,
    entry: &Value,
    draft: &mut Draft,
    report: &mut Report,
) -> Option<Deployment> {
    let name = entry.get("model_name").and_then(super::source::text);
    let Some(group) = name.filter(|name| !name.is_empty()) else {
        report.unsupported(place, "it has no `model_name`");
        return None;
    };
    if group.matches('*').nth(1).is_some() {
        report.unsupported(place, "a pattern has one `*`");
        return None;
    }
    if entry.pointer("/model_info/blocked").and_then(super::source::truth) == Some(true) {
        report.needless(place, "it is paused, so it is left out");
        return None;
    }
    let params = Params::read(source, place, entry, report);
    let model = format!("models[{group}]");
    let upstream = format!("upstreams.{place}({group})");
    let mut reading = Reading { source, draft, report, params, model, upstream };
    let deployment = reading.deployment(place, &group, entry);
    if deployment.is_some() {
        reading.report.exact(format!("{place}.model_name"), format!("models[{group}].name"));
        model_info(place, entry, &group, reading.draft, reading.report);
    }
    deployment
}

impl Reading<'_, '_> {
    fn deployment(&mut self, place: &str, group: &str, entry: &Value) -> Option<Deployment> {
        let identity = self.identity(place)?;
        let (provider, mut model) = (identity.provider, identity.model.clone());
        let mut account = self.account(&identity, &mut model);
        let base_model = entry.pointer("/model_info/base_model").and_then(|name| self.source.resolve(name));
        if let Some(base) = base_model {
            let base = base.rsplit_once('/').map_or(base.as_str(), |(_, name)| name).to_owned();
            let (from, to) = (format!("{place}.model_info.base_model"), format!("{}.models", self.upstream));
            self.report.approximate(from, to, "the price is that of the deployment's own name, if it has one");
            if base != model && !model.contains('*') {
                account.model = Some((base.clone(), model));
                model = base;
            }
        }
        let (rpm, tpm) = (self.limit("rpm"), self.limit("tpm"));
        if rpm.is_some() || tpm.is_some() {
            let mut limits = Map::new();
            let mut set = |name: &str, limit: Option<Decimal>| {
                limits.extend(limit.and_then(Decimal::ceiling).map(|limit| (name.to_owned(), limit.into())));
            };
            set("rpm", rpm);
            set("tpm", tpm);
            account.body.insert("limits".to_owned(), limits.into());
            account.apart = true;
        }
        let weight = self.number("weight", "upstreams");
        let order = self.number("order", "upstreams").and_then(Decimal::whole);
        let timeout = self.number("timeout", "timeouts.total");
        let stream_timeout = self.number("stream_timeout", "timeouts.first_token");
        let retries = self.number("max_retries", "retries").or_else(|| self.number("num_retries", "retries"));
        let price = prices::read(&mut self.params, place, entry, &self.model, self.report);
        self.defaults(&mut account, provider);
        self.rest();
        Some(Deployment {
            place: place.to_owned(),
            group: group.to_owned(),
            account,
            model,
            weight,
            rpm,
            tpm,
            order,
            timeout,
            stream_timeout,
            retries: retries.and_then(Decimal::ceiling),
            price,
        })
    }

    /// Which provider it is.
    fn identity(&mut self, place: &str) -> Option<Identity> {
        let Some((model, from)) = self.params.take("model") else {
            self.report.unsupported(place, "it has no `litellm_params.model`");
            return None;
        };
        let Some(model) = self.source.resolve(&model) else {
            self.report.unsupported(place, "the environment variable with the model's name is not set");
            self.report.step(format!("set the environment variable of `{from}` and import again"));
            return None;
        };
        let named = self.params.take("custom_llm_provider");
        let named_text = named.as_ref().and_then(|(value, _)| self.source.resolve(value));
        match providers::identify(&model, named_text.as_deref(), self.params.is_elsewhere(self.source)) {
            Ok(identity) => {
                let to = format!("{}.upstreams", self.model);
                self.report.exact(from, &to);
                named.into_iter().for_each(|(_, from)| self.report.exact(from, &to));
                Some(identity)
            }
            Err(reason) => {
                self.report.unsupported(place, reason);
                None
            }
        }
    }

    /// The account, without limits and parameters.
    fn account(&mut self, identity: &Identity, model: &mut String) -> Account {
        let Identity { provider, address, env, .. } = identity;
        let mut account = Account { names: self.names(provider), place: self.upstream.clone(), ..Account::default() };
        account.body.insert("provider".to_owned(), provider.id.into());
        let (url, options) = self.address(provider, *address, model);
        if let Some(host) =
            url.as_deref().and_then(address::label).filter(|_| !url.as_deref().is_some_and(address::is_unknown))
        {
            account.names.push(format!("{}-{host}", provider.id));
        }
        account.body.extend(url.map(|url| ("base_url".to_owned(), url.into())));
        let named = options.get("region").or_else(|| options.get("account")).and_then(Value::as_str);
        account.names.extend(named.map(|name| format!("{}-{name}", provider.id)));
        if !options.is_empty() {
            account.body.insert("options".to_owned(), options.into());
        }
        account.body.insert("credentials".to_owned(), self.credentials(provider, env, address.is_some()));
        account
    }

    /// Names for the account.
    fn names(&mut self, provider: &Provider) -> Vec<String> {
        let fits = |name: &String| {
            (1..=48).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        };
        let credential = self.params.credential.clone().filter(fits);
        credential.into_iter().chain([provider.id.to_owned()]).collect()
    }

    fn limit(&mut self, name: &str) -> Option<Decimal> {
        let (value, from) = self.params.take(name)?;
        match Decimal::of(&value).filter(|limit| !limit.is_zero()) {
            Some(limit) => {
                self.report.exact(from, format!("{}.limits.{name}", self.upstream));
                Some(limit)
            }
            None => {
                self.report.unsupported(from, "expected a number above 0");
                None
            }
        }
    }

    /// A number that goes to the model.
    fn number(&mut self, name: &str, to: &str) -> Option<Decimal> {
        let (value, from) = self.params.take(name)?;
        let number = self.source.resolve(&value).and_then(|text| Decimal::parse(&text));
        match number {
            Some(_) if name == "timeout" => {
                self.report.approximate(from, format!("{}.{to}", self.model), "for all attempts of a call together");
            }
            Some(_) if name == "stream_timeout" => {
                self.report.approximate(
                    from,
                    format!("{}.{to}", self.model),
                    "until the first event, not between events",
                );
            }
            Some(number) if to == "retries" && number.ceiling().is_none_or(|retries| retries > MOST_RETRIES) => {
                self.report.approximate(from, format!("{}.{to}", self.model), format!("at most {MOST_RETRIES}"));
            }
            Some(_) => self.report.exact(from, format!("{}.{to}", self.model)),
            None => self.report.unsupported(from, "expected a number"),
        }
        number
    }

    /// Parameters and headers that are sent with each call.
    fn defaults(&mut self, account: &mut Account, provider: &Provider) {
        let (mut default, mut force, mut drop) = (Map::new(), Map::new(), Vec::new());
        for (name, value, from) in self.params.take_defaults() {
            if params::holds_variable(&value) {
                self.report.unsupported(from, "parameters are not read from the environment");
                continue;
            }
            self.report.exact(from, format!("{}.params.default.{name}", self.upstream));
            default.insert(name, value);
        }
        if let Some((Value::Object(members), from)) = self.params.take("extra_body") {
            for (name, value) in members {
                let from = format!("{from}.{name}");
                if params::is_secret(&name) || params::holds_secret(&value) || params::holds_variable(&value) {
                    self.report.unsupported(from, "it may be a secret; those go in `credentials` alone");
                } else {
                    self.report.exact(from, format!("{}.params.force.{name}", self.upstream));
                    force.insert(name, value);
                }
            }
        }
        if let Some((value, from)) = self.params.take("additional_drop_params") {
            let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            let (plain, nested): (Vec<&str>, Vec<&str>) = names.partition(|name| !name.contains(['.', '[']));
            let to = format!("{}.params.drop", self.upstream);
            if nested.is_empty() {
                self.report.exact(from, to);
            } else {
                self.report.approximate(from, to, "only whole parameters are dropped, not what stands inside one");
            }
            drop.extend(plain.into_iter().filter(|name| !default.contains_key(*name)).map(Value::from));
        }
        let parts = [("default", Value::from(default)), ("force", force.into()), ("drop", drop.into())];
        let is_set = |value: &Value| value.as_object().is_some_and(|m| !m.is_empty()) || value.get(0).is_some();
        let set = parts.into_iter().filter(|(_, value)| is_set(value)).map(|(name, value)| (name.to_owned(), value));
        let set: Map<String, Value> = set.collect();
        if !set.is_empty() {
            account.body.insert("params".to_owned(), set.into());
        }
        self.headers(account, provider);
    }

    fn headers(&mut self, account: &mut Account, provider: &Provider) {
        let mut set = Map::new();
        for name in ["extra_headers", "headers"] {
            let Some((Value::Object(members), from)) = self.params.take(name) else { continue };
            for (name, value) in members {
                let from = format!("{from}.{name}");
                let name = name.to_ascii_lowercase();
                let text = value.as_str().filter(|_| !params::is_secret(&name) && !params::holds_variable(&value));
                match text {
                    Some(text) => {
                        self.report.exact(from, format!("{}.headers.set.{name}", self.upstream));
                        set.insert(name, text.into());
                    }
                    None => self.report.unsupported(
                        from,
                        "it may be a secret; with `credentials: host` Envoy's `credential_injector` puts one in",
                    ),
                }
            }
        }
        if let Some((value, from)) = self.params.take("organization") {
            match self.source.resolve(&value) {
                Some(organization) if provider.id == "openai" => {
                    self.report.exact(from, format!("{}.headers.set.openai-organization", self.upstream));
                    set.insert("openai-organization".to_owned(), organization.into());
                }
                _ => self.report.unsupported(from, "set the header in `headers.set`"),
            }
        }
        if !set.is_empty() {
            account.body.insert("headers".to_owned(), json!({ "set": set }));
        }
    }

    /// What nobody asked for.
    fn rest(&mut self) {
        for (name, _, from) in self.params.take_all() {
            params::report(&name, from, self.report);
        }
    }
}

/// What is said of the model beside how to call it.
fn model_info(place: &str, entry: &Value, group: &str, draft: &mut Draft, report: &mut Report) {
    let Some(info) = entry.get("model_info").and_then(Value::as_object) else { return };
    for (name, value) in info {
        let from = format!("{place}.model_info.{name}");
        if report.speaks_of(&from) {
            continue;
        }
        match (name.as_str(), value) {
            (_, Value::Null) => report.needless(from, "nothing"),
            ("access_groups", Value::Array(groups)) => {
                for access in groups.iter().filter_map(Value::as_str) {
                    let models = draft.access_groups.entry(access.to_owned()).or_default();
                    if !models.iter().any(|model| model == group) {
                        models.push(group.to_owned());
                    }
                }
                report.known(from, super::report::Level::Exact, "keys that list the group list its models");
            }
            ("team_id", _) => {
                report.step(format!("keys without `models` may call `{group}`, which was one team's alone"));
                params::report_info(name, from, report);
            }
            _ => params::report_info(name, from, report),
        }
    }
}
