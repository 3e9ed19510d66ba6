//! Streams: each event is an answer that holds what is new.
//!
//! Text and thought are written as they come, all else when it is complete, since Google has no pieces of it. Why the choices ended comes
//! with the usage, last.

use std::mem::take;

use super::{Ask, StreamWriter, error, shape};
use crate::answer::Block;
use crate::event::{BlockKind, Delta, Event, FinishReason, choice_at};
use crate::format::Format;
use crate::json::{self, Body, Str};
use crate::usage::Usage;

/// Writes one answer as a stream.
pub(super) struct Writer {
    ask: Ask,
    id: Str<'static>,
    choices: Vec<Choice>,
    /// The number of calls so far, of all choices.
    calls: u32,
    usage: Option<Usage>,
    /// The bytes of blocks and citations that were kept.
    kept: usize,
    done: bool,
}

/// What is known of a choice.
#[derive(Default)]
struct Choice {
    /// Its blocks that have not stopped, by number: mostly one. Of text and thought they hold the proof alone.
    open: Vec<(u32, Block)>,
    citations: Vec<(Format, String)>,
    finish: Option<FinishReason<'static>>,
}

impl Writer {
    pub(super) fn new(ask: &Ask) -> Self {
        Self { ask: ask.clone(), id: Str::default(), choices: Vec::new(), calls: 0, usage: None, kept: 0, done: false }
    }

    fn choice(&mut self, index: u32) -> Option<&mut Choice> {
        choice_at(&mut self.choices, index)
    }

    /// An event with candidates, which `fill` writes.
    fn answer(&self, out: &mut Vec<u8>, usage: Option<&Usage>, fill: impl FnOnce(&mut json::Writer<'_, '_>)) {
        let mut body = Body::from(take(out));
        body.copy(b"data: ");
        json::Writer::new(&mut body).object(|w| {
            w.key("candidates").array(fill);
            shape::tail(w, &self.id, usage, &self.ask);
        });
        body.copy(b"\n\n");
        *out = body.into_bytes();
    }

    /// An event with parts of one choice.
    fn parts(&self, out: &mut Vec<u8>, index: u32, fill: impl FnOnce(&mut json::Writer<'_, '_>)) {
        self.answer(out, None, |w| {
            w.object(|w| {
                w.key("content").object(|w| {
                    w.key("parts").array(fill);
                    w.key("role").text("model");
                });
                w.key("index").u64(index.into());
            });
        });
    }

    fn delta(&mut self, index: u32, number: u32, delta: Delta<'_>, out: &mut Vec<u8>) {
        let Some(choice) = self.choice(index) else { return };
        let Some((_, block)) = choice.open.iter_mut().find(|(n, _)| *n == number) else { return };
        let length = delta.len();
        match (delta, &block.kind) {
            (Delta::Text(piece), _) if piece.is_empty() => {}
            (Delta::Text(piece), BlockKind::Refusal | BlockKind::Text) => {
                self.parts(out, index, |w| shape::text(w, &piece));
            }
            (Delta::Text(piece), BlockKind::Reasoning) => self.parts(out, index, |w| shape::thought(w, &piece, None)),
            (Delta::Logprobs(raw), _) => self.answer(out, None, |w| {
                w.object(|w| {
                    w.key("index").u64(index.into());
                    shape::logprobs(w, &[raw]);
                });
            }),
            (Delta::Citation { format, raw }, _) => {
                choice.citations.push((format, raw.to_owned()));
                self.kept = self.kept.saturating_add(length);
            }
            (delta, _) => {
                block.add(delta);
                self.kept = self.kept.saturating_add(length);
            }
        }
    }

    fn stop(&mut self, index: u32, number: u32, out: &mut Vec<u8>) {
        let Some(choice) = self.choice(index) else { return };
        let Some(at) = choice.open.iter().position(|(n, _)| *n == number) else { return };
        let (_, block) = choice.open.swap_remove(at);
        let written = matches!(block.kind, BlockKind::Refusal | BlockKind::Text)
            || matches!(block.kind, BlockKind::Reasoning) && block.signature.is_none()
            || matches!(block.kind, BlockKind::Native { format, .. } if !matches!(format, Format::Gemini | Format::Vertex));
        if !written {
            let (mut calls, own) = (self.calls, self.ask.own_id());
            self.parts(out, index, |w| shape::part(w, &block, &mut calls, own));
            self.calls = calls;
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        self.answer(out, self.usage.as_ref(), |w| {
            for (choice, index) in self.choices.iter().zip(0..) {
                w.object(|w| {
                    w.key("content").object(|w| {
                        w.key("parts").array(|w| shape::text(w, &Str::default()));
                        w.key("role").text("model");
                    });
                    shape::finish(w, choice.finish.as_ref().unwrap_or(&FinishReason::Stop));
                    w.key("index").u64(index);
                    shape::grounding(w, &choice.citations);
                });
            }
        });
    }
}

impl StreamWriter for Writer {
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        if self.done {
            return;
        }
        match event {
            Event::BlockDelta { choice, block, delta } => self.delta(choice, block, delta, out),
            Event::BlockStart { choice, block, kind } => {
                if let Some(choice) = self.choice(choice) {
                    choice.open.push((block, Block::new(kind.into_owned())));
                }
            }
            Event::BlockStop { choice, block } => self.stop(choice, block, out),
            Event::End => {
                self.done = true;
                self.end(out);
            }
            Event::Error(error) => {
                self.done = true;
                error::write_event(&error, out);
            }
            Event::Finish { choice, reason, .. } => {
                if let Some(choice) = self.choice(choice) {
                    choice.finish = Some(reason.into_owned());
                }
            }
            Event::Start { id, .. } => self.id = id.into_owned(),
            Event::Usage { usage, .. } => self.usage = Some(usage),
            Event::Embedding { .. }
            | Event::Ping
            | Event::Ranked(_)
            | Event::Sound { .. }
            | Event::Transcript(_)
            | Event::Unknown => {}
        }
    }

    fn kept(&self) -> usize {
        self.kept
    }
}
