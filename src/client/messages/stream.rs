//! Writes a stream: [Anthropic's events](https://platform.claude.com/docs/en/build-with-claude/streaming).
//!
//! Blocks of ours may interleave, Anthropic's follow one another. Text and thought are written as they come: where two
//! such blocks alternate, one is closed and goes on as another block. Tool calls and native blocks cannot be cut, so what
//! comes for other blocks waits until they stop. A text or thought in which nothing stands is never written, as Anthropic
//! refuses it when the client sends it back.

use std::collections::VecDeque;

use super::super::{Ask, Client};
use super::answer::write_head;
use super::usage::{
    Seen, message_id, picture, service_tier, stop_reason, tool_id, write_delta_usage, write_stop, write_usage,
};
use crate::answer::Block;
use crate::error::Error;
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::{Body, Str, Writer};
use crate::usage::Usage;

const PING: &[u8] = b"event: ping\ndata: {\"type\": \"ping\"}\n\n";

/// What an open block takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Native,
    Text,
    Thought,
    Tool,
}

impl Shape {
    /// Whether the block may be closed and go on as another.
    fn may_pause(self) -> bool {
        matches!(self, Self::Text | Self::Thought)
    }

    fn kind(self) -> BlockKind<'static> {
        if self == Self::Thought { BlockKind::Reasoning } else { BlockKind::Text }
    }
}

/// The block that is being written.
#[derive(Debug)]
struct Open {
    /// Its number in the events.
    block: u32,
    shape: Shape,
    /// The start of the event of a delta.
    delta: String,
    /// The event that closes it.
    stop: String,
}

/// What a block that waits counts for beside what is in it, in bytes: enough that there are never very many.
const WAITING: usize = 1024;

/// A block that waits for another to stop.
#[derive(Debug)]
struct Waiting {
    block: u32,
    so_far: Block,
    stopped: bool,
}

/// The writer.
#[derive(Debug)]
pub(super) struct Stream {
    ask: Ask,
    id: Str<'static>,
    /// How many blocks were begun.
    begun: u64,
    open: Option<Open>,
    /// Blocks that may pause and have not stopped, written or not.
    running: Vec<(u32, Shape)>,
    /// In the order in which they shall be written. Empty unless a block is open that may not pause.
    waiting: VecDeque<Waiting>,
    /// The bytes that had to wait so far.
    pub(super) kept: usize,
    seen: Seen,
    finish: Option<FinishReason<'static>>,
    stop_sequence: Option<Str<'static>>,
    usage: Usage,
    service_tier: Option<&'static str>,
    ended: bool,
}

impl Stream {
    pub(super) fn new(ask: &Ask) -> Self {
        Self {
            ask: ask.clone(),
            id: Str::default(),
            begun: 0,
            open: None,
            running: Vec::new(),
            waiting: VecDeque::new(),
            kept: 0,
            seen: Seen::default(),
            finish: None,
            stop_sequence: None,
            usage: Usage::default(),
            service_tier: None,
            ended: false,
        }
    }

