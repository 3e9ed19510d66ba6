//! The configuration: one document, checked whole, into types that cannot be wrong later.
//!
//! [`Config::parse`] takes JSON (people write YAML; the command line converts it). Unknown names are faults, each fault
//! names its place, and nothing is used of a document that has one.

mod address;
mod credentials;
mod header;
mod key;
mod limit;
mod model;
mod pass;
mod pattern;
mod price;
mod read;
mod remote_images;
mod resolve;
mod root;
pub mod structure;
mod suggest;
mod time;
mod token;
mod upstream;

#[cfg(test)]
mod tests;

pub use key::is_key_id;
pub use pass::{Pass, is_segment};
pub use remote_images::RemoteImages;
pub use resolve::{MOST_HOPS, Resolved};
pub use root::ID_SECRET;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::auth::sigv4::Keys;
use crate::auth::token::Source;
use crate::cost::Rates;
use crate::error::Kind;
use crate::limit::Limits;
use crate::provider::Provider;

/// What a configuration is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// [`Config::check`]
    Check,
    /// [`Config::parse`]
    Serve,
    /// [`Config::parse_upstreams`]
    Translate,
}

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// Where the filter sits.
    pub role: Role,
    /// How callers are known.
    pub client_auth: ClientAuth,
    /// Accounts at providers. Their places in this list are how others refer to them.
    pub upstreams: Vec<Upstream>,
    /// What clients may ask for; none is any name, as it comes.
    pub models: Vec<Model>,
    /// Plain names and aliases to places in `models`.
    pub names: HashMap<String, usize>,
    /// The places in `models` of those whose name is a pattern, the longest first.
    pub patterns: Vec<usize>,
    /// Prices of models, over those of the shipped table: names of models, or `PROVIDER/MODEL`.
    pub prices: HashMap<String, Rates>,
    /// Callers.
    pub keys: Vec<Key>,
    /// SHA-256 of a secret to its place in `keys`.
    pub key_hashes: HashMap<[u8; 32], usize>,
    /// Key id to its place in `keys`.
    pub key_ids: HashMap<String, usize>,
    /// What teams may use, by their ids.
    pub teams: BTreeMap<String, Allowed>,
    /// How much output a call reserves of limits on tokens.
    pub reserve: Reserve,
    /// What is done about parameters that an upstream does not support.
    pub unsupported_params: UnsupportedParams,
    /// What ids are sealed with, from the environment: without it each upstream's own credentials do.
    pub id_secret: Option<Secret>,
    /// Where images may be fetched from; nowhere if it is not there.
    pub remote_images: Option<RemoteImages>,
    /// How metrics are labelled.
    pub metrics: Metrics,
    /// Things that are allowed and probably not meant, and upstreams whose credentials are not set: for the log.
    pub warnings: Vec<String>,
}

/// Where the filter sits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// In the listener, before an `Upstream` one.
    Gateway,
    /// Alone, in the listener.
    #[default]
    Standalone,
    /// In a cluster.
    Upstream,
}

/// How callers are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// By the key id in filter state.
    FilterState(String),
    /// By the key id in a header that the host sets, in lower case.
    Header(String),
    /// By their virtual key.
    Keys,
    /// By the key id in dynamic metadata.
    Metadata {
        /// The filter that wrote it.
        namespace: String,
        /// The name it wrote it under; a `/` goes deeper.
        key: String,
    },
    /// Not at all.
    Open,
}

impl Upstream {
    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }
}

/// What is done about parameters that an upstream does not support.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnsupportedParams {
    /// Left out, and reported.
    #[default]
    Drop,
    /// The call is refused.
    Reject,
}

/// How much output a call reserves of limits on tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reserve {
    /// As much as it may come to.
    Max,
    /// As much as nineteen of twenty answers of the key and model stay under.
    #[default]
    Typical,
}

