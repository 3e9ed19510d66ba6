//! JSON schemas as OpenAI takes them.
//!
//! It refuses an object without `properties` as the schema of a tool's arguments, and an array without `items` anywhere.
//! Others take both, and servers of tools are seldom tested with more than one provider.

use std::borrow::Cow;

use crate::json::{Change, Doc, Edits, Kind, Node};

/// The schema of a tool without arguments.
pub(super) const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// The schema as it is sent: the same text if nothing must change.
pub(super) fn taken(raw: &str) -> Cow<'_, str> {
    if raw.contains("\"properties\"") && !raw.contains("\"array\"") {
        return Cow::Borrowed(raw);
    }
    let Ok(doc) = Doc::lenient(raw.as_bytes()) else { return Cow::Borrowed(raw) };
    let root = doc.root();
    if root.members().next().is_none() && root.kind() == Kind::Object {
        return Cow::Borrowed(NO_PARAMETERS);
    }
    let mut edits = Edits::default();
    if root.get("properties").is_none() && is(root, "object") {
        edits.members(root, &[("properties", Change::Set("{}"))]);
    }
    let mut waiting = vec![root];
    while let Some(schema) = waiting.pop() {
        look(schema, &mut waiting, &mut edits);
    }
    if edits.is_empty() {
        return Cow::Borrowed(raw);
    }
    String::from_utf8(edits.apply(&doc).into_bytes()).map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// Looks at this schema; those inside it go to `inner`.
fn look<'d>(schema: Node<'d>, inner: &mut Vec<Node<'d>>, edits: &mut Edits) {
    let mut items = false;
    for (name, value) in schema.members() {
        match &*name {
            "$defs" | "definitions" | "patternProperties" | "properties" => {
                inner.extend(value.members().map(|(_, schema)| schema));
            }
            "additionalProperties" | "items" => inner.extend([value].into_iter().chain(value.items())),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => inner.extend(value.items()),
            _ => {}
        }
        items |= matches!(&*name, "items" | "prefixItems") && !value.is_null();
    }
    if !items && is(schema, "array") {
        edits.members(schema, &[("items", Change::Set("{}"))]);
    }
}

/// Whether a schema is for values of a type, among others.
fn is(schema: Node<'_>, kind: &str) -> bool {
    let named = |word: Node<'_>| word.str().is_some_and(|word| word == kind);
    schema.get("type").is_some_and(|of| named(of) || of.items().any(named))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::taken;

    #[test]
    fn what_openai_takes_stays_byte_for_byte() {
        for schema in [
            r#"{ "type":"object", "properties": {} }"#,
            r#"{"type":"object","properties":{"a":{"type":"array","items":{"type":"array","prefixItems":[{}]}}}}"#,
            r#"{"type":"object","properties":{"type":{"enum":["array"]},"b":{"default":{"type":"array"}}}}"#,
            r#"{"$ref":"x"}"#,
            r#"[1]"#,
            "no JSON",
        ] {
            assert_eq!(taken(schema), schema);
        }
    }

    #[test]
    fn what_is_missing_is_put_in() {
        for (schema, sent) in [
            ("{}", r#"{"type":"object","properties":{}}"#),
            (r#"{"type":"object","title":"T"}"#, r#"{"properties":{},"type":"object","title":"T"}"#),
            (
                r#"{"properties":{"a":{"type":["array","null"]},"b":{"anyOf":[{"type":"array","items":{"type":"array"}}]}}}"#,
                r#"{"properties":{"a":{"items":{},"type":["array","null"]},"b":{"anyOf":[{"type":"array","items":{"items":{},"type":"array"}}]}}}"#,
            ),
            (
                r#"{"type":"object","$defs":{"x":{"type":"array"}},"additionalProperties":{"type":"array"}}"#,
                r#"{"properties":{},"type":"object","$defs":{"x":{"items":{},"type":"array"}},"additionalProperties":{"items":{},"type":"array"}}"#,
            ),
        ] {
            assert_eq!(taken(schema), sent);
        }
    }
}
