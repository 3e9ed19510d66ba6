#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::error::{Error, Kind};
use crate::wire::Wire;
use crate::wire::openai::Openai;

fn read(status: u16, body: &str) -> Error {
    Openai.error(status, body.as_bytes())
}

#[test]
fn openais_own_error_keeps_message_param_and_code() {
    let body = r#"{"error":{"message":"Invalid value: 'x'.","type":"invalid_request_error","param":"messages[0].role","code":"invalid_value"}}"#;
    let error = read(400, body);
    assert_eq!(error.kind, Kind::InvalidRequest);
    assert_eq!(error.message, "Invalid value: 'x'.");
    assert_eq!(error.param.as_deref(), Some("messages[0].role"));
    assert_eq!(error.code.as_deref(), Some("invalid_value"));
    assert_eq!(error.status(), 400);
}

#[test]
fn the_status_tells_the_kind() {
    let body = r#"{"error":{"message":"no","type":null,"param":null,"code":null}}"#;
    for (status, kind) in [
        (401, Kind::Authentication),
        (404, Kind::NotFound),
        (422, Kind::InvalidRequest),
        (429, Kind::RateLimit),
        (500, Kind::Internal),
        (503, Kind::Overloaded),
        (529, Kind::Overloaded),
    ] {
        let error = read(status, body);
        assert_eq!((error.kind, error.status(), error.param, error.code), (kind, status, None, None));
    }
}

#[test]
fn every_shape_of_error_is_read() {
    for (body, message) in [
        (r#"{"error":"model not loaded"}"#, "model not loaded"),
        (r#"{"message":"no such key"}"#, "no such key"),
        (r#"{"detail":"Not Found"}"#, "Not Found"),
        (
            r#"{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"missing"}]}"#,
            "body.messages.0: field required",
        ),
        (r#"{"object":"error","message":"too bad","type":"BadRequestError","code":400}"#, "too bad"),
        (r#"[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]"#, "API key not valid"),
        (r#"{"error":{"message":{"detail":"deep"}}}"#, "deep"),
        (r#"{"base_resp":{"status_code":1004,"status_msg":"login fail"}}"#, "login fail"),
        (
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"bad tool","provider_name":"X"}}}"#,
            "Provider returned error: bad tool",
        ),
        (r#"{"error":{"type":"insufficient_quota"}}"#, "insufficient_quota"),
        (r#"{"error":{}}"#, "the upstream answered 400 without a message"),
        ("", "the upstream answered 400 without a body"),
        ("<!DOCTYPE html><html>secret</html>", "the upstream answered 400 with a page of HTML"),
        ("Bad Request\n", "the upstream answered 400: `Bad Request`"),
        ("oops <b>", "the upstream answered 400"),
    ] {
        assert_eq!(read(400, body).message, message, "{body}");
    }
    assert_eq!(Openai.error(502, &[0xff, 0xfe]).message, "the upstream answered 502");
}

#[test]
fn a_conversation_that_is_too_long_has_a_code() {
    let body = r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","code":400}"#;
    assert_eq!(read(400, body).kind, Kind::ContextWindow);
    let body = r#"{"error":{"message":"quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    assert_eq!(read(429, body).code.as_deref(), Some("insufficient_quota"));
}

#[test]
fn a_long_message_is_cut() {
    let body = format!(r#"{{"error":{{"message":"{}"}}}}"#, "ä".repeat(3_000));
    assert_eq!(read(400, &body).message.chars().count(), 2_001);
}
