//! Whole answers.

use super::{Ask, shape};
use crate::answer::Answer;
use crate::event::FinishReason;
use crate::format::Format;
use crate::json::{Body, Writer};

/// Writes an answer, or a count of tokens.
pub(super) fn write(answer: &Answer, ask: &Ask) -> Vec<u8> {
    let mut body = Body::default();
    let mut calls = 0;
    Writer::new(&mut body).object(|w| {
        if let (None, Some(usage)) = (answer.choices.first(), &answer.usage) {
            return w.key("totalTokens").u64(usage.input);
        }
        w.key("candidates").array(|w| {
            for (choice, index) in answer.choices.iter().zip(0..) {
                let citations: Vec<(Format, String)> =
                    choice.blocks.iter().flat_map(|block| block.citations.iter().cloned()).collect();
                let logprobs: Vec<&str> =
                    choice.blocks.iter().flat_map(|block| &block.logprobs).map(String::as_str).collect();
                w.object(|w| {
                    w.key("content").object(|w| {
                        w.key("parts").array(|w| {
                            choice.blocks.iter().for_each(|block| shape::part(w, block, &mut calls, ask.own_id()));
                        });
                        w.key("role").text("model");
                    });
                    shape::finish(w, choice.finish.as_ref().unwrap_or(&FinishReason::Stop));
                    w.key("index").u64(index);
                    shape::grounding(w, &citations);
                    shape::logprobs(w, &logprobs);
                });
            }
        });
        shape::tail(w, &answer.id, answer.usage.as_ref(), ask);
    });
    body.into_bytes()
}
