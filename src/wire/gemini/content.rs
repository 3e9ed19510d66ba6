//! [Parts](https://ai.google.dev/api/caching#Part): what is said in a turn.

use super::models::Model;
use crate::call::{Content, Document, Part, Source};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Doc, Kind, Str, Writer};
use crate::wire::Dropped;
use crate::wire::names::Names;

/// Stands where a conversation needs a user's turn and has none; an empty text is refused.
const NOTHING: &str = ".";

/// Stands for the signature of a call that another model made, or whose own is lost: [Google does not check
/// it](https://ai.google.dev/gemini-api/docs/thought-signatures#faqs).
pub const UNSIGNED: &str = "skip_thought_signature_validator";

/// What stands between two texts that become one.
const BLANK_LINE: &str = "\n\n";

/// Where the files are that were uploaded.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/";

/// What the result of a call may hold beside text.
const IN_RESULTS: &[&str] = &["application/pdf", "image/jpeg", "image/png", "image/webp"];

/// Types of files, by the ends of their names.
const TYPES: &[(&str, &str)] = &[
    ("3gp", "video/3gpp"),
    ("aac", "audio/aac"),
    ("avi", "video/avi"),
    ("csv", "text/csv"),
    ("flac", "audio/flac"),
    ("flv", "video/x-flv"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("m4a", "audio/m4a"),
    ("md", "text/markdown"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mp3"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("ogg", "audio/ogg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("txt", "text/plain"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("wmv", "video/wmv"),
    ("xml", "text/xml"),
];

/// For whom parts are written.
#[derive(Clone, Copy)]
pub(super) struct Manner<'m> {
    pub model: &'m Model,
    pub format: Format,
}

/// A part, as it is written.
pub(super) enum Piece<'a> {
    Call {
        id: &'a Str<'a>,
        name: &'a Str<'a>,
        arguments: &'a Str<'a>,
        signature: Option<&'a Str<'a>>,
    },
    Data {
        media_type: Str<'a>,
        data: &'a Str<'a>,
        signature: Option<&'a Str<'a>>,
    },
    File {
        media_type: Option<&'static str>,
        /// What stands before `uri`.
        base: &'static str,
        uri: &'a Str<'a>,
    },
    Native(&'a str),
    /// See [`NOTHING`].
    Nothing,
    /// Says of which tool's result the next pieces are.
    Origin(&'a Str<'a>),
    Result {
        id: &'a Str<'a>,
        name: &'a Str<'a>,
        texts: Vec<&'a Str<'a>>,
        media: Vec<Piece<'a>>,
        is_error: bool,
    },
    /// The signature of nothing that is left.
    Signature(&'a Str<'a>),
    Text(&'a Str<'a>, Option<&'a Str<'a>>),
    /// Thought and its signature.
    Thought(&'a Str<'a>, &'a Str<'a>),
}

/// Reads the result of a call; what cannot stand in it goes to `waiting`.
pub(super) fn result<'a>(
    id: &'a Str<'a>,
    name: &'a Str<'a>,
    parts: &'a [Part<'a>],
    is_error: bool,
    manner: Manner<'_>,
    dropped: &mut Dropped,
    waiting: &mut Vec<Piece<'a>>,
) -> Result<Piece<'a>, Error> {
    let mut pieces = Vec::new();
    for (part, index) in parts.iter().zip(0..) {
        said(part, manner, dropped, &mut pieces).map_err(|e| e.at_index(index).at("content"))?;
    }
    let (mut texts, mut media, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for piece in pieces {
        match piece {
            Piece::Text(text, _) => texts.push(text),
            Piece::Data { ref media_type, .. }
                if manner.model.signs && IN_RESULTS.iter().any(|known| *media_type == **known) =>
            {
                media.push(piece);
            }
            piece => others.push(piece),
        }
    }
    if !others.is_empty() {
        waiting.push(Piece::Origin(name));
        waiting.append(&mut others);
    }
    Ok(Piece::Result { id, name, texts, media, is_error })
}

