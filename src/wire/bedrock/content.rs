//! [Content blocks](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html): what is said in
//! a turn.

use super::families::{Cached, Family};
use super::media::{self, Titles};
use super::messages::{is_own, mark};
use crate::call::{Content, Document, Part, Source};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Doc, Kind, Node, Str, Writer};
use crate::wire::Dropped;
use crate::wire::names::{Names, exact_id, tool_id};

/// Stands where a turn needs a text and has none; an empty one is refused.
const NOTHING: &str = ".";

/// Stands for the result of a tool that answered nothing.
const NO_RESULT: &str = "(empty)";

/// The letters of a call's id.
const ID: usize = 64;

/// Bedrock's limit on cache marks in a request.
const MOST_MARKS: usize = 4;

/// Whether the operator's part is to be sent.
pub(super) fn operator(part: &Part<'_>) -> Result<bool, Error> {
    match &part.content {
        Content::Refusal(text) | Content::Text { text, .. } => Ok(!text.is_blank()),
        Content::Native { format: Format::Chat, raw } if guarded(raw).is_some() => Ok(true),
        _ => Err(Error::invalid("the upstream takes no part of this kind here; text is allowed")),
    }
}

/// Whether the model's part is to be sent.
pub(super) fn assistant(part: &Part<'_>, family: &Family, dropped: &mut Dropped) -> Result<bool, Error> {
    match &part.content {
        Content::Refusal(text) => Ok(!text.is_blank()),
        Content::Text { text, citations } => {
            if citations.is_some() {
                dropped.forget("citations");
            }
            Ok(!text.is_blank())
        }
        Content::ToolCall { .. } => Ok(true),
        Content::Reasoning { signature, format, .. } => {
            let own = is_own(*format, signature.as_ref(), family);
            if !own {
                dropped.forget("reasoning");
            }
            Ok(own)
        }
        Content::RedactedReasoning { data, format } => {
            let own = is_own(Some(*format), Some(data), family);
            if !own {
                dropped.forget("reasoning");
            }
            Ok(own)
        }
        // What another model has drawn.
        Content::Image { .. } => {
            dropped.forget("images");
            Ok(false)
        }
        Content::Audio { .. }
        | Content::Document(_)
        | Content::Native { .. }
        | Content::ToolResult { .. }
        | Content::Video(_) => Err(Error::invalid("the upstream takes no part of this kind from the model")),
    }
}

/// Whether the user's part is to be sent; refuses what Converse cannot be told.
pub(super) fn check(part: &Part<'_>, family: &Family, dropped: &mut Dropped) -> Result<bool, Error> {
    match &part.content {
        Content::Audio { format, .. } => media::sound(format).map(|_| true),
        Content::Document(document) => {
            media::read(&document.source)?;
            cites(document, family, dropped)?;
            Ok(true)
        }
        Content::Image { source, detail } => {
            if detail.as_ref().is_some_and(|detail| *detail != "auto") {
                dropped.forget("detail");
            }
            match media::read(source)?.0.member {
                "image" => Ok(true),
                _ => Err(Error::invalid("expected a picture: PNG, JPEG, GIF or WebP")),
            }
        }
        Content::Native { format: Format::Chat, raw } if guarded(raw).is_some() => Ok(true),
        Content::Native { .. } => Err(unknown()),
        Content::Reasoning { .. } | Content::RedactedReasoning { .. } => {
            dropped.forget("reasoning");
            Ok(false)
        }
        Content::Refusal(text) | Content::Text { text, .. } => Ok(!text.is_blank()),
        Content::ToolCall { .. } => Err(Error::invalid("a call of a tool is the model's to make")),
        Content::Video(source) => match media::read(source)?.0.member {
            "video" => Ok(true),
            _ => Err(Error::invalid("expected a film: MP4, MOV, MKV, WebM, FLV, MPEG, WMV or 3GP")),
        },
        Content::ToolResult { parts, .. } => {
            for (index, part) in parts.iter().enumerate() {
                let fits = !matches!(part.content, Content::Audio { .. } | Content::ToolResult { .. });
                let said = if fits { check(part, family, dropped) } else { Err(unknown()) };
                said.map_err(|e| e.at_index(index).at("content"))?;
            }
            if family.cached == Cached::Said && parts.iter().any(|part| part.cache.is_some()) {
                dropped.forget("cache_control");
            }
            Ok(true)
        }
    }
}

