//! The host's metrics and filter state.

use std::cell::RefCell;

use super::{abi, warn_if_refused};
use crate::config::Config;
use crate::gateway::Account;
use crate::metrics::{INFLIGHT, Kind, Registry, Sample, TABLE};

thread_local! {
    static REGISTRY: RefCell<Registry> = RefCell::default();
}

/// Hands over what is to be told of a call.
pub fn tell(config: &Config, account: &Account) {
    for sample in &account.samples {
        add(config, sample, i64::try_from(sample.value).unwrap_or(i64::MAX));
    }
    for (name, value) in &account.state {
        warn_if_refused("write filter state", abi::set_state(name, value.as_bytes()));
    }
}

/// One call more or less.
pub fn inflight(config: &Config, by: i64) {
    add(config, &INFLIGHT.sample(&[], 0), by);
}

fn add(config: &Config, sample: &Sample, value: i64) {
    let id = REGISTRY.with_borrow_mut(|registry| {
        registry.id(sample, config.metrics.max_series, &mut |kind, name| abi::define_metric(kind, name).ok())
    });
    let kind = TABLE.iter().find(|metric| metric.name == sample.metric).map(|metric| metric.kind);
    let (Some(id), Some(kind)) = (id, kind) else { return };
    let outcome = match kind {
        Kind::Histogram => abi::record(id, sample.value),
        // The host takes nothing below 1 for a counter.
        Kind::Counter if value < 1 => Ok(()),
        Kind::Counter | Kind::Gauge => abi::increment(id, value),
    };
    warn_if_refused("count", outcome);
}
