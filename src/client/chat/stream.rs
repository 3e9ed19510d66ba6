//! Streams of chunks.
//!
//! A choice's first chunk names the role and comes with the first thing that the choice says, not with the start of the
//! answer: until then nothing is written. Chunks of several choices may interleave, as they do at OpenAI.

use std::mem::take;

use super::{Ask, StreamWriter, error, shape};
use crate::event::{BlockKind, Delta, Event, choice_at};
use crate::json::{self, Body, Str};
use crate::usage::Usage;

/// What ends every stream.
pub(in crate::client) const DONE: &[u8] = b"data: [DONE]\n\n";

/// Writes one answer as a stream.
pub(super) struct Writer {
    ask: Ask,
    frame: Frame,
    choices: Vec<Choice>,
    /// The number of tool calls so far, of all choices.
    tool_calls: u32,
    usage: Option<Usage>,
    service_tier: Option<Str<'static>>,
    /// The bytes of thoughts and citations that were kept.
    kept: usize,
    done: bool,
}

/// What is the same in every chunk.
struct Frame {
    /// From `data:` to the bracket of `choices`.
    head: Vec<u8>,
    /// From the bracket's end.
    tail: Vec<u8>,
}

/// What is known of a choice.
#[derive(Default)]
struct Choice {
    started: bool,
    refused: bool,
    annotations: u32,
    images: u32,
    thinking_blocks: u32,
    tool_calls: u32,
    /// The length of its text so far, in characters.
    length: u64,
    /// Its blocks that have not stopped, by number: mostly one.
    open: Vec<(u32, Block)>,
}

/// What is known of a block.
enum Block {
    /// What clients of this format have no word for.
    Hidden,
    Reasoning {
        /// In JSON escapes.
        text: String,
        signature: Option<Str<'static>>,
    },
    Refusal,
    Text {
        /// Where it starts in the text of its choice.
        start: u64,
        citations: Vec<shape::Annotation>,
    },
    ToolCall {
        index: u32,
        /// Whether no arguments have come.
        empty: bool,
    },
}

impl Writer {
    /// A writer for an answer to `ask`.
    pub(super) fn new(ask: &Ask) -> Self {
        let mut writer = Self {
            ask: ask.clone(),
            frame: Frame { head: Vec::new(), tail: Vec::new() },
            choices: Vec::new(),
            tool_calls: 0,
            usage: None,
            service_tier: None,
            kept: 0,
            done: false,
        };
        writer.start(&Str::default(), None);
        writer.frame.tail = writer.tail(None);
        writer
    }

    fn start(&mut self, id: &Str<'_>, created: Option<u64>) {
        let mut body = Body::reuse(take(&mut self.frame.head));
        body.copy(b"data: ");
        let mut w = json::Writer::new(&mut body);
        w.open_object();
        shape::id(&mut w, shape::PREFIX, id, &self.ask);
        w.key("object").text("chat.completion.chunk");
        w.key("created").u64(created.unwrap_or(self.ask.now));
        w.key("model").text(&self.ask.model);
        w.key("choices").open_array();
        self.frame.head = body.into_bytes();
    }

    /// The state of a choice, after its first chunk. `text`: whether the choice begins with text; OpenAI's content is
    /// empty then, and null elsewhere.
    fn choice(&mut self, index: u32, text: bool, out: &mut Vec<u8>) -> Option<(&Frame, &mut Choice)> {
        let choice = choice_at(&mut self.choices, index)?;
        if !choice.started {
            choice.started = true;
            self.frame.delta(out, index, |w| {
                w.key("role").text("assistant");
                if text {
                    w.key("content").text("");
                } else {
                    w.key("content").null();
                }
            });
        }
        Some((&self.frame, choice))
    }

