//! How much to think: each maker has its own words, under
//! [`additionalModelRequestFields`](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html).

use super::families::{Effort, Family};
use crate::call::{Generate, Thinking};
use crate::error::Error;
use crate::json::{Body, Str, Writer};
use crate::wire::anthropic::thinking;
use crate::wire::{Dropped, Target};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Settled<'a> {
    /// What Claude is told.
    pub claude: Option<thinking::Settled<'a>>,
    /// A model's own field, and its value.
    pub field: Option<(&'static str, String)>,
    /// `outputConfig.effort`.
    pub effort: Option<String>,
    /// Whether the model refuses limits and sampling with it.
    pub unbound: bool,
}

impl Settled<'_> {
    /// Whether the model thinks up to a budget, and cannot be made to call a tool.
    pub fn budgeted(&self) -> bool {
        self.claude.as_ref().is_some_and(thinking::Settled::budgeted)
    }
}

/// Adapts what is asked to what the model takes.
pub(super) fn settle<'a>(
    call: &'a Generate<'a>,
    family: &Family,
    target: &Target<'_>,
    thoughtless: bool,
    dropped: &mut Dropped,
) -> Result<Settled<'a>, Error> {
    let mut settled = Settled::default();
    if let Effort::Claude(model) = family.effort {
        let found = thinking::settle(call, model, target, thoughtless, dropped)?;
        let mut body = Body::default();
        found.write(&mut Writer::new(&mut body));
        // It is a member: its name and its value.
        let text = String::from_utf8(body.into_bytes()).unwrap_or_default();
        settled.field = text.split_once(':').map(|(_, value)| ("thinking", value.to_owned()));
        settled.effort = found.effort.map(str::to_owned);
        settled.claude = Some(found);
        return Ok(settled);
    }
    let Some(reasoning) = &call.reasoning else { return Ok(settled) };
    let (word, name) = match &reasoning.amount {
        Thinking::Adaptive { effort } => (effort.as_ref().map(Str::to_text), "thinking"),
        Thinking::Budget(..=2048) => (Some("low".into()), "thinking"),
        Thinking::Budget(..=8192) => (Some("medium".into()), "thinking"),
        Thinking::Budget(_) => (Some("high".into()), "thinking"),
        Thinking::Effort(word) => (Some(word.to_text()), "reasoning_effort"),
        Thinking::Off => (Some("none".into()), "thinking"),
    };
    settled.field = match (family.effort, word.as_deref()) {
        (Effort::AsSaid, word) => as_said(&reasoning.amount, word, &mut settled.effort),
        (Effort::Flat, Some(word)) => third(word).map(|word| ("reasoning_effort", format!("\"{word}\""))),
        (Effort::Nested, Some(word)) => {
            let known = ["none", "minimal", "low", "medium", "high", "xhigh", "max"].contains(&word);
            known.then(|| ("reasoning", format!(r#"{{"effort":"{word}"}}"#)))
        }
        (Effort::Nova, Some("none")) => Some(("reasoningConfig", r#"{"type":"disabled"}"#.to_owned())),
        (Effort::Nova, word) => third(word.unwrap_or("medium")).map(|word| {
            settled.unbound = word == "high";
            ("reasoningConfig", format!(r#"{{"type":"enabled","maxReasoningEffort":"{word}"}}"#))
        }),
        // As much as the model likes is what it does anyway.
        (Effort::Flat | Effort::Nested, None) => return Ok(settled),
        (Effort::Never, None | Some("none")) => return Ok(settled),
        (Effort::Claude(_) | Effort::Never, _) => None,
    };
    if settled.field.is_none() && settled.effort.is_none() {
        dropped.note(name)?;
    }
    Ok(settled)
}

/// In the client's words, which are Anthropic's or OpenAI's.
fn as_said(amount: &Thinking<'_>, word: Option<&str>, effort: &mut Option<String>) -> Option<(&'static str, String)> {
    Some(match amount {
        Thinking::Adaptive { .. } => {
            *effort = word.map(str::to_owned);
            ("thinking", r#"{"type":"adaptive"}"#.to_owned())
        }
        Thinking::Budget(tokens) => ("thinking", format!(r#"{{"type":"enabled","budget_tokens":{tokens}}}"#)),
        Thinking::Effort(word) => ("reasoning_effort", word.to_json()),
        Thinking::Off => ("thinking", r#"{"type":"disabled"}"#.to_owned()),
    })
}

/// The nearest of three words.
fn third(word: &str) -> Option<&'static str> {
    match word {
        "minimal" | "low" => Some("low"),
        "medium" => Some("medium"),
        "high" | "xhigh" | "max" => Some("high"),
        _ => None,
    }
}
