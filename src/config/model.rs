//! `models`: what clients may ask for.

use std::collections::HashMap;

use super::pattern::{self, sides};
use super::read::Value;
use super::upstream::Upstreams;
use super::{Balance, Choice, Fallbacks, Model, Timeouts, limit, price, time};
use crate::error::shorten;
use crate::json::Kind;

/// The models, and how their names lead to them.
#[derive(Default)]
pub(super) struct Models {
    /// In the order of the document.
    pub(super) list: Vec<Model>,
    /// Plain names and aliases.
    pub(super) names: HashMap<String, usize>,
    /// The places of those whose name is a pattern, the longest first.
    pub(super) patterns: Vec<usize>,
    /// Where a name or alias was seen.
    seen: HashMap<String, String>,
}

impl Models {
    /// Takes a name or alias, unless it is taken.
    fn claim(&mut self, value: &Value<'_>, name: &str) -> bool {
        if let Some(place) = self.seen.get(name) {
            value.fault(format!("`{}` stands at `{place}` already", shorten(name)));
            return false;
        }
        self.seen.insert(name.to_owned(), value.place().to_owned());
        true
    }

    /// The name of the model that has this name or alias.
    pub(super) fn name_of(&self, name: &str) -> Option<&str> {
        let place = self.names.get(name)?;
        self.list.get(*place).map(|model| model.name.as_str())
    }

    /// The place of the model that a plain name stands for.
    fn place_of(&self, name: &str) -> Option<usize> {
        let matches = |place: &&usize| {
            let pattern = self.list.get(**place).and_then(|model| model.pattern.as_ref());
            pattern.is_some_and(|(before, after)| pattern::star(before, after, name).is_some())
        };
        self.names.get(name).or_else(|| self.patterns.iter().find(matches)).copied()
    }

    /// Whether clients may ask for `name`, or for something that it matches if it is a pattern.
    pub(super) fn knows(&self, name: &str) -> bool {
        let pattern = |place: &usize| self.list.get(*place)?.pattern.as_ref().map(|(b, a)| (b.as_str(), a.as_str()));
        let mut patterns = self.patterns.iter().filter_map(pattern);
        match sides(name) {
            None => {
                self.names.contains_key(name)
                    || patterns.any(|(before, after)| pattern::star(before, after, name).is_some())
            }
            Some(sides) => {
                patterns.any(|other| pattern::overlap(sides, other))
                    || self.names.keys().any(|known| pattern::matches(name, known))
            }
        }
    }
}

/// Reads `models`.
pub(super) fn read(value: &Value<'_>, upstreams: &Upstreams) -> Option<Models> {
    let mut models = Models::default();
    let mut stand_ins = Vec::new();
    for value in value.list(10_000)? {
        if let Some(model) = one(&value, upstreams, &mut models, &mut stand_ins) {
            let place = models.list.len();
            match &model.pattern {
                Some(_) => models.patterns.push(place),
                None => drop(models.names.insert(model.name.clone(), place)),
            }
            models.names.extend(model.aliases.iter().map(|alias| (alias.clone(), place)));
            models.list.push(model);
        }
    }
    let Models { list, patterns, .. } = &mut models;
    patterns.sort_by_key(|place| {
        let pattern = list.get(*place).and_then(|model| model.pattern.as_ref());
        pattern.map(|(before, after)| pattern::rank(before, after))
    });
    for StandIn { value, name, model } in stand_ins {
        match models.place_of(&name) {
            Some(place) if place == model => value.fault("a model cannot stand in for itself"),
            Some(_) => {}
            None => value.unknown("model", &name, models.names.keys().map(String::as_str), "name one of `models`"),
        }
    }
    Some(models)
}

/// A model that stands in for another, looked up once all are known.
struct StandIn<'d> {
    value: Value<'d>,
    name: String,
    /// The place of the one that it stands in for.
    model: usize,
}

fn one<'d>(
    value: &Value<'d>,
    upstreams: &Upstreams,
    models: &mut Models,
    stand_ins: &mut Vec<StandIn<'d>>,
) -> Option<Model> {
    let mut fields = value.fields()?;
    let name = fields.need("name", "name the model as clients ask for it").and_then(|value| {
        let name = pattern::read(&value)?;
        models.claim(&value, &name).then_some(name)
    });
    let pattern = name.as_deref().and_then(sides).map(|(before, after)| (before.to_owned(), after.to_owned()));
    let aliases = fields.or_default("aliases", |value| aliases(value, pattern.is_some(), models));
    let places = fields.need("upstreams", "list at least one").and_then(|value| choices(&value, upstreams));
    let renamed = fields.take("upstream_models");
    let upstream_models = match (&renamed, &places) {
        (Some(value), Some(places)) => upstream_models(value, upstreams, places, pattern.is_some()),
        _ => Some(HashMap::new()),
    };
    if let (Some((before, after)), Some(upstream_models), Some(places)) = (&pattern, &upstream_models, &places) {
        let whole = |before: &str| before.is_empty() || before.ends_with(['/', ':']);
        let cut = !whole(before) || !after.is_empty();
        if cut && places.iter().any(|choice| !upstream_models.contains_key(&choice.upstream)) {
            value.warn_in("name", "only what the `*` matches goes upstream; write more in `upstream_models`");
        }
    }
    let balance = fields.or_default("balance", balance);
    if let (Some(Balance::Usage), Some(places)) = (balance, &places) {
        upstreams.check_rates(value, places);
    }
    let timeouts = fields.or_default("timeouts", timeouts);
    let retries = fields.maybe("retries", |value| value.whole(0..=10)?.try_into().ok());
    let price = fields.maybe("price", |value| price::read(value, name.as_deref().unwrap_or_default()));
    let limits = fields.or_default("limits", limit::limits);
    let fallbacks = fields.or_default("fallbacks", |value| fallbacks(value, models.list.len(), stand_ins));
    fields.finish();
    Some(Model {
        name: name?,
        pattern,
        aliases: aliases?,
        upstreams: places?,
        upstream_models: upstream_models?,
        balance: balance?,
        timeouts: timeouts?,
        retries: retries?,
        fallbacks: fallbacks?,
        price: price?,
        limits: limits?,
    })
}

