//! Reading [errors](https://ai.google.dev/gemini-api/docs/troubleshooting): Google's
//! [status](https://google.aip.dev/193), and its details.

use crate::error::{Error, Kind};
use crate::json::{self, Doc, Node};

/// The longest message that is passed on, in characters.
const LONGEST: usize = 2000;

/// Reads an error answer. A body that is no status, such as a proxy's page, is not shown.
pub(super) fn read(status: u16, body: &[u8]) -> Error {
    let error = match Doc::lenient(body) {
        Ok(doc) => object(doc.root(), Some(status)),
        Err(_) => None,
    };
    let error = error.unwrap_or_else(|| Error::new(Kind::of_status(status), format!("the upstream answered {status}")));
    error.with_status(status)
}

/// Reads the error in a stream, or under a status of success.
pub(super) fn event(root: Node<'_>) -> Error {
    object(root, None).unwrap_or_else(|| Error::new(Kind::Internal, "the upstream reported an error without a message"))
}

/// Reads `{"error": {"code", "message", "status", "details"}}`, in an array too.
fn object(root: Node<'_>, status: Option<u16>) -> Option<Error> {
    let root = root.items().next().unwrap_or(root);
    let error = root.get("error").filter(|error| error.kind() == json::Kind::Object)?;
    let message = error.get("message").and_then(Node::text)?;
    let detail = |kind: &str, name: &str| {
        let details = || error.get("details").into_iter().flat_map(Node::items);
        let of = |detail: &Node<'_>| detail.get("@type").and_then(Node::text).is_some_and(|t| t.ends_with(kind));
        details().find(of)?.get(name)?.text()
    };
    let code = error.get("code").and_then(Node::u64).and_then(|code| u16::try_from(code).ok());
    let by_status = || status.or(code).map_or(Kind::Internal, Kind::of_status);
    let word = error.get("status").and_then(Node::text);
    let kind = match detail("ErrorInfo", "reason").as_deref() {
        // Such a key is an invalid argument to Google.
        Some("API_KEY_INVALID") => Kind::Authentication,
        _ => word.and_then(|word| kind(&word)).unwrap_or_else(by_status),
    };
    let mut said = Error::new(kind, message.chars().take(LONGEST).collect::<String>());
    said.retry_after = detail("RetryInfo", "retryDelay").and_then(|delay| seconds(&delay));
    Some(said.classified())
}

/// What a [code](https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto) means.
fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "DEADLINE_EXCEEDED" => Kind::Timeout,
        "FAILED_PRECONDITION" | "INVALID_ARGUMENT" | "OUT_OF_RANGE" => Kind::InvalidRequest,
        "INTERNAL" | "UNKNOWN" => Kind::Internal,
        "NOT_FOUND" => Kind::NotFound,
        "PERMISSION_DENIED" => Kind::Permission,
        "RESOURCE_EXHAUSTED" => Kind::RateLimit,
        "UNAUTHENTICATED" => Kind::Authentication,
        "UNAVAILABLE" => Kind::Overloaded,
        _ => return None,
    })
}

/// Reads `34.07s`, rounded up.
fn seconds(delay: &str) -> Option<u64> {
    let (whole, part) = delay.strip_suffix('s')?.split_once('.').unwrap_or((delay.strip_suffix('s')?, ""));
    let more = part.bytes().any(|digit| digit != b'0');
    Some(whole.parse::<u64>().ok()?.saturating_add(u64::from(more)))
}
