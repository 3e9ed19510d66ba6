//! Writes a whole answer.

use std::borrow::Cow;

use super::super::Ask;
use super::usage::{Seen, message_id, picture, service_tier, stop_reason, tool_id, write_stop, write_usage};
use crate::answer::{Answer, Block, Choice};
use crate::event::BlockKind;
use crate::format::Format;
use crate::json::{Body, Change, Doc, Edits, Kind, Node, Str, Writer};

pub(super) fn write(answer: &Answer, ask: &Ask) -> Vec<u8> {
    let mut body = Body::default();
    if let (None, Some(usage)) = (answer.choices.first(), &answer.usage) {
        // Tokens were counted.
        Writer::new(&mut body).object(|w| w.key("input_tokens").u64(usage.input));
        return body.into_bytes();
    }
    let none = Choice::default();
    let choice = answer.choices.first().unwrap_or(&none);
    let id = message_id(&answer.id, ask);
    let mut w = Writer::new(&mut body);
    w.object(|w| {
        write_head(w, &id, &ask.model);
        w.key("content").array(|w| {
            for (block, index) in choice.blocks.iter().zip(0..) {
                write_block(w, block, &id, index);
            }
        });
        write_stop(w, Some(reason(choice)), choice.stop_sequence.as_ref());
        let tier = answer.service_tier.as_ref().and_then(service_tier);
        write_usage(w.key("usage"), &answer.usage.unwrap_or_default(), tier);
    });
    body.into_bytes()
}

/// The members of a message before its content.
pub(super) fn write_head(w: &mut Writer<'_, '_>, id: &Str<'_>, model: &str) {
    w.key("id").str(id);
    w.key("type").text("message");
    w.key("role").text("assistant");
    w.key("model").text(model);
}

fn reason(choice: &Choice) -> &'static str {
    let seen = |kind: fn(&BlockKind<'_>) -> bool| choice.blocks.iter().any(|block| kind(&block.kind));
    let seen = Seen {
        refusal: seen(|kind| matches!(kind, BlockKind::Refusal)),
        tool_call: seen(|kind| matches!(kind, BlockKind::ToolCall { .. })),
    };
    stop_reason(choice.finish.as_ref(), seen)
}

/// Writes a block, unless it is empty: Anthropic refuses an empty text that a client sends back.
fn write_block(w: &mut Writer<'_, '_>, block: &Block, id: &Str<'_>, index: u64) {
    match &block.kind {
        BlockKind::Native { format: Format::Messages, raw } => w.raw(&whole(raw, &block.native)),
        BlockKind::Native { .. } => {}
        BlockKind::Image { media_type, data } => w.object(|w| {
            w.key("type").text("text");
            w.key("text").str(&picture(media_type, data));
        }),
        BlockKind::Reasoning => {
            if !block.text().is_empty() || block.signature.is_some() {
                w.object(|w| {
                    w.key("type").text("thinking");
                    w.key("thinking").str(&block.text());
                    w.key("signature").str(&block.signature.as_ref().map(Str::reborrow).unwrap_or_default());
                });
            }
        }
        BlockKind::RedactedReasoning { data } => w.object(|w| {
            w.key("type").text("redacted_thinking");
            w.key("data").str(data);
        }),
        BlockKind::Refusal | BlockKind::Text => {
            if !block.text().is_empty() {
                w.object(|w| write_text(w, block));
            }
        }
        BlockKind::ToolCall { id: given, name } => w.object(|w| {
            w.key("type").text("tool_use");
            w.key("id").str(&if given.is_empty() { tool_id(id, index) } else { given.reborrow() });
            w.key("name").str(name);
            write_input(w.key("input"), &block.arguments());
        }),
    }
}

fn write_text(w: &mut Writer<'_, '_>, block: &Block) {
    w.key("type").text("text");
    w.key("text").str(&block.text());
    let mut citations = block.citations.iter().filter(|(format, _)| *format == Format::Messages).peekable();
    if citations.peek().is_some() {
        w.key("citations").array(|w| citations.for_each(|(_, raw)| w.raw(raw)));
    }
}

/// Writes arguments as the object that Anthropic promises. What a model wrote instead of one is kept as the string
/// `raw_arguments`, for the client's tool to complain about.
fn write_input(w: &mut Writer<'_, '_>, arguments: &Str<'_>) {
    let text = arguments.to_text();
    match &*text {
        text if text.trim_ascii().is_empty() || text == "null" => w.raw("{}"),
        text if Doc::lenient(text.as_bytes()).is_ok_and(|doc| doc.root().kind() == Kind::Object) => w.raw(text),
        _ => w.object(|w| w.key("raw_arguments").str(arguments)),
    }
}

/// The most members that deltas of a native block bring. Real ones bring one or two.
const MOST_MEMBERS: usize = 32;

/// A native block with its deltas in it: pieces of `input` are joined, other members are what the last delta says.
fn whole<'a>(raw: &'a str, deltas: &[String]) -> Cow<'a, str> {
    let docs: Vec<Doc<'_>> = deltas.iter().filter_map(|delta| Doc::lenient(delta.as_bytes()).ok()).collect();
    let Some(block) = Doc::lenient(raw.as_bytes()).ok().filter(|_| !docs.is_empty()) else {
        return Cow::Borrowed(raw);
    };
    let mut input = String::new();
    let mut members: Vec<(Cow<'_, str>, &str)> = Vec::new();
    for delta in docs.iter().map(Doc::root) {
        if let Some(piece) = delta.get("partial_json").and_then(Node::text) {
            input.push_str(&piece);
            continue;
        }
        for (name, value) in delta.members().filter(|(name, _)| name != "type") {
            members.retain(|(n, _)| *n != name);
            if members.len() < MOST_MEMBERS {
                members.push((name, value.raw()));
            }
        }
    }
    if Doc::lenient(input.as_bytes()).is_ok() {
        members.push(("input".into(), &input));
    }
    let changes: Vec<(&str, Change<'_>)> = members.iter().map(|(name, json)| (&**name, Change::Set(json))).collect();
    let mut edits = Edits::default();
    edits.members(block.root(), &changes);
    Cow::Owned(String::from_utf8(edits.apply(&block).into_bytes()).unwrap_or_else(|_| raw.to_owned()))
}
