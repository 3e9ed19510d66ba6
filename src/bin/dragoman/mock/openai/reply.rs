//! A chat completion, whole or in chunks.
//!
//! Whole: <https://platform.openai.com/docs/api-reference/chat/object>. Chunks, with the order role, content or calls,
//! finish, usage, `[DONE]`: <https://platform.openai.com/docs/api-reference/chat-streaming>.

use serde_json::{Map, Value, json};

use super::super::answer::{Answer, Finish, Part, Tool, fragments, pieces};
use super::super::bytes::id;
use super::super::directive::{Directive, bare_model};
use super::super::http::Reply;
use super::check::Call;
use super::pretty;

/// The same for every answer, so that answers repeat.
pub const CREATED: u64 = 1_790_000_000;

/// Answers a request that was found good; the seed makes its ids.
pub fn reply(call: &Call, directive: &Directive, seed: u64) -> Reply {
    let writer = Writer { call, answer: Answer::to(&call.ask, directive), id: id("chatcmpl-", seed, 29), seed };
    if call.stream {
        return Reply::events(writer.events());
    }
    Reply::json(200, pretty(&writer.whole()))
}

struct Writer<'a> {
    call: &'a Call,
    answer: Answer,
    id: String,
    seed: u64,
}

impl Writer<'_> {
    fn whole(&self) -> Value {
        let choices = (0..self.call.count).map(|index| {
            json!({
                "index": index,
                "message": self.message(index),
                "logprobs": self.logprobs(&pieces(self.text())),
                "finish_reason": self.finish(),
            })
        });
        let mut whole = self.envelope("chat.completion", choices.collect());
        whole.insert("usage".into(), self.usage());
        whole.insert("service_tier".into(), "default".into());
        whole.insert("system_fingerprint".into(), FINGERPRINT.into());
        Value::Object(whole)
    }

    fn message(&self, choice: usize) -> Value {
        let refused = self.answer.finish == Finish::Refusal;
        let text = Some(self.text()).filter(|_| self.calls().is_empty());
        let mut message = json!({
            "role": "assistant",
            "content": text.filter(|_| !refused),
            "refusal": text.filter(|_| refused),
            "annotations": [],
        });
        let Some(members) = message.as_object_mut() else {
            return message;
        };
        match self.calls().as_slice() {
            [] => {}
            [(tool, input), ..] if self.call.functions => {
                let function = json!({"name": tool.name, "arguments": input.to_string()});
                members.insert("function_call".into(), function);
            }
            calls => {
                let calls = calls.iter().enumerate().map(|(nth, (tool, input))| {
                    let id = self.call_id(choice, nth);
                    match input {
                        Value::String(input) if tool.custom => {
                            json!({"id": id, "type": "custom", "custom": {"name": tool.name, "input": input}})
                        }
                        _ => {
                            let function = json!({"name": tool.name, "arguments": input.to_string()});
                            json!({"id": id, "type": "function", "function": function})
                        }
                    }
                });
                members.insert("tool_calls".into(), calls.collect());
            }
        }
        message
    }

    fn events(&self) -> Vec<Vec<u8>> {
        let deltas = (0..self.call.count).map(|choice| self.deltas(choice)).collect::<Vec<_>>();
        let longest = deltas.iter().map(Vec::len).max().unwrap_or(0);
        let mut chunks = Vec::new();
        // Choices take turns, as they do when several are generated at once.
        for step in 0..longest {
            for (index, deltas) in deltas.iter().enumerate() {
                if let Some((delta, logprobs, finish)) = deltas.get(step) {
                    chunks.push(self.chunk(
                        vec![json!({"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish})],
                        None,
                    ));
                }
            }
        }
        if self.call.usage {
            chunks.push(self.chunk(Vec::new(), Some(self.usage())));
        }
        let mut events: Vec<Vec<u8>> = chunks.iter().map(|chunk| format!("data: {chunk}\n\n").into_bytes()).collect();
        events.push(b"data: [DONE]\n\n".to_vec());
        events
    }

    /// Delta, log probabilities and finish reason of each chunk of a choice.
    fn deltas(&self, choice: usize) -> Vec<(Value, Value, Option<&'static str>)> {
        let calls = self.calls();
        let refused = self.answer.finish == Finish::Refusal;
        let mut deltas = Vec::new();
        let mut plain = |delta| deltas.push((delta, Value::Null, None));
        match calls.as_slice() {
            [] if refused => plain(json!({"role": "assistant", "content": null, "refusal": ""})),
            [] => plain(json!({"role": "assistant", "content": "", "refusal": null})),
            [(tool, _)] if self.call.functions => plain(
                json!({"role": "assistant", "content": null, "function_call": {"name": tool.name, "arguments": ""}, "refusal": null}),
            ),
            // A single call starts in the first chunk, several start after it.
            [(tool, _)] => plain(
                json!({"role": "assistant", "content": null, "tool_calls": [self.start(choice, 0, tool)], "refusal": null}),
            ),
            _ => plain(json!({"role": "assistant", "content": null})),
        }
        for (nth, (tool, input)) in calls.iter().enumerate() {
            if calls.len() > 1 {
                plain(json!({"tool_calls": [self.start(choice, nth, tool)]}));
            }
            let text = match input {
                Value::String(text) if tool.custom => text.clone(),
                _ => input.to_string(),
            };
            for piece in fragments(&text) {
                plain(match (self.call.functions, tool.custom) {
                    (true, _) => json!({"function_call": {"arguments": piece}}),
                    (_, true) => json!({"tool_calls": [{"index": nth, "custom": {"input": piece}}]}),
                    _ => json!({"tool_calls": [{"index": nth, "function": {"arguments": piece}}]}),
                });
            }
        }
        if calls.is_empty() {
            let name = if refused { "refusal" } else { "content" };
            for piece in pieces(self.text()) {
                deltas.push((json!({name: piece}), self.logprobs(&[piece]), None));
            }
        }
        deltas.push((json!({}), Value::Null, Some(self.finish())));
        deltas
    }

    fn start(&self, choice: usize, nth: usize, tool: &Tool) -> Value {
        let id = self.call_id(choice, nth);
        if tool.custom {
            return json!({"index": nth, "id": id, "type": "custom", "custom": {"name": tool.name, "input": ""}});
        }
        json!({"index": nth, "id": id, "type": "function", "function": {"name": tool.name, "arguments": ""}})
    }

    fn chunk(&self, choices: Vec<Value>, usage: Option<Value>) -> Value {
        let talks = !choices.is_empty();
        let mut chunk = self.envelope("chat.completion.chunk", choices);
        chunk.insert("service_tier".into(), "default".into());
        chunk.insert("system_fingerprint".into(), FINGERPRINT.into());
        if self.call.usage {
            chunk.insert("usage".into(), usage.unwrap_or_default());
        }
        if talks && self.call.obfuscation {
            chunk.insert("obfuscation".into(), id("", self.seed, 9).into());
        }
        Value::Object(chunk)
    }

    fn envelope(&self, object: &str, choices: Vec<Value>) -> Map<String, Value> {
        let mut envelope = Map::new();
        envelope.insert("id".into(), self.id.as_str().into());
        envelope.insert("object".into(), object.into());
        envelope.insert("created".into(), CREATED.into());
        envelope.insert("model".into(), snapshot(bare_model(&self.call.model)).into());
        envelope.insert("choices".into(), choices.into());
        envelope
    }

    fn usage(&self) -> Value {
        let prompt = self.call.prompt_tokens;
        let cached = if self.call.ask.text.to_lowercase().contains("cached") { prompt / 2 } else { 0 };
        let reasoning = self.call.reasoning_tokens;
        let completion = self.answer.tokens(false) * self.call.count + reasoning;
        json!({
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }

    fn logprobs(&self, tokens: &[&str]) -> Value {
        let Some(top) = self.call.logprobs.filter(|_| self.calls().is_empty()) else {
            return Value::Null;
        };
        let entry = |token: &str, logprob: f64| json!({"token": token, "logprob": logprob, "bytes": token.as_bytes()});
        let content = tokens.iter().map(|token| {
            let mut value = entry(token, -0.01);
            let others = ["", "~", "!", "?"].iter().cycle().take(top).enumerate();
            let others = others.map(|(nth, mark)| {
                let nth = u32::try_from(nth).unwrap_or_default();
                entry(&format!("{token}{mark}"), -0.01 - f64::from(nth))
            });
            if let Some(members) = value.as_object_mut() {
                members.insert("top_logprobs".into(), others.collect());
            }
            value
        });
        let content = content.collect::<Vec<_>>();
        if self.answer.finish == Finish::Refusal {
            return json!({"content": null, "refusal": content});
        }
        json!({"content": content, "refusal": null})
    }

    fn finish(&self) -> &'static str {
        match self.answer.finish {
            Finish::Calls if self.call.functions => "function_call",
            // A call that was forced by name ends with `stop`, one that the model chose with `tool_calls`.
            Finish::Calls if matches!(self.call.ask.choice, super::super::answer::Choice::Named(_)) => "stop",
            Finish::Calls => "tool_calls",
            Finish::Length => "length",
            Finish::Refusal | Finish::Stop | Finish::StopSequence(_) => "stop",
        }
    }

    fn text(&self) -> &str {
        let text = self.answer.parts.iter().find_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        });
        text.unwrap_or_default()
    }

    fn calls(&self) -> Vec<(&Tool, &Value)> {
        let calls = self.answer.parts.iter().filter_map(|part| match part {
            Part::Call { tool, input } => Some((tool, input)),
            _ => None,
        });
        calls.collect()
    }

    fn call_id(&self, choice: usize, nth: usize) -> String {
        let place = u64::try_from(choice * 1000 + nth).unwrap_or_default();
        id("call_", self.seed.wrapping_add(place + 1), 24)
    }
}

/// Answers name the dated snapshot that an alias stands for.
pub fn snapshot(model: &str) -> String {
    let year = model.split('-').any(|part| part.len() == 4 && part.starts_with("20"));
    if year || !model.starts_with("gpt-") && !model.starts_with('o') {
        return model.to_owned();
    }
    format!("{model}-2026-01-15")
}

const FINGERPRINT: &str = "fp_44709d6fcb";
