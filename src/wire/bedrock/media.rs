//! Pictures, documents, films and sound: their formats, and where they are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::call::{Content, Part, Source};
use crate::error::{Error, shorten};
use crate::json::{Str, Writer};

/// What a block of media is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The member of a content block: `image`, `document`, …
    pub member: &'static str,
    /// Converse's word for the format.
    pub format: &'static str,
}

const DOCUMENT: &str = "document";
const IMAGE: &str = "image";

/// Media types, by which clients tell the format.
const TYPES: &[(&str, &str, &str)] = &[
    ("application/json", DOCUMENT, "txt"),
    ("application/msword", DOCUMENT, "doc"),
    ("application/pdf", DOCUMENT, "pdf"),
    ("application/vnd.ms-excel", DOCUMENT, "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", DOCUMENT, "xlsx"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", DOCUMENT, "docx"),
    ("audio/aac", "audio", "aac"),
    ("audio/flac", "audio", "flac"),
    ("audio/mp4", "audio", "m4a"),
    ("audio/mpeg", "audio", "mp3"),
    ("audio/ogg", "audio", "ogg"),
    ("audio/opus", "audio", "opus"),
    ("audio/wav", "audio", "wav"),
    ("audio/webm", "audio", "webm"),
    ("image/gif", IMAGE, "gif"),
    ("image/jpeg", IMAGE, "jpeg"),
    ("image/jpg", IMAGE, "jpeg"),
    ("image/png", IMAGE, "png"),
    ("image/webp", IMAGE, "webp"),
    ("text/csv", DOCUMENT, "csv"),
    ("text/html", DOCUMENT, "html"),
    ("text/markdown", DOCUMENT, "md"),
    ("text/plain", DOCUMENT, "txt"),
    ("video/3gpp", "video", "three_gp"),
    ("video/mp4", "video", "mp4"),
    ("video/mpeg", "video", "mpeg"),
    ("video/quicktime", "video", "mov"),
    ("video/webm", "video", "webm"),
    ("video/x-flv", "video", "flv"),
    ("video/x-matroska", "video", "mkv"),
    ("video/x-ms-wmv", "video", "wmv"),
];

/// Ends of names that differ from the formats they stand for.
const ENDS: &[(&str, &str)] = &[("3gp", "three_gp"), ("htm", "html"), ("jpg", "jpeg"), ("mpg", "mpeg")];

/// Formats of sound, as the client's word for them is Converse's.
const SOUNDS: &[&str] =
    &["aac", "flac", "m4a", "mka", "mkv", "mp3", "mp4", "mpeg", "mpga", "ogg", "opus", "pcm", "wav", "webm", "x-aac"];

/// Where media are.
#[derive(Debug)]
pub(super) enum Place<'a> {
    /// Base64.
    Bytes(&'a Str<'a>),
    /// In Amazon S3.
    S3(&'a Str<'a>),
    /// Text that is to be base64.
    Text(String),
}

/// What the media at `source` are, and where.
pub(super) fn read<'a>(source: &'a Source<'a>) -> Result<(Kind, Place<'a>), Error> {
    match source {
        Source::Base64 { media_type, data } => {
            let named = media_type.to_text().to_ascii_lowercase();
            let named = named.split(';').next().unwrap_or_default();
            let kind = of_type(named).ok_or_else(|| {
                Error::invalid(format!(
                    "the upstream reads pictures, films, sound, PDF, Office documents and text, not `{}`",
                    shorten(named)
                ))
            })?;
            Ok((kind, Place::Bytes(data)))
        }
        Source::File(_) => {
            Err(Error::invalid("the upstream has no files by an id; send the bytes or an `s3://` address"))
        }
        Source::Parts(parts) => Ok((TEXT, Place::Text(joined(parts)?))),
        Source::Text(text) => Ok((TEXT, Place::Text(text.to_text().into_owned()))),
        Source::Url(url) => {
            let text = url.to_text();
            if !text.starts_with("s3://") {
                let message = "the upstream fetches nothing from the web; send the bytes or an `s3://` address";
                return Err(Error::invalid(message));
            }
            let kind = of_name(&text)
                .ok_or_else(|| Error::invalid("an `s3://` address must end in its format, such as `.png` or `.pdf`"))?;
            Ok((kind, Place::S3(url)))
        }
    }
}

const TEXT: Kind = Kind { member: DOCUMENT, format: "txt" };

