//! Looking things up: which model a name is, what an upstream calls it, who a caller is, what a caller may use.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::pattern::{is_name, matches, sides, star};
use super::{Allowed, Balance, Config, Key, Model, Upstream};
use crate::cost::{self, Rates};
use crate::error::Kind;
use crate::limit::Limits;

/// How often a call may go on to another model.
pub const MOST_HOPS: usize = 5;

/// A name that a client asked for, found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// As the client wrote it.
    pub asked: &'a str,
    /// The model's name, or its pattern; what the client asked for where no models are listed.
    pub name: &'a str,
    /// Its place in [`Config::models`]; `None` where none are listed.
    pub model: Option<usize>,
    /// What the `*` of the model's pattern stands for.
    pub star: Option<&'a str>,
}

impl Allowed {
    /// What may be used of a model beside what may be used of all, and the name or pattern for which that is said.
    pub fn at(&self, resolved: &Resolved<'_>) -> Option<(&str, &Limits)> {
        let meant = |(entry, _): &&(String, Limits)| matches(entry, resolved.name) || matches(entry, resolved.asked);
        self.models.iter().find(meant).map(|(name, limits)| (name.as_str(), limits))
    }
}

impl Config {
    /// What `asked` is: an alias, a model's name, or what the longest pattern matches. Where no models are listed it is
    /// itself.
    pub fn model<'a>(&'a self, asked: &'a str) -> Option<Resolved<'a>> {
        if !is_name(asked) {
            return None;
        }
        if self.models.is_empty() {
            return Some(Resolved { asked, name: asked, model: None, star: None });
        }
        if let Some(&place) = self.names.get(asked) {
            let name = &self.models.get(place)?.name;
            return Some(Resolved { asked, name, model: Some(place), star: None });
        }
        self.patterns.iter().find_map(|&place| {
            let model = self.models.get(place)?;
            let (before, after) = model.pattern.as_ref()?;
            let star = star(before, after, asked)?;
            Some(Resolved { asked, name: &model.name, model: Some(place), star: Some(star) })
        })
    }

    /// The model that stands in next for a call that went from one model to the next, the latest last (places in
    /// [`Config::models`]), and failed for this reason at that: what the first asks for comes before what others do, and none
    /// is asked twice.
    pub fn stand_in(&self, tried: &[usize], reason: Kind) -> Option<&str> {
        if tried.len() > MOST_HOPS {
            return None;
        }
        let models = tried.iter().filter_map(|place| self.models.get(*place));
        let mut names = models.flat_map(|model| model.fallbacks.of(reason));
        let fresh = |name: &&String| {
            self.model(name).and_then(|resolved| resolved.model).is_some_and(|place| !tried.contains(&place))
        };
        names.find(fresh).map(String::as_str)
    }

    /// What the upstream at a place in [`Config::upstreams`] calls the model.
    pub fn upstream_model(&self, resolved: &Resolved<'_>, upstream: usize) -> String {
        let model = resolved.model.and_then(|place| self.models.get(place));
        let renamed = model.and_then(|model| model.upstream_models.get(&upstream));
        let name = match (renamed, resolved.star) {
            (Some(name), Some(star)) => name.replacen('*', star, 1),
            (Some(name), None) => name.clone(),
            (None, star) => star.unwrap_or(resolved.name).to_owned(),
        };
        self.upstreams.get(upstream).and_then(|upstream| upstream.models.get(&name)).unwrap_or(name)
    }

    /// What the upstream at a place in [`Config::upstreams`] calls the model that a client asked for as `asked`.
    pub fn name_at(&self, asked: &str, upstream: usize) -> String {
        self.model(asked).map_or_else(|| asked.to_owned(), |resolved| self.upstream_model(&resolved, upstream))
    }

    /// What the model that a client asked for as `asked` costs at `upstream`, which calls it `name`: the model's own `price`,
    /// else what `prices` say, else the shipped table. A plain client's name is looked up in `prices` as well.
    pub fn rates(&self, asked: &str, upstream: &Upstream, name: &str) -> Option<Rates> {
        let model = self.model(asked).and_then(|resolved| self.models.get(resolved.model?));
        let own = model.and_then(|model| model.price.clone());
        let listed = || cost::lookup_in(&self.prices, upstream.provider, name);
        let by_client = || self.prices.get(&model?.name).cloned();
        own.or_else(listed).or_else(by_client).or_else(|| cost::lookup(upstream.provider, name))
    }

    /// Whether `key` may ask for it, be it listed by the name that the client used or by the model's own.
    pub fn allows(&self, key: &Key, resolved: &Resolved<'_>) -> bool {
        key.models.as_ref().is_none_or(|allowed| {
            allowed.iter().any(|entry| matches(entry, resolved.asked) || matches(entry, resolved.name))
        })
    }

    /// Whether calls under way are counted.
    pub fn is_counted(&self) -> bool {
        self.is_limited() || self.models.iter().any(|model| model.balance == Balance::LeastRequest)
    }

    /// Whether anything is limited at all.
    fn is_limited(&self) -> bool {
        let callers = || self.keys.iter().map(|key| &key.allowed).chain(self.teams.values());
        let of_some = callers().flat_map(|allowed| &allowed.models).map(|(_, limits)| *limits);
        let others = self.models.iter().map(|model| model.limits).chain(self.upstreams.iter().map(|u| u.limits));
        !callers().map(|allowed| allowed.limits).chain(of_some).chain(others).all(|limits| limits.is_empty())
    }

    /// The names that `key` may ask for and that can be told: what a pattern matches is known only where the key lists
    /// it. In the order of the document, each once.
    pub fn visible_models<'a>(&'a self, key: Option<&'a Key>) -> Vec<&'a str> {
        let plain = self.models.iter().filter(|model| model.pattern.is_none());
        let named = plain.flat_map(|Model { name, aliases, .. }| std::iter::once(name).chain(aliases));
        let listed =
            key.and_then(|key| key.models.as_ref()).into_iter().flatten().filter(|entry| sides(entry).is_none());
        let mut seen = HashSet::new();
        named
            .chain(listed)
            .map(String::as_str)
            .filter(|name| {
                self.model(name).is_some_and(|resolved| key.is_none_or(|key| self.allows(key, &resolved)))
                    && seen.insert(*name)
            })
            .collect()
    }

    /// The key with this secret. It may be disabled or expired.
    pub fn by_secret(&self, secret: &[u8]) -> Option<&Key> {
        let hash: [u8; 32] = Sha256::digest(secret).into();
        self.keys.get(*self.key_hashes.get(&hash)?)
    }

    /// The key with this id. It may be disabled or expired.
    pub fn by_id(&self, id: &str) -> Option<&Key> {
        self.keys.get(*self.key_ids.get(id)?)
    }
}
