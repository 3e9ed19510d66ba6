//! What answers and streams both say: ids, reasons to stop, counts.

use crate::client::{Ask, LONGEST_ID};
use crate::event::FinishReason;
use crate::json::{Str, Writer};
use crate::usage::Usage;

/// The id of an answer in Anthropic's shape.
pub(super) fn message_id(id: &Str<'_>, ask: &Ask) -> Str<'static> {
    let usable = !id.is_empty() && id.len() <= LONGEST_ID;
    if usable && id.strip_prefix("msg_").is_some() {
        return id.clone().into_owned();
    }
    let mut own = String::from("msg_");
    if !usable {
        own.push_str(&ask.own_id().to_string());
    } else {
        id.escape_into(&mut own);
    }
    Str::escaped(own)
}

/// The id of a tool call, for providers that give none: the answer's, with the block's place in it.
pub(super) fn tool_id(message: &Str<'_>, index: u64) -> Str<'static> {
    let mut own = String::from("toolu_");
    message.strip_prefix("msg_").unwrap_or_default().escape_into(&mut own);
    own.push_str(&format!("_{index}"));
    Str::escaped(own)
}

/// A picture as text, in Markdown: answers of this format have no pictures, and nothing shall be lost.
pub(super) fn picture(media_type: &Str<'_>, data: &Str<'_>) -> Str<'static> {
    let mut text = String::from("![image](data:");
    media_type.escape_into(&mut text);
    text.push_str(";base64,");
    data.escape_into(&mut text);
    text.push(')');
    Str::escaped(text)
}

/// What a choice was made of, as far as it tells why the choice ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) refusal: bool,
    pub(super) tool_call: bool,
}

/// `stop_reason`. Refusals and tool calls count where a provider calls their end an ordinary one.
pub(super) fn stop_reason(finish: Option<&FinishReason<'_>>, seen: Seen) -> &'static str {
    match finish {
        Some(FinishReason::ContentFilter | FinishReason::Refusal) => "refusal",
        Some(FinishReason::ContextWindow) => "model_context_window_exceeded",
        Some(FinishReason::Length) => "max_tokens",
        Some(FinishReason::Pause) => "pause_turn",
        Some(FinishReason::StopSequence) => "stop_sequence",
        Some(FinishReason::ToolCalls) => "tool_use",
        Some(FinishReason::Other(_) | FinishReason::Stop) | None if seen.tool_call => "tool_use",
        Some(FinishReason::Other(_) | FinishReason::Stop) | None if seen.refusal => "refusal",
        Some(FinishReason::Other(_) | FinishReason::Stop) | None => "end_turn",
    }
}

/// The members of a message or `message_delta` that tell why it ended.
pub(super) fn write_stop(w: &mut Writer<'_, '_>, reason: Option<&str>, sequence: Option<&Str<'_>>) {
    match reason {
        Some(reason) => w.key("stop_reason").text(reason),
        None => w.key("stop_reason").null(),
    }
    match sequence {
        Some(sequence) => w.key("stop_sequence").str(sequence),
        None => w.key("stop_sequence").null(),
    }
    w.key("stop_details").null();
}

/// The class of service in Anthropic's words, if they have one for it.
pub(super) fn service_tier(word: &Str<'_>) -> Option<&'static str> {
    match &*word.to_text() {
        "batch" => Some("batch"),
        "default" | "standard" => Some("standard"),
        "priority" => Some("priority"),
        _ => None,
    }
}

/// `usage` of a whole message.
pub(super) fn write_usage(w: &mut Writer<'_, '_>, usage: &Usage, tier: Option<&str>) {
    w.object(|w| {
        write_input(w, usage);
        w.key("cache_creation").object(|w| {
            w.key("ephemeral_5m_input_tokens").u64(usage.cache_write.saturating_sub(usage.cache_write_1h));
            w.key("ephemeral_1h_input_tokens").u64(usage.cache_write_1h);
        });
        write_output(w, usage);
        if let Some(tier) = tier {
            w.key("service_tier").text(tier);
        }
    });
}

/// `usage` of a `message_delta`, which is cumulative.
pub(super) fn write_delta_usage(w: &mut Writer<'_, '_>, usage: &Usage) {
    w.object(|w| {
        write_input(w, usage);
        write_output(w, usage);
    });
}

/// Input, of which Anthropic counts what came from or went to a cache apart.
fn write_input(w: &mut Writer<'_, '_>, usage: &Usage) {
    let cached = usage.cache_read.saturating_add(usage.cache_write);
    w.key("input_tokens").u64(usage.input.saturating_sub(cached));
    w.key("cache_creation_input_tokens").u64(usage.cache_write);
    w.key("cache_read_input_tokens").u64(usage.cache_read);
}

fn write_output(w: &mut Writer<'_, '_>, usage: &Usage) {
    w.key("output_tokens").u64(usage.output);
    if usage.reasoning > 0 {
        w.key("output_tokens_details").object(|w| w.key("thinking_tokens").u64(usage.reasoning));
    }
}
