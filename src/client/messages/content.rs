//! Reads the content of messages.

use super::super::fields::{boolean, list, object, optional, raw_object, string, wrong};
use super::field::{required, unknown_word};
use crate::call::{Content, Document, Part, Role, Source};
use crate::error::{Error, shorten};
use crate::format::Format;
use crate::json::{Kind, Node, Str};
use crate::replay;

/// Fields that have no place in a [`Generate`](crate::call::Generate), each once, as many as are worth a report.
#[derive(Debug, Default)]
pub(super) struct Unread(Vec<String>);

/// The most fields that are noted.
const MOST: usize = 32;

impl Unread {
    /// Notes a field.
    pub(super) fn note(&mut self, name: &str) {
        if self.0.len() < MOST && !self.0.iter().any(|n| n == name) {
            self.0.push(name.to_owned());
        }
    }

    /// Notes the members of `object`, which stands at `place`, that are not `known`.
    pub(super) fn others(&mut self, object: Node<'_>, place: &str, known: &[&str]) {
        for (name, value) in object.members() {
            if !known.contains(&&*name) && !value.is_null() {
                self.note(&format!("{place}.{}", shorten(&name)));
            }
        }
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.0
    }
}

/// A string, or an array of blocks; `place` is what a block of it is called.
pub(super) fn content<'a>(node: Node<'a>, place: &str, unread: &mut Unread) -> Result<Vec<Part<'a>>, Error> {
    match node.kind() {
        Kind::String => Ok(vec![Content::text(string(node)?).into()]),
        Kind::Array => {
            let mut parts = Vec::new();
            for (index, node) in node.items().enumerate() {
                let part = block(node, place, unread, &mut parts).map_err(|e| e.at_index(index))?;
                parts.push(part);
            }
            Ok(parts)
        }
        _ => Err(wrong(node, "a string or an array of blocks")),
    }
}

