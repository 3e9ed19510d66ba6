//! A chat answer, whole or in lines: <https://docs.ollama.com/api/streaming>. A call of a tool comes whole, without an id.

use serde_json::{Value, json};

use super::super::answer::{Answer, Finish, Part, pieces};
use super::super::directive::{Directive, bare_model};
use super::super::http::Reply;
use super::check::Call;

/// Answers a request that was found good.
pub fn reply(call: &Call, directive: &Directive) -> Reply {
    let answer = Answer::to(&call.ask, directive);
    if call.stream { Reply::lines(lines(call, &answer)) } else { Reply::json(200, whole(call, &answer).to_string()) }
}

fn whole(call: &Call, answer: &Answer) -> Value {
    let (mut content, mut thinking) = (String::new(), None);
    let mut calls = Vec::new();
    for part in &answer.parts {
        match part {
            Part::Text(text) => content.clone_from(text),
            Part::Thinking { text, .. } => thinking = Some(text),
            Part::Call { tool, input } => calls.push(json!({"function": {"name": tool.name, "arguments": input}})),
        }
    }
    let members = [
        ("role", Some(json!("assistant"))),
        ("content", Some(json!(content))),
        ("thinking", thinking.map(|text| json!(text))),
        ("tool_calls", (!calls.is_empty()).then(|| calls.into())),
    ];
    let message = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    last(call, answer, Value::Object(message))
}

fn lines(call: &Call, answer: &Answer) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for part in &answer.parts {
        match part {
            Part::Text(text) => {
                all.extend(pieces(text).iter().map(|piece| json!({"role": "assistant", "content": piece})))
            }
            Part::Thinking { text, .. } => {
                all.extend(
                    pieces(text).iter().map(|piece| json!({"role": "assistant", "content": "", "thinking": piece})),
                );
            }
            Part::Call { tool, input } => {
                let calls = json!([{"function": {"name": tool.name, "arguments": input}}]);
                all.push(json!({"role": "assistant", "content": "", "tool_calls": calls}));
            }
        }
    }
    let model = bare_model(&call.model);
    let line = |message| json!({"model": model, "created_at": CREATED, "message": message, "done": false});
    let mut all: Vec<Value> = all.into_iter().map(line).collect();
    all.push(last(call, answer, json!({"role": "assistant", "content": ""})));
    all.iter().map(|line| format!("{line}\n").into_bytes()).collect()
}

fn last(call: &Call, answer: &Answer, message: Value) -> Value {
    let reason = if answer.finish == Finish::Length { "length" } else { "stop" };
    json!({
        "model": bare_model(&call.model),
        "created_at": CREATED,
        "message": message,
        "done": true,
        "done_reason": reason,
        "total_duration": 1,
        "load_duration": 1,
        "prompt_eval_count": call.prompt_tokens,
        "eval_count": answer.tokens(false) + answer.tokens(true),
    })
}

const CREATED: &str = "2026-07-08T23:53:02.951686Z";
