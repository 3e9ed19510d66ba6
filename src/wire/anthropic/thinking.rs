//! How much to [think](https://platform.claude.com/docs/en/build-with-claude/thinking), and how long the answer may be.

use super::models::{Mode, Model};
use crate::call::{Generate, Thinking};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Str, Writer};
use crate::wire::{Dropped, Target};

/// The least budget that Anthropic takes.
const LEAST: u64 = 1024;

/// Tokens for each effort, on models that take a budget: LiteLLM's figures, and twice as much for each effort above.
const BUDGETS: &[(&str, u64)] =
    &[("minimal", LEAST), ("low", LEAST), ("medium", 2048), ("high", 4096), ("xhigh", 8192), ("max", 16_384)];

/// What was found.
#[derive(Debug)]
pub(in crate::wire) struct Settled<'a> {
    /// The most tokens of the answer, thought included.
    pub max_tokens: u64,
    how: Option<How>,
    /// `output_config.effort`.
    pub effort: Option<&'static str>,
    display: Option<Str<'a>>,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Adaptive,
    Budget(u64),
    /// The word for it.
    Off(&'static str),
}

impl Settled<'_> {
    /// Whether the model is asked to think.
    pub fn on(&self) -> bool {
        matches!(self.how, Some(How::Adaptive | How::Budget(_)))
    }

    /// Whether it thinks up to a budget, which goes with no forced tool.
    pub fn budgeted(&self) -> bool {
        matches!(self.how, Some(How::Budget(_)))
    }

    /// Writes `thinking`, if it is asked for.
    pub fn write(&self, w: &mut Writer<'_, '_>) {
        let Some(how) = self.how else { return };
        w.key("thinking").object(|w| {
            match how {
                How::Adaptive => w.key("type").text("adaptive"),
                How::Off(word) => return w.key("type").text(word),
                How::Budget(tokens) => {
                    w.key("type").text("enabled");
                    w.key("budget_tokens").u64(tokens);
                }
            }
            if let Some(display) = &self.display {
                w.key("display").str(display);
            }
        });
    }

    /// The budget within the limit on output. Where the client set no limit, the limit gives way.
    fn fit(&mut self, budget: u64, call: &Generate<'_>, model: &Model) -> Option<u64> {
        if budget < self.max_tokens {
            return Some(budget);
        }
        if call.max_output_tokens.is_none() {
            let most = model.max_output.max(self.max_tokens);
            self.max_tokens = self.max_tokens.saturating_add(budget).min(most);
        }
        if budget < self.max_tokens {
            return Some(budget);
        }
        // Half of it is left for the answer.
        (self.max_tokens > LEAST).then_some((self.max_tokens / 2).max(LEAST))
    }
}

/// Adapts what is asked to what the model takes. `thoughtless`: the turn under way came without its thought, which
/// budgets do not go with.
pub(in crate::wire) fn settle<'a>(
    call: &'a Generate<'a>,
    model: &Model,
    target: &Target<'_>,
    thoughtless: bool,
    dropped: &mut Dropped,
) -> Result<Settled<'a>, Error> {
    let max_tokens = call.max_output_tokens.or(target.max_tokens).unwrap_or(model.max_output);
    let mut settled = Settled { max_tokens, how: None, effort: None, display: None };
    let Some(reasoning) = &call.reasoning else { return Ok(settled) };
    let (word, name) = match &reasoning.amount {
        Thinking::Adaptive { effort } => (effort.as_ref().map(Str::to_text), "thinking"),
        Thinking::Effort(word) => (Some(word.to_text()), "reasoning_effort"),
        Thinking::Budget(_) | Thinking::Off => (None, "thinking"),
    };
    let off = matches!(reasoning.amount, Thinking::Off) || word.as_deref() == Some("none");
    settled.display = reasoning.display.as_ref().map(Str::reborrow);
    match model.mode {
        Mode::Never if off => {}
        Mode::Never => dropped.note(name)?,
        Mode::Adaptive { off: Some(word), .. } if off => settled.how = Some(How::Off(word)),
        Mode::Adaptive { off: None, .. } if off => {
            dropped.note(name)?;
            settled.effort = Some("low");
        }
        Mode::Adaptive { efforts, .. } => {
            settled.effort = match (&reasoning.amount, word.as_deref()) {
                (Thinking::Budget(..=2048), _) => Some("low"),
                (Thinking::Budget(..=8192), _) => Some("medium"),
                (_, None) => None,
                (_, Some(word)) => match effort(word, efforts) {
                    None => {
                        dropped.note(name)?;
                        return Ok(settled);
                    }
                    effort => effort,
                },
            };
            match reasoning.amount {
                // In Anthropic's own words effort says nothing of thought.
                Thinking::Effort(_) if call.format == Some(Format::Messages) => {}
                // Other formats' clients show thought if there is any; by default newer models keep it.
                Thinking::Effort(_) => {
                    settled.how = Some(How::Adaptive);
                    settled.display = settled.display.take().or(Some(Str::plain("summarized")));
                }
                _ => settled.how = Some(How::Adaptive),
            }
        }
        Mode::Budget if off => settled.how = Some(How::Off("disabled")),
        Mode::Budget if thoughtless => dropped.forget(name),
        Mode::Budget => {
            let budget = match (&reasoning.amount, word.as_deref()) {
                (Thinking::Budget(tokens), _) => Some(*tokens),
                (_, word) => budget(word.unwrap_or("high")),
            };
            match budget.and_then(|budget| settled.fit(budget.max(LEAST), call, model)) {
                Some(budget) => {
                    if matches!(reasoning.amount, Thinking::Budget(asked) if asked != budget) {
                        dropped.note(name)?;
                    }
                    settled.how = Some(How::Budget(budget));
                }
                None => dropped.note(name)?,
            }
        }
    }
    Ok(settled)
}

fn budget(word: &str) -> Option<u64> {
    BUDGETS.iter().find(|(name, _)| *name == word).map(|(_, tokens)| *tokens)
}

/// The model's effort that is nearest to OpenAI's.
fn effort(word: &str, efforts: &[&'static str]) -> Option<&'static str> {
    let known = |word: &str| efforts.iter().find(|effort| **effort == word).copied();
    match word {
        "minimal" => known("low"),
        "xhigh" => known("xhigh").or(known("high")),
        word => known(word),
    }
}
