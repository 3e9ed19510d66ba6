//! Which schemas OpenAI follows to the letter.
//!
//! With `strict` it refuses schemas outside of its
//! [subset](https://platform.openai.com/docs/guides/structured-outputs#supported-schemas), in which every object is
//! closed and requires all of its properties.

use crate::json::{Doc, Kind, Node};

/// Words that the subset lacks.
const REFUSED: &[&str] =
    &["allOf", "dependentRequired", "dependentSchemas", "else", "if", "not", "oneOf", "patternProperties", "then"];

/// Whether `schema` may be sent with `strict`.
pub(super) fn is_possible(schema: &str) -> bool {
    let Ok(doc) = Doc::lenient(schema.as_bytes()) else { return false };
    let mut waiting = vec![doc.root()];
    while let Some(schema) = waiting.pop() {
        if !fits(schema, &mut waiting) {
            return false;
        }
    }
    true
}

/// Whether this schema fits, apart from those inside it, which go to `inner`.
fn fits<'d>(schema: Node<'d>, inner: &mut Vec<Node<'d>>) -> bool {
    let (mut properties, mut required, mut closed) = (None, None, false);
    let (mut object, mut array, mut items) = (false, false, false);
    for (name, value) in schema.members() {
        match &*name {
            "$defs" | "definitions" => inner.extend(value.members().map(|(_, schema)| schema)),
            "additionalProperties" => closed = value.raw() == "false",
            "anyOf" => inner.extend(value.items()),
            "items" => {
                items = true;
                inner.push(value);
            }
            "properties" => properties = Some(value),
            "required" => required = Some(value),
            "type" => {
                let named =
                    |kind: &str| [value].into_iter().chain(value.items()).any(|n| n.str().is_some_and(|s| s == *kind));
                (object, array) = (named("object"), named("array"));
            }
            name if REFUSED.contains(&name) => return false,
            _ => {}
        }
    }
    if array && !items {
        return false;
    }
    if !object && properties.is_none() {
        return schema.kind() == Kind::Object;
    }
    let mut names = required.into_iter().flat_map(Node::items).filter_map(Node::text).collect::<Vec<_>>();
    names.sort_unstable();
    let mut all = true;
    for (name, schema) in properties.into_iter().flat_map(Node::members) {
        all &= names.binary_search(&name).is_ok();
        inner.push(schema);
    }
    all && closed
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::is_possible;

    #[test]
    fn objects_are_closed_and_require_everything() {
        for schema in [
            r#"{"type":"object","properties":{},"additionalProperties":false}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#,
            r##"{"type":"array","items":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/x"}]},"$defs":{"x":{"type":"string"}}}"##,
            r#"{"properties":{"if":{"const":{"type":"object"}}},"required":["if"],"additionalProperties":false}"#,
        ] {
            assert!(is_possible(schema), "{schema}");
        }
        for schema in [
            "",
            "true",
            r#"{"type":"object"}"#,
            r#"{"type":"object","properties":{"a":{}},"required":["a"]}"#,
            r#"{"type":"object","properties":{"a":{},"b":{}},"required":["a"],"additionalProperties":false}"#,
            r#"{"type":"array","items":{"type":["object","null"],"additionalProperties":{}}}"#,
            r#"{"anyOf":[{"type":"string"},{"properties":{}}]}"#,
            r#"{"$defs":{"x":{"type":"object"}}}"#,
            r#"{"allOf":[{"type":"string"}]}"#,
            r#"{"type":["array","null"]}"#,
        ] {
            assert!(!is_possible(schema), "{schema}");
        }
    }
}
