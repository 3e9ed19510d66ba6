//! What the index takes for JSON is JSON, and every value of it can be read, edited and written back.
#![no_main]

use dragoman::json::{Doc, Kind, Node};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(doc) = Doc::strict(bytes) {
        serde_json::from_slice::<IgnoredAny>(bytes).expect("another reader takes it too");
        walk(doc.root());
    }
    if let Ok(doc) = Doc::lenient(bytes) {
        walk(doc.root());
    }
});

fn walk(node: Node<'_>) {
    assert_eq!(node.raw().len(), node.span().len());
    let _ = (node.u64(), node.f64(), node.bool());
    match node.kind() {
        Kind::Array => node.items().for_each(walk),
        Kind::Object => node.members().named().for_each(|(name, value)| {
            assert_eq!(name.kind(), Kind::String);
            walk(name);
            walk(value);
        }),
        Kind::String => assert!(node.text().is_some()),
        _ => {}
    }
}
