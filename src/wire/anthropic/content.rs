//! [Content blocks](https://platform.claude.com/docs/en/api/messages): what is said in a turn.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::messages::is_blank;
use crate::call::{Content, Document, Part, Source};
use crate::json::{Doc, Kind, Str, Writer};
use crate::wire::Dropped;
use crate::wire::names::{Names, tool_id};

/// The letters of a call's id: as many as every provider takes.
const ID: usize = 64;

/// What stands in a citation that Anthropic has not made.
const UNPROVEN: &str = r#""encrypted_index":"""#;

/// Anthropic's limit on cache marks in a request.
const MOST_MARKS: usize = 4;

/// How parts are written.
#[derive(Clone, Copy, Default)]
pub(super) struct Manner {
    /// The assistant's own words may cite.
    pub own: bool,
    /// In the last turn.
    pub last: bool,
}

/// Writes content blocks.
pub(super) struct Blocks<'b> {
    names: &'b mut Names,
    /// How many cache marks are left out.
    unmarked: usize,
}

impl<'b> Blocks<'b> {
    /// With `marks` cache marks to come. Of more than Anthropic takes the first go: the later ones cover their prompt.
    pub fn new(marks: usize, names: &'b mut Names, dropped: &mut Dropped) -> Self {
        let unmarked = marks.saturating_sub(MOST_MARKS);
        if unmarked > 0 {
            dropped.forget("cache_control");
        }
        Self { names, unmarked }
    }

    /// A tool's name as it is sent.
    pub fn name<'n>(&mut self, name: &'n Str<'_>) -> Str<'n> {
        self.names.encode(name)
    }

    /// Writes a cache mark.
    pub fn mark<'a>(&mut self, cache: Option<&'a str>, w: &mut Writer<'_, 'a>) {
        let Some(raw) = cache else { return };
        match self.unmarked.checked_sub(1) {
            Some(left) => self.unmarked = left,
            None => w.key("cache_control").share_raw(raw),
        }
    }

    /// Writes parts as a string if one says it all, else as blocks.
    pub fn content<'a>(&mut self, parts: &[&'a Part<'a>], manner: Manner, w: &mut Writer<'_, 'a>) {
        match parts {
            [Part { content: Content::Refusal(text) | Content::Text { text, citations: None }, cache: None }] => {
                words(text, manner, w);
            }
            [parts @ .., last] => w.array(|w| {
                parts.iter().for_each(|part| self.write(part, Manner { last: false, ..manner }, w));
                self.write(last, manner, w);
            }),
            [] => w.array(|_| {}),
        }
    }

    /// Writes a part as a block.
    pub fn write<'a>(&mut self, part: &'a Part<'a>, manner: Manner, w: &mut Writer<'_, 'a>) {
        if let Content::Native { raw, .. } = &part.content {
            return w.share_raw(raw);
        }
        w.open_object();
        match &part.content {
            Content::Document(document) => self.document(document, w),
            Content::Image { source, .. } => {
                w.key("type").text("image");
                w.key("source");
                self.source(source, w);
            }
            Content::Reasoning { text, signature, .. } => {
                w.key("type").text("thinking");
                w.key("thinking").share_str(text);
                if let Some(signature) = signature {
                    w.key("signature").share_str(signature);
                }
            }
            Content::RedactedReasoning { data, .. } => {
                w.key("type").text("redacted_thinking");
                w.key("data").share_str(data);
            }
            Content::Refusal(text) | Content::Text { text, .. } => {
                w.key("type").text("text");
                words(text, manner, w.key("text"));
                // A citation without Anthropic's proof is of another provider's making.
                if let Content::Text { citations: Some(raw), .. } = &part.content
                    && manner.own
                    && !raw.contains(UNPROVEN)
                {
                    w.key("citations").share_raw(raw);
                }
            }
            Content::ToolCall { id, name, arguments } => {
                w.key("type").text("tool_use");
                w.key("id").str(&tool_id(id, ID));
                w.key("name").str(&self.names.encode(name));
                input(arguments, w.key("input"));
            }
            Content::ToolResult { id, parts, is_error } => {
                w.key("type").text("tool_result");
                w.key("tool_use_id").str(&tool_id(id, ID));
                let parts: Vec<_> = parts.iter().filter(|part| !is_blank(part)).collect();
                if !parts.is_empty() {
                    self.content(&parts, Manner::default(), w.key("content"));
                }
                if *is_error {
                    w.key("is_error").bool(true);
                }
            }
            // None of these passes `check`.
            Content::Audio { .. } | Content::Native { .. } | Content::Video(_) => {}
        }
        self.mark(mark(part), w);
        w.close_object();
    }

    fn document<'a>(&mut self, document: &'a Document<'a>, w: &mut Writer<'_, 'a>) {
        w.key("type").text("document");
        w.key("source");
        match plain(&document.source) {
            Some(text) => w.object(|w| {
                w.key("type").text("text");
                w.key("media_type").text("text/plain");
                w.key("data").text(&text);
            }),
            None => self.source(&document.source, w),
        }
        if let Some(title) = &document.title {
            w.key("title").str(title);
        }
        if let Some(context) = &document.context {
            w.key("context").share_str(context);
        }
        if let Some(raw) = document.citations {
            w.key("citations").share_raw(raw);
        }
    }

    fn source<'a>(&mut self, source: &'a Source<'a>, w: &mut Writer<'_, 'a>) {
        w.open_object();
        match source {
            Source::Base64 { media_type, data } => {
                w.key("type").text("base64");
                if *media_type == "image/jpg" {
                    w.key("media_type").text("image/jpeg");
                } else {
                    w.key("media_type").str(media_type);
                }
                w.key("data").share_str(data);
            }
            Source::File(id) => {
                w.key("type").text("file");
                w.key("file_id").str(id);
            }
            Source::Parts(parts) => {
                w.key("type").text("content");
                let parts: Vec<_> = parts.iter().filter(|part| !is_blank(part)).collect();
                self.content(&parts, Manner::default(), w.key("content"));
            }
            Source::Text(text) => {
                w.key("type").text("text");
                w.key("media_type").text("text/plain");
                w.key("data").share_str(text);
            }
            Source::Url(url) => {
                w.key("type").text("url");
                w.key("url").str(url);
            }
        }
        w.close_object();
    }
}

