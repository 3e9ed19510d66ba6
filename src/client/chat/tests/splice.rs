#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn request(body: &str, ask: &Ask, model: &str) -> String {
    let doc = Doc::strict(body.as_bytes()).unwrap();
    let mut edits = Edits::default();
    Chat.splice_request(doc.root(), ask, model, &mut edits);
    String::from_utf8(edits.apply(&doc).into_bytes()).unwrap()
}

fn answer(body: &str) -> String {
    let doc = Doc::lenient(body.as_bytes()).unwrap();
    let mut edits = Edits::default();
    Chat.splice_answer(doc.root(), &asked(), &mut edits);
    String::from_utf8(edits.apply(&doc).into_bytes()).unwrap()
}

fn event(body: &str, ask: &Ask) -> Option<String> {
    let doc = Doc::lenient(body.as_bytes()).unwrap();
    let mut edits = Edits::default();
    let wanted = Chat.splice_event(doc.root(), ask, &mut edits);
    wanted.then(|| String::from_utf8(edits.apply(&doc).into_bytes()).unwrap())
}

#[test]
fn a_request_gets_the_providers_model() {
    let ask = Ask { stream: false, ..asked() };
    let body = r#"{ "messages": [], "model": "smart",  "x":1e2 }"#;
    assert_eq!(request(body, &ask, "gpt-\"5\""), r#"{ "messages": [], "model": "gpt-\"5\"",  "x":1e2 }"#);
    assert_eq!(request(body, &ask, "smart"), body);
}

#[test]
fn a_stream_is_asked_for_its_usage() {
    let cases = [
        (r#"{"model":"m","stream":true}"#, r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#),
        (r#"{"model":"m","stream_options":null}"#, r#"{"model":"m","stream_options":{"include_usage":true}}"#),
        (r#"{"model":"m","stream_options":{}}"#, r#"{"model":"m","stream_options":{"include_usage":true}}"#),
        (
            r#"{"model":"m","stream_options":{"include_obfuscation":false}}"#,
            r#"{"model":"m","stream_options":{"include_usage":true,"include_obfuscation":false}}"#,
        ),
        (
            r#"{"model":"m","stream_options":{"include_usage":false,"a":1}}"#,
            r#"{"model":"m","stream_options":{"include_usage":true,"a":1}}"#,
        ),
        (
            r#"{"model":"m","stream_options":{"include_usage": true}}"#,
            r#"{"model":"m","stream_options":{"include_usage": true}}"#,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(request(body, &asked(), "m"), expected);
    }
    let both = request(r#"{"model":"smart","stream":true}"#, &asked(), "m");
    assert_eq!(both, r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#);
}

#[test]
fn an_answer_gets_the_clients_model() {
    assert_eq!(answer(r#"{"id":"a","model":"gpt-5-2025","x":{}}"#), r#"{"id":"a","model":"smart","x":{}}"#);
    assert_eq!(answer(r#"{"id":"a"}"#), r#"{"model":"smart","id":"a"}"#);
    assert_eq!(answer("[]"), "[]");
}

#[test]
fn a_chunk_gets_the_clients_model() {
    let chunk = |model: &str| format!(r#"{{"model":"{model}","choices":[{{"index":0,"delta":{{}}}}],"usage":null}}"#);
    assert_eq!(event(&chunk("gpt-5"), &asked()), Some(chunk("smart")));
    assert_eq!(event(&chunk("smart"), &asked()), Some(chunk("smart")));
    assert_eq!(event(r#"{"error":{}}"#, &asked()), Some(r#"{"error":{}}"#.to_owned()));
}

#[test]
fn usage_reaches_only_those_who_asked() {
    let wants = Ask { include_usage: true, ..asked() };
    let usage = r#"{"model":"smart","choices":[],"usage":{"prompt_tokens":1}}"#;
    assert_eq!(event(usage, &asked()), None);
    assert_eq!(event(usage, &wants), Some(usage.to_owned()));
    // Azure's filter results come in a first chunk without choices, which would break clients that read the first one.
    let filter = r#"{"model":"smart","choices":[],"prompt_filter_results":[],"usage":null}"#;
    assert_eq!(event(filter, &asked()), None);
    assert_eq!(event(filter, &wants), Some(filter.to_owned()));
    let with_choice = r#"{"model":"smart","choices":[{"index":0}],"usage":{"prompt_tokens":1}}"#;
    assert_eq!(event(with_choice, &asked()), Some(with_choice.to_owned()));
}
