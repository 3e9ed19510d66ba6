//! How much to [think](https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/thinking).

use super::models::{LEVELS, Mode, Model};
use crate::call::{Generate, Thinking};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Str, Writer};
use crate::wire::Dropped;

/// Tokens for each effort, on models that take a budget:
/// [Google's figures](https://ai.google.dev/gemini-api/docs/openai#thinking).
const BUDGETS: &[(&str, u64)] =
    &[("minimal", 1024), ("low", 1024), ("medium", 8192), ("high", 24_576), ("xhigh", 32_768), ("max", 32_768)];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Settled {
    how: Option<How>,
    /// Whether a summary of the thought shall come.
    pub shown: bool,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Budget(u64),
    /// As much as the model likes, on models that take a budget.
    Dynamic,
    Level(&'static str),
}

impl Settled {
    /// Writes `thinkingConfig`, if there is anything to say.
    pub fn write(&self, w: &mut Writer<'_, '_>) {
        if self.how.is_none() && !self.shown {
            return;
        }
        w.key("thinkingConfig").object(|w| {
            match self.how {
                Some(How::Budget(tokens)) => w.key("thinkingBudget").u64(tokens),
                Some(How::Dynamic) => w.key("thinkingBudget").raw("-1"),
                Some(How::Level(level)) => w.key("thinkingLevel").text(level),
                None => {}
            }
            if self.shown {
                w.key("includeThoughts").bool(true);
            }
        });
    }
}

/// Adapts what is asked to what the model takes.
pub(super) fn settle(call: &Generate<'_>, model: &Model, dropped: &mut Dropped) -> Result<Settled, Error> {
    let mut settled = Settled::default();
    let Some(reasoning) = &call.reasoning else { return Ok(settled) };
    let (word, name) = match &reasoning.amount {
        Thinking::Adaptive { effort } => (effort.as_ref().map(Str::to_text), "thinking"),
        Thinking::Effort(word) if call.format == Some(Format::Messages) => {
            (Some(word.to_text()), "output_config.effort")
        }
        Thinking::Effort(word) => (Some(word.to_text()), "reasoning_effort"),
        Thinking::Budget(_) | Thinking::Off => (None, "thinking"),
    };
    let word = word.as_deref();
    let off = matches!(reasoning.amount, Thinking::Off | Thinking::Budget(0)) || word == Some("none");
    let budget = match reasoning.amount {
        Thinking::Budget(tokens) => Some(tokens),
        _ => None,
    };
    settled.how = match model.mode {
        Mode::Never if off => None,
        Mode::Never => {
            dropped.note(name)?;
            return Ok(settled);
        }
        Mode::Budget { off: true, .. } if off => Some(How::Budget(0)),
        Mode::Budget { least, most, .. } => match budget.or_else(|| word.and_then(tokens)).or(off.then_some(0)) {
            Some(tokens) => {
                let fits = tokens.clamp(least, most);
                if off || budget.is_some_and(|asked| asked != fits) {
                    dropped.note(name)?;
                }
                Some(How::Budget(fits))
            }
            None if word.is_some() => {
                dropped.note(name)?;
                return Ok(settled);
            }
            None => Some(How::Dynamic),
        },
        Mode::Levels(levels) => {
            let wanted = match budget {
                _ if off => Some("minimal"),
                Some(..=2048) => Some("low"),
                Some(..=8192) => Some("medium"),
                Some(_) => Some("high"),
                None => word,
            };
            match (wanted, wanted.and_then(|word| level(word, levels))) {
                (Some(_), None) => {
                    dropped.note(name)?;
                    return Ok(settled);
                }
                (_, level) => {
                    // The least level hardly thinks, the next one does.
                    if off && level != Some("minimal") {
                        dropped.note(name)?;
                    }
                    level.map(How::Level)
                }
            }
        }
    };
    // In Anthropic's own words effort says nothing of thought. Other formats' clients show thought if there is any.
    let asked = !matches!(reasoning.amount, Thinking::Effort(_)) || call.format != Some(Format::Messages);
    settled.shown = asked && !off && reasoning.display.as_ref().is_none_or(|display| *display != "omitted");
    Ok(settled)
}

fn tokens(word: &str) -> Option<u64> {
    BUDGETS.iter().find(|(name, _)| *name == word).map(|(_, tokens)| *tokens)
}

/// The model's level for an effort: the next one above it, or the highest.
fn level(word: &str, levels: &[&'static str]) -> Option<&'static str> {
    let rank = |word: &str| LEVELS.iter().position(|level| *level == word);
    let wanted = rank(if word == "max" { "xhigh" } else { word })?;
    levels.iter().find(|level| rank(level) >= Some(wanted)).or(levels.last()).copied()
}