    pub(super) fn write(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            Event::BlockDelta { choice: 0, block, delta } => self.delta(block, delta, out),
            Event::BlockStart { choice: 0, block, kind } => self.start(block, kind, out),
            Event::BlockStop { choice: 0, block } => self.stop(block, out),
            Event::End => self.end(out),
            Event::Error(error) => self.error(&error, out),
            Event::Finish { choice: 0, reason, stop_sequence } => {
                self.finish = Some(reason.into_owned());
                self.stop_sequence = stop_sequence.map(Str::into_owned);
            }
            Event::Ping => out.extend_from_slice(PING),
            Event::Start { id, .. } => self.message_start(&id, out),
            Event::Usage { usage, service_tier: tier } => {
                self.usage = usage;
                self.service_tier = tier.as_ref().and_then(service_tier).or(self.service_tier);
            }
            Event::BlockDelta { .. }
            | Event::BlockStart { .. }
            | Event::BlockStop { .. }
            | Event::Finish { .. }
            | Event::Embedding { .. }
            | Event::Ranked(_)
            | Event::Sound { .. }
            | Event::Transcript(_)
            | Event::Unknown => {}
        }
    }

    fn message_start(&mut self, id: &Str<'_>, out: &mut Vec<u8>) {
        self.id = message_id(id, &self.ask);
        frame("message_start", out, |w| {
            w.key("message").object(|w| {
                write_head(w, &self.id, &self.ask.model);
                w.key("content").array(|_| {});
                write_stop(w, None, None);
                write_usage(w.key("usage"), &self.usage, self.service_tier);
            });
        });
        out.extend_from_slice(PING);
    }

    fn start(&mut self, block: u32, kind: BlockKind<'_>, out: &mut Vec<u8>) {
        match &kind {
            BlockKind::Native { format: Format::Messages, .. } | BlockKind::RedactedReasoning { .. } => {}
            BlockKind::Native { .. } => return,
            BlockKind::Image { media_type, data } => {
                self.running.push((block, Shape::Text));
                return self.delta(block, Delta::Text(picture(media_type, data)), out);
            }
            BlockKind::Reasoning => return self.running.push((block, Shape::Thought)),
            BlockKind::Refusal => {
                self.seen.refusal = true;
                return self.running.push((block, Shape::Text));
            }
            BlockKind::Text => return self.running.push((block, Shape::Text)),
            BlockKind::ToolCall { .. } => self.seen.tool_call = true,
        }
        if self.must_wait() {
            self.wait(block, Block::new(kind.into_owned()));
        } else {
            self.begin(block, &kind, out);
        }
    }

    fn delta(&mut self, block: u32, delta: Delta<'_>, out: &mut Vec<u8>) {
        let nothing = match &delta {
            Delta::Arguments(text) | Delta::Signature(text) | Delta::Text(text) => text.is_empty(),
            Delta::Citation { format, .. } => *format != Format::Messages,
            Delta::Logprobs(_) => true,
            Delta::Native(_) => false,
        };
        if nothing {
            return;
        }
        if self.open.as_ref().is_some_and(|open| open.block == block) {
            return self.write_delta(&delta, out);
        }
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.block == block) {
            self.kept = self.kept.saturating_add(delta.len());
            return waiting.so_far.add(delta);
        }
        let Some(&(_, shape)) = self.running.iter().find(|(running, _)| *running == block) else { return };
        if self.must_wait() {
            self.kept = self.kept.saturating_add(delta.len());
            let mut so_far = Block::new(shape.kind());
            so_far.add(delta);
            self.wait(block, so_far);
        } else {
            self.begin(block, &shape.kind(), out);
            self.write_delta(&delta, out);
        }
    }

    fn stop(&mut self, block: u32, out: &mut Vec<u8>) {
        self.running.retain(|(running, _)| *running != block);
        if self.open.as_ref().is_some_and(|open| open.block == block) {
            self.close(out);
            self.release(out);
        } else if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.block == block) {
            waiting.stopped = true;
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.waiting.iter_mut().for_each(|waiting| waiting.stopped = true);
        self.close(out);
        self.release(out);
        self.close(out);
        frame("message_delta", out, |w| {
            w.key("delta").object(|w| {
                write_stop(w, Some(stop_reason(self.finish.as_ref(), self.seen)), self.stop_sequence.as_ref());
            });
            write_delta_usage(w.key("usage"), &self.usage);
        });
        frame("message_stop", out, |_| {});
        self.ended = true;
    }

    fn error(&mut self, error: &Error, out: &mut Vec<u8>) {
        super::Messages.stream_error(error, 0, out);
        self.ended = true;
    }

    fn must_wait(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.shape.may_pause())
    }

    fn wait(&mut self, block: u32, so_far: Block) {
        self.kept = self.kept.saturating_add(WAITING);
        self.waiting.push_back(Waiting { block, so_far, stopped: false });
    }

    /// Writes what waited, up to a block that others must wait for.
    fn release(&mut self, out: &mut Vec<u8>) {
        while !self.must_wait()
            && let Some(waiting) = self.waiting.pop_front()
        {
            self.begin(waiting.block, &waiting.so_far.kind, out);
            waiting.so_far.deltas(&mut |delta| self.write_delta(&delta, out));
            if waiting.stopped {
                self.close(out);
            }
        }
    }

    /// Opens a block, after closing one that may pause.
    fn begin(&mut self, block: u32, kind: &BlockKind<'_>, out: &mut Vec<u8>) {
        self.close(out);
        let index = self.begun;
        self.begun = index.saturating_add(1);
        frame("content_block_start", out, |w| {
            w.key("index").u64(index);
            self.write_kind(w.key("content_block"), kind, index);
        });
        let shape = match kind {
            BlockKind::Native { .. } => Shape::Native,
            BlockKind::Reasoning => Shape::Thought,
            // The second is pausable, though nothing comes for it: the next block closes it.
            BlockKind::Image { .. } | BlockKind::RedactedReasoning { .. } | BlockKind::Refusal | BlockKind::Text => {
                Shape::Text
            }
            BlockKind::ToolCall { .. } => Shape::Tool,
        };
        let event = |name| format!("event: {name}\ndata: {{\"type\":\"{name}\",\"index\":{index}");
        self.open = Some(Open {
            block,
            shape,
            delta: event("content_block_delta") + ",\"delta\":",
            stop: event("content_block_stop") + "}\n\n",
        });
    }

    fn write_kind(&self, w: &mut Writer<'_, '_>, kind: &BlockKind<'_>, index: u64) {
        if let BlockKind::Native { raw, .. } = kind {
            return w.raw_line(raw);
        }
        w.object(|w| match kind {
            BlockKind::Native { .. } => {}
            BlockKind::Reasoning => {
                w.key("type").text("thinking");
                w.key("thinking").text("");
                w.key("signature").text("");
            }
            BlockKind::RedactedReasoning { data } => {
                w.key("type").text("redacted_thinking");
                w.key("data").str(data);
            }
            BlockKind::Image { .. } | BlockKind::Refusal | BlockKind::Text => {
                w.key("type").text("text");
                w.key("text").text("");
            }
            BlockKind::ToolCall { id, name } => {
                w.key("type").text("tool_use");
                w.key("id").str(&if id.is_empty() { tool_id(&self.id, index) } else { id.reborrow() });
                w.key("name").str(name);
                w.key("input").raw("{}");
            }
        });
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some(open) = self.open.take() {
            out.extend_from_slice(open.stop.as_bytes());
        }
    }

    /// Writes a delta of the open block.
    fn write_delta(&self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        let Some(open) = &self.open else { return };
        let (kind, member) = match (open.shape, delta) {
            (Shape::Native, Delta::Native(_)) => ("", ""),
            (Shape::Text, Delta::Citation { .. }) => ("citations_delta", "citation"),
            (Shape::Text, Delta::Text(_)) => ("text_delta", "text"),
            (Shape::Thought, Delta::Signature(_)) => ("signature_delta", "signature"),
            (Shape::Thought, Delta::Text(_)) => ("thinking_delta", "thinking"),
            (Shape::Tool, Delta::Arguments(_)) => ("input_json_delta", "partial_json"),
            _ => return,
        };
        let mut body = Body::from(std::mem::take(out));
        body.copy(open.delta.as_bytes());
        let mut w = Writer::new(&mut body);
        if let Delta::Native(raw) = delta {
            w.raw_line(raw);
        } else {
            w.object(|w| {
                w.key("type").text(kind);
                match delta {
                    Delta::Arguments(text) | Delta::Signature(text) | Delta::Text(text) => w.key(member).str(text),
                    Delta::Citation { raw, .. } | Delta::Logprobs(raw) | Delta::Native(raw) => {
                        w.key(member).raw_line(raw);
                    }
                }
            });
        }
        body.copy(b"}\n\n");
        *out = body.into_bytes();
    }
}

/// Writes an event: its type, and the members that `fill` writes.
fn frame(name: &str, out: &mut Vec<u8>, fill: impl FnOnce(&mut Writer<'_, '_>)) {
    let mut body = Body::from(std::mem::take(out));
    body.copy(b"event: ");
    body.copy(name.as_bytes());
    body.copy(b"\ndata: ");
    Writer::new(&mut body).object(|w| {
        w.key("type").text(name);
        fill(w);
    });
    body.copy(b"\n\n");
    *out = body.into_bytes();
}
