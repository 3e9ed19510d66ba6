//! JSON schemas as [structured outputs](https://platform.claude.com/docs/en/build-with-claude/structured-outputs) take
//! them.
//!
//! Anthropic refuses constraints that it cannot hold a model to. As its own SDKs do, they move to the description, where
//! the model reads them, and every object is closed.

use std::borrow::Cow;

use crate::json::{Body, Change, Doc, Edits, Kind, Node, Str, Writer};

/// Formats of strings that are held to.
const FORMATS: &[&str] = &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// Constraints that are not held to.
const LOOSE: &[&str] = &[
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
];

/// The schema as it is sent: the same text if nothing must change.
pub(in crate::wire) fn held(raw: &str) -> Cow<'_, str> {
    let Ok(doc) = Doc::lenient(raw.as_bytes()) else { return Cow::Borrowed(raw) };
    if fits(doc.root()) {
        return Cow::Borrowed(raw);
    }
    let mut body = Body::default();
    write(doc.root(), &mut Writer::new(&mut body));
    String::from_utf8(body.into_bytes()).map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// Writes the schema of a tool's arguments, which must be an object's. `strict`: the model is held to it.
pub(in crate::wire) fn arguments<'a>(parameters: Option<&'a str>, strict: bool, w: &mut Writer<'_, 'a>) {
    let Some(raw) = parameters else { return w.raw(r#"{"type":"object","properties":{}}"#) };
    if strict {
        return w.raw(&held(raw));
    }
    let Ok(doc) = Doc::lenient(raw.as_bytes()) else { return w.share_raw(raw) };
    let root = doc.root();
    if root.kind() != Kind::Object || root.get("type").is_some() {
        return w.share_raw(raw);
    }
    let mut changes = vec![("type", Change::Set("\"object\""))];
    if root.members().next().is_none() {
        changes.push(("properties", Change::Set("{}")));
    }
    let mut edits = Edits::default();
    edits.members(root, &changes);
    w.raw(&String::from_utf8(edits.apply(&doc).into_bytes()).unwrap_or_default());
}

/// What becomes of a member of a schema.
enum Fate {
    /// `additionalProperties` of another value than `false`.
    Close,
    /// To the description.
    Describe,
    /// It says nothing to a model.
    Drop,
    /// `oneOf`, which is held to as `anyOf`.
    Either,
    /// As it is.
    Keep,
    /// A schema.
    Schema,
    /// Schemas by name.
    SchemaMap,
    /// A list of schemas.
    Schemas,
}

fn fate(name: &str, value: Node<'_>) -> Fate {
    match (name, value.kind()) {
        ("$schema", _) => Fate::Drop,
        ("properties" | "$defs" | "definitions", Kind::Object) => Fate::SchemaMap,
        ("items", Kind::Object) => Fate::Schema,
        ("anyOf" | "allOf", Kind::Array) => Fate::Schemas,
        ("oneOf", Kind::Array) => Fate::Either,
        ("additionalProperties" | "description", Kind::Null) => Fate::Drop,
        ("additionalProperties", _) if value.raw() != "false" => Fate::Close,
        ("minItems", _) if !matches!(value.u64(), Some(0 | 1)) => Fate::Describe,
        ("format", Kind::String) if !value.str().is_some_and(|s| FORMATS.iter().any(|f| s == **f)) => Fate::Describe,
        _ if LOOSE.contains(&name) => Fate::Describe,
        _ => Fate::Keep,
    }
}

/// Whether a schema must be closed, and is not.
fn open(schema: Node<'_>) -> bool {
    let object =
        |kind: Node<'_>| kind.str().is_some_and(|s| s == "object") || kind.items().any(|k| k.raw() == "\"object\"");
    let is_object = schema.get("type").map_or(schema.get("properties").is_some(), object);
    is_object && schema.get("additionalProperties").is_none()
}

fn fits(schema: Node<'_>) -> bool {
    !open(schema)
        && schema.members().all(|(name, value)| match fate(&name, value) {
            Fate::Close | Fate::Describe | Fate::Drop | Fate::Either => false,
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
    let mut loose = String::new();
    for (name, value) in schema.members() {
        if let Fate::Describe = fate(&name, value) {
            let comma = if loose.is_empty() { "" } else { ", " };
            loose.push_str(&format!("{comma}{name}: {}", value.raw()));
        }
    }
    let described = schema.get("description").and_then(Node::str);
    w.open_object();
    for (name, value) in schema.members() {
        match fate(&name, value) {
            Fate::Close => w.name(&name).bool(false),
            Fate::Describe | Fate::Drop => {}
            Fate::Either => w.key("anyOf").array(|w| value.items().for_each(|schema| write(schema, w))),
            Fate::Keep if name == "description" && !loose.is_empty() && described.is_some() => {}
            Fate::Keep => w.name(&name).raw(value.raw()),
            Fate::Schema => write(value, w.name(&name)),
            Fate::SchemaMap => w.name(&name).object(|w| {
                value.members().for_each(|(name, schema)| write(schema, w.name(&name)));
            }),
            Fate::Schemas => w.name(&name).array(|w| value.items().for_each(|schema| write(schema, w))),
        }
    }
    if !loose.is_empty() {
        let gap = if described.is_some() { "\n\n" } else { "" };
        let parts = [described.unwrap_or_default(), Str::plain(format!("{gap}{{{loose}}}"))];
        w.key("description").concat(&parts);
    }
    if open(schema) {
        w.key("additionalProperties").bool(false);
    }
    w.close_object();
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::held;

    #[test]
    fn a_schema_that_fits_stays_byte_for_byte() {
        let raw = r#"{ "type" : "object", "properties": {"a":{"type":"string","format":"date"}}, "additionalProperties": false }"#;
        assert!(matches!(held(raw), std::borrow::Cow::Borrowed(text) if text == raw));
    }

    #[test]
    fn objects_are_closed() {
        assert_eq!(
            held(
                r#"{"type":"object","properties":{"b":{"type":"array","items":{"properties":{}}},"a":{"type":["object","null"],"additionalProperties":true}}}"#
            ),
            r#"{"type":"object","properties":{"b":{"type":"array","items":{"properties":{},"additionalProperties":false}},"a":{"type":["object","null"],"additionalProperties":false}},"additionalProperties":false}"#
        );
    }

    #[test]
    fn what_is_not_held_to_is_described() {
        assert_eq!(
            held(r#"{"$schema":"x","type":"integer","minimum":1,"description":"A \"number\"","maximum":10}"#),
            r#"{"type":"integer","description":"A \"number\"\n\n{minimum: 1, maximum: 10}"}"#
        );
        assert_eq!(
            held(r#"{"oneOf":[{"type":"string","format":"iban"},{"type":"array","minItems":2}]}"#),
            r#"{"anyOf":[{"type":"string","description":"{format: \"iban\"}"},{"type":"array","description":"{minItems: 2}"}]}"#
        );
    }

    #[test]
    fn null_says_nothing() {
        assert_eq!(
            held(
                r#"{"type":"object","properties":{"a":{"minimum":1,"description":null}},"additionalProperties":null}"#
            ),
            r#"{"type":"object","properties":{"a":{"description":"{minimum: 1}"}},"additionalProperties":false}"#
        );
    }

    #[test]
    fn a_property_may_have_any_name() {
        let raw = r#"{"type":"object","properties":{"format":{"type":"string"},"minimum":{"type":"number"}},"additionalProperties":false}"#;
        assert_eq!(held(raw), raw);
    }
}