fn aliases(value: &Value<'_>, pattern: bool, models: &mut Models) -> Option<Vec<String>> {
    let aliases = value.each(1000, |value| {
        let alias = pattern::read_plain(value, "an alias is a plain name, without `*`")?;
        models.claim(value, &alias).then_some(alias)
    })?;
    if pattern && !aliases.is_empty() {
        value.fault("a pattern has no aliases: they would not say what its `*` stands for");
    }
    Some(aliases)
}

/// A list of names of upstreams, or of `{ name: …, weight: … }`.
fn choices(value: &Value<'_>, upstreams: &Upstreams) -> Option<Vec<Choice>> {
    let mut places = Vec::new();
    let choices = value.each(1000, |value| {
        let choice = choice(value, upstreams)?;
        if places.contains(&choice.upstream) {
            value.fault("this upstream stands in the list already");
        }
        places.push(choice.upstream);
        Some(choice)
    })?;
    if choices.is_empty() {
        value.fault("expected at least one upstream");
    }
    upstreams.check_callers_keys(value, &places);
    Some(choices)
}

fn choice(value: &Value<'_>, upstreams: &Upstreams) -> Option<Choice> {
    match value.kind() {
        Kind::String => Some(Choice { upstream: upstreams.find(value, &value.text()?)?, weight: 1 }),
        Kind::Object => {
            let mut fields = value.fields()?;
            let name = fields.need("name", "name an upstream");
            let weight = fields.maybe("weight", |value| value.whole(1..=1000)?.try_into().ok());
            fields.finish();
            let name = name?;
            let upstream = upstreams.find(&name, &name.text()?)?;
            Some(Choice { upstream, weight: weight?.unwrap_or(1) })
        }
        _ => {
            value.expected("the name of an upstream or `{ name: …, weight: … }`");
            None
        }
    }
}

fn upstream_models(
    value: &Value<'_>,
    upstreams: &Upstreams,
    choices: &[Choice],
    pattern: bool,
) -> Option<HashMap<usize, String>> {
    let mut map = HashMap::new();
    for (name, value) in value.map(1000)? {
        let Some(upstream) = upstreams.find(&value, &name) else { continue };
        if !choices.iter().any(|choice| choice.upstream == upstream) {
            value.fault(format!("`{}` is none of the model's `upstreams`", shorten(&name)));
        }
        let name = if pattern {
            pattern::read(&value)
        } else {
            pattern::read_plain(&value, "a `*` stands for what the `*` of the model's name matched; this name has none")
        };
        map.extend(name.map(|name| (upstream, name)));
    }
    Some(map)
}

fn balance(value: &Value<'_>) -> Option<Balance> {
    value.one_of(&[
        ("cost", Balance::Cost),
        ("latency", Balance::Latency),
        ("least_request", Balance::LeastRequest),
        ("priority", Balance::Priority),
        ("sticky", Balance::Sticky),
        ("usage", Balance::Usage),
        ("weighted", Balance::Weighted),
    ])
}

/// The most models that stand in for another.
const MOST_STAND_INS: usize = 5;

fn fallbacks<'d>(value: &Value<'d>, model: usize, stand_ins: &mut Vec<StandIn<'d>>) -> Option<Fallbacks> {
    let mut fields = value.fields()?;
    let mut names = |reason| {
        fields.or_default(reason, |value| {
            value.each(MOST_STAND_INS, |value| {
                let name = pattern::read_plain(value, "name one model, without `*`")?;
                stand_ins.push(StandIn { value: value.clone(), name: name.clone(), model });
                Some(name)
            })
        })
    };
    let (context_window, content_policy) = (names("context_window"), names("content_policy"));
    fields.finish();
    Some(Fallbacks { context_window: context_window?, content_policy: content_policy? })
}

fn timeouts(value: &Value<'_>) -> Option<Timeouts> {
    let mut fields = value.fields()?;
    let mut duration = |name| fields.maybe(name, time::duration);
    let (first_token, idle, total) = (duration("first_token"), duration("idle"), duration("total"));
    fields.finish();
    Some(Timeouts { first_token: first_token?, idle: idle?, total: total? })
}
