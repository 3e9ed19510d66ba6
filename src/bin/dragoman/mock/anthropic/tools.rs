//! What tools, the choice of a tool and output schemas must be.
//!
//! Tools: <https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview>. Schemas:
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations>.

use std::collections::HashSet;

use serde_json::Value;

use super::super::answer::{Choice, Tool};
use super::super::shape::{Checked, Place, Refusal};
use super::cache::cache_control;
use super::model::Model;

/// Checks the tools; those that the client runs can be called in the answer.
pub fn tools(root: &Place) -> Checked<Vec<Tool>> {
    let (mut tools, mut names) = (Vec::new(), HashSet::new());
    let Some(list) = root.some("tools") else {
        return Ok(tools);
    };
    for tool in list.items()? {
        tool.members()?;
        let name = match tool.opt("type") {
            Some(kind) if kind.text()? != "custom" => server(&tool, kind.text()?)?,
            _ => {
                let custom = custom(&tool.tagged("custom"))?;
                tools.push(custom.clone());
                custom.name
            }
        };
        if !names.insert(name) {
            return Err(Refusal::new("tools: Tool names must be unique."));
        }
    }
    Ok(tools)
}

/// Checks the choice; returns it and whether calls may be parallel.
pub fn choice(root: &Place, tools: &[Tool], model: &Model) -> Checked<(Choice, bool)> {
    let Some(place) = root.some("tool_choice") else {
        return Ok((Choice::Auto, true));
    };
    let kind = place.tag(&["auto", "any", "tool", "none"])?;
    let tagged = place.tagged(kind);
    tagged.object(match kind {
        "none" => &["type"],
        "tool" => &["type", "name", "disable_parallel_tool_use"],
        _ => &["type", "disable_parallel_tool_use"],
    })?;
    let single = tagged.some("disable_parallel_tool_use").map(|place| place.flag()).transpose()?;
    if root.opt("tools").is_none() {
        return Err(Refusal::new("tool_choice: tool_choice may only be specified while providing tools"));
    }
    if matches!(kind, "any" | "tool") && !model.can_be_forced() {
        return Err(Refusal::new("tool_choice: type \"tool\" and \"any\" are not supported for this model."));
    }
    let choice = match kind {
        "none" => Choice::None,
        "any" => Choice::Any,
        "tool" => {
            let name = tagged.need("name")?.text()?;
            if !tools.iter().any(|tool| tool.name == name) {
                return Err(Refusal::new(format!("Tool '{name}' not found in provided tools")));
            }
            Choice::Named(name.to_owned())
        }
        _ => Choice::Auto,
    };
    Ok((choice, single != Some(true)))
}

/// Every object of an output schema must be closed, and some keywords are unknown.
pub fn closed(schema: &Value) -> Result<(), String> {
    let Some(members) = schema.as_object() else {
        return Ok(());
    };
    let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "object" {
        match members.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            Some(other) if !other.is_null() => {
                return Err(format!(
                    "For 'object' type, 'additionalProperties: {other}' is not supported. Please set 'additionalProperties' to false"
                ));
            }
            _ => return Err("For 'object' type, 'additionalProperties' must be explicitly set to false".into()),
        }
    }
    let unknown: &[&str] = match kind {
        "integer" | "number" => &["maximum", "minimum", "multipleOf", "exclusiveMaximum", "exclusiveMinimum"],
        "string" => &["maxLength", "minLength"],
        _ => &[],
    };
    let found = unknown.iter().copied().filter(|name| members.contains_key(*name)).collect::<Vec<_>>();
    if !found.is_empty() {
        return Err(format!("For '{kind}' type, properties {} are not supported", found.join(", ")));
    }
    for group in ["properties", "$defs", "definitions"] {
        for (_, schema) in members.get(group).and_then(Value::as_object).into_iter().flatten() {
            closed(schema)?;
        }
    }
    for group in ["anyOf", "allOf"] {
        for schema in members.get(group).and_then(Value::as_array).into_iter().flatten() {
            closed(schema)?;
        }
    }
    members.get("items").map_or(Ok(()), closed)
}

fn custom(tool: &Place) -> Checked<Tool> {
    tool.object(&[
        "type",
        "name",
        "description",
        "input_schema",
        "cache_control",
        "allowed_callers",
        "defer_loading",
        "eager_input_streaming",
        "input_examples",
        "strict",
    ])?;
    let name = tool.need("name")?.name(128)?.to_owned();
    if let Some(description) = tool.some("description") {
        description.text()?;
    }
    let schema = tool.need("input_schema")?;
    let members = schema.members()?;
    schema.need("type")?.one_of(&["object"])?;
    if ["oneOf", "allOf", "anyOf"].iter().any(|name| members.contains_key(*name)) {
        return Err(schema.wrong("input_schema does not support oneOf, allOf, or anyOf at the top level"));
    }
    if let Some(properties) = schema.opt("properties") {
        properties.members()?;
    }
    if tool.some("strict").map(|place| place.flag()).transpose()? == Some(true) {
        closed(schema.value).map_err(|message| tool.wrong(message))?;
    }
    cache_control(tool)?;
    Ok(Tool { name, schema: schema.value.clone(), custom: false })
}

/// A tool that Anthropic defines; returns its name.
fn server(tool: &Place, kind: &str) -> Checked<String> {
    if kind.starts_with("computer_toolset_") || kind.starts_with("browser_toolset_") {
        return Ok(kind.to_owned());
    }
    let Some(name) = SERVER_TOOLS.iter().find(|name| kind.starts_with(**name)) else {
        return Err(tool.wrong(format!(
            "Input tag '{kind}' found using 'type' does not match any of the expected tags: 'custom', {}",
            SERVER_TOOLS.map(|name| format!("'{name}'")).join(", ")
        )));
    };
    tool.tagged(kind)
        .need("name")
        .map(|place| place.text().map(str::to_owned))?
        .map_err(|_| tool.wrong(format!("Input should be '{name}'")))
}

const SERVER_TOOLS: [&str; 8] = [
    "bash_20",
    "code_execution_20",
    "memory_20",
    "text_editor_20",
    "web_search_20",
    "web_fetch_20",
    "tool_search_tool_bm25_20",
    "tool_search_tool_regex_20",
];
