#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::error::Kind;
use crate::wire::gemini::error;

#[test]
fn words_and_statuses() {
    let read = |status, word: &str| {
        let body = format!(r#"{{"error":{{"code":{status},"message":"m","status":"{word}"}}}}"#);
        let error = error::read(status, body.as_bytes());
        assert_eq!(error.message, "m");
        error.kind
    };
    assert_eq!(read(400, "FAILED_PRECONDITION"), Kind::InvalidRequest);
    assert_eq!(read(404, "NOT_FOUND"), Kind::NotFound);
    assert_eq!(read(429, "RESOURCE_EXHAUSTED"), Kind::RateLimit);
    assert_eq!(read(500, "INTERNAL"), Kind::Internal);
    assert_eq!(read(504, "DEADLINE_EXCEEDED"), Kind::Timeout);
    // A word that is not known tells nothing; the status does.
    assert_eq!(read(503, "NEW_WORD"), Kind::Overloaded);
}

#[test]
fn details() {
    let read = |status, details: &str| {
        let body =
            format!(r#"[{{"error":{{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{details}]}}}}]"#);
        error::read(status, body.as_bytes())
    };
    let key = r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}"#;
    assert_eq!(read(400, key).kind, Kind::Authentication);
    let retry = |delay: &str| {
        read(429, &format!(r#"{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}"}}"#))
            .retry_after
    };
    assert_eq!(retry("34.074824224s"), Some(35));
    assert_eq!(retry("12s"), Some(12));
    assert_eq!(retry("7.000s"), Some(7));
    for other in ["", "s", "soon", "-1s", "99999999999999999999s"] {
        assert_eq!(retry(other), None, "{other}");
    }
}

#[test]
fn what_is_no_status_is_not_shown() {
    for body in ["<html>secret</html>", "", "{}", r#"{"error":"secret"}"#, r#"{"error":{"code":502}}"#] {
        let error = error::read(502, body.as_bytes());
        assert_eq!((error.kind, &*error.message), (Kind::BadAnswer, "the upstream answered 502"), "{body}");
    }
}
