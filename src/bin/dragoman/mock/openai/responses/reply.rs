//! A response, whole or as its events.
//!
//! Whole: <https://platform.openai.com/docs/api-reference/responses/object>. Events:
//! <https://platform.openai.com/docs/api-reference/responses-streaming>.

use serde_json::{Map, Value, json};

use super::super::super::answer::{Answer, Finish, Part, fragments, pieces};
use super::super::super::bytes::id;
use super::super::super::directive::{Directive, bare_model};
use super::super::super::http::Reply;
use super::super::super::log::{Kept, Log};
use super::super::pretty;
use super::super::reply::{CREATED, snapshot};
use super::check::Call;
use super::item::SEAL;

/// Answers a request that was found good; the seed makes its ids.
pub fn reply(call: &Call, directive: &Directive, seed: u64, log: &Log) -> Reply {
    let writer = Writer { call, answer: Answer::to(&call.ask, directive), id: id("resp_", seed, 48), seed };
    let (response, events) = writer.all();
    if call.store {
        log.keep(&writer.id, Kept { response: response.clone(), input: call.input.clone() });
    }
    if call.stream { Reply::events(events) } else { Reply::json(200, pretty(&response)) }
}

struct Writer<'a> {
    call: &'a Call,
    answer: Answer,
    id: String,
    seed: u64,
}

/// Events under way.
#[derive(Default)]
struct Events {
    written: Vec<Vec<u8>>,
}

impl Events {
    fn add(&mut self, kind: &str, mut members: Value) {
        if let Some(members) = members.as_object_mut() {
            members.insert("type".into(), kind.into());
            members.insert("sequence_number".into(), self.written.len().into());
        }
        self.written.push(format!("event: {kind}\ndata: {members}\n\n").into_bytes());
    }
}

