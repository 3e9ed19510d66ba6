//! Reading an [answer](https://ai.google.dev/api/generate-content#generatecontentresponse), whole or as a stream of such.

use std::borrow::Cow;

use super::error;
use crate::error::{Error, Kind};
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::{self, Body, Node, Str, Writer};
use crate::replay;
use crate::usage::Usage;
use crate::wire::Reader;
use crate::wire::names::Names;

/// Where events go.
type Out<'o> = &'o mut dyn FnMut(Event<'_>);

/// The most choices that are followed.
const MOST_CHOICES: u32 = 128;

/// The reader.
pub(super) struct Reply {
    format: Format,
    names: Names,
    /// Whether the answer may cite.
    cites: bool,
    /// Whether the client looks at thought, so that the signatures of texts have a place.
    signs: bool,
    /// The provider's id of the answer.
    id: String,
    choices: Vec<Choice>,
    /// The number of calls so far, of all choices.
    calls: u32,
    started: bool,
    over: bool,
}

/// One of the answers.
#[derive(Default)]
struct Choice {
    index: u32,
    /// The index of the next block.
    next: u32,
    /// The block of prose that is open.
    open: Option<(Prose, u32)>,
    called: bool,
    finished: bool,
    /// Its text so far, if it may cite.
    said: String,
    /// How much of `said` is behind the last place that was cited.
    cited: usize,
}

/// What a block of prose is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prose {
    Text,
    Thought,
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        if let Some(input) = count(Some(root), "totalTokens") {
            out(Event::Start { id: Str::default(), model: Str::default(), created: None });
            out(Event::Usage { usage: Usage { input, ..Usage::default() }, service_tier: None });
            return out(Event::End);
        }
        self.read(root, out);
        if self.over {
            return;
        }
        if self.choices.is_empty() {
            return self.fail(Error::new(Kind::BadAnswer, "the upstream's answer has no candidates"), out);
        }
        for choice in &mut self.choices {
            let reason = if choice.called { FinishReason::ToolCalls } else { FinishReason::Stop };
            choice.finish(reason, out);
        }
        self.end(out);
    }

    fn event(&mut self, _name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        if !self.over {
            self.read(root, out);
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        if self.over {
            return;
        }
        if self.choices.is_empty() || self.choices.iter().any(|choice| !choice.finished) {
            return self.fail(Error::new(Kind::BadAnswer, "the upstream's stream ended before its finish"), out);
        }
        self.over = true;
        out(Event::End);
    }
}

impl Reply {
    /// With the names under which tools were sent.
    pub fn new(format: Format, names: Names) -> Self {
        Self {
            format,
            names,
            cites: false,
            signs: false,
            id: String::new(),
            choices: Vec::new(),
            calls: 0,
            started: false,
            over: false,
        }
    }

    /// For an answer that may cite.
    pub fn citing(self, cites: bool) -> Self {
        Self { cites, ..self }
    }

    /// For a client that looks at thought.
    pub fn signing(self, signs: bool) -> Self {
        Self { signs, ..self }
    }

    fn read(&mut self, root: Node<'_>, out: Out<'_>) {
        if root.kind() == json::Kind::Array || root.get("error").is_some() {
            return self.fail(error::event(root), out);
        }
        let string = |name| root.get(name).and_then(Node::str).unwrap_or_default();
        let (candidates, feedback, usage) =
            (root.get("candidates"), root.get("promptFeedback"), root.get("usageMetadata"));
        if candidates.or(feedback).or(usage).is_none() {
            return out(Event::Unknown);
        }
        if !self.started {
            self.started = true;
            self.id = string("responseId").decode().into_owned();
            out(Event::Start { id: string("responseId"), model: string("modelVersion"), created: None });
        }
        if let Some(node) = usage {
            out(Event::Usage { usage: self::usage(node), service_tier: tier(node) });
        }
        for (node, position) in candidates.into_iter().flat_map(Node::items).zip(0..) {
            self.candidate(node, position, out);
            if self.over {
                return;
            }
        }
        if let Some(feedback) = feedback.filter(|feedback| feedback.get("blockReason").is_some())
            && self.choices.is_empty()
        {
            // The prompt itself is held back.
            let mut choice = Choice::default();
            choice.refuse(feedback.get("blockReasonMessage").and_then(Node::str), out);
            choice.finish(FinishReason::ContentFilter, out);
            self.choices.push(choice);
        }
    }

