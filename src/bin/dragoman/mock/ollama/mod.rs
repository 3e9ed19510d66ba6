//! Ollama's own chat and embeddings.
//!
//! Format: <https://docs.ollama.com/api/chat>. Errors: <https://docs.ollama.com/api/errors>.

mod check;
mod reply;

use serde_json::{Value, json};

use super::directive::Directive;
use super::http::{Body, Reply, Request};
use super::log::Log;
use super::openai::embeddings::vector;
use super::shape::{Checked, Refusal, duplicate};
use super::{Wire, leaked};

/// Answers any request to Ollama.
pub fn serve(request: &Request, log: &Log) -> Reply {
    handle(request, log).unwrap_or_else(|refusal| failed(refusal.status, &refusal.message))
}

fn handle(request: &Request, log: &Log) -> Checked<Reply> {
    if let Some(name) = leaked(request, &["anthropic-", "openai-", "x-api-key", "api-key", "x-goog-api-key"]) {
        return Err(Refusal::new(format!("mock: header `{name}` must not reach Ollama")));
    }
    let text = std::str::from_utf8(&request.body).unwrap_or_default();
    let body: Value = serde_json::from_str(text).map_err(|error| Refusal::new(error.to_string()))?;
    if let Some(name) = duplicate(text) {
        return Err(Refusal::new(format!("mock: the member `{name}` stands twice in one object")));
    }
    if request.path() == "/api/embed" {
        return embed(&body);
    }
    let call = check::call(&body)?;
    let directive = Directive::read(Wire::Ollama, &call.model, &call.last_text, log)
        .map_err(|message| Refusal::new(format!("mock: {message}")))?;
    if let Some(reply) = directive.instead() {
        return Ok(directive.spoil(reply));
    }
    if let Some(status) = directive.status {
        let message = if status == 503 {
            "server busy, please try again.  maximum pending requests exceeded"
        } else {
            "the model failed to generate a response"
        };
        return Ok(directive.spoil(failed(status, message)));
    }
    let mut reply = reply::reply(&call, &directive);
    if let (Body::Events(lines), Some(after)) = (&mut reply.body, directive.error_after) {
        lines.truncate(after);
        lines.push(b"{\"error\":\"an error was encountered while running the model\"}\n".to_vec());
    }
    Ok(directive.spoil(reply))
}

fn failed(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({"error": message}).to_string())
}

fn embed(body: &Value) -> Checked<Reply> {
    check::known(body, &["dimensions", "input", "keep_alive", "model", "options", "truncate"])?;
    let texts = body["input"].as_array().filter(|texts| texts.iter().all(Value::is_string));
    let texts = texts.ok_or_else(|| Refusal::new("invalid input type"))?;
    let length = body["dimensions"].as_i64().unwrap_or(8);
    let vectors = texts.iter().map(|text| vector(text.as_str().unwrap_or_default(), length)).collect::<Vec<_>>();
    let answer = json!({"model": body["model"], "embeddings": vectors, "total_duration": 1, "load_duration": 1, "prompt_eval_count": 3});
    Ok(Reply::json(200, answer.to_string()))
}
