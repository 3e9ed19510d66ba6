//! One choice of an answer: which of its blocks are open.

use crate::error::{self, Error};
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::{Body, Kind, Node, Str, Writer};
use crate::wire::names::Names;

/// The index of a call in the format from before there were several.
const FUNCTION_CALL: u64 = u64::MAX;

/// The most calls that are followed in one choice: clients may offer 128 tools.
const MOST_CALLS: usize = 256;

/// Takes events.
pub(super) type Out<'o> = &'o mut dyn FnMut(Event<'_>);

/// A choice.
pub(super) struct Choice {
    pub(super) index: u32,
    pub(super) finished: bool,
    /// The index of the next block.
    next: u32,
    /// The block of prose that is open.
    open: Option<(Prose, u32)>,
    /// All calls so far.
    calls: Vec<Call>,
    refused: bool,
    /// The bytes of names, ids and early arguments that were kept.
    pub(super) kept: usize,
}

/// What a block of prose is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prose {
    Reasoning,
    Refusal,
    Text,
}

/// A call of a tool. Its block starts when its name is whole: with the first of its arguments.
struct Call {
    /// The provider's index of it.
    index: Option<u64>,
    id: Str<'static>,
    name: String,
    /// Arguments that came before the name, in JSON escapes.
    held: String,
    block: Option<u32>,
    stopped: bool,
}

/// What a message, or a piece of one, holds.
#[derive(Default)]
struct Message<'d> {
    annotations: Option<Node<'d>>,
    content: Option<Node<'d>>,
    function_call: Option<Node<'d>>,
    reasoning: Option<Str<'d>>,
    /// Thought in parts, which may be the same thought once more.
    reasoning_parts: Option<Node<'d>>,
    refusal: Option<Str<'d>>,
    tool_calls: Option<Node<'d>>,
    unknown: bool,
}

impl<'d> Message<'d> {
    fn read(node: Node<'d>) -> Self {
        let mut message = Self::default();
        for (name, value) in node.members() {
            if value.is_null() {
                continue;
            }
            match &*name {
                "annotations" => message.annotations = Some(value),
                "content" => message.content = Some(value),
                "function_call" => message.function_call = Some(value),
                // One thought under the names that servers have for it, sometimes under two of them.
                "reasoning" | "reasoning_content" | "reasoning_text" | "thinking" => {
                    message.reasoning = message.reasoning.or(value.str().filter(|text| !text.is_empty()));
                }
                "reasoning_details" | "thinking_blocks" => message.reasoning_parts = Some(value),
                "refusal" => message.refusal = value.str(),
                "tool_calls" => message.tool_calls = Some(value),
                "audio" | "images" => message.unknown = true,
                _ => {}
            }
        }
        message
    }
}

impl Choice {
    pub(super) fn new(index: u32) -> Self {
        Self { index, finished: false, next: 0, open: None, calls: Vec::new(), refused: false, kept: 0 }
    }

    /// Whether nothing has been said in it.
    pub(super) fn is_empty(&self) -> bool {
        self.next == 0 && self.calls.is_empty()
    }

    /// Reads a message if `whole`, else a piece of one.
    pub(super) fn message(
        &mut self,
        node: Node<'_>,
        logprobs: Option<Node<'_>>,
        names: &Names,
        whole: bool,
        out: Out<'_>,
    ) -> Result<(), Error> {
        let message = Message::read(node);
        match (message.reasoning, message.reasoning_parts) {
            (Some(text), _) => self.prose(Prose::Reasoning, text, out),
            (None, Some(parts)) => parts.items().for_each(|part| self.thought(part, out)),
            (None, None) => {}
        }
        match message.content {
            Some(node) if node.kind() == Kind::Array => node.items().for_each(|part| self.part(part, out)),
            Some(node) => self.prose(Prose::Text, node.str().unwrap_or_default(), out),
            None => {}
        }
        self.prose(Prose::Refusal, message.refusal.unwrap_or_default(), out);
        if let (Some(logprobs), Some((Prose::Text | Prose::Refusal, block))) = (logprobs, self.open) {
            let delta = Delta::Logprobs(logprobs.raw());
            out(Event::BlockDelta { choice: self.index, block, delta });
        }
        for citation in message.annotations.into_iter().flat_map(Node::items) {
            let block = self.open(Prose::Text, out);
            let delta = Delta::Citation { format: Format::Chat, raw: citation.raw() };
            out(Event::BlockDelta { choice: self.index, block, delta });
        }
        for call in message.tool_calls.into_iter().flat_map(Node::items) {
            self.call(call, None, names, whole, out)?;
        }
        if let Some(call) = message.function_call {
            self.call(call, Some(FUNCTION_CALL), names, whole, out)?;
        }
        if message.unknown {
            out(Event::Unknown);
        }
        Ok(())
    }

