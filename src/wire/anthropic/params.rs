//! The parameters beside conversation, tools and thought.

use super::models::{Model, Sampling};
use super::schema;
use super::thinking::Settled;
use crate::call::{Generate, OutputFormat};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Str, Writer};
use crate::wire::{Dropped, names};

/// The longest name of an end user that Anthropic takes.
const LONGEST_USER: usize = 256;

/// What the model is told where it is held to no format.
pub(super) fn instruction(output: &OutputFormat<'_>, model: &Model) -> Option<String> {
    match output {
        OutputFormat::JsonObject => Some("Answer with one JSON object and nothing else.".into()),
        OutputFormat::JsonSchema { schema, .. } if !model.schemas => {
            Some(format!("Answer with JSON that follows this JSON schema, and nothing else:\n{schema}"))
        }
        OutputFormat::JsonSchema { .. } | OutputFormat::Text => None,
    }
}

/// Writes `output_config`.
pub(super) fn output(call: &Generate<'_>, model: &Model, settled: &Settled<'_>, w: &mut Writer<'_, '_>) {
    let schema = match &call.output {
        OutputFormat::JsonSchema { schema, .. } if model.schemas => Some(schema),
        OutputFormat::JsonSchema { .. } | OutputFormat::JsonObject | OutputFormat::Text => None,
    };
    if schema.is_none() && settled.effort.is_none() {
        return;
    }
    w.key("output_config").object(|w| {
        if let Some(effort) = settled.effort {
            w.key("effort").text(effort);
        }
        if let Some(schema) = schema {
            w.key("format").object(|w| {
                w.key("type").text("json_schema");
                w.key("schema").raw(&schema::held(schema));
            });
        }
    });
}

/// What is sent of the sampling parameters.
#[derive(Debug, Default)]
pub(in crate::wire) struct Sampled<'a> {
    pub temperature: Option<&'a str>,
    pub top_p: Option<&'a str>,
    pub top_k: Option<&'a str>,
}

/// What a model takes of `temperature`, `top_p` and `top_k`. A value that changes nothing is left out without a word.
pub(in crate::wire) fn sampled<'a>(
    call: &Generate<'a>,
    model: &Model,
    settled: &Settled<'_>,
    dropped: &mut Dropped,
) -> Result<Sampled<'a>, Error> {
    // A thinking model samples as it was trained to.
    let free = model.sampling != Sampling::None && !settled.on();
    let number = |raw: &str| raw.parse::<f64>().ok();
    let mut sampled = Sampled::default();
    if let Some(raw) = call.temperature {
        match number(raw) {
            Some(value) if free && value > 1.0 => {
                dropped.note("temperature")?;
                sampled.temperature = Some("1");
            }
            _ if free => sampled.temperature = Some(raw),
            Some(1.0) => {}
            _ => dropped.note("temperature")?,
        }
    }
    if let Some(raw) = call.top_p {
        let value = number(raw);
        let either = sampled.temperature.is_some() && model.sampling == Sampling::One;
        // With thought Anthropic takes what hardly cuts.
        let mild = settled.on() && model.sampling != Sampling::None && value.is_some_and(|p| (0.95..=1.0).contains(&p));
        match value {
            Some(1.0) if !free || either => {}
            _ if mild || (free && !either) => sampled.top_p = Some(raw),
            _ => dropped.note("top_p")?,
        }
    }
    match call.top_k {
        Some(raw) if free => sampled.top_k = Some(raw),
        Some(_) => dropped.note("top_k")?,
        None => {}
    }
    Ok(sampled)
}

/// Writes `temperature`, `top_p` and `top_k`.
pub(super) fn sampling(
    call: &Generate<'_>,
    model: &Model,
    settled: &Settled<'_>,
    dropped: &mut Dropped,
    w: &mut Writer<'_, '_>,
) -> Result<(), Error> {
    let Sampled { temperature, top_p, top_k } = sampled(call, model, settled, dropped)?;
    for (name, raw) in [("temperature", temperature), ("top_p", top_p), ("top_k", top_k)] {
        if let Some(raw) = raw {
            w.key(name).raw(raw);
        }
    }
    Ok(())
}

/// Writes what is left, and reports what cannot be said.
pub(super) fn rest<'a>(call: &Generate<'a>, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    let (stop, blank): (Vec<_>, Vec<_>) = call.stop.iter().partition(|sequence| !sequence.is_blank());
    if !blank.is_empty() {
        dropped.note("stop")?;
    }
    if !stop.is_empty() {
        w.key("stop_sequences").array(|w| stop.iter().for_each(|sequence| w.str(sequence)));
    }
    if let Some(user) = &call.user {
        let long = user.to_text().chars().count() > LONGEST_USER;
        let user = if long { names::tool_id(user, LONGEST_USER) } else { user.reborrow() };
        w.key("metadata").object(|w| w.key("user_id").str(&user));
    }
    match call.service_tier.as_ref().map(Str::to_text).as_deref() {
        // Never a class that costs more than was asked for.
        Some("auto") => w.key("service_tier").text("auto"),
        Some("default" | "standard_only") => w.key("service_tier").text("standard_only"),
        Some(_) => dropped.note("service_tier")?,
        None => {}
    }
    unsaid(call, dropped)?;
    for (name, raw) in &call.native {
        if call.format == Some(Format::Messages) {
            w.name(name).share_raw(raw);
        } else {
            dropped.note(name.to_string())?;
        }
    }
    if call.stream {
        w.key("stream").bool(true);
    }
    Ok(())
}

/// Reports what Anthropic has no word for.
fn unsaid(call: &Generate<'_>, dropped: &mut Dropped) -> Result<(), Error> {
    if call.choices.is_some_and(|n| n > 1) {
        let message = "the upstream gives one answer to a call; ask for `1`, or call again";
        return Err(Error::invalid(message).code("unsupported_parameter").at("n"));
    }
    let some = |raw: Option<&str>| raw.is_some_and(|raw| raw.parse::<f64>().ok() != Some(0.0));
    let unsaid = [
        ("frequency_penalty", some(call.frequency_penalty)),
        ("presence_penalty", some(call.presence_penalty)),
        ("seed", call.seed.is_some()),
        ("logit_bias", call.logit_bias.is_some_and(|raw| raw != "{}")),
        ("logprobs", call.logprobs == Some(true)),
        ("top_logprobs", call.top_logprobs.is_some_and(|n| n > 0)),
        ("verbosity", call.verbosity.is_some()),
        ("metadata", call.metadata.is_some_and(|raw| raw != "{}")),
    ];
    unsaid.into_iter().filter(|(_, said)| *said).try_for_each(|(name, _)| dropped.note(name))
}