/// Reads what is neither a call, nor a result, nor thought.
pub(super) fn said<'a>(
    part: &'a Part<'a>,
    manner: Manner<'_>,
    dropped: &mut Dropped,
    out: &mut Vec<Piece<'a>>,
) -> Result<(), Error> {
    match &part.content {
        Content::Audio { data, format } => {
            let media_type = Str::plain(format!("audio/{}", format.to_text()));
            out.push(Piece::Data { media_type, data, signature: None });
        }
        Content::Document(document) => self::document(document, manner, dropped, out)?,
        Content::Image { source, detail } => {
            if detail.as_ref().is_some_and(|detail| *detail != "auto") {
                dropped.forget("detail");
            }
            match source {
                Source::Parts(_) | Source::Text(_) => {
                    return Err(Error::invalid("an image is base64, a url or a file"));
                }
                source => out.extend(self::source(source, "image/jpeg", manner)?),
            }
        }
        Content::Native { format: Format::Gemini | Format::Vertex, raw } => out.push(Piece::Native(raw)),
        Content::Native { .. } => return Err(Error::invalid("the upstream does not know this kind of part")),
        Content::Refusal(text) | Content::Text { text, .. } if text.is_empty() => {}
        Content::Refusal(text) | Content::Text { text, .. } => out.push(Piece::Text(text, None)),
        Content::Reasoning { .. } | Content::RedactedReasoning { .. } => dropped.forget("reasoning"),
        Content::ToolCall { .. } => dropped.forget("content.tool_call"),
        // Written before the rest.
        Content::ToolResult { .. } => {}
        Content::Video(source) => out.extend(self::source(source, "video/mp4", manner)?),
    }
    Ok(())
}

fn document<'a>(
    document: &'a Document<'a>,
    manner: Manner<'_>,
    dropped: &mut Dropped,
    out: &mut Vec<Piece<'a>>,
) -> Result<(), Error> {
    let cites = |raw: &str| {
        Doc::lenient(raw.as_bytes()).is_ok_and(|doc| doc.root().get("enabled").is_some_and(|on| on.raw() == "true"))
    };
    if document.citations.is_some_and(cites) {
        dropped.note("content.document.citations")?;
    }
    let mut text = |text: &'a Str<'a>| {
        if !text.is_empty() {
            out.push(Piece::Text(text, None));
        }
    };
    match &document.source {
        Source::Parts(parts) => {
            document.title.as_ref().map(&mut text);
            for (part, index) in parts.iter().zip(0..) {
                said(part, manner, dropped, out).map_err(|e| e.at_index(index).at("source"))?;
            }
        }
        Source::Text(content) => {
            document.title.as_ref().map(&mut text);
            text(content);
        }
        source => {
            if document.title.is_some() {
                dropped.forget("title");
            }
            out.extend(self::source(source, "application/pdf", manner)?);
        }
    }
    if let Some(context) = document.context.as_ref().filter(|context| !context.is_empty()) {
        out.push(Piece::Text(context, None));
    }
    Ok(())
}

/// Bytes, or the address of them; `usual` is the type of what has none in its name.
fn source<'a>(source: &'a Source<'a>, usual: &'static str, manner: Manner<'_>) -> Result<Option<Piece<'a>>, Error> {
    let (base, uri) = match source {
        Source::Base64 { media_type, data } => {
            let media_type = if *media_type == "image/jpg" { "image/jpeg".into() } else { media_type.reborrow() };
            return Ok(Some(Piece::Data { media_type, data, signature: None }));
        }
        Source::File(id) if manner.format == Format::Gemini && id.strip_prefix("files/").is_some() => (FILES, id),
        Source::File(_) => {
            let message = "the upstream knows files by their address, `https://…` or `gs://…`, not by an id";
            return Err(Error::invalid(message));
        }
        Source::Url(url) => {
            let known = ["https://", "gs://"].iter().any(|scheme| url.strip_prefix(scheme).is_some());
            if !known {
                let message = "the upstream reads `https` and `gs` addresses; send the bytes of others";
                return Err(Error::invalid(message));
            }
            ("", url)
        }
        Source::Parts(_) | Source::Text(_) => return Ok(None),
    };
    // Only Google Cloud must be told a type.
    let media_type = media_type(&uri.to_text()).or((manner.format == Format::Vertex).then_some(usual));
    Ok(Some(Piece::File { media_type, base, uri }))
}

