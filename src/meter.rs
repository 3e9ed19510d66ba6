//! What an answer tells about itself while it passes: usage, times, how it ended.

use crate::cost::Class;
use crate::error::Kind;
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::usage::Usage;

/// The longest name of a model that is kept.
const LONGEST_MODEL: usize = 256;

/// Readings of one answer. Kept up to date with every event, so that a call that breaks off is accounted all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// When the first block began, in unix milliseconds.
    pub first_token: Option<u64>,
    /// When the latest event came, in unix milliseconds.
    pub latest: u64,
    /// Whether a block came that is more than a refusal.
    pub answered: bool,
    /// The latest usage.
    pub usage: Option<Usage>,
    /// The class of service that was given.
    pub class: Class,
    /// What the answer calls the model.
    pub model: Option<String>,
    /// Bytes of text, thought and arguments so far.
    pub written: u64,
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
            Event::BlockStart { kind, .. } => {
                self.first_token.get_or_insert(now);
                self.answered |= !matches!(kind, BlockKind::Refusal);
            }
            Event::BlockDelta { delta: Delta::Arguments(piece) | Delta::Text(piece), .. } => {
                self.written = self.written.saturating_add(piece.len() as u64);
            }
            Event::BlockDelta { .. }
            | Event::BlockStop { .. }
            | Event::Embedding { .. }
            | Event::Ping
            | Event::Ranked(_)
            | Event::Sound { .. }
            | Event::Transcript(_) => {}
            Event::Start { model, .. } => {
                self.model =
                    Some(model.to_text().into_owned()).filter(|model| (1..=LONGEST_MODEL).contains(&model.len()));
            }
            Event::End => self.ended = true,
            Event::Error(error) => self.error = Some(error.kind),
            Event::Finish { choice, reason, .. } if *choice == 0 => self.finish = Some(reason.name()),
            Event::Finish { .. } => {}
            Event::Unknown => self.unknown = self.unknown.saturating_add(1),
            Event::Usage { usage, service_tier } => {
                self.usage = Some(*usage);
                if let Some(tier) = service_tier {
                    self.class = Class::of(&tier.to_text());
                }
            }
        }
    }

    /// Why nobody answers, if that is something for which other models may stand in.
    pub fn reason(&self) -> Option<Kind> {
        // What a provider blocks without a word is an answer of the kind that has no error.
        let blocked = !self.answered && self.finish == Some(FinishReason::ContentFilter.name());
        let reason = self.error.or(blocked.then_some(Kind::ContentPolicy))?;
        matches!(reason, Kind::ContentPolicy | Kind::ContextWindow).then_some(reason)
    }

    /// The output tokens of an answer that broke off, which its provider has not told or not to the last: a guess from
    /// what came. `None` where there is nothing to guess.
    pub fn cut_output(&self) -> Option<u64> {
        // In English and in code.
        const BYTES_PER_TOKEN: u64 = 4;
        let came = self.written.div_ceil(BYTES_PER_TOKEN);
        let told = self.usage.map_or(0, |usage| usage.output);
        (!self.ended && came > told).then_some(came)
    }
}