    /// Cites sources that are listed beside the choices: addresses, or objects with one. Anthropic's form of such a
    /// citation is read by other clients too.
    pub(super) fn cite(&mut self, sources: Option<Node<'_>>, out: Out<'_>) {
        for source in sources.into_iter().flat_map(Node::items) {
            let Some(url) = source.str().or_else(|| source.get("url")?.str()) else { continue };
            let title = source.get("title").and_then(Node::str).unwrap_or_default();
            let mut body = Body::default();
            Writer::new(&mut body).object(|w| {
                w.key("type").text("web_search_result_location");
                w.key("title").str(&title);
                w.key("url").str(&url);
                w.key("cited_text").text("");
                w.key("encrypted_index").text("");
            });
            let raw = String::from_utf8(body.into_bytes()).unwrap_or_default();
            let block = self.open(Prose::Text, out);
            let delta = Delta::Citation { format: Format::Messages, raw: &raw };
            out(Event::BlockDelta { choice: self.index, block, delta });
        }
    }

    /// Text of the older completions.
    pub(super) fn text(&mut self, text: Str<'_>, out: Out<'_>) {
        self.prose(Prose::Text, text, out);
    }

    /// Stops every block and says why. A choice finishes once, whatever a server repeats.
    pub(super) fn finish(&mut self, word: &Str<'_>, stop_sequence: Option<Str<'_>>, names: &Names, out: Out<'_>) {
        if self.finished {
            return;
        }
        self.finished = true;
        self.close(out);
        self.start_calls(names, out);
        for at in 0..self.calls.len() {
            self.stop_call(at, out);
        }
        let reason = match finish_reason(word) {
            FinishReason::Stop if !self.calls.is_empty() => FinishReason::ToolCalls,
            FinishReason::Stop if self.refused => FinishReason::Refusal,
            FinishReason::Stop if stop_sequence.is_some() => FinishReason::StopSequence,
            reason => reason,
        };
        let stop_sequence = stop_sequence.filter(|_| reason == FinishReason::StopSequence);
        out(Event::Finish { choice: self.index, reason, stop_sequence });
    }

    /// A part of a message whose content is an array, as Mistral's is.
    fn part(&mut self, part: Node<'_>, out: Out<'_>) {
        let kind = part.get("type").and_then(Node::text).unwrap_or_default();
        let text = |name| part.get(name).and_then(Node::str).unwrap_or_default();
        match &*kind {
            "refusal" => self.prose(Prose::Refusal, text("refusal"), out),
            "text" | "output_text" => self.prose(Prose::Text, text("text"), out),
            "thinking" | "reasoning" => self.thought(part, out),
            _ => out(Event::Unknown),
        }
    }

    /// A part of a thought: its text is a string, or an array of texts, under a name that depends on the server. What
    /// only the provider can read is left out, as this format cannot give it back.
    fn thought(&mut self, part: Node<'_>, out: Out<'_>) {
        for (name, value) in part.members() {
            if !matches!(&*name, "text" | "thinking" | "summary" | "reasoning") {
                continue;
            }
            if let Some(text) = value.str() {
                self.prose(Prose::Reasoning, text, out);
            }
            for text in value.items().filter_map(|inner| inner.get("text").and_then(Node::str)) {
                self.prose(Prose::Reasoning, text, out);
            }
        }
    }

    fn prose(&mut self, prose: Prose, text: Str<'_>, out: Out<'_>) {
        if text.is_empty() {
            return;
        }
        let block = self.open(prose, out);
        out(Event::BlockDelta { choice: self.index, block, delta: Delta::Text(text) });
    }

    /// The open block of such prose; another one is stopped for it.
    fn open(&mut self, prose: Prose, out: Out<'_>) -> u32 {
        if let Some((open, block)) = self.open
            && open == prose
        {
            return block;
        }
        self.close(out);
        let kind = match prose {
            Prose::Reasoning => BlockKind::Reasoning,
            Prose::Refusal => BlockKind::Refusal,
            Prose::Text => BlockKind::Text,
        };
        self.refused |= prose == Prose::Refusal;
        let block = self.start(kind, out);
        self.open = Some((prose, block));
        block
    }

    fn close(&mut self, out: Out<'_>) {
        if let Some((_, block)) = self.open.take() {
            out(Event::BlockStop { choice: self.index, block });
        }
    }

    fn start(&mut self, kind: BlockKind<'_>, out: Out<'_>) -> u32 {
        let block = self.next;
        self.next = self.next.saturating_add(1);
        out(Event::BlockStart { choice: self.index, block, kind });
        block
    }

