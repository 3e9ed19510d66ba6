//! Writing the conversation.
//!
//! What differs from formats whose messages are made of blocks: results of tools are messages of their own, of text
//! alone, right after the calls; and a message of nothing but text is sent as one string, its parts apart by a blank
//! line, since many servers take no array there.

use super::LONGEST_ID;
use crate::call::{Content, Document, Message, Part, Role, Source};
use crate::error::{Error, shorten};
use crate::format::Format;
use crate::json::{Doc, Pieces, Str, Writer};
use crate::wire::Dropped;
use crate::wire::names::{self, Names};

/// What stands between two texts that become one.
const BLANK_LINE: &str = "\n\n";

/// A part of a user's message, as it is written.
enum Piece<'a> {
    Audio {
        data: &'a Str<'a>,
        format: &'a Str<'a>,
    },
    File {
        title: Option<&'a Str<'a>>,
        media_type: &'a Str<'a>,
        data: &'a Str<'a>,
    },
    FileId(&'a Str<'a>),
    Image {
        source: &'a Source<'a>,
        detail: Option<&'a Str<'a>>,
    },
    Native(&'a str),
    /// Says of which call's result the next pieces are.
    Origin(Str<'a>),
    Text(&'a Str<'a>),
    Video(&'a Source<'a>),
}

/// A conversation that is being written.
pub(super) struct Conversation<'c, 'w, 'a> {
    pub(super) w: &'c mut Writer<'w, 'a>,
    pub(super) names: &'c mut Names,
    pub(super) dropped: &'c mut Dropped,
    /// The client's format.
    pub(super) format: Option<Format>,
    /// See [`Target::takes_thought`](crate::wire::Target::takes_thought).
    pub(super) takes_thought: bool,
}

