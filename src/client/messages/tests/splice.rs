#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::json::Edits;

/// `text` after `splice` has edited it.
fn edited(text: &str, splice: impl Fn(crate::json::Node<'_>, &mut Edits)) -> String {
    let doc = Doc::lenient(text.as_bytes()).unwrap();
    let mut edits = Edits::default();
    splice(doc.root(), &mut edits);
    String::from_utf8(edits.apply(&doc).into_bytes()).unwrap()
}

#[test]
fn requests_name_the_providers_model() {
    let request = |model: &'static str| {
        edited(r#"{"stream" : true, "model":"smart","x":1.0}"#, move |root, edits| {
            Messages.splice_request(root, &ask(), model, edits);
        })
    };
    assert_eq!(request("claude-\"x\""), r#"{"stream" : true, "model":"claude-\"x\"","x":1.0}"#);
    assert_eq!(request("smart"), r#"{"stream" : true, "model":"smart","x":1.0}"#);
}

#[test]
fn answers_name_the_clients_model() {
    let answer = |text: &str| edited(text, |root, edits| Messages.splice_answer(root, &ask(), edits));
    assert_eq!(answer(r#"{"model":"claude","content":[]}"#), r#"{"model":"smart","content":[]}"#);
    assert_eq!(answer(r#"{"input_tokens":12}"#), r#"{"input_tokens":12}"#);
}

#[test]
fn only_the_first_event_of_a_stream_changes() {
    let event = |text: &str| {
        edited(text, |root, edits| {
            assert!(Messages.splice_event(root, &ask(), edits));
        })
    };
    let start = r#"{"type":"message_start","message":{"model":"claude","id":"msg_1"} }"#;
    assert_eq!(event(start), r#"{"type":"message_start","message":{"model":"smart","id":"msg_1"} }"#);
    let delta = r#"{"type":"message_delta","model":"claude","message":{"model":"claude"}}"#;
    assert_eq!(event(delta), delta);
}
