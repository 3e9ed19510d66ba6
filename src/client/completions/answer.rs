//! Whole answers.

use super::super::chat::shape as chat;
use super::{Ask, shape};
use crate::answer::{Answer, Block};
use crate::event::{BlockKind, FinishReason};
use crate::json::{Body, Str, Writer};

/// Writes an answer.
pub(super) fn write(answer: &Answer, ask: &Ask) -> Vec<u8> {
    let mut body = Body::default();
    Writer::new(&mut body).object(|w| {
        chat::id(w, shape::PREFIX, &answer.id, ask);
        w.key("object").text(shape::OBJECT);
        w.key("created").u64(answer.created.unwrap_or(ask.now));
        w.key("model").text(&ask.model);
        w.key("choices").array(|w| {
            for (choice, index) in answer.choices.iter().zip(0..) {
                let said = |block: &&Block| matches!(block.kind, BlockKind::Refusal | BlockKind::Text);
                let text: Vec<Str<'_>> = choice.blocks.iter().filter(said).map(Block::text).collect();
                let logprobs: Vec<&str> =
                    choice.blocks.iter().flat_map(|block| &block.logprobs).map(String::as_str).collect();
                w.object(|w| {
                    w.key("index").u64(index);
                    w.key("text").concat(&text);
                    shape::logprobs(w, &logprobs, 0);
                    shape::finish(w, choice.finish.as_ref().unwrap_or(&FinishReason::Stop));
                });
            }
        });
        if let Some(usage) = &answer.usage {
            chat::usage(w, usage);
        }
    });
    body.into_bytes()
}
