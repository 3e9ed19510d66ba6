//! Google's Gemini, at both of its doors: the Gemini API and Google Cloud, which serves Claude and others too.
//!
//! Paths and methods: <https://ai.google.dev/api>,
//! <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference>. Claude:
//! <https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai>. Errors:
//! <https://ai.google.dev/gemini-api/docs/troubleshooting>, <https://google.aip.dev/193>.

mod check;
mod embed;
mod fields;
mod model;
mod proto;
mod reply;

use serde_json::{Value, json};

use super::answer::tokens;
use super::bytes::hash;
use super::directive::{Directive, bare_model};
use super::http::{Body, Reply, Request};
use super::log::Log;
use super::shape::{Checked, Refusal, duplicate};
use super::{Wire, anthropic, leaked, openai};

/// Where a request comes in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Google Cloud.
    Cloud,
    /// The Gemini API, of Google's AI Studio.
    Studio,
}

/// Whether a path is one of Google's.
pub fn knows(path: &str) -> bool {
    ["/v1beta/", "/v1beta1/", "/v1/projects/", "/v1/publishers/"].iter().any(|start| path.starts_with(start))
}

/// Answers a request to one of Google's paths.
pub fn serve(request: &Request, log: &Log) -> Reply {
    let door = if request.path().starts_with("/v1beta/") { Door::Studio } else { Door::Cloud };
    let reply = handle(request, log, door).unwrap_or_else(|refusal| failure(&refusal, Vec::new()));
    headers(reply)
}

fn handle(request: &Request, log: &Log, door: Door) -> Checked<Reply> {
    let path = decoded(request.path());
    let resource = path.split('/').skip(2).collect::<Vec<_>>();
    let claude = resource.contains(&"anthropic");
    let foreign: &[&str] = if claude { &["openai-", "api-key", "x-api-key"] } else { FOREIGN };
    if let Some(name) = leaked(request, foreign) {
        return Err(Refusal::new(format!("mock: header `{name}` must not reach Google")));
    }
    authenticate(request, door)?;
    match (request.method.as_str(), resource.as_slice()) {
        ("GET", ["models"]) => {
            let models = MODELS.map(card);
            Ok(Reply::json(200, pretty(&json!({"models": models}))))
        }
        ("POST", ["projects", _, "locations", _, "publishers", "anthropic", "models", last]) => {
            let (model, method) = split(last)?;
            claude_answer(request, log, model, method)
        }
        ("POST", ["projects", _, "locations", _, "endpoints", "openapi", "chat", "completions"]) => {
            Ok(openai::serve(&disguised(request, "/v1/chat/completions", "authorization", request.body.to_vec()), log))
        }
        (
            "POST",
            ["models", last]
            | ["publishers", "google", "models", last]
            | ["projects", _, "locations", _, "publishers", "google", "models", last],
        ) => {
            let (model, method) = split(last)?;
            gemini_answer(request, log, door, model, method)
        }
        _ => Err(nowhere(&path)),
    }
}

fn gemini_answer(request: &Request, log: &Log, door: Door, model: &str, method: &str) -> Checked<Reply> {
    let body = body(request)?;
    let bare = bare_model(model);
    let wire = if door == Door::Cloud { Wire::Vertex } else { Wire::Gemini };
    let directive = |text: &str| {
        let read = Directive::read(wire, model, text, log);
        read.map_err(|message| Refusal::new(format!("mock: {message}")))
    };
    let stream = match method {
        "generateContent" => None,
        "streamGenerateContent" => Some(request.target.contains("alt=sse")),
        "countTokens" => {
            let body = proto::read(&fields::COUNT, &body, door)?;
            let counted = body.get("generateContentRequest").unwrap_or(&body);
            let call = check::call(bare, counted, door)?;
            return instead_or(directive(&call.last_text)?, door, None, |_| {
                let count = tokens(check::letters(counted));
                let details = json!([{"modality": "TEXT", "tokenCount": count}]);
                Reply::json(200, pretty(&json!({"totalTokens": count, "promptTokensDetails": details})))
            });
        }
        "predict" if door == Door::Studio => return Err(nowhere(request.path())),
        "batchEmbedContents" | "embedContent" | "predict" => {
            let message = match method {
                "batchEmbedContents" => &fields::BATCH_EMBED,
                "embedContent" => &fields::EMBED,
                _ => &fields::PREDICT,
            };
            let body = proto::read(message, &body, door)?;
            let (answer, text) = embed::embed(bare, method, &body, door)?;
            return instead_or(directive(&text)?, door, None, |_| Reply::json(200, pretty(&answer)));
        }
        _ => return Err(nowhere(request.path())),
    };
    let body = proto::read(&fields::GENERATE, &body, door)?;
    let mut call = check::call(bare, &body, door)?;
    if door == Door::Cloud {
        call.tier = request.header("x-vertex-ai-llm-shared-request-type").map(str::to_owned);
    }
    let directive = directive(&call.last_text)?;
    instead_or(directive, door, stream, |directive| {
        let mut reply = reply::reply(&call, directive, hash(&request.body), stream);
        if let (Body::Events(events), Some(after)) = (&mut reply.body, directive.error_after) {
            events.truncate(after);
            events.push(reply::event(&error(503, said(503), Vec::new())));
        }
        reply
    })
}

