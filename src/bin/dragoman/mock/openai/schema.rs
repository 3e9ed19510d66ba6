//! What OpenAI asks of JSON schemas.
//!
//! Strict mode: <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>.

use serde_json::Value;

/// Checks the schema of a function's parameters or of a response format.
pub fn check(schema: &Value, strict: bool, context: &str) -> Result<(), String> {
    let kind = schema.get("type").and_then(Value::as_str);
    if kind != Some("object") && schema.as_object().is_some_and(|members| !members.is_empty()) {
        let kind = kind.unwrap_or("None");
        return Err(format!("{context}: schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."));
    }
    walk(schema, strict, &mut Vec::new(), context)
}

fn walk<'a>(schema: &'a Value, strict: bool, trail: &mut Vec<&'a str>, context: &str) -> Result<(), String> {
    let Some(members) = schema.as_object() else {
        return Ok(());
    };
    let kind = members.get("type").and_then(Value::as_str);
    if kind == Some("array") && !members.contains_key("items") && !members.contains_key("prefixItems") {
        return Err(format!("{context}: In context={}, array schema missing items.", tuple(trail)));
    }
    let properties = members.get("properties").and_then(Value::as_object);
    if strict && kind == Some("object") {
        if members.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Err(format!(
                "{context}: In context={}, 'additionalProperties' is required to be supplied and to be false.",
                tuple(trail)
            ));
        }
        let required = members.get("required").and_then(Value::as_array);
        let missing = properties
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .find(|name| !required.is_some_and(|names| names.iter().any(|other| other.as_str() == Some(name))));
        if let Some(name) = missing {
            return Err(format!(
                "{context}: In context={}, 'required' is required to be supplied and to be an array including every key in properties. Missing '{name}'.",
                tuple(trail)
            ));
        }
    }
    for (group, schemas) in ["properties", "$defs", "definitions"]
        .into_iter()
        .filter_map(|group| Some((group, members.get(group)?.as_object()?)))
    {
        for (name, schema) in schemas {
            trail.extend([group, name.as_str()]);
            walk(schema, strict, trail, context)?;
            trail.truncate(trail.len().saturating_sub(2));
        }
    }
    if let Some(items) = members.get("items") {
        trail.push("items");
        walk(items, strict, trail, context)?;
        trail.pop();
    }
    for option in members.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        walk(option, strict, trail, context)?;
    }
    Ok(())
}

/// A path as OpenAI prints it: `()`, `('properties', 'a')`.
fn tuple(trail: &[&str]) -> String {
    let names = trail.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>();
    match names.as_slice() {
        [one] => format!("({one},)"),
        names => format!("({})", names.join(", ")),
    }
}
