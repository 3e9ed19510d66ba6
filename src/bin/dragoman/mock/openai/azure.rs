//! Azure's surface of OpenAI's models: by deployment, or its version 1.
//!
//! Format: <https://learn.microsoft.com/azure/ai-foundry/openai/reference>. What differs: the key is in `api-key`, and an
//! answer tells what filters made of prompt and text, in a stream in a first chunk of its own.

use serde_json::{Value, json};

use super::super::http::{Body, Reply, Request};
use super::super::leaked;
use super::super::log::Log;
use super::super::shape::{Checked, Refusal};
use super::{authenticate, complete, embeddings, error, pretty};

/// Answers any request under `/openai/`.
pub fn serve(request: &Request, log: &Log) -> Reply {
    match handle(request, log) {
        Ok(reply) => reply.with("apim-request-id", "mock-apim"),
        Err(refusal) => {
            let body = error(&refusal.message, "invalid_request_error", refusal.param.as_deref(), refusal.code);
            Reply::json(refusal.status, pretty(&body))
        }
    }
}

fn handle(request: &Request, log: &Log) -> Checked<Reply> {
    // One of the two: a key, or a token of Microsoft's.
    let token = request.header("authorization").is_some();
    let other = if token { "api-key" } else { "authorization" };
    if let Some(name) = leaked(request, &["anthropic-", other, "x-goog-api-key"]) {
        return Err(Refusal::new(format!("mock: header `{name}` must not reach Azure")).code("leaked_header"));
    }
    let key = request.header("api-key").unwrap_or_default();
    if token {
        authenticate(request, log)?;
    } else if key.is_empty() || key.starts_with("bad") {
        let message = "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.";
        return Err(Refusal::new(message).status(401).code("401"));
    }
    let path = request.path();
    let end = match path.strip_prefix("/openai/deployments/").and_then(|rest| rest.split_once('/')) {
        Some((deployment, end)) => {
            versioned(request)?;
            if deployment.starts_with("missing") {
                let message = "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.";
                return Err(Refusal::new(message).status(404).code("DeploymentNotFound"));
            }
            end
        }
        None => path.strip_prefix("/openai/v1/").ok_or_else(not_found)?,
    };
    match end {
        "chat/completions" => complete(request, log).map(annotated),
        "embeddings" => embeddings::serve(request, log),
        _ => Err(not_found()),
    }
}

fn versioned(request: &Request) -> Checked<()> {
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    let version = query.split('&').find_map(|pair| pair.strip_prefix("api-version=")).unwrap_or_default();
    if version.starts_with("20") { Ok(()) } else { Err(not_found()) }
}

fn not_found() -> Refusal {
    Refusal::new("Resource not found").status(404).code("404")
}

/// With what the filters say.
fn annotated(mut reply: Reply) -> Reply {
    if reply.status != 200 {
        return reply;
    }
    let safe = json!({"hate": {"filtered": false, "severity": "safe"}});
    let prompt = json!([{"prompt_index": 0, "content_filter_results": safe}]);
    match &mut reply.body {
        Body::Events(events) => {
            let first = json!({"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": prompt});
            events.insert(0, format!("data: {first}\n\n").into_bytes());
        }
        Body::Whole(body) => {
            if let Ok(Value::Object(mut whole)) = serde_json::from_slice::<Value>(body) {
                whole.insert("prompt_filter_results".into(), prompt);
                *body = pretty(&Value::Object(whole)).into_bytes();
            }
        }
    }
    reply
}