/// The answer, or what a directive asks for in its place.
fn instead_or(
    mut directive: Directive,
    door: Door,
    stream: Option<bool>,
    answer: impl Fn(&Directive) -> Reply,
) -> Checked<Reply> {
    // Google's events always end so.
    directive.crlf = true;
    if let Some(reply) = directive.instead() {
        return Ok(directive.spoil(reply));
    }
    directive.unwanted(
        Refusal::new("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        Refusal::new("The content violates our content policy."),
    )?;
    let Some(status) = directive.status else {
        return Ok(directive.spoil(answer(&directive)));
    };
    let mut details = Vec::new();
    if let Some(seconds) = directive.retry_after.or((status == 429).then_some(1)) {
        details.push(json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s")}));
    }
    let mut reply = failure(&Refusal::new(said(status)).status(status), details);
    if let (Body::Whole(body), true) = (&mut reply.body, stream.is_some() && door == Door::Cloud) {
        // Where a stream was asked for, Google Cloud puts the error in an array.
        *body = [b"[", body.as_slice(), b"]\n"].concat();
    }
    Ok(directive.spoil(reply))
}

/// Anthropic's own service, in Google's envelope.
fn claude_answer(request: &Request, log: &Log, model: &str, method: &str) -> Checked<Reply> {
    let mut body = body(request)?;
    let wrong = |message: &str| Err(Refusal::new(format!("mock: {message}")));
    let Some(members) = body.as_object_mut() else { return wrong("the body is no object") };
    if members.remove("anthropic_version") != Some("vertex-2023-10-16".into()) {
        return wrong("`anthropic_version` must be `vertex-2023-10-16`");
    }
    let counting = model == "count-tokens";
    if !counting && members.contains_key("model") {
        return wrong("the model stands in the path");
    }
    if method != "rawPredict" && (method != "streamRawPredict" || counting) {
        return Err(nowhere(request.path()));
    }
    if (members.get("stream") == Some(&true.into())) != (method == "streamRawPredict") {
        return wrong("`stream` and the method do not agree");
    }
    if !counting {
        members.insert("model".into(), model.replace('@', "-").into());
    }
    let path = if counting { "/v1/messages/count_tokens" } else { "/v1/messages" };
    Ok(anthropic::serve(&disguised(request, path, "x-api-key", body.to_string().into_bytes()), log))
}

/// A request as another provider would get it; the credential, which was looked at, is not passed on.
fn disguised(request: &Request, path: &str, credential: &str, body: Vec<u8>) -> Request {
    let own = |name: &str| matches!(name, "authorization" | "x-goog-api-key" | "anthropic-version");
    let mut headers: Vec<_> = request.headers.iter().filter(|(name, _)| !own(name)).cloned().collect();
    headers.push((credential.into(), "Bearer mock".into()));
    if credential == "x-api-key" {
        headers.push(("anthropic-version".into(), "2023-06-01".into()));
    }
    Request { method: request.method.clone(), target: path.into(), headers, body: body.into() }
}

fn authenticate(request: &Request, door: Door) -> Checked<()> {
    let bearer = request.header("authorization").map(|value| value.strip_prefix("Bearer ").unwrap_or_default());
    match (request.header("x-goog-api-key"), bearer, door) {
        (Some(_), Some(_), _) => Err(Refusal::new("mock: two credentials were sent, one of them may be a client's")),
        (Some(key), None, _) if key.starts_with("bad") => {
            Err(Refusal::new("API key not valid. Please pass a valid API key.").code("API_KEY_INVALID"))
        }
        (Some(key), None, _) | (None, Some(key), _) if !key.is_empty() && !key.starts_with("bad") => Ok(()),
        (.., Door::Studio) => Err(Refusal::new("Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.").status(403)),
        (.., Door::Cloud) => Err(Refusal::new("Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.").status(401).code("ACCESS_TOKEN_TYPE_UNSUPPORTED")),
    }
}

fn body(request: &Request) -> Checked<Value> {
    if !request.is_json() {
        let kind = request.header("content-type").unwrap_or_default();
        return Err(Refusal::new(format!("Unsupported content with type: {kind}")));
    }
    let wrong = |error: String| Refusal::new(format!("Invalid JSON payload received. {error}"));
    let text = std::str::from_utf8(&request.body).map_err(|error| wrong(error.to_string()))?;
    let body: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    match duplicate(text) {
        Some(name) => Err(Refusal::new(format!("mock: the member `{name}` stands twice in one object"))),
        None => Ok(body),
    }
}

/// `model:method`.
fn split(last: &str) -> Checked<(&str, &str)> {
    last.rsplit_once(':').ok_or_else(|| nowhere(last))
}

fn nowhere(path: &str) -> Refusal {
    Refusal::new(format!("The requested URL {path} was not found on this server.")).status(404)
}

fn failure(refusal: &Refusal, mut details: Vec<Value>) -> Reply {
    if let Some(reason) = refusal.code {
        details.push(
            json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}),
        );
    }
    if let Some(field) = &refusal.param {
        let violation = json!({"field": field, "description": refusal.message});
        details.push(json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}));
    }
    Reply::json(refusal.status, pretty(&error(refusal.status, &refusal.message, details)))
}

