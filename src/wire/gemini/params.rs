//! The parameters beside conversation, tools and thought.

use super::extra::Extra;
use super::models::Model;
use super::schema;
use super::thinking::Settled;
use crate::call::{Generate, OutputFormat};
use crate::error::Error;
use crate::format::Format;
use crate::json::{self, Doc, Str, Writer};
use crate::wire::{Dropped, Target};

/// The header by which Google Cloud is [told the class of
/// service](https://docs.cloud.google.com/vertex-ai/generative-ai/docs/priority-paygo).
const TIER: &str = "x-vertex-ai-llm-shared-request-type";

/// What the model is told where it is held to no format: older ones are not, beside tools.
pub(super) fn instruction(output: &OutputFormat<'_>, held: bool) -> Option<String> {
    match output {
        OutputFormat::JsonObject if !held => Some("Answer with one JSON object and nothing else.".into()),
        OutputFormat::JsonSchema { schema, .. } if !held => {
            Some(format!("Answer with JSON that follows this JSON schema, and nothing else:\n{schema}"))
        }
        OutputFormat::JsonObject | OutputFormat::JsonSchema { .. } | OutputFormat::Text => None,
    }
}

/// What `generationConfig` is made of.
pub(super) struct Params<'p> {
    pub model: &'p Model,
    pub format: Format,
    /// Whether the model is held to the format of the answer.
    pub held: bool,
    pub settled: &'p Settled,
    pub extra: &'p Extra,
}

impl Params<'_> {
    /// Writes the object.
    pub fn write<'a>(
        &self,
        call: &'a Generate<'a>,
        target: &Target<'_>,
        dropped: &mut Dropped,
        w: &mut Writer<'_, 'a>,
    ) -> Result<(), Error> {
        w.open_object();
        self.sampling(call, dropped, w)?;
        if let Some(most) = call.max_output_tokens.or(target.max_tokens) {
            w.key("maxOutputTokens").u64(most);
        }
        let (stop, blank): (Vec<_>, Vec<_>) = call.stop.iter().partition(|sequence| !sequence.is_empty());
        if !blank.is_empty() {
            dropped.note("stop")?;
        }
        if !stop.is_empty() {
            w.key("stopSequences").array(|w| stop.iter().for_each(|sequence| w.str(sequence)));
        }
        match call.choices {
            Some(2..) if !self.model.several => {
                let message = "the upstream gives one answer to a call; ask for `1`, or call again";
                return Err(Error::invalid(message).code("unsupported_parameter").at("n"));
            }
            Some(many @ 2..) => w.key("candidateCount").u64(many),
            Some(_) | None => {}
        }
        if call.logprobs == Some(true) {
            w.key("responseLogprobs").bool(true);
            if let Some(top) = call.top_logprobs.filter(|top| *top > 0) {
                w.key("logprobs").u64(top);
            }
        }
        if self.held && !matches!(call.output, OutputFormat::Text) {
            w.key("responseMimeType").text("application/json");
            if let OutputFormat::JsonSchema { schema, .. } = &call.output {
                w.key("responseJsonSchema").raw(&schema::held(schema));
            }
        }
        self.settled.write(w);
        self.extra.write_generation(w);
        w.close_object();
        Ok(())
    }

    /// A value that changes nothing is left out without a word.
    fn sampling<'a>(&self, call: &'a Generate<'a>, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
        let is = |raw: &str, usual: f64| raw.parse::<f64>().ok() == Some(usual);
        for (name, own, value) in [
            ("temperature", "temperature", call.temperature),
            ("top_p", "topP", call.top_p),
            ("top_k", "topK", call.top_k),
        ] {
            match value {
                Some(raw) if self.model.sampling => w.key(own).share_raw(raw),
                Some(raw) if name == "top_k" || !is(raw, 1.0) => dropped.note(name)?,
                Some(_) | None => {}
            }
        }
        // Of the models that know penalties the Gemini API refuses them to the last.
        let penalties =
            self.model.penalties && (self.format == Format::Vertex || self.model.mode == super::models::Mode::Never);
        for (name, own, value) in [
            ("frequency_penalty", "frequencyPenalty", call.frequency_penalty),
            ("presence_penalty", "presencePenalty", call.presence_penalty),
        ] {
            match value {
                Some(raw) if penalties => w.key(own).share_raw(raw),
                Some(raw) if !is(raw, 0.0) => dropped.note(name)?,
                Some(_) | None => {}
            }
        }
        if let Some(seed) = call.seed {
            w.key("seed").share_raw(seed);
        }
        Ok(())
    }
}

/// Writes what stands beside `generationConfig`, and reports what cannot be said; returns a header, if one is needed.
pub(super) fn rest<'a>(
    call: &'a Generate<'a>,
    format: Format,
    extra: &Extra,
    dropped: &mut Dropped,
    w: &mut Writer<'_, 'a>,
) -> Result<Option<(&'static str, String)>, Error> {
    let mut header = None;
    match call.service_tier.as_ref().map(Str::to_text).as_deref() {
        None | Some("auto") => {}
        Some("default" | "standard_only") if format == Format::Gemini => w.key("serviceTier").text("standard"),
        // What Google Cloud gives unasked.
        Some("default" | "standard_only") => {}
        Some(tier @ ("flex" | "priority")) if format == Format::Gemini => w.key("serviceTier").text(tier),
        Some(tier @ ("flex" | "priority")) => header = Some((TIER, tier.to_owned())),
        Some(_) => dropped.note("service_tier")?,
    }
    match call.metadata {
        Some("{}") | None => {}
        Some(raw) if format == Format::Vertex && are_labels(raw) && !extra.has("labels") => {
            w.key("labels").share_raw(raw);
        }
        Some(_) => dropped.note("metadata")?,
    }
    let unsaid = [
        ("logit_bias", call.logit_bias.is_some_and(|raw| raw != "{}")),
        ("user", call.user.is_some()),
        ("verbosity", call.verbosity.is_some()),
    ];
    unsaid.into_iter().filter(|(_, said)| *said).try_for_each(|(name, _)| dropped.note(name))?;
    extra.write_top(w);
    Ok(header)
}

/// Whether labels are such as Google Cloud takes.
fn are_labels(raw: &str) -> bool {
    let plain = |text: &str| {
        text.len() <= 63
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
    };
    let Ok(doc) = Doc::lenient(raw.as_bytes()) else { return false };
    doc.root().kind() == json::Kind::Object
        && doc.root().members().all(|(name, value)| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && plain(&name)
                && value.text().is_some_and(|v| plain(&v))
        })
}
