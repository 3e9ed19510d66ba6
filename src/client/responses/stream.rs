//! Answers, as a stream of events and whole.
//!
//! Every item of the output begins with `response.output_item.added` and ends with `response.output_item.done`. Texts and
//! refusals that follow each other are parts of one message. How an item ends is known when the next one begins or the
//! answer is complete, so its last events wait until then. A whole answer is what its stream ends with.

use std::mem::take;

use super::super::chat::shape::{self, Annotation, length};
use super::tool::INPUT;
use super::{Ask, Echo, StreamWriter, logprobs, seal, writer};
use crate::answer::Answer;
use crate::error::Error;
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::json::{Body, Doc, Node, Str, Writer};
use crate::usage::Usage;
use crate::wire::names::tool_id;

/// The letters of a provider's id that ids of items may hold: OpenAI takes back no more than 64 in all.
const ID: usize = 48;

/// How ids of answers begin where they come from: here they begin with what they are of.
const PREFIXES: &[&str] = &["chatcmpl-", "msg_", "resp_"];

/// Writes one answer.
pub(super) struct Stream {
    ask: Ask,
    /// Whether nothing is wanted but the response at the end.
    whole: bool,
    /// The number of the next event.
    number: u64,
    /// What all ids hold: of the provider's making, if it has any.
    id: String,
    created: u64,
    items: Vec<Item>,
    /// The blocks that have not stopped, mostly one.
    open: Vec<Open>,
    finish: FinishReason<'static>,
    error: Option<Error>,
    usage: Option<Usage>,
    service_tier: Option<Str<'static>>,
    started: bool,
    done: bool,
}

/// A block that has not stopped.
struct Open {
    block: u32,
    /// The place of its item.
    item: usize,
    /// Where its text starts in the part that it is of.
    start: usize,
    citations: Vec<Annotation>,
}

/// An item of the output.
struct Item {
    id: String,
    /// Its deltas up to what is new.
    head: Vec<u8>,
    done: bool,
    /// Whether the answer ended in the middle of it.
    cut: bool,
    kind: ItemKind,
}

enum ItemKind {
    Call {
        call_id: Str<'static>,
        name: Str<'static>,
        /// In JSON escapes.
        arguments: String,
        custom: bool,
    },
    /// In base64.
    Image(Str<'static>),
    Message(Vec<Part>),
    Reasoning {
        /// In JSON escapes.
        text: String,
        /// In JSON escapes.
        sealed: String,
    },
}

/// A part of a message.
struct Part {
    refusal: bool,
    /// In JSON escapes.
    text: String,
    /// Raw JSON.
    annotations: Vec<String>,
    /// Chat's raw objects.
    logprobs: Vec<String>,
}

/// Writes an answer.
pub(super) fn whole(answer: &Answer, ask: &Ask) -> Vec<u8> {
    let mut stream = Stream { whole: true, ..Stream::new(ask) };
    let nothing = &mut Vec::new();
    stream.start(&answer.id, answer.created, nothing);
    if let Some(choice) = answer.choices.first() {
        for (block, number) in choice.blocks.iter().zip(0..) {
            stream.block_start(number, block.kind.clone(), nothing);
            block.deltas(&mut |delta| stream.block_delta(number, delta, nothing));
            stream.block_stop(number, nothing);
        }
        stream.finish(choice.finish.clone().unwrap_or(FinishReason::Stop), nothing);
    }
    (stream.usage, stream.service_tier) = (answer.usage, answer.service_tier.clone());
    let mut body = Body::default();
    stream.response(stream.status(), &mut Writer::new(&mut body));
    body.into_bytes()
}

impl Stream {
    /// A writer for an answer to `ask`.
    pub(super) fn new(ask: &Ask) -> Self {
        Self {
            ask: ask.clone(),
            whole: false,
            number: 0,
            id: ask.own_id().to_string(),
            created: ask.now,
            items: Vec::new(),
            open: Vec::new(),
            finish: FinishReason::Stop,
            error: None,
            usage: None,
            service_tier: None,
            started: false,
            done: false,
        }
    }