/// The texts that make up a document.
fn joined(parts: &[Part<'_>]) -> Result<String, Error> {
    let mut text = String::new();
    for part in parts {
        match &part.content {
            Content::Refusal(piece) | Content::Text { text: piece, .. } => {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&piece.to_text());
            }
            _ => return Err(Error::invalid("the upstream takes nothing but text inside of a document")),
        }
    }
    Ok(text)
}

fn of_type(media_type: &str) -> Option<Kind> {
    let found = TYPES.iter().find(|(name, ..)| *name == media_type);
    let known = found.map(|&(_, member, format)| Kind { member, format });
    known.or_else(|| media_type.starts_with("text/").then_some(TEXT))
}

fn of_name(url: &str) -> Option<Kind> {
    let end = url.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    let format = ENDS.iter().find(|(name, _)| *name == end).map_or(end.as_str(), |(_, format)| format);
    TYPES.iter().find(|(.., name)| *name == format).map(|&(_, member, format)| Kind { member, format })
}

/// Converse's word for a format of sound.
pub(super) fn sound(format: &Str<'_>) -> Result<&'static str, Error> {
    let word = format.to_text();
    SOUNDS.iter().find(|known| **known == word).copied().ok_or_else(|| {
        Error::invalid(format!("the upstream hears no `{}`; expected one of {}", shorten(&word), SOUNDS.join(", ")))
    })
}

impl<'a> Place<'a> {
    /// Writes the source.
    pub fn write(&self, w: &mut Writer<'_, 'a>) {
        w.open_object();
        match self {
            Self::Bytes(data) => w.key("bytes").share_str(data),
            Self::S3(url) => w.key("s3Location").object(|w| w.key("uri").str(url)),
            Self::Text(text) => w.key("bytes").text(&STANDARD.encode(text)),
        }
        w.close_object();
    }
}

/// Names of documents, which must differ, and may hold ASCII letters, digits, single spaces, `-`, `(`, `)`, `[` and `]`.
#[derive(Debug, Default)]
pub(super) struct Titles(Vec<String>);

impl Titles {
    /// The name for a document of that title.
    pub fn take(&mut self, title: Option<&Str<'_>>) -> String {
        const LONGEST: usize = 180;
        let title = title.map(Str::to_text).unwrap_or_default();
        let stem = title.rsplit_once('.').map_or(&*title, |(stem, end)| if end.len() <= 5 { stem } else { &title });
        let plain: String = stem
            .chars()
            .filter_map(|c| match c {
                '-' | '(' | ')' | '[' | ']' => Some(c),
                '_' => Some('-'),
                c if c.is_ascii_alphanumeric() => Some(c),
                c if c.is_whitespace() => Some(' '),
                _ => None,
            })
            .take(LONGEST)
            .collect();
        let plain = plain.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let plain = if plain.is_empty() { "Document".to_owned() } else { plain };
        let mut name = plain.clone();
        let mut number = 1_u64;
        while self.0.contains(&name) {
            number = number.saturating_add(1);
            name = format!("{plain} ({number})");
        }
        self.0.push(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn names_of_documents_are_plain_and_differ() {
        let mut titles = Titles::default();
        let mut take = |title: &'static str| titles.take(Some(&Str::plain(title)));
        for (title, name) in [
            ("invoice.pdf", "invoice"),
            ("invoice.pdf", "invoice (2)"),
            ("John's  report #1.final.docx", "Johns report 1final"),
            ("a&b_c", "ab-c"),
            ("résumé", "rsum"),
            ("분기보고서.pdf", "Document"),
            ("", "Document (2)"),
            ("v2.0 of the plan", "v20 of the plan"),
            ("tabs\tand\nlines [x] (y)", "tabs and lines [x] (y)"),
        ] {
            assert_eq!(take(title), name, "{title}");
        }
        assert!(titles.take(Some(&Str::plain("a".repeat(300)))).len() <= 200);
        assert_eq!(titles.take(None), "Document (3)");
    }

    #[test]
    fn formats_are_found() {
        let kind = |member, format| Some(Kind { member, format });
        assert_eq!(of_type("image/jpg"), kind("image", "jpeg"));
        assert_eq!(of_type("text/x-python"), kind("document", "txt"));
        assert_eq!(of_type("image/tiff"), None);
        assert_eq!(of_name("s3://bucket/a.b/film.3GP"), kind("video", "three_gp"));
        assert_eq!(of_name("s3://bucket/photo.jpg"), kind("image", "jpeg"));
        assert_eq!(of_name("s3://bucket.png/photo"), None);
    }
}