fn error(status: u16, message: &str, details: Vec<Value>) -> Value {
    let word = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "FAILED_PRECONDITION",
    };
    let mut error = json!({"code": status, "message": message, "status": word});
    if let Some(error) = error.as_object_mut().filter(|_| !details.is_empty()) {
        error.insert("details".into(), details.into());
    }
    json!({"error": error})
}

/// The message of a failure that a directive asked for.
fn said(status: u16) -> &'static str {
    match status {
        400 => "Request contains an invalid argument.",
        401 => "Request had invalid authentication credentials.",
        403 => "The caller does not have permission",
        404 => "Requested entity was not found.",
        429 => "Resource has been exhausted (e.g. check quota).",
        503 => "The model is overloaded. Please try again later.",
        504 => "Deadline expired before operation could complete.",
        _ => {
            "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
        }
    }
}

fn card(name: &str) -> Value {
    let methods = ["generateContent", "countTokens"];
    json!({"name": format!("models/{name}"), "version": "001", "displayName": name, "supportedGenerationMethods": methods})
}

/// Google prints its JSON over many lines.
fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Without `%40` and the like.
fn decoded(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.map_or('%', char::from));
        rest = byte.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    out.push_str(rest);
    out
}

fn headers(reply: Reply) -> Reply {
    reply
        .with("vary", "Origin, X-Origin, Referer")
        .with("server", "scaffolding on HTTPServer2")
        .with("x-xss-protection", "0")
        .with("x-frame-options", "SAMEORIGIN")
        .with("x-content-type-options", "nosniff")
        .with("server-timing", "gfet4t7; dur=42")
        .with("alt-svc", "h3=\":443\"; ma=2592000,h3-29=\":443\"; ma=2592000")
}

const FOREIGN: &[&str] = &["openai-", "anthropic-", "api-key", "x-api-key"];

const MODELS: [&str; 4] = ["gemini-3.8-flash", "gemini-3.1-pro-preview", "gemini-2.5-flash", "gemma-4-31b-it"];
