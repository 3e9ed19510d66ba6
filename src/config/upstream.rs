//! `upstreams`: accounts at providers.

use std::borrow::Cow;
use std::collections::HashMap;

use super::address::BaseUrl;
use super::credentials::{self, Source};
use super::header::{self, Use};
use super::pattern;
use super::read::Value;
use super::{Choice, Credentials, Headers, Params, Upstream, limit, pass};
use crate::error::shorten;
use crate::provider::{Address, PROVIDERS, Provider};

/// The upstreams by name. One with a fault is `None`: others may refer to it all the same.
#[derive(Default)]
pub(super) struct Upstreams {
    /// In the order of the document.
    pub(super) list: Vec<Option<Upstream>>,
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Upstreams {
    /// The place of the upstream that `name` refers to.
    pub(super) fn find(&self, value: &Value<'_>, name: &str) -> Option<usize> {
        let found = self.places.get(name).copied();
        if found.is_none() {
            let known = self.names.iter().map(String::as_str);
            value.unknown("upstream", name, known, "it must stand in `upstreams`");
        }
        found
    }

    /// Notes where a model, whose upstreams stand at `value`, would show the caller's own key for one provider to another.
    pub(super) fn check_callers_keys(&self, value: &Value<'_>, places: &[usize]) {
        let chosen = || places.iter().filter_map(|place| self.list.get(*place)?.as_ref());
        let Some(client) = chosen().find(|upstream| matches!(upstream.credentials, Credentials::Client)) else {
            return;
        };
        if chosen().any(|upstream| upstream.provider.id != client.provider.id) {
            value.fault(format!(
                "`{}` has `credentials: client`, so all upstreams of the model must be of the provider `{}`",
                shorten(&client.name),
                client.provider.id
            ));
        }
    }
}

impl Upstreams {
    /// Notes which of a model's upstreams has no limits to balance by.
    pub(super) fn check_rates(&self, model: &Value<'_>, places: &[Choice]) {
        for choice in places {
            let upstream = self.list.get(choice.upstream).and_then(Option::as_ref);
            let lacks = |upstream: &&Upstream| {
                let limits = upstream.limits;
                limits.rpm.is_none() && limits.parallel.is_none() && !limits.counts_tokens()
            };
            if let Some(upstream) = upstream.filter(lacks) {
                let name = shorten(&upstream.name);
                let message = format!("`usage` goes by what is left of `upstreams.{name}.limits`, which are not there");
                model.fault_in("balance", message);
            }
        }
    }
}

/// Reads `upstreams`.
pub(super) fn read(value: &Value<'_>, source: &Source<'_>) -> Option<Upstreams> {
    let mut upstreams = Upstreams::default();
    let members = value.map(1000)?;
    if members.is_empty() {
        value.fault("expected at least one upstream");
    }
    for (name, value) in members {
        let others = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if !(1..=64).contains(&name.len()) || !name.chars().all(others) {
            value.fault("the name of an upstream has 1 to 64 letters, digits and `_` `.` `-`");
        }
        upstreams.places.insert(name.to_string(), upstreams.list.len());
        upstreams.list.push(one(&name, &value, source));
        upstreams.names.push(name.into_owned());
    }
    Some(upstreams)
}

fn one(name: &str, value: &Value<'_>, source: &Source<'_>) -> Option<Upstream> {
    let mut fields = value.fields()?;
    let provider = fields.need("provider", "name a provider, such as `anthropic`").and_then(|value| provider(&value));
    let given = fields.take("options");
    let options = provider.and_then(|provider| options(value, given.as_ref(), provider));
    let written = fields.take("base_url");
    let url = provider.and_then(|provider| base_url(value, written.as_ref(), provider, options.as_deref()?));
    let models = fields.or_default("models", pattern::read_map);
    let credentials = fields
        .need("credentials", "write `{ api_key: { env: NAME } }`, `host`, `client` or `none`")
        .and_then(|value| credentials::read(&value, provider?, source));
    let params = fields.or_default("params", params);
    let headers = fields.or_default("headers", headers);
    let limits = fields.or_default("limits", limit::limits);
    let signed = matches!(credentials, Some(Credentials::Aws(_)));
    let pass = fields.or_default("pass", |value| {
        if signed {
            value.fault("signed requests cannot be passed on as they come; use an API key");
        }
        pass::read(value)
    });
    fields.finish();

    let (url, credentials) = (url?, credentials?);
    let secret = !matches!(credentials, Credentials::Host | Credentials::None);
    if let Some(written) = written.filter(|_| secret && !url.tls && !url.is_private()) {
        written.warn("keys go over the network in the clear; use `https://`");
    }
    Some(Upstream {
        name: name.to_owned(),
        provider: provider?,
        tls: url.tls,
        authority: url.authority,
        prefix: url.prefix,
        options: options?,
        credentials,
        models: models?,
        params: params?,
        headers: headers?,
        limits: limits?,
        pass: pass?,
    })
}

fn provider(value: &Value<'_>) -> Option<&'static Provider> {
    let id = value.text()?;
    let found = crate::provider::find(&id);
    if found.is_none() {
        let known = PROVIDERS.iter().map(|provider| provider.id);
        value.unknown("provider", &id, known, "`openai_compatible` takes any server in OpenAI's format");
    }
    found
}

/// What is written, or else the catalogue's address.
fn base_url(
    upstream: &Value<'_>,
    written: Option<&Value<'_>>,
    provider: &Provider,
    options: &[(&str, String)],
) -> Option<BaseUrl> {
    let Some(value) = written else {
        let option = |name: &str| options.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
        let url = match provider.address {
            Address::Configured => {
                let message = format!("missing; `{}` has no address of its own", provider.id);
                upstream.fault_in("base_url", message);
                return None;
            }
            Address::Fixed(url) => Cow::Borrowed(url),
            Address::Of(template, special) => match special.iter().find(|(n, v, _)| option(n) == Some(v)) {
                Some((_, _, url)) => Cow::Borrowed(*url),
                None => Cow::Owned(template.fill(option, |value, out| out.push_str(value))),
            },
        };
        return BaseUrl::parse(&url).map_err(|fault| upstream.fault_in("options", fault)).ok();
    };
    let url = value.text()?;
    BaseUrl::parse(&url).map_err(|fault| value.fault(fault)).ok()
}

/// The provider's options: what is given, or else their defaults.
fn options(
    upstream: &Value<'_>,
    given: Option<&Value<'_>>,
    provider: &'static Provider,
) -> Option<Vec<(&'static str, String)>> {
    let given = given.and_then(|value| value.map(100)).unwrap_or_default();
    let mut good = true;
    for (name, value) in &given {
        if !provider.options.iter().any(|setting| setting.name == name) {
            let known = provider.options.iter().map(|setting| setting.name);
            match provider.options {
                [] => value.fault(format!("unknown option; `{}` takes none", provider.id)),
                _ => value.unknown("option", name, known, &format!("`{}` takes no other", provider.id)),
            }
            good = false;
        }
    }
    let mut options = Vec::new();
    for setting in provider.options {
        let value = match given.iter().find(|(name, _)| name == setting.name) {
            Some((_, value)) => option(value),
            None => setting.default.map(str::to_owned).or_else(|| {
                upstream.fault_in("options", format!("`{}` needs the option `{}`", provider.id, setting.name));
                None
            }),
        };
        match value {
            Some(value) => options.push((setting.name, value)),
            None => good = false,
        }
    }
    good.then_some(options)
}

/// A value that may stand in an address or a path.
fn option(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if !(1..=128).contains(&text.len()) || !text.chars().all(plain) || matches!(&*text, "." | "..") {
        value.fault("expected 1 to 128 letters, digits and `-` `.` `_` `:`");
        return None;
    }
    Some(text.into_owned())
}

fn params(value: &Value<'_>) -> Option<Params> {
    let mut fields = value.fields()?;
    let default = fields.or_default("default", settings);
    let force = fields.or_default("force", settings);
    let drop = fields.or_default("drop", |value| {
        value.each(1000, |value| {
            let name = value.text()?;
            check_param(value, &name);
            let mut set = default.iter().chain(&force).flatten();
            if set.any(|(set, _)| *set == name) {
                value.fault(format!("`{}` is set by `default` or `force` as well", shorten(&name)));
            }
            Some(name.into_owned())
        })
    });
    fields.finish();
    Some(Params { default: default?, force: force?, drop: drop? })
}

/// Names of parameters and their values, which stay as they are written.
fn settings(value: &Value<'_>) -> Option<Vec<(String, String)>> {
    let members = value.map(1000)?;
    for (name, value) in &members {
        check_param(value, name);
        if name == "stream_options" {
            value.fault("the filter asks for usage itself; `drop` keeps it from asking");
        }
    }
    Some(members.into_iter().map(|(name, value)| (name.into_owned(), value.raw().to_owned())).collect())
}

fn check_param(value: &Value<'_>, name: &str) {
    match name {
        "messages" | "model" | "stream" => value.fault(format!("`{name}` cannot be changed")),
        _ if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) => {
            value.fault("the name of a parameter has 1 to 128 bytes and no control characters");
        }
        _ => {}
    }
}

fn headers(value: &Value<'_>) -> Option<Headers> {
    let mut fields = value.fields()?;
    let mut places: HashMap<String, String> = HashMap::new();
    let mut once = |value: &Value<'_>, name: &str, used: Use| {
        let name = header::name(value, name, used)?;
        if let Some(place) = places.insert(name.clone(), value.place().to_owned()) {
            value.fault(format!("`{name}` stands at `{place}` already"));
        }
        Some(name)
    };
    let set = fields.or_default("set", |value| {
        let members = value.map(100)?;
        let set = members.iter().map(|(name, value)| Some((once(value, name, Use::Set)?, header::value(value)?)));
        set.collect::<Vec<_>>().into_iter().collect()
    });
    let mut names =
        |name, used| fields.or_default(name, |value| value.each(100, |value| once(value, &value.text()?, used)));
    let (remove, forward) = (names("remove", Use::Remove), names("forward", Use::Forward));
    fields.finish();
    Some(Headers { set: set?, remove: remove?, forward: forward? })
}
