//! Fields of Gemini's own, where clients of other formats can say them: as members of the request in Google's or in
//! [LiteLLM's](https://docs.litellm.ai/docs/providers/gemini) spelling, or where [Google's own interface in OpenAI's
//! format](https://ai.google.dev/gemini-api/docs/openai) has them, under `extra_body.google`.

use crate::call::{Generate, OutputFormat};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Doc, Kind, Node, Writer};
use crate::wire::Dropped;

/// Fields of the request, with those who know them: both if none is named.
const TOP: &[(&str, Option<Format>)] = &[
    ("cachedContent", None),
    ("continuationToken", None),
    ("labels", Some(Format::Vertex)),
    ("modelArmorConfig", Some(Format::Vertex)),
    ("safetySettings", None),
];

/// Fields of `generationConfig`, likewise.
const GENERATION: &[(&str, Option<Format>)] = &[
    ("audioTimestamp", Some(Format::Vertex)),
    ("enableEnhancedCivicAnswers", Some(Format::Gemini)),
    ("imageConfig", None),
    ("mediaResolution", None),
    ("responseJsonSchema", None),
    ("responseMimeType", None),
    ("responseModalities", None),
    ("responseSchema", None),
    ("routingConfig", Some(Format::Vertex)),
    ("speechConfig", None),
    ("thinkingConfig", None),
];

/// What was found: names in Google's spelling, and raw values.
#[derive(Default)]
pub(super) struct Extra {
    top: Vec<(&'static str, String)>,
    generation: Vec<(&'static str, String)>,
    /// Whether the web shall be searched.
    pub search: bool,
}

/// Reads the fields that only the client's format, or only Gemini's, knows.
pub(super) fn read(call: &Generate<'_>, format: Format, dropped: &mut Dropped) -> Result<Extra, Error> {
    let mut extra = Extra::default();
    for (name, raw) in &call.native {
        let Ok(doc) = Doc::lenient(raw.as_bytes()) else { continue };
        let value = doc.root();
        match &**name {
            "extra_body" => {
                for (name, value) in value.members() {
                    match &*name {
                        "google" => extra.members(value, "extra_body.google.", call, format, dropped)?,
                        _ => extra.field(&name, value, "extra_body.", call, format, dropped)?,
                    }
                }
            }
            "google" => extra.members(value, "google.", call, format, dropped)?,
            "modalities" => match modalities(value) {
                Some(modalities) => extra.generation.push(("responseModalities", modalities)),
                None => dropped.note("modalities")?,
            },
            "web_search_options" => {
                extra.search = true;
                for (name, _) in value.members() {
                    dropped.note(format!("web_search_options.{name}"))?;
                }
            }
            name => extra.field(name, value, "", call, format, dropped)?,
        }
    }
    Ok(extra)
}

impl Extra {
    fn members(
        &mut self,
        object: Node<'_>,
        place: &str,
        call: &Generate<'_>,
        format: Format,
        dropped: &mut Dropped,
    ) -> Result<(), Error> {
        object.members().try_for_each(|(name, value)| self.field(&name, value, place, call, format, dropped))
    }

    fn field(
        &mut self,
        name: &str,
        value: Node<'_>,
        place: &str,
        call: &Generate<'_>,
        format: Format,
        dropped: &mut Dropped,
    ) -> Result<(), Error> {
        let known = |list: &[(&'static str, Option<Format>)]| {
            let own = list.iter().find(|(own, of)| is(name, own) && of.is_none_or(|of| of == format));
            own.map(|(own, _)| *own)
        };
        // Said already, in the client's own words.
        let said = |name: &str| name.starts_with("response") && name != "responseModalities" && !plain(&call.output);
        match (known(TOP), known(GENERATION)) {
            (Some(name), _) if !has(&self.top, name) => self.top.push((name, value.raw().to_owned())),
            (_, Some(name)) if !has(&self.generation, name) && !said(name) => {
                self.generation.push((name, value.raw().to_owned()));
            }
            _ => dropped.note(format!("{place}{name}"))?,
        }
        Ok(())
    }

    /// Whether thought is asked for in Google's own words.
    pub fn thinks(&self) -> bool {
        has(&self.generation, "thinkingConfig")
    }

    /// Whether the request has such a field.
    pub fn has(&self, name: &str) -> bool {
        has(&self.top, name)
    }

    /// Writes the fields of the request.
    pub fn write_top(&self, w: &mut Writer<'_, '_>) {
        self.top.iter().for_each(|(name, raw)| w.key(name).raw(raw));
    }

    /// Writes the fields of `generationConfig`.
    pub fn write_generation(&self, w: &mut Writer<'_, '_>) {
        self.generation.iter().for_each(|(name, raw)| w.key(name).raw(raw));
    }
}

fn has(list: &[(&str, String)], name: &str) -> bool {
    list.iter().any(|(n, _)| *n == name)
}

fn plain(output: &OutputFormat<'_>) -> bool {
    matches!(output, OutputFormat::Text)
}

/// Whether `name` is `own`, or the same with words apart by `_`.
fn is(name: &str, own: &str) -> bool {
    let mut rest = own.chars();
    let same = name.split('_').enumerate().all(|(word, text)| {
        text.chars().enumerate().all(|(at, c)| {
            let c = if word > 0 && at == 0 { c.to_ascii_uppercase() } else { c };
            rest.next() == Some(c)
        })
    });
    same && rest.next().is_none()
}

/// OpenAI's `modalities` in Google's words, as far as answers can have them here.
fn modalities(value: Node<'_>) -> Option<String> {
    if value.kind() != Kind::Array {
        return None;
    }
    let words = value.items().map(|word| match word.text().as_deref() {
        Some("image") => Some("\"IMAGE\""),
        Some("text") => Some("\"TEXT\""),
        _ => None,
    });
    Some(format!("[{}]", words.collect::<Option<Vec<_>>>()?.join(",")))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::is;

    #[test]
    fn names_in_both_spellings() {
        for name in ["cachedContent", "cached_content"] {
            assert!(is(name, "cachedContent"), "{name}");
        }
        for name in ["cached", "cachedcontent", "cached_contents", "Cached_content", ""] {
            assert!(!is(name, "cachedContent"), "{name}");
        }
    }
}
