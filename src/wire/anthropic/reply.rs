//! Reading an [answer](https://platform.claude.com/docs/en/api/messages), whole or as a
//! [stream](https://platform.claude.com/docs/en/build-with-claude/streaming).

use crate::error::{Error, Kind};
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::{self, Node, Str};
use crate::usage::Usage;
use crate::wire::Reader;
use crate::wire::names::Names;

/// Where events go.
type Out<'o> = &'o mut dyn FnMut(Event<'_>);

/// The reader.
pub(super) struct Reply {
    names: Names,
    blocks: Blocks,
    counts: Counts,
    started: bool,
    finished: bool,
    /// Whether the last event is given.
    over: bool,
}

/// The blocks of a stream.
#[derive(Default)]
struct Blocks {
    /// Those that are open: Anthropic's index and what it became. Seldom more than one.
    open: Vec<(u64, Open)>,
    /// The index of the next one.
    next: u32,
    /// The bytes of input that were kept.
    kept: usize,
}

/// The most blocks that are open at once. Anthropic opens one after the other.
const MOST_OPEN: usize = 128;

/// An open block.
struct Open {
    /// Its index.
    block: u32,
    kind: Sort,
}

/// What an open block is, as far as its deltas depend on it.
enum Sort {
    /// What only Anthropic knows.
    Native,
    /// Anything with text.
    Text,
    /// A call whose arguments have not come: what they are if none do.
    Unargued(String),
    /// A call whose arguments come.
    Argued,
}

/// Tokens, as Anthropic counts them: each part for itself.
#[derive(Clone, Copy, Default)]
struct Counts {
    input: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    output: u64,
    reasoning: u64,
}

/// Events that stand inside a message.
const OF_A_MESSAGE: &[&str] =
    &["content_block_delta", "content_block_start", "content_block_stop", "message_delta", "message_stop"];

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        if root.get("error").is_some() {
            return out(Event::Error(super::error::event(root)));
        }
        let string = |name| root.get(name).and_then(Node::str).unwrap_or_default();
        let Some(content) = root.get("content").filter(|content| content.kind() == json::Kind::Array) else {
            return self.counted(root, out);
        };
        out(Event::Start { id: string("id"), model: string("model"), created: None });
        for block in content.items() {
            if block.kind() != json::Kind::Object {
                out(Event::Unknown);
                continue;
            }
            let index = u64::from(self.blocks.next);
            self.block_start(index, block, out);
            self.block_stop(index, out);
        }
        let reason = root.get("stop_reason").and_then(Node::str).unwrap_or_else(|| Str::plain("end_turn"));
        self.finish(reason, root, out);
        if let Some(usage) = root.get("usage") {
            self.usage(usage, out);
        }
        out(Event::End);
    }

    fn event(&mut self, name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        if self.over {
            return;
        }
        if name == "content_block_delta" {
            return self.delta(root, out);
        }
        let kind = root.get("type").and_then(Node::text).unwrap_or_default();
        let kind = if name.is_empty() { &*kind } else { name };
        if !self.started && OF_A_MESSAGE.contains(&kind) {
            return self.corrupt(&format!("a `{kind}` before `message_start`"), out);
        }
        match kind {
            "content_block_delta" => self.delta(root, out),
            "content_block_start" => match (index(root), root.get("content_block")) {
                _ if self.finished => self.corrupt("a `content_block_start` after the stop reason", out),
                _ if self.blocks.open.len() >= MOST_OPEN => self.corrupt("too many open blocks", out),
                (Some(index), Some(block)) if block.kind() == json::Kind::Object => self.block_start(index, block, out),
                _ => self.corrupt("a `content_block_start` without its block", out),
            },
            "content_block_stop" => match index(root) {
                Some(index) => self.block_stop(index, out),
                None => self.corrupt("a `content_block_stop` without an index", out),
            },
            "error" => self.fail(super::error::event(root), out),
            "message_delta" => self.message_delta(root, out),
            "message_start" => match root.get("message") {
                Some(message) if !self.started => self.message_start(message, out),
                Some(_) => out(Event::Unknown),
                None => self.corrupt("a `message_start` without its message", out),
            },
            "message_stop" if self.finished => {
                self.over = true;
                out(Event::End);
            }
            "message_stop" => self.corrupt("a `message_stop` without a stop reason", out),
            "ping" => out(Event::Ping),
            _ => out(Event::Unknown),
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        if !self.over {
            self.corrupt("the end of the stream before `message_stop`", out);
        }
    }

    fn kept(&self) -> usize {
        self.blocks.kept
    }
}