impl<'a> Conversation<'_, '_, 'a> {
    pub(super) fn write(&mut self, messages: &'a [Message<'a>]) -> Result<(), Error> {
        self.check(messages)?;
        let user = |message: &Message<'_>| message.role == Role::User;
        for run in messages.chunk_by(|a, b| user(a) && user(b)) {
            match run {
                [message] if message.role == Role::Assistant => self.assistant(message),
                [message] if message.role == Role::Developer => self.operator("developer", message)?,
                [message] if message.role == Role::System => self.operator("system", message)?,
                run => self.user(run)?,
            }
        }
        Ok(())
    }

    /// Refuses what the user or a tool says and the format cannot: nothing of it may vanish.
    fn check(&self, messages: &[Message<'_>]) -> Result<(), Error> {
        // Clients of Anthropic's format say this beside the conversation.
        let beside = self.format == Some(Format::Messages) && messages.first().is_some_and(|m| m.role == Role::System);
        for (index, message) in messages.iter().enumerate().filter(|(_, message)| message.role == Role::User) {
            for (at, part) in message.parts.iter().enumerate() {
                let index = index.saturating_sub(beside.into());
                let place = |error: Error| error.at_index(at).at("content").at_index(index).at("messages");
                said(part, self.format).map_err(place)?;
            }
        }
        Ok(())
    }

    fn operator(&mut self, role: &str, message: &'a Message<'a>) -> Result<(), Error> {
        let mut pieces = Vec::new();
        self.pieces(&message.parts, &mut pieces)?;
        if pieces.iter().any(|piece| !piece.is_text()) {
            self.dropped.note("content.system")?;
        }
        pieces.retain(Piece::is_text);
        if !pieces.is_empty() {
            self.message(role, message.name.as_ref(), &pieces);
        }
        Ok(())
    }

    /// Writes messages of the user that follow each other. All results in them come first, as a call without one right
    /// behind it is refused.
    fn user(&mut self, run: &'a [Message<'a>]) -> Result<(), Error> {
        let mut waiting = Vec::new();
        for part in run.iter().flat_map(|message| &message.parts) {
            if let Content::ToolResult { id, parts, is_error } = &part.content {
                self.result(id, parts, *is_error, &mut waiting)?;
            }
        }
        for message in run {
            let before = waiting.len();
            self.pieces(&message.parts, &mut waiting)?;
            // Pictures of results alone wait for a message that they can be part of.
            if waiting.len() > before || message.parts.is_empty() {
                self.message("user", message.name.as_ref(), &waiting);
                waiting.clear();
            }
        }
        if !waiting.is_empty() {
            self.message("user", None, &waiting);
        }
        Ok(())
    }

    fn message(&mut self, role: &str, name: Option<&Str<'_>>, pieces: &[Piece<'a>]) {
        self.w.object(|w| {
            w.key("role").text(role);
            if let Some(name) = name {
                w.key("name").str(name);
            }
            w.key("content");
            if pieces.iter().all(Piece::is_text) {
                w.string(|s| joined(s, pieces.iter().filter_map(Piece::text)));
            } else {
                w.array(|w| pieces.iter().for_each(|piece| piece.write(w)));
            }
        });
    }

    /// Writes the text of a result; what else is in it goes to `waiting`.
    fn result(
        &mut self,
        id: &'a Str<'a>,
        parts: &'a [Part<'a>],
        is_error: bool,
        waiting: &mut Vec<Piece<'a>>,
    ) -> Result<(), Error> {
        let id = call_id(id);
        let mut pieces = Vec::new();
        self.pieces(parts, &mut pieces)?;
        let (texts, others): (Vec<_>, Vec<_>) = pieces.into_iter().partition(Piece::is_text);
        self.w.object(|w| {
            w.key("role").text("tool");
            w.key("tool_call_id").str(&id);
            w.key("content").string(|s| {
                // The format has no field for it.
                if is_error && !texts.first().and_then(Piece::text).is_some_and(tells_error) {
                    s.text("Error: ");
                }
                joined(s, texts.iter().filter_map(Piece::text));
                if !others.is_empty() {
                    s.text(if texts.is_empty() { "" } else { BLANK_LINE });
                    s.text("[The next user message shows the rest of this result.]");
                }
            });
        });
        if !others.is_empty() {
            waiting.push(Piece::Origin(id));
            waiting.extend(others);
        }
        Ok(())
    }

    fn pieces(&mut self, parts: &'a [Part<'a>], out: &mut Vec<Piece<'a>>) -> Result<(), Error> {
        for part in parts {
            match &part.content {
                Content::Audio { data, format } => out.push(Piece::Audio { data, format }),
                Content::Document(document) => self.document(document, out)?,
                Content::Image { source, detail } => out.push(Piece::Image { source, detail: detail.as_ref() }),
                Content::Native { format: Format::Chat, raw } => out.push(Piece::Native(raw)),
                Content::Native { raw, .. } => self.dropped.note(kind(raw))?,
                Content::Reasoning { .. } | Content::RedactedReasoning { .. } => self.dropped.forget("reasoning"),
                Content::Refusal(text) | Content::Text { text, .. } => out.push(Piece::Text(text)),
                Content::ToolCall { .. } => self.dropped.forget("content.tool_call"),
                // Written before the rest.
                Content::ToolResult { .. } => {}
                Content::Video(source) => out.push(Piece::Video(source)),
            }
        }
        Ok(())
    }

    fn document(&mut self, document: &'a Document<'a>, out: &mut Vec<Piece<'a>>) -> Result<(), Error> {
        let title = document.title.as_ref();
        if document.citations.is_some_and(cites) {
            self.dropped.note("content.document.citations")?;
        }
        match &document.source {
            Source::Base64 { media_type, data } => out.push(Piece::File { title, media_type, data }),
            Source::File(id) => out.push(Piece::FileId(id)),
            // Does not pass `check`.
            Source::Url(_) => {}
            Source::Parts(parts) => {
                out.extend(title.map(Piece::Text));
                self.pieces(parts, out)?;
            }
            Source::Text(text) => {
                out.extend(title.map(Piece::Text));
                out.push(Piece::Text(text));
            }
        }
        out.extend(document.context.as_ref().map(Piece::Text));
        Ok(())
    }

    fn assistant(&mut self, message: &'a Message<'a>) {
        let mut turn = Turn::default();
        for part in &message.parts {
            let before = turn.adjacent;
            turn.adjacent = false;
            match &part.content {
                Content::Refusal(text) => turn.refusal.push(text),
                Content::Text { text, .. } => {
                    turn.text.push((before, text));
                    turn.adjacent = true;
                }
                Content::ToolCall { id, name, arguments } => {
                    turn.calls.push((call_id(id), self.names.encode(name), arguments));
                }
                Content::Reasoning { text, format: None | Some(Format::Chat), .. } if self.takes_thought => {
                    turn.reasoning.push(text);
                }
                Content::Reasoning { .. } | Content::RedactedReasoning { .. } => self.dropped.forget("reasoning"),
                // Nobody but the provider that made these knows them: never the client's fault.
                Content::Native { raw, .. } => self.dropped.forget(kind(raw)),
                Content::Audio { .. } => self.dropped.forget("content.audio"),
                Content::Document(_) => self.dropped.forget("content.document"),
                Content::Image { .. } => self.dropped.forget("content.image"),
                Content::ToolResult { .. } => self.dropped.forget("content.tool_result"),
                Content::Video(_) => self.dropped.forget("content.video"),
            }
        }
        if !turn.is_empty() || message.parts.is_empty() {
            turn.write(self.w, message.name.as_ref(), self.takes_thought);
        }
    }
}