    fn candidate(&mut self, node: Node<'_>, position: u32, out: Out<'_>) {
        let index = count(Some(node), "index").map_or(position, |index| u32::try_from(index).unwrap_or(u32::MAX));
        if index >= MOST_CHOICES {
            return out(Event::Unknown);
        }
        let at = self.choices.iter().position(|choice| choice.index == index).unwrap_or_else(|| {
            self.choices.push(Choice { index, ..Choice::default() });
            self.choices.len().saturating_sub(1)
        });
        let Some(mut choice) = self.choices.get_mut(at).map(std::mem::take) else { return };
        if !choice.finished {
            self.content(&mut choice, node, out);
        }
        if let Some(place) = self.choices.get_mut(at) {
            *place = choice;
        }
    }

    fn content(&mut self, choice: &mut Choice, node: Node<'_>, out: Out<'_>) {
        let parts = node.get("content").and_then(|content| content.get("parts"));
        parts.into_iter().flat_map(Node::items).for_each(|part| self.part(choice, part, out));
        if let Some(result) = node.get("logprobsResult") {
            let block = choice.open(Prose::Text, out);
            let raw = logprobs(result);
            out(Event::BlockDelta { choice: choice.index, block, delta: Delta::Logprobs(&raw) });
        }
        for source in ["citations", "citationSources"] {
            let metadata = node.get("citationMetadata").and_then(|metadata| metadata.get(source));
            metadata.into_iter().flat_map(Node::items).for_each(|citation| choice.cite(citation, None, out));
        }
        if let Some(metadata) = node.get("groundingMetadata") {
            choice.ground(metadata, out);
        }
        let Some(word) = node.get("finishReason").and_then(Node::str) else { return };
        let message = || node.get("finishMessage").and_then(Node::str);
        let reason = finish_reason(&word, choice.called);
        if is_broken(&word) && choice.next == 0 {
            // Nothing was said, so nothing tells the client that this is no answer.
            let mut text = format!("the upstream's model failed: {}", word.to_text());
            if let Some(message) = message() {
                text = format!("{text}: {}", message.to_text());
            }
            return self.fail(Error::new(Kind::BadAnswer, text), out);
        }
        if reason == FinishReason::ContentFilter {
            choice.refuse(message(), out);
        }
        choice.finish(reason, out);
    }

    fn part(&mut self, choice: &mut Choice, node: Node<'_>, out: Out<'_>) {
        let (mut thought, mut signature, mut content) = (false, None, None);
        for (name, value) in node.members() {
            match &*name {
                "thought" => thought = value.bool() == Some(true),
                "thoughtSignature" => signature = value.text(),
                "codeExecutionResult"
                | "executableCode"
                | "functionCall"
                | "inlineData"
                | "text"
                | "toolCall"
                | "toolResponse" => content = Some((name, value)),
                _ => {}
            }
        }
        let Some((name, value)) = content else { return out(Event::Unknown) };
        match &*name {
            "functionCall" => return self.call(choice, value, signature, out),
            "inlineData" if !thought => choice.image(value, out),
            "inlineData" => out(Event::Unknown),
            "text" => {
                let prose = if thought { Prose::Thought } else { Prose::Text };
                choice.prose(prose, value.str().unwrap_or_default(), self.cites, out);
            }
            _ => choice.native(node, out),
        }
        if let Some(signature) = signature.filter(|_| thought || self.signs) {
            choice.sign(thought, &replay::seal("", self.format, &signature), out);
        }
    }

