//! Reading an answer, whole or as a [stream](https://docs.cohere.com/v2/docs/streaming).
//!
//! Usage is what Cohere bills: the counts beside it include its own part of the prompt, which nobody pays for.

use crate::error::{Error, Kind};
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::{self, Body, Node, Str, Writer};
use crate::usage::Usage;
use crate::wire::names::Names;
use crate::wire::{Reader, openai};

/// Where events go.
type Out<'o> = &'o mut dyn FnMut(Event<'_>);

/// A document that was sent to be cited.
pub(super) struct Source {
    /// Its place among all documents: its id.
    pub(super) index: usize,
    pub(super) title: Option<Str<'static>>,
    /// Its text's, in characters.
    pub(super) length: u64,
}

/// The reader.
pub(super) struct Reply {
    names: Names,
    sources: Vec<Source>,
    /// The one stop sequence that was asked for, if it is one: Cohere does not say which ended an answer.
    stop: Option<Str<'static>>,
    /// Blocks that are open: what each is at Cohere's, its index there, its index here.
    open: Vec<(Place, u64, u32)>,
    /// The index of the next block.
    next: u32,
    started: bool,
    /// Whether the last event is given.
    over: bool,
}

/// What counts its blocks for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Call,
    Content,
    Plan,
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let Some(message) = root.get("message").filter(|message| message.kind() == json::Kind::Object) else {
            let said = openai::error::in_answer(None, root);
            return self.fail(said.unwrap_or_else(|| bad("the answer has no message")), out);
        };
        self.start(root, out);
        if let Some(plan) = message.get("tool_plan").and_then(Node::str) {
            self.prose(Place::Plan, 0, plan, out);
        }
        for (part, index) in message.get("content").into_iter().flat_map(Node::items).zip(0..) {
            self.content(index, part, out);
        }
        if let Some(logprobs) = root.get("logprobs") {
            self.logprobs(logprobs.items(), out);
        }
        for citation in message.get("citations").into_iter().flat_map(Node::items) {
            self.citation(citation, out);
        }
        for (call, index) in message.get("tool_calls").into_iter().flat_map(Node::items).zip(0..) {
            self.call(index, call, out);
        }
        self.finish(root, out);
    }

    fn event(&mut self, name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        if self.over {
            return;
        }
        let kind = root.get("type").and_then(Node::text);
        let index = root.get("index").and_then(Node::u64).unwrap_or_default();
        let delta = root.get("delta");
        let said = |member| delta?.get("message")?.get(member);
        match kind.as_deref().unwrap_or(name) {
            "citation-end" => {}
            "citation-start" => match said("citations") {
                Some(citation) => self.citation(citation, out),
                None => out(Event::Unknown),
            },
            "content-delta" | "content-start" => match said("content") {
                Some(part) => {
                    self.content(index, part, out);
                    self.logprobs(root.get("logprobs").into_iter(), out);
                }
                None => out(Event::Unknown),
            },
            "content-end" => self.stop(Place::Content, index, out),
            "message-end" => self.finish(delta.unwrap_or(root), out),
            "message-start" if self.started => out(Event::Unknown),
            "message-start" => self.start(root, out),
            "tool-call-delta" | "tool-call-start" => match said("tool_calls") {
                Some(call) => self.call(index, call, out),
                None => out(Event::Unknown),
            },
            "tool-call-end" => self.stop(Place::Call, index, out),
            "tool-plan-delta" => match said("tool_plan").and_then(Node::str) {
                Some(plan) => self.prose(Place::Plan, 0, plan, out),
                None => out(Event::Unknown),
            },
            _ => match openai::error::in_answer(root.get("error"), root) {
                Some(error) => self.fail(error, out),
                None => out(Event::Unknown),
            },
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        if !self.over {
            self.fail(bad("the stream ended before its `message-end`"), out);
        }
    }
}

impl Reply {
    /// With the names under which tools were sent, and the documents that may be cited.
    pub(super) fn new(names: Names, sources: Vec<Source>) -> Self {
        Self { names, sources, stop: None, open: Vec::new(), next: 0, started: false, over: false }
    }

