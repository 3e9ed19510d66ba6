//! An answer, whole or in chunks.
//!
//! <https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>. Each chunk has the shape of a whole answer;
//! the last one has a reason. Signatures: <https://ai.google.dev/gemini-api/docs/thought-signatures>.

use serde_json::{Map, Value, json};

use super::super::answer::{Answer, Finish, Part, pieces, tokens};
use super::super::bytes::{PNG, base64, hash, id};
use super::super::directive::Directive;
use super::super::http::{Body, Reply};
use super::Door;
use super::check::Call;
use super::pretty;

/// Answers a request that was found good; the seed makes its ids.
pub fn reply(call: &Call, directive: &Directive, seed: u64, stream: Option<bool>) -> Reply {
    let writer = Writer { call, answer: Answer::to(&call.ask, directive), seed };
    match stream {
        None => Reply::json(200, pretty(&writer.whole())),
        Some(true) => Reply::events(writer.chunks().iter().map(event).collect()),
        // Without `alt=sse` a stream is one array.
        Some(false) => {
            let chunks = writer.chunks().iter().map(pretty).collect::<Vec<_>>().join(",\n");
            Reply { body: Body::Whole(format!("[{chunks}]\n").into_bytes()), ..Reply::json(200, String::new()) }
        }
    }
}

/// One server-sent event; none of Google's has a name.
pub fn event(data: &Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

/// The proof of a thought that led to a call, or to a text.
pub struct Signature(String);

impl Signature {
    /// Holds at this door only, for a call with these arguments only.
    pub fn new(door: Door, call: Option<&Value>) -> Signature {
        let about = call.map(|call| format!("{:?}{:?}", call.get("name"), call.get("args").unwrap_or(&json!({}))));
        let door = if door == Door::Cloud { 1 } else { 2 };
        let hash = hash(about.unwrap_or_default().as_bytes()).to_be_bytes();
        // These are digits that the two alphabets of base64 do not share; the number of bytes asks for padding.
        Signature(base64(&[&[0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff, door][..], &hash[..], &[0; 5]].concat()))
    }

    pub fn is(&self, text: &str) -> bool {
        self.0 == text
    }
}

struct Writer<'a> {
    call: &'a Call,
    answer: Answer,
    seed: u64,
}

