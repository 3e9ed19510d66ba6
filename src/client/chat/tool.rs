//! Tools, and which of them shall be called.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::fields::{boolean, list, object, optional, raw_object, required, string, wrong};
use super::request::unknown;
use crate::call::{Tool, ToolChoice};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Kind, Node, Str};

/// What `tool_choice` says.
pub(super) enum Choice<'a> {
    /// Some of the tools.
    Allowed(Allowed<'a>),
    /// A choice that every format has.
    Of(ToolChoice<'a>),
}

/// The tools that may be called, of those that are given.
pub(in crate::client) struct Allowed<'a> {
    /// Whether one must be called.
    pub(in crate::client) required: bool,
    /// Type and name.
    pub(in crate::client) tools: Vec<(Str<'a>, Option<Str<'a>>)>,
}

impl<'a> Allowed<'a> {
    /// Takes away the other tools.
    pub(in crate::client) fn apply(self, tools: &mut Vec<Tool<'a>>) -> Result<ToolChoice<'a>, Error> {
        let mut kinds = BTreeSet::new();
        let mut functions: BTreeSet<Cow<'_, str>> = BTreeSet::new();
        for (kind, name) in &self.tools {
            if *kind == "function" {
                functions.extend(name.as_ref().map(Str::to_text));
            } else {
                kinds.insert(kind.to_text());
            }
        }
        tools.retain(|tool| match tool {
            Tool::Function { name, .. } => functions.contains(&name.to_text()),
            Tool::Native { kind, .. } => kinds.contains(&kind.to_text()),
        });
        if tools.is_empty() {
            return Err(Error::invalid("none of the allowed tools is in `tools`").at("allowed_tools"));
        }
        Ok(if self.required { ToolChoice::Required } else { ToolChoice::Auto })
    }
}

/// Reads `tools`.
pub(super) fn tools<'a>(value: Node<'a>, out: &mut Vec<Tool<'a>>) -> Result<(), Error> {
    for (at, value) in list(value)?.enumerate() {
        out.push(tool(value).map_err(|e| e.at_index(at))?);
    }
    Ok(())
}

fn tool(value: Node<'_>) -> Result<Tool<'_>, Error> {
    if let Some(kind) = google(object(value)?) {
        return Ok(Tool::Native { format: Format::Gemini, kind: Str::plain(kind), raw: value.raw() });
    }
    let kind = required(value, "type")?;
    let kind = string(kind).map_err(|e| e.at("type"))?;
    if kind != "function" {
        return Ok(Tool::Native { format: Format::Chat, kind, raw: value.raw() });
    }
    let cache = optional(value, "cache_control", raw_object)?;
    function(required(value, "function")?, cache).map_err(|e| e.at("function"))
}

/// The name of a [tool that Google runs](https://ai.google.dev/api/caching#Tool), which has one member and no type.
fn google(tool: Node<'_>) -> Option<&'static str> {
    const NAMES: [&str; 10] = [
        "codeExecution",
        "code_execution",
        "enterpriseWebSearch",
        "enterprise_web_search",
        "googleMaps",
        "google_maps",
        "googleSearch",
        "google_search",
        "urlContext",
        "url_context",
    ];
    let mut members = tool.members();
    match (members.next(), members.next()) {
        (Some((name, _)), None) => NAMES.into_iter().find(|known| *known == name),
        _ => None,
    }
}

/// Reads `functions`, the tools of old.
pub(super) fn functions<'a>(value: Node<'a>, out: &mut Vec<Tool<'a>>) -> Result<(), Error> {
    for (at, value) in list(value)?.enumerate() {
        out.push(function(value, None).map_err(|e| e.at_index(at))?);
    }
    Ok(())
}

pub(in crate::client) fn function<'a>(value: Node<'a>, cache: Option<&'a str>) -> Result<Tool<'a>, Error> {
    let name = required(object(value)?, "name")?;
    Ok(Tool::Function {
        name: string(name).map_err(|e| e.at("name"))?,
        description: optional(value, "description", string)?,
        parameters: optional(value, "parameters", raw_object)?.map(Cow::Borrowed),
        strict: optional(value, "strict", boolean)?,
        cache: cache.or(optional(value, "cache_control", raw_object)?),
    })
}

/// Reads `tool_choice`; nothing if only providers of this format know the choice.
pub(super) fn choice(value: Node<'_>) -> Result<Option<Choice<'_>>, Error> {
    if let Some(word) = value.text() {
        return Ok(Some(Choice::Of(match &*word {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            other => return Err(unknown(other, "`auto`, `none`, `required` or an object")),
        })));
    }
    if value.kind() != Kind::Object {
        return Err(wrong(value, "`auto`, `none`, `required` or an object"));
    }
    let kind = required(value, "type")?;
    match &*string(kind).map_err(|e| e.at("type"))?.decode() {
        "allowed_tools" => {
            let allowed = required(value, "allowed_tools")?;
            Ok(Some(Choice::Allowed(allowed_tools(allowed).map_err(|e| e.at("allowed_tools"))?)))
        }
        "function" => {
            let function = required(value, "function")?;
            Ok(Some(Choice::Of(named(function).map_err(|e| e.at("function"))?)))
        }
        _ => Ok(None),
    }
}

fn allowed_tools(value: Node<'_>) -> Result<Allowed<'_>, Error> {
    let mode = required(object(value)?, "mode")?;
    let required_mode = match &*string(mode).map_err(|e| e.at("mode"))?.decode() {
        "auto" => false,
        "required" => true,
        other => return Err(unknown(other, "`auto` or `required`").at("mode")),
    };
    let tools = list(required(value, "tools")?).map_err(|e| e.at("tools"))?;
    let tools = tools.enumerate().map(|(at, tool)| allowed(tool).map_err(|e| e.at_index(at).at("tools")));
    Ok(Allowed { required: required_mode, tools: tools.collect::<Result<_, _>>()? })
}

fn allowed(value: Node<'_>) -> Result<(Str<'_>, Option<Str<'_>>), Error> {
    let kind = required(object(value)?, "type")?;
    let name = optional(value, "function", |function| optional(object(function)?, "name", string))?;
    Ok((string(kind).map_err(|e| e.at("type"))?, name.flatten()))
}

/// Reads `function_call`, the choice of old.
pub(super) fn function_call(value: Node<'_>) -> Result<ToolChoice<'_>, Error> {
    match value.text().as_deref() {
        Some("auto") => Ok(ToolChoice::Auto),
        Some("none") => Ok(ToolChoice::None),
        Some(other) => Err(unknown(other, "`auto`, `none` or an object")),
        None => named(value),
    }
}

pub(in crate::client) fn named(value: Node<'_>) -> Result<ToolChoice<'_>, Error> {
    let name = required(object(value)?, "name")?;
    Ok(ToolChoice::Named(string(name).map_err(|e| e.at("name"))?))
}
