//! What Amazon's services share: the errors that they name.

use crate::error::{Error, Kind};
use crate::json::{Doc, Node};

/// An exception inside of a stream, by its name, such as `throttlingException`: [the list of
/// Bedrock's](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html).
pub fn exception(name: &str, body: &[u8]) -> Error {
    let doc = Doc::lenient(body).ok();
    let said = |name: &str| doc.as_ref()?.root().get(name).and_then(Node::text).map(String::from);
    let message = said("message").or_else(|| said("Message")).unwrap_or_else(|| "the provider gave no reason".into());
    let (kind, status) = kind(name);
    Error::new(kind, message).code(name.to_owned()).with_status(status)
}

/// What an exception is, whatever the case of its first letter and the namespace around it.
pub fn kind(name: &str) -> (Kind, u16) {
    let name = name.rsplit('#').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default().trim_end_matches("Exception");
    match name.to_ascii_lowercase().as_str() {
        "accessdenied" => (Kind::Permission, 403),
        "expiredtoken"
        | "incompletesignature"
        | "invalidclienttokenid"
        | "invalidsignature"
        | "missingauthenticationtoken"
        | "unrecognizedclient" => (Kind::Authentication, 403),
        "internalserver" => (Kind::Internal, 500),
        "modelerror" | "modelstreamerror" => (Kind::Internal, 424),
        "modelnotready" => (Kind::Overloaded, 429),
        "modeltimeout" => (Kind::Timeout, 408),
        "resourcenotfound" => (Kind::NotFound, 404),
        "servicequotaexceeded" | "throttling" => (Kind::RateLimit, 429),
        "serviceunavailable" => (Kind::Overloaded, 503),
        "validation" => (Kind::InvalidRequest, 400),
        _ => (Kind::Internal, 500),
    }
}
