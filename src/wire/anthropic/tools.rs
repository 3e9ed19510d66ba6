//! [Tools](https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools) and which of them to call.

use std::collections::BTreeSet;

use super::content::Blocks;
use super::messages::Turn;
use super::models::Model;
use super::schema;
use super::thinking::Settled;
use crate::call::{Content, Generate, Tool, ToolChoice};
use crate::error::{Error, shorten};
use crate::format::Format;
use crate::json::{Str, Writer};
use crate::wire::Dropped;

/// The tools of a call.
pub(super) struct Tools<'a> {
    /// Those that are offered.
    offered: Vec<&'a Tool<'a>>,
    /// Where none is, those that the conversation shows: calls without a tool are refused.
    shown: Vec<&'a Str<'a>>,
}

/// Takes the tools that Anthropic knows.
pub(super) fn take<'a>(call: &'a Generate<'a>, turns: &[Turn<'a>], dropped: &mut Dropped) -> Result<Tools<'a>, Error> {
    let mut tools = Tools { offered: Vec::new(), shown: Vec::new() };
    for tool in &call.tools {
        match tool {
            Tool::Native { format, kind, .. } if *format != Format::Messages => {
                dropped.note(format!("tools.{}", shorten(&kind.to_text())))?;
            }
            Tool::Function { .. } | Tool::Native { .. } => tools.offered.push(tool),
        }
    }
    if tools.offered.is_empty() {
        let mut seen = BTreeSet::new();
        for part in turns.iter().flat_map(|turn| &turn.parts) {
            if let Content::ToolCall { name, .. } = &part.content
                && seen.insert(name.to_text())
            {
                tools.shown.push(name);
            }
        }
    }
    Ok(tools)
}

impl<'a> Tools<'a> {
    /// The cache marks on them.
    pub fn marks(&self) -> usize {
        self.offered.iter().filter(|tool| matches!(tool, Tool::Function { cache: Some(_), .. })).count()
    }

    /// Writes `tools`.
    pub fn write(&self, model: &Model, blocks: &mut Blocks<'_>, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) {
        if self.offered.is_empty() && self.shown.is_empty() {
            return;
        }
        w.key("tools").open_array();
        for tool in &self.offered {
            match tool {
                Tool::Function { name, description, parameters, strict, cache } => {
                    w.open_object();
                    w.key("name").str(&blocks.name(name));
                    if let Some(description) = description {
                        w.key("description").share_str(description);
                    }
                    let held = *strict == Some(true) && model.schemas;
                    schema::arguments(parameters.as_deref(), held, w.key("input_schema"));
                    if held {
                        w.key("strict").bool(true);
                    } else if *strict == Some(true) {
                        dropped.forget("strict");
                    }
                    blocks.mark(*cache, w);
                    w.close_object();
                }
                Tool::Native { raw, .. } => w.share_raw(raw),
            }
        }
        for name in &self.shown {
            w.object(|w| {
                w.key("name").str(&blocks.name(name));
                w.key("input_schema").raw(r#"{"type":"object","properties":{}}"#);
            });
        }
        w.close_array();
    }

    /// Writes `tool_choice`.
    pub fn choose(
        &self,
        call: &Generate<'_>,
        model: &Model,
        settled: &Settled<'_>,
        blocks: &mut Blocks<'_>,
        dropped: &mut Dropped,
        w: &mut Writer<'_, '_>,
    ) -> Result<(), Error> {
        if self.offered.is_empty() {
            if !self.shown.is_empty() {
                w.key("tool_choice").object(|w| w.key("type").text("none"));
            }
            return match call.tool_choice {
                Some(ToolChoice::Named(_) | ToolChoice::Required) => dropped.note("tool_choice"),
                Some(ToolChoice::Auto | ToolChoice::None) | None => Ok(()),
            };
        }
        let single = call.parallel_tool_calls == Some(false);
        let (kind, name) = match &call.tool_choice {
            Some(ToolChoice::Named(_) | ToolChoice::Required) if settled.budgeted() || !model.forced_tools => {
                dropped.note("tool_choice")?;
                ("auto", None)
            }
            Some(ToolChoice::Named(name)) => ("tool", Some(name)),
            Some(ToolChoice::None) => ("none", None),
            Some(ToolChoice::Required) => ("any", None),
            Some(ToolChoice::Auto) => ("auto", None),
            None if single => ("auto", None),
            None => return Ok(()),
        };
        w.key("tool_choice").object(|w| {
            w.key("type").text(kind);
            if let Some(name) = name {
                w.key("name").str(&blocks.name(name));
            }
            if single && kind != "none" {
                w.key("disable_parallel_tool_use").bool(true);
            }
        });
        Ok(())
    }
}
