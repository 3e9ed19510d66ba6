//! Reading a [response](https://platform.openai.com/docs/api-reference/responses/object), whole or as its
//! [stream](https://platform.openai.com/docs/api-reference/responses-streaming).
//!
//! An item of the output is a block, whatever parts it has: its text is what is counted of an answer that breaks off.

use crate::error::{Error, Kind};
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::{Node, Str};
use crate::wire::Reader;
use crate::wire::openai::error::in_answer;
use crate::wire::openai::reply::usage;

/// Where events go.
type Out<'o> = &'o mut dyn FnMut(Event<'_>);

/// The reader.
#[derive(Default)]
pub(super) struct Reply {
    /// The index of the next block.
    next: u32,
    /// The blocks that are open, by the index of their item in the output.
    open: Vec<(u64, u32)>,
    calls: bool,
    refused: bool,
    started: bool,
    ended: bool,
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: Out<'_>) {
        if root.get("status").is_none() && root.get("output").is_none() {
            return self.fail(Error::new(Kind::BadAnswer, "the answer is no response"), out);
        }
        self.start(root, out);
        for (item, index) in root.get("output").into_iter().flat_map(Node::items).zip(0..) {
            self.item(index, item, out);
            if let Some(block) = self.block(index) {
                text_of(item, &mut |text| out(Event::BlockDelta { choice: 0, block, delta: Delta::Text(text) }));
            }
            self.stop(index, out);
        }
        self.end_of(root, out);
    }

    fn event(&mut self, name: &str, root: Node<'_>, out: Out<'_>) {
        if self.ended {
            return;
        }
        let kind = root.get("type").and_then(Node::text).unwrap_or(name.into());
        let kind = kind.strip_prefix("response.").unwrap_or(&kind);
        let index = root.get("output_index").and_then(Node::u64).unwrap_or_default();
        match (kind, root.get("response")) {
            ("created" | "in_progress" | "queued", Some(response)) => self.start(response, out),
            ("completed" | "failed" | "incomplete", Some(response)) => {
                self.start(response, out);
                self.end_of(response, out);
            }
            ("error", _) => self.fail(said(root.get("error").unwrap_or(root), root), out),
            ("output_item.added", _) => {
                root.get("item").into_iter().for_each(|item| self.item(index, item, out));
            }
            ("output_item.done", _) => self.stop(index, out),
            (kind, _) if kind.ends_with(".delta") => {
                let Some((block, text)) = self.block(index).zip(root.get("delta").and_then(Node::str)) else { return };
                self.refused |= kind == "refusal.delta";
                let delta =
                    if kind == "function_call_arguments.delta" { Delta::Arguments(text) } else { Delta::Text(text) };
                out(Event::BlockDelta { choice: 0, block, delta });
            }
            _ => out(Event::Ping),
        }
    }

    fn end(&mut self, out: Out<'_>) {
        if !self.ended {
            self.fail(Error::new(Kind::BadAnswer, "the stream ended before its finish"), out);
        }
    }
}

impl Reply {
    fn fail(&mut self, error: Error, out: Out<'_>) {
        self.ended = true;
        out(Event::Error(error));
    }

    fn start(&mut self, response: Node<'_>, out: Out<'_>) {
        if self.started {
            return;
        }
        self.started = true;
        let string = |name| response.get(name).and_then(Node::str).unwrap_or_default();
        let created = response.get("created_at").and_then(Node::f64).map(|seconds| seconds as u64);
        out(Event::Start { id: string("id"), model: string("model"), created });
    }

    fn block(&self, index: u64) -> Option<u32> {
        self.open.iter().find(|(item, _)| *item == index).map(|(_, block)| *block)
    }

    fn item(&mut self, index: u64, item: Node<'_>, out: Out<'_>) {
        if !self.started || self.block(index).is_some() {
            return;
        }
        let string = |name| item.get(name).and_then(Node::str).unwrap_or_default();
        let kind = match &*string("type").to_text() {
            "function_call" => {
                self.calls = true;
                BlockKind::ToolCall { id: string("call_id"), name: string("name") }
            }
            "message" => BlockKind::Text,
            "reasoning" => BlockKind::Reasoning,
            _ => {
                self.calls |= item.get("call_id").is_some();
                BlockKind::Native { format: Format::Responses, raw: item.raw().into() }
            }
        };
        let block = self.next;
        self.next = block.saturating_add(1);
        self.open.push((index, block));
        out(Event::BlockStart { choice: 0, block, kind });
    }

    fn stop(&mut self, index: u64, out: Out<'_>) {
        if let Some(at) = self.open.iter().position(|(item, _)| *item == index) {
            let (_, block) = self.open.swap_remove(at);
            out(Event::BlockStop { choice: 0, block });
        }
    }

    /// The response is over, or as far as it will come in this answer.
    fn end_of(&mut self, response: Node<'_>, out: Out<'_>) {
        while let Some((index, _)) = self.open.first() {
            self.stop(*index, out);
        }
        if let Some(usage) = response.get("usage").and_then(usage) {
            let service_tier = response.get("service_tier").and_then(Node::str);
            out(Event::Usage { usage, service_tier });
        }
        let status = response.get("status").and_then(Node::text).unwrap_or_default();
        let reason = match &*status {
            "completed" if self.calls => Some(FinishReason::ToolCalls),
            "completed" if self.refused => Some(FinishReason::Refusal),
            "completed" => Some(FinishReason::Stop),
            "failed" => return self.fail(said(response.get("error").unwrap_or(response), response), out),
            "incomplete" => {
                let why = response.get("incomplete_details").and_then(|d| d.get("reason")).and_then(Node::str);
                Some(match why {
                    Some(word) if word == "max_output_tokens" => FinishReason::Length,
                    Some(word) if word == "content_filter" => FinishReason::ContentFilter,
                    word => FinishReason::Other(word.unwrap_or_default()),
                })
            }
            // Worked on in the background, or cancelled.
            _ => None,
        };
        if let Some(reason) = reason {
            out(Event::Finish { choice: 0, reason, stop_sequence: None });
        }
        self.ended = true;
        out(Event::End);
    }
}

/// The texts of an item.
fn text_of(item: Node<'_>, each: &mut dyn FnMut(Str<'_>)) {
    for name in ["content", "summary"] {
        for part in item.get(name).into_iter().flat_map(Node::items) {
            part.get("text").or_else(|| part.get("refusal")).and_then(Node::str).into_iter().for_each(&mut *each);
        }
    }
    for name in ["arguments", "input"] {
        item.get(name).and_then(Node::str).into_iter().for_each(&mut *each);
    }
}

fn said(error: Node<'_>, root: Node<'_>) -> Error {
    in_answer(Some(error), root).unwrap_or_else(|| Error::new(Kind::Internal, "the upstream failed"))
}
