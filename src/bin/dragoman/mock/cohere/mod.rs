//! Cohere's chat, embeddings and rankings, version 2.
//!
//! Format: <https://docs.cohere.com/v2/reference/chat>. Errors: <https://docs.cohere.com/reference/errors>.

mod check;
mod reply;
mod rerank;

use serde_json::{Value, json};

use super::bytes::{hash, id};
use super::directive::Directive;
use super::http::{Body, Reply, Request};
use super::log::Log;
use super::openai::embeddings::vector;
use super::shape::{Checked, Refusal, duplicate};
use super::{Wire, leaked};

/// Answers any request to Cohere.
pub fn serve(request: &Request, log: &Log) -> Reply {
    let reply = handle(request, log).unwrap_or_else(|refusal| failed(refusal.status, &refusal.message));
    reply.with("x-debug-trace-id", id("", log.count(), 32)).with("num_chars", "42")
}

fn handle(request: &Request, log: &Log) -> Checked<Reply> {
    if let Some(name) = leaked(request, &["anthropic-", "openai-", "x-api-key", "api-key", "x-goog-api-key"]) {
        return Err(Refusal::new(format!("mock: header `{name}` must not reach Cohere")));
    }
    match request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
        None => return Err(Refusal::new("no api key supplied").status(401)),
        Some(key) if key.starts_with("bad") => return Err(Refusal::new("invalid api token").status(401)),
        Some(_) => {}
    }
    let text = std::str::from_utf8(&request.body).unwrap_or_default();
    let body: Value =
        serde_json::from_str(text).map_err(|error| Refusal::new(format!("invalid json syntax: {error}")))?;
    if let Some(name) = duplicate(text) {
        return Err(Refusal::new(format!("mock: the member `{name}` stands twice in one object")));
    }
    if request.path() == "/v2/embed" {
        return embed(&body);
    }
    let read = |model: &str, text: &str| {
        Directive::read(Wire::Cohere, model, text, log).map_err(|message| Refusal::new(format!("mock: {message}")))
    };
    if request.path() == "/v2/rerank" {
        let directive = read("", rerank::query(&body))?;
        if let Some(status) = directive.status {
            return Ok(directive.spoil(failed(status, "this has been reported to our developers")));
        }
        return Ok(directive.spoil(Reply::json(200, rerank::rank(&body)?.to_string())));
    }
    let call = check::call(&body)?;
    let directive = read(&call.model, &call.last_text)?;
    if let Some(reply) = directive.instead() {
        return Ok(directive.spoil(reply));
    }
    if let Some(status) = directive.status {
        let message = match status {
            429 => "You are past the per minute request limit, please wait and try again later.",
            _ => "internal server error, this has been reported to our developers",
        };
        return Ok(directive.spoil(failed(status, message)));
    }
    let mut reply = reply::reply(&call, &directive, hash(&request.body));
    if let (Body::Events(events), Some(after)) = (&mut reply.body, directive.error_after) {
        events.truncate(after);
        let delta = json!({"finish_reason": "ERROR", "error": "an error occurred during the generation"});
        events.push(reply::event(&json!({"type": "message-end", "delta": delta})));
    }
    Ok(directive.spoil(reply))
}

fn failed(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({"id": "mock", "message": message}).to_string())
}

fn embed(body: &Value) -> Checked<Reply> {
    check::known(
        body,
        "",
        &["embedding_types", "input_type", "max_tokens", "model", "output_dimension", "priority", "texts", "truncate"],
    )?;
    let purpose = body["input_type"].as_str().unwrap_or_default();
    if !["classification", "clustering", "search_document", "search_query"].contains(&purpose) {
        return Err(Refusal::new("invalid request: valid input_type must be provided with the provided model"));
    }
    if body["embedding_types"] != json!(["float"]) {
        return Err(Refusal::new("embedding_types parameter is required"));
    }
    let texts = body["texts"].as_array().filter(|texts| texts.iter().all(Value::is_string));
    let texts = texts.ok_or_else(|| Refusal::new("invalid request: texts must be an array of strings"))?;
    if texts.len() > 96 {
        let count = texts.len();
        return Err(Refusal::new(format!(
            "invalid request: total number of texts must be at most 96 - received {count}"
        )));
    }
    let length = body["output_dimension"].as_i64().unwrap_or(8);
    let vectors = texts.iter().map(|text| vector(text.as_str().unwrap_or_default(), length)).collect::<Vec<_>>();
    let meta = json!({"api_version": {"version": "2"}, "billed_units": {"input_tokens": 3}});
    let answer = json!({"id": "mock", "texts": texts, "embeddings": {"float": vectors}, "meta": meta, "response_type": "embeddings_by_type"});
    Ok(Reply::json(200, answer.to_string()))
}