/// An account at a provider.
#[derive(Debug)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// The row of the catalogue.
    pub provider: &'static Provider,
    /// Whether it is reached over TLS.
    pub tls: bool,
    /// Host and port, as `:authority` has them.
    pub authority: String,
    /// The path before a surface's; no slash at its end; may be empty.
    pub prefix: String,
    /// The provider's options, each with its value.
    pub options: Vec<(&'static str, String)>,
    /// How it is paid.
    pub credentials: Credentials,
    /// The client's names of models to the provider's.
    pub models: ModelMap,
    /// Changes to bodies.
    pub params: Params,
    /// Changes to headers.
    pub headers: Headers,
    /// What the account may do.
    pub limits: Limits,
    /// What callers may ask for in the provider's own words; empty is nothing.
    pub pass: Vec<Pass>,
}

/// How an upstream is paid.
#[derive(Debug)]
pub enum Credentials {
    /// One key or several, used in turn.
    ApiKey(Vec<ApiKey>),
    /// Keys of an Amazon account, which sign each request.
    Aws(Keys),
    /// The caller's own provider key goes through.
    Client,
    /// A filter of the host puts them in.
    Host,
    /// Nothing is sent.
    None,
    /// A token that is fetched.
    Token(Arc<Source>),
    /// They are configured and not there: the upstream answers 503. The reason names no secret.
    Unset(String),
}

impl Credentials {
    /// What is shown where nothing is sent: the first key, or for a token, which only a host can fetch, `unset`.
    pub fn stand_in(&self) -> Option<Secret> {
        match self {
            Self::ApiKey(keys) => keys.first().map(|key| key.key.clone()),
            Self::Token(_) => Some(Secret::new(PLACEHOLDER)),
            Self::Aws(_) | Self::Client | Self::Host | Self::None | Self::Unset(_) => None,
        }
    }
}

/// What stands for a secret that is not there when nothing is sent.
const PLACEHOLDER: &str = "unset";

/// A key of an account at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its place among the keys as they are written: logs name it by that.
    pub place: usize,
    /// The key itself.
    pub key: Secret,
    /// A part of its hash: what is kept about it is kept under this.
    pub print: u64,
}

impl ApiKey {
    /// The key at a place.
    pub fn new(place: usize, key: Secret) -> Self {
        let hash: [u8; 32] = Sha256::digest(key.reveal()).into();
        let print = hash.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Self { place, key, print }
    }
}

/// Something that must never be seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Names to names: exact first, then the longest pattern. A pattern holds one `*`; a `*` in its value stands for what
/// the pattern's matched.
#[derive(Clone, Debug, Default)]
pub struct ModelMap {
    /// Names without a `*`.
    pub exact: HashMap<String, String>,
    /// The others: (before the `*`, after it, value), the longest first.
    pub patterns: Vec<(String, String, String)>,
}

/// Changes to the top level of bodies.
#[derive(Clone, Debug, Default)]
pub struct Params {
    /// Set where the client brings none: name and raw JSON.
    pub default: Vec<(String, String)>,
    /// Set whatever the client brings.
    pub force: Vec<(String, String)>,
    /// Taken out, and reported.
    pub drop: Vec<String>,
}

/// Changes to headers towards an upstream; names in lower case.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// Set.
    pub set: Vec<(String, String)>,
    /// Taken out.
    pub remove: Vec<String>,
    /// Let through from the client.
    pub forward: Vec<String>,
}

/// Something that clients may ask for.
#[derive(Debug)]
pub struct Model {
    /// The name, or a pattern with one `*`.
    pub name: String,
    /// Before the `*` and after it; `None` for a plain name.
    pub pattern: Option<(String, String)>,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// Where it is, in order of preference.
    pub upstreams: Vec<Choice>,
    /// Names of the model at upstreams (place in [`Config::upstreams`]), before their own maps are asked.
    pub upstream_models: HashMap<usize, String>,
    /// How the first upstream of a call is chosen.
    pub balance: Balance,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How often the host may try again.
    pub retries: Option<u32>,
    /// Which models stand in for it.
    pub fallbacks: Fallbacks,
    /// What it costs, wherever it is answered.
    pub price: Option<Rates>,
    /// What all callers together may use of it.
    pub limits: Limits,
}

