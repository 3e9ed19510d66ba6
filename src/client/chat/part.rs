//! The content of a message: a string, or parts.

use super::super::fields::{object, optional, raw_object, required, string, wrong};
use crate::call::{Content, Document, Part, Source};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Kind, Node, Str};
use crate::replay;

/// Reads `content`.
pub(super) fn content<'a>(value: Node<'a>, out: &mut Vec<Part<'a>>) -> Result<(), Error> {
    if let Some(text) = value.str() {
        out.push(Content::text(text).into());
        return Ok(());
    }
    if value.kind() != Kind::Array {
        return Err(wrong(value, "a string or an array of parts"));
    }
    for (at, value) in value.items().enumerate() {
        out.push(part(value).map_err(|e| e.at_index(at))?);
    }
    Ok(())
}

fn part(value: Node<'_>) -> Result<Part<'_>, Error> {
    let kind = required(object(value)?, "type")?;
    let native = Content::Native { format: Format::Chat, raw: value.raw() };
    let content = match &*string(kind).map_err(|e| e.at("type"))?.decode() {
        "file" => file(required(value, "file")?).map_err(|e| e.at("file"))?,
        "image_url" => image(required(value, "image_url")?).map_err(|e| e.at("image_url"))?,
        "input_audio" => audio(required(value, "input_audio")?).map_err(|e| e.at("input_audio"))?,
        "redacted_thinking" => thought(value)?.unwrap_or(native),
        "refusal" => Content::Refusal(string(required(value, "refusal")?).map_err(|e| e.at("refusal"))?),
        "text" => Content::text(string(required(value, "text")?).map_err(|e| e.at("text"))?),
        // No word of OpenAI's, but of servers of models that watch.
        "video_url" => video(required(value, "video_url")?).map_err(|e| e.at("video_url"))?,
        // Mistral's thought, which has the same type, is an array.
        "thinking" if value.get("thinking").is_some_and(|t| t.kind() == Kind::String) => {
            thought(value)?.unwrap_or(native)
        }
        _ => native,
    };
    let cache = match optional(value, "cache_control", raw_object)? {
        Some(cache) => Some(cache),
        None => optional(value, "prompt_cache_breakpoint", breakpoint)?,
    };
    Ok(Part { content, cache })
}

/// OpenAI's mark of a prefix to cache, in Anthropic's words: its lifetimes are of half an hour or more, so where one is
/// named, it is the longer of Anthropic's two.
pub(in crate::client) fn breakpoint(value: Node<'_>) -> Result<&'static str, Error> {
    Ok(match optional(object(value)?, "ttl", string)? {
        Some(_) => r#"{"type":"ephemeral","ttl":"1h"}"#,
        None => r#"{"type":"ephemeral"}"#,
    })
}

/// A block of thought in Anthropic's words, as LiteLLM hands it to clients; nothing for other types.
pub(super) fn thought(value: Node<'_>) -> Result<Option<Content<'_>>, Error> {
    let kind = required(value, "type")?;
    Ok(match &*string(kind).map_err(|e| e.at("type"))?.decode() {
        "redacted_thinking" => {
            let data = string(required(value, "data")?).map_err(|e| e.at("data"))?;
            Some(Content::RedactedReasoning { data, format: Format::Messages })
        }
        "thinking" => {
            let text = optional(value, "thinking", string)?.unwrap_or_default();
            let signature = optional(value, "signature", string)?.filter(|s| !s.is_empty());
            let (signature, format) = signature.map(|s| replay::signature(s, Format::Messages)).unzip();
            Some(Content::Reasoning { text, signature, format })
        }
        _ => None,
    })
}

pub(in crate::client) fn audio(value: Node<'_>) -> Result<Content<'_>, Error> {
    let data = required(object(value)?, "data")?;
    let format = required(value, "format")?;
    Ok(Content::Audio {
        data: string(data).map_err(|e| e.at("data"))?,
        format: string(format).map_err(|e| e.at("format"))?,
    })
}

/// A picture: a URL, or an object that holds one.
pub(super) fn image(value: Node<'_>) -> Result<Content<'_>, Error> {
    // The short form that some providers and clients have.
    if value.kind() == Kind::String {
        return Ok(Content::Image { source: source(value)?, detail: None });
    }
    let url = required(object(value)?, "url")?;
    Ok(Content::Image { source: source(url).map_err(|e| e.at("url"))?, detail: optional(value, "detail", string)? })
}

fn video(value: Node<'_>) -> Result<Content<'_>, Error> {
    let url = required(object(value)?, "url")?;
    Ok(Content::Video(source(url).map_err(|e| e.at("url"))?))
}

fn file(value: Node<'_>) -> Result<Content<'_>, Error> {
    let title = optional(object(value)?, "filename", string)?;
    let source = match (value.get("file_data"), value.get("file_id")) {
        (Some(data), _) => file_data(data, value, title.as_ref()).map_err(|e| e.at("file_data"))?,
        (None, Some(id)) => {
            let name = string(id).map_err(|e| e.at("file_id"))?;
            // LiteLLM's users name files on the web so.
            if url(inner(id)).is_some() { Source::Url(name) } else { Source::File(name) }
        }
        (None, None) => return Err(Error::invalid("expected `file_data` or `file_id`")),
    };
    if let Source::Base64 { media_type, .. } = &source
        && media_type.to_text().starts_with("image/")
    {
        return Ok(Content::Image { source, detail: None });
    }
    Ok(Content::Document(Document { source, title, context: None, citations: None }))
}

/// A data URL, or base64 whose type the file's name tells.
pub(in crate::client) fn file_data<'a>(
    data: Node<'a>,
    file: Node<'a>,
    name: Option<&Str<'a>>,
) -> Result<Source<'a>, Error> {
    let text = string(data)?;
    if url(inner(data)).is_some() {
        return source(data);
    }
    let name = name.map(|name| name.to_text().to_ascii_lowercase()).unwrap_or_default();
    let media_type = match optional(file, "format", string)? {
        Some(format) => format,
        None if name.ends_with(".pdf") => "application/pdf".into(),
        None if name.ends_with(".txt") => "text/plain".into(),
        None => return Err(Error::invalid("expected `data:<media type>;base64,<data>`")),
    };
    Ok(Source::Base64 { media_type, data: text })
}

/// A data URL is taken apart; other URLs are for the provider to fetch.
pub(in crate::client) fn source(value: Node<'_>) -> Result<Source<'_>, Error> {
    let text = string(value)?;
    let (scheme, rest) =
        url(inner(value)).ok_or_else(|| Error::invalid("expected a URL or `data:<media type>;base64,<data>`"))?;
    if !scheme.eq_ignore_ascii_case("data") {
        return Ok(Source::Url(text));
    }
    let base64 = rest.split_once(',').and_then(|(head, data)| Some((head.strip_suffix(";base64")?, data)));
    let base64 = base64.map(|(head, data)| (head.split_once(';').map_or(head, |(media_type, _)| media_type), data));
    match base64 {
        Some((media_type, data)) if !media_type.is_empty() => {
            Ok(Source::Base64 { media_type: Str::escaped(media_type), data: Str::escaped(data) })
        }
        _ => Err(Error::invalid("expected `data:<media type>;base64,<data>`")),
    }
}

/// What stands between the quotes, in its escapes: base64 is long and must not be copied.
pub(in crate::client) fn inner(value: Node<'_>) -> &str {
    value.raw().strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default()
}

/// Scheme and rest of a URL. A scheme is short, so base64 is not searched to its end.
fn url(text: &str) -> Option<(&str, &str)> {
    const LONGEST: usize = 16;
    let colon = text.bytes().take(LONGEST).position(|b| b == b':')?;
    let (scheme, rest) = text.split_at_checked(colon)?;
    let plain = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    (plain && !scheme.is_empty()).then(|| Some((scheme, rest.strip_prefix(':')?)))?
}
