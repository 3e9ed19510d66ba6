//! What is known of one call, in one place for both ends of it.
//!
//! The filter in the listener makes the record; the one in the cluster finds it under the call's id and adds what each
//! attempt shows. Whoever comes first to the end of the call, all of it is there.

use std::cell::OnceCell;

use crate::client::Ask;
use crate::config::{Config, Upstream};
use crate::cost::{self, Rates};
use crate::error::Kind;
use crate::format::{Format, Operation};
use crate::http::Headers;
use crate::meter::Meter;
use crate::provider::Provider;
use crate::usage::Usage;

/// One call.
#[derive(Clone, Debug)]
pub struct Record {
    /// What it asks for.
    pub operation: Operation,
    /// In which format.
    pub format: Format,
    /// What its answer depends on.
    pub ask: Ask,
    /// How many input tokens it has, estimated: for answers that break off before their provider tells.
    pub input: u64,
    /// Its headers before any attempt changed them.
    pub headers: Headers,
    /// The tries to have it answered, the latest last.
    pub attempts: Vec<Note>,
    /// Why the filter in the cluster would not send it, if it would not.
    pub refused: Option<Kind>,
    /// The model that is to answer, by its place in [`Config::models`].
    pub model: Option<usize>,
    /// The models for which others stand in, the latest last.
    pub hops: Vec<Hop>,
    /// The model that is to stand in now.
    pub stand_in: Option<StandIn>,
}

/// A model for which another stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its place in [`Config::models`].
    pub from: usize,
    /// Why.
    pub reason: Kind,
}

impl Hop {
    /// The models of a call that has come over these to that one, the latest last.
    pub fn models(hops: &[Self], model: Option<usize>) -> Vec<usize> {
        hops.iter().map(|hop| hop.from).chain(model).collect()
    }
}

/// Where a call goes that a provider would not answer because of what it is.
#[derive(Clone, Debug)]
pub struct StandIn {
    /// The model that stands in, as clients may name it.
    pub model: String,
    /// Why.
    pub reason: Kind,
    /// Under which name the call is found again.
    pub token: String,
    /// What the client gets if it cannot: the status,
    pub status: u16,
    /// and the body.
    pub body: Vec<u8>,
}

impl Record {
    /// A call of which nothing has come yet.
    pub fn new(operation: Operation, format: Format, ask: Ask, input: u64, headers: Headers) -> Self {
        Self {
            operation,
            format,
            ask,
            input,
            headers,
            attempts: Vec::new(),
            refused: None,
            model: None,
            hops: Vec::new(),
            stand_in: None,
        }
    }

    /// The models that the call was for, the latest last.
    pub fn models(&self) -> Vec<usize> {
        Hop::models(&self.hops, self.model)
    }