    fn start(&mut self, id: &Str<'_>, created: Option<u64>, out: &mut Vec<u8>) {
        self.started = true;
        if !id.is_empty() {
            let text = id.to_text();
            let bare = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(&text);
            self.id = tool_id(&Str::plain(bare), ID).to_text().into_owned();
        }
        self.created = created.unwrap_or(self.ask.now);
        self.told("response.created", "in_progress", out);
        self.told("response.in_progress", "in_progress", out);
    }

    /// Writes an event about the response as a whole.
    fn told(&mut self, kind: &str, status: &str, out: &mut Vec<u8>) {
        let number = self.next();
        if !self.whole {
            writer::event(kind, number, out, &mut |w| self.response(status, w.key("response")));
        }
    }

    /// Counts an event.
    fn next(&mut self) -> u64 {
        let number = self.number;
        self.number = number.saturating_add(1);
        number
    }

    /// Writes an event about an item.
    fn of_item(&mut self, at: usize, kind: &str, out: &mut Vec<u8>, fill: &mut dyn FnMut(&Item, &mut Writer<'_, '_>)) {
        if self.whole {
            return;
        }
        let number = self.next();
        let Some(item) = self.items.get(at) else { return };
        writer::event(kind, number, out, &mut |w| {
            if !kind.starts_with("response.output_item") {
                w.key("item_id").text(&item.id);
            }
            w.key("output_index").u64(at as u64);
            fill(item, w);
        });
    }

