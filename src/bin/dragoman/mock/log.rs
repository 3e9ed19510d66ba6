//! What was received, for tests that compare it, and how often a prompt was seen.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::bytes::base64;
use super::http::{Outcome, Request};
use super::tokens::Issuers;

/// The last requests, oldest first.
#[derive(Default)]
pub struct Log {
    state: Mutex<State>,
    /// Who gives tokens.
    pub issuers: Issuers,
}

#[derive(Default)]
struct State {
    entries: VecDeque<Entry>,
    received: u64,
    seen: HashMap<u64, u64>,
    kept: HashMap<String, Kept>,
}

/// A response that a provider keeps.
#[derive(Clone)]
pub struct Kept {
    pub response: Value,
    /// The items that it answers.
    pub input: Vec<Value>,
}

struct Entry {
    number: u64,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    status: Option<u16>,
    outcome: &'static str,
}

impl Log {
    /// Notes a request to a provider; its number is for [`Log::answered`].
    pub fn received(&self, request: &Request) -> u64 {
        let mut state = self.state();
        if request.path().starts_with("/mock/") {
            return 0;
        }
        state.received += 1;
        let number = state.received;
        state.entries.push_back(Entry {
            number,
            method: request.method.clone(),
            target: request.target.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            status: None,
            outcome: "pending",
        });
        while state.entries.len() > ENTRIES || state.bytes() > BYTES && state.entries.len() > 1 {
            state.entries.pop_front();
        }
        number
    }

    /// Notes how that request ended.
    pub fn answered(&self, number: u64, status: u16, outcome: Outcome) {
        let mut state = self.state();
        if let Some(entry) = state.entries.iter_mut().find(|entry| entry.number == number) {
            entry.status = Some(status);
            entry.outcome = outcome.as_str();
        }
    }

    /// How many requests had this key, this one included.
    pub fn seen(&self, key: u64) -> u64 {
        let mut state = self.state();
        let count = state.seen.entry(key).or_default();
        *count += 1;
        *count
    }

    /// Keeps a response.
    pub fn keep(&self, id: &str, kept: Kept) {
        self.state().kept.insert(id.to_owned(), kept);
    }

    /// A response that is kept.
    pub fn kept(&self, id: &str) -> Option<Kept> {
        self.state().kept.get(id).cloned()
    }

    /// Keeps a response no longer.
    pub fn forget(&self, id: &str) {
        self.state().kept.remove(id);
    }

    /// How many requests came in all.
    pub fn count(&self) -> u64 {
        self.state().received
    }

    /// Forgets requests and counts.
    pub fn clear(&self) {
        let mut state = self.state();
        state.entries.clear();
        state.seen.clear();
    }

    /// A JSON list.
    pub fn as_json(&self) -> String {
        let state = self.state();
        Value::Array(state.entries.iter().map(Entry::as_json).collect()).to_string()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.body.len()).sum()
    }
}

impl Entry {
    fn as_json(&self) -> Value {
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            match headers.get_mut(name) {
                Some(Value::String(first)) => {
                    first.push_str(", ");
                    first.push_str(value);
                }
                _ => {
                    headers.insert(name.clone(), value.as_str().into());
                }
            }
        }
        let mut entry = json!({
            "number": self.number,
            "method": self.method,
            "path": self.target,
            "headers": headers,
            "status": self.status,
            "outcome": self.outcome,
            "body_bytes": self.body.len(),
        });
        if let Some(entry) = entry.as_object_mut() {
            match serde_json::from_slice::<Value>(&self.body) {
                Ok(body) => entry.insert("body".into(), body),
                Err(_) => entry.insert("body_base64".into(), base64(&self.body).into()),
            };
        }
        entry
    }
}

const ENTRIES: usize = 200;
const BYTES: usize = 256 << 20;
