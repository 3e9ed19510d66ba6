//! What golden cases do not show.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::json::Doc;

fn refused(request: &str) -> String {
    let doc = Doc::strict(request.as_bytes()).unwrap();
    Completions.read(Operation::Generate, doc.root()).unwrap_err().text()
}

#[test]
fn a_prompt_is_one_text() {
    for (request, message) in [
        (r#"{"model":"m"}"#, "`prompt`: expected a prompt"),
        (r#"{"prompt":""}"#, "`prompt`: the upstream takes no empty prompt"),
        (r#"{"prompt":[]}"#, "`prompt`: expected a prompt, got an empty array"),
        (r#"{"prompt":["a","b"]}"#, "`prompt`: the upstream takes one prompt per call, got several"),
        (r#"{"prompt":[1,2]}"#, "`prompt`: the upstream takes no tokens; expected text"),
        (r#"{"prompt":[[1,2]]}"#, "`prompt`: the upstream takes no tokens; expected text"),
        (r#"{"prompt":[true]}"#, "`prompt[0]`: expected a string, got a boolean"),
        (r#"{"prompt":{}}"#, "`prompt`: expected a string or an array of one string, got an object"),
        (r#"{"prompt":"a","logprobs":true}"#, "`logprobs`: expected a whole number from 0 up, got a boolean"),
    ] {
        assert_eq!(refused(request), message, "{request}");
    }
}

#[test]
fn what_a_chat_has_no_place_for_is_told() {
    let request = r#"{"prompt":"a","echo":true,"best_of":2,"suffix":"b","messages":[],"x":1,"temperature":1}"#;
    let doc = Doc::strict(request.as_bytes()).unwrap();
    let Call::Generate(call) = Completions.read(Operation::Generate, doc.root()).unwrap() else { panic!() };
    let names: Vec<_> = call.native.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["echo", "best_of", "suffix", "messages", "x"]);
    let request = r#"{"prompt":["a"],"echo":false,"best_of":1,"suffix":""}"#;
    let doc = Doc::strict(request.as_bytes()).unwrap();
    let Call::Generate(call) = Completions.read(Operation::Generate, doc.root()).unwrap() else { panic!() };
    assert!(call.native.is_empty());
}