    /// Writes that there is more of an item.
    fn more(&mut self, at: usize, piece: &Str<'_>, text: bool, out: &mut Vec<u8>) {
        if self.whole {
            return;
        }
        let number = self.next();
        let Some(item) = self.items.get(at) else { return };
        let mut body = Body::from(take(out));
        body.copy(&item.head);
        Writer::new(&mut body).str(piece);
        body.copy(if text { br#","logprobs":[],"sequence_number":"# } else { br#","sequence_number":"# });
        Writer::new(&mut body).u64(number);
        body.copy(b"}\n\n");
        *out = body.into_bytes();
    }

    fn add(&mut self, prefix: &str, kind: ItemKind, out: &mut Vec<u8>) -> usize {
        let at = self.items.len();
        let id = format!("{prefix}_{}_{at}", self.id);
        let head = match &kind {
            ItemKind::Call { custom: false, .. } => {
                writer::head("response.function_call_arguments.delta", &id, at as u64, None)
            }
            ItemKind::Call { custom: true, .. } => {
                writer::head("response.custom_tool_call_input.delta", &id, at as u64, None)
            }
            ItemKind::Image(_) | ItemKind::Message(_) => Vec::new(),
            ItemKind::Reasoning { .. } => {
                writer::head("response.reasoning_summary_text.delta", &id, at as u64, Some(("summary_index", 0)))
            }
        };
        self.items.push(Item { id, head, done: false, cut: false, kind });
        self.of_item(at, "response.output_item.added", out, &mut |item, w| {
            item.write(Some("in_progress"), w.key("item"))
        });
        at
    }

    fn block_start(&mut self, block: u32, kind: BlockKind<'_>, out: &mut Vec<u8>) {
        let refusal = matches!(kind, BlockKind::Refusal);
        let last = self.items.len().saturating_sub(1);
        let talks = refusal || matches!(kind, BlockKind::Text);
        let goes_on =
            talks && self.items.get(last).is_some_and(|item| !item.done && matches!(item.kind, ItemKind::Message(_)));
        self.settle(goes_on.then_some(last), false, out);
        let item = match kind {
            // What clients of this format have no word for.
            BlockKind::Native { .. } => return,
            BlockKind::Image { data, .. } => {
                let at = self.add("ig", ItemKind::Image(data.into_owned()), out);
                self.of_item(at, "response.image_generation_call.in_progress", out, &mut |_, _| {});
                at
            }
            BlockKind::Reasoning => {
                self.add("rs", ItemKind::Reasoning { text: String::new(), sealed: seal::UNSIGNED.to_owned() }, out)
            }
            BlockKind::RedactedReasoning { data } => {
                let mut sealed = seal::DATA.to_owned();
                data.escape_into(&mut sealed);
                self.add("rs", ItemKind::Reasoning { text: String::new(), sealed }, out)
            }
            BlockKind::Refusal | BlockKind::Text => {
                let at = if goes_on { last } else { self.add("msg", ItemKind::Message(Vec::new()), out) };
                self.part(at, refusal, out);
                at
            }
            BlockKind::ToolCall { id, name } => {
                let custom = self.echo().is_some_and(|echo| echo.custom.iter().any(|custom| name == **custom));
                let call_id = if id.is_empty() {
                    Str::plain(format!("call_{}_{}", self.items.len(), self.id))
                } else {
                    id.into_owned()
                };
                let prefix = if custom { "ctc" } else { "fc" };
                let kind = ItemKind::Call { call_id, name: name.into_owned(), arguments: String::new(), custom };
                self.add(prefix, kind, out)
            }
        };
        let start = self.last_part(item).map_or(0, |part| part.text.len());
        self.open.push(Open { block, item, start, citations: Vec::new() });
    }

    fn echo(&self) -> Option<&Echo> {
        self.ask.echo.as_deref()
    }

    /// The part of a message that grows.
    fn last_part(&mut self, at: usize) -> Option<&mut Part> {
        match self.items.get_mut(at).map(|item| &mut item.kind) {
            Some(ItemKind::Message(parts)) => parts.last_mut(),
            _ => None,
        }
    }

    /// Begins a part of a message, if the last one is not of that kind. A text that goes on where another block has
    /// not stopped would get between its words.
    fn part(&mut self, at: usize, refusal: bool, out: &mut Vec<u8>) {
        let busy = self.open.iter().any(|open| open.item == at);
        match self.last_part(at) {
            Some(last) if last.refusal == refusal && !busy => return,
            Some(_) => self.end_part(at, out),
            None => {}
        }
        let Some(Item { id, head, kind: ItemKind::Message(parts), .. }) = self.items.get_mut(at) else { return };
        let index = parts.len() as u64;
        let kind = if refusal { "response.refusal.delta" } else { "response.output_text.delta" };
        *head = writer::head(kind, id, at as u64, Some(("content_index", index)));
        parts.push(Part { refusal, text: String::new(), annotations: Vec::new(), logprobs: Vec::new() });
        self.of_part(at, "response.content_part.added", out, &mut |part, w| part.write(w.key("part")));
    }

    /// Writes an event about the last part of a message.
    fn of_part(&mut self, at: usize, kind: &str, out: &mut Vec<u8>, fill: &mut dyn FnMut(&Part, &mut Writer<'_, '_>)) {
        self.of_item(at, kind, out, &mut |item, w| {
            let ItemKind::Message(parts) = &item.kind else { return };
            let Some(part) = parts.last() else { return };
            w.key("content_index").u64((parts.len() as u64).saturating_sub(1));
            fill(part, w);
        });
    }

    fn end_part(&mut self, at: usize, out: &mut Vec<u8>) {
        let Some(refusal) = self.last_part(at).map(|part| part.refusal) else { return };
        if refusal {
            self.of_part(at, "response.refusal.done", out, &mut |part, w| {
                w.key("refusal").str(&Str::escaped(&*part.text));
            });
        } else {
            self.of_part(at, "response.output_text.done", out, &mut |part, w| {
                w.key("text").str(&Str::escaped(&*part.text));
                logprobs::write(w.key("logprobs"), &part.logprobs, false);
            });
        }
        self.of_part(at, "response.content_part.done", out, &mut |part, w| part.write(w.key("part")));
    }

    fn block_delta(&mut self, block: u32, delta: Delta<'_>, out: &mut Vec<u8>) {
        let Some(open) = self.open.iter_mut().find(|open| open.block == block) else { return };
        let at = open.item;
        if let Delta::Citation { format, raw } = delta {
            return open.citations.extend(Annotation::read(format, raw));
        }
        let Some(item) = self.items.get_mut(at) else { return };
        match (delta, &mut item.kind) {
            (Delta::Text(piece) | Delta::Arguments(piece), _) if piece.is_empty() => {}
            (Delta::Arguments(piece), ItemKind::Call { arguments, custom, .. }) => {
                piece.escape_into(arguments);
                // The text of a custom call stands inside of its arguments, and can be read when they are whole.
                if !*custom {
                    self.more(at, &piece, false, out);
                }
            }
            (Delta::Text(piece), ItemKind::Message(parts)) => {
                let Some(part) = parts.last_mut() else { return };
                piece.escape_into(&mut part.text);
                let text = !part.refusal;
                self.more(at, &piece, text, out);
            }
            (Delta::Text(piece), ItemKind::Reasoning { text, .. }) => {
                let first = text.is_empty();
                piece.escape_into(text);
                if first {
                    self.of_summary(at, "response.reasoning_summary_part.added", out, &mut |_, w| {
                        summary(&"".into(), w.key("part"));
                    });
                }
                self.more(at, &piece, false, out);
            }
            (Delta::Signature(proof), ItemKind::Reasoning { sealed, .. }) => {
                seal::SIGNATURE.clone_into(sealed);
                proof.escape_into(sealed);
            }
            (Delta::Logprobs(raw), ItemKind::Message(parts)) => {
                let Some(part) = parts.last_mut() else { return };
                part.logprobs.push(raw.to_owned());
                let raw = [raw.to_owned()];
                if !part.refusal {
                    self.of_part(at, "response.output_text.delta", out, &mut |_, w| {
                        w.key("delta").text("");
                        logprobs::write(w.key("logprobs"), &raw, false);
                    });
                }
            }
            _ => {}
        }
    }

    /// Writes an event about the text of a thought.
    fn of_summary(
        &mut self,
        at: usize,
        kind: &str,
        out: &mut Vec<u8>,
        fill: &mut dyn FnMut(&Str<'_>, &mut Writer<'_, '_>),
    ) {
        self.of_item(at, kind, out, &mut |item, w| {
            let ItemKind::Reasoning { text, .. } = &item.kind else { return };
            w.key("summary_index").u64(0);
            fill(&Str::escaped(&**text), w);
        });
    }

    fn block_stop(&mut self, block: u32, out: &mut Vec<u8>) {
        let Some(at) = self.open.iter().position(|open| open.block == block) else { return };
        let Open { item, start, citations, .. } = self.open.swap_remove(at);
        for citation in citations {
            let Some(part) = self.last_part(item) else { return };
            let before = length(&Str::escaped(part.text.get(..start).unwrap_or_default()));
            let place = (before, length(&Str::escaped(&*part.text)));
            let mut body = Body::default();
            Writer::new(&mut body).object(|w| {
                w.key("type").text("url_citation");
                citation.members(w, place);
            });
            part.annotations.push(String::from_utf8(body.into_bytes()).unwrap_or_default());
            self.of_part(item, "response.output_text.annotation.added", out, &mut |part, w| {
                w.key("annotation_index").u64((part.annotations.len() as u64).saturating_sub(1));
                w.key("annotation").raw(part.annotations.last().map_or("null", String::as_str));
            });
        }
    }

    /// Ends the items that have come to their end, but for one that goes on.
    fn settle(&mut self, but: Option<usize>, cut: bool, out: &mut Vec<u8>) {
        for at in 0..self.items.len() {
            let open = Some(at) == but || self.open.iter().any(|open| open.item == at);
            let Some(item) = self.items.get_mut(at).filter(|item| !item.done && !open) else { continue };
            (item.done, item.cut) = (true, cut);
            match &mut item.kind {
                ItemKind::Call { arguments, custom: false, .. } => {
                    // Clients parse it, and no arguments are an empty object.
                    if arguments.is_empty() {
                        arguments.push_str("{}");
                        self.more(at, &"{}".into(), false, out);
                    }
                    self.of_item(at, "response.function_call_arguments.done", out, &mut Item::text);
                }
                ItemKind::Call { arguments, custom: true, .. } => {
                    *arguments = input(arguments);
                    let whole = Str::escaped(arguments.clone());
                    self.more(at, &whole, false, out);
                    self.of_item(at, "response.custom_tool_call_input.done", out, &mut Item::text);
                }
                ItemKind::Image(_) => {
                    self.of_item(at, "response.image_generation_call.completed", out, &mut |_, _| {});
                }
                ItemKind::Message(_) => self.end_part(at, out),
                ItemKind::Reasoning { text, .. } => {
                    if !text.is_empty() {
                        self.of_summary(at, "response.reasoning_summary_text.done", out, &mut |text, w| {
                            w.key("text").str(text);
                        });
                        self.of_summary(at, "response.reasoning_summary_part.done", out, &mut |text, w| {
                            summary(text, w.key("part"));
                        });
                    }
                }
            }
            self.of_item(at, "response.output_item.done", out, &mut |item, w| item.write(None, w.key("item")));
        }
    }

    fn finish(&mut self, reason: FinishReason<'static>, out: &mut Vec<u8>) {
        self.finish = reason;
        self.open.clear();
        let cut = self.status() == "incomplete";
        self.settle(None, cut, out);
    }

    /// Why the response is incomplete, if it is.
    fn incomplete(&self) -> Option<&'static str> {
        let refused = || {
            let parts = self.items.iter().filter_map(|item| match &item.kind {
                ItemKind::Message(parts) => Some(parts),
                _ => None,
            });
            parts.flatten().any(|part| part.refusal)
        };
        match self.finish {
            FinishReason::ContentFilter => Some("content_filter"),
            FinishReason::ContextWindow | FinishReason::Length => Some("max_output_tokens"),
            // A refusal in the model's words is an answer; without words it is an answer held back.
            FinishReason::Refusal if !refused() => Some("content_filter"),
            _ => None,
        }
    }

    fn status(&self) -> &'static str {
        if self.incomplete().is_some() { "incomplete" } else { "completed" }
    }

    fn response(&self, status: &str, w: &mut Writer<'_, '_>) {
        w.object(|w| {
            let id = format!("resp_{}", self.id);
            w.key("id").text(&self.ask.seal.as_ref().map_or(id.clone(), |seal| seal.close(&id)));
            w.key("object").text("response");
            w.key("created_at").u64(self.created);
            w.key("status").text(status);
            w.key("error");
            match &self.error {
                Some(error) => writer::failure(error, w),
                None => w.null(),
            }
            match self.incomplete() {
                Some(reason) => w.key("incomplete_details").object(|w| w.key("reason").text(reason)),
                None => w.key("incomplete_details").null(),
            }
            w.key("model").text(&self.ask.model);
            if let Some(echo) = self.echo() {
                w.raw(&echo.members);
            }
            w.key("output").array(|w| {
                self.items.iter().filter(|item| item.done).for_each(|item| item.write(None, w));
            });
            shape::service_tier(w, self.service_tier.as_ref());
            match &self.usage {
                Some(usage) if status != "in_progress" => write_usage(w, usage),
                _ => w.key("usage").null(),
            }
        });
    }
}

impl Item {
    /// Writes it; as empty, if it has only begun and has that `status`.
    fn write(&self, status: Option<&str>, w: &mut Writer<'_, '_>) {
        let begun = status.is_some();
        let status = status.unwrap_or(if self.cut { "incomplete" } else { "completed" });
        w.object(|w| {
            w.key("id").text(&self.id);
            match &self.kind {
                ItemKind::Call { call_id, name, custom, .. } => {
                    w.key("type").text(if *custom { "custom_tool_call" } else { "function_call" });
                    if !custom {
                        w.key("status").text(status);
                    }
                    w.key("call_id").str(call_id);
                    w.key("name").str(name);
                    self.text(w);
                }
                ItemKind::Image(data) => {
                    w.key("type").text("image_generation_call");
                    w.key("status").text(status);
                    w.key("result");
                    if begun { w.null() } else { w.str(data) }
                }
                ItemKind::Message(parts) => {
                    w.key("type").text("message");
                    w.key("status").text(status);
                    w.key("role").text("assistant");
                    w.key("content").array(|w| parts.iter().for_each(|part| part.write(w)));
                }
                ItemKind::Reasoning { text, sealed } => {
                    w.key("type").text("reasoning");
                    w.key("summary").array(|w| {
                        if !text.is_empty() {
                            summary(&Str::escaped(&**text), w);
                        }
                    });
                    if !begun {
                        w.key("encrypted_content").str(&Str::escaped(&**sealed));
                    }
                }
            }
        });
    }