    /// A call of a tool. Its id holds the signature that must come back with it.
    fn call(&mut self, choice: &mut Choice, node: Node<'_>, signature: Option<Cow<'_, str>>, out: Out<'_>) {
        let sent = node.get("name").and_then(Node::str).unwrap_or_default();
        let mut id = node.get("id").and_then(Node::text).unwrap_or_default();
        if id.is_empty() {
            // Older models give none.
            id = format!("call_{}_{}", self.id, self.calls).into();
        }
        if let Some(signature) = signature {
            id = replay::seal(&id, self.format, &signature).into();
        }
        self.calls = self.calls.saturating_add(1);
        choice.called = true;
        let name = self.names.decode(&sent).unwrap_or_else(|| sent.reborrow());
        let block = choice.start(BlockKind::ToolCall { id: Str::plain(id), name }, out);
        let arguments = node.get("args").map_or(Cow::Borrowed("{}"), |args| compact(args.raw()));
        let delta = Delta::Arguments(Str::plain(arguments));
        out(Event::BlockDelta { choice: choice.index, block, delta });
        out(Event::BlockStop { choice: choice.index, block });
    }

    fn fail(&mut self, error: Error, out: Out<'_>) {
        self.over = true;
        out(Event::Error(error));
    }
}

impl Choice {
    /// Starts a block; one that is open is stopped for it.
    fn start(&mut self, kind: BlockKind<'_>, out: Out<'_>) -> u32 {
        self.close(out);
        let block = self.next;
        self.next = block.saturating_add(1);
        out(Event::BlockStart { choice: self.index, block, kind });
        block
    }

    /// The open block of such prose.
    fn open(&mut self, prose: Prose, out: Out<'_>) -> u32 {
        if let Some((open, block)) = self.open
            && open == prose
        {
            return block;
        }
        let kind = if prose == Prose::Text { BlockKind::Text } else { BlockKind::Reasoning };
        let block = self.start(kind, out);
        self.open = Some((prose, block));
        block
    }

    fn close(&mut self, out: Out<'_>) {
        if let Some((_, block)) = self.open.take() {
            out(Event::BlockStop { choice: self.index, block });
        }
    }

    fn prose(&mut self, prose: Prose, text: Str<'_>, cites: bool, out: Out<'_>) {
        if text.is_empty() {
            return;
        }
        if cites && prose == Prose::Text {
            self.said.push_str(&text.to_text());
        }
        let block = self.open(prose, out);
        out(Event::BlockDelta { choice: self.index, block, delta: Delta::Text(text) });
    }

    /// A block that is whole.
    fn whole(&mut self, kind: BlockKind<'_>, delta: Option<Delta<'_>>, out: Out<'_>) {
        let block = self.start(kind, out);
        if let Some(delta) = delta {
            out(Event::BlockDelta { choice: self.index, block, delta });
        }
        out(Event::BlockStop { choice: self.index, block });
    }

    /// The signature of the open thought, or of what was said last.
    fn sign(&mut self, thought: bool, sealed: &str, out: Out<'_>) {
        let signature = Delta::Signature(Str::plain(sealed));
        match self.open {
            Some((Prose::Thought, block)) if thought => {
                out(Event::BlockDelta { choice: self.index, block, delta: signature });
                self.close(out);
            }
            _ => self.whole(BlockKind::Reasoning, Some(signature), out),
        }
    }

    fn image(&mut self, node: Node<'_>, out: Out<'_>) {
        let string = |name| node.get(name).and_then(Node::str).unwrap_or_default();
        let (media_type, data) = (string("mimeType"), string("data"));
        if media_type.strip_prefix("image/").is_none() {
            return out(Event::Unknown);
        }
        self.whole(BlockKind::Image { media_type, data }, None, out);
    }

    fn native(&mut self, node: Node<'_>, out: Out<'_>) {
        self.whole(BlockKind::Native { format: Format::Gemini, raw: node.raw().into() }, None, out);
    }

