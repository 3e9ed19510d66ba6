//! OpenAI's chat completions.
//!
//! Format: <https://platform.openai.com/docs/api-reference/chat>. Errors: <https://platform.openai.com/docs/guides/error-codes>.
//! Headers: <https://platform.openai.com/docs/api-reference/debugging-requests>.

pub mod azure;
mod check;
mod completions;
pub mod embeddings;
mod moderations;
mod media;
mod message;
mod reply;
mod responses;
mod schema;
pub mod watsonx;

use serde_json::{Value, json};

use super::bytes::{hash, id};
use super::directive::Directive;
use super::http::{Body, Reply, Request};
use super::log::Log;
use super::shape::{Checked, Refusal, duplicate};
use super::tokens::has_ended;
use super::{Wire, leaked};

/// Answers any request that is not Anthropic's.
pub fn serve(request: &Request, log: &Log) -> Reply {
    let reply = match handle(request, log) {
        Ok(reply) => reply,
        Err(refusal) => refused(&refusal),
    };
    headers(reply, log.count())
}

fn handle(request: &Request, log: &Log) -> Checked<Reply> {
    if let Some(name) = leaked(request, &["anthropic-", "x-api-key", "api-key", "x-goog-api-key"]) {
        return Err(Refusal::new(format!("mock: header `{name}` must not reach OpenAI")).code("leaked_header"));
    }
    authenticate(request, log)?;
    let (method, path) = (request.method.as_str(), request.path());
    match (method, path) {
        ("POST", "/v1/chat/completions") => complete(request, log),
        ("POST", "/v1/completions") => completions::serve(request, log),
        ("POST", "/v1/embeddings") => embeddings::serve(request, log),
        ("POST", "/v1/audio/speech") => media::speak(request, log),
        ("POST", "/v1/audio/transcriptions") => media::transcribe(request, log, false),
        ("POST", "/v1/audio/translations") => media::transcribe(request, log, true),
        ("POST", "/v1/images/edits") => media::edit(request, log),
        ("POST", "/v1/images/generations") => media::generate(request, log),
        ("POST", "/v1/moderations") => moderations::serve(request, log),
        _ if path == "/v1/responses" || path.starts_with("/v1/responses/") => responses::serve(request, log),
        ("GET", "/v1/models") => {
            let models = MODELS.map(model);
            Ok(Reply::json(200, pretty(&json!({"object": "list", "data": models}))))
        }
        ("GET", _) if path.starts_with("/v1/models/") => {
            let name = path.trim_start_matches("/v1/models/");
            let known = MODELS.contains(&name).then(|| Reply::json(200, pretty(&model(name))));
            known.ok_or_else(|| {
                Refusal::new(format!("The model '{name}' does not exist"))
                    .status(404)
                    .param("model")
                    .code("model_not_found")
            })
        }
        (_, "/v1/chat/completions" | "/v1/embeddings" | "/v1/models" | "/v1/moderations") => {
            let message = format!("Not allowed to {method} on {path}.");
            Err(Refusal::new(message).status(405).code("method_not_supported"))
        }
        _ => Err(Refusal::new(format!("Invalid URL ({method} {path})")).status(404)),
    }
}

fn authenticate(request: &Request, log: &Log) -> Checked<()> {
    let key = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let key = key.trim();
    if key.is_empty() {
        return Err(Refusal::new(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys.",
        )
        .status(401));
    }
    if key.starts_with("bad") || has_ended(key, log) {
        let message = format!(
            "Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/api-keys."
        );
        return Err(Refusal::new(message).status(401).code("invalid_api_key"));
    }
    Ok(())
}

fn complete(request: &Request, log: &Log) -> Checked<Reply> {
    let body = json_body(request)?;
    let call = check::call(&body)?;
    answer(request, log, &call)
}

fn json_body(request: &Request) -> Checked<Value> {
    if !request.is_json() {
        let kind = request.header("content-type").unwrap_or_default();
        return Err(Refusal::new(format!("Unsupported content type: '{kind}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: {kind}'. Please try again with a supported content type.")).code("unsupported_content_type"));
    }
    let text = std::str::from_utf8(&request.body).map_err(|_| not_json())?;
    let body: Value = serde_json::from_str(text).map_err(|_| not_json())?;
    if let Some(name) = duplicate(text) {
        return Err(
            Refusal::new(format!("mock: the member `{name}` stands twice in one object")).code("duplicate_name")
        );
    }
    Ok(body)
}

