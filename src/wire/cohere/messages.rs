//! The [conversation](https://docs.cohere.com/v2/docs/chat-api), with results of
//! [tools](https://docs.cohere.com/v2/docs/tool-use-overview) as messages of their own.

use crate::call::{Content, Document, Message, Part, Role, Source};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Str, Writer};
use crate::wire::Dropped;
use crate::wire::names::Names;
use crate::wire::openai::messages::{cites, image_url, joined, tells_error};
use crate::wire::plain::{self, Piece};

/// A conversation that is being written.
pub(super) struct Conversation<'c, 'w, 'a> {
    pub(super) w: &'c mut Writer<'w, 'a>,
    pub(super) names: &'c mut Names,
    pub(super) dropped: &'c mut Dropped,
    /// Whether the model thinks in parts of its own. Others say what they plan before they call tools.
    pub(super) thinks: bool,
    /// Whether documents can be cited in this call.
    pub(super) cites: bool,
    /// Documents to be cited, each with its place among all documents.
    pub(super) documents: Vec<(usize, &'a Document<'a>)>,
    /// The documents so far.
    pub(super) seen: usize,
}

impl<'a> Conversation<'_, '_, 'a> {
    pub(super) fn write(&mut self, messages: &'a [Message<'a>]) -> Result<(), Error> {
        let user = |message: &Message<'_>| message.role == Role::User;
        let mut index = 0_usize;
        for run in messages.chunk_by(|a, b| user(a) && user(b)) {
            if run.iter().all(user) {
                self.results(run, index)?;
            }
            for message in run {
                self.message(message).map_err(|e| e.at_index(index).at("messages"))?;
                index = index.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Writes the results in messages of the user's that follow each other: each must stand right behind its call. The
    /// pictures in them come after the last.
    fn results(&mut self, run: &'a [Message<'a>], first: usize) -> Result<(), Error> {
        let mut shown = Vec::new();
        for (message, index) in run.iter().zip(first..) {
            for part in &message.parts {
                if let Content::ToolResult { id, parts, is_error } = &part.content {
                    let written = self.result(id, parts, *is_error, &mut shown);
                    written.map_err(|e| e.at_index(index).at("messages"))?;
                }
            }
        }
        if !shown.is_empty() {
            self.pieces("user", &shown);
        }
        Ok(())
    }

    fn message(&mut self, message: &'a Message<'a>) -> Result<(), Error> {
        if message.name.is_some() {
            self.dropped.forget("name");
        }
        match message.role {
            Role::Assistant => {
                self.assistant(&message.parts);
                Ok(())
            }
            Role::Developer | Role::System => self.said("system", &message.parts),
            Role::User => self.said("user", &message.parts),
        }
    }

    fn said(&mut self, role: &str, parts: &'a [Part<'a>]) -> Result<(), Error> {
        let mut pieces = Vec::new();
        for part in parts {
            match &part.content {
                Content::Document(document) if self.is_cited(document) => self.documents.push((self.seen, document)),
                _ => plain::pieces(std::slice::from_ref(part), self.dropped, &mut pieces)?,
            }
            self.seen = self.seen.saturating_add(usize::from(matches!(part.content, Content::Document(_))));
        }
        let silent = pieces.is_empty() && !parts.is_empty();
        if !silent {
            self.pieces(role, &pieces);
        }
        Ok(())
    }

    /// Whether a document goes where it can be cited: it is of text, and the client wants to see it cited.
    fn is_cited(&self, document: &Document<'_>) -> bool {
        self.cites && document.citations.is_some_and(cites) && !matches!(document.source, Source::Parts(_))
    }

    fn pieces(&mut self, role: &str, pieces: &[Piece<'a>]) {
        self.w.object(|w| {
            w.key("role").text(role);
            w.key("content");
            if pieces.iter().all(|piece| piece.text().is_some()) {
                w.string(|s| {
                    for (index, text) in pieces.iter().filter_map(Piece::text).enumerate() {
                        s.text(if index > 0 { "\n\n" } else { "" });
                        s.str(text);
                    }
                });
            } else {
                w.array(|w| pieces.iter().for_each(|piece| write(piece, w)));
            }
        });
    }

    /// Writes the text of a result; pictures in it go to `shown`.
    fn result(
        &mut self,
        id: &Str<'a>,
        parts: &'a [Part<'a>],
        is_error: bool,
        shown: &mut Vec<Piece<'a>>,
    ) -> Result<(), Error> {
        let mut pieces = Vec::new();
        plain::pieces(parts, self.dropped, &mut pieces)?;
        let (texts, images): (Vec<_>, Vec<_>) = pieces.into_iter().partition(|piece| piece.text().is_some());
        let marked = is_error && !texts.first().and_then(Piece::text).is_some_and(tells_error);
        self.w.object(|w| {
            w.key("role").text("tool");
            w.key("tool_call_id").str(id);
            w.key("content").array(|w| {
                if marked {
                    write(&Piece::Text("Error:".into()), w);
                }
                texts.iter().for_each(|piece| write(piece, w));
                if !images.is_empty() {
                    write(&Piece::Text("[The next user message shows the images of this result.]".into()), w);
                } else if texts.is_empty() && !marked {
                    write(&Piece::Text("".into()), w);
                }
            });
        });
        if !images.is_empty() {
            shown.push(Piece::Text(Str::plain(format!("From the result of tool call {}:", id.to_text()))));
            shown.extend(images);
        }
        Ok(())
    }

    fn assistant(&mut self, parts: &'a [Part<'a>]) {
        let (mut texts, mut thoughts, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match &part.content {
                Content::Refusal(text) | Content::Text { text, .. } => texts.push(text),
                Content::Reasoning { text, format: None | Some(Format::Cohere), .. } => thoughts.push(text),
                Content::ToolCall { id, name, arguments } => calls.push((id, self.names.encode(name), arguments)),
                Content::Reasoning { .. } | Content::RedactedReasoning { .. } => self.dropped.forget("reasoning"),
                _ => self.dropped.forget("content"),
            }
        }
        // Thought of a model without any is what it planned to call.
        let plans = !self.thinks && !calls.is_empty();
        if !self.thinks && !plans && !thoughts.is_empty() {
            self.dropped.forget("reasoning");
            thoughts.clear();
        }
        if texts.is_empty() && thoughts.is_empty() && calls.is_empty() {
            return;
        }
        self.w.object(|w| {
            w.key("role").text("assistant");
            if plans && !thoughts.is_empty() {
                w.key("tool_plan").string(|s| joined(s, thoughts.iter().copied()));
            } else if !thoughts.is_empty() {
                w.key("content").array(|w| {
                    for thought in &thoughts {
                        w.object(|w| {
                            w.key("type").text("thinking");
                            w.key("thinking").share_str(thought);
                        });
                    }
                    texts.iter().for_each(|text| write(&Piece::Text(text.reborrow()), w));
                });
            }
            if !texts.is_empty() && (plans || thoughts.is_empty()) {
                w.key("content").string(|s| joined(s, texts.iter().copied()));
            }
            if !calls.is_empty() {
                w.key("tool_calls").array(|w| {
                    for (id, name, arguments) in &calls {
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
                });
            }
        });
    }
}

fn write<'a>(piece: &Piece<'a>, w: &mut Writer<'_, 'a>) {
    w.object(|w| match piece {
        Piece::Image { source, detail } => {
            w.key("type").text("image_url");
            w.key("image_url").object(|w| {
                w.key("url").string(|s| image_url(s, source));
                if let Some(detail) = detail.filter(|detail| ["auto", "high", "low"].iter().any(|d| **detail == **d)) {
                    w.key("detail").str(detail);
                }
            });
        }
        Piece::Text(text) => {
            w.key("type").text("text");
            w.key("text").str(text);
        }
    });
}
