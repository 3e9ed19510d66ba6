//! [Tools](https://ai.google.dev/gemini-api/docs/generate-content/function-calling) and which of them to call.

use super::schema;
use crate::call::{Generate, Tool, ToolChoice};
use crate::error::{Error, shorten};
use crate::format::Format;
use crate::json::Writer;
use crate::wire::Dropped;
use crate::wire::names::Names;

/// The tools of a call.
pub(super) struct Tools<'a> {
    functions: Vec<&'a Tool<'a>>,
    /// Those that Google runs.
    own: Vec<&'a str>,
    /// Whether the web shall be searched, in OpenAI's words.
    search: bool,
}

/// Takes the tools that Gemini knows.
pub(super) fn take<'a>(call: &'a Generate<'a>, search: bool, dropped: &mut Dropped) -> Result<Tools<'a>, Error> {
    let mut tools = Tools { functions: Vec::new(), own: Vec::new(), search };
    for tool in &call.tools {
        match tool {
            Tool::Function { .. } => tools.functions.push(tool),
            Tool::Native { format: Format::Gemini | Format::Vertex, raw, .. } => tools.own.push(raw),
            Tool::Native { kind, .. } => dropped.note(format!("tools.{}", shorten(&kind.to_text())))?,
        }
    }
    Ok(tools)
}

impl<'a> Tools<'a> {
    /// Whether there are functions of the client's.
    pub fn any(&self) -> bool {
        !self.functions.is_empty()
    }

    /// Whether the answer may cite.
    pub fn cites(&self) -> bool {
        self.search || !self.own.is_empty()
    }

    /// Writes `tools` and, if the call is not only to be counted, `toolConfig`.
    pub fn write(
        &self,
        call: &Generate<'_>,
        generate: bool,
        names: &mut Names,
        dropped: &mut Dropped,
        w: &mut Writer<'_, 'a>,
    ) -> Result<(), Error> {
        if self.any() || self.cites() {
            w.key("tools").open_array();
            if self.any() {
                w.object(|w| {
                    w.key("functionDeclarations")
                        .array(|w| self.functions.iter().for_each(|tool| declare(tool, names, w)));
                });
            }
            self.own.iter().for_each(|raw| w.share_raw(raw));
            if self.search {
                w.raw(r#"{"googleSearch":{}}"#);
            }
            w.close_array();
        }
        if generate { self.choose(call, names, dropped, w) } else { Ok(()) }
    }

    fn choose(
        &self,
        call: &Generate<'_>,
        names: &mut Names,
        dropped: &mut Dropped,
        w: &mut Writer<'_, 'a>,
    ) -> Result<(), Error> {
        if !self.any() {
            return match call.tool_choice {
                Some(ToolChoice::Named(_) | ToolChoice::Required) => dropped.note("tool_choice"),
                Some(ToolChoice::Auto | ToolChoice::None) | None => Ok(()),
            };
        }
        if call.parallel_tool_calls == Some(false) {
            dropped.note("parallel_tool_calls")?;
        }
        let strict = self.functions.iter().any(|tool| matches!(tool, Tool::Function { strict: Some(true), .. }));
        let (mode, name) = match &call.tool_choice {
            Some(ToolChoice::Named(name)) => ("ANY", Some(name)),
            Some(ToolChoice::None) => ("NONE", None),
            Some(ToolChoice::Required) => ("ANY", None),
            // Held to the schemas, as it always is where it must call.
            Some(ToolChoice::Auto) | None if strict => ("VALIDATED", None),
            Some(ToolChoice::Auto) => ("AUTO", None),
            None => return Ok(()),
        };
        w.key("toolConfig").object(|w| {
            w.key("functionCallingConfig").object(|w| {
                w.key("mode").text(mode);
                if let Some(name) = name {
                    w.key("allowedFunctionNames").array(|w| w.str(&names.encode(name)));
                }
            });
        });
        Ok(())
    }
}

/// Writes a function.
fn declare<'a>(tool: &'a Tool<'a>, names: &mut Names, w: &mut Writer<'_, 'a>) {
    let Tool::Function { name, description, parameters, .. } = tool else { return };
    w.object(|w| {
        w.key("name").str(&names.encode(name));
        if let Some(description) = description {
            w.key("description").share_str(description);
        }
        if let Some(raw) = parameters.as_deref().filter(|raw| !schema::is_empty(raw)) {
            w.key("parametersJsonSchema").raw(&schema::held(raw));
        }
    });
}