impl Reply {
    /// With the names under which tools were sent.
    pub fn new(names: Names) -> Self {
        let (blocks, counts) = (Blocks::default(), Counts::default());
        Self { names, blocks, counts, started: false, finished: false, over: false }
    }

    fn message_start(&mut self, message: Node<'_>, out: Out<'_>) {
        self.started = true;
        let string = |name| message.get(name).and_then(Node::str).unwrap_or_default();
        out(Event::Start { id: string("id"), model: string("model"), created: None });
        if let Some(usage) = message.get("usage") {
            self.usage(usage, out);
        }
    }

    fn message_delta(&mut self, root: Node<'_>, out: Out<'_>) {
        if let Some(delta) = root.get("delta")
            && let Some(reason) = delta.get("stop_reason").and_then(Node::str)
            && !self.finished
        {
            self.finish(reason, delta, out);
        }
        if let Some(usage) = root.get("usage") {
            self.usage(usage, out);
        }
    }

    /// The choice is complete; `from` holds what is said about it.
    fn finish(&mut self, reason: Str<'_>, from: Node<'_>, out: Out<'_>) {
        while let Some((index, _)) = self.blocks.open.first() {
            self.block_stop(*index, out);
        }
        let reason = finish_reason(reason);
        let explanation = from.get("stop_details").and_then(|d| d.get("explanation")).and_then(Node::str);
        if let (FinishReason::Refusal, Some(text)) = (&reason, explanation) {
            let block = self.blocks.take();
            start(block, BlockKind::Refusal, out);
            more(block, Delta::Text(text), out);
            out(Event::BlockStop { choice: 0, block });
        }
        self.finished = true;
        let stop_sequence = from.get("stop_sequence").and_then(Node::str);
        out(Event::Finish { choice: 0, reason, stop_sequence });
    }

    fn block_start(&mut self, index: u64, node: Node<'_>, out: Out<'_>) {
        self.block_stop(index, out);
        let block = self.blocks.take();
        let string = |name| node.get(name).and_then(Node::str).unwrap_or_default();
        let kind = match node.get("type").and_then(Node::text).unwrap_or_default().as_ref() {
            "redacted_thinking" => {
                start(block, BlockKind::RedactedReasoning { data: string("data") }, out);
                Sort::Text
            }
            "text" => {
                start(block, BlockKind::Text, out);
                text(block, string("text"), out);
                for citation in node.get("citations").into_iter().flat_map(Node::items) {
                    more(block, Delta::Citation { format: Format::Messages, raw: citation.raw() }, out);
                }
                Sort::Text
            }
            "thinking" => {
                start(block, BlockKind::Reasoning, out);
                text(block, string("thinking"), out);
                let signature = string("signature");
                if !signature.is_empty() {
                    more(block, Delta::Signature(signature), out);
                }
                Sort::Text
            }
            "tool_use" => {
                let sent = string("name");
                let name = self.names.decode(&sent).unwrap_or_else(|| sent.reborrow());
                start(block, BlockKind::ToolCall { id: string("id"), name }, out);
                // Streams begin with an empty object and send its text after; answers, and some servers, bring it here.
                let input = node.get("input").map_or("{}", Node::raw);
                self.blocks.kept = self.blocks.kept.saturating_add(input.len());
                Sort::Unargued(input.to_owned())
            }
            _ => {
                start(block, BlockKind::Native { format: Format::Messages, raw: node.raw().into() }, out);
                Sort::Native
            }
        };
        self.blocks.open.push((index, Open { block, kind }));
    }

    fn delta(&mut self, root: Node<'_>, out: Out<'_>) {
        let (Some(index), Some(delta)) = (index(root), root.get("delta")) else {
            return self.corrupt("a `content_block_delta` without its delta", out);
        };
        let Some((_, open)) = self.blocks.open.iter_mut().find(|(known, _)| *known == index) else {
            return self.corrupt("a `content_block_delta` of a block that is not open", out);
        };
        let block = open.block;
        let string = |name| delta.get(name).and_then(Node::str).unwrap_or_default();
        let kind = delta.get("type").and_then(Node::text).unwrap_or_default();
        let read = match (&*kind, &open.kind) {
            (_, Sort::Native) => Delta::Native(delta.raw()),
            ("text_delta", Sort::Text) => Delta::Text(string("text")),
            ("input_json_delta", Sort::Argued | Sort::Unargued(_)) => {
                let piece = string("partial_json");
                if piece.is_empty() {
                    return;
                }
                open.kind = Sort::Argued;
                Delta::Arguments(piece)
            }
            ("thinking_delta", Sort::Text) => Delta::Text(string("thinking")),
            ("signature_delta", Sort::Text) => Delta::Signature(string("signature")),
            ("citations_delta", Sort::Text) => match delta.get("citation") {
                Some(citation) => Delta::Citation { format: Format::Messages, raw: citation.raw() },
                None => return self.corrupt("a `citations_delta` without its citation", out),
            },
            _ => return out(Event::Unknown),
        };
        more(block, read, out);
    }

