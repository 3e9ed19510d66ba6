//! What a request for a response must be.
//!
//! Fields: <https://platform.openai.com/docs/api-reference/responses/create>, as in the official Python library 3.54.

use serde_json::{Map, Value};

use super::super::super::Wire;
use super::super::super::answer::{Ask, Choice, Format, Tool};
use super::super::super::directive::{bare_model, bare_text};
use super::super::super::log::Log;
use super::super::super::shape::{Checked, Place, Refusal};
use super::super::check::{FOREIGN, thinks};
use super::super::{message, schema};
use super::item;

/// A request that OpenAI would serve.
pub struct Call {
    /// With directives.
    pub model: String,
    /// With directives.
    pub last_text: String,
    pub ask: Ask,
    pub stream: bool,
    pub background: bool,
    pub store: bool,
    pub obfuscation: bool,
    pub logprobs: Option<usize>,
    pub summary: bool,
    pub prompt_tokens: usize,
    /// What the answer repeats.
    pub body: Map<String, Value>,
    /// The items, with what was kept of the conversation before them.
    pub input: Vec<Value>,
}

/// Checks a body.
pub fn call(body: &Value, log: &Log) -> Checked<Call> {
    let root = Place::root(Wire::OpenAi, body);
    let members = root.object(FIELDS)?;
    let model = root.need("model")?.text()?;
    if model.is_empty() || FOREIGN.iter().any(|name| model.starts_with(name)) {
        return Err(Refusal::new(format!("The requested model '{model}' does not exist."))
            .param("model")
            .code("model_not_found"));
    }
    let flag = |name: &str, usual| root.opt(name).map(|place| place.flag()).transpose().map(|f| f.unwrap_or(usual));
    let mut before = Vec::new();
    if let Some(place) = root.opt("previous_response_id") {
        let id = place.text()?;
        let kept = log.kept(id).ok_or_else(|| {
            Refusal::new(format!("Previous response with id '{id}' not found."))
                .param("previous_response_id")
                .code("previous_response_not_found")
        })?;
        before = kept.input;
        before.extend(kept.response.get("output").and_then(Value::as_array).cloned().unwrap_or_default());
    }
    let talk = item::input(&root.need("input")?, &before)?;
    let mut ask = Ask {
        text: bare_text(&talk.last_text),
        attachments: talk.attachments,
        results: talk.results,
        parallel: flag("parallel_tool_calls", true)?,
        ..Ask::default()
    };
    let stream = flag("stream", false)?;
    let mut obfuscation = true;
    if let Some(options) = root.opt("stream_options") {
        if !stream {
            return Err(Refusal::new("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
                .param("stream_options"));
        }
        options.object(&["include_obfuscation"])?;
        obfuscation = options.opt("include_obfuscation").map(|place| place.flag()).transpose()?.unwrap_or(true);
    }
    for (name, low, high) in [("temperature", 0, 2), ("top_p", 0, 1)] {
        root.opt(name).map(|place| place.number(low, high)).transpose()?;
    }
    if let Some(limit) = root.opt("max_output_tokens") {
        ask.limit = usize::try_from(limit.integer(16, 1_000_000)?).ok();
    }
    root.opt("max_tool_calls").map(|place| place.integer(1, 1_000)).transpose()?;
    let top = root.opt("top_logprobs").map(|place| place.integer(0, 20)).transpose()?;
    tools(&root, &mut ask)?;
    text(&root, &mut ask, &talk.all_text)?;
    small(&root)?;
    let (mut logprobs, mut summary) = (None, false);
    for place in root.opt("include").map(|place| place.items()).transpose()?.into_iter().flatten() {
        if place.one_of(INCLUDE)? == "message.output_text.logprobs" {
            logprobs = Some(top.and_then(|top| usize::try_from(top).ok()).unwrap_or(0));
        }
    }
    if let Some(reasoning) = root.opt("reasoning") {
        reasoning.object(&["effort", "summary", "generate_summary"])?;
        reasoning.opt("effort").map(|place| place.one_of(EFFORTS)).transpose()?;
        summary =
            reasoning.opt("summary").map(|place| place.one_of(&["auto", "concise", "detailed"])).transpose()?.is_some();
        if !thinks(bare_model(model)) {
            return Err(Refusal::new("Unsupported parameter: 'reasoning.effort' is not supported with this model.")
                .param("reasoning.effort")
                .code("unsupported_parameter"));
        }
    }
    ask.thinking = thinks(bare_model(model));
    Ok(Call {
        model: model.to_owned(),
        last_text: talk.last_text,
        ask,
        stream,
        background: flag("background", false)?,
        store: flag("store", true)?,
        obfuscation,
        logprobs,
        summary,
        prompt_tokens: message::size(body),
        body: members.clone(),
        input: talk.items,
    })
}

fn tools(root: &Place, ask: &mut Ask) -> Checked<()> {
    for tool in root.opt("tools").map(|place| place.items()).transpose()?.into_iter().flatten() {
        let kind = tool.tag(&["function", "custom", "web_search"])?;
        let text = |name: &str| tool.opt(name).map(|place| place.text()).transpose();
        match kind {
            "custom" => {
                tool.object(&["type", "name", "description", "format"])?;
                text("description")?;
                tool.opt("format").map(|place| place.tag(&["text", "grammar"])).transpose()?;
                let name = tool.need("name")?.name(128)?.to_owned();
                ask.tools.push(Tool { name, schema: Value::Null, custom: true });
            }
            "function" => {
                tool.object(&["type", "name", "description", "parameters", "strict"])?;
                let name = tool.need("name")?.name(128)?.to_owned();
                text("description")?;
                // Unlike in chat completions, strict is the rule.
                let strict = tool.opt("strict").map(|place| place.flag()).transpose()? == Some(true);
                let parameters = tool.opt("parameters").map_or(Value::Null, |place| place.value.clone());
                let context = format!("Invalid schema for function '{name}'");
                schema::check(&parameters, strict, &context).map_err(|message| {
                    Refusal::new(message).param(format!("{}.parameters", tool.path)).code("invalid_function_parameters")
                })?;
                ask.tools.push(Tool { name, schema: parameters, custom: false });
            }
            _ => {}
        }
    }
    let Some(choice) = root.opt("tool_choice") else { return Ok(()) };
    if choice.value.is_string() {
        ask.choice = match choice.one_of(&["none", "auto", "required"])? {
            "none" => Choice::None,
            "auto" => Choice::Auto,
            _ => Choice::Any,
        };
        return Ok(());
    }
    match choice.tag(&["function", "custom", "allowed_tools", "web_search_preview"])? {
        "allowed_tools" => {
            choice.object(&["type", "mode", "tools"])?;
            let names = choice.need("tools")?.few(128)?;
            let names: Vec<_> = names.iter().filter_map(|tool| tool.value.get("name")?.as_str()).collect();
            ask.tools.retain(|tool| names.contains(&tool.name.as_str()));
            if choice.need("mode")?.one_of(&["auto", "required"])? == "required" {
                ask.choice = Choice::Any;
            }
        }
        kind @ ("custom" | "function") => {
            choice.object(&["type", "name"])?;
            let name = choice.need("name")?.text()?;
            if !ask.tools.iter().any(|tool| tool.name == name && tool.custom == (kind == "custom")) {
                let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
                return Err(Refusal::new(message).param("tool_choice"));
            }
            ask.choice = Choice::Named(name.to_owned());
        }
        _ => {}
    }
    Ok(())
}

fn text(root: &Place, ask: &mut Ask, all_text: &str) -> Checked<()> {
    let Some(text) = root.opt("text") else { return Ok(()) };
    text.object(&["format", "verbosity"])?;
    text.opt("verbosity").map(|place| place.one_of(&["low", "medium", "high"])).transpose()?;
    let Some(format) = text.opt("format") else { return Ok(()) };
    match format.tag(&["text", "json_object", "json_schema"])? {
        "json_schema" => {
            format.object(&["type", "name", "description", "schema", "strict"])?;
            let name = format.need("name")?.name(64)?;
            let strict = format.opt("strict").map(|place| place.flag()).transpose()? == Some(true);
            let schema = format.need("schema")?;
            let context = format!("Invalid schema for response_format '{name}'");
            schema::check(schema.value, strict, &context)
                .map_err(|message| Refusal::new(message).param("text.format.schema").code("invalid_json_schema"))?;
            ask.format = Some(Format::Schema(schema.value.clone()));
        }
        "json_object" => {
            if !all_text.to_lowercase().contains("json") {
                return Err(Refusal::new("Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.").param("input"));
            }
            ask.format = Some(Format::Object);
        }
        _ => {}
    }
    Ok(())
}

/// Fields that have no influence on the answer.
fn small(root: &Place) -> Checked<()> {
    for (name, allowed) in [
        ("service_tier", &["auto", "default", "flex", "scale", "priority", "fast"][..]),
        ("truncation", &["auto", "disabled"]),
        ("prompt_cache_retention", &["in_memory", "24h"]),
    ] {
        root.opt(name).map(|place| place.one_of(allowed)).transpose()?;
    }
    for (name, longest) in [("user", 512), ("safety_identifier", 128), ("prompt_cache_key", 1024)] {
        root.opt(name).map(|place| place.at_most(longest)).transpose()?;
    }
    root.opt("instructions").map(|place| place.text()).transpose()?;
    if let Some(metadata) = root.opt("metadata") {
        for name in metadata.members()?.keys() {
            metadata.need(name)?.at_most(512)?;
        }
    }
    Ok(())
}

const FIELDS: &[&str] = &[
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

const INCLUDE: &[&str] = &[
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
];

const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];