/// The type that an address tells.
fn media_type(url: &str) -> Option<&'static str> {
    if ["https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/"]
        .iter()
        .any(|site| url.starts_with(site))
    {
        return Some("video/mp4");
    }
    let path = url.split(['?', '#']).next()?;
    let end = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    TYPES.iter().find(|(name, _)| *name == end).map(|(_, media_type)| *media_type)
}

impl<'a> Piece<'a> {
    /// Writes a part. `first`: a call that must be signed. `ids`: the model knows ids of calls.
    pub fn write(&self, first: bool, ids: bool, names: &mut Names, w: &mut Writer<'_, 'a>) {
        match self {
            Self::Call { id, name, arguments, signature } => w.object(|w| {
                w.key("functionCall").object(|w| {
                    if ids {
                        w.key("id").str(id);
                    }
                    w.key("name").str(&names.encode(name));
                    args(arguments, w.key("args"));
                });
                match signature {
                    Some(signature) => w.key("thoughtSignature").share_str(signature),
                    None if first => w.key("thoughtSignature").text(UNSIGNED),
                    None => {}
                }
            }),
            Self::Result { id, name, texts, media, is_error } => w.object(|w| {
                w.key("functionResponse").object(|w| {
                    if ids {
                        w.key("id").str(id);
                    }
                    w.key("name").str(&names.encode(name));
                    w.key("response").object(|w| {
                        w.key(if *is_error { "error" } else { "output" }).string(|s| {
                            for (text, index) in texts.iter().zip(0..) {
                                s.text(if index > 0 { BLANK_LINE } else { "" });
                                s.share(text);
                            }
                        });
                    });
                    if !media.is_empty() {
                        w.key("parts").array(|w| media.iter().for_each(|piece| piece.write_plain(w)));
                    }
                });
            }),
            _ => self.write_plain(w),
        }
    }

    /// Writes a part that is neither a call nor a result.
    pub fn write_plain(&self, w: &mut Writer<'_, 'a>) {
        if let Self::Native(raw) = self {
            return w.share_raw(raw);
        }
        w.open_object();
        let mut signed = None;
        match self {
            Self::Data { media_type, data, signature } => {
                w.key("inlineData").object(|w| {
                    w.key("mimeType").str(media_type);
                    w.key("data").share_str(data);
                });
                signed = *signature;
            }
            Self::File { media_type, base, uri } => w.key("fileData").object(|w| {
                if let Some(media_type) = media_type {
                    w.key("mimeType").text(media_type);
                }
                w.key("fileUri").concat(&[(*base).into(), uri.reborrow()]);
            }),
            Self::Nothing => w.key("text").text(NOTHING),
            Self::Origin(name) => w.key("text").concat(&["From the result of ".into(), name.reborrow(), ":".into()]),
            Self::Signature(signature) => {
                w.key("text").text("");
                signed = Some(*signature);
            }
            Self::Text(text, signature) => {
                w.key("text").share_str(text);
                signed = *signature;
            }
            Self::Thought(text, signature) => {
                w.key("text").share_str(text);
                w.key("thought").bool(true);
                signed = Some(*signature);
            }
            Self::Call { .. } | Self::Native(_) | Self::Result { .. } => {}
        }
        if let Some(signature) = signed {
            w.key("thoughtSignature").share_str(signature);
        }
        w.close_object();
    }
}

/// Writes the arguments of a call, which are an object.
fn args(arguments: &Str<'_>, w: &mut Writer<'_, '_>) {
    let text = arguments.to_text();
    let text = text.trim();
    match Doc::lenient(text.as_bytes()) {
        _ if text.is_empty() => w.raw("{}"),
        Ok(doc) if doc.root().kind() == Kind::Object => w.raw(text),
        // What the model wrote wrong stays to be seen by it.
        _ => w.object(|w| w.key("raw_arguments").str(arguments)),
    }
}