/// Whether the format can say a part of the user's.
fn said(part: &Part<'_>, format: Option<Format>) -> Result<(), Error> {
    match &part.content {
        Content::Document(Document { source: Source::Url(_), .. }) => {
            Err(Error::invalid("the upstream takes documents inside of the request, not at an address"))
        }
        Content::Document(Document { source: Source::File(_), .. })
        | Content::Image { source: Source::File(_), .. }
            if format != Some(Format::Chat) =>
        {
            Err(Error::invalid("the upstream does not have files that were uploaded to another provider"))
        }
        Content::Native { format: Format::Chat, .. } => Ok(()),
        Content::Native { raw, .. } => {
            let kind = kind(raw);
            let kind = kind.strip_prefix("content.").unwrap_or_default();
            Err(Error::invalid(format!("the upstream does not know parts of the type `{}`", shorten(kind))))
        }
        Content::Document(Document { source: Source::Parts(parts), .. }) | Content::ToolResult { parts, .. } => {
            let place = |(at, part)| said(part, format).map_err(|error: Error| error.at_index(at).at("content"));
            parts.iter().enumerate().try_for_each(place)
        }
        _ => Ok(()),
    }
}

/// What an assistant's message is made of.
#[derive(Default)]
struct Turn<'a> {
    /// Texts, and whether each continues the one before. Some formats cut a sentence into several.
    text: Vec<(bool, &'a Str<'a>)>,
    /// Whether the part before was text.
    adjacent: bool,
    refusal: Vec<&'a Str<'a>>,
    reasoning: Vec<&'a Str<'a>>,
    /// Id, name and arguments.
    calls: Vec<(Str<'a>, Str<'a>, &'a Str<'a>)>,
}

impl<'a> Turn<'a> {
    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.refusal.is_empty() && self.calls.is_empty()
    }

    fn write(&self, w: &mut Writer<'_, 'a>, name: Option<&Str<'_>>, takes_thought: bool) {
        w.object(|w| {
            w.key("role").text("assistant");
            if let Some(name) = name {
                w.key("name").str(name);
            }
            w.key("content");
            let other = !self.refusal.is_empty() || !self.calls.is_empty();
            if other && self.text.iter().all(|(_, text)| text.is_empty()) {
                w.null();
            } else {
                w.string(|s| {
                    for (index, (continues, text)) in self.text.iter().enumerate() {
                        if index > 0 && !continues {
                            s.text(BLANK_LINE);
                        }
                        s.share(text);
                    }
                });
            }
            if !self.refusal.is_empty() {
                w.key("refusal").string(|s| joined(s, self.refusal.iter().copied()));
            }
            // DeepSeek refuses a call whose message lacks the field, and takes an empty one.
            if takes_thought && (!self.reasoning.is_empty() || !self.calls.is_empty()) {
                w.key("reasoning_content").string(|s| joined(s, self.reasoning.iter().copied()));
            }
            if !self.calls.is_empty() {
                w.key("tool_calls").array(|w| self.calls.iter().for_each(|call| write_call(w, call)));
            }
        });
    }
}

