//! A chat answer, whole or as a stream: <https://docs.cohere.com/v2/docs/streaming>.

use serde_json::{Value, json};

use super::super::answer::{Answer, Finish, Part, fragments, pieces};
use super::super::bytes::id;
use super::super::directive::Directive;
use super::super::http::Reply;
use super::check::Call;

/// Answers a request that was found good; the seed makes its ids.
pub fn reply(call: &Call, directive: &Directive, seed: u64) -> Reply {
    let answer = Answer::to(&call.ask, directive);
    let id = id("", seed, 36);
    if call.stream { Reply::events(events(call, &answer, &id, seed)) } else { whole(call, &answer, &id, seed) }
}

/// An event of a stream.
pub fn event(data: &Value) -> Vec<u8> {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default()).into_bytes()
}

fn whole(call: &Call, answer: &Answer, id: &str, seed: u64) -> Reply {
    let mut content = Vec::new();
    let mut calls = Vec::new();
    for part in &answer.parts {
        match part {
            Part::Thinking { text, .. } => content.push(json!({"type": "thinking", "thinking": text})),
            Part::Text(text) => content.push(json!({"type": "text", "text": text})),
            Part::Call { tool, input } => {
                let function = json!({"name": tool.name, "arguments": input.to_string()});
                calls.push(
                    json!({"id": call_id(&tool.name, seed, calls.len()), "type": "function", "function": function}),
                );
            }
        }
    }
    let mut message = json!({"role": "assistant"});
    if let Some(members) = message.as_object_mut() {
        if !content.is_empty() {
            members.insert("content".into(), content.into());
        }
        if !calls.is_empty() {
            members.insert("tool_plan".into(), PLAN.into());
            members.insert("tool_calls".into(), calls.into());
        }
    }
    let body = json!({"id": id, "finish_reason": finish(answer), "message": message, "usage": usage(call, answer)});
    Reply::json(200, body.to_string())
}

fn events(call: &Call, answer: &Answer, id: &str, seed: u64) -> Vec<Vec<u8>> {
    let mut all = vec![
        json!({"type": "message-start", "id": id, "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}}),
    ];
    let (mut contents, mut calls) = (0, 0);
    for part in &answer.parts {
        match part {
            Part::Text(text) => content(&mut all, &mut contents, "text", text),
            Part::Thinking { text, .. } => content(&mut all, &mut contents, "thinking", text),
            Part::Call { tool, input } => {
                if calls == 0 {
                    for piece in pieces(PLAN) {
                        all.push(json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}}));
                    }
                }
                let function = json!({"name": tool.name, "arguments": ""});
                let start = json!({"id": call_id(&tool.name, seed, calls), "type": "function", "function": function});
                all.push(
                    json!({"type": "tool-call-start", "index": calls, "delta": {"message": {"tool_calls": start}}}),
                );
                for piece in fragments(&input.to_string()) {
                    let delta = json!({"message": {"tool_calls": {"function": {"arguments": piece}}}});
                    all.push(json!({"type": "tool-call-delta", "index": calls, "delta": delta}));
                }
                all.push(json!({"type": "tool-call-end", "index": calls}));
                calls += 1;
            }
        }
    }
    let delta = json!({"finish_reason": finish(answer), "usage": usage(call, answer)});
    all.push(json!({"type": "message-end", "delta": delta}));
    all.iter().map(event).collect()
}

fn content(all: &mut Vec<Value>, index: &mut usize, kind: &str, text: &str) {
    let start = json!({"message": {"content": {"type": kind, kind: ""}}});
    all.push(json!({"type": "content-start", "index": index, "delta": start}));
    for piece in pieces(text) {
        all.push(json!({"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: piece}}}}));
    }
    all.push(json!({"type": "content-end", "index": index}));
    *index += 1;
}

/// What is billed is less than what is read.
fn usage(call: &Call, answer: &Answer) -> Value {
    let output = answer.tokens(false) + answer.tokens(true);
    json!({
        "billed_units": {"input_tokens": call.prompt_tokens, "output_tokens": output},
        "tokens": {"input_tokens": call.prompt_tokens + 200, "output_tokens": output + 2},
    })
}

fn finish(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Calls => "TOOL_CALL",
        Finish::Length => "MAX_TOKENS",
        Finish::Refusal | Finish::Stop => "COMPLETE",
        Finish::StopSequence(_) => "STOP_SEQUENCE",
    }
}

fn call_id(name: &str, seed: u64, nth: usize) -> String {
    id(&format!("{name}_"), seed.wrapping_add(u64::try_from(nth).unwrap_or_default() + 1), 12)
}

const PLAN: &str = "I will use a tool.";
