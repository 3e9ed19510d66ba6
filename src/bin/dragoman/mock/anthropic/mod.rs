//! Anthropic's Messages and token counting.
//!
//! Format: <https://platform.claude.com/docs/en/api/messages>. Errors: <https://platform.claude.com/docs/en/api/errors>.
//! Versions 2023-06-01 and 2026-10-21: <https://platform.claude.com/docs/en/api/versioning>,
//! <https://platform.claude.com/docs/en/api/migration-2026-10-21>.

mod cache;
mod check;
mod content;
mod model;
mod reply;
mod tools;

use serde_json::{Value, json};

use super::bytes::{hash, id};
use super::directive::Directive;
use super::http::{Body, Reply, Request};
use super::log::Log;
use super::shape::{Checked, Refusal, duplicate};
use super::tokens::has_ended;
use super::{Wire, leaked};

/// Answers a request to one of Anthropic's paths.
pub fn serve(request: &Request, log: &Log) -> Reply {
    // The number of the request, so that every request has its own id.
    let request_id = id("req_011C", log.count(), 20);
    let reply = match handle(request, log, &request_id) {
        Ok(reply) => reply,
        Err(refusal) => failure(refusal.status, &refusal.message, refusal.code, &request_id),
    };
    headers(reply, &request_id)
}

fn handle(request: &Request, log: &Log, request_id: &str) -> Checked<Reply> {
    if let Some(name) = leaked(request, &["openai-", "api-key", "x-goog-api-key"]) {
        return Err(Refusal::new(format!("mock: header `{name}` must not reach Anthropic")));
    }
    authenticate(request, log)?;
    let version = version(request)?;
    let beta = beta(request)?;
    let (method, path) = (request.method.as_str(), request.path());
    let counting = path.ends_with("/count_tokens");
    match (method, path) {
        ("GET", "/v1/models") => {
            let models = MODELS.map(card);
            let ends = (MODELS.first(), MODELS.last());
            Ok(Reply::json(
                200,
                json!({"data": models, "has_more": false, "first_id": ends.0, "last_id": ends.1}).to_string(),
            ))
        }
        ("GET", _) if path.starts_with("/v1/models/") => {
            let name = path.trim_start_matches("/v1/models/");
            let known = MODELS.contains(&name).then(|| Reply::json(200, card(name).to_string()));
            known.ok_or_else(|| Refusal::new(format!("model: {name}")).status(404))
        }
        ("POST", _) => {
            let body = body(request)?;
            let call = check::call(&body, version, beta, counting)?;
            message(request, log, &call, counting, request_id)
        }
        _ => Err(Refusal::new("Method Not Allowed").status(405)),
    }
}

fn message(request: &Request, log: &Log, call: &check::Call, counting: bool, request_id: &str) -> Checked<Reply> {
    let directive = Directive::read(Wire::Anthropic, &call.model, &call.last_text, log)
        .map_err(|message| Refusal::new(format!("mock: {message}")))?;
    if let Some(reply) = directive.instead() {
        return Ok(directive.spoil(reply));
    }
    directive.unwanted(
        Refusal::new("prompt is too long: 208310 tokens > 200000 maximum"),
        Refusal::new("Output blocked by content filtering policy"),
    )?;
    if let Some(status) = directive.status {
        let mut reply = failure(status, said(status), None, request_id);
        if let Some(seconds) = directive.retry_after.or((status == 429).then_some(1)) {
            reply = reply.with("retry-after", seconds.to_string());
        }
        return Ok(directive.spoil(reply));
    }
    if counting {
        let reply = Reply::json(200, json!({"input_tokens": call.input.total()}).to_string());
        return Ok(directive.spoil(reply));
    }
    let mut reply = reply::reply(call, &directive, hash(&request.body));
    if let (Body::Events(events), Some(after)) = (&mut reply.body, directive.error_after) {
        events.truncate(after);
        events.push(reply::event(&error("overloaded_error", "Overloaded", request_id)));
    }
    Ok(directive.spoil(reply))
}

fn authenticate(request: &Request, log: &Log) -> Checked<()> {
    let bearer = request.header("authorization");
    let key = match (request.header("x-api-key"), bearer) {
        (Some(_), Some(_)) => {
            return Err(Refusal::new(
                "mock: `x-api-key` and `authorization` were both sent, one of them may be a client's",
            ));
        }
        (Some(key), None) => key,
        (None, Some(bearer)) => bearer.strip_prefix("Bearer ").unwrap_or_default(),
        (None, None) => return Err(Refusal::new("x-api-key header is required").status(401)),
    };
    if key.trim().is_empty() || key.starts_with("bad") || has_ended(key, log) {
        let name = if bearer.is_some() { "bearer token" } else { "x-api-key" };
        return Err(Refusal::new(format!("invalid {name}")).status(401));
    }
    Ok(())
}

