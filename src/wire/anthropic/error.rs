//! Reading [errors](https://platform.claude.com/docs/en/api/errors).

use crate::error::{Error, Kind};
use crate::json::{self, Doc, Node};

/// The longest message that is passed on, in characters.
const LONGEST: usize = 2000;

/// Reads an error answer. A body that is no error object, such as a proxy's page, is not shown.
pub(super) fn read(status: u16, body: &[u8]) -> Error {
    let error = match Doc::lenient(body) {
        Ok(doc) => object(doc.root(), Some(status)),
        Err(_) => None,
    };
    let error = error.unwrap_or_else(|| Error::new(Kind::of_status(status), format!("the upstream answered {status}")));
    error.with_status(status)
}

/// Reads the error of an `error` event.
pub(super) fn event(root: Node<'_>) -> Error {
    object(root, None).unwrap_or_else(|| Error::new(Kind::Internal, "the upstream reported an error without a message"))
}

/// Reads `{"error": {"type", "message"}}`, and the shapes in which clouds wrap it.
fn object(root: Node<'_>, status: Option<u16>) -> Option<Error> {
    // Google's cloud puts errors of streams into an array.
    let root = root.items().next().unwrap_or(root);
    if root.kind() != json::Kind::Object {
        return None;
    }
    let error = root.get("error").unwrap_or(root);
    let message = error.get("message").unwrap_or(error).text()?;
    let by_status = || status.map_or(Kind::Internal, Kind::of_status);
    let kind = error.get("type").and_then(Node::text).and_then(|name| Kind::of_anthropic(&name));
    let short: String = message.chars().take(LONGEST).collect();
    Some(Error::new(kind.unwrap_or_else(by_status), short).classified())
}