    /// Writes what a call is given.
    fn text(&self, w: &mut Writer<'_, '_>) {
        if let ItemKind::Call { arguments, custom, .. } = &self.kind {
            w.key(if *custom { INPUT } else { "arguments" }).str(&Str::escaped(&**arguments));
        }
    }
}

impl Part {
    fn write(&self, w: &mut Writer<'_, '_>) {
        let text = Str::escaped(&*self.text);
        w.object(|w| {
            if self.refusal {
                w.key("type").text("refusal");
                w.key("refusal").str(&text);
                return;
            }
            w.key("type").text("output_text");
            w.key("text").str(&text);
            w.key("annotations").array(|w| self.annotations.iter().for_each(|annotation| w.raw(annotation)));
            logprobs::write(w.key("logprobs"), &self.logprobs, true);
        });
    }
}

fn summary(text: &Str<'_>, w: &mut Writer<'_, '_>) {
    w.object(|w| {
        w.key("type").text("summary_text");
        w.key("text").str(text);
    });
}

fn write_usage(w: &mut Writer<'_, '_>, usage: &Usage) {
    w.key("usage").object(|w| {
        w.key("input_tokens").u64(usage.input);
        w.key("input_tokens_details").object(|w| {
            w.key("cached_tokens").u64(usage.cache_read);
            w.key("cache_write_tokens").u64(usage.cache_write);
        });
        w.key("output_tokens").u64(usage.output);
        w.key("output_tokens_details").object(|w| w.key("reasoning_tokens").u64(usage.reasoning));
        w.key("total_tokens").u64(usage.total());
    });
}

/// The text of a custom call, from the arguments of the function that stood for it; both in JSON escapes. What the model
/// wrote otherwise, or not to the end, stays as it is.
fn input(arguments: &str) -> String {
    let json = Str::escaped(arguments).decode();
    let doc = Doc::lenient(json.as_bytes()).ok();
    let found = doc.as_ref().and_then(|doc| doc.root().get(INPUT)).and_then(Node::str);
    let mut text = String::new();
    match found {
        Some(found) => found.escape_into(&mut text),
        None => text.push_str(arguments),
    }
    text
}

impl StreamWriter for Stream {
    fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        if self.done {
            return;
        }
        match event {
            // This format has one answer to a call.
            Event::BlockDelta { choice: 1.., .. }
            | Event::BlockStart { choice: 1.., .. }
            | Event::BlockStop { choice: 1.., .. }
            | Event::Finish { choice: 1.., .. } => {}
            Event::BlockDelta { block, delta, .. } => self.block_delta(block, delta, out),
            Event::BlockStart { block, kind, .. } => self.block_start(block, kind, out),
            Event::BlockStop { block, .. } => self.block_stop(block, out),
            Event::End => {
                self.done = true;
                let status = self.status();
                self.told(&format!("response.{status}"), status, out);
            }
            Event::Error(error) => {
                self.done = true;
                // Clients expect a response to fail.
                if !self.started {
                    self.start(&Str::default(), None, out);
                }
                self.error = Some(error);
                self.told("response.failed", "failed", out);
            }
            Event::Finish { reason, .. } => self.finish(reason.into_owned(), out),
            Event::Embedding { .. }
            | Event::Ping
            | Event::Ranked(_)
            | Event::Sound { .. }
            | Event::Transcript(_)
            | Event::Unknown => {}
            Event::Start { id, created, .. } => self.start(&id, created, out),
            Event::Usage { usage, service_tier } => {
                self.usage = Some(usage);
                if let Some(tier) = service_tier {
                    self.service_tier = Some(tier.into_owned());
                }
            }
        }
    }
}