impl Writer<'_> {
    fn all(&self) -> (Value, Vec<Vec<u8>>) {
        let mut events = Events::default();
        let begun = self.response(if self.call.background { "queued" } else { "in_progress" }, &[]);
        events.add("response.created", json!({"response": begun}));
        if self.call.background && !self.call.stream {
            return (begun, events.written);
        }
        events.add("response.in_progress", json!({"response": self.response("in_progress", &[])}));
        let mut output: Vec<Value> = Vec::new();
        for part in &self.answer.parts {
            let index = output.len();
            output.push(match part {
                Part::Thinking { text, .. } => self.reasoning(index, text, &mut events),
                Part::Call { tool, input } => {
                    let text = match input {
                        Value::String(text) if tool.custom => text.clone(),
                        input => input.to_string(),
                    };
                    self.tool_call(index, &tool.name, &text, tool.custom, &mut events)
                }
                Part::Text(text) => self.message(index, text, &mut events),
            });
        }
        let status = if self.answer.finish == Finish::Length { "incomplete" } else { "completed" };
        let response = self.response(status, &output);
        events.add(&format!("response.{status}"), json!({"response": response}));
        (response, events.written)
    }

    fn item_id(&self, prefix: &str, index: usize) -> String {
        id(prefix, self.seed.wrapping_add(index as u64 + 1), 48)
    }

    fn reasoning(&self, index: usize, text: &str, events: &mut Events) -> Value {
        let item_id = self.item_id("rs_", index);
        let mut item = json!({"id": item_id, "type": "reasoning", "summary": []});
        events.add("response.output_item.added", json!({"output_index": index, "item": item}));
        if self.call.summary {
            let place =
                |more: Value| merged(json!({"item_id": item_id, "output_index": index, "summary_index": 0}), more);
            let part = |text: &str| json!({"type": "summary_text", "text": text});
            events.add("response.reasoning_summary_part.added", place(json!({"part": part("")})));
            for piece in pieces(text) {
                events.add("response.reasoning_summary_text.delta", place(json!({"delta": piece})));
            }
            events.add("response.reasoning_summary_text.done", place(json!({"text": text})));
            events.add("response.reasoning_summary_part.done", place(json!({"part": part(text)})));
            item = merged(item, json!({"summary": [part(text)]}));
        }
        item = merged(item, json!({"encrypted_content": format!("{SEAL}{}", id("", self.seed, 60))}));
        events.add("response.output_item.done", json!({"output_index": index, "item": item}));
        item
    }

    fn tool_call(&self, index: usize, name: &str, text: &str, custom: bool, events: &mut Events) -> Value {
        let item_id = self.item_id(if custom { "ctc_" } else { "fc_" }, index);
        let call_id = self.item_id("call_", index + 1000).chars().take(29).collect::<String>();
        let (kind, member, event) = if custom {
            ("custom_tool_call", "input", "custom_tool_call_input")
        } else {
            ("function_call", "arguments", "function_call_arguments")
        };
        let item = |text: &str, status: &str| {
            let item = json!({"id": item_id, "type": kind, "call_id": call_id, "name": name, member: text});
            if custom { item } else { merged(item, json!({"status": status})) }
        };
        let place = |more: Value| merged(json!({"item_id": item_id, "output_index": index}), more);
        events.add("response.output_item.added", json!({"output_index": index, "item": item("", "in_progress")}));
        for piece in fragments(text) {
            events.add(&format!("response.{event}.delta"), self.padded(place(json!({"delta": piece}))));
        }
        events.add(&format!("response.{event}.done"), place(json!({member: text})));
        let done = item(text, "completed");
        events.add("response.output_item.done", json!({"output_index": index, "item": done}));
        done
    }

    fn message(&self, index: usize, text: &str, events: &mut Events) -> Value {
        let refused = self.answer.finish == Finish::Refusal;
        let item_id = self.item_id("msg_", index);
        let status = if self.answer.finish == Finish::Length { "incomplete" } else { "completed" };
        let part = |text: &str| {
            if refused {
                return json!({"type": "refusal", "refusal": text});
            }
            json!({"type": "output_text", "text": text, "annotations": [], "logprobs": self.logprobs(&pieces(text), true)})
        };
        let item = |status: &str, content: Vec<Value>| json!({"id": item_id, "type": "message", "status": status, "role": "assistant", "content": content});
        let place = |more: Value| merged(json!({"item_id": item_id, "output_index": index, "content_index": 0}), more);
        events
            .add("response.output_item.added", json!({"output_index": index, "item": item("in_progress", Vec::new())}));
        events.add("response.content_part.added", place(json!({"part": part("")})));
        for piece in pieces(text) {
            let delta = place(json!({"delta": piece}));
            if refused {
                events.add("response.refusal.delta", delta);
            } else {
                let logprobs = json!({"logprobs": self.logprobs(&[piece], false)});
                events.add("response.output_text.delta", self.padded(merged(delta, logprobs)));
            }
        }
        if refused {
            events.add("response.refusal.done", place(json!({"refusal": text})));
        } else {
            let logprobs = self.logprobs(&pieces(text), false);
            events.add("response.output_text.done", place(json!({"text": text, "logprobs": logprobs})));
        }
        events.add("response.content_part.done", place(json!({"part": part(text)})));
        let done = item(status, vec![part(text)]);
        events.add("response.output_item.done", json!({"output_index": index, "item": done}));
        done
    }

    fn logprobs(&self, tokens: &[&str], bytes: bool) -> Vec<Value> {
        let Some(_) = self.call.logprobs else { return Vec::new() };
        let one = |token: &&str| {
            let entry = json!({"token": token, "logprob": -0.01, "top_logprobs": []});
            if bytes { merged(entry, json!({"bytes": token.as_bytes()})) } else { entry }
        };
        tokens.iter().map(one).collect()
    }

    fn padded(&self, event: Value) -> Value {
        if self.call.obfuscation { merged(event, json!({"obfuscation": id("", self.seed, 9)})) } else { event }
    }

    fn response(&self, status: &str, output: &[Value]) -> Value {
        let call = self.call;
        let said =
            |name: &str, usual: Value| call.body.get(name).filter(|value| !value.is_null()).cloned().unwrap_or(usual);
        let mut response = Map::new();
        let cut = status == "incomplete";
        for (name, value) in [
            ("id", json!(self.id)),
            ("object", json!("response")),
            ("created_at", json!(CREATED)),
            ("status", json!(status)),
            ("background", json!(call.background)),
            ("error", Value::Null),
            ("incomplete_details", if cut { json!({"reason": "max_output_tokens"}) } else { Value::Null }),
            ("model", json!(snapshot(bare_model(&call.model)))),
            ("output", json!(output)),
            ("store", json!(call.store)),
            ("service_tier", json!("default")),
            ("usage", if matches!(status, "completed" | "incomplete") { self.usage() } else { Value::Null }),
        ] {
            response.insert(name.into(), value);
        }
        for (name, usual) in [
            ("instructions", Value::Null),
            ("max_output_tokens", Value::Null),
            ("max_tool_calls", Value::Null),
            ("metadata", json!({})),
            ("parallel_tool_calls", json!(true)),
            ("previous_response_id", Value::Null),
            ("prompt_cache_key", Value::Null),
            ("reasoning", json!({"effort": null, "summary": null})),
            ("safety_identifier", Value::Null),
            ("temperature", json!(1.0)),
            ("text", json!({"format": {"type": "text"}, "verbosity": "medium"})),
            ("tool_choice", json!("auto")),
            ("tools", json!([])),
            ("top_logprobs", json!(0)),
            ("top_p", json!(1.0)),
            ("truncation", json!("disabled")),
            ("user", Value::Null),
        ] {
            response.insert(name.into(), said(name, usual));
        }
        Value::Object(response)
    }

    fn usage(&self) -> Value {
        let input = self.call.prompt_tokens;
        let cached = if self.call.ask.text.to_lowercase().contains("cached") { input / 2 } else { 0 };
        let reasoning = self.answer.tokens(true);
        let output = self.answer.tokens(false) + reasoning;
        json!({
            "input_tokens": input,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": input + output,
        })
    }
}

fn merged(mut value: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
    value
}
