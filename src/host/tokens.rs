//! Tokens of upstreams: fetched by one worker, kept for all.
//!
//! Every configuration's context looks at its sources a few times a second. Which are due stands in their shared
//! [`Entry`], where one worker claims the next request. A VM reads an entry when it has none that will do.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::abi::{self, Buffer, Map};
use super::{exchange, shared};
use crate::auth::rest::retry_after;
use crate::auth::token::{Entry, Grant, Source, sign};
use crate::config::{Config, Credentials, Secret};

/// How often sources are looked at, in milliseconds: a call right after the start waits so long for its token.
const TICK: u32 = 250;

/// How long an endpoint may take; less than a claim lasts.
const TIMEOUT: Duration = Duration::from_secs(10);

thread_local! {
    /// What this VM last saw of each source.
    static SEEN: RefCell<HashMap<String, Entry>> = RefCell::default();
}

/// The sources of one configuration.
#[derive(Default)]
pub struct Tokens {
    sources: Vec<Arc<Source>>,
    /// The requests under way by the host's number: for which source, and when they began.
    asked: HashMap<u32, (Arc<Source>, u64)>,
}

/// The token of a source, if there is one that is valid.
pub fn token(source: &Source) -> Option<Secret> {
    let now = abi::now();
    SEEN.with_borrow_mut(|seen| {
        let fresh = seen.get(&source.id).filter(|entry| !entry.is_due(now));
        if let Some(token) = fresh.and_then(|entry| entry.token(now)) {
            return Some(token.clone());
        }
        let (bytes, _) = abi::shared(&key(source)).ok()?;
        let entry = Entry::decode(&bytes);
        let token = entry.token(now).cloned();
        seen.insert(source.id.clone(), entry);
        token
    })
}

/// A provider has refused a token: there may be a newer one, or else one is asked for.
pub fn doubt(source: &Source) {
    let now = abi::now();
    let seen = SEEN.with_borrow(|seen| seen.get(&source.id).map(Entry::fetched));
    update(source, |entry| Some(entry.fetched()) == seen && entry.doubt(now));
}

impl Tokens {
    /// The sources of `config`. Nothing is asked for before the first tick.
    pub fn of(config: &Config) -> Self {
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for upstream in &config.upstreams {
            if let Credentials::Token(source) = &upstream.credentials
                && sources.iter().all(|other| other.id != source.id)
            {
                sources.push(Arc::clone(source));
            }
        }
        Self { sources, asked: HashMap::new() }
    }

    /// How often [`Self::tick`] is to be called, in milliseconds, if there are any.
    pub fn tick_period(&self) -> Option<u32> {
        (!self.sources.is_empty()).then_some(TICK)
    }

    /// Asks for what is due, unless another worker does.
    pub fn tick(&mut self) {
        let now = abi::now();
        for source in &self.sources {
            let due = SEEN.with_borrow(|seen| seen.get(&source.id).is_none_or(|entry| entry.is_due(now)));
            if !due {
                continue;
            }
            let mut won = false;
            update(source, |entry| {
                won = entry.is_due(now);
                if won {
                    entry.claim(now);
                }
                won
            });
            if !won {
                continue;
            }
            match ask(source, now) {
                Ok(number) => {
                    self.asked.insert(number, (Arc::clone(source), now));
                }
                Err(why) => fail(source, why, None),
            }
        }
    }

    /// The answer to a request that the host has numbered so; without headers the request has failed.
    pub fn answer(&mut self, number: u32, headers: usize) {
        let Some((source, asked)) = self.asked.remove(&number) else { return };
        if headers == 0 {
            return fail(&source, "no answer", None);
        }
        let headers = abi::headers(Map::CallResponse).unwrap_or_default();
        let body = abi::buffer(Buffer::CallResponseBody, 0, usize::MAX).unwrap_or_default();
        let now = abi::now();
        match source.read(exchange::status(&headers), &body) {
            Ok(token) => {
                log::info!(
                    "dragoman: got a token from {}, valid for {} s",
                    source.endpoint.url(),
                    token.lifetime / 1000
                );
                update(&source, |entry| {
                    entry.succeed(token.clone(), asked, now);
                    true
                });
            }
            Err(why) => fail(&source, &why, retry_after(&headers, now)),
        }
    }
}

/// Sends the request for a token; its number.
fn ask(source: &Source, now: u64) -> Result<u32, &'static str> {
    let sign = |key: &Secret, text: &[u8]| {
        let result = abi::foreign(sign::FUNCTION, &sign::arguments(key, text)).ok()?;
        sign::signature(&result)
    };
    let Some(request) = source.request(now / 1000, &sign) else {
        return Err(match source.grant {
            Grant::Gcp(_) => "the host cannot sign with the private key",
            Grant::AzureAd(_) | Grant::IbmIam(_) => "there is no request for it",
        });
    };
    let headers: Vec<(&str, &str)> =
        request.headers.iter().filter_map(|(name, value)| Some((name, std::str::from_utf8(value).ok()?))).collect();
    // The SDK's own: it finds the context to answer to by the number, and would not know of one that it has not seen.
    proxy_wasm::hostcalls::dispatch_http_call(&source.cluster, headers, Some(&request.body), Vec::new(), TIMEOUT)
        .map_err(|status| match status {
            proxy_wasm::types::Status::BadArgument => "the host has no such cluster",
            _ => "the cluster has no healthy host",
        })
}

fn fail(source: &Source, why: &str, retry_after: Option<u64>) {
    log::warn!("dragoman: no token from {} by the cluster `{}`: {why}", source.endpoint.url(), source.cluster);
    let now = abi::now();
    update(source, |entry| {
        entry.fail(now, retry_after);
        true
    });
}

/// Changes the shared entry of a source if `change` says so; this VM has seen it then.
fn update(source: &Source, change: impl FnMut(&mut Entry) -> bool) {
    if let Some(entry) = shared::change(&key(source), Entry::decode, Entry::encode, change) {
        SEEN.with_borrow_mut(|seen| seen.insert(source.id.clone(), entry));
    }
}

fn key(source: &Source) -> String {
    format!("dragoman.token.{}", source.id)
}
