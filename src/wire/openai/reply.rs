//! Reading an answer, whole or in chunks.

use super::choice::{Choice, Out};
use super::error;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::json::{self, Node, Str};
use crate::usage::Usage;
use crate::wire::Reader;
use crate::wire::names::Names;

/// The most choices that are followed; OpenAI gives at most as many.
const MOST_CHOICES: u32 = 128;

/// The longest class of service: it is repeated with every count of usage.
const LONGEST_TIER: usize = 64;

/// The reader of one answer.
pub(super) struct Reply {
    names: Names,
    /// The client's stop sequences.
    stops: Vec<String>,
    started: bool,
    ended: bool,
    choices: Vec<Choice>,
    service_tier: Option<Str<'static>>,
}

/// The members of a chunk, or of a whole answer.
#[derive(Default)]
struct Chunk<'d> {
    choices: Option<Node<'d>>,
    created: Option<u64>,
    error: Option<Node<'d>>,
    id: Option<Str<'d>>,
    model: Option<Str<'d>>,
    service_tier: Option<Str<'d>>,
    /// What Perplexity has read, for all choices.
    sources: Option<Node<'d>>,
    usage: Option<Usage>,
}

impl<'d> Chunk<'d> {
    fn read(root: Node<'d>) -> Self {
        let mut chunk = Self::default();
        for (name, value) in root.members() {
            if value.is_null() {
                continue;
            }
            match &*name {
                "choices" => chunk.choices = Some(value),
                "citations" => chunk.sources = chunk.sources.or(Some(value)),
                "created" => chunk.created = value.u64(),
                "error" => chunk.error = Some(value),
                "id" => chunk.id = value.str(),
                "model" => chunk.model = value.str(),
                // The same as its citations, with titles.
                "search_results" => chunk.sources = Some(value),
                "service_tier" => chunk.service_tier = value.str().filter(|tier| tier.len() <= LONGEST_TIER),
                "usage" => chunk.usage = usage(value).or(chunk.usage),
                // Groq's own part.
                "x_groq" => {
                    chunk.usage = chunk.usage.or_else(|| usage(value.get("usage")?));
                    chunk.error = chunk.error.or_else(|| value.get("error"));
                }
                _ => {}
            }
        }
        chunk
    }

    fn choices(&self) -> impl Iterator<Item = Node<'d>> + use<'d> {
        self.choices.into_iter().flat_map(Node::items)
    }
}

/// What a chunk says of one choice.
#[derive(Default)]
struct Piece<'d> {
    delta: Option<Node<'d>>,
    /// OpenRouter's.
    error: Option<Node<'d>>,
    finish_reason: Option<Str<'d>>,
    index: Option<u64>,
    logprobs: Option<Node<'d>>,
    message: Option<Node<'d>>,
    /// The stop sequence, where the server tells it; or something else.
    stop: Option<Str<'d>>,
    text: Option<Str<'d>>,
    usage: Option<Usage>,
}

impl<'d> Piece<'d> {
    fn read(node: Node<'d>) -> Self {
        let mut piece = Self::default();
        for (name, value) in node.members() {
            if value.is_null() {
                continue;
            }
            match &*name {
                "delta" => piece.delta = Some(value),
                "error" => piece.error = Some(value),
                // Some say `"null"` or nothing where they mean null.
                "finish_reason" => piece.finish_reason = value.str().filter(|word| !word.is_empty() && *word != "null"),
                "index" => piece.index = value.u64(),
                "logprobs" => piece.logprobs = Some(value),
                "message" => piece.message = Some(value),
                // SGLang's and vLLM's.
                "matched_stop" | "stop_reason" => piece.stop = piece.stop.or(value.str()),
                "text" => piece.text = value.str(),
                // Moonshot's.
                "usage" => piece.usage = usage(value),
                _ => {}
            }
        }
        piece
    }
}

impl Reply {
    /// A reader that gives tools the client's `names`, and tells which of its `stops` ended the answer.
    pub(super) fn new(names: Names, stops: Vec<String>) -> Self {
        Self { names, stops, started: false, ended: false, choices: Vec::new(), service_tier: None }
    }

