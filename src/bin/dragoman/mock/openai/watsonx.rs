//! watsonx's chat, which is OpenAI's with names of its own, and its embeddings.
//!
//! Format: <https://cloud.ibm.com/apidocs/watsonx-ai>. What differs: the model is `model_id`, a project or space pays, the
//! path says whether to stream, one word of a tool's choice has its own field, and no `[DONE]` ends a stream.

use serde_json::{Map, Value, json};

use super::super::http::{Body, Reply, Request};
use super::super::leaked;
use super::super::log::Log;
use super::super::shape::{Checked, Refusal};
use super::{answer, authenticate, check, embeddings, json_body, pretty};

/// Answers any request under `/ml/`.
pub fn serve(request: &Request, log: &Log) -> Reply {
    handle(request, log).unwrap_or_else(|refusal| {
        let code = refusal.code.unwrap_or("invalid_request_entity");
        let errors = json!([{"code": code, "message": refusal.message, "more_info": "https://cloud.ibm.com/apidocs/watsonx-ai"}]);
        let body = json!({"errors": errors, "trace": "mock", "status_code": refusal.status});
        Reply::json(refusal.status, pretty(&body))
    })
}

fn handle(request: &Request, log: &Log) -> Checked<Reply> {
    if let Some(name) = leaked(request, &["anthropic-", "openai-", "x-api-key", "api-key", "x-goog-api-key"]) {
        return Err(Refusal::new(format!("mock: header `{name}` must not reach watsonx")));
    }
    authenticate(request, log)?;
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    if !query.starts_with("version=20") {
        return Err(Refusal::new("Missing required query parameter: version"));
    }
    let body = json_body(request)?;
    let Value::Object(mut body) = body else { return Err(Refusal::new("the body is no object")) };
    let payers = ["project_id", "space_id"].iter().filter(|name| body.remove(**name).is_some()).count();
    if payers != 1 {
        return Err(Refusal::new("Missing either space_id or project_id or wml_instance_crn"));
    }
    for name in ["model", "parallel_tool_calls", "store", "stream", "stream_options", "user"] {
        if body.contains_key(name) {
            return Err(Refusal::new(format!("Json document validation error: {name} is not a known field")));
        }
    }
    let model = body.remove("model_id").ok_or_else(|| Refusal::new("Missing field model_id"))?;
    match request.path() {
        "/ml/v1/text/embeddings" => vectors(&model, &body),
        "/ml/v1/text/chat" => chat(request, log, model, body, false),
        "/ml/v1/text/chat_stream" => chat(request, log, model, body, true),
        _ => Err(Refusal::new("not found").status(404).code("not_found")),
    }
}

fn vectors(model: &Value, body: &Map<String, Value>) -> Checked<Reply> {
    let inputs = body.get("inputs").and_then(Value::as_array).ok_or_else(|| Refusal::new("Missing field inputs"))?;
    if let Some(other) = body.keys().find(|name| !["inputs", "parameters"].contains(&name.as_str())) {
        return Err(Refusal::new(format!("Json document validation error: {other} is not a known field")));
    }
    let results = inputs.iter().map(|text| {
        let text = text.as_str().unwrap_or_default();
        json!({"embedding": embeddings::vector(text, 8), "input": {"text": text}})
    });
    let results = results.collect::<Vec<_>>();
    let body =
        json!({"model_id": model, "created_at": "2026-01-01T00:00:00Z", "results": results, "input_token_count": 3});
    Ok(Reply::json(200, pretty(&body)))
}

fn chat(request: &Request, log: &Log, model: Value, mut body: Map<String, Value>, stream: bool) -> Checked<Reply> {
    if body.get("tool_choice").is_some_and(Value::is_string) || body.get("stop").is_some_and(Value::is_string) {
        return Err(Refusal::new("Json document validation error: expected an object or an array, got a string"));
    }
    if let Some(choice) = body.remove("tool_choice_option") {
        body.insert("tool_choice".into(), choice);
    }
    body.insert("model".into(), model.clone());
    if stream {
        body.insert("stream".into(), true.into());
        body.insert("stream_options".into(), json!({"include_usage": true, "include_obfuscation": false}));
    }
    let call = check::call(&Value::Object(body))?;
    let mut reply = answer(request, log, &call)?;
    let own = |mut chunk: Value| {
        if let Some(members) = chunk.as_object_mut() {
            members.remove("model");
            members.insert("model_id".into(), model.clone());
        }
        chunk
    };
    match &mut reply.body {
        Body::Events(events) => {
            let chunks = events.iter().filter_map(|event| {
                let data = event.strip_prefix(b"data: ")?;
                serde_json::from_slice::<Value>(data).ok()
            });
            let named = |(at, chunk)| format!("id: {at}\nevent: message\ndata: {}\n\n", own(chunk)).into_bytes();
            *events = (1..).zip(chunks).map(named).collect();
        }
        Body::Whole(body) if reply.status == 200 => {
            if let Ok(whole) = serde_json::from_slice::<Value>(body) {
                *body = pretty(&own(whole)).into_bytes();
            }
        }
        Body::Whole(_) => {}
    }
    Ok(reply)
}