    fn block_stop(&mut self, index: u64, out: Out<'_>) {
        let Some(at) = self.blocks.open.iter().position(|(known, _)| *known == index) else { return };
        let (_, Open { block, kind }) = self.blocks.open.remove(at);
        if let Sort::Unargued(input) = kind {
            more(block, Delta::Arguments(Str::plain(input)), out);
        }
        out(Event::BlockStop { choice: 0, block });
    }

    /// Counts are cumulative: a later one replaces an earlier one.
    fn usage(&mut self, node: Node<'_>, out: Out<'_>) {
        self.counts.read(node);
        let text = |name| node.get(name).and_then(Node::str);
        // Fast mode has prices of its own, whatever the tier is.
        let service_tier = text("speed").filter(|speed| *speed == "fast").or_else(|| text("service_tier"));
        out(Event::Usage { usage: self.counts.usage(), service_tier });
    }

    /// An answer without content: the count of a prompt's tokens, or nothing that can be read.
    fn counted(&mut self, root: Node<'_>, out: Out<'_>) {
        let Some(input) = root.get("input_tokens").and_then(Node::u64) else {
            return out(Event::Error(Error::new(Kind::BadAnswer, "the upstream's answer has no content")));
        };
        out(Event::Start { id: Str::default(), model: Str::default(), created: None });
        out(Event::Usage { usage: Usage { input, ..Usage::default() }, service_tier: None });
        out(Event::End);
    }

    fn corrupt(&mut self, what: &str, out: Out<'_>) {
        self.fail(Error::new(Kind::BadAnswer, format!("the upstream's stream cannot be read: {what}")), out);
    }

    fn fail(&mut self, error: Error, out: Out<'_>) {
        self.over = true;
        out(Event::Error(error));
    }
}

impl Blocks {
    /// The index of a new block.
    fn take(&mut self) -> u32 {
        let block = self.next;
        self.next = block.saturating_add(1);
        block
    }
}

impl Counts {
    fn read(&mut self, node: Node<'_>) {
        for (name, value) in node.members() {
            let count = |count: &mut u64| *count = value.u64().unwrap_or(*count);
            match &*name {
                "cache_creation" => {
                    self.cache_write_1h =
                        value.get("ephemeral_1h_input_tokens").and_then(Node::u64).unwrap_or(self.cache_write_1h);
                }
                "cache_creation_input_tokens" => count(&mut self.cache_write),
                "cache_read_input_tokens" => count(&mut self.cache_read),
                "input_tokens" => count(&mut self.input),
                "output_tokens" => count(&mut self.output),
                "output_tokens_details" => {
                    self.reasoning = value.get("thinking_tokens").and_then(Node::u64).unwrap_or(self.reasoning);
                }
                _ => {}
            }
        }
    }

    fn usage(self) -> Usage {
        Usage {
            input: self.input.saturating_add(self.cache_read).saturating_add(self.cache_write),
            output: self.output,
            cache_read: self.cache_read,
            cache_write: self.cache_write,
            cache_write_1h: self.cache_write_1h,
            reasoning: self.reasoning,
            ..Usage::default()
        }
    }
}

fn start(block: u32, kind: BlockKind<'_>, out: Out<'_>) {
    out(Event::BlockStart { choice: 0, block, kind });
}

fn more(block: u32, delta: Delta<'_>, out: Out<'_>) {
    out(Event::BlockDelta { choice: 0, block, delta });
}

fn text(block: u32, text: Str<'_>, out: Out<'_>) {
    if !text.is_empty() {
        more(block, Delta::Text(text), out);
    }
}

fn index(root: Node<'_>) -> Option<u64> {
    root.get("index").and_then(Node::u64)
}

fn finish_reason(word: Str<'_>) -> FinishReason<'_> {
    match &*word.to_text() {
        "end_turn" => FinishReason::Stop,
        "max_tokens" => FinishReason::Length,
        "model_context_window_exceeded" => FinishReason::ContextWindow,
        "pause_turn" => FinishReason::Pause,
        "refusal" => FinishReason::Refusal,
        "stop_sequence" => FinishReason::StopSequence,
        "tool_use" => FinishReason::ToolCalls,
        _ => FinishReason::Other(word.clone()),
    }
}