    fn fail(&mut self, error: Error, out: Out<'_>) {
        self.ended = true;
        out(Event::Error(error));
    }

    /// Reads what chunk and answer have in common.
    fn read(&mut self, name: &str, root: Node<'_>, whole: bool, out: Out<'_>) {
        if root.kind() != json::Kind::Object {
            let message = format!("expected an object, got {}", root.kind().describe());
            return self.fail(Error::new(Kind::BadAnswer, message), out);
        }
        let mut chunk = Chunk::read(root);
        let suspicious = chunk.error.is_some() || name == "error" || chunk.choices.is_none() && chunk.usage.is_none();
        if suspicious && let Some(error) = error::in_answer(chunk.error, root) {
            return self.fail(error, out);
        }
        if let Some(choices) = chunk.choices
            && choices.kind() != json::Kind::Array
        {
            let message = format!("expected an array of choices, got {}", choices.kind().describe());
            return self.fail(Error::new(Kind::BadAnswer, message), out);
        }
        if !self.started {
            // Azure begins with a chunk about the prompt, which has neither id nor model.
            let empty = chunk.choices().next().is_none() && chunk.usage.is_none();
            if empty && chunk.id.as_ref().is_none_or(Str::is_empty) {
                return;
            }
            self.started = true;
            let (id, model) = (chunk.id.take().unwrap_or_default(), chunk.model.take().unwrap_or_default());
            out(Event::Start { id, model, created: chunk.created });
        }
        if let Some(tier) = chunk.service_tier.take()
            && self.service_tier.as_ref() != Some(&tier)
        {
            self.service_tier = Some(tier.into_owned());
        }
        for (node, position) in chunk.choices().zip(0..) {
            let piece = Piece::read(node);
            if let Some(error) = piece.error.and_then(|error| error::in_answer(Some(error), root)) {
                return self.fail(error, out);
            }
            if piece.finish_reason.as_ref().is_some_and(|word| *word == "error") {
                // Mistral's word for it. Others say more beside it, which is read before.
                let message = "the upstream stopped in the middle of its answer";
                return self.fail(Error::new(Kind::Internal, message), out);
            }
            chunk.usage = chunk.usage.or(piece.usage);
            if let Err(error) = self.choice(piece, position, whole, chunk.sources, out) {
                return self.fail(error, out);
            }
        }
        if let Some(usage) = chunk.usage {
            out(Event::Usage { usage, service_tier: self.service_tier.as_ref().map(Str::reborrow) });
        } else if chunk.choices.is_none() {
            out(Event::Unknown);
        }
    }

    fn choice(
        &mut self,
        piece: Piece<'_>,
        position: u32,
        whole: bool,
        sources: Option<Node<'_>>,
        out: Out<'_>,
    ) -> Result<(), Error> {
        let index = piece.index.map_or(position, |index| u32::try_from(index).unwrap_or(u32::MAX));
        if index >= MOST_CHOICES {
            out(Event::Unknown);
            return Ok(());
        }
        let at = self.choices.iter().position(|choice| choice.index == index).unwrap_or_else(|| {
            self.choices.push(Choice::new(index));
            self.choices.len().saturating_sub(1)
        });
        let Some(choice) = self.choices.get_mut(at).filter(|choice| !choice.finished) else { return Ok(()) };
        match (piece.delta, piece.message) {
            (Some(delta), _) => choice.message(delta, piece.logprobs, &self.names, false, out)?,
            // In a stream some servers repeat the message as a whole at the end.
            (None, Some(message)) if choice.is_empty() => {
                choice.message(message, piece.logprobs, &self.names, true, out)?;
            }
            _ => choice.text(piece.text.unwrap_or_default(), out),
        }
        let reason = piece.finish_reason.or_else(|| whole.then(|| Str::plain("stop")));
        if let Some(reason) = reason {
            // Every chunk repeats them; the last has all.
            choice.cite(sources, out);
            let stop = piece.stop.filter(|stop| self.stops.iter().any(|wanted| *stop == **wanted));
            choice.finish(&reason, stop, &self.names, out);
        }
        Ok(())
    }
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: Out<'_>) {
        if self.ended {
            return;
        }
        self.read("", root, true, out);
        if self.ended {
            return;
        }
        if self.choices.is_empty() {
            return self.fail(Error::new(Kind::BadAnswer, "the answer has no choices"), out);
        }
        self.end(out);
    }

    fn event(&mut self, name: &str, root: Node<'_>, out: Out<'_>) {
        if !self.ended {
            self.read(name, root, false, out);
        }
    }

    fn end(&mut self, out: Out<'_>) {
        if self.ended {
            return;
        }
        if self.choices.is_empty() || self.choices.iter().any(|choice| !choice.finished) {
            return self.fail(Error::new(Kind::BadAnswer, "the stream ended before its finish"), out);
        }
        self.ended = true;
        out(Event::End);
    }

    fn kept(&self) -> usize {
        self.choices.iter().fold(0, |sum, choice| sum.saturating_add(choice.kept))
    }
}

