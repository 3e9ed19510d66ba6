//! What Amazon's services share: names of models, and the errors that they name.

use crate::error::{Error, Kind};
use crate::json::{Doc, Node};

/// Whether an [address of a resource](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html) does not tell
/// which model stands behind it, as those of application inference profiles do not.
pub fn hides_model(name: &str) -> bool {
    const TELLING: &[&str] = &[":foundation-model/", ":inference-profile/", ":custom-model/"];
    name.starts_with("arn:") && !TELLING.iter().any(|kind| name.contains(kind))
}

/// The name of the model itself, without the region of an inference profile before it: tokens are counted by that alone.
pub fn foundation(name: &str) -> &str {
    name.find(MAKER).and_then(|at| name.get(at..)).unwrap_or(name)
}

/// The maker of those models that count tokens.
const MAKER: &str = "anthropic.";

/// An exception inside of a stream, by its name, such as `throttlingException`: [the list of
/// Bedrock's](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html).
pub fn exception(name: &str, body: &[u8]) -> Error {
    let doc = Doc::lenient(body).ok();
    let message = doc.as_ref().and_then(|doc| message(doc.root()));
    let message = message.unwrap_or_else(|| "the provider gave no reason".into());
    let (kind, status) = kind(bare(name)).unwrap_or((Kind::Internal, 500));
    Error::new(kind, message).with_status(status).classified().code(name.to_owned())
}

/// The error of an answer whose header `x-amzn-errortype` names it: a status stands for several of them.
pub fn named(error: Error, name: &str) -> Error {
    match kind(bare(name)) {
        Some((kind, _)) => Error { kind, ..error }.classified(),
        None => error.classified(),
    }
}

/// What an error says.
pub fn message(root: Node<'_>) -> Option<String> {
    let said = |name| root.get(name).and_then(Node::text).map(String::from);
    said("message").or_else(|| said("Message"))
}

/// The name without the namespace before it and the address after it.
fn bare(name: &str) -> &str {
    let name = name.rsplit('#').next().unwrap_or_default();
    name.split(':').next().unwrap_or_default().trim_end_matches("Exception")
}

/// What an exception is, whatever the case of its first letter.
fn kind(name: &str) -> Option<(Kind, u16)> {
    Some(match name.to_ascii_lowercase().as_str() {
        "accessdenied" => (Kind::Permission, 403),
        "expiredtoken"
        | "incompletesignature"
        | "invalidclienttokenid"
        | "invalidsignature"
        | "missingauthenticationtoken"
        | "unrecognizedclient" => (Kind::Authentication, 403),
        "internalfailure" | "internalserver" => (Kind::Internal, 500),
        "modelerror" | "modelstreamerror" => (Kind::Internal, 424),
        "modelnotready" => (Kind::Overloaded, 429),
        "modeltimeout" => (Kind::Timeout, 408),
        "resourcenotfound" | "unknownoperation" => (Kind::NotFound, 404),
        "servicequotaexceeded" | "throttling" => (Kind::RateLimit, 429),
        "serviceunavailable" => (Kind::Overloaded, 503),
        "validation" | "validationerror" => (Kind::InvalidRequest, 400),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn addresses_tell_their_model_or_not() {
        let arn = |rest: &str| format!("arn:aws:bedrock:us-east-1:123456789012:{rest}");
        for rest in ["application-inference-profile/a1", "provisioned-model/a1", "imported-model/a1", "prompt/A1:1"] {
            assert!(hides_model(&arn(rest)), "{rest}");
        }
        assert!(!hides_model("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"));
        assert!(!hides_model(&arn("inference-profile/us.amazon.nova-pro-v1:0")));
        assert!(!hides_model("us.amazon.nova-pro-v1:0"));
    }

    #[test]
    fn a_profile_stands_for_its_model() {
        let model = "anthropic.claude-sonnet-4-5-20250929-v1:0";
        for before in ["", "us.", "apac.", "global.", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu."] {
            assert_eq!(foundation(&format!("{before}{model}")), model);
        }
        assert_eq!(foundation("amazon.nova-pro-v1:0"), "amazon.nova-pro-v1:0");
    }

    #[test]
    fn errors_go_by_their_names() {
        let error =
            exception("modelStreamErrorException", br#"{"message":"Model Stream Error","originalStatusCode":500}"#);
        assert_eq!((error.kind, error.status, &*error.message), (Kind::Internal, Some(424), "Model Stream Error"));
        let error = exception("somethingNew", b"");
        assert_eq!(
            (error.kind, error.status, error.code.as_deref()),
            (Kind::Internal, Some(500), Some("somethingNew"))
        );
        let came = || Error::invalid("slow down").with_status(400);
        let name = "ServiceQuotaExceededException:http://internal.amazon.com/coral/com.amazon.bedrock/";
        assert_eq!(named(came(), name).kind, Kind::RateLimit);
        assert_eq!(named(came(), "com.amazon.coral.service#ExpiredTokenException").kind, Kind::Authentication);
        assert_eq!(named(came(), "Unheard").kind, Kind::InvalidRequest);
        assert_eq!(named(came(), name).status, Some(400));
    }
}