    fn refuse(&mut self, message: Option<Str<'_>>, out: Out<'_>) {
        if let Some(message) = message {
            self.whole(BlockKind::Refusal, Some(Delta::Text(message)), out);
        }
    }

    fn finish(&mut self, reason: FinishReason<'_>, out: Out<'_>) {
        if self.finished {
            return;
        }
        self.finished = true;
        self.close(out);
        out(Event::Finish { choice: self.index, reason, stop_sequence: None });
    }

    /// What the answer rests on: sources, and which of them supports which part of the text.
    fn ground(&mut self, metadata: Node<'_>, out: Out<'_>) {
        let list = |name| metadata.get(name).into_iter().flat_map(Node::items);
        // Each is an object with one member, which tells its kind.
        let sources: Vec<Node<'_>> =
            list("groundingChunks").filter_map(|chunk| chunk.members().next().map(|(_, source)| source)).collect();
        if list("groundingSupports").next().is_none() {
            return sources.iter().for_each(|source| self.cite(*source, None, out));
        }
        for support in list("groundingSupports") {
            let place = support.get("segment").and_then(|segment| self.place(segment));
            let indexes = support.get("groundingChunkIndices").into_iter().flat_map(Node::items);
            for index in indexes.filter_map(Node::u64).filter_map(|index| usize::try_from(index).ok()) {
                if let Some(source) = sources.get(index) {
                    self.cite(*source, place, out);
                }
            }
        }
    }

    /// Where a segment stands in what was said, in characters. Google counts bytes, perhaps of a part: so its text tells.
    fn place(&mut self, segment: Node<'_>) -> Option<(u64, u64)> {
        let text = segment.get("text").and_then(Node::text)?;
        let told = count(Some(segment), "startIndex").unwrap_or_default();
        let told =
            usize::try_from(told).ok().filter(|at| self.said.get(*at..).is_some_and(|rest| rest.starts_with(&*text)));
        let start = told.or_else(|| {
            let behind = self.said.get(self.cited..).and_then(|rest| rest.find(&*text));
            behind.map(|at| self.cited.saturating_add(at)).or_else(|| self.said.find(&*text))
        })?;
        self.cited = start.saturating_add(text.len());
        let before = self.said.get(..start)?.chars().count() as u64;
        Some((before, before.saturating_add(text.chars().count() as u64)))
    }

    /// A citation, in OpenAI's words.
    fn cite(&mut self, source: Node<'_>, place: Option<(u64, u64)>, out: Out<'_>) {
        let Some(url) = source.get("uri").or_else(|| source.get("sourceUri")).and_then(Node::str) else { return };
        let mut raw = Body::default();
        Writer::new(&mut raw).object(|w| {
            w.key("type").text("url_citation");
            w.key("url_citation").object(|w| {
                if let Some((start, end)) = place {
                    w.key("start_index").u64(start);
                    w.key("end_index").u64(end);
                }
                w.key("title").str(&source.get("title").and_then(Node::str).unwrap_or_default());
                w.key("url").str(&url);
            });
        });
        let raw = String::from_utf8(raw.into_bytes()).unwrap_or_default();
        let block = self.open(Prose::Text, out);
        let delta = Delta::Citation { format: Format::Chat, raw: &raw };
        out(Event::BlockDelta { choice: self.index, block, delta });
    }
}

/// A count in an object.
pub(super) fn count(node: Option<Node<'_>>, name: &str) -> Option<u64> {
    node?.get(name).and_then(Node::u64)
}