fn write_call<'a>(w: &mut Writer<'_, 'a>, (id, name, arguments): &(Str<'a>, Str<'a>, &'a Str<'a>)) {
    w.object(|w| {
        w.key("id").str(id);
        w.key("type").text("function");
        w.key("function").object(|w| {
            w.key("name").str(name);
            w.key("arguments");
            if arguments.is_empty() { w.text("{}") } else { w.share_str(arguments) }
        });
    });
}

impl<'a> Piece<'a> {
    fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    fn text(&self) -> Option<&'a Str<'a>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn write(&self, w: &mut Writer<'_, 'a>) {
        if let Self::Native(raw) = self {
            return w.share_raw(raw);
        }
        w.object(|w| match self {
            Self::Audio { data, format } => {
                w.key("type").text("input_audio");
                w.key("input_audio").object(|w| {
                    w.key("data").share_str(data);
                    w.key("format").str(format);
                });
            }
            Self::File { title, media_type, data } => {
                let pdf = **media_type == "application/pdf";
                w.key("type").text("file");
                w.key("file").object(|w| {
                    match title {
                        Some(title) => w.key("filename").str(title),
                        None => w.key("filename").text(if pdf { "document.pdf" } else { "document" }),
                    }
                    w.key("file_data").string(|s| data_url(s, media_type, data));
                });
            }
            Self::FileId(id) => {
                w.key("type").text("file");
                w.key("file").object(|w| w.key("file_id").str(id));
            }
            Self::Image { source, detail } => {
                w.key("type").text("image_url");
                w.key("image_url").object(|w| {
                    w.key("url").string(|s| image_url(s, source));
                    if let Some(detail) = detail {
                        w.key("detail").str(detail);
                    }
                });
            }
            Self::Origin(id) => {
                w.key("type").text("text");
                w.key("text").string(|s| {
                    s.text("From the result of tool call ");
                    s.str(id);
                    s.text(":");
                });
            }
            Self::Text(text) => {
                w.key("type").text("text");
                w.key("text").share_str(text);
            }
            Self::Video(source) => {
                w.key("type").text("video_url");
                w.key("video_url").object(|w| w.key("url").string(|s| image_url(s, source)));
            }
            Self::Native(_) => {}
        });
    }
}

pub(in crate::wire) fn image_url<'a>(s: &mut Pieces<'_, 'a>, source: &'a Source<'a>) {
    match source {
        Source::Base64 { media_type, data } => data_url(s, media_type, data),
        Source::File(url) | Source::Text(url) | Source::Url(url) => s.share(url),
        Source::Parts(_) => {}
    }
}

pub(in crate::wire) fn data_url<'a>(s: &mut Pieces<'_, 'a>, media_type: &Str<'_>, data: &'a Str<'a>) {
    s.text("data:");
    s.str(media_type);
    s.text(";base64,");
    s.share(data);
}

/// Texts as one, apart by a blank line.
pub(in crate::wire) fn joined<'a>(s: &mut Pieces<'_, 'a>, texts: impl Iterator<Item = &'a Str<'a>>) {
    for (index, text) in texts.filter(|text| !text.is_empty()).enumerate() {
        if index > 0 {
            s.text(BLANK_LINE);
        }
        s.share(text);
    }
}

/// Some ids carry what another provider wants back, and are longer than OpenAI takes.
fn call_id<'a>(id: &'a Str<'a>) -> Str<'a> {
    if id.to_text().len() > LONGEST_ID { names::tool_id(id, LONGEST_ID) } else { id.reborrow() }
}

/// Whether a tool's answer says by itself that the tool failed.
pub(in crate::wire) fn tells_error(text: &Str<'_>) -> bool {
    let start: String = text.to_text().chars().take(24).collect();
    start.to_ascii_lowercase().contains("error")
}

/// Whether a raw `citations` object asks for any.
pub(in crate::wire) fn cites(raw: &str) -> bool {
    Doc::lenient(raw.as_bytes()).is_ok_and(|doc| doc.root().get("enabled").is_some_and(|on| on.raw() == "true"))
}

/// What a native part calls itself, for the report.
fn kind(raw: &str) -> String {
    let doc = Doc::lenient(raw.as_bytes()).ok();
    let kind = doc.as_ref().and_then(|doc| doc.root().get("type")).and_then(|kind| kind.text());
    format!("content.{}", kind.as_deref().unwrap_or("unknown"))
}
