//! What is known of one call, in one place for both ends of it.
//!
//! The filter in the listener makes the record; the one in the cluster finds it under the call's id and adds what each
//! attempt shows. Whoever comes first to the end of the call, all of it is there.

use crate::client::Ask;
use crate::config::Upstream;
use crate::error::Kind;
use crate::format::{Format, Operation};
use crate::http::Headers;
use crate::meter::Meter;
use crate::provider::Provider;

/// One call.
#[derive(Clone, Debug)]
pub struct Record {
    /// What it asks for.
    pub operation: Operation,
    /// In which format.
    pub format: Format,
    /// What its answer depends on.
    pub ask: Ask,
    /// Its headers before any attempt changed them.
    pub headers: Headers,
    /// The tries to have it answered, the latest last.
    pub attempts: Vec<Note>,
    /// Why the filter in the cluster would not send it, if it would not.
    pub refused: Option<Kind>,
}

impl Record {
    /// The places of the keys with which this upstream has been tried.
    pub fn keys_tried<'r>(&'r self, upstream: &'r str) -> impl Iterator<Item = usize> {
        self.attempts.iter().filter(move |note| note.upstream == upstream).filter_map(|note| note.key)
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
    /// Parameters that were left out.
    pub dropped: Vec<String>,
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
    /// An attempt that begins.
    pub fn new(upstream: &Upstream, model: String, key: Option<usize>, dropped: Vec<String>) -> Self {
        Self {
            upstream: upstream.name.clone(),
            provider: upstream.provider,
            model,
            key,
            dropped,
            status: None,
            request_id: None,
            meter: Meter::default(),
            unsent: None,
        }
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
