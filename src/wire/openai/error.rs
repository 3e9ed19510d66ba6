//! Reading an error, in any of the shapes that OpenAI's followers give it.

use std::borrow::Cow;

use crate::error::{Error, Kind, shorten};
use crate::json::{self, Doc, Node};

/// The longest message that is passed on.
const LONGEST: usize = 2_000;

/// Reads the body of an error answer.
pub(in crate::wire) fn read(status: u16, body: &[u8]) -> Error {
    let kind = Kind::of_status(status);
    let error = match Doc::lenient(body) {
        Ok(doc) => said(kind, None, doc.root()),
        Err(_) => None,
    };
    error.unwrap_or_else(|| Error::new(kind, silent(status, body))).with_status(status)
}

/// The error in an answer that is none: in a stream, or under a status of success. `error` is the member of that name.
pub(in crate::wire) fn in_answer(error: Option<Node<'_>>, root: Node<'_>) -> Option<Error> {
    let code = error.unwrap_or(root).get("code").and_then(status_code);
    let kind = code.map(Kind::of_status).or_else(|| kind(error?)).unwrap_or(Kind::Internal);
    said(kind, error, root)
}

/// What a body says went wrong; `error` is the part of it that does, where that is known.
fn said(kind: Kind, error: Option<Node<'_>>, root: Node<'_>) -> Option<Error> {
    // Google sends an array of one.
    let root = root.items().next().unwrap_or(root);
    // MiniMax's.
    let base = root.get("base_resp").filter(|base| base.get("status_code").and_then(Node::u64) != Some(0));
    let inner = error.or_else(|| root.get("error")).or(base);
    let error = inner.unwrap_or(root);
    let word = |name| inner?.get(name)?.text().map(Cow::into_owned);
    let message = message(error).or_else(|| message(root)).or_else(|| word("type")).or_else(|| word("code"));
    let mut message = message.filter(|text| !text.is_empty())?;
    if let Some(raw) = error.get("metadata").and_then(|metadata| metadata.get("raw")).and_then(Node::text) {
        // OpenRouter's word of what its own upstream said.
        message = format!("{message}: {raw}");
    }
    let mut said = Error::new(kind, cut(&message));
    said.param = error.get("param").and_then(Node::text).filter(|param| !param.is_empty()).map(|p| shorten(&p));
    said.code = error.get("code").and_then(Node::text).filter(|code| !code.is_empty()).map(|c| shorten(&c).into());
    Some(said.classified())
}

/// The message in a string, in an object, or in an array of either.
fn message(node: Node<'_>) -> Option<String> {
    let text = match node.kind() {
        json::Kind::String => node.text().map(Cow::into_owned),
        json::Kind::Array => {
            let all: Vec<String> = node.items().take(4).filter_map(message).collect();
            Some(all.join("; "))
        }
        json::Kind::Object => {
            let names = [
                "message",
                "msg",
                "detail",
                "errors",
                "error_message",
                "error_msg",
                "err_msg",
                "status_msg",
                "title",
                "OriginalMessage",
                "Message",
            ];
            names.iter().find_map(|name| message(node.get(name)?)).map(|text| located(node, text))
        }
        _ => None,
    };
    text.filter(|text| !text.is_empty())
}

/// With the place that FastAPI tells beside the message.
fn located(node: Node<'_>, text: String) -> String {
    let place: Vec<Cow<'_, str>> = node
        .get("loc")
        .into_iter()
        .flat_map(Node::items)
        .map(|step| step.text().unwrap_or(step.raw().into()))
        .collect();
    if place.is_empty() { text } else { format!("{}: {text}", place.join(".")) }
}

/// The kind that the type of an error tells.
fn kind(error: Node<'_>) -> Option<Kind> {
    let word = |name| error.get(name).and_then(Node::text).unwrap_or_default();
    Some(match (&*word("type"), &*word("code")) {
        (_, "insufficient_quota" | "rate_limit_exceeded") => Kind::RateLimit,
        ("rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" | "tokens" | "requests", _) => {
            Kind::RateLimit
        }
        ("authentication_error", _) => Kind::Authentication,
        ("invalid_request_error" | "BadRequestError" | "bad_request", _) => Kind::InvalidRequest,
        ("not_found_error" | "NotFoundError", _) => Kind::NotFound,
        ("overloaded_error" | "service_unavailable" | "service_unavailable_error", _) => Kind::Overloaded,
        ("permission_error", _) => Kind::Permission,
        ("timeout" | "timeout_error", _) => Kind::Timeout,
        _ => return None,
    })
}

/// The status that some servers give as the code, as a number or in a string.
fn status_code(code: Node<'_>) -> Option<u16> {
    let number = code.u64().or_else(|| code.text()?.parse().ok())?;
    u16::try_from(number).ok().filter(|status| (400..600).contains(status))
}

/// The message for a body that says nothing. Pages of HTML are not for clients.
fn silent(status: u16, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..LONGEST).unwrap_or(body));
    let text = text.trim();
    match text.bytes().next() {
        None => format!("the upstream answered {status} without a body"),
        Some(b'<') => format!("the upstream answered {status} with a page of HTML"),
        Some(b'{' | b'[') => format!("the upstream answered {status} without a message"),
        Some(_) if text.contains('<') || text.contains('\u{fffd}') => format!("the upstream answered {status}"),
        Some(_) => format!("the upstream answered {status}: `{}`", shorten(text)),
    }
}

fn cut(message: &str) -> String {
    let mut short: String = message.chars().take(LONGEST).collect();
    if short.len() < message.len() {
        short.push('…');
    }
    short
}
