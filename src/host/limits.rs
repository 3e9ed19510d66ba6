//! The host's shared data as the store of limits, and what this VM knows beside it.

use std::cell::RefCell;

use super::{abi, warn_if_refused};
use crate::config::Config;
use crate::gateway::Guard;
use crate::limit::{Broken, Limiter, Store, TICK};

thread_local! {
    static LIMITER: RefCell<Limiter> = RefCell::default();
}

struct Data;

impl Store for Data {
    fn get(&mut self, key: &str) -> Result<(Vec<u8>, u32), Broken> {
        abi::shared(key).map_err(|refused| broken("read a count", refused))
    }

    fn set(&mut self, key: &str, value: &[u8], version: u32) -> Result<bool, Broken> {
        abi::set_shared(key, value, version).map_err(|refused| broken("write a count", refused))
    }
}

fn broken(what: &str, refused: abi::Refused) -> Broken {
    warn_if_refused(what, Err(refused));
    Broken
}

/// How often the configuration's context is to tick, in milliseconds, if calls under way are counted.
pub fn tick(config: &Config) -> Option<u32> {
    config.is_counted().then_some(TICK)
}

/// Keeps what this VM has reserved. What goes wrong is in the log already.
pub fn renew() {
    with(|guard| guard.limiter.tick(guard.store, guard.now).unwrap_or_default());
}

/// Lends a call what it needs.
pub fn with<T>(lend: impl FnOnce(&mut Guard<'_>) -> T) -> T {
    LIMITER.with_borrow_mut(|limiter| lend(&mut Guard { limiter, store: &mut Data, now: abi::now() }))
}
