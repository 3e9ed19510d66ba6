//! [Schemas](https://ai.google.dev/api/caching#Schema) in Google's words, as JSON schemas.

use super::name::{camel, members};
use crate::json::{Body, Kind, Node, Writer};

/// A schema as a JSON schema.
pub(super) fn to_json(schema: Node<'_>) -> String {
    let mut body = Body::default();
    write(schema, &mut Writer::new(&mut body));
    String::from_utf8(body.into_bytes()).unwrap_or_default()
}

fn write(schema: Node<'_>, w: &mut Writer<'_, '_>) {
    if schema.kind() != Kind::Object {
        return w.raw(schema.raw());
    }
    let nullable = members(schema).any(|(name, value)| name == "nullable" && value.bool() == Some(true));
    w.object(|w| {
        for (name, value) in schema.members().filter(|(_, value)| !value.is_null()) {
            match &*camel(name) {
                // Said with the type, or of no meaning elsewhere.
                "example" | "nullable" | "propertyOrdering" => {}
                "format" if value.str().is_some_and(|format| format == "enum") => {}
                "type" => kind(value, nullable, w),
                "anyOf" if nullable && members(schema).all(|(name, _)| name != "type") => {
                    w.key("anyOf").array(|w| {
                        value.items().for_each(|item| write(item, w));
                        w.object(|w| w.key("type").text("null"));
                    });
                }
                name @ ("anyOf" | "oneOf" | "allOf" | "prefixItems") => {
                    w.name(name).array(|w| value.items().for_each(|item| write(item, w)));
                }
                name @ ("additionalProperties" | "items" | "not") => write(value, w.name(name)),
                name @ ("defs" | "properties") if value.kind() == Kind::Object => w.name(name).object(|w| {
                    value.members().for_each(|(name, value)| write(value, w.name(&name)));
                }),
                // 64-bit numbers come as strings.
                name @ ("maxItems" | "maxLength" | "maxProperties" | "minItems" | "minLength" | "minProperties") => {
                    w.name(name).raw(value.raw().trim_matches('"'));
                }
                name => w.name(name).raw(value.raw()),
            }
        }
    });
}

/// `type`, which Google writes in capitals.
fn kind(value: Node<'_>, nullable: bool, w: &mut Writer<'_, '_>) {
    let Some(word) = value.text() else { return w.key("type").raw(value.raw()) };
    let word = word.to_ascii_lowercase();
    match &*word {
        "type_unspecified" => {}
        _ if nullable => w.key("type").array(|w| {
            w.text(&word);
            w.text("null");
        }),
        _ => w.key("type").text(&word),
    }
}
