//! Streams of chunks.

use std::mem::take;

use super::super::chat::{error, shape as chat, stream::DONE};
use super::{Ask, StreamWriter, shape};
use crate::event::{BlockKind, Delta, Event, choice_at};
use crate::json::{self, Body, Str};
use crate::usage::Usage;

/// Writes one answer as a stream.
pub(super) struct Writer {
    ask: Ask,
    /// Of a chunk, what comes before its choices.
    head: Vec<u8>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
    done: bool,
}

/// What is known of a choice.
#[derive(Default)]
struct Choice {
    /// The blocks whose text is a part of the completion.
    said: Vec<u32>,
    /// The length of its text so far, in characters.
    length: u64,
    /// How much of it stood there when probabilities came last.
    told: u64,
}

impl Writer {
    pub(super) fn new(ask: &Ask) -> Self {
        let mut writer = Self { ask: ask.clone(), head: Vec::new(), choices: Vec::new(), usage: None, done: false };
        writer.start(&Str::default(), None);
        writer
    }

    fn start(&mut self, id: &Str<'_>, created: Option<u64>) {
        let mut body = Body::reuse(take(&mut self.head));
        body.copy(b"data: ");
        let mut w = json::Writer::new(&mut body);
        w.open_object();
        chat::id(&mut w, shape::PREFIX, id, &self.ask);
        w.key("object").text(shape::OBJECT);
        w.key("created").u64(created.unwrap_or(self.ask.now));
        w.key("model").text(&self.ask.model);
        self.head = body.into_bytes();
    }

    fn choice(&mut self, index: u32) -> Option<&mut Choice> {
        choice_at(&mut self.choices, index)
    }

    /// A chunk of a choice: `fill` writes what comes after its text.
    fn chunk(&self, out: &mut Vec<u8>, index: u32, text: &Str<'_>, fill: impl FnOnce(&mut json::Writer<'_, '_>)) {
        let mut body = Body::from(take(out));
        body.copy(&self.head);
        body.copy(br#","choices":["#);
        json::Writer::new(&mut body).object(|w| {
            w.key("index").u64(index.into());
            w.key("text").str(text);
            fill(w);
        });
        body.copy(if self.ask.include_usage { b"],\"usage\":null}\n\n" } else { b"]}\n\n" });
        *out = body.into_bytes();
    }

    fn delta(&mut self, index: u32, block: u32, delta: Delta<'_>, out: &mut Vec<u8>) {
        let Some(choice) = self.choice(index).filter(|choice| choice.said.contains(&block)) else { return };
        match delta {
            Delta::Text(piece) if !piece.is_empty() => {
                choice.length = choice.length.saturating_add(chat::length(&piece));
                self.chunk(out, index, &piece, |w| {
                    w.key("logprobs").null();
                    w.key("finish_reason").null();
                });
            }
            Delta::Logprobs(raw) => {
                let offset = std::mem::replace(&mut choice.told, choice.length);
                self.chunk(out, index, &Str::default(), |w| {
                    shape::logprobs(w, &[raw], offset);
                    w.key("finish_reason").null();
                });
            }
            _ => {}
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        if let Some(usage) = self.usage.filter(|_| self.ask.include_usage) {
            let mut members = Body::default();
            chat::usage(&mut json::Writer::new(&mut members), &usage);
            out.extend_from_slice(&self.head);
            out.extend_from_slice(br#","choices":[],"#);
            out.extend_from_slice(&members.into_bytes());
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(DONE);
    }
}

impl StreamWriter for Writer {
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        if self.done {
            return;
        }
        match event {
            Event::BlockDelta { choice, block, delta } => self.delta(choice, block, delta, out),
            Event::BlockStart { choice, block, kind: BlockKind::Refusal | BlockKind::Text } => {
                if let Some(choice) = self.choice(choice) {
                    choice.said.push(block);
                }
            }
            Event::BlockStop { choice, block } => {
                if let Some(choice) = self.choice(choice) {
                    choice.said.retain(|said| *said != block);
                }
            }
            Event::End => {
                self.done = true;
                self.end(out);
            }
            Event::Error(error) => {
                self.done = true;
                error::write_event(&error, out);
            }
            Event::Finish { choice, reason, .. } => self.chunk(out, choice, &Str::default(), |w| {
                w.key("logprobs").null();
                shape::finish(w, &reason);
            }),
            Event::Start { id, created, .. } => self.start(&id, created),
            Event::Usage { usage, .. } => self.usage = Some(usage),
            Event::BlockStart { .. }
            | Event::Embedding { .. }
            | Event::Ping
            | Event::Ranked(_)
            | Event::Sound { .. }
            | Event::Transcript(_)
            | Event::Unknown => {}
        }
    }
}
