//! Reading an answer, whole or in [lines](https://docs.ollama.com/api/streaming): each is an object of the same shape.

use crate::error::{Error, Kind};
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::json::{Body, Node, Str, Writer};
use crate::usage::Usage;
use crate::wire::{Reader, openai};

/// Where events go.
type Out<'o> = &'o mut dyn FnMut(Event<'_>);

/// The reader.
#[derive(Default)]
pub(super) struct Reply {
    /// The block of prose that is open: whether it is thought, and its index.
    open: Option<(bool, u32)>,
    /// The index of the next block.
    next: u32,
    called: bool,
    started: bool,
    /// Whether the last event is given.
    over: bool,
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        self.event("", root, out);
        self.end(out);
    }

    fn event(&mut self, _name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        if self.over {
            return;
        }
        if let Some(error) = root.get("error") {
            let said = openai::error::in_answer(Some(error), root);
            return self.fail(said.unwrap_or_else(|| Error::new(Kind::Internal, "the upstream failed")), out);
        }
        let Some(message) = root.get("message") else { return out(Event::Unknown) };
        if !self.started {
            self.started = true;
            let model = root.get("model").and_then(Node::str).unwrap_or_default();
            out(Event::Start { id: Str::default(), model, created: None });
        }
        let text = |name| message.get(name).and_then(Node::str).unwrap_or_default();
        self.prose(true, text("thinking"), out);
        self.prose(false, text("content"), out);
        if let (Some(logprobs), Some((false, block))) = (root.get("logprobs"), self.open) {
            let raw = self::logprobs(logprobs);
            out(Event::BlockDelta { choice: 0, block, delta: Delta::Logprobs(&raw) });
        }
        for call in message.get("tool_calls").into_iter().flat_map(Node::items) {
            self.call(call, out);
        }
        if root.get("done").and_then(Node::bool) == Some(true) {
            self.finish(root, out);
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        if !self.over {
            self.fail(Error::new(Kind::BadAnswer, "the answer ended before it was done"), out);
        }
    }
}

impl Reply {
    fn prose(&mut self, thought: bool, text: Str<'_>, out: Out<'_>) {
        if text.is_empty() {
            return;
        }
        let block = match self.open {
            Some((open, block)) if open == thought => block,
            _ => {
                self.close(out);
                let block = self.start(if thought { BlockKind::Reasoning } else { BlockKind::Text }, out);
                self.open = Some((thought, block));
                block
            }
        };
        out(Event::BlockDelta { choice: 0, block, delta: Delta::Text(text) });
    }

    fn start(&mut self, kind: BlockKind<'_>, out: Out<'_>) -> u32 {
        let block = self.next;
        self.next = block.saturating_add(1);
        out(Event::BlockStart { choice: 0, block, kind });
        block
    }

    fn close(&mut self, out: Out<'_>) {
        if let Some((_, block)) = self.open.take() {
            out(Event::BlockStop { choice: 0, block });
        }
    }

    /// A call, which comes whole. Older servers give it no id, and count no further than 0.
    fn call(&mut self, call: Node<'_>, out: Out<'_>) {
        let Some(function) = call.get("function") else { return out(Event::Unknown) };
        self.close(out);
        self.called = true;
        let id = call.get("id").and_then(Node::str).unwrap_or_default();
        let name = function.get("name").and_then(Node::str).unwrap_or_default();
        let block = self.start(BlockKind::ToolCall { id, name }, out);
        if let Some(arguments) = function.get("arguments") {
            let arguments = arguments.str().unwrap_or_else(|| Str::plain(arguments.raw()));
            out(Event::BlockDelta { choice: 0, block, delta: Delta::Arguments(arguments) });
        }
        out(Event::BlockStop { choice: 0, block });
    }

    fn finish(&mut self, root: Node<'_>, out: Out<'_>) {
        self.close(out);
        let word = root.get("done_reason").and_then(Node::str).unwrap_or_default();
        let reason = match &*word.to_text() {
            "length" => FinishReason::Length,
            "" | "load" | "stop" | "unload" if self.called => FinishReason::ToolCalls,
            "" | "load" | "stop" | "unload" => FinishReason::Stop,
            _ => FinishReason::Other(word.reborrow()),
        };
        out(Event::Finish { choice: 0, reason, stop_sequence: None });
        let count = |name| root.get(name).and_then(Node::u64);
        let (input, output) = (count("prompt_eval_count"), count("eval_count"));
        if input.or(output).is_some() {
            let (input, output) = (input.unwrap_or_default(), output.unwrap_or_default());
            out(Event::Usage { usage: Usage { input, output, ..Usage::default() }, service_tier: None });
        }
        self.over = true;
        out(Event::End);
    }

    fn fail(&mut self, error: Error, out: Out<'_>) {
        self.over = true;
        out(Event::Error(error));
    }
}

/// OpenAI's `logprobs`, whose entries have the same members.
fn logprobs(items: Node<'_>) -> String {
    let mut body = Body::default();
    Writer::new(&mut body).object(|w| {
        w.key("content").array(|w| items.items().for_each(|item| entry(item, true, w)));
        w.key("refusal").null();
    });
    String::from_utf8(body.into_bytes()).unwrap_or_default()
}

fn entry(item: Node<'_>, outer: bool, w: &mut Writer<'_, '_>) {
    w.object(|w| {
        for name in ["token", "logprob", "bytes"] {
            w.key(name).raw(item.get(name).map_or("null", Node::raw));
        }
        if outer {
            let top = item.get("top_logprobs").into_iter().flat_map(Node::items);
            w.key("top_logprobs").array(|w| top.for_each(|item| entry(item, false, w)));
        }
    });
}