    /// Reads a call if `whole`, else a piece of one.
    fn call(
        &mut self,
        node: Node<'_>,
        index: Option<u64>,
        names: &Names,
        whole: bool,
        out: Out<'_>,
    ) -> Result<(), Error> {
        let mut index = index;
        let (mut id, mut name, mut arguments) = (Str::default(), Str::default(), Str::default());
        // Most have the last two in `function`, some beside it.
        let function = node.get("function");
        for (member, value) in node.members().chain(function.into_iter().flat_map(Node::members)) {
            match &*member {
                "arguments" => arguments = text_of_arguments(value),
                "id" => id = value.str().unwrap_or_default(),
                "index" => index = value.u64().or(index),
                "name" => name = value.str().unwrap_or_default(),
                _ => {}
            }
        }
        if function.is_none() && name.is_empty() && arguments.is_empty() {
            out(Event::Unknown);
            return Ok(());
        }
        let name_text = name.to_text();
        let at = match self.find(index, &id, &name_text).filter(|_| !whole) {
            Some(at) => at,
            None if self.calls.len() >= MOST_CALLS => {
                return Err(Error::new(error::Kind::BadAnswer, format!("more than {MOST_CALLS} tool calls")));
            }
            None => {
                self.start_calls(names, out);
                let (id, block) = (Str::default(), None);
                self.calls.push(Call { index, id, name: String::new(), held: String::new(), block, stopped: false });
                self.calls.len().saturating_sub(1)
            }
        };
        let Some(call) = self.calls.get_mut(at) else { return Ok(()) };
        if call.id.is_empty() && !id.is_empty() {
            self.kept = self.kept.saturating_add(id.len());
            call.id = id.into_owned();
        }
        // A name comes whole, in pieces, or again and again.
        if call.block.is_none() && call.name != name_text {
            self.kept = self.kept.saturating_add(name_text.len());
            call.name.push_str(&name_text);
        }
        if !arguments.is_empty() {
            if call.name.is_empty() {
                self.kept = self.kept.saturating_add(arguments.len());
                arguments.escape_into(&mut call.held);
            } else if let Some(block) = self.start_call(at, names, out) {
                out(Event::BlockDelta { choice: self.index, block, delta: Delta::Arguments(arguments) });
            }
        }
        if whole {
            self.start_call(at, names, out);
            self.stop_call(at, out);
        }
        Ok(())
    }

    /// The call that a piece belongs to, unless it begins another one.
    fn find(&self, index: Option<u64>, id: &Str<'_>, name: &str) -> Option<usize> {
        let at = match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index),
            None if !id.is_empty() => self.calls.iter().rposition(|call| call.id == *id),
            None if name.is_empty() => self.calls.len().checked_sub(1),
            None => None,
        }?;
        let call = self.calls.get(at)?;
        // Some servers count no further than 0, some make up an id for every piece.
        let another = if id.is_empty() || call.id.is_empty() {
            !name.is_empty() && call.block.is_some() && call.name != name
        } else {
            !name.is_empty() && call.id != *id
        };
        (!another).then_some(at)
    }

    /// Starts all calls that wait for the rest of their name.
    fn start_calls(&mut self, names: &Names, out: Out<'_>) {
        for at in 0..self.calls.len() {
            self.start_call(at, names, out);
        }
    }

    /// Starts the block of a call, if that is not done yet.
    fn start_call(&mut self, at: usize, names: &Names, out: Out<'_>) -> Option<u32> {
        let call = self.calls.get(at)?;
        if call.block.is_some() {
            return call.block;
        }
        self.close(out);
        let block = self.next;
        self.next = self.next.saturating_add(1);
        let call = self.calls.get_mut(at)?;
        call.block = Some(block);
        let sent = Str::plain(call.name.as_str());
        let name = names.decode(&sent).unwrap_or_else(|| sent.reborrow());
        let kind = BlockKind::ToolCall { id: call.id.reborrow(), name };
        out(Event::BlockStart { choice: self.index, block, kind });
        let held = std::mem::take(&mut call.held);
        if !held.is_empty() {
            let delta = Delta::Arguments(Str::escaped(held));
            out(Event::BlockDelta { choice: self.index, block, delta });
        }
        Some(block)
    }

    fn stop_call(&mut self, at: usize, out: Out<'_>) {
        let Some(call) = self.calls.get_mut(at) else { return };
        if let (Some(block), false) = (call.block, call.stopped) {
            call.stopped = true;
            out(Event::BlockStop { choice: self.index, block });
        }
    }
}

/// Arguments are JSON text in a string, but for servers that send the JSON itself.
fn text_of_arguments(value: Node<'_>) -> Str<'_> {
    match value.kind() {
        Kind::Null => Str::default(),
        Kind::String => value.str().unwrap_or_default(),
        _ => Str::plain(value.raw()),
    }
}

/// What a word means, whoever uses it.
fn finish_reason<'w>(word: &'w Str<'_>) -> FinishReason<'w> {
    match &*word.to_text() {
        "content_filter" => FinishReason::ContentFilter,
        "length" | "max_tokens" => FinishReason::Length,
        "model_context_window_exceeded" | "model_length" => FinishReason::ContextWindow,
        "pause_turn" => FinishReason::Pause,
        "refusal" => FinishReason::Refusal,
        "stop" | "end_turn" | "eos" | "eos_token" => FinishReason::Stop,
        "stop_sequence" => FinishReason::StopSequence,
        "function_call" | "tool_calls" | "tool_use" => FinishReason::ToolCalls,
        _ => FinishReason::Other(word.reborrow()),
    }
}