    /// The places of the keys with which this upstream has been tried.
    pub fn keys_tried<'r>(&'r self, upstream: &'r str) -> impl Iterator<Item = usize> {
        self.attempts.iter().filter(move |note| note.upstream == upstream).filter_map(|note| note.key)
    }

    /// What the attempt at a place in the list used: what its provider told, and of an answer that broke off at least what
    /// came. `abandoned` says that the client left before an answer.
    pub fn used(&self, place: usize, abandoned: bool) -> Usage {
        // A count is free.
        let paid = self.operation != Operation::CountTokens;
        let Some(note) = self.attempts.get(place).filter(|_| paid) else { return Usage::default() };
        let meter = &note.meter;
        let last = place.saturating_add(1) == self.attempts.len();
        // Nobody tried another upstream, so the client left, and the provider was at work.
        let silent = last && self.ask.stream && meter.error.is_none() && note.status.is_some_and(|s| s / 100 == 2);
        let begun = (meter.first_token.is_some() || meter.written > 0 || silent) && !meter.ended;
        let left = abandoned && note.status.is_none() && last;
        let usage = match meter.usage {
            Some(usage) => usage,
            None if begun || left => Usage { input: self.input, ..Usage::default() },
            None => Usage::default(),
        };
        Usage { output: meter.cut_output().unwrap_or(usage.output), ..usage }
    }

    /// What all attempts used.
    pub fn total(&self, abandoned: bool) -> Usage {
        let mut total = Usage::default();
        (0..self.attempts.len()).for_each(|place| total.add(&self.used(place, abandoned)));
        total
    }

    /// What the attempt at a place in the list cost, in nanodollars; nothing if it used nothing. `None` where it is not
    /// known.
    pub fn cost_of(&self, place: usize, abandoned: bool) -> Option<u64> {
        let usage = self.used(place, abandoned);
        if usage == Usage::default() {
            return Some(0);
        }
        self.attempts.get(place)?.price(&usage)
    }

    /// What all attempts cost, in nanodollars. `None` where it is not known of one that used something, and where none did.
    pub fn cost(&self, abandoned: bool) -> Option<u64> {
        if self.total(abandoned) == Usage::default() {
            return None;
        }
        let add = |sum: u64, place| Some(sum.saturating_add(self.cost_of(place, abandoned)?));
        (0..self.attempts.len()).try_fold(0, add)
    }

    /// Takes note of an answer that the host made in place of an upstream's.
    pub fn host_answered(&mut self, status: u16) {
        if let Some(last) = self.attempts.last_mut().filter(|_| status == 504) {
            last.status.get_or_insert(status);
        }
    }
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct Note {
    /// Where.
    pub upstream: String,
    /// At which provider.
    pub provider: &'static Provider,
    /// Under which name of the model.
    pub model: String,
    /// With which of the upstream's keys, by its place.
    pub key: Option<usize>,
    /// What that costs, where it is known.
    pub rates: Option<Rates>,
    /// What the model costs by the name that its answer gives it, once that has been looked for.
    answered: OnceCell<Option<Rates>>,
    /// Parameters that were left out.
    pub dropped: Vec<String>,
    /// When it began, in unix milliseconds.
    pub began: u64,
    /// The status that came back, if one did.
    pub status: Option<u16>,
    /// The provider's id of the request.
    pub request_id: Option<Vec<u8>>,
    /// What the answer showed.
    pub meter: Meter,
    /// The body for the client, where the answer came without one for it to be written into.
    pub unsent: Option<Vec<u8>>,
}

impl Note {
    /// An attempt that begins at `now`, in unix milliseconds: at the model that the client called `asked` and the upstream calls `model`, with the key at
    /// that place.
    pub fn new(
        config: &Config,
        upstream: &Upstream,
        asked: &str,
        model: String,
        key: Option<usize>,
        dropped: Vec<String>,
        now: u64,
    ) -> Self {
        Self {
            upstream: upstream.name.clone(),
            provider: upstream.provider,
            rates: config.rates(asked, upstream, &model),
            answered: OnceCell::new(),
            model,
            key,
            dropped,
            began: now,
            status: None,
            request_id: None,
            meter: Meter::default(),
            unsent: None,
        }
    }

    /// What `usage` costs here, in nanodollars. A model under a name of the operator's own, such as a deployment at Azure, is
    /// known by what the answer calls it.
    pub fn price(&self, usage: &Usage) -> Option<u64> {
        let rates = match &self.rates {
            Some(rates) => rates,
            None => {
                let name = self.meter.model.as_ref().filter(|name| **name != self.model)?;
                self.answered.get_or_init(|| cost::lookup(self.provider, name)).as_ref()?
            }
        };
        cost::cost(rates, usage, self.meter.class)
    }

    /// How it went, as the metric's label says it.
    pub fn result(&self) -> &'static str {
        match (self.status, self.meter.error.is_some(), self.meter.ended) {
            (None, _, _) => "reset",
            (Some(200..=299), false, true) => "ok",
            (Some(200..=299), true, _) => "stream_error",
            (Some(200..=299), false, false) => "reset",
            (Some(300..=399), _, _) => "3xx",
            (Some(504), _, _) => "timeout",
            (Some(400..=499), _, _) => "4xx",
            (Some(_), _, _) => "5xx",
        }
    }
}
