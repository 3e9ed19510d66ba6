//! With which of several upstreams a call starts.
//!
//! What a call shows by itself ([`Gateway::order`]) comes first; what all workers have seen ([`Gateway::measured`]) puts
//! upstreams in another order when the call is let in. Where two are as good as each other, chance decides.

use super::{Gateway, Guard, Routed};
use crate::client::estimate;
use crate::client::origin::origin;
use crate::config::{Balance, Choice, Model, Resolved, Upstream};
use crate::cost::{Class, cost};
use crate::json::Node;
use crate::latency::{self, Latency, Sample};
use crate::limit::{Broken, Claim, Limits, Standing, Window};
use crate::record::{Note, Record};
use crate::usage::Usage;

/// One call in so many starts anywhere, whatever the measurements say: they get old.
const EXPLORE: u64 = 16;

/// The output of a call that does not limit it, where costs are compared.
const OUTPUT: u64 = 512;

/// The fewest tokens of an answer whose time shows how long one takes.
const SOME: u64 = 32;

/// How long a call took that failed, as far as the balance goes, in milliseconds: longer than most that do not.
const FAILED: u64 = 10_000;

impl Gateway {
    /// Puts a model's upstreams in the order in which a call may start with them, as far as the call itself says.
    pub(super) fn order(
        &self,
        resolved: &Resolved<'_>,
        model: &Model,
        choices: Vec<&Choice>,
        root: Node<'_>,
        random: u64,
    ) -> Vec<usize> {
        let mut choices = choices;
        match model.balance {
            Balance::Priority => {}
            Balance::Cost => choices.sort_by_cached_key(|choice| self.expected_cost(resolved, choice.upstream, root)),
            Balance::Sticky => {
                let origin = origin(root);
                choices.sort_by_cached_key(|choice| {
                    self.config.upstreams.get(choice.upstream).map(|upstream| distance(upstream, choice.weight, origin))
                });
            }
            Balance::Latency | Balance::LeastRequest | Balance::Usage | Balance::Weighted => {
                choices = by_weight(choices, random);
            }
        }
        choices.into_iter().map(|choice| choice.upstream).collect()
    }

    /// What a call would cost at an upstream, in nanodollars; more than anything where nobody knows.
    fn expected_cost(&self, resolved: &Resolved<'_>, place: usize, root: Node<'_>) -> u64 {
        let Some(upstream) = self.config.upstreams.get(place) else { return u64::MAX };
        let name = self.config.upstream_model(resolved, place);
        let output = super::allowance::most_output(root, &upstream.params).unwrap_or(OUTPUT).min(OUTPUT);
        let usage = Usage { input: estimate::rough(root), output, ..Usage::default() };
        let rates = self.config.rates(resolved.asked, upstream, &name);
        rates.and_then(|rates| cost(&rates, &usage, Class::default())).unwrap_or(u64::MAX)
    }

    /// Puts the upstreams that do not rest in the order that all workers' calls have shown to be best.
    pub(super) fn measured(
        &self,
        resolved: &Resolved<'_>,
        routed: &Routed,
        guard: &mut Guard<'_>,
    ) -> Vec<Option<usize>> {
        let mut order: Vec<Option<usize>> =
            std::iter::once(routed.upstream).chain(routed.others.iter().copied().map(Some)).collect();
        let Some(model) = resolved.model.and_then(|place| self.config.models.get(place)) else { return order };
        let awake = order.get_mut(..routed.awake).unwrap_or_default();
        if awake.len() < 2 {
            return order;
        }
        let mut badness = |place: Option<usize>| -> u64 {
            let Some(upstream) = place.and_then(|place| self.config.upstreams.get(place)) else { return 0 };
            match model.balance {
                Balance::LeastRequest => {
                    let weight = model
                        .upstreams
                        .iter()
                        .find(|choice| Some(choice.upstream) == place)
                        .map_or(1, |choice| choice.weight);
                    standing(guard, &under_way(upstream))
                        .parallel
                        .map_or(0, |window| share(window.taken, weight.into()))
                }
                Balance::Usage => most_used(&standing(guard, &account(upstream))),
                Balance::Latency => match guard.store.get(&latency::key(&model.name, &upstream.name)) {
                    Ok((bytes, _)) => Latency::decode(&bytes).map_or(0, |latency| latency.expected()),
                    Err(Broken) => 0,
                },
                Balance::Cost | Balance::Priority | Balance::Sticky | Balance::Weighted => 0,
            }
        };
        let mut found: Vec<(u64, Option<usize>)> = awake.iter().map(|place| (badness(*place), *place)).collect();
        if model.balance == Balance::Latency {
            let explores = (routed.ask.random >> 32).checked_rem(EXPLORE) == Some(0);
            // One of which nothing is known yet is not for all calls to find out about.
            if explores || found.iter().any(|(badness, _)| *badness == 0) {
                return order;
            }
            let best = found.iter().map(|(badness, _)| *badness).min().unwrap_or(0);
            let about_best = best.saturating_add(best / 10);
            found.iter_mut().for_each(|(badness, _)| *badness = (*badness).max(about_best));
        }
        found.sort_by_key(|(badness, _)| *badness);
        awake.iter_mut().zip(found).for_each(|(slot, (_, place))| *slot = place);
        order
    }