fn unknown() -> Error {
    Error::invalid("the upstream does not know this kind of part")
}

/// What models other than Claude cannot do with a document.
fn cites(document: &Document<'_>, family: &Family, dropped: &mut Dropped) -> Result<(), Error> {
    if family.claude().is_none() && document.citations.is_some_and(enabled) {
        dropped.note("content.document.citations")?;
    }
    Ok(())
}

fn enabled(raw: &str) -> bool {
    Doc::lenient(raw.as_bytes()).is_ok_and(|doc| doc.root().get("enabled").and_then(Node::bool) == Some(true))
}

/// The text that a guardrail shall look at, in [LiteLLM's
/// words](https://docs.litellm.ai/docs/providers/bedrock#guardrails).
fn guarded(raw: &str) -> Option<String> {
    let doc = Doc::lenient(raw.as_bytes()).ok()?;
    let is = doc.root().get("type")?.text()? == "guarded_text";
    Some(doc.root().get("text").filter(|_| is)?.text()?.into_owned())
}

/// Where a turn stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// It is the model's and the last: the model goes on with it.
    pub continued: bool,
}

/// Writes content blocks.
pub(super) struct Blocks<'b> {
    names: &'b mut Names,
    family: &'b Family,
    titles: Titles,
    /// How many cache marks are left out.
    unmarked: usize,
}

impl<'b> Blocks<'b> {
    /// With `marks` cache marks to come. Of more than Bedrock takes the first go: the later ones cover their prompt.
    pub fn new(marks: usize, names: &'b mut Names, family: &'b Family, dropped: &mut Dropped) -> Self {
        let unmarked = marks.saturating_sub(MOST_MARKS);
        if unmarked > 0 {
            dropped.forget("cache_control");
        }
        Self { names, family, titles: Titles::default(), unmarked }
    }

    /// A tool's name as it is sent.
    pub fn name<'n>(&mut self, name: &'n Str<'_>) -> Str<'n> {
        self.names.encode(name)
    }

    /// Writes a cache mark, as a block of its own.
    pub fn mark(&mut self, cache: Option<&str>, w: &mut Writer<'_, '_>) {
        let Some(raw) = cache else { return };
        if let Some(left) = self.unmarked.checked_sub(1) {
            self.unmarked = left;
            return;
        }
        let hour = self.family.cached == Cached::All { hour: true }
            && Doc::lenient(raw.as_bytes())
                .is_ok_and(|doc| doc.root().get("ttl").and_then(Node::text).as_deref() == Some("1h"));
        w.object(|w| {
            w.key("cachePoint").object(|w| {
                w.key("type").text("default");
                if hour {
                    w.key("ttl").text("1h");
                }
            });
        });
    }

    /// Writes the blocks of a turn.
    pub fn turn<'a>(&mut self, parts: &[&'a Part<'a>], place: Place, w: &mut Writer<'_, 'a>) {
        let is = |found: fn(&Content<'_>) -> bool| parts.iter().any(|part| found(&part.content));
        let document = is(|content| matches!(content, Content::Document(_)));
        if parts.is_empty()
            || (document && !is(|content| matches!(content, Content::Text { .. } | Content::Native { .. })))
        {
            w.object(|w| w.key("text").text(NOTHING));
        }
        if let [parts @ .., last] = parts {
            parts.iter().for_each(|part| self.write(part, Place::default(), w));
            self.write(last, place, w);
        }
    }

