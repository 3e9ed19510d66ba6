//! The endpoints at which Google, Microsoft and IBM give tokens, and who remembers them.
//!
//! A token is good for the mock providers until it ends. What `PUT /mock/tokens` was last given, in the words of the
//! [directives](super::directive), is done to the next requests.

mod azure;
mod google;
mod ibm;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Wire;
use super::directive::Directive;
use super::http::{Reply, Request};
use super::log::Log;

/// What the issuers know.
#[derive(Default)]
pub struct Issuers(Mutex<State>);

#[derive(Default)]
struct State {
    /// Service accounts by their names.
    accounts: HashMap<String, google::Account>,
    /// When each token ends.
    tokens: HashMap<String, Instant>,
    directives: String,
}

/// What an issuer answers: a token of its kind, with what stands beside it, or a refusal.
type Answer = Result<(&'static str, Value), (u16, Value)>;

/// Answers a request for a token, or one about them; `None` if it is neither.
pub fn serve(request: &Request, log: &Log) -> Option<Reply> {
    let path = request.path();
    let issue: fn(&Request, &Form, &Log) -> Answer = match (request.method.as_str(), path) {
        ("PUT", "/mock/tokens") => {
            log.issuers.state().directives = String::from_utf8_lossy(&request.body).trim().to_owned();
            return Some(Reply::json(200, "{}".into()));
        }
        ("PUT", "/mock/accounts") => return Some(google::learn(request, log)),
        ("POST", "/token") => google::issue,
        ("POST", "/identity/token") => ibm::issue,
        ("POST", _) if path.ends_with("/oauth2/v2.0/token") => azure::issue,
        _ => return None,
    };
    let words = log.issuers.state().directives.clone();
    let text = if words.is_empty() { String::new() } else { format!("a token [mock {words}]") };
    let directive = match Directive::read(Wire::OpenAi, "", &text, log) {
        Ok(directive) => directive,
        Err(message) => return Some(Reply::json(400, json!({"error": format!("mock: {message}")}).to_string())),
    };
    if let Some(reply) = directive.instead() {
        return Some(directive.spoil(reply));
    }
    if let Some(status) = directive.status {
        let reply = Reply::json(status, json!({"error": "temporarily_unavailable"}).to_string());
        let retry = directive.retry_after.map(|seconds| seconds.to_string());
        return Some(directive.spoil(match retry {
            Some(seconds) => reply.with("retry-after", seconds),
            None => reply,
        }));
    }
    let lifetime = directive.expires_in.unwrap_or(3600);
    let (status, body) = match Form::read(request).and_then(|form| issue(request, &form, log)) {
        Ok((kind, mut body)) => {
            if let Some(body) = body.as_object_mut() {
                body.insert("access_token".into(), log.issuers.token(kind, lifetime).into());
                body.insert("expires_in".into(), lifetime.into());
            }
            (200, body)
        }
        Err(refused) => refused,
    };
    Some(directive.spoil(Reply::json(status, body.to_string())))
}

/// Whether a provider refuses a key because it is one of our tokens and has ended, or never was.
pub fn has_ended(key: &str, log: &Log) -> bool {
    key.starts_with(PREFIX) && log.issuers.state().tokens.get(key).is_none_or(|end| *end < now())
}

const PREFIX: &str = "mock-token-";

impl Issuers {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn token(&self, kind: &str, lifetime: u64) -> String {
        let mut state = self.state();
        let token = format!("{PREFIX}{kind}-{}", state.tokens.len() + 1);
        state.tokens.insert(token.clone(), now() + Duration::from_secs(lifetime));
        token
    }
}

/// The fields of a form, each of which may stand there once.
struct Form(HashMap<String, String>);

impl Form {
    fn read(request: &Request) -> Result<Self, (u16, Value)> {
        let wrong =
            |what: &str| (400, json!({"error": "invalid_request", "error_description": format!("mock: {what}")}));
        if request.header("content-type") != Some("application/x-www-form-urlencoded") {
            return Err(wrong("the body is no form"));
        }
        if request.header("authorization").is_some() {
            return Err(wrong("an `authorization` beside the form"));
        }
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(&request.body) {
            if fields.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(wrong(&format!("`{name}` stands twice")));
            }
        }
        Ok(Self(fields))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The name of a field that is none of these.
    fn unknown(&self, known: &[&str]) -> Option<&str> {
        self.0.keys().map(String::as_str).find(|name| !known.contains(name))
    }
}

#[expect(clippy::disallowed_methods, reason = "tokens end, and statements are of a time")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "tokens end, and statements are of a time")]
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
