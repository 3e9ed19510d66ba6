mod answer;
mod request;
mod splice;
mod stream;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::client::{Ask, Client};
use crate::error::{Error, Kind};
use crate::json::Doc;

use super::Messages;

/// An ask for the model `smart`.
fn ask() -> Ask {
    Ask { model: "smart".into(), stream: false, include_usage: true, now: 1_700_000_000, random: 42, ..Ask::default() }
}

fn asked(request: &str) -> Result<Ask, String> {
    let doc = Doc::strict(request.as_bytes()).unwrap();
    Messages.ask(doc.root(), 7).map_err(|error| error.text())
}

#[test]
fn asks_for_model_and_stream() {
    let ask = |stream| Ask { model: "claude é".into(), stream, include_usage: true, now: 7, ..Ask::default() };
    assert_eq!(asked(r#"{"model":"claude \u00e9","stream":true}"#), Ok(ask(true)));
    assert_eq!(asked(r#"{"model":"claude é","stream":null,"messages":0}"#), Ok(ask(false)));
}

#[test]
fn refuses_asks_without_a_model() {
    let refused = |request: &str| asked(request).unwrap_err();
    assert_eq!(refused("[]"), "expected an object, got an array");
    assert_eq!(refused("{}"), "`model`: required");
    assert_eq!(refused(r#"{"model":null}"#), "`model`: required");
    assert_eq!(refused(r#"{"model":3}"#), "`model`: expected a string, got a number");
    assert_eq!(refused(r#"{"model":""}"#), "`model`: must not be empty");
    assert_eq!(refused(&format!(r#"{{"model":"{}"}}"#, "m".repeat(257))), "`model`: must have at most 256 bytes");
    assert_eq!(refused(r#"{"model":"m","stream":"yes"}"#), "`stream`: expected a boolean, got a string");
}

#[test]
fn says_in_anthropics_words_that_a_conversation_is_too_long() {
    let said = |message| {
        let error = Error::new(Kind::ContextWindow, message).with_status(400);
        String::from_utf8(Messages.error(&error)).unwrap()
    };
    assert!(said("at most 8 tokens").contains(r#""message":"prompt is too long: at most 8 tokens""#));
    assert!(said("prompt is too long: 9 tokens > 8 maximum").contains(r#""message":"prompt is too long: 9"#));
}

#[test]
fn writes_errors() {
    let error = Error::invalid("say \"please\"").at("content").at_index(2).at("messages");
    let object = r#"{"type":"error","error":{"type":"invalid_request_error","message":"`messages[2].content`: say \"please\""}}"#;
    assert_eq!(String::from_utf8(Messages.error(&error)).unwrap(), object);

    let theirs = Error::invalid("bad `b`").at("b").with_status(400);
    let object = r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad `b`"}}"#;
    assert_eq!(String::from_utf8(Messages.error(&theirs)).unwrap(), object);

    let mut out = b"before\n\n".to_vec();
    Messages.stream_error(&Error::new(Kind::Overloaded, "busy"), 1, &mut out);
    let event = "before\n\nevent: error\n\
        data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n";
    assert_eq!(String::from_utf8(out).unwrap(), event);
}
