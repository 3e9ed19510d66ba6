//! The parameters beside conversation, tools and thought.

use std::borrow::Cow;

use super::extra::{self, Extra};
use super::families::Family;
use super::thinking::Settled;
use crate::call::Generate;
use crate::error::Error;
use crate::json::{self, Doc, Str, Writer};
use crate::wire::anthropic::params::{Sampled, sampled};
use crate::wire::{Dropped, Target};

/// What the parameters follow from.
pub(super) struct Params<'p, 'a> {
    pub call: &'a Generate<'a>,
    pub family: &'p Family,
    pub settled: &'p Settled<'a>,
    pub extra: &'p Extra<'a>,
    /// Whether `toolChoice` is said.
    pub chosen: bool,
    /// Whether there are tools.
    pub tools: bool,
}

impl<'a> Params<'_, 'a> {
    /// Writes `inferenceConfig`; returns `top_k`, which each maker has elsewhere.
    pub fn write_config(
        &self,
        target: &Target<'_>,
        dropped: &mut Dropped,
        w: &mut Writer<'_, 'a>,
    ) -> Result<Option<&'a str>, Error> {
        let limit = self.limit(target, dropped)?;
        let sampled = self.sampled(dropped)?;
        let (stop, blank): (Vec<_>, Vec<_>) =
            self.call.stop.iter().partition(|sequence| self.family.stops && !sequence.is_blank());
        if !blank.is_empty() {
            dropped.note("stop")?;
        }
        if limit.is_none() && sampled.temperature.is_none() && sampled.top_p.is_none() && stop.is_empty() {
            return Ok(sampled.top_k);
        }
        w.key("inferenceConfig").object(|w| {
            if let Some(limit) = limit {
                w.key("maxTokens").u64(limit);
            }
            if let Some(raw) = sampled.temperature {
                w.key("temperature").raw(raw);
            }
            if let Some(raw) = sampled.top_p {
                w.key("topP").raw(raw);
            }
            if !stop.is_empty() {
                w.key("stopSequences").array(|w| stop.iter().for_each(|sequence| w.str(sequence)));
            }
        });
        Ok(sampled.top_k)
    }

    /// The limit on output. Without one Bedrock's is the model's own.
    fn limit(&self, target: &Target<'_>, dropped: &mut Dropped) -> Result<Option<u64>, Error> {
        let Some(asked) = self.call.max_output_tokens.or(target.max_tokens) else { return Ok(None) };
        if self.settled.unbound {
            dropped.note("max_tokens")?;
            return Ok(None);
        }
        Ok(Some(self.settled.claude.as_ref().map_or(asked, |settled| settled.max_tokens)))
    }

    fn sampled(&self, dropped: &mut Dropped) -> Result<Sampled<'a>, Error> {
        let call = self.call;
        if let (Some(model), Some(settled)) = (self.family.claude(), &self.settled.claude) {
            return sampled(call, model, settled, dropped);
        }
        let free = self.family.sampling && !self.settled.unbound;
        let number = |raw: &str| raw.parse::<f64>().ok();
        let mut sampled = Sampled::default();
        for (name, raw, place) in
            [("temperature", call.temperature, &mut sampled.temperature), ("top_p", call.top_p, &mut sampled.top_p)]
        {
            let Some(raw) = raw else { continue };
            match number(raw) {
                Some(value) if free && value > 1.0 => {
                    dropped.note(name)?;
                    *place = Some("1");
                }
                _ if free => *place = Some(raw),
                // What changes nothing.
                Some(1.0) => {}
                _ => dropped.note(name)?,
            }
        }
        match call.top_k {
            Some(raw) if free && self.family.top_k.is_some() => sampled.top_k = Some(raw),
            Some(_) => dropped.note("top_k")?,
            None => {}
        }
        Ok(sampled)
    }

    /// Writes `additionalModelRequestFields`. What the client says in the model's own words counts.
    pub fn write_fields(
        &self,
        top_k: Option<&str>,
        dropped: &mut Dropped,
        w: &mut Writer<'_, 'a>,
    ) -> Result<(), Error> {
        let mut fields: Vec<(Cow<'_, str>, String)> = Vec::new();
        if let (Some(raw), Some((inside, name))) = (top_k, self.family.top_k) {
            fields.push(match inside {
                Some(object) => (object.into(), format!(r#"{{"{name}":{raw}}}"#)),
                None => (name.into(), raw.to_owned()),
            });
        }
        if let Some((name, raw)) = &self.settled.field {
            fields.push(((*name).into(), raw.clone()));
        }
        if let Some(raw) = self.extra.beta {
            fields.push(("anthropic_beta".into(), raw.to_owned()));
        }
        if self.call.parallel_tool_calls == Some(false) && self.tools {
            // Claude's word for it, which older models refuse.
            match self.family.claude().filter(|model| model.schemas && model.key != "opus-4-1") {
                Some(_) if self.chosen => {
                    fields.push(("tool_choice".into(), r#"{"disable_parallel_tool_use":true}"#.into()));
                }
                Some(_) => {
                    let raw = r#"{"type":"auto","disable_parallel_tool_use":true}"#;
                    fields.push(("tool_choice".into(), raw.into()));
                }
                None => dropped.note("parallel_tool_calls")?,
            }
        }
        let own = self.extra.fields.and_then(|raw| Doc::lenient(raw.as_bytes()).ok());
        for (name, value) in own.iter().flat_map(|doc| doc.root().members()) {
            fields.retain(|(n, _)| *n != name);
            fields.push((name, value.raw().to_owned()));
        }
        if !fields.is_empty() {
            w.key("additionalModelRequestFields").object(|w| {
                fields.iter().for_each(|(name, raw)| w.name(name).raw(raw));
            });
        }
        Ok(())
    }

    /// Writes what is left, and reports what cannot be said.
    pub fn write_rest(&self, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
        self.write_paths(w);
        self.extra.top.iter().for_each(|(name, raw)| w.key(name).raw(raw));
        match self.call.metadata {
            None | Some("{}") => {}
            Some(raw) if !self.extra.has("requestMetadata") && are_labels(raw) => {
                w.key("requestMetadata").share_raw(raw);
            }
            Some(_) => dropped.note("metadata")?,
        }
        match self.call.service_tier.as_ref().map(Str::to_text).as_deref() {
            None | Some("auto") => {}
            Some(_) if self.extra.has("serviceTier") => dropped.note("service_tier")?,
            Some("default" | "standard_only") => tier("default", w),
            Some(word @ ("flex" | "priority" | "reserved")) => tier(word, w),
            Some(_) => dropped.note("service_tier")?,
        }
        unsaid(self.call, dropped)
    }

    /// What the model says and Converse has no place for: which sequence ended the answer, and how much was thought.
    fn write_paths(&self, w: &mut Writer<'_, '_>) {
        let mut paths = extra::paths(self.extra.paths);
        if let Some(settled) = &self.settled.claude {
            if !self.call.stop.is_empty() {
                paths.push(if self.call.stream { "/delta/stop_sequence" } else { "/stop_sequence" }.into());
            }
            if settled.on() {
                paths.push("/usage/output_tokens_details".into());
            }
        }
        if !paths.is_empty() {
            w.key("additionalModelResponseFieldPaths").array(|w| paths.iter().for_each(|path| w.text(path)));
        }
    }
}

fn tier(word: &str, w: &mut Writer<'_, '_>) {
    w.key("serviceTier").object(|w| w.key("type").text(word));
}

/// Whether labels are such as Bedrock takes.
fn are_labels(raw: &str) -> bool {
    const MOST: usize = 16;
    let plain = |text: &str, least: usize| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c);
        (least..=256).contains(&text.chars().count()) && text.chars().all(allowed)
    };
    let Ok(doc) = Doc::lenient(raw.as_bytes()) else { return false };
    doc.root().kind() == json::Kind::Object
        && doc.root().members().count() <= MOST
        && doc.root().members().all(|(name, value)| plain(&name, 1) && value.text().is_some_and(|v| plain(&v, 0)))
}

/// Reports what Converse has no word for.
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
        ("user", call.user.is_some()),
        ("verbosity", call.verbosity.is_some()),
    ];
    unsaid.into_iter().filter(|(_, said)| *said).try_for_each(|(name, _)| dropped.note(name))
}
