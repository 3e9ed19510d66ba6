//! How much a model shall think: `reasoning_effort`.
//!
//! An effort in OpenAI's own words is passed on as it is. What comes from another format's scale is sent only where it is
//! known to be taken, since others refuse the field: to OpenAI's [reasoning
//! models](https://platform.openai.com/docs/guides/reasoning) and its open ones, and to providers that take it for any
//! model. Where the client asks for no thought and a model must think, it thinks as little as it can.

use std::borrow::Cow;

use crate::call::{Generate, Thinking};
use crate::error::Error;
use crate::format::Format;
use crate::json::Str;
use crate::wire::{Dropped, Target};

/// Budgets from here on are a `medium` effort.
const MEDIUM: u64 = 5_000;

/// Budgets from here on are a `high` effort.
const HIGH: u64 = 10_000;

/// The efforts that a model knows beside `low`, `medium` and `high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Scale {
    none: bool,
    minimal: bool,
    xhigh: bool,
    max: bool,
    /// Whether it takes no effort but `none` in a chat completion with tools.
    tools_or_thought: bool,
    /// Whether such a call must say `none`.
    says_none: bool,
    /// Whether it samples in one way, but for calls that say `none`.
    fixed: bool,
    /// Whether it does not think unless it is told to.
    rests: bool,
}

impl Scale {
    /// Of a provider that finds the nearest word by itself.
    const ALL: Self = Self {
        none: true,
        minimal: true,
        xhigh: true,
        max: true,
        tools_or_thought: false,
        says_none: false,
        fixed: false,
        rests: false,
    };
}

/// The value of `reasoning_effort`, if it is to be sent.
pub(super) fn effort<'a>(
    call: &'a Generate<'a>,
    target: &Target<'_>,
    tools: bool,
    dropped: &mut Dropped,
) -> Result<Option<Str<'a>>, Error> {
    let known = if target.takes_effort { Some(Scale::ALL) } else { scale(target.model) };
    let scale = known.unwrap_or_default();
    let thinking = call.reasoning.as_ref().map(|reasoning| &reasoning.amount);
    let own_words = call.format != Some(Format::Messages);
    let (wanted, field) = match thinking {
        // What it does anyhow, said for the sake of the temperature.
        None if scale.rests && sampled(call) => (Some(Cow::Borrowed("none")), ""),
        Some(Thinking::Adaptive { effort: None }) if scale.rests => (Some(Cow::Borrowed("medium")), "thinking"),
        None | Some(Thinking::Adaptive { effort: None }) => (None, ""),
        Some(Thinking::Effort(effort)) if own_words => (Some(effort.to_text()), "reasoning_effort"),
        Some(Thinking::Off) if scale.none => (Some(Cow::Borrowed("none")), "thinking"),
        Some(Thinking::Off) if scale.minimal => (Some(Cow::Borrowed("minimal")), "thinking"),
        Some(Thinking::Off) => (None, ""),
        Some(Thinking::Effort(_)) if known.is_none() => {
            dropped.note("output_config.effort")?;
            (None, "")
        }
        Some(Thinking::Adaptive { .. } | Thinking::Budget(_)) if known.is_none() => {
            dropped.note("thinking")?;
            (None, "")
        }
        Some(Thinking::Effort(effort)) => (Some(closest(effort.to_text(), scale)), "output_config.effort"),
        Some(Thinking::Adaptive { effort: Some(effort) }) => (Some(closest(effort.to_text(), scale)), "thinking"),
        Some(Thinking::Budget(tokens)) => (Some(Cow::Borrowed(budget(*tokens))), "thinking"),
    };
    if !tools || !scale.tools_or_thought {
        return Ok(wanted.map(Str::plain));
    }
    let off = wanted.as_deref() == Some("none");
    if wanted.is_some() && !off {
        dropped.note(field)?;
    }
    Ok((scale.says_none || off).then(|| Str::plain("none")))
}

/// Whether a model takes other values than the usual ones for `temperature`, `top_p` and the like in a call with this
/// effort: those that think do not.
pub(super) fn samples(model: &str, effort: Option<&Str<'_>>) -> bool {
    scale(model).is_none_or(|scale| !scale.fixed) || effort.is_some_and(|effort| *effort == "none")
}