    /// Writes a part as a block, and its cache mark as another.
    pub fn write<'a>(&mut self, part: &'a Part<'a>, place: Place, w: &mut Writer<'_, 'a>) {
        w.open_object();
        match &part.content {
            // White space at the end of what the model shall continue is refused.
            Content::Refusal(text) | Content::Text { text, .. } if place.continued => {
                w.key("text").text(text.to_text().trim_end());
            }
            Content::ToolCall { id, name, arguments } => w.key("toolUse").object(|w| {
                w.key("toolUseId").str(&self.id(id));
                w.key("name").str(&self.names.encode(name));
                input(arguments, w.key("input"));
            }),
            Content::ToolResult { id, parts, is_error } => {
                w.key("toolResult").open_object();
                w.key("toolUseId").str(&self.id(id));
                self.result(parts, *is_error, w);
                w.close_object();
            }
            content => self.said(content, w),
        }
        w.close_object();
        self.mark(mark(part, self.family), w);
    }

    fn id<'i>(&self, id: &'i Str<'_>) -> Str<'i> {
        match self.family.call_id {
            Some(length) => exact_id(id, length),
            None => tool_id(id, ID),
        }
    }

    fn result<'a>(&mut self, parts: &'a [Part<'a>], is_error: bool, w: &mut Writer<'_, 'a>) {
        let blank = |part: &Part<'_>| matches!(&part.content, Content::Refusal(text) | Content::Text { text, .. } if text.is_blank());
        let parts: Vec<_> = parts.iter().filter(|part| !blank(part)).collect();
        w.key("content").open_array();
        // Others know no errors.
        if is_error && !self.family.status {
            w.object(|w| w.key("text").text("Error:"));
        }
        if parts.is_empty() {
            w.object(|w| w.key("text").text(NO_RESULT));
        }
        for part in parts {
            w.open_object();
            self.said(&part.content, w);
            w.close_object();
        }
        w.close_array();
        if is_error && self.family.status {
            w.key("status").text("error");
        }
    }

    /// Writes what is neither a call nor a result.
    fn said<'a>(&mut self, content: &'a Content<'a>, w: &mut Writer<'_, 'a>) {
        match content {
            Content::Audio { data, format } => w.key("audio").object(|w| {
                w.key("format").text(media::sound(format).unwrap_or_default());
                w.key("source").object(|w| w.key("bytes").share_str(data));
            }),
            Content::Document(document) => self.document(document, w),
            Content::Image { source, .. } | Content::Video(source) => medium(source, w),
            Content::Native { raw, .. } => w.key("guardContent").object(|w| {
                // It has passed `check`.
                let text = guarded(raw).unwrap_or_default();
                w.key("text").object(|w| w.key("text").text(&text));
            }),
            Content::Reasoning { text, signature, .. } => w.key("reasoningContent").object(|w| {
                w.key("reasoningText").object(|w| {
                    w.key("text").share_str(text);
                    if let Some(signature) = signature {
                        w.key("signature").share_str(signature);
                    }
                });
            }),
            Content::RedactedReasoning { data, .. } => {
                w.key("reasoningContent").object(|w| w.key("redactedContent").share_str(data));
            }
            Content::Refusal(text) | Content::Text { text, .. } => w.key("text").share_str(text),
            // Written before.
            Content::ToolCall { .. } | Content::ToolResult { .. } => {}
        }
    }

    fn document<'a>(&mut self, document: &'a Document<'a>, w: &mut Writer<'_, 'a>) {
        // It has passed `check`.
        let Ok((kind, place)) = media::read(&document.source) else { return };
        if kind.member != "document" {
            return medium(&document.source, w);
        }
        w.key("document").open_object();
        w.key("format").text(kind.format);
        w.key("name").text(&self.titles.take(document.title.as_ref()));
        w.key("source");
        match &document.source {
            // Citations point to its parts.
            Source::Parts(parts) if self.family.claude().is_some() => w.object(|w| {
                w.key("content").array(|w| {
                    for part in parts {
                        if let Content::Refusal(text) | Content::Text { text, .. } = &part.content {
                            w.object(|w| w.key("text").share_str(text));
                        }
                    }
                });
            }),
            _ => place.write(w),
        }
        if let Some(context) = document.context.as_ref().filter(|context| !context.is_empty()) {
            w.key("context").share_str(context);
        }
        if self.family.claude().is_some() && document.citations.is_some_and(enabled) {
            w.key("citations").object(|w| w.key("enabled").bool(true));
        }
        w.close_object();
    }
}

/// Writes what is no document.
fn medium<'a>(source: &'a Source<'a>, w: &mut Writer<'_, 'a>) {
    // It has passed `check`.
    let Ok((kind, place)) = media::read(source) else { return };
    w.key(kind.member).open_object();
    w.key("format").text(kind.format);
    place.write(w.key("source"));
    w.close_object();
}

/// Writes the arguments of a call, which Converse takes as an object.
fn input(arguments: &Str<'_>, w: &mut Writer<'_, '_>) {
    let text = arguments.to_text();
    let text = text.trim();
    if text.is_empty() {
        return w.raw("{}");
    }
    match Doc::lenient(text.as_bytes()) {
        Ok(doc) if doc.root().kind() == Kind::Object => w.raw(text),
        // What the model wrote wrong stays to be seen by it.
        _ => w.object(|w| w.key("raw_arguments").str(arguments)),
    }
}
