//! What an answer tells about itself while it passes: usage, times, how it ended.

use crate::error::Kind;
use crate::event::Event;
use crate::usage::Usage;

/// Readings of one answer. Kept up to date with every event, so that a call that breaks off is accounted all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// When the first block began, in unix milliseconds.
    pub first_token: Option<u64>,
    /// When the latest event came, in unix milliseconds.
    pub latest: u64,
    /// The latest usage.
    pub usage: Option<Usage>,
    /// Why the first choice ended.
    pub finish: Option<&'static str>,
    /// What the provider said went wrong, or what was wrong with its answer.
    pub error: Option<Kind>,
    /// Events that the wire does not know.
    pub unknown: u64,
    /// Whether the answer came to its end.
    pub ended: bool,
}

impl Meter {
    /// Takes note of an event at `now`, in unix milliseconds.
    pub fn observe(&mut self, event: &Event<'_>, now: u64) {
        self.latest = now;
        match event {
            Event::BlockStart { .. } if self.first_token.is_none() => self.first_token = Some(now),
            Event::BlockDelta { .. }
            | Event::BlockStart { .. }
            | Event::BlockStop { .. }
            | Event::Embedding { .. }
            | Event::Ping
            | Event::Start { .. } => {}
            Event::End => self.ended = true,
            Event::Error(error) => self.error = Some(error.kind),
            Event::Finish { choice, reason, .. } if *choice == 0 => self.finish = Some(reason.name()),
            Event::Finish { .. } => {}
            Event::Unknown => self.unknown = self.unknown.saturating_add(1),
            Event::Usage { usage, .. } => self.usage = Some(*usage),
        }
    }
}
