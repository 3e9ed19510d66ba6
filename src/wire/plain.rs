//! What formats have in common whose messages hold no more than text and pictures.

use crate::call::{Content, Document, Generate, Part, Source};
use crate::error::{Error, shorten};
use crate::json::Str;
use crate::wire::Dropped;
use crate::wire::anthropic::content::plain;

/// A part of a message.
pub(super) enum Piece<'a> {
    /// A picture.
    Image {
        /// Where it is.
        source: &'a Source<'a>,
        /// OpenAI's `detail`.
        detail: Option<&'a Str<'a>>,
    },
    /// Text.
    Text(Str<'a>),
}

impl<'a> Piece<'a> {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&Str<'a>> {
        match self {
            Self::Image { .. } => None,
            Self::Text(text) => Some(text),
        }
    }
}

/// Reads parts of a message. Documents become text; what has no place in such a format is refused, as an answer to less
/// than what was said would be wrong.
pub(super) fn pieces<'a>(parts: &'a [Part<'a>], dropped: &mut Dropped, out: &mut Vec<Piece<'a>>) -> Result<(), Error> {
    for (index, part) in parts.iter().enumerate() {
        piece(&part.content, dropped, out).map_err(|e| e.at_index(index).at("content"))?;
    }
    Ok(())
}

fn piece<'a>(content: &'a Content<'a>, dropped: &mut Dropped, out: &mut Vec<Piece<'a>>) -> Result<(), Error> {
    match content {
        Content::Audio { .. } => {
            return Err(Error::invalid("the upstream takes no audio; text and images are allowed"));
        }
        Content::Video(_) => {
            return Err(Error::invalid("the upstream takes no video; text and images are allowed"));
        }
        Content::Document(document) => self::document(document, dropped, out)?,
        Content::Image { source: Source::File(_), .. } => {
            return Err(Error::invalid("the upstream knows no uploaded files; send the image itself"));
        }
        Content::Image { source, detail } => out.push(Piece::Image { source, detail: detail.as_ref() }),
        Content::Native { .. } => return Err(Error::invalid("the upstream does not know this kind of part")),
        Content::Reasoning { .. } | Content::RedactedReasoning { .. } => dropped.forget("reasoning"),
        Content::Refusal(text) | Content::Text { text, .. } => out.push(Piece::Text(text.reborrow())),
        Content::ToolCall { .. } => dropped.forget("content.tool_call"),
        // Written before the rest.
        Content::ToolResult { .. } => {}
    }
    Ok(())
}

fn document<'a>(document: &'a Document<'a>, dropped: &mut Dropped, out: &mut Vec<Piece<'a>>) -> Result<(), Error> {
    if document.citations.is_some_and(super::openai::messages::cites) {
        dropped.note("content.document.citations")?;
    }
    out.extend(document.title.as_ref().map(|title| Piece::Text(title.reborrow())));
    if let Source::Parts(parts) = &document.source {
        pieces(parts, dropped, out)?;
    } else {
        out.push(Piece::Text(text(&document.source)?));
    }
    out.extend(document.context.as_ref().map(|context| Piece::Text(context.reborrow())));
    Ok(())
}

/// The text of a document.
pub(super) fn text<'a>(source: &'a Source<'a>) -> Result<Str<'a>, Error> {
    match source {
        Source::Text(text) => Ok(text.reborrow()),
        Source::Base64 { media_type, .. } => plain(source).map(Str::plain).ok_or_else(|| {
            let found = shorten(&media_type.to_text());
            Error::invalid(format!("the upstream reads documents of plain text in UTF-8, not this `{found}`"))
        }),
        Source::File(_) | Source::Parts(_) | Source::Url(_) => {
            Err(Error::invalid("the upstream reads documents of plain text that stand in the request"))
        }
    }
}

/// Reports the parameters of a call that are not among those that a format `takes`. A value that changes nothing is left
/// out without a word.
pub(super) fn unsaid(call: &Generate<'_>, takes: &[&str], dropped: &mut Dropped) -> Result<(), Error> {
    if call.choices.is_some_and(|n| n > 1) {
        let message = "the upstream gives one answer to a call; ask for `1`, or call again";
        return Err(Error::invalid(message).code("unsupported_parameter").at("n"));
    }
    let some = |raw: Option<&str>| raw.is_some_and(|raw| raw.parse::<f64>().ok() != Some(0.0));
    let tier = call
        .service_tier
        .as_ref()
        .is_some_and(|tier| ["auto", "default", "standard_only"].iter().all(|usual| *tier != **usual));
    let said = [
        ("frequency_penalty", some(call.frequency_penalty)),
        ("logit_bias", call.logit_bias.is_some_and(|raw| raw != "{}")),
        ("logprobs", call.logprobs == Some(true)),
        ("metadata", call.metadata.is_some_and(|raw| raw != "{}")),
        ("parallel_tool_calls", call.parallel_tool_calls == Some(false) && !call.tools.is_empty()),
        ("presence_penalty", some(call.presence_penalty)),
        ("seed", call.seed.is_some()),
        ("service_tier", tier),
        ("top_k", some(call.top_k)),
        ("top_logprobs", call.top_logprobs.is_some_and(|n| n > 0)),
        ("user", call.user.is_some()),
        ("verbosity", call.verbosity.is_some()),
    ];
    let unsaid = said.into_iter().filter(|(name, said)| *said && !takes.contains(name));
    unsaid.into_iter().try_for_each(|(name, _)| dropped.note(name))
}