/// Writes a text. White space at the end of what the assistant shall continue is refused.
fn words<'a>(text: &'a Str<'_>, manner: Manner, w: &mut Writer<'_, 'a>) {
    if manner.own && manner.last { w.text(text.to_text().trim_end()) } else { w.share_str(text) }
}

/// Writes the arguments of a call, which Anthropic takes as an object.
pub(in crate::wire) fn input(arguments: &Str<'_>, w: &mut Writer<'_, '_>) {
    let text = arguments.to_text();
    let text = text.trim();
    if text.is_empty() {
        return w.raw("{}");
    }
    match Doc::strict(text.as_bytes()) {
        Ok(doc) if doc.root().kind() == Kind::Object => w.raw(text),
        // What the model wrote wrong stays to be seen by it.
        _ => w.object(|w| w.key("raw_arguments").str(arguments)),
    }
}

/// The text of a document that came as base64: Anthropic takes no base64 but PDF's.
pub(in crate::wire) fn plain(source: &Source<'_>) -> Option<String> {
    let Source::Base64 { media_type, data } = source else { return None };
    let media_type = media_type.to_text();
    let is_text = media_type.starts_with("text/") || media_type == "application/json";
    let bytes = is_text.then(|| STANDARD.decode(&*data.to_text()).ok())??;
    String::from_utf8(bytes).ok()
}

/// The cache mark of a part; a thought can have none.
pub(super) fn mark<'a>(part: &Part<'a>) -> Option<&'a str> {
    match part.content {
        Content::Native { .. } | Content::Reasoning { .. } | Content::RedactedReasoning { .. } => None,
        _ => part.cache,
    }
}
