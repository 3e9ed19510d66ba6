//! Tools, and which of them shall be called.

use super::super::chat::request::unknown;
use super::super::chat::tool::{self, Allowed};
use super::super::fields::{list, object, optional, required, string, wrong};
use crate::call::{Generate, Tool, ToolChoice};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Kind, Node, Str};

/// The argument of a function that stands for a custom tool.
pub(super) const INPUT: &str = "input";

/// The schema of such a function.
const SCHEMA: &str =
    r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}"#;

/// What `tool_choice` says.
pub(super) enum Choice<'a> {
    /// Some of the tools.
    Allowed(Allowed<'a>),
    /// A choice that every format has.
    Of(ToolChoice<'a>),
}

/// Reads `tools`.
pub(super) fn tools<'a>(value: Node<'a>, call: &mut Generate<'a>) -> Result<(), Error> {
    for (at, value) in list(value)?.enumerate() {
        let tool = tool(value, &mut call.unread).map_err(|e| e.at_index(at))?;
        call.tools.push(tool);
    }
    Ok(())
}

/// Whether a tool is a custom one.
pub(super) fn is_custom(tool: Node<'_>) -> bool {
    tool.get("type").and_then(Node::str).is_some_and(|kind| kind == "custom")
}

/// Whether tools of a type are the provider's. Those of other formats' requests have none, or other types.
pub(super) fn is_own(kind: &str) -> bool {
    const HOSTED: &[&str] =
        &["file_search", "web_search", "code_interpreter", "image_generation", "mcp", "computer", "shell"];
    HOSTED.iter().any(|hosted| kind.starts_with(hosted))
        || matches!(kind, "apply_patch" | "local_shell" | "tool_search")
}

fn tool<'a>(value: Node<'a>, unread: &mut Vec<String>) -> Result<Tool<'a>, Error> {
    let kind = string(required(object(value)?, "type")?).map_err(|e| e.at("type"))?;
    match &*kind.to_text() {
        "custom" => custom(value, unread),
        "function" => tool::function(value, None),
        _ => Ok(Tool::Native { format: Format::Responses, kind, raw: value.raw() }),
    }
}

fn custom<'a>(value: Node<'a>, unread: &mut Vec<String>) -> Result<Tool<'a>, Error> {
    let name = string(required(value, "name")?).map_err(|e| e.at("name"))?;
    let mut description = optional(value, "description", string)?;
    let format = optional(value, "format", object)?;
    let part = |name| format.and_then(|format| format.get(name)).and_then(Node::text);
    // The model is told of the grammar, and nothing holds it to it.
    if let Some(definition) = part("definition") {
        let field = "tools[].format";
        if !unread.iter().any(|name| name == field) {
            unread.push(field.to_owned());
        }
        let (words, syntax) = (description.map(Str::decode).unwrap_or_default(), part("syntax").unwrap_or_default());
        let told = format!("{words}\n\nThe input follows this grammar ({syntax}):\n{definition}");
        description = Some(Str::plain(told.trim_start().to_owned()));
    }
    Ok(Tool::Function { name, description, parameters: Some(SCHEMA.into()), strict: None, cache: None })
}

/// Reads `tool_choice`; nothing if only providers of this format know the choice.
pub(super) fn choice(value: Node<'_>) -> Result<Option<Choice<'_>>, Error> {
    const ALLOWED: &str = "`auto`, `none`, `required` or an object";
    if let Some(word) = value.text() {
        return Ok(Some(Choice::Of(match &*word {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            other => return Err(unknown(other, ALLOWED)),
        })));
    }
    if value.kind() != Kind::Object {
        return Err(wrong(value, ALLOWED));
    }
    match &*string(required(value, "type")?).map_err(|e| e.at("type"))?.decode() {
        "allowed_tools" => allowed(value).map(|allowed| Some(Choice::Allowed(allowed))),
        "custom" | "function" => tool::named(value).map(|choice| Some(Choice::Of(choice))),
        _ => Ok(None),
    }
}

fn allowed(value: Node<'_>) -> Result<Allowed<'_>, Error> {
    let required_mode = match &*string(required(value, "mode")?).map_err(|e| e.at("mode"))?.decode() {
        "auto" => false,
        "required" => true,
        other => return Err(unknown(other, "`auto` or `required`").at("mode")),
    };
    let tools = list(required(value, "tools")?).map_err(|e| e.at("tools"))?;
    let one = |value| {
        let kind = string(required(object(value)?, "type")?).map_err(|e| e.at("type"))?;
        // As they are offered.
        let kind = if kind == "custom" { "function".into() } else { kind };
        Ok((kind, optional(value, "name", string)?))
    };
    let tools = tools.enumerate().map(|(at, tool)| one(tool).map_err(|e: Error| e.at_index(at).at("tools")));
    Ok(Allowed { required: required_mode, tools: tools.collect::<Result<_, _>>()? })
}
