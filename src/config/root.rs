//! The document as a whole.

use super::credentials::Source;
use super::header::{self, Use};
use super::key::{self, Against, Keys};
use super::model::{self, Models};
use super::read::{Fields, Report, Value};
use super::remote_images;
use super::upstream::{self, Upstreams};
use super::{
    ClientAuth, Config, Fault, KeyLabel, Metrics, Model, Purpose, Reserve, Role, Secret, UnsupportedParams, price,
};
use crate::json::{Doc, Kind};

/// The largest document.
const LARGEST: usize = 8 * 1024 * 1024;

/// The variable of [`Config::id_secret`].
pub const ID_SECRET: &str = "DRAGOMAN_ID_SECRET";

/// Reads and checks a document.
pub(super) fn read(json: &[u8], env: &dyn Fn(&str) -> Option<String>, purpose: Purpose) -> Result<Config, Vec<Fault>> {
    let whole = |message| vec![Fault { place: String::new(), message }];
    if json.len() > LARGEST {
        return Err(whole("the document is larger than 8 MiB".to_owned()));
    }
    let doc = Doc::strict(json).map_err(|fault| whole(format!("the document cannot be read: {fault}")))?;
    let report = Report::default();
    let config = Value::root(doc.root(), &report).fields().and_then(|fields| config(fields, env, purpose));
    let warnings = report.finish()?;
    // A reader that gives nothing has noted why, so a configuration is always there when there is no fault.
    let config = config.ok_or_else(|| whole("the document cannot be read".to_owned()))?;
    Ok(Config { warnings, ..config })
}

fn config(mut fields: Fields<'_>, env: &dyn Fn(&str) -> Option<String>, purpose: Purpose) -> Option<Config> {
    let root = fields.object.clone();
    let role = fields.or_default("role", role);
    let serves_clients = role.is_some_and(|role| role != Role::Upstream) && purpose != Purpose::Translate;
    let written = fields.take("client_auth");
    if written.is_none() && serves_clients {
        root.fault_in("client_auth", format!("missing; write {CLIENT_AUTH}"));
    }
    let auth = written.map(|value| client_auth(&value));
    let virtual_keys = auth == Some(Some(ClientAuth::Keys));
    // It may be absent where no client comes in. If one did, this would let nobody in.
    let auth = auth.unwrap_or(Some(ClientAuth::Keys));

    let source = Source { env, purpose, virtual_keys };
    let upstreams = fields.need("upstreams", "name at least one account at a provider");
    let upstreams = upstreams.and_then(|value| upstream::read(&value, &source)).unwrap_or_default();
    let models = fields.or_default("models", |value| model::read(value, &upstreams));
    let known = models.as_ref().filter(|models| !models.list.is_empty());
    let teams = fields.or_default("teams", |value| key::teams(value, known));
    let against = Against {
        models: known,
        teams: teams.as_ref().filter(|teams| !teams.is_empty()),
        upstreams: &upstreams,
        need_hash: virtual_keys,
    };
    let keys = fields.or_default("keys", |value| key::read(value, &against));
    if role == Some(Role::Standalone) {
        let any = |is: fn(&Model) -> bool| models.as_ref().is_some_and(|models| models.list.iter().any(is));
        if any(|model| !model.fallbacks.content_policy.is_empty()) {
            let message = "needs the role `gateway`: here Envoy asks no filter again once a call is answered";
            root.warn_in("models[].fallbacks.content_policy", message);
        }
        if any(|model| model.timeouts.idle.is_some()) {
            let message = "needs the role `gateway`: here routes know upstreams, and no models";
            root.warn_in("models[].timeouts.idle", message);
        }
    }
    if let (true, Some(auth), Some(keys)) = (serves_clients, &auth, &keys) {
        match (auth, keys.list.is_empty()) {
            (ClientAuth::Open, false) => root.warn_in("keys", "not used: `client_auth: open` asks nobody for a key"),
            (ClientAuth::Open, true) | (_, false) => {}
            (_, true) => root.warn_in("keys", "none listed: nobody may call"),
        }
    }
    let unsupported_params = fields.or_default("unsupported_params", |value| {
        value.one_of(&[("drop", UnsupportedParams::Drop), ("reject", UnsupportedParams::Reject)])
    });
    let remote_images = fields.maybe("remote_images", remote_images::read);
    let metrics = fields.or_default("metrics", metrics);
    let prices = fields.or_default("prices", price::table);
    let reserve =
        fields.or_default("reserve", |value| value.one_of(&[("max", Reserve::Max), ("typical", Reserve::Typical)]));
    fields.finish();

    let Upstreams { list: upstreams, .. } = upstreams;
    let Models { list: models, names, patterns, .. } = models?;
    let Keys { list: keys, hashes: key_hashes, ids: key_ids } = keys?;
    Some(Config {
        role: role?,
        client_auth: auth?,
        upstreams: upstreams.into_iter().collect::<Option<_>>()?,
        models,
        names,
        patterns,
        prices: prices?,
        keys,
        key_hashes,
        key_ids,
        teams: teams?,
        reserve: reserve?,
        unsupported_params: unsupported_params?,
        id_secret: env(ID_SECRET).filter(|secret| !secret.is_empty()).map(Secret::new),
        remote_images: remote_images?,
        metrics: metrics?,
        warnings: Vec::new(),
    })
}

