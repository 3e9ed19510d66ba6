//! Whole answers.

use super::{Ask, shape};
use crate::answer::{Answer, Block, Choice};
use crate::client::OwnId;
use crate::event::{BlockKind, FinishReason};
use crate::json::{Body, Doc, Str, Writer};

/// Writes an answer.
pub(super) fn write(answer: &Answer, ask: &Ask) -> Vec<u8> {
    let created = answer.created.unwrap_or(ask.now);
    let mut tool_calls = 0;
    let mut body = Body::default();
    Writer::new(&mut body).object(|w| {
        shape::id(w, shape::PREFIX, &answer.id, ask);
        w.key("object").text("chat.completion");
        w.key("created").u64(created);
        w.key("model").text(&ask.model);
        w.key("choices").array(|w| {
            for (choice, index) in answer.choices.iter().zip(0..) {
                w.object(|w| {
                    w.key("index").u64(index);
                    w.key("message").object(|w| message(w, choice, ask.own_id(), &mut tool_calls));
                    logprobs(w, choice);
                    let has = |found: fn(&BlockKind<'_>) -> bool| choice.blocks.iter().any(|b| found(&b.kind));
                    let tools = has(|kind| matches!(kind, BlockKind::ToolCall { .. }));
                    let refused = has(|kind| matches!(kind, BlockKind::Refusal));
                    shape::finish(w, choice.finish.as_ref().unwrap_or(&FinishReason::Stop), tools, refused);
                });
            }
        });
        if let Some(usage) = &answer.usage {
            shape::usage(w, usage);
        }
        shape::service_tier(w, answer.service_tier.as_ref());
    });
    body.into_bytes()
}

/// Members that OpenAI always writes are always there; the rest if there is something to say.
fn message(w: &mut Writer<'_, '_>, choice: &Choice, own: OwnId, tool_calls: &mut u32) {
    let texts = |of: fn(&BlockKind<'_>) -> bool| -> Vec<Str<'_>> {
        choice.blocks.iter().filter(|b| of(&b.kind)).map(Block::text).filter(|text| !text.is_empty()).collect()
    };
    let text = texts(|kind| matches!(kind, BlockKind::Text));
    let refusal = texts(|kind| matches!(kind, BlockKind::Refusal));
    let reasoning = texts(|kind| matches!(kind, BlockKind::Reasoning));
    let calls = || choice.blocks.iter().filter(|b| matches!(b.kind, BlockKind::ToolCall { .. }));
    w.key("role").text("assistant");
    if text.is_empty() && (!refusal.is_empty() || calls().next().is_some()) {
        w.key("content").null();
    } else {
        w.key("content").concat(&text);
    }
    if refusal.is_empty() {
        w.key("refusal").null();
    } else {
        w.key("refusal").concat(&refusal);
    }
    annotations(w, choice);
    if !reasoning.is_empty() {
        w.key("reasoning_content").concat(&reasoning);
    }
    thinking_blocks(w, choice);
    images(w, choice);
    if calls().next().is_some() {
        w.key("tool_calls").array(|w| {
            for block in calls() {
                tool_call(w, block, own, *tool_calls);
                *tool_calls = tool_calls.saturating_add(1);
            }
        });
    }
}

fn annotations(w: &mut Writer<'_, '_>, choice: &Choice) {
    let mut found = Vec::new();
    let mut start = 0_u64;
    for block in choice.blocks.iter().filter(|b| matches!(b.kind, BlockKind::Text)) {
        let end = start.saturating_add(shape::length(&block.text()));
        let read = block.citations.iter().filter_map(|(format, raw)| shape::Annotation::read(*format, raw));
        found.extend(read.map(|annotation| (annotation, (start, end))));
        start = end;
    }
    if !found.is_empty() {
        w.key("annotations").array(|w| found.iter().for_each(|(annotation, block)| annotation.write(w, None, *block)));
    }
}

/// Thought that the provider signed or sealed. Other thought cannot be proven when it comes back.
fn thinking_blocks(w: &mut Writer<'_, '_>, choice: &Choice) {
    let provable = |b: &&Block| b.signature.is_some() || matches!(b.kind, BlockKind::RedactedReasoning { .. });
    let blocks = || choice.blocks.iter().filter(provable);
    if blocks().next().is_none() {
        return;
    }
    w.key("thinking_blocks").array(|w| {
        for block in blocks() {
            match (&block.kind, &block.signature) {
                (BlockKind::Reasoning, Some(signature)) => shape::thinking(w, None, &block.text(), signature),
                (BlockKind::RedactedReasoning { data }, _) => shape::redacted_thinking(w, None, data),
                _ => {}
            }
        }
    });
}

fn images(w: &mut Writer<'_, '_>, choice: &Choice) {
    let mut images = choice.blocks.iter().filter_map(|block| match &block.kind {
        BlockKind::Image { media_type, data } => Some((media_type, data)),
        _ => None,
    });
    let Some(first) = images.next() else { return };
    w.key("images").array(|w| {
        for ((media_type, data), index) in std::iter::once(first).chain(images).zip(0..) {
            shape::image(w, Some(index), media_type, data);
        }
    });
}

fn tool_call(w: &mut Writer<'_, '_>, block: &Block, own: OwnId, number: u32) {
    let BlockKind::ToolCall { id, name } = &block.kind else { return };
    w.object(|w| {
        shape::tool_call_id(w, id, number, own);
        w.key("type").text("function");
        w.key("function").object(|w| {
            w.key("name").str(name);
            let arguments = block.arguments();
            // Clients parse it, and no arguments are an empty object.
            w.key("arguments").str(&if arguments.is_empty() { "{}".into() } else { arguments });
        });
    });
}

/// The probabilities of all tokens: a stream's came in pieces.
fn logprobs(w: &mut Writer<'_, '_>, choice: &Choice) {
    let pieces: Vec<&str> = choice.blocks.iter().flat_map(|b| &b.logprobs).map(String::as_str).collect();
    match *pieces {
        [] => w.key("logprobs").null(),
        [one] => w.key("logprobs").raw(one),
        _ => {
            let docs: Vec<Doc<'_>> = pieces.iter().filter_map(|raw| Doc::lenient(raw.as_bytes()).ok()).collect();
            w.key("logprobs").object(|w| {
                for name in ["content", "refusal"] {
                    let lists = || docs.iter().filter_map(|doc| doc.root().get(name));
                    if lists().next().is_none() {
                        w.key(name).null();
                        continue;
                    }
                    w.key(name).array(|w| lists().flat_map(|list| list.items()).for_each(|token| w.raw(token.raw())));
                }
            });
        }
    }
}