/// The rules that the request's version brings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    V2023_06_01,
    V2026_10_21,
}

fn version(request: &Request) -> Checked<Version> {
    match request.header("anthropic-version") {
        Some("2023-06-01") => Ok(Version::V2023_06_01),
        Some("2026-10-21") => Ok(Version::V2026_10_21),
        Some(other) => Err(Refusal::new(format!(
            "anthropic-version: \"{other}\" is not a valid version. Please consult our documentation at https://platform.claude.com/docs/en/api/versioning"
        ))),
        None => Err(Refusal::new("anthropic-version: header is required")),
    }
}

/// Whether beta fields are allowed; a beta's name ends in its date, as `-2025-05-14` or `-20250219`.
fn beta(request: &Request) -> Checked<bool> {
    let Some(names) = request.header("anthropic-beta") else {
        return Ok(false);
    };
    for name in names.split(',').map(str::trim) {
        let parted = name.rsplitn(4, '-').take(3).all(|part| part.parse::<u16>().is_ok());
        let whole = name.rsplit('-').next().is_some_and(|date| date.len() == 8 && date.parse::<u32>().is_ok());
        if !parted && !whole {
            return Err(Refusal::new(format!(
                "Unexpected value(s) `{name}` for the `anthropic-beta` header. Please consult our documentation at https://platform.claude.com/docs/en/api/beta-headers or try again without the header."
            )));
        }
    }
    Ok(true)
}

fn body(request: &Request) -> Checked<Value> {
    if !request.is_json() {
        return Err(Refusal::new("Content-Type must be application/json"));
    }
    if request.body.len() > 32 << 20 {
        return Err(Refusal::new("Request exceeds the maximum size").status(413));
    }
    let wrong = |error: String| Refusal::new(format!("The request body is not valid JSON: {error}"));
    let text = std::str::from_utf8(&request.body).map_err(|error| wrong(error.to_string()))?;
    let body: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    match duplicate(text) {
        Some(name) => Err(Refusal::new(format!("mock: the member `{name}` stands twice in one object"))),
        None => Ok(body),
    }
}

fn failure(status: u16, message: &str, code: Option<&str>, request_id: &str) -> Reply {
    let retry = matches!(status, 408 | 409 | 429 | 500..);
    let mut body = error(kind(status), message, request_id);
    if let (Some(code), Some(error)) = (code, body.get_mut("error").and_then(Value::as_object_mut)) {
        error.insert("details".into(), json!({"error_code": code}));
    }
    Reply::json(status, body.to_string()).with("x-should-retry", if retry { "true" } else { "false" })
}

fn error(kind: &str, message: &str, request_id: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id})
}

fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

/// The message of a failure that a directive asked for.
fn said(status: u16) -> &'static str {
    match status {
        400 => "Something about this request is invalid.",
        401 => "invalid x-api-key",
        403 => "Your API key does not have permission to use the specified resource.",
        404 => "model: mock",
        413 => "Request exceeds the maximum size",
        429 => "This request would exceed your organization's rate limit of 50 requests per minute.",
        529 => "Overloaded",
        _ => "Internal server error",
    }
}

fn card(name: &str) -> Value {
    json!({
        "type": "model",
        "id": name,
        "display_name": name.replace('-', " "),
        "created_at": "2026-01-15T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": model::Model::new(name).max_tokens(),
    })
}

fn headers(mut reply: Reply, request_id: &str) -> Reply {
    for kind in ["requests", "tokens", "input-tokens", "output-tokens"] {
        reply = reply
            .with(&format!("anthropic-ratelimit-{kind}-limit"), "4000")
            .with(&format!("anthropic-ratelimit-{kind}-remaining"), "3999")
            .with(&format!("anthropic-ratelimit-{kind}-reset"), "2026-01-15T12:00:00Z");
    }
    reply
        .with("request-id", request_id)
        .with("anthropic-organization-id", "00000000-0000-4000-8000-000000000000")
        .with("strict-transport-security", "max-age=31536000; includeSubDomains; preload")
        .with("set-cookie", "_cfuvid=mock; path=/; domain=.api.anthropic.com; HttpOnly; Secure; SameSite=None")
        .with("server", "cloudflare")
        .with("cf-ray", "9mock0000000000-FRA")
}

const MODELS: [&str; 5] = [
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-opus-4-6",
    "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5-20251001",
];