/// Reads a `usage` object, unless it counts nothing.
pub(in crate::wire) fn usage(node: Node<'_>) -> Option<Usage> {
    let (mut input, mut output, mut total) = (None, None, None);
    let mut usage = Usage::default();
    for (name, value) in node.members() {
        let count = value.u64();
        match &*name {
            "completion_tokens" | "output_tokens" => output = count.or(output),
            "prompt_tokens" | "input_tokens" => input = count.or(input),
            "total_tokens" => total = count,
            // DeepSeek's, Moonshot's and Anthropic's words.
            "prompt_cache_hit_tokens" | "cached_tokens" | "cache_read_input_tokens" => {
                usage.cache_read = count.unwrap_or_default().max(usage.cache_read);
            }
            "cache_creation_input_tokens" => usage.cache_write = count.unwrap_or_default().max(usage.cache_write),
            "cache_creation" => {
                usage.cache_write_1h = value.get("ephemeral_1h_input_tokens").and_then(Node::u64).unwrap_or(0);
            }
            "reasoning_tokens" => usage.reasoning = count.unwrap_or_default().max(usage.reasoning),
            "prompt_tokens_details" | "input_tokens_details" => input_details(value, &mut usage),
            "completion_tokens_details" | "output_tokens_details" => output_details(value, &mut usage),
            _ => {}
        }
    }
    // Who counts nothing but the total made no text.
    let input = input.or(if output.is_none() { Some(total?) } else { None });
    (usage.input, usage.output) = (input.unwrap_or_default(), output.unwrap_or_default());
    // xAI counts reasoning beside the completion; the total tells.
    if total.is_some_and(|total| usage.reasoning > 0 && usage.total().saturating_add(usage.reasoning) == total) {
        usage.output = usage.output.saturating_add(usage.reasoning);
    }
    // A part cannot be larger than the whole: then it was counted beside it.
    let cached = usage.cache_read.saturating_add(usage.cache_write);
    if cached > usage.input {
        usage.input = usage.input.saturating_add(cached);
    }
    Some(usage)
}

fn input_details(node: Node<'_>, usage: &mut Usage) {
    for (name, value) in node.members() {
        let count = value.u64().unwrap_or_default();
        match &*name {
            "audio_tokens" => usage.input_audio = count,
            "image_tokens" => usage.input_image = count,
            "cache_creation_tokens" | "cache_write_tokens" => usage.cache_write = count.max(usage.cache_write),
            "cached_tokens" => usage.cache_read = count.max(usage.cache_read),
            _ => {}
        }
    }
}

fn output_details(node: Node<'_>, usage: &mut Usage) {
    for (name, value) in node.members() {
        let count = value.u64().unwrap_or_default();
        match &*name {
            "audio_tokens" => usage.output_audio = count,
            "image_tokens" => usage.output_image = count,
            "reasoning_tokens" => usage.reasoning = count.max(usage.reasoning),
            _ => {}
        }
    }
}