/// Reads [`usageMetadata`](https://ai.google.dev/api/generate-content#UsageMetadata).
fn usage(node: Node<'_>) -> Usage {
    let count = |name| count(Some(node), name).unwrap_or_default();
    let heard = |name| {
        let details = node.get(name).into_iter().flat_map(Node::items);
        let audio = details.filter(|detail| detail.get("modality").and_then(Node::str).is_some_and(|m| m == "AUDIO"));
        audio.fold(0_u64, |sum, detail| sum.saturating_add(self::count(Some(detail), "tokenCount").unwrap_or_default()))
    };
    let input = count("promptTokenCount").saturating_add(count("toolUsePromptTokenCount"));
    let (said, reasoning) = (count("candidatesTokenCount"), count("thoughtsTokenCount"));
    // Thought is counted beside the answer, but for some models whose total tells otherwise.
    let inside = count("totalTokenCount") == input.saturating_add(said);
    Usage {
        input,
        output: if inside { said } else { said.saturating_add(reasoning) },
        cache_read: count("cachedContentTokenCount"),
        reasoning,
        input_audio: heard("promptTokensDetails"),
        output_audio: heard("candidatesTokensDetails"),
        ..Usage::default()
    }
}

/// The class of service: the Gemini API's words are OpenAI's, Google Cloud has its own.
fn tier(node: Node<'_>) -> Option<Str<'_>> {
    let own = |name| node.get(name).and_then(Node::str);
    match own("trafficType").as_ref().map(Str::to_text).as_deref() {
        Some("ON_DEMAND") => Some("standard".into()),
        Some("ON_DEMAND_FLEX") => Some("flex".into()),
        Some("ON_DEMAND_PRIORITY") => Some("priority".into()),
        Some("PROVISIONED_THROUGHPUT") => Some("scale".into()),
        _ => own("serviceTier"),
    }
}

/// Whether a reason tells of a failure.
fn is_broken(word: &Str<'_>) -> bool {
    matches!(
        &*word.to_text(),
        "MALFORMED_FUNCTION_CALL"
            | "MALFORMED_RESPONSE"
            | "MISSING_THOUGHT_SIGNATURE"
            | "TOO_MANY_TOOL_CALLS"
            | "UNEXPECTED_TOOL_CALL"
    )
}

fn finish_reason<'w>(word: &'w Str<'_>, called: bool) -> FinishReason<'w> {
    match &*word.to_text() {
        "BLOCKLIST"
        | "ESCALATION"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "IMAGE_SAFETY"
        | "LANGUAGE"
        | "MODEL_ARMOR"
        | "PROHIBITED_CONTENT"
        | "RECITATION"
        | "SAFETY"
        | "SPII" => FinishReason::ContentFilter,
        // The second: the most tokens of one request, which another could continue.
        "MAX_TOKENS" | "CONTINUATION" => FinishReason::Length,
        "STOP" if called => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        _ => FinishReason::Other(word.reborrow()),
    }
}

/// Probabilities in OpenAI's words.
fn logprobs(result: Node<'_>) -> String {
    let list = |name| result.get(name).into_iter().flat_map(Node::items);
    let token = |node: Node<'_>, w: &mut Writer<'_, '_>| {
        w.key("token").str(&node.get("token").and_then(Node::str).unwrap_or_default());
        w.key("logprob").raw(node.get("logProbability").map_or("0", Node::raw));
        w.key("bytes").null();
    };
    let mut body = Body::default();
    Writer::new(&mut body).object(|w| {
        w.key("content").array(|w| {
            let mut others = list("topCandidates");
            for chosen in list("chosenCandidates") {
                let top = others.next().and_then(|top| top.get("candidates"));
                w.object(|w| {
                    token(chosen, w);
                    w.key("top_logprobs").array(|w| {
                        top.into_iter().flat_map(Node::items).for_each(|node| w.object(|w| token(node, w)));
                    });
                });
            }
        });
        w.key("refusal").null();
    });
    String::from_utf8(body.into_bytes()).unwrap_or_default()
}

/// JSON without the white space that Google lays it out with.
fn compact(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\n') {
        return Cow::Borrowed(raw);
    }
    let (mut inside, mut escaped) = (false, false);
    let kept = raw.chars().filter(|&c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            _ => {}
        }
        inside || !c.is_ascii_whitespace()
    });
    Cow::Owned(kept.collect())
}