impl Writer<'_> {
    fn whole(&self) -> Value {
        let mut parts = self.parts();
        if let Some(last) = parts.last_mut().and_then(Value::as_object_mut)
            && self.signs_text()
        {
            last.insert("thoughtSignature".into(), Signature::new(self.call.door, None).0.into());
        }
        let candidates = (0..self.call.candidates).map(|index| self.candidate(index, Some(&parts), true));
        self.response(candidates.collect(), true)
    }

    fn chunks(&self) -> Vec<Value> {
        let mut chunks = Vec::new();
        for index in 0..self.call.candidates {
            let parts = self.parts().into_iter().flat_map(|part| cut(&part)).collect::<Vec<_>>();
            let parts = parts.iter().map(std::slice::from_ref);
            chunks.extend(parts.map(|part| self.response(vec![self.candidate(index, Some(part), false)], false)));
        }
        let mut end = json!({"text": ""});
        if let Some(end) = end.as_object_mut().filter(|_| self.signs_text()) {
            end.insert("thoughtSignature".into(), Signature::new(self.call.door, None).0.into());
        }
        let end = [end];
        let last = (0..self.call.candidates).map(|index| self.candidate(index, Some(&end), true));
        chunks.push(self.response(last.collect(), true));
        chunks
    }

    fn parts(&self) -> Vec<Value> {
        if self.answer.finish == Finish::Refusal {
            return Vec::new();
        }
        let (mut parts, mut calls) = (Vec::new(), 0);
        for part in &self.answer.parts {
            parts.push(match part {
                Part::Call { tool, input } => {
                    calls += 1;
                    let mut call = json!({"name": tool.name, "args": input});
                    let mut part = Map::new();
                    if self.call.signs && calls == 1 {
                        let signature = Signature::new(self.call.door, Some(&call));
                        part.insert("thoughtSignature".into(), signature.0.into());
                    }
                    if let Some(call) = call.as_object_mut().filter(|_| self.call.signs) {
                        call.insert("id".into(), id("", self.seed.wrapping_add(calls), 8).to_lowercase().into());
                    }
                    part.insert("functionCall".into(), call);
                    Value::Object(part)
                }
                Part::Text(text) => json!({"text": text}),
                Part::Thinking { text, .. } => json!({"text": text, "thought": true}),
            });
        }
        if self.call.draws {
            parts.push(json!({"inlineData": {"mimeType": "image/png", "data": PNG}}));
        }
        parts
    }

    fn candidate(&self, index: usize, parts: Option<&[Value]>, last: bool) -> Value {
        let mut candidate = json!({"index": index});
        let Some(members) = candidate.as_object_mut() else { return candidate };
        let refused = self.answer.finish == Finish::Refusal;
        if let Some(parts) = parts.filter(|_| !refused) {
            members.insert("content".into(), json!({"parts": parts, "role": "model"}));
            let text =
                parts.iter().filter(|part| part.get("thought").is_none()).find_map(|part| part.get("text")?.as_str());
            if let (Some(top), Some(text)) = (self.call.logprobs, text) {
                members.insert("logprobsResult".into(), logprobs(text, top));
            }
        }
        if !last {
            return candidate;
        }
        let reason = match self.answer.finish {
            Finish::Length => "MAX_TOKENS",
            Finish::Refusal => "SAFETY",
            Finish::Calls | Finish::Stop | Finish::StopSequence(_) => "STOP",
        };
        members.insert("finishReason".into(), reason.into());
        if refused {
            members.insert("finishMessage".into(), "The response was blocked for safety reasons.".into());
            let rating = json!({"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true});
            members.insert("safetyRatings".into(), json!([rating]));
        }
        if self.call.searches && !refused {
            members.insert("groundingMetadata".into(), self.grounding());
        }
        candidate
    }

    /// The whole text rests on one page.
    fn grounding(&self) -> Value {
        let text = self.text();
        json!({
            "webSearchQueries": [self.call.ask.text],
            "searchEntryPoint": {"renderedContent": "<div></div>"},
            "groundingChunks": [{"web": {"uri": "https://example.com/found", "title": "example.com"}}],
            "groundingSupports": [
                {"segment": {"startIndex": 0, "endIndex": text.len(), "text": text}, "groundingChunkIndices": [0]},
            ],
        })
    }

    fn response(&self, candidates: Vec<Value>, last: bool) -> Value {
        json!({
            "candidates": candidates,
            "usageMetadata": self.usage(last),
            "modelVersion": self.call.model,
            "responseId": id("", self.seed, 22),
        })
    }

    fn usage(&self, last: bool) -> Value {
        let prompt = self.call.prompt_tokens;
        let (said, thought) = (self.answer.tokens(false) * self.call.candidates, self.answer.tokens(true));
        let searched = if self.call.searches { 40 } else { 0 };
        let said = if last { said } else { 0 };
        let mut usage = json!({
            "promptTokenCount": prompt,
            "totalTokenCount": prompt + said + thought + searched,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
        });
        let Some(members) = usage.as_object_mut() else { return usage };
        // Counts of nothing are left out, as they are by Google.
        let cached = if self.call.ask.text.to_lowercase().contains("cached") { prompt / 2 } else { 0 };
        for (name, count) in [
            ("candidatesTokenCount", said),
            ("thoughtsTokenCount", thought),
            ("toolUsePromptTokenCount", searched),
            ("cachedContentTokenCount", cached),
        ] {
            if count > 0 {
                members.insert(name.into(), count.into());
            }
        }
        let tier = self.call.tier.as_deref();
        match self.call.door {
            Door::Cloud => {
                let tier = tier.map(|tier| format!("_{}", tier.to_uppercase())).unwrap_or_default();
                members.insert("trafficType".into(), format!("ON_DEMAND{tier}").into());
            }
            Door::Studio => {
                members.insert("serviceTier".into(), tier.unwrap_or("standard").into());
            }
        }
        usage
    }

    /// A text that is not the fruit of a call is signed by the newer models.
    fn signs_text(&self) -> bool {
        self.call.signs && self.call.thinks && matches!(self.answer.finish, Finish::Stop)
    }

    fn text(&self) -> String {
        let texts = self.answer.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Call { .. } | Part::Thinking { .. } => None,
        });
        texts.collect()
    }
}

/// Texts come word by word, all else whole.
fn cut(part: &Value) -> Vec<Value> {
    let Some(text) = part.get("text").and_then(Value::as_str) else { return vec![part.clone()] };
    let piece = |piece: &str| {
        let mut part = part.clone();
        if let Some(members) = part.as_object_mut() {
            members.insert("text".into(), piece.into());
        }
        part
    };
    pieces(text).into_iter().map(piece).collect()
}

fn logprobs(text: &str, top: usize) -> Value {
    let token = |token: &str, rank: usize| {
        let probability = [-0.25, -1.5, -3.0].get(rank).copied().unwrap_or(-6.0);
        json!({"token": token, "tokenId": tokens(token.len()), "logProbability": probability})
    };
    let chosen: Vec<_> = pieces(text).into_iter().map(|piece| token(piece, 0)).collect();
    let others = pieces(text).into_iter().map(|piece| {
        let candidates: Vec<_> = (0..top).map(|rank| token(if rank == 0 { piece } else { "other" }, rank)).collect();
        json!({"candidates": candidates})
    });
    json!({"topCandidates": others.collect::<Vec<_>>(), "chosenCandidates": chosen})
}