    fn block_start(&mut self, index: u32, number: u32, kind: BlockKind<'_>, out: &mut Vec<u8>) {
        let (own, count) = (self.ask.own_id(), self.tool_calls);
        let Some((frame, choice)) = self.choice(index, matches!(kind, BlockKind::Text), out) else { return };
        let mut called = false;
        let block = match kind {
            BlockKind::Image { media_type, data } => {
                let at = Some(next(&mut choice.images));
                frame.delta(out, index, |w| w.key("images").array(|w| shape::image(w, at, &media_type, &data)));
                Block::Hidden
            }
            BlockKind::Native { .. } => Block::Hidden,
            BlockKind::Reasoning => Block::Reasoning { text: String::new(), signature: None },
            BlockKind::RedactedReasoning { data } => {
                let at = Some(next(&mut choice.thinking_blocks));
                frame.delta(out, index, |w| w.key("thinking_blocks").array(|w| shape::redacted_thinking(w, at, &data)));
                Block::Hidden
            }
            BlockKind::Refusal => {
                choice.refused = true;
                Block::Refusal
            }
            BlockKind::Text => Block::Text { start: choice.length, citations: Vec::new() },
            BlockKind::ToolCall { id, name } => {
                let call = next(&mut choice.tool_calls);
                called = true;
                frame.tool_call(out, index, call, |w| {
                    shape::tool_call_id(w, &id, count, own);
                    w.key("type").text("function");
                    w.key("function").object(|w| {
                        w.key("name").str(&name);
                        w.key("arguments").text("");
                    });
                });
                Block::ToolCall { index: call, empty: true }
            }
        };
        choice.open.push((number, block));
        if called {
            self.tool_calls = count.saturating_add(1);
        }
    }

    fn block_delta(&mut self, index: u32, number: u32, delta: Delta<'_>, out: &mut Vec<u8>) {
        let Some((frame, choice)) = self.choice(index, true, out) else { return };
        let Some((_, block)) = choice.open.iter_mut().find(|(n, _)| *n == number) else { return };
        let length = delta.len();
        let mut kept = 0;
        match (delta, block) {
            (Delta::Text(piece) | Delta::Arguments(piece), _) if piece.is_empty() => {}
            (Delta::Text(piece), Block::Text { .. }) => {
                choice.length = choice.length.saturating_add(shape::length(&piece));
                frame.delta(out, index, |w| w.key("content").str(&piece));
            }
            (Delta::Text(piece), Block::Reasoning { text, .. }) => {
                piece.escape_into(text);
                kept = length;
                frame.delta(out, index, |w| w.key("reasoning_content").str(&piece));
            }
            (Delta::Text(piece), Block::Refusal) => frame.delta(out, index, |w| w.key("refusal").str(&piece)),
            (Delta::Arguments(piece), Block::ToolCall { index: call, empty }) => {
                *empty = false;
                frame.arguments(out, index, *call, &piece);
            }
            (Delta::Citation { format, raw }, Block::Text { citations, .. }) => {
                citations.extend(shape::Annotation::read(format, raw));
                kept = length;
            }
            (Delta::Logprobs(raw), _) => frame.choice(out, index, |w| {
                w.key("delta").object(|_| {});
                w.key("logprobs").raw_line(raw);
                w.key("finish_reason").null();
            }),
            (Delta::Signature(proof), Block::Reasoning { signature, .. }) => {
                *signature = Some(proof.into_owned());
                kept = length;
            }
            _ => {}
        }
        self.kept = self.kept.saturating_add(kept);
    }

    fn block_stop(&mut self, index: u32, number: u32, out: &mut Vec<u8>) {
        let Some((frame, choice)) = self.choice(index, true, out) else { return };
        let Some(at) = choice.open.iter().position(|(n, _)| *n == number) else { return };
        match choice.open.swap_remove(at).1 {
            // Whole, so that a client can give it back as it is.
            Block::Reasoning { text, signature: Some(signature) } => {
                let (at, text) = (Some(next(&mut choice.thinking_blocks)), Str::escaped(text));
                frame.delta(out, index, |w| {
                    w.key("thinking_blocks").array(|w| shape::thinking(w, at, &text, &signature));
                });
            }
            Block::Text { start, citations } if !citations.is_empty() => frame.delta(out, index, |w| {
                w.key("annotations").array(|w| {
                    for annotation in &citations {
                        annotation.write(w, Some(next(&mut choice.annotations)), (start, choice.length));
                    }
                });
            }),
            Block::ToolCall { index: call, empty: true } => frame.arguments(out, index, call, &"{}".into()),
            Block::Hidden | Block::Refusal | Block::Reasoning { .. } | Block::Text { .. } | Block::ToolCall { .. } => {}
        }
    }