/// One of a model's upstreams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its place in [`Config::upstreams`].
    pub upstream: usize,
    /// Its share, where the balance knows shares.
    pub weight: u32,
}

/// How the first upstream of a call is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// The one where the call costs least.
    Cost,
    /// The one that answers soonest, as calls have shown.
    Latency,
    /// The one with the fewest calls under way for its weight.
    LeastRequest,
    /// The first that can.
    #[default]
    Priority,
    /// The same for all calls of a conversation or of a user, so that the provider's cache of prompts hits.
    Sticky,
    /// The one with the most left of its account's limits.
    Usage,
    /// By chance, by weight.
    Weighted,
}

/// Models that stand in for another where its providers will not answer because of what the call is: names as clients may ask
/// for them, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fallbacks {
    /// Where the conversation is longer than the model's context.
    pub context_window: Vec<String>,
    /// Where the provider does not want what it is about.
    pub content_policy: Vec<String>,
}

impl Fallbacks {
    /// Those for an error of that kind.
    pub fn of(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::ContentPolicy => &self.content_policy,
            Kind::ContextWindow => &self.context_window,
            _ => &[],
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.context_window.is_empty() && self.content_policy.is_empty()
    }
}

/// How long things may take, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the first word of a stream.
    pub first_token: Option<u64>,
    /// Between two events of a stream.
    pub idle: Option<u64>,
    /// For all of it.
    pub total: Option<u64>,
}

/// A caller.
#[derive(Debug)]
pub struct Key {
    /// Its id: in logs and metrics.
    pub id: String,
    /// Names and patterns of models that it may ask for; `None` is all.
    pub models: Option<Vec<String>>,
    /// Its team.
    pub team: Option<String>,
    /// From when on it is refused, in unix seconds.
    pub expires: Option<u64>,
    /// Whether it is refused.
    pub disabled: bool,
    /// The upstreams whose `pass` it may use; `*` is all of them.
    pub upstreams: Vec<String>,
    /// For filter state and logs.
    pub tags: Vec<String>,
    /// What it may use.
    pub allowed: Allowed,
}

/// What a key or a team may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Of all models together.
    pub limits: Limits,
    /// Of some models beside that: names first, then the longest pattern.
    pub models: Vec<(String, Limits)>,
}

/// How metrics are labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// What stands in the label `key`.
    pub key_label: KeyLabel,
    /// The most series of one metric; the rest is `other`.
    pub max_series: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { key_label: KeyLabel::default(), max_series: 5000 }
    }
}

/// What stands in the label `key`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyLabel {
    /// The key's id.
    #[default]
    Id,
    /// Nothing.
    Off,
    /// Its team.
    Team,
}

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Such as `upstreams.claude.provider`; empty for the document itself.
    pub place: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.place.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.place, self.message) }
    }
}

impl Config {
    /// Reads a JSON document for people, who want to know of everything: a secret that is not there is a fault. `env`
    /// looks a variable up. Faults are in the order of the document.
    pub fn check(json: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Fault>> {
        root::read(json, env, Purpose::Check)
    }

    /// Reads a JSON document for the filter: an upstream whose secrets are not there is [`Credentials::Unset`], and the
    /// others serve.
    pub fn parse(json: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Fault>> {
        root::read(json, env, Purpose::Serve)
    }

    /// Reads a JSON document to translate without a host: `client_auth` may be absent, and `unset` stands for a secret
    /// that is not there.
    pub fn parse_upstreams(json: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Fault>> {
        root::read(json, env, Purpose::Translate)
    }
}