fn answer(request: &Request, log: &Log, call: &check::Call) -> Checked<Reply> {
    let directive = Directive::read(Wire::OpenAi, &call.model, &call.last_text, log)
        .map_err(|message| Refusal::new(format!("mock: {message}")).code("unknown_directive"))?;
    if let Some(reply) = directive.instead() {
        return Ok(directive.spoil(reply));
    }
    directive.unwanted(
        Refusal::new("This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please reduce the length of the messages.").param("messages").code("context_length_exceeded"),
        Refusal::new("Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.").code("invalid_prompt"),
    )?;
    if let Some(status) = directive.status {
        return Ok(directive.spoil(failed(status, directive.retry_after)));
    }
    let mut reply = reply::reply(call, &directive, hash(&request.body));
    if let (Body::Events(events), Some(after)) = (&mut reply.body, directive.error_after) {
        events.truncate(after);
        events.push(format!("data: {}\n\n", error(SERVER_ERROR, "server_error", None, None)).into_bytes());
    }
    Ok(directive.spoil(reply))
}

fn refused(refusal: &Refusal) -> Reply {
    let body = error(&refusal.message, "invalid_request_error", refusal.param.as_deref(), refusal.code);
    Reply::json(refusal.status, pretty(&body))
}

/// The body of a failure that a directive asked for.
fn failed(status: u16, retry_after: Option<u64>) -> Reply {
    let (message, kind, code) = match status {
        400 => ("Something about this request is invalid.", "invalid_request_error", None),
        401 => (
            "Incorrect API key provided: mock. You can find your API key at https://platform.openai.com/account/api-keys.",
            "invalid_request_error",
            Some("invalid_api_key"),
        ),
        403 => (
            "Country, region, or territory not supported",
            "request_forbidden",
            Some("unsupported_country_region_territory"),
        ),
        404 => (
            "The model `mock` does not exist or you do not have access to it.",
            "invalid_request_error",
            Some("model_not_found"),
        ),
        413 => ("Request too large.", "invalid_request_error", None),
        429 => (
            "Rate limit reached for requests. Please try again in 1s. Visit https://platform.openai.com/account/rate-limits to learn more.",
            "requests",
            Some("rate_limit_exceeded"),
        ),
        503 => ("The engine is currently overloaded, please try again later", "server_error", None),
        _ => (SERVER_ERROR, "server_error", None),
    };
    let reply = Reply::json(status, pretty(&error(message, kind, None, code)));
    match retry_after.or((status == 429).then_some(1)) {
        Some(seconds) => reply.with("retry-after", seconds.to_string()),
        None => reply,
    }
}

fn error(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}

fn not_json() -> Refusal {
    Refusal::new(
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
    )
}

/// OpenAI prints its JSON over many lines.
fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn model(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": reply::CREATED, "owned_by": "system"})
}

fn headers(reply: Reply, count: u64) -> Reply {
    reply
        .with("x-request-id", id("req_", count, 32).to_ascii_lowercase())
        .with("openai-organization", "mock-organization")
        .with("openai-project", "proj_mock")
        .with("openai-processing-ms", "42")
        .with("openai-version", "2020-10-01")
        .with("x-ratelimit-limit-requests", "10000")
        .with("x-ratelimit-limit-tokens", "2000000")
        .with("x-ratelimit-remaining-requests", "9999")
        .with("x-ratelimit-remaining-tokens", "1999900")
        .with("x-ratelimit-reset-requests", "6ms")
        .with("x-ratelimit-reset-tokens", "3ms")
        .with("strict-transport-security", "max-age=31536000; includeSubDomains; preload")
        .with("set-cookie", "__cf_bm=mock; path=/; domain=.api.openai.com; HttpOnly; Secure; SameSite=None")
        .with("server", "cloudflare")
        .with("cf-ray", "9mock0000000000-FRA")
}

const MODELS: [&str; 5] = ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5.1", "o3"];

const SERVER_ERROR: &str = "The server had an error while processing your request. Sorry about that!";