fn role(value: &Value<'_>) -> Option<Role> {
    value.one_of(&[("gateway", Role::Gateway), ("standalone", Role::Standalone), ("upstream", Role::Upstream)])
}

const CLIENT_AUTH: &str = "`keys`, `open`, `metadata:NS.KEY`, `filter_state:NAME` or `header:NAME`";

fn client_auth(value: &Value<'_>) -> Option<ClientAuth> {
    let text = value.text_or(CLIENT_AUTH)?;
    let is_name = |name: &str| (1..=256).contains(&name.len()) && !name.chars().any(char::is_control);
    match text.split_once(':') {
        None if text == "keys" => return Some(ClientAuth::Keys),
        None if text == "open" => return Some(ClientAuth::Open),
        Some(("metadata", path)) => match path.rsplit_once('.') {
            Some((namespace, key)) if is_name(namespace) && is_name(key) => {
                return Some(ClientAuth::Metadata { namespace: namespace.to_owned(), key: key.to_owned() });
            }
            _ => value.fault("expected `metadata:NS.KEY`, such as `metadata:envoy.filters.http.jwt_authn.key_id`"),
        },
        Some(("filter_state", name)) if is_name(name) => return Some(ClientAuth::FilterState(name.to_owned())),
        Some(("header", name)) => return header::name(value, name, Use::Caller).map(ClientAuth::Header),
        _ => {
            let known = ["keys", "open", "metadata:NS.KEY", "filter_state:NAME", "header:NAME"];
            value.unknown("value", &text, known, &format!("expected {CLIENT_AUTH}"));
        }
    }
    None
}

fn metrics(value: &Value<'_>) -> Option<Metrics> {
    let mut fields = value.fields()?;
    let key_label = fields.or_default("key_label", key_label);
    let max_series = fields.maybe("max_series", |value| value.whole(1..=1_000_000)?.try_into().ok());
    fields.finish();
    Some(Metrics { key_label: key_label?, max_series: max_series?.unwrap_or(Metrics::default().max_series) })
}

fn key_label(value: &Value<'_>) -> Option<KeyLabel> {
    // Readers of YAML 1.1 make a boolean of `off`.
    if value.kind() == Kind::Bool && value.raw() == "false" {
        return Some(KeyLabel::Off);
    }
    value.one_of(&[("id", KeyLabel::Id), ("off", KeyLabel::Off), ("team", KeyLabel::Team)])
}