    /// With the stop sequences that were sent.
    pub(super) fn stopped_by(mut self, stops: &[Str<'_>]) -> Self {
        if let [stop] = stops {
            self.stop = Some(stop.clone().into_owned());
        }
        self
    }

    fn start(&mut self, root: Node<'_>, out: Out<'_>) {
        self.started = true;
        let id = root.get("id").and_then(Node::str).unwrap_or_default();
        out(Event::Start { id, model: Str::default(), created: None });
    }

    /// The block at a place, which begins as `kind` if it is not there.
    fn block(&mut self, place: Place, index: u64, kind: BlockKind<'_>, out: Out<'_>) -> u32 {
        if let Some((.., block)) = self.open.iter().find(|(p, i, _)| (*p, *i) == (place, index)) {
            return *block;
        }
        if !self.started {
            self.started = true;
            out(Event::Start { id: Str::default(), model: Str::default(), created: None });
        }
        // A plan has no end of its own.
        if place != Place::Plan {
            self.stop(Place::Plan, 0, out);
        }
        let block = self.next;
        self.next = block.saturating_add(1);
        out(Event::BlockStart { choice: 0, block, kind });
        self.open.push((place, index, block));
        block
    }

    fn stop(&mut self, place: Place, index: u64, out: Out<'_>) {
        if let Some(at) = self.open.iter().position(|(p, i, _)| (*p, *i) == (place, index)) {
            let (.., block) = self.open.remove(at);
            out(Event::BlockStop { choice: 0, block });
        }
    }

    fn prose(&mut self, place: Place, index: u64, text: Str<'_>, out: Out<'_>) {
        let block = self.block(place, index, BlockKind::Reasoning, out);
        if !text.is_empty() {
            out(Event::BlockDelta { choice: 0, block, delta: Delta::Text(text) });
        }
    }

    /// A part of the content, or a piece of one.
    fn content(&mut self, index: u64, part: Node<'_>, out: Out<'_>) {
        if let Some(thought) = part.get("thinking").and_then(Node::str) {
            return self.prose(Place::Content, index, thought, out);
        }
        let Some(text) = part.get("text").and_then(Node::str) else {
            return if part.get("type").is_none() {
                out(Event::Unknown)
            };
        };
        let block = self.block(Place::Content, index, BlockKind::Text, out);
        if !text.is_empty() {
            out(Event::BlockDelta { choice: 0, block, delta: Delta::Text(text) });
        }
    }

    /// A call, or a piece of one.
    fn call(&mut self, index: u64, call: Node<'_>, out: Out<'_>) {
        let string = |name| call.get(name).and_then(Node::str).unwrap_or_default();
        let function = |name| call.get("function").and_then(|f| f.get(name)?.str()).unwrap_or_default();
        let sent = function("name");
        let name = self.names.decode(&sent).map(Str::into_owned).unwrap_or_else(|| sent.reborrow().into_owned());
        let block = self.block(Place::Call, index, BlockKind::ToolCall { id: string("id"), name }, out);
        let arguments = function("arguments");
        if !arguments.is_empty() {
            out(Event::BlockDelta { choice: 0, block, delta: Delta::Arguments(arguments) });
        }
    }

    /// The probability of each piece of text, in OpenAI's words.
    fn logprobs<'d>(&mut self, items: impl Iterator<Item = Node<'d>>, out: Out<'_>) {
        let Some((.., block)) = self.open.iter().rfind(|(place, ..)| *place == Place::Content) else { return };
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        let mut body = Body::default();
        Writer::new(&mut body).object(|w| {
            w.key("content").array(|w| {
                for item in items {
                    let sum: f64 = item.get("logprobs").into_iter().flat_map(Node::items).filter_map(Node::f64).sum();
                    w.object(|w| {
                        w.key("token").str(&item.get("text").and_then(Node::str).unwrap_or_default());
                        w.key("logprob").raw(&sum.to_string());
                        w.key("bytes").null();
                        w.key("top_logprobs").array(|_| {});
                    });
                }
            });
            w.key("refusal").null();
        });
        let raw = String::from_utf8(body.into_bytes()).unwrap_or_default();
        out(Event::BlockDelta { choice: 0, block: *block, delta: Delta::Logprobs(&raw) });
    }

