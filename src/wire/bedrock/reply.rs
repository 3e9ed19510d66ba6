//! Reading an [answer](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html), whole or as a
//! [stream](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html).
//!
//! A stream's event goes by the name in its frame. A text or a thought begins without a word, with its first delta. What
//! was used comes last, after the reason to stop.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{citation, output};
use crate::error::{Error, Kind};
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::{Node, Str};
use crate::replay;
use crate::usage::Usage;
use crate::wire::Reader;
use crate::wire::names::Names;

/// Where events go.
type Out<'o> = &'o mut dyn FnMut(Event<'_>);

/// The reader.
pub(super) struct Reply {
    names: Names,
    /// Whether signatures are no one's but Bedrock's.
    sealed: bool,
    /// Whether the answer comes as a call of [`output::TOOL`].
    answers_by_tool: bool,
    /// The blocks that are open: Converse's index and what it became.
    open: Vec<(u64, Open)>,
    /// The index of the next block.
    next: u32,
    started: bool,
    finished: bool,
    /// Whether the last event is given.
    over: bool,
}

/// An open block.
struct Open {
    /// Its index.
    block: u32,
    kind: Sort,
}

/// What an open block is, as far as its deltas depend on it.
enum Sort {
    /// The JSON that was asked for, as a call's arguments.
    Answer,
    /// A call. Whether arguments have come.
    Call(bool),
    /// What no client has a word for.
    Hidden,
    /// Its media type, and its bytes so far.
    Image(&'static str, Vec<u8>),
    /// A thought, its signature in what pieces it comes.
    Thought(String),
    /// Anything with text.
    Text,
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let message = root.get("output").and_then(|output| output.get("message"));
        let Some(content) = message.and_then(|message| message.get("content")) else {
            self.over = true;
            return Self::unread(root, out);
        };
        self.start(out);
        for block in content.items() {
            self.block(block, out);
        }
        self.finish(root, out);
        self.metadata(root, out);
        self.end(out);
    }

    fn event(&mut self, name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        if self.over {
            return;
        }
        match name {
            "contentBlockDelta" => match (index(root), root.get("delta")) {
                (Some(index), Some(delta)) => self.delta(index, delta, out),
                _ => self.corrupt("a `contentBlockDelta` without its delta", out),
            },
            "contentBlockStart" => match (index(root), root.get("start")) {
                (Some(index), Some(start)) => self.block_start(index, start, out),
                _ => self.corrupt("a `contentBlockStart` without its block", out),
            },
            "contentBlockStop" => match index(root) {
                Some(index) => self.block_stop(index, out),
                None => self.corrupt("a `contentBlockStop` without an index", out),
            },
            "messageStart" => self.start(out),
            "messageStop" if self.finished => out(Event::Unknown),
            "messageStop" => self.finish(root, out),
            "metadata" => {
                self.start(out);
                self.metadata(root, out);
                if self.finished {
                    self.end(out);
                }
            }
            _ => out(Event::Unknown),
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        if self.over {
            return;
        }
        if self.finished {
            self.over = true;
            out(Event::End);
        } else {
            self.corrupt("the end of the stream before `messageStop`", out);
        }
    }
}

impl Reply {
    /// With the names under which tools were sent. `sealed`: thoughts are signed for Bedrock alone. `answers_by_tool`: the
    /// answer comes as a call of [`output::TOOL`].
    pub fn new(names: Names, sealed: bool, answers_by_tool: bool) -> Self {
        Self { names, sealed, answers_by_tool, open: Vec::new(), next: 0, started: false, finished: false, over: false }
    }

    fn start(&mut self, out: Out<'_>) {
        if !self.started {
            self.started = true;
            out(Event::Start { id: Str::default(), model: Str::default(), created: None });
        }
    }

    /// A block of a whole answer, in the events of a stream.
    fn block(&mut self, node: Node<'_>, out: Out<'_>) {
        let index = u64::from(self.next);
        let Some((name, value)) = node.members().next() else { return };
        match &*name {
            "citationsContent" => {
                self.text(index, Str::default(), out);
                let texts = value.get("content").into_iter().flat_map(Node::items);
                for text in texts.filter_map(|piece| piece.get("text").and_then(Node::str)) {
                    self.text(index, text, out);
                }
                for cited in value.get("citations").into_iter().flat_map(Node::items) {
                    self.citation(index, cited, out);
                }
            }
            "image" => {
                let source = value.get("source").and_then(|source| source.get("bytes")).and_then(Node::str);
                if let Some(data) = source {
                    let media_type = media_type(value);
                    let block = self.take();
                    out(Event::BlockStart {
                        choice: 0,
                        block,
                        kind: BlockKind::Image { media_type: media_type.into(), data },
                    });
                    out(Event::BlockStop { choice: 0, block });
                }
            }
            "reasoningContent" => match value.get("reasoningText") {
                Some(thought) => {
                    let string = |name| thought.get(name).and_then(Node::str).unwrap_or_default();
                    self.thought(index, string("text"), out);
                    self.signature(index, &string("signature"));
                }
                None => self.redacted(index, value, out),
            },
            "text" => self.text(index, value.str().unwrap_or_default(), out),
            "toolUse" => {
                self.block_start(index, node, out);
                let input = value.get("input").map_or("{}", Node::raw);
                self.arguments(index, Str::plain(input), out);
            }
            _ => return out(Event::Unknown),
        }
        self.block_stop(index, out);
    }

    fn block_start(&mut self, index: u64, start: Node<'_>, out: Out<'_>) {
        self.start(out);
        self.block_stop(index, out);
        let Some((name, value)) = start.members().next() else { return };
        let string = |name| value.get(name).and_then(Node::str).unwrap_or_default();
        match &*name {
            "image" => {
                let block = self.take();
                self.open.push((index, Open { block, kind: Sort::Image(media_type(value), Vec::new()) }));
            }
            // Amazon runs the tool.
            "toolUse" if string("type") == "server_tool_use" => self.hidden(index, start, out),
            "toolUse" if self.answers_by_tool && string("name") == output::TOOL => {
                let block = self.begin(index, BlockKind::Text, Sort::Answer, out);
                debug_assert!(block < self.next);
            }
            "toolUse" => {
                let sent = string("name");
                let name = self.names.decode(&sent).map_or_else(|| sent.clone().into_owned(), Str::into_owned);
                self.begin(index, BlockKind::ToolCall { id: string("toolUseId"), name }, Sort::Call(false), out);
            }
            "toolResult" => self.hidden(index, start, out),
            _ => {}
        }
    }

    fn delta(&mut self, index: u64, delta: Node<'_>, out: Out<'_>) {
        self.start(out);
        let Some((name, value)) = delta.members().next() else { return out(Event::Unknown) };
        match &*name {
            "citation" => self.citation(index, value, out),
            "image" => {
                let source = value.get("source").and_then(|source| source.get("bytes")).and_then(Node::text);
                if let (Some(data), Some(Sort::Image(_, bytes))) = (source, self.sort(index)) {
                    bytes.extend(STANDARD.decode(&*data).unwrap_or_default());
                }
            }
            "reasoningContent" => {
                let string = |name| value.get(name).and_then(Node::str);
                if let Some(text) = string("text") {
                    self.thought(index, text, out);
                } else if let Some(signature) = string("signature") {
                    self.thought(index, Str::default(), out);
                    self.signature(index, &signature);
                } else {
                    self.redacted(index, value, out);
                }
            }
            "text" => self.text(index, value.str().unwrap_or_default(), out),
            "toolUse" => self.arguments(index, value.get("input").and_then(Node::str).unwrap_or_default(), out),
            "toolResult" => {}
            _ => out(Event::Unknown),
        }
    }

    fn block_stop(&mut self, index: u64, out: Out<'_>) {
        let Some(at) = self.open.iter().position(|(known, _)| *known == index) else { return };
        let (_, Open { block, kind }) = self.open.remove(at);
        match kind {
            Sort::Call(false) => more(block, Delta::Arguments("{}".into()), out),
            Sort::Image(media_type, bytes) => {
                let data = Str::plain(STANDARD.encode(bytes));
                out(Event::BlockStart {
                    choice: 0,
                    block,
                    kind: BlockKind::Image { media_type: media_type.into(), data },
                });
            }
            Sort::Thought(signature) if !signature.is_empty() => {
                let signature = if self.sealed { replay::seal("", Format::Bedrock, &signature) } else { signature };
                more(block, Delta::Signature(Str::plain(signature)), out);
            }
            Sort::Answer | Sort::Call(true) | Sort::Hidden | Sort::Text | Sort::Thought(_) => {}
        }
        out(Event::BlockStop { choice: 0, block });
    }

    fn text(&mut self, index: u64, text: Str<'_>, out: Out<'_>) {
        let block = match self.at(index) {
            Some(block) => block,
            None => self.begin(index, BlockKind::Text, Sort::Text, out),
        };
        if !text.is_empty() {
            more(block, Delta::Text(text), out);
        }
    }

    fn thought(&mut self, index: u64, text: Str<'_>, out: Out<'_>) {
        let block = match self.at(index) {
            Some(block) => block,
            None => self.begin(index, BlockKind::Reasoning, Sort::Thought(String::new()), out),
        };
        if !text.is_empty() {
            more(block, Delta::Text(text), out);
        }
    }

    fn signature(&mut self, index: u64, piece: &Str<'_>) {
        if let Some(Sort::Thought(signature)) = self.sort(index) {
            signature.push_str(&piece.to_text());
        }
    }

    fn redacted(&mut self, index: u64, value: Node<'_>, out: Out<'_>) {
        let Some(data) = value.get("redactedContent").and_then(Node::str) else { return out(Event::Unknown) };
        self.block_stop(index, out);
        let data = if self.sealed { Str::plain(replay::seal("", Format::Bedrock, &data.to_text())) } else { data };
        self.begin(index, BlockKind::RedactedReasoning { data }, Sort::Text, out);
    }

    fn arguments(&mut self, index: u64, piece: Str<'_>, out: Out<'_>) {
        let Some((_, open)) = self.open.iter_mut().find(|(known, _)| *known == index) else {
            return self.corrupt("arguments of a call that is not open", out);
        };
        let block = open.block;
        match &mut open.kind {
            _ if piece.is_empty() => {}
            Sort::Answer => more(block, Delta::Text(piece), out),
            Sort::Call(come) => {
                *come = true;
                more(block, Delta::Arguments(piece), out);
            }
            Sort::Hidden | Sort::Image(..) | Sort::Text | Sort::Thought(_) => {}
        }
    }

    fn citation(&mut self, index: u64, cited: Node<'_>, out: Out<'_>) {
        self.text(index, Str::default(), out);
        if let (Some(block), Some(raw)) = (self.at(index), citation::read(cited)) {
            more(block, Delta::Citation { format: Format::Messages, raw: &raw }, out);
        }
    }

    /// A block that no client has a word for.
    fn hidden(&mut self, index: u64, node: Node<'_>, out: Out<'_>) {
        self.begin(index, BlockKind::Native { format: Format::Bedrock, raw: node.raw().into() }, Sort::Hidden, out);
    }

    fn begin(&mut self, index: u64, kind: BlockKind<'_>, sort: Sort, out: Out<'_>) -> u32 {
        let block = self.take();
        out(Event::BlockStart { choice: 0, block, kind });
        self.open.push((index, Open { block, kind: sort }));
        block
    }

    fn take(&mut self) -> u32 {
        let block = self.next;
        self.next = block.saturating_add(1);
        block
    }

    fn at(&self, index: u64) -> Option<u32> {
        self.open.iter().find(|(known, _)| *known == index).map(|(_, open)| open.block)
    }

    fn sort(&mut self, index: u64) -> Option<&mut Sort> {
        self.open.iter_mut().find(|(known, _)| *known == index).map(|(_, open)| &mut open.kind)
    }

    fn finish(&mut self, root: Node<'_>, out: Out<'_>) {
        self.start(out);
        while let Some((index, _)) = self.open.first() {
            self.block_stop(*index, out);
        }
        self.finished = true;
        let word = root.get("stopReason").and_then(Node::str).unwrap_or_else(|| Str::plain("end_turn"));
        let reason = match finish_reason(word) {
            FinishReason::ToolCalls if self.answers_by_tool => FinishReason::Stop,
            reason => reason,
        };
        let fields = root.get("additionalModelResponseFields");
        // A stream's stands one object deeper.
        let place = fields.and_then(|fields| fields.get("delta")).or(fields);
        let stop_sequence = place.and_then(|place| place.get("stop_sequence")).and_then(Node::str);
        out(Event::Finish { choice: 0, reason, stop_sequence });
    }

    /// What was used, and what guards the model found.
    fn metadata(&mut self, root: Node<'_>, out: Out<'_>) {
        if let Some(node) = root.get("usage") {
            let usage = usage(node);
            let service_tier = root.get("serviceTier").and_then(|tier| tier.get("type")).and_then(Node::str);
            out(Event::Usage { usage, service_tier });
        }
    }

    /// An answer without a message.
    fn unread(root: Node<'_>, out: Out<'_>) {
        let message = crate::wire::aws::message(root).unwrap_or_else(|| "the upstream's answer has no message".into());
        out(Event::Error(Error::new(Kind::BadAnswer, message)));
    }

    fn corrupt(&mut self, what: &str, out: Out<'_>) {
        self.over = true;
        let message = format!("the upstream's stream cannot be read: {what}");
        out(Event::Error(Error::new(Kind::BadAnswer, message)));
    }
}

fn more(block: u32, delta: Delta<'_>, out: Out<'_>) {
    out(Event::BlockDelta { choice: 0, block, delta });
}

/// Converse's index of a block.
fn index(root: Node<'_>) -> Option<u64> {
    root.get("contentBlockIndex").and_then(Node::u64)
}

fn media_type(image: Node<'_>) -> &'static str {
    match image.get("format").and_then(Node::text).as_deref() {
        Some("gif") => "image/gif",
        Some("jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        _ => "image/png",
    }
}

/// [Why the model stopped](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#bedrock-runtime_Converse-response-stopReason).
fn finish_reason(word: Str<'_>) -> FinishReason<'_> {
    match &*word.to_text() {
        "content_filtered" | "guardrail_intervened" => FinishReason::ContentFilter,
        "end_turn" => FinishReason::Stop,
        "max_tokens" => FinishReason::Length,
        "model_context_window_exceeded" => FinishReason::ContextWindow,
        "refusal" => FinishReason::Refusal,
        "stop_sequence" => FinishReason::StopSequence,
        "tool_use" => FinishReason::ToolCalls,
        _ => FinishReason::Other(word.clone()),
    }
}

/// What was used: Converse counts what the cache gave and took beside the input.
fn usage(node: Node<'_>) -> Usage {
    let count = |name: &str| node.get(name).and_then(Node::u64).unwrap_or_default();
    let (cache_read, cache_write) = (count("cacheReadInputTokens"), count("cacheWriteInputTokens"));
    let hour = |detail: &Node<'_>| detail.get("ttl").and_then(Node::text).is_some_and(|ttl| ttl == "1h");
    let details = node.get("cacheDetails").into_iter().flat_map(Node::items);
    let written = |detail: Node<'_>| detail.get("inputTokens").and_then(Node::u64).unwrap_or_default();
    let cache_write_1h = details.filter(hour).map(written).fold(0, u64::saturating_add);
    Usage {
        input: count("inputTokens").saturating_add(cache_read).saturating_add(cache_write),
        output: count("outputTokens"),
        cache_read,
        cache_write,
        cache_write_1h,
        ..Usage::default()
    }
}
