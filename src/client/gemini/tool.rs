//! [Tools](https://ai.google.dev/api/caching#Tool), and which of them shall be called.

use super::super::chat::request::unknown;
use super::super::chat::tool::Allowed;
use super::super::fields::{list, object, raw_object, required, string};
use super::content::Unread;
use super::name::members;
use super::schema;
use crate::call::{Tool, ToolChoice};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Node, Str};

/// Reads `tools`.
pub(super) fn tools<'a>(value: Node<'a>, unread: &mut Unread, out: &mut Vec<Tool<'a>>) -> Result<(), Error> {
    for (at, value) in list(value)?.enumerate() {
        for (name, member) in members(object(value).map_err(|e| e.at_index(at))?) {
            if name != "functionDeclarations" {
                out.push(Tool::Native { format: Format::Gemini, kind: Str::plain(name), raw: value.raw() });
                continue;
            }
            for (index, declaration) in list(member).map_err(|e| e.at(&name).at_index(at))?.enumerate() {
                let read = function(declaration, unread);
                out.push(read.map_err(|e| e.at_index(index).at(&name).at_index(at))?);
            }
        }
    }
    Ok(())
}

fn function<'a>(value: Node<'a>, unread: &mut Unread) -> Result<Tool<'a>, Error> {
    let name = string(required(object(value)?, "name")?).map_err(|e| e.at("name"))?;
    let (mut description, mut parameters) = (None, None);
    for (name, value) in members(value) {
        match &*name {
            "description" => description = Some(string(value).map_err(|e| e.at(&name))?),
            "name" => {}
            "parameters" => {
                object(value).map_err(|e| e.at(&name))?;
                parameters = Some(schema::to_json(value).into());
            }
            "parametersJsonSchema" => parameters = Some(raw_object(value).map_err(|e| e.at(&name))?.into()),
            _ => unread.note("tools.functionDeclarations", &name),
        }
    }
    Ok(Tool::Function { name, description, parameters, strict: None, cache: None })
}

/// What `toolConfig.functionCallingConfig` says; tools that may not be called are taken away.
pub(super) fn choice<'a>(value: Node<'a>, tools: &mut Vec<Tool<'a>>) -> Result<Option<ToolChoice<'a>>, Error> {
    let (mut mode, mut allowed) = (None, Vec::new());
    for (name, value) in members(object(value)?) {
        match &*name {
            "allowedFunctionNames" => {
                for (at, value) in list(value).map_err(|e| e.at(&name))?.enumerate() {
                    allowed.push(string(value).map_err(|e| e.at_index(at).at(&name))?);
                }
            }
            "mode" => mode = Some(string(value).map_err(|e| e.at(&name))?.decode()),
            _ => {}
        }
    }
    let required = match mode.as_deref() {
        None | Some("AUTO" | "MODE_UNSPECIFIED" | "VALIDATED") => false,
        Some("ANY") => true,
        Some("NONE") => return Ok(Some(ToolChoice::None)),
        Some(other) => return Err(unknown(other, "`AUTO`, `ANY`, `VALIDATED` or `NONE`").at("mode")),
    };
    Ok(match (required, allowed.len()) {
        (true, 0) => Some(ToolChoice::Required),
        (true, 1) => allowed.pop().map(ToolChoice::Named),
        (false, 0) => mode.map(|_| ToolChoice::Auto),
        _ => {
            let tools_allowed = allowed.into_iter().map(|name| (Str::plain("function"), Some(name))).collect();
            Some(Allowed { required, tools: tools_allowed }.apply(tools).map_err(|mut e| {
                e.param = None;
                e.at("allowedFunctionNames")
            })?)
        }
    })
}
