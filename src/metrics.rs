//! Every metric and its labels, in one table; and the names under which the host keeps them.
//!
//! A host's stat has a name and nothing else, so labels ride in front of it: `model=.=gpt-4o;.;…dragoman_requests_total`,
//! which the shipped `stats_tags` turn back into labels (the encoding is
//! [Istio's](https://istio.io/latest/docs/reference/config/metrics/), since model names hold dots).

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

/// What a metric counts like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// A metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it counts like.
    pub kind: Kind,
    /// The names of its labels, in order.
    pub labels: &'static [&'static str],
}

/// Calls that ended.
pub static REQUESTS: Metric = Metric {
    name: "dragoman_requests_total",
    kind: Kind::Counter,
    labels: &["operation", "model", "upstream", "provider", "key", "status"],
};
/// Tokens, by type; `cache_read` and `cache_write` are parts of `input`, `reasoning` of `output`.
pub static TOKENS: Metric = Metric {
    name: "dragoman_tokens_total",
    kind: Kind::Counter,
    labels: &["type", "model", "upstream", "provider", "key"],
};
/// What calls cost, where prices are known.
pub static COST: Metric = Metric {
    name: "dragoman_cost_nanousd_total",
    kind: Kind::Counter,
    labels: &["model", "upstream", "provider", "key"],
};
/// Calls that the filter refused.
pub static REJECTED: Metric =
    Metric { name: "dragoman_rejected_total", kind: Kind::Counter, labels: &["reason", "key"] };
/// Tries at upstreams.
pub static ATTEMPTS: Metric =
    Metric { name: "dragoman_attempts_total", kind: Kind::Counter, labels: &["upstream", "provider", "result"] };
/// Calls that went on to another model, by the model that they left, and why.
pub static FALLBACKS: Metric =
    Metric { name: "dragoman_fallbacks_total", kind: Kind::Counter, labels: &["model", "reason"] };
/// Calls whose client or upstream broke off.
pub static ABORTED: Metric = Metric { name: "dragoman_aborted_total", kind: Kind::Counter, labels: &["provider"] };
/// Parameters that were left out.
pub static DROPPED_PARAMS: Metric =
    Metric { name: "dragoman_dropped_params_total", kind: Kind::Counter, labels: &["provider"] };
/// Events of providers that nobody here knows.
pub static UNKNOWN_EVENTS: Metric =
    Metric { name: "dragoman_unknown_events_total", kind: Kind::Counter, labels: &["provider"] };
/// From the request's first byte to the answer's last.
pub static DURATION: Metric =
    Metric { name: "dragoman_request_duration_ms", kind: Kind::Histogram, labels: &["operation", "model", "provider"] };
/// From the request's first byte to the first block of a streamed answer.
pub static FIRST_TOKEN: Metric = Metric {
    name: "dragoman_time_to_first_token_ms",
    kind: Kind::Histogram,
    labels: &["operation", "model", "provider"],
};
/// Per token of output after the first, in streams.
pub static PER_TOKEN: Metric = Metric {
    name: "dragoman_time_per_output_token_us",
    kind: Kind::Histogram,
    labels: &["operation", "model", "provider"],
};
/// Calls that have begun and not ended.
pub static INFLIGHT: Metric = Metric { name: "dragoman_inflight", kind: Kind::Gauge, labels: &[] };

/// All of them.
pub static TABLE: [&Metric; 13] = [
    &REQUESTS,
    &TOKENS,
    &COST,
    &REJECTED,
    &ATTEMPTS,
    &FALLBACKS,
    &ABORTED,
    &DROPPED_PARAMS,
    &UNKNOWN_EVENTS,
    &DURATION,
    &FIRST_TOKEN,
    &PER_TOKEN,
    &INFLIGHT,
];

/// Takes what is told of a call.
pub trait Ledger {
    /// Adds `value` to a series, or records it. `labels` are in the metric's order.
    fn sample(&mut self, metric: &'static Metric, labels: &[&str], value: u64);

    /// Writes filter state.
    fn state(&mut self, name: &'static str, value: &str);
}

impl Metric {
    /// The host's name of a series.
    pub fn series(&self, values: &[&str]) -> String {
        let mut series = String::with_capacity(160);
        for (label, value) in self.labels.iter().zip(values) {
            series.push_str(label);
            series.push_str("=.=");
            // What would end the value early, or a line of a statsd packet, is not let through.
            series.extend(value.chars().map(|c| if matches!(c, ';' | '|' | ':') || c.is_control() { '_' } else { c }));
            series.push_str(";.;");
        }
        series.push_str(self.name);
        series
    }
}

/// The host's ids of series, and how many each metric has. One per VM: the host has no way to forget a series.
#[derive(Debug, Default)]
pub struct Registry {
    /// By a hash of metric and labels, so that a known series costs no name. 64 bits do not meet by chance among the few
    /// thousand series that there may be.
    ids: FxHashMap<u64, u32>,
    counts: FxHashMap<&'static str, usize>,
}

impl Registry {
    /// The id of a series; beyond `most` series of a metric, that of the series whose labels are all `other`. `define`
    /// asks the host for a new one.
    pub fn id(
        &mut self,
        metric: &'static Metric,
        labels: &[&str],
        most: usize,
        define: &mut dyn FnMut(Kind, &str) -> Option<u32>,
    ) -> Option<u32> {
        let mut hasher = FxHasher::default();
        (metric.name, labels).hash(&mut hasher);
        let key = hasher.finish();
        if let Some(id) = self.ids.get(&key) {
            return Some(*id);
        }
        let count = self.counts.entry(metric.name).or_default();
        if *count >= most && labels.iter().any(|label| *label != "other") {
            return self.id(metric, &vec!["other"; labels.len()], most, define);
        }
        let id = define(metric.kind, &metric.series(labels))?;
        *count = count.saturating_add(1);
        self.ids.insert(key, id);
        Some(id)
    }
}
