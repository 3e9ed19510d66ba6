//! What whole answers and chunks have in common.

use crate::client::{Ask, LONGEST_ID, OwnId};
use crate::event::FinishReason;
use crate::format::Format;
use crate::json::{Doc, Node, Str, Writer};
use crate::usage::Usage;

/// What `id` starts with: some clients look for it.
pub(super) const PREFIX: &str = "chatcmpl-";

/// `id`: the provider's, with what the format's ids start with.
pub(in crate::client) fn id(w: &mut Writer<'_, '_>, prefix: &'static str, id: &Str<'_>, ask: &Ask) {
    let w = w.key("id");
    if id.is_empty() || id.len() > LONGEST_ID {
        w.text(&format!("{prefix}{}", ask.own_id()));
    } else if id.strip_prefix(prefix).is_some() {
        w.str(id);
    } else {
        w.concat(&[prefix.into(), id.reborrow()]);
    }
}

/// `finish_reason`. Clients know five words, and many refuse others, so a provider's own word stands beside it, where
/// OpenRouter puts it too.
pub(in crate::client) fn finish(w: &mut Writer<'_, '_>, reason: &FinishReason<'_>, tools: bool, refused: bool) {
    w.key("finish_reason").raw(match reason {
        FinishReason::ContentFilter => r#""content_filter""#,
        FinishReason::ContextWindow | FinishReason::Length => r#""length""#,
        FinishReason::Other(_) if tools => r#""tool_calls""#,
        // A refusal in the model's words is an answer; without words it is an answer held back.
        FinishReason::Refusal if !refused => r#""content_filter""#,
        FinishReason::Other(_)
        | FinishReason::Pause
        | FinishReason::Refusal
        | FinishReason::Stop
        | FinishReason::StopSequence => r#""stop""#,
        FinishReason::ToolCalls => r#""tool_calls""#,
    });
    if let FinishReason::Other(word) = reason {
        w.key("native_finish_reason").str(word);
    }
}

/// `usage`, with OpenAI's and LiteLLM's name of what was written to a cache.
pub(in crate::client) fn usage(w: &mut Writer<'_, '_>, usage: &Usage) {
    w.key("usage").object(|w| {
        w.key("prompt_tokens").u64(usage.input);
        w.key("completion_tokens").u64(usage.output);
        w.key("total_tokens").u64(usage.total());
        w.key("prompt_tokens_details").object(|w| {
            w.key("cached_tokens").u64(usage.cache_read);
            w.key("cache_write_tokens").u64(usage.cache_write);
            w.key("cache_creation_tokens").u64(usage.cache_write);
            w.key("audio_tokens").u64(usage.input_audio);
        });
        w.key("completion_tokens_details").object(|w| {
            w.key("reasoning_tokens").u64(usage.reasoning);
            w.key("audio_tokens").u64(usage.output_audio);
        });
    });
}

/// `service_tier`, if OpenAI has a word for it: clients know no others.
pub(in crate::client) fn service_tier(w: &mut Writer<'_, '_>, tier: Option<&Str<'_>>) {
    const WORDS: [&str; 6] = ["auto", "default", "fast", "flex", "priority", "scale"];
    let Some(tier) = tier else { return };
    let tier = tier.to_text();
    // Anthropic's word.
    let word = if tier == "standard" { "default" } else { &*tier };
    if WORDS.contains(&word) {
        w.key("service_tier").text(word);
    }
}

/// The id of a tool call: of `number`th one of the answer, if the provider gives none.
pub(super) fn tool_call_id(w: &mut Writer<'_, '_>, id: &Str<'_>, number: u32, own: OwnId) {
    if id.is_empty() {
        w.key("id").text(&format!("call_{number}_{own}"));
    } else {
        w.key("id").str(id);
    }
}

/// An object of a list. In streams OpenAI's SDKs put lists together by `index`, and refuse a second delta of a list
/// whose objects have none.
fn entry(w: &mut Writer<'_, '_>, index: Option<u32>, kind: &str, fill: impl FnOnce(&mut Writer<'_, '_>)) {
    w.object(|w| {
        if let Some(index) = index {
            w.key("index").u64(index.into());
        }
        w.key("type").text(kind);
        fill(w);
    });
}

/// A block of thought that the client can give back, in Anthropic's words as LiteLLM has them.
pub(super) fn thinking(w: &mut Writer<'_, '_>, index: Option<u32>, text: &Str<'_>, signature: &Str<'_>) {
    entry(w, index, "thinking", |w| {
        w.key("thinking").str(text);
        w.key("signature").str(signature);
    });
}

/// A block of thought that only the provider can read.
pub(super) fn redacted_thinking(w: &mut Writer<'_, '_>, index: Option<u32>, data: &Str<'_>) {
    entry(w, index, "redacted_thinking", |w| w.key("data").str(data));
}

/// A picture, as LiteLLM and OpenRouter hand it to clients.
pub(super) fn image(w: &mut Writer<'_, '_>, index: Option<u32>, media_type: &Str<'_>, data: &Str<'_>) {
    entry(w, index, "image_url", |w| {
        w.key("image_url").object(|w| w.key("url").concat(&data_url(media_type, data)));
    });
}

/// The pieces of a URL that is the data itself.
pub(in crate::client) fn data_url<'d>(media_type: &'d Str<'_>, data: &'d Str<'_>) -> [Str<'d>; 4] {
    ["data:".into(), media_type.reborrow(), ";base64,".into(), data.reborrow()]
}

/// A citation of an address: clients know no other.
pub(in crate::client) struct Annotation {
    title: Str<'static>,
    url: Str<'static>,
    /// Where the cited text starts and ends, if the provider says.
    place: Option<(u64, u64)>,
}

impl Annotation {
    /// The annotation that a raw citation makes.
    pub(in crate::client) fn read(format: Format, raw: &str) -> Option<Self> {
        let doc = Doc::lenient(raw.as_bytes()).ok()?;
        let citation = if format == Format::Chat { doc.root().get("url_citation")? } else { doc.root() };
        let text = |name| citation.get(name).and_then(Node::str).map(Str::into_owned);
        let number = |name| citation.get(name).and_then(Node::u64);
        let place = number("start_index").zip(number("end_index")).filter(|_| format == Format::Chat);
        Some(Self { title: text("title").unwrap_or_default(), url: text("url")?, place })
    }

    /// Writes it. `block` is where the text starts and ends that it came with, in characters.
    pub(super) fn write(&self, w: &mut Writer<'_, '_>, index: Option<u32>, block: (u64, u64)) {
        entry(w, index, "url_citation", |w| w.key("url_citation").object(|w| self.members(w, block)));
    }

    /// Writes where it is.
    pub(in crate::client) fn web(&self, w: &mut Writer<'_, '_>) {
        w.key("uri").str(&self.url);
        w.key("title").str(&self.title);
    }

    /// Writes what it says. `block` as in [`Self::write`].
    pub(in crate::client) fn members(&self, w: &mut Writer<'_, '_>, block: (u64, u64)) {
        let (start, end) = self.place.unwrap_or(block);
        w.key("start_index").u64(start);
        w.key("end_index").u64(end);
        w.key("title").str(&self.title);
        w.key("url").str(&self.url);
    }
}

/// How many characters a text has.
pub(in crate::client) fn length(text: &Str<'_>) -> u64 {
    text.to_text().chars().count() as u64
}