/// Refuses blocks that `role` cannot say.
pub(super) fn said_by(role: Role, parts: Vec<Part<'_>>) -> Result<Vec<Part<'_>>, Error> {
    for (part, index) in parts.iter().zip(0..) {
        let allowed = match part.content {
            Content::Native { .. } | Content::Text { .. } => continue,
            _ if role == Role::System => "only `text` blocks are allowed in a system prompt",
            Content::ToolResult { .. } if role != Role::User => {
                "`tool_result` blocks are allowed in messages of the role `user` only"
            }
            Content::Reasoning { .. } | Content::RedactedReasoning { .. } | Content::ToolCall { .. }
                if role != Role::Assistant =>
            {
                "`thinking` and `tool_use` blocks are allowed in messages of the role `assistant` only"
            }
            _ => continue,
        };
        return Err(Error::invalid(allowed).at_index(index));
    }
    Ok(parts)
}

/// Reads a block; what was signed for it goes to `before`.
fn block<'a>(node: Node<'a>, place: &str, unread: &mut Unread, before: &mut Vec<Part<'a>>) -> Result<Part<'a>, Error> {
    object(node)?;
    let kind = required(node, "type", string)?;
    let content = match &*kind.to_text() {
        // Where the provider does not know the block, its words are worth as much to another one.
        "compaction" if node.get("content").is_some_and(|content| content.kind() == Kind::String) => {
            let mut summary = String::new();
            required(node, "content", string)?.escape_into(&mut summary);
            // What the model said after it is no part of it.
            summary.push_str("\\n\\n");
            Content::text(Str::escaped(summary))
        }
        "document" => {
            unread.others(node, place, &["cache_control", "citations", "context", "source", "title", "type"]);
            Content::Document(Document {
                source: required(node, "source", |node| document_source(node, place, unread))?,
                title: optional(node, "title", string)?,
                context: optional(node, "context", string)?,
                citations: optional(node, "citations", raw_object)?,
            })
        }
        "image" => {
            unread.others(node, place, &["cache_control", "source", "type"]);
            Content::Image { source: required(node, "source", image_source)?, detail: None }
        }
        "redacted_thinking" => {
            Content::RedactedReasoning { data: required(node, "data", string)?, format: Format::Messages }
        }
        "search_result" => {
            unread.others(node, place, &["cache_control", "citations", "content", "source", "title", "type"]);
            Content::Document(Document {
                source: Source::Parts(required(node, "content", |node| content(node, place, unread))?),
                title: optional(node, "title", string)?,
                context: optional(node, "source", string)?,
                citations: optional(node, "citations", raw_object)?,
            })
        }
        "text" => {
            unread.others(node, place, &["cache_control", "citations", "text", "type"]);
            Content::Text { text: required(node, "text", string)?, citations: optional(node, "citations", raw_array)? }
        }
        "thinking" => {
            // Thought that no provider signed goes to clients with an empty signature.
            let signature = optional(node, "signature", string)?.filter(|signature| !signature.is_empty());
            let (signature, format) = signature.map(|s| replay::signature(s, Format::Messages)).unzip();
            Content::Reasoning { text: required(node, "thinking", string)?, signature, format }
        }
        "tool_reference" => Content::text(required(node, "tool_name", string)?),
        "tool_result" => {
            unread.others(node, place, &["cache_control", "content", "is_error", "tool_use_id", "type"]);
            Content::ToolResult {
                id: replay::open(required(node, "tool_use_id", string)?).0,
                parts: optional(node, "content", |node| content(node, place, unread))?.unwrap_or_default(),
                is_error: optional(node, "is_error", boolean)?.unwrap_or_default(),
            }
        }
        "tool_use" => {
            unread.others(node, place, &["cache_control", "caller", "id", "input", "name", "type"]);
            // `direct` is what a call is without the word.
            if node.get("caller").and_then(|caller| caller.get("type")?.str()).is_some_and(|kind| kind != "direct") {
                unread.note(&format!("{place}.caller"));
            }
            let (id, proof) = replay::open(required(node, "id", string)?);
            before.extend(proof.map(Part::from));
            Content::ToolCall {
                id,
                name: required(node, "name", string)?,
                arguments: Str::plain(required(node, "input", raw_object)?),
            }
        }
        // Its `cache_control` goes with it.
        _ => return Ok(Content::Native { format: Format::Messages, raw: node.raw() }.into()),
    };
    Ok(Part { content, cache: optional(node, "cache_control", raw_object)? })
}

fn image_source<'a>(node: Node<'a>) -> Result<Source<'a>, Error> {
    object(node)?;
    match &*required(node, "type", string)?.to_text() {
        "base64" => base64(node),
        "file" => Ok(Source::File(required(node, "file_id", string)?)),
        "url" => Ok(Source::Url(required(node, "url", string)?)),
        other => Err(unknown_word(other, "source of an image", "`base64`, `file` and `url` are").at("type")),
    }
}

fn document_source<'a>(node: Node<'a>, place: &str, unread: &mut Unread) -> Result<Source<'a>, Error> {
    object(node)?;
    match &*required(node, "type", string)?.to_text() {
        "base64" => base64(node),
        "content" => Ok(Source::Parts(required(node, "content", |node| content(node, place, unread))?)),
        "file" => Ok(Source::File(required(node, "file_id", string)?)),
        "text" => Ok(Source::Text(required(node, "data", string)?)),
        "url" => Ok(Source::Url(required(node, "url", string)?)),
        other => {
            let allowed = "`base64`, `content`, `file`, `text` and `url` are";
            Err(unknown_word(other, "source of a document", allowed).at("type"))
        }
    }
}

fn base64<'a>(node: Node<'a>) -> Result<Source<'a>, Error> {
    Ok(Source::Base64 { media_type: required(node, "media_type", string)?, data: required(node, "data", string)? })
}

fn raw_array(node: Node<'_>) -> Result<&str, Error> {
    list(node)?;
    Ok(node.raw())
}