/// Whether a model is one of OpenAI's own that think, under its own name: these refuse the limit on output under its old
/// name, `max_tokens`, through whatever server they are reached.
pub fn refuses_old_limit(model: &str) -> bool {
    scale(model).is_some_and(|scale| scale.fixed)
}

/// Whether a call asks for other sampling than the usual.
fn sampled(call: &Generate<'_>) -> bool {
    [call.temperature, call.top_p].into_iter().flatten().any(|raw| raw.parse() != Ok(1.0))
}

fn budget(tokens: u64) -> &'static str {
    match tokens {
        HIGH.. => "high",
        MEDIUM.. => "medium",
        _ => "low",
    }
}

/// The effort that a model knows for one of Anthropic's.
fn closest(effort: Cow<'_, str>, scale: Scale) -> Cow<'_, str> {
    match &*effort {
        "max" if scale.max => effort,
        "max" | "xhigh" if scale.xhigh => Cow::Borrowed("xhigh"),
        "max" | "xhigh" => Cow::Borrowed("high"),
        _ => effort,
    }
}

/// What is known of a model, by its name.
fn scale(model: &str) -> Option<Scale> {
    let name = model.rsplit('/').next().unwrap_or(model);
    let series = |series| name.strip_prefix(series).is_some_and(|rest: &str| rest.is_empty() || rest.starts_with('-'));
    // Only OpenAI's own interface is so strict, and aggregators name models with their maker.
    let direct = name.len() == model.len();
    if series("gpt-oss") {
        return Some(Scale::default());
    }
    let old = series("o1") && !series("o1-mini") && !series("o1-preview");
    if old || series("o3") || series("o4") {
        return Some(Scale { fixed: direct, ..Scale::default() });
    }
    let (version, variant) = version(name.strip_prefix("gpt-")?)?;
    if version < (5, 0) || variant.starts_with("-chat") {
        return None;
    }
    // These cannot but think.
    let bound = variant.contains("-codex") || variant.contains("-pro");
    Some(Scale {
        none: version >= (5, 1) && !bound,
        minimal: version == (5, 0) && !bound,
        xhigh: version >= (5, 2),
        max: version >= (5, 6),
        tools_or_thought: direct && version >= (5, 2) && !bound,
        says_none: direct && version >= (5, 6) && !bound,
        fixed: direct,
        rests: ((5, 1)..(5, 6)).contains(&version) && !bound,
    })
}

/// The version at the start of `5.2-mini`, and the rest.
fn version(text: &str) -> Option<((u32, u32), &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, variant) = text.split_at_checked(end)?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some(((major.parse().ok()?, minor.parse().ok()?), variant))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::call::Reasoning;

    fn sent(model: &str, amount: Thinking<'static>, tools: bool) -> (Option<String>, Vec<String>) {
        let call = Generate { reasoning: Some(Reasoning { amount, display: None }), ..Generate::default() };
        let mut dropped = Dropped::default();
        let effort =
            effort(&call, &target(model), tools, &mut dropped).unwrap().map(|effort| effort.decode().into_owned());
        (effort, dropped.names.into_iter().map(Cow::into_owned).collect())
    }

    fn target(model: &str) -> Target<'_> {
        Target { model, ..Target::default() }
    }

    fn adaptive(effort: &'static str) -> Thinking<'static> {
        Thinking::Adaptive { effort: Some(Str::plain(effort)) }
    }

    #[test]
    fn an_effort_is_passed_on_to_any_model() {
        let effort = sent("llama-4", Thinking::Effort(Str::plain("medium")), true);
        assert_eq!(effort, (Some("medium".into()), vec![]));
    }

    #[test]
    fn an_effort_in_anthropics_words_is_for_known_models() {
        let amount = Thinking::Effort(Str::plain("max"));
        let reasoning = Some(Reasoning { amount, display: None });
        let call = Generate { reasoning, format: Some(Format::Messages), ..Generate::default() };
        let mut dropped = Dropped::default();
        assert!(effort(&call, &target("o3"), false, &mut dropped).unwrap().is_some_and(|effort| effort == "high"));
        assert!(effort(&call, &target("llama-4"), false, &mut dropped).unwrap().is_none());
        assert_eq!(dropped.names, ["output_config.effort"]);
    }

    #[test]
    fn a_budget_becomes_an_effort_where_that_is_known_to_be_taken() {
        for (tokens, effort) in [(1024, "low"), (5_000, "medium"), (31_999, "high")] {
            assert_eq!(sent("openai/gpt-oss-120b", Thinking::Budget(tokens), true), (Some(effort.into()), vec![]));
        }
        for model in ["gpt-4.1", "gpt-5-chat-latest", "o1-mini", "llama-4", "my-o3"] {
            assert_eq!(sent(model, Thinking::Budget(4_000), true), (None, vec!["thinking".into()]), "{model}");
        }
    }

    #[test]
    fn only_openais_own_models_refuse_the_old_limit() {
        assert!(["o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5.1-codex", "gpt-6"].into_iter().all(refuses_old_limit));
        let others = ["gpt-4.1", "gpt-oss-120b", "openai/gpt-5", "qwen3-coder", "llama-4", ""];
        assert!(!others.into_iter().any(refuses_old_limit));
    }

    #[test]
    fn the_highest_efforts_are_what_the_model_has() {
        for (model, effort) in [("o3", "high"), ("gpt-5", "high"), ("gpt-5.2", "xhigh"), ("gpt-5.6-terra", "max")] {
            assert_eq!(sent(model, adaptive("max"), false).0.as_deref(), Some(effort), "{model}");
        }
        assert_eq!(sent("gpt-6", adaptive("low"), false).0.as_deref(), Some("low"));
        assert_eq!(sent("gpt-5.1", Thinking::Adaptive { effort: None }, true).0.as_deref(), Some("medium"));
        assert_eq!(sent("gpt-5", Thinking::Adaptive { effort: None }, false), (None, vec![]));
    }

    #[test]
    fn models_that_think_sample_in_one_way() {
        for model in ["o3", "o4-mini", "gpt-5", "gpt-5.1", "gpt-5.6-terra"] {
            assert!(!samples(model, None) && !samples(model, Some(&"low".into())), "{model}");
        }
        assert!(samples("gpt-5.1", Some(&"none".into())));
        for model in ["gpt-4.1", "gpt-oss-120b", "gpt-5-chat-latest", "openai/gpt-5", "llama-4"] {
            assert!(samples(model, None), "{model}");
        }
    }

    #[test]
    fn a_model_at_rest_is_told_to_stay_so_for_the_sake_of_its_sampling() {
        let said = |model, temperature| {
            let call = Generate { temperature: Some(temperature), ..Generate::default() };
            let effort = effort(&call, &target(model), true, &mut Dropped::default()).unwrap();
            effort.map(|effort| effort.decode().into_owned())
        };
        assert_eq!(said("gpt-5.1", "0.2").as_deref(), Some("none"));
        assert_eq!(said("gpt-5.4", "0.2").as_deref(), Some("none"));
        assert_eq!(said("gpt-5.1", "1.0"), None);
        assert_eq!(said("gpt-5", "0.2"), None);
    }

    #[test]
    fn no_thought_is_said_where_it_can_be() {
        for (model, effort) in [
            ("gpt-5.1", Some("none")),
            ("gpt-5-mini", Some("minimal")),
            ("gpt-5.1-codex", None),
            ("o3", None),
            ("x", None),
        ] {
            assert_eq!(sent(model, Thinking::Off, false).0.as_deref(), effort, "{model}");
        }
    }

    #[test]
    fn openai_takes_tools_or_thought_from_its_newer_models() {
        assert_eq!(sent("gpt-5.4", adaptive("high"), true), (None, vec!["thinking".into()]));
        assert_eq!(sent("gpt-5.6", adaptive("high"), true), (Some("none".into()), vec!["thinking".into()]));
        assert_eq!(sent("gpt-5.6", Thinking::Adaptive { effort: None }, true), (Some("none".into()), vec![]));
        assert_eq!(sent("openai/gpt-5.6", adaptive("high"), true), (Some("high".into()), vec![]));
        assert_eq!(sent("gpt-5.1", adaptive("high"), true), (Some("high".into()), vec![]));
    }
}
