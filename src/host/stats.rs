//! The host's metrics and filter state.

use std::cell::RefCell;

use super::{abi, warn_if_refused};
use crate::config::Config;
use crate::metrics::{INFLIGHT, Kind, Ledger, Metric, Registry};

thread_local! {
    static REGISTRY: RefCell<Registry> = RefCell::default();
}

/// The host's books.
pub struct Books<'c>(pub &'c Config);

impl Ledger for Books<'_> {
    fn sample(&mut self, metric: &'static Metric, labels: &[&str], value: u64) {
        add(self.0, metric, labels, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn state(&mut self, name: &'static str, value: &str) {
        warn_if_refused("write filter state", abi::set_state(name, value.as_bytes()));
    }
}

/// One call more or less.
pub fn inflight(config: &Config, by: i64) {
    add(config, &INFLIGHT, &[], by);
}

fn add(config: &Config, metric: &'static Metric, labels: &[&str], value: i64) {
    let id = REGISTRY.with_borrow_mut(|registry| {
        registry.id(metric, labels, config.metrics.max_series, &mut |kind, name| abi::define_metric(kind, name).ok())
    });
    let Some(id) = id else { return };
    let outcome = match metric.kind {
        Kind::Histogram => abi::record(id, u64::try_from(value).unwrap_or(0)),
        // The host takes nothing below 1 for a counter.
        Kind::Counter if value < 1 => Ok(()),
        Kind::Counter | Kind::Gauge => abi::increment(id, value),
    };
    warn_if_refused("count", outcome);
}
