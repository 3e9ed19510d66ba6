//! What golden cases do not show.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::name::camel;
use super::signature::{Kind, is_foreign, open, seal};
use super::*;
use crate::call::Content;
use crate::format::Format;
use crate::json::Doc;

#[test]
fn names_come_in_two_spellings() {
    for (name, expected) in
        [("topP", "topP"), ("top_p", "topP"), ("response_json_schema", "responseJsonSchema"), ("a_", "a")]
    {
        assert_eq!(camel(name.into()), expected, "{name}");
    }
    let doc = Doc::strict(br#"{"generation_config":{"max_output_tokens":7,"candidateCount":3}}"#).unwrap();
    assert_eq!(limit(doc.root()), Some(21));
}

#[test]
fn proofs_come_back_as_they_were() {
    for proof in ["", "abc==", "?>~\u{fc}", "__bedrock__a+b/c"] {
        let sealed = seal(Kind::Sealed, &proof.into());
        assert!(is_foreign(&sealed));
        // As libraries write it again: in the alphabet for URLs, with padding or without.
        for text in [sealed.clone(), sealed.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()] {
            let Content::RedactedReasoning { data, format: Format::Messages } = open("".into(), Str::plain(text))
            else {
                panic!("{proof}");
            };
            assert_eq!(data, *proof);
        }
    }
    let Content::Reasoning { signature, format, .. } = open("so".into(), "CpwBAdHtim9".into()) else { panic!() };
    assert_eq!((signature, format), (Some("CpwBAdHtim9".into()), Some(Format::Gemini)));
}
