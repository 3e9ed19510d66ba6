//! What an attempt is made with: a key whose turn it is, or a token; and what its answer tells of that.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::{abi, shared, tokens, warn_if_refused};
use crate::auth::Keyring;
use crate::auth::rest::{self, Reason, Rests};
use crate::auth::token::Source;
use crate::config::{ApiKey, Config, Credentials, Secret, Upstream};
use crate::http::Headers;
use crate::record::Record;

thread_local! {
    /// By upstream: how many calls it has had from this VM, and at which of them each key was last used.
    static USED: RefCell<HashMap<String, (u64, Vec<u64>)>> = RefCell::default();
}

/// What is known of credentials at the moment.
pub struct Known;

impl Keyring for Known {
    fn token(&self, source: &Source) -> Option<Secret> {
        tokens::token(source)
    }

    fn rests(&self, upstream: &Upstream, model: &str) -> bool {
        match &upstream.credentials {
            Credentials::ApiKey(keys) => rests(upstream).all(keys, model, abi::now()),
            Credentials::Client | Credentials::Unset(_) => false,
            Credentials::Aws(_) | Credentials::Host | Credentials::None | Credentials::Token(_) => {
                rests(upstream).until(rest::UPSTREAM, model) > abi::now()
            }
        }
    }
}

/// An upstream's account, as one attempt uses it.
pub struct Account {
    config: Rc<Config>,
    upstream: usize,
    model: String,
    /// The place of the key among the upstream's, where it has keys.
    pub key: Option<usize>,
    /// The key or the token.
    pub secret: Option<Secret>,
}

impl Account {
    /// For an attempt at an upstream, by its place, under its name of the model.
    pub fn open(config: &Rc<Config>, place: usize, model: &str, record: &Record) -> Self {
        let (mut key, mut secret) = (None, None);
        if let Some(upstream) = config.upstreams.get(place) {
            match &upstream.credentials {
                Credentials::ApiKey(keys) => {
                    key = match keys.len() {
                        0 | 1 => keys.first().map(|_| 0),
                        _ => choose(upstream, keys, model, record),
                    };
                    secret = key.and_then(|key| keys.get(key)).map(|key| key.key.clone());
                }
                Credentials::Token(source) => secret = tokens::token(source),
                _ => {}
            }
        }
        if config.upstreams.iter().any(|upstream| matches!(upstream.credentials, Credentials::Host)) {
            // The host's filters that put in credentials match this.
            let name = config.upstreams.get(place).map_or("", |upstream| &upstream.name);
            warn_if_refused("write filter state", abi::set_state("dragoman_upstream", name.as_bytes()));
        }
        Self { config: Rc::clone(config), upstream: place, model: model.to_owned(), key, secret }
    }

    /// The attempt's answer. A caller's own key is no matter of others.
    pub fn answered(&self, status: u16, headers: &Headers) {
        let Some(upstream) = self.config.upstreams.get(self.upstream) else { return };
        let (print, name) = match &upstream.credentials {
            Credentials::Token(source) if status == 401 => return tokens::doubt(source),
            Credentials::Client | Credentials::Unset(_) => return,
            Credentials::ApiKey(keys) => match self.key.and_then(|key| keys.get(key)) {
                Some(key) => (key.print, format!(".credentials.api_key[{}]", key.place)),
                None => return,
            },
            Credentials::Aws(_) | Credentials::Host | Credentials::None | Credentials::Token(_) => {
                (rest::UPSTREAM, String::new())
            }
        };
        let now = abi::now();
        let Some(reason) = Reason::of(status, headers, now) else { return };
        let mut was_up = false;
        shared::change(&shared_key(upstream), Rests::decode, Rests::encode, |rests| {
            was_up = rests.begin(print, &self.model, reason, now);
            true
        });
        if was_up {
            let (upstream, lasts) = (&upstream.name, reason.lasts);
            log::warn!("dragoman: upstreams.{upstream}{name} rests for {lasts} ms: the answer was {status}");
        }
    }
}

/// The key whose turn it is.
fn choose(upstream: &Upstream, keys: &[ApiKey], model: &str, record: &Record) -> Option<usize> {
    let tried: Vec<usize> = record.keys_tried(&upstream.name).collect();
    USED.with_borrow_mut(|used| {
        let (turn, used) = used.entry(upstream.name.clone()).or_default();
        let key = rest::choose(keys, &rests(upstream), model, &tried, used, abi::now())?;
        *turn = turn.saturating_add(1);
        used.resize(keys.len(), 0);
        if let Some(used) = used.get_mut(key) {
            *used = *turn;
        }
        Some(key)
    })
}

fn rests(upstream: &Upstream) -> Rests {
    abi::shared(&shared_key(upstream)).map(|(bytes, _)| Rests::decode(&bytes)).unwrap_or_default()
}

fn shared_key(upstream: &Upstream) -> String {
    format!("dragoman.rests.{}", upstream.name)
}