    /// What stands after the choices: usage is `null` until the last chunk, and absent if nobody asked.
    fn tail(&self, usage: Option<&Usage>) -> Vec<u8> {
        let mut body = Body::default();
        body.copy(b"]");
        let mut members = Body::default();
        let mut w = json::Writer::new(&mut members);
        shape::service_tier(&mut w, self.service_tier.as_ref());
        match usage {
            Some(usage) => shape::usage(&mut w, usage),
            None if self.ask.include_usage => w.key("usage").null(),
            None => {}
        }
        if !members.is_empty() {
            body.copy(b",");
        }
        body.copy(&members.into_bytes());
        body.copy(b"}\n\n");
        body.into_bytes()
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(usage) = self.usage.filter(|_| self.ask.include_usage) {
            out.extend_from_slice(&self.frame.head);
            out.extend_from_slice(&self.tail(Some(&usage)));
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
            Event::BlockDelta { choice, block, delta } => self.block_delta(choice, block, delta, out),
            Event::BlockStart { choice, block, kind } => self.block_start(choice, block, kind, out),
            Event::BlockStop { choice, block } => self.block_stop(choice, block, out),
            Event::End => {
                self.done = true;
                self.end(out);
            }
            Event::Error(error) => {
                self.done = true;
                error::write_event(&error, out);
            }
            Event::Finish { choice: index, reason, .. } => {
                let Some((frame, choice)) = self.choice(index, true, out) else { return };
                frame.choice(out, index, |w| {
                    w.key("delta").object(|_| {});
                    shape::finish(w, &reason, choice.tool_calls > 0, choice.refused);
                });
            }
            Event::Embedding { .. }
            | Event::Ping
            | Event::Ranked(_)
            | Event::Sound { .. }
            | Event::Transcript(_)
            | Event::Unknown => {}
            Event::Start { id, created, .. } => self.start(&id, created),
            Event::Usage { usage, service_tier } => {
                self.usage = Some(usage);
                if let Some(tier) = service_tier {
                    self.service_tier = Some(tier.into_owned());
                    self.frame.tail = self.tail(None);
                }
            }
        }
    }

    fn kept(&self) -> usize {
        self.kept
    }
}

impl Frame {
    /// A chunk with what `fill` says of a choice.
    fn choice(&self, out: &mut Vec<u8>, index: u32, fill: impl FnOnce(&mut json::Writer<'_, '_>)) {
        let mut body = Body::from(take(out));
        body.copy(&self.head);
        json::Writer::new(&mut body).object(|w| {
            w.key("index").u64(index.into());
            fill(w);
        });
        body.copy(&self.tail);
        *out = body.into_bytes();
    }

    /// A chunk with a delta of a choice that goes on.
    fn delta(&self, out: &mut Vec<u8>, index: u32, fill: impl FnOnce(&mut json::Writer<'_, '_>)) {
        self.choice(out, index, |w| {
            w.key("delta").object(fill);
            w.key("finish_reason").null();
        });
    }

    /// A chunk with a part of a tool call.
    fn tool_call(&self, out: &mut Vec<u8>, index: u32, call: u32, fill: impl FnOnce(&mut json::Writer<'_, '_>)) {
        self.delta(out, index, |w| {
            w.key("tool_calls").array(|w| {
                w.object(|w| {
                    w.key("index").u64(call.into());
                    fill(w);
                });
            });
        });
    }

    /// A chunk with a piece of a tool call's arguments.
    fn arguments(&self, out: &mut Vec<u8>, index: u32, call: u32, piece: &Str<'_>) {
        self.tool_call(out, index, call, |w| w.key("function").object(|w| w.key("arguments").str(piece)));
    }
}

/// Counts: the number before.
fn next(count: &mut u32) -> u32 {
    let number = *count;
    *count = number.saturating_add(1);
    number
}
