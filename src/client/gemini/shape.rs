//! What whole answers and pieces of a stream have in common.

use super::super::chat::shape::Annotation;
use super::signature::{self, Kind};
use crate::answer::Block;
use crate::client::{Ask, LONGEST_ID, OwnId};
use crate::event::{BlockKind, FinishReason};
use crate::format::Format;
use crate::json::{Doc, Kind as Json, Node, Str, Writer};
use crate::usage::Usage;

/// The members of an answer after its candidates.
pub(super) fn tail(w: &mut Writer<'_, '_>, id: &Str<'_>, usage: Option<&Usage>, ask: &Ask) {
    if let Some(usage) = usage {
        write_usage(w, usage);
    }
    w.key("modelVersion").text(&ask.model);
    if id.is_empty() || id.len() > LONGEST_ID {
        w.key("responseId").text(&ask.own_id().to_string());
    } else {
        w.key("responseId").str(id);
    }
}

/// `usageMetadata`, which counts thought beside the answer.
fn write_usage(w: &mut Writer<'_, '_>, usage: &Usage) {
    w.key("usageMetadata").object(|w| {
        w.key("promptTokenCount").u64(usage.input);
        w.key("candidatesTokenCount").u64(usage.output.saturating_sub(usage.reasoning));
        w.key("totalTokenCount").u64(usage.total());
        if usage.cache_read > 0 {
            w.key("cachedContentTokenCount").u64(usage.cache_read);
        }
        if usage.reasoning > 0 {
            w.key("thoughtsTokenCount").u64(usage.reasoning);
        }
    });
}

/// `finishReason`, and the provider's own word where Google has none.
pub(super) fn finish(w: &mut Writer<'_, '_>, reason: &FinishReason<'_>) {
    w.key("finishReason").text(match reason {
        FinishReason::ContentFilter | FinishReason::Refusal => "SAFETY",
        FinishReason::ContextWindow | FinishReason::Length => "MAX_TOKENS",
        FinishReason::Other(_) => "OTHER",
        FinishReason::Pause | FinishReason::Stop | FinishReason::StopSequence | FinishReason::ToolCalls => "STOP",
    });
    if let FinishReason::Other(word) = reason {
        w.key("finishMessage").str(word);
    }
}

/// A part of text.
pub(super) fn text(w: &mut Writer<'_, '_>, text: &Str<'_>) {
    w.object(|w| w.key("text").str(text));
}

/// A part of thought, with what proves it if it is whole.
pub(super) fn thought(w: &mut Writer<'_, '_>, text: &Str<'_>, proof: Option<&Str<'_>>) {
    w.object(|w| {
        w.key("text").str(text);
        w.key("thought").bool(true);
        if let Some(proof) = proof {
            w.key("thoughtSignature").text(&signature::seal(Kind::Told, proof));
        }
    });
}

/// The part that a block makes that is complete; none if it says nothing. `number`: of the calls before.
pub(super) fn part(w: &mut Writer<'_, '_>, block: &Block, number: &mut u32, own: OwnId) {
    let said = block.text();
    match &block.kind {
        BlockKind::Image { media_type, data } => w.object(|w| {
            w.key("inlineData").object(|w| {
                w.key("mimeType").str(media_type);
                w.key("data").str(data);
            });
        }),
        BlockKind::Native { format: Format::Gemini | Format::Vertex, raw } => w.raw_line(raw),
        BlockKind::Native { .. } => {}
        BlockKind::Reasoning if said.is_empty() && block.signature.is_none() => {}
        BlockKind::Reasoning => thought(w, &said, block.signature.as_ref()),
        BlockKind::RedactedReasoning { data } => w.object(|w| {
            w.key("text").text("");
            w.key("thought").bool(true);
            w.key("thoughtSignature").text(&signature::seal(Kind::Sealed, data));
        }),
        BlockKind::Refusal | BlockKind::Text if said.is_empty() => {}
        BlockKind::Refusal | BlockKind::Text => text(w, &said),
        BlockKind::ToolCall { id, name } => w.object(|w| {
            w.key("functionCall").object(|w| {
                if id.is_empty() {
                    w.key("id").text(&format!("call_{number}_{own}"));
                } else {
                    w.key("id").str(id);
                }
                *number = number.saturating_add(1);
                w.key("name").str(name);
                arguments(w.key("args"), &block.arguments());
            });
        }),
    }
}

/// The arguments of a call, which are an object: what the model wrote wrong is in one, for the client to see.
fn arguments(w: &mut Writer<'_, '_>, arguments: &Str<'_>) {
    let text = arguments.to_text();
    match Doc::lenient(text.as_bytes()) {
        _ if text.trim().is_empty() => w.raw("{}"),
        Ok(doc) if doc.root().kind() == Json::Object => w.raw_line(text.trim()),
        _ => w.object(|w| w.key("raw_arguments").str(arguments)),
    }
}

/// `groundingMetadata`: the sources that an answer cites.
pub(super) fn grounding(w: &mut Writer<'_, '_>, citations: &[(Format, String)]) {
    let found: Vec<Annotation> = citations.iter().filter_map(|(format, raw)| Annotation::read(*format, raw)).collect();
    if found.is_empty() {
        return;
    }
    w.key("groundingMetadata").object(|w| {
        w.key("groundingChunks").array(|w| {
            found.iter().for_each(|source| w.object(|w| w.key("web").object(|w| source.web(w))));
        });
    });
}

/// `logprobsResult` from the raw objects of a chat's.
pub(super) fn logprobs(w: &mut Writer<'_, '_>, chats: &[&str]) {
    let docs: Vec<Doc<'_>> = chats.iter().filter_map(|raw| Doc::lenient(raw.as_bytes()).ok()).collect();
    let tokens = || docs.iter().filter_map(|doc| doc.root().get("content")).flat_map(Node::items);
    if tokens().next().is_none() {
        return;
    }
    w.key("logprobsResult").object(|w| {
        w.key("chosenCandidates").array(|w| tokens().for_each(|token| candidate(w, token)));
        w.key("topCandidates").array(|w| {
            for token in tokens() {
                let others = token.get("top_logprobs").into_iter().flat_map(Node::items);
                w.object(|w| w.key("candidates").array(|w| others.for_each(|other| candidate(w, other))));
            }
        });
    });
}

fn candidate(w: &mut Writer<'_, '_>, token: Node<'_>) {
    w.object(|w| {
        w.key("token").str(&token.get("token").and_then(Node::str).unwrap_or_default());
        if let Some(number) = token.get("logprob").filter(|number| number.f64().is_some()) {
            w.key("logProbability").raw(number.raw());
        }
    });
}
