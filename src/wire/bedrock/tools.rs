//! [Tools](https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html) and which of them to call.

use super::content::Blocks;
use super::families::{Cached, Family, Forced};
use super::messages::Plan;
use super::output::{self, Output};
use crate::call::{Content, Generate, Tool, ToolChoice};
use crate::error::{Error, shorten};
use crate::json::{Str, Writer};
use crate::wire::Dropped;
use crate::wire::anthropic::schema;

/// The tools of a call.
pub(super) struct Tools<'a> {
    /// Those that are offered.
    offered: Vec<&'a Tool<'a>>,
    /// Where none is, those that the conversation shows: calls without a tool are refused.
    shown: Vec<&'a Str<'a>>,
    choice: Choice<'a>,
    /// Whether the web shall be searched, by Amazon.
    search: bool,
}

/// What is said of which tool to call.
#[derive(Clone, Copy, Debug)]
enum Choice<'a> {
    Any,
    Auto,
    Named(&'a Str<'a>),
    /// Nothing.
    Open,
}

/// Takes the tools that Converse knows. `thinks`: the model thinks up to a budget, and cannot be made to call one then.
pub(super) fn take<'a>(
    call: &'a Generate<'a>,
    plan: &Plan<'a>,
    family: &Family,
    thinks: bool,
    search: bool,
    dropped: &mut Dropped,
) -> Result<Tools<'a>, Error> {
    let mut tools = Tools { offered: Vec::new(), shown: Vec::new(), choice: Choice::Open, search };
    for tool in &call.tools {
        match tool {
            Tool::Function { .. } => tools.offered.push(tool),
            Tool::Native { kind, .. } => dropped.note(format!("tools.{}", shorten(&kind.to_text())))?,
        }
    }
    match &call.tool_choice {
        Some(ToolChoice::Named(_) | ToolChoice::Required) if tools.offered.is_empty() => dropped.note("tool_choice")?,
        Some(ToolChoice::Auto) if !tools.offered.is_empty() => tools.choice = Choice::Auto,
        Some(ToolChoice::Auto) | None => {}
        // There is no word for it. Without calls to keep, it is as if there were no tools.
        Some(ToolChoice::None) if !plan.calls() => tools.offered.clear(),
        Some(ToolChoice::None) => {
            if !tools.offered.is_empty() {
                dropped.note("tool_choice")?;
            }
        }
        Some(ToolChoice::Named(_) | ToolChoice::Required) if thinks || family.forced == Forced::Never => {
            dropped.note("tool_choice")?;
        }
        Some(ToolChoice::Named(name)) if family.forced == Forced::Named => tools.choice = Choice::Named(name),
        Some(ToolChoice::Named(name)) => {
            // The only one that it can call.
            tools.offered.retain(|tool| matches!(tool, Tool::Function { name: n, .. } if n == name));
            tools.choice = if tools.offered.is_empty() { Choice::Open } else { Choice::Any };
        }
        Some(ToolChoice::Required) => tools.choice = Choice::Any,
    }
    if tools.offered.is_empty() {
        for part in plan.parts() {
            if let Content::ToolCall { name, .. } = &part.content
                && !tools.shown.contains(&name)
            {
                tools.shown.push(name);
            }
        }
    }
    Ok(tools)
}

impl<'a> Tools<'a> {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        !self.offered.is_empty() || !self.shown.is_empty()
    }

    /// Whether some tool of the client's is offered.
    pub fn are_offered(&self) -> bool {
        !self.offered.is_empty()
    }

    /// Whether `toolChoice` is said.
    pub fn choose(&self) -> bool {
        !matches!(self.choice, Choice::Open)
    }

    /// The cache marks on them that the model takes.
    pub fn marks(&self, family: &Family) -> usize {
        let marked = |tool: &&&Tool<'_>| matches!(tool, Tool::Function { cache: Some(_), .. });
        match family.cached {
            Cached::All { .. } => self.offered.iter().filter(marked).count(),
            Cached::Never | Cached::Said => 0,
        }
    }

    /// Writes `toolConfig`.
    pub fn write(
        &self,
        output: Output<'_>,
        family: &Family,
        blocks: &mut Blocks<'_>,
        dropped: &mut Dropped,
        w: &mut Writer<'_, 'a>,
    ) {
        if !self.any() && !self.search && !matches!(output, Output::Tool(_)) {
            return;
        }
        w.key("toolConfig").open_object();
        w.key("tools").open_array();
        for tool in &self.offered {
            let Tool::Function { name, description, parameters, strict, cache } = tool else { continue };
            let held = *strict == Some(true) && family.strict;
            if *strict == Some(true) && !held {
                dropped.forget("strict");
            }
            w.object(|w| {
                w.key("toolSpec").object(|w| {
                    w.key("name").str(&blocks.name(name));
                    if let Some(description) = description.as_ref().filter(|description| !description.is_blank()) {
                        w.key("description").share_str(description);
                    }
                    w.key("inputSchema").object(|w| schema::arguments(parameters.as_deref(), held, w.key("json")));
                    if held {
                        w.key("strict").bool(true);
                    }
                });
            });
            match family.cached {
                Cached::All { .. } => blocks.mark(*cache, w),
                Cached::Never | Cached::Said if cache.is_some() => dropped.forget("cache_control"),
                Cached::Never | Cached::Said => {}
            }
        }
        for name in &self.shown {
            w.object(|w| {
                w.key("toolSpec").object(|w| {
                    w.key("name").str(&blocks.name(name));
                    w.key("inputSchema").object(|w| w.key("json").raw(r#"{"type":"object","properties":{}}"#));
                });
            });
        }
        if self.search {
            w.raw(r#"{"systemTool":{"name":"nova_grounding"}}"#);
        }
        if let Output::Tool(schema) = output {
            output::write_tool(schema, w);
        }
        w.close_array();
        self.write_choice(output, family, blocks, w);
        w.close_object();
    }

    fn write_choice(&self, output: Output<'_>, family: &Family, blocks: &mut Blocks<'_>, w: &mut Writer<'_, '_>) {
        let answer = Str::plain(output::TOOL);
        let choice = match output {
            Output::Tool(_) if family.forced == Forced::Named => Choice::Named(&answer),
            Output::Tool(_) => Choice::Any,
            _ => self.choice,
        };
        match choice {
            Choice::Any => w.key("toolChoice").raw(r#"{"any":{}}"#),
            Choice::Auto => w.key("toolChoice").raw(r#"{"auto":{}}"#),
            Choice::Named(name) => w.key("toolChoice").object(|w| {
                w.key("tool").object(|w| w.key("name").str(&blocks.name(name)));
            }),
            Choice::Open => {}
        }
    }
}
