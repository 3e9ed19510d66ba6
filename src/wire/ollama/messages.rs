//! The conversation: messages of one text each, with pictures beside it.

use crate::call::{Content, Message, Part, Role, Source};
use crate::error::Error;
use crate::json::{Str, Writer};
use crate::wire::Dropped;
use crate::wire::anthropic::content::input;
use crate::wire::openai::messages::{joined, tells_error};
use crate::wire::plain::{self, Piece};

/// A conversation that is being written.
pub(super) struct Conversation<'c, 'w, 'a> {
    pub(super) w: &'c mut Writer<'w, 'a>,
    pub(super) dropped: &'c mut Dropped,
    /// Ids and names of the calls so far: a result names its tool.
    pub(super) calls: Vec<(&'a Str<'a>, &'a Str<'a>)>,
}

impl<'a> Conversation<'_, '_, 'a> {
    pub(super) fn write(&mut self, messages: &'a [Message<'a>]) -> Result<(), Error> {
        for (index, message) in messages.iter().enumerate() {
            self.message(message).map_err(|e| e.at_index(index).at("messages"))?;
        }
        Ok(())
    }

    fn message(&mut self, message: &'a Message<'a>) -> Result<(), Error> {
        if message.name.is_some() {
            self.dropped.forget("name");
        }
        let role = match message.role {
            Role::Assistant => {
                self.assistant(&message.parts);
                return Ok(());
            }
            Role::Developer | Role::System => "system",
            Role::User => "user",
        };
        let mut spoke = message.parts.is_empty();
        for part in &message.parts {
            match &part.content {
                Content::ToolResult { id, parts, is_error } => self.result(id, parts, *is_error)?,
                _ => spoke = true,
            }
        }
        if spoke {
            let mut pieces = Vec::new();
            plain::pieces(&message.parts, self.dropped, &mut pieces)?;
            self.open(role, &pieces, "")?;
            self.w.close_object();
        }
        Ok(())
    }

    /// Begins a message with its text and pictures.
    fn open(&mut self, role: &str, pieces: &[Piece<'a>], mark: &str) -> Result<(), Error> {
        self.w.open_object();
        self.w.key("role").text(role);
        self.w.key("content").string(|s| {
            s.text(mark);
            for (index, text) in pieces.iter().filter_map(Piece::text).enumerate() {
                s.text(if index > 0 { "\n\n" } else { "" });
                s.str(text);
            }
        });
        let mut images = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Image { source: Source::Base64 { data, .. }, detail } => {
                    if detail.is_some_and(|detail| *detail != "auto") {
                        self.dropped.forget("detail");
                    }
                    images.push(data);
                }
                Piece::Image { .. } => {
                    return Err(Error::invalid("the upstream fetches no images; send the image itself").at("content"));
                }
                Piece::Text(_) => {}
            }
        }
        if !images.is_empty() {
            self.w.key("images").array(|w| images.iter().for_each(|data| w.share_str(data)));
        }
        Ok(())
    }

    fn result(&mut self, id: &'a Str<'a>, parts: &'a [Part<'a>], is_error: bool) -> Result<(), Error> {
        let mut pieces = Vec::new();
        plain::pieces(parts, self.dropped, &mut pieces)?;
        let marked = is_error && !pieces.iter().find_map(Piece::text).is_some_and(tells_error);
        self.open("tool", &pieces, if marked { "Error: " } else { "" })?;
        if let Some((_, name)) = self.calls.iter().rfind(|(called, _)| *called == id) {
            self.w.key("tool_name").str(name);
        }
        self.w.key("tool_call_id").str(id);
        self.w.close_object();
        Ok(())
    }

    fn assistant(&mut self, parts: &'a [Part<'a>]) {
        let (mut texts, mut thoughts, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match &part.content {
                Content::Refusal(text) | Content::Text { text, .. } => texts.push(text),
                Content::Reasoning { text, format: None, .. } => thoughts.push(text),
                Content::ToolCall { id, name, arguments } => {
                    self.calls.push((id, name));
                    calls.push((id, name, arguments));
                }
                Content::Reasoning { .. } | Content::RedactedReasoning { .. } => self.dropped.forget("reasoning"),
                _ => self.dropped.forget("content"),
            }
        }
        if texts.is_empty() && calls.is_empty() && !parts.is_empty() {
            return;
        }
        self.w.object(|w| {
            w.key("role").text("assistant");
            w.key("content").string(|s| joined(s, texts.iter().copied()));
            if !thoughts.is_empty() {
                w.key("thinking").string(|s| joined(s, thoughts.iter().copied()));
            }
            if !calls.is_empty() {
                w.key("tool_calls").array(|w| {
                    for ((id, name, arguments), index) in calls.iter().zip(0..) {
                        w.object(|w| {
                            w.key("id").str(id);
                            w.key("type").text("function");
                            w.key("function").object(|w| {
                                w.key("index").u64(index);
                                w.key("name").str(name);
                                input(arguments, w.key("arguments"));
                            });
                        });
                    }
                });
            }
        });
    }
}
