//! JSON schemas as [Gemini](https://ai.google.dev/gemini-api/docs/generate-content/structured-output#json-schema-support)
//! takes them.
//!
//! It ignores what it does not know. What says the same in words that it knows is put so: `const`, `allOf` of one, and a
//! `$ref`, which may have nothing beside it.

use std::borrow::Cow;

use crate::json::{Body, Doc, Kind, Node, Writer};

/// The schema as it is sent: the same text if nothing must change.
pub(super) fn held(raw: &str) -> Cow<'_, str> {
    let Ok(doc) = Doc::lenient(raw.as_bytes()) else { return Cow::Borrowed(raw) };
    if fits(doc.root()) {
        return Cow::Borrowed(raw);
    }
    let mut body = Body::default();
    write(doc.root(), &mut Writer::new(&mut body));
    String::from_utf8(body.into_bytes()).map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// Whether a tool's schema allows no arguments, which is said by none: an object without properties is refused.
pub(super) fn is_empty(raw: &str) -> bool {
    let Ok(doc) = Doc::lenient(raw.as_bytes()) else { return false };
    doc.root().members().all(|(name, value)| match &*name {
        "$schema" | "description" | "title" | "type" => true,
        "additionalProperties" => value.raw() == "false",
        "properties" => value.members().next().is_none(),
        "required" => value.items().next().is_none(),
        _ => false,
    })
}

/// What becomes of a member of a schema.
enum Fate {
    /// `const`, as an `enum` of one.
    Constant,
    /// As it is.
    Keep,
    /// `allOf` of one, as `anyOf`.
    Only,
    /// A `$ref` with others beside it, inside of an `anyOf`.
    Reference,
    /// A schema.
    Schema,
    /// Schemas by name.
    SchemaMap,
    /// A list of schemas.
    Schemas,
}

fn fate(schema: Node<'_>, name: &str, value: Node<'_>) -> Fate {
    match (name, value.kind()) {
        ("const", Kind::String | Kind::Number) if schema.get("enum").is_none() => Fate::Constant,
        ("$ref", Kind::String) if !alone(schema) && schema.get("anyOf").is_none() => Fate::Reference,
        ("allOf", Kind::Array) if value.items().nth(1).is_none() && schema.get("anyOf").is_none() => Fate::Only,
        ("allOf" | "anyOf" | "oneOf" | "prefixItems", Kind::Array) => Fate::Schemas,
        ("$defs" | "definitions" | "properties", Kind::Object) => Fate::SchemaMap,
        ("additionalProperties" | "items", Kind::Object) => Fate::Schema,
        _ => Fate::Keep,
    }
}

/// Whether nothing stands beside a `$ref` but what may.
fn alone(schema: Node<'_>) -> bool {
    schema.members().all(|(name, _)| name.starts_with('$'))
}

fn fits(schema: Node<'_>) -> bool {
    schema.members().all(|(name, value)| match fate(schema, &name, value) {
        Fate::Constant | Fate::Only | Fate::Reference => false,
        Fate::Keep => true,
        Fate::Schema => fits(value),
        Fate::SchemaMap => value.members().all(|(_, schema)| fits(schema)),
        Fate::Schemas => value.items().all(fits),
    })
}

fn write(schema: Node<'_>, w: &mut Writer<'_, '_>) {
    if schema.kind() != Kind::Object {
        return w.raw(schema.raw());
    }
    w.open_object();
    for (name, value) in schema.members() {
        match fate(schema, &name, value) {
            Fate::Constant => w.key("enum").array(|w| w.raw(value.raw())),
            Fate::Keep => w.name(&name).raw(value.raw()),
            Fate::Only => w.key("anyOf").array(|w| value.items().for_each(|schema| write(schema, w))),
            Fate::Reference => w.key("anyOf").array(|w| w.object(|w| w.key("$ref").raw(value.raw()))),
            Fate::Schema => write(value, w.name(&name)),
            Fate::SchemaMap => w.name(&name).object(|w| {
                value.members().for_each(|(name, schema)| write(schema, w.name(&name)));
            }),
            Fate::Schemas => w.name(&name).array(|w| value.items().for_each(|schema| write(schema, w))),
        }
    }
    w.close_object();
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_schema_that_fits_stays_byte_for_byte() {
        let raw =
            r##"{ "type":"object", "$defs":{"a":{"pattern":"x"}}, "properties":{"const":{"$ref":"#/$defs/a"}} }"##;
        assert!(matches!(held(raw), Cow::Borrowed(text) if text == raw));
    }

    #[test]
    fn the_same_is_said_in_known_words() {
        assert_eq!(
            held(
                r##"{"properties":{"a":{"$ref":"#/$defs/a","description":"A"},"b":{"items":{"const":1}}},"allOf":[{"const":"x"}]}"##
            ),
            r##"{"properties":{"a":{"anyOf":[{"$ref":"#/$defs/a"}],"description":"A"},"b":{"items":{"enum":[1]}}},"anyOf":[{"enum":["x"]}]}"##
        );
    }

    #[test]
    fn no_arguments() {
        for raw in [r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#, "{}"] {
            assert!(is_empty(raw), "{raw}");
        }
        for raw in [r#"{"type":"object","properties":{"a":{}}}"#, r#"{"type":"object","additionalProperties":true}"#] {
            assert!(!is_empty(raw), "{raw}");
        }
    }
}