    /// A [citation](https://docs.cohere.com/v2/docs/documents-and-citations) in the words of each format of ours that
    /// has any: Anthropic's for documents that the client sent, OpenAI's for all sources.
    fn citation(&mut self, citation: Node<'_>, out: Out<'_>) {
        let wanted = citation.get("content_index").and_then(Node::u64);
        let block = self
            .open
            .iter()
            .rfind(|(place, index, _)| *place == Place::Content && wanted.is_none_or(|wanted| wanted == *index));
        let Some((.., block)) = block else { return out(Event::Unknown) };
        let count = |name| citation.get(name).and_then(Node::u64).unwrap_or_default();
        for source in citation.get("sources").into_iter().flat_map(Node::items) {
            let id = source.get("id").and_then(Node::str).unwrap_or_default();
            let data = source.get("document").or_else(|| source.get("tool_output"));
            let string = |name| data.and_then(|data| data.get(name)?.str());
            let mut give = |format, raw: &str| {
                out(Event::BlockDelta { choice: 0, block: *block, delta: Delta::Citation { format, raw } });
            };
            let place = id.to_text().parse::<usize>().ok();
            if let Some(sent) = self.sources.iter().find(|sent| Some(sent.index) == place) {
                give(
                    Format::Messages,
                    &json(|w| {
                        w.key("type").text("char_location");
                        w.key("cited_text").str(&string("snippet").unwrap_or_default());
                        w.key("document_index").u64(sent.index as u64);
                        w.key("document_title");
                        match &sent.title {
                            Some(title) => w.str(title),
                            None => w.null(),
                        }
                        w.key("start_char_index").u64(0);
                        w.key("end_char_index").u64(sent.length);
                        w.key("file_id").null();
                    }),
                );
            }
            give(
                Format::Chat,
                &json(|w| {
                    w.key("url_citation").object(|w| {
                        w.key("start_index").u64(count("start"));
                        w.key("end_index").u64(count("end"));
                        w.key("title").str(&string("title").unwrap_or_default());
                        w.key("url").str(&string("url").unwrap_or_else(|| id.reborrow()));
                    });
                }),
            );
        }
    }

    /// The answer is complete; `from` says why.
    fn finish(&mut self, from: Node<'_>, out: Out<'_>) {
        if self.over {
            return;
        }
        while let Some(&(place, index, _)) = self.open.first() {
            self.stop(place, index, out);
        }
        if !self.started {
            self.start(from, out);
        }
        let word = from.get("finish_reason").and_then(Node::str).unwrap_or_default();
        let reason = match &*word.to_text() {
            "COMPLETE" => FinishReason::Stop,
            "ERROR_LIMIT" => FinishReason::ContextWindow,
            "ERROR_TOXIC" => FinishReason::ContentFilter,
            "MAX_TOKENS" => FinishReason::Length,
            "STOP_SEQUENCE" => FinishReason::StopSequence,
            "TOOL_CALL" => FinishReason::ToolCalls,
            "ERROR" | "TIMEOUT" => {
                let said = from.get("error").and_then(Node::text);
                let message = said.as_deref().unwrap_or("the upstream stopped in the middle of its answer");
                let kind = if word == "TIMEOUT" { Kind::Timeout } else { Kind::Internal };
                usage(from, out);
                return self.fail(Error::new(kind, message), out);
            }
            _ => FinishReason::Other(word.reborrow()),
        };
        let stop_sequence = self.stop.as_ref().filter(|_| reason == FinishReason::StopSequence).map(Str::reborrow);
        out(Event::Finish { choice: 0, reason, stop_sequence });
        usage(from, out);
        self.over = true;
        out(Event::End);
    }

    fn fail(&mut self, error: Error, out: Out<'_>) {
        self.over = true;
        out(Event::Error(error));
    }
}

fn usage(from: Node<'_>, out: Out<'_>) {
    let Some(node) = from.get("usage") else { return };
    let Some(counts) = node.get("billed_units").or_else(|| node.get("tokens")) else { return };
    let count = |name| counts.get(name).and_then(Node::u64).unwrap_or_default();
    let input = count("input_tokens");
    let cached = node.get("cached_tokens").and_then(Node::u64).unwrap_or_default();
    // The cache may hold the part of the prompt that is not billed; then it is no part of what is.
    let cache_read = if cached <= input { cached } else { 0 };
    let usage = Usage { input, output: count("output_tokens"), cache_read, ..Usage::default() };
    out(Event::Usage { usage, service_tier: None });
}

fn json(fill: impl FnOnce(&mut Writer<'_, '_>)) -> String {
    let mut body = Body::default();
    Writer::new(&mut body).object(fill);
    String::from_utf8(body.into_bytes()).unwrap_or_default()
}

fn bad(what: &str) -> Error {
    Error::new(Kind::BadAnswer, what)
}