    /// The model that the call is for, if that is how it is balanced.
    pub(super) fn balanced_by(&self, balance: Balance) -> Option<&Model> {
        self.model.and_then(|place| self.config.models.get(place)).filter(|model| model.balance == balance)
    }

    /// Takes note of how long a call's attempts took, if the model's balance goes by that.
    pub(super) fn note_latency(&self, record: &Record, guard: &mut Guard<'_>) {
        let Some(model) = self.balanced_by(Balance::Latency) else { return };
        for note in &record.attempts {
            let Some(sample) = sample(note, record.ask.stream) else { continue };
            let key = latency::key(&model.name, &note.upstream);
            // A sample more or less does no harm.
            for _ in 0..3 {
                let Ok((bytes, version)) = guard.store.get(&key) else { return };
                let latency = Latency::decode(&bytes).unwrap_or_default().with(&sample);
                if guard.store.set(&key, &latency.encode(), version) != Ok(false) {
                    break;
                }
            }
        }
    }
}

/// Counts the calls under way at an upstream that least is asked of.
pub(super) fn under_way(upstream: &Upstream) -> Claim {
    let limits = Limits { parallel: Some(u64::MAX), ..Limits::default() };
    Claim { key: format!("dragoman.limit.calls.{}", upstream.name), limits }
}

/// What an account may use.
pub(super) fn account(upstream: &Upstream) -> Claim {
    Claim { key: format!("dragoman.limit.upstream.{}", upstream.name), limits: upstream.limits }
}

/// What is known of a subject; nothing where the host does not tell, and then nobody is let in anyway.
fn standing(guard: &mut Guard<'_>, claim: &Claim) -> Standing {
    guard.limiter.standing(guard.store, claim, guard.now).unwrap_or_default()
}

/// How much is used of the limit of which least is left, in millionths.
fn most_used(standing: &Standing) -> u64 {
    let windows = [standing.requests, standing.tokens, standing.input_tokens, standing.parallel];
    windows.into_iter().flatten().map(|Window { limit, taken, .. }| share(taken, limit)).max().unwrap_or(0)
}

/// A part of a whole, in millionths.
fn share(part: u64, whole: u64) -> u64 {
    part.saturating_mul(1_000_000).checked_div(whole).unwrap_or(0)
}

/// What an attempt says about its upstream: nothing, if it was the client that was wrong.
fn sample(note: &Note, streamed: bool) -> Option<Sample> {
    let meter = &note.meter;
    match note.status {
        Some(200..=299) if meter.error.is_none() => {}
        None | Some(200..=299 | 408 | 429 | 500..=599) => return Some(Sample { first: Some(FAILED), per_token: None }),
        Some(_) => return None,
    }
    let first = meter.first_token?.saturating_sub(note.began);
    let whole = meter.latest.saturating_sub(note.began);
    let output = meter.usage.map_or(0, |usage| usage.output);
    // Of a few tokens the clock's milliseconds are too many.
    let each = |time: u64| time.saturating_mul(1000).checked_div(output).filter(|_| output >= SOME);
    if streamed {
        return Some(Sample { first: Some(first), per_token: each(whole.saturating_sub(first)) });
    }
    // An answer in one piece shows nothing of when it began, unless it is short.
    let per_token = each(whole);
    Some(Sample { first: per_token.is_none().then_some(whole), per_token })
}

/// Draws one after the other, by chance.
fn by_weight(mut choices: Vec<&Choice>, random: u64) -> Vec<&Choice> {
    let mut order = Vec::with_capacity(choices.len());
    loop {
        let total: u64 = choices.iter().map(|choice| u64::from(choice.weight)).sum();
        let mut point = random.checked_rem(total).unwrap_or(0);
        let hit = choices.iter().position(|choice| {
            let weight = u64::from(choice.weight);
            let hit = point < weight;
            point = point.saturating_sub(weight);
            hit
        });
        match hit {
            Some(place) => order.push(choices.remove(place)),
            None => return order,
        }
    }
}

/// How far an upstream is from the origin of a call: the nearest gets it. Each upstream is the nearest for as many origins
/// as its weight says, and one that goes or comes changes nothing between the others ([rendezvous
/// hashing](https://en.wikipedia.org/wiki/Rendezvous_hashing#Weighted_rendezvous_hashing)).
fn distance(upstream: &Upstream, weight: u32, origin: u64) -> u64 {
    let name = upstream.name.bytes().fold(origin, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut z = name;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    // Between 0 and 1, neither included; 53 bits are what a float holds.
    let even = ((z >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    // The cast saturates.
    (-even.ln() / f64::from(weight) * 1e15) as u64
}
