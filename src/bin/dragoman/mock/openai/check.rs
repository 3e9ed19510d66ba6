//! What a chat completion request must be.
//!
//! Fields: <https://platform.openai.com/docs/api-reference/chat/create>, as in the official Python library 3.54.
//! Limits of reasoning models: <https://platform.openai.com/docs/guides/reasoning>.

use serde_json::Value;

use super::super::Wire;
use super::super::answer::{Ask, Choice, Format, Tool};
use super::super::directive::{bare_model, bare_text};
use super::super::shape::{Checked, Place, Refusal, quoted};
use super::message;
use super::schema;

/// A request that OpenAI would serve.
pub struct Call {
    /// With directives.
    pub model: String,
    /// With directives.
    pub last_text: String,
    pub ask: Ask,
    pub stream: bool,
    pub usage: bool,
    pub obfuscation: bool,
    pub count: usize,
    pub logprobs: Option<usize>,
    /// The deprecated `functions` are used.
    pub functions: bool,
    pub reasoning_tokens: usize,
    pub prompt_tokens: usize,
}

/// Checks a body.
pub fn call(body: &Value) -> Checked<Call> {
    let root = Place::root(Wire::OpenAi, body);
    if !body.is_object() {
        return Err(super::not_json());
    }
    root.object(FIELDS)?;
    let model = root.need("model").map_err(|_| Refusal::new("you must provide a model parameter"))?.text()?;
    if model.is_empty() || FOREIGN.iter().any(|name| model.starts_with(name)) {
        return Err(Refusal::new(format!("The model `{model}` does not exist or you do not have access to it."))
            .status(404)
            .code("model_not_found"));
    }
    let talk = message::messages(&root.need("messages")?)?;
    let mut ask = Ask {
        text: bare_text(&talk.last_text),
        attachments: talk.attachments,
        results: talk.results,
        parallel: true,
        ..Ask::default()
    };
    let stream = root.opt("stream").map(|place| place.flag()).transpose()? == Some(true);
    let (usage, obfuscation) = stream_options(&root, stream)?;
    limits(&root, &mut ask)?;
    let logprobs = sampling(&root)?;
    let functions = tools(&root, &mut ask)?;
    format(&root, &mut ask, &talk.all_text)?;
    small(&root)?;
    let thinking = reasoning(&root, bare_model(model))?;
    Ok(Call {
        model: model.to_owned(),
        last_text: talk.last_text,
        ask,
        stream,
        usage,
        obfuscation,
        count: match root.opt("n") {
            Some(place) => usize::try_from(place.integer(1, 128)?).unwrap_or(1),
            None => 1,
        },
        logprobs,
        functions,
        reasoning_tokens: if thinking { 64 } else { 0 },
        prompt_tokens: message::size(body),
    })
}

/// What is asked of a stream: usage, and noise.
pub fn stream_options(root: &Place, stream: bool) -> Checked<(bool, bool)> {
    let Some(options) = root.opt("stream_options") else {
        return Ok((false, true));
    };
    if !stream {
        return Err(Refusal::new("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
            .param("stream_options"));
    }
    options.object(&["include_usage", "include_obfuscation"])?;
    let flag = |name| options.opt(name).map(|place| place.flag()).transpose();
    Ok((flag("include_usage")?.unwrap_or(false), flag("include_obfuscation")?.unwrap_or(true)))
}

/// The limits on output.
pub fn limits(root: &Place, ask: &mut Ask) -> Checked<()> {
    let limit = |name| root.opt(name).map(|place| place.integer(1, 1_000_000)).transpose();
    let (old, new) = (limit("max_tokens")?, limit("max_completion_tokens")?);
    if old.is_some() && new.is_some() {
        return Err(Refusal::new(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        )
        .param("max_tokens")
        .code("invalid_parameter_combination"));
    }
    ask.limit = old.or(new).and_then(|limit| usize::try_from(limit).ok());
    if let Some(stop) = root.opt("stop") {
        let stops = match stop.value {
            Value::Array(_) => stop.few(4)?,
            Value::String(_) => vec![stop],
            _ => return Err(stop.wrong_type("one of a string or array of strings")),
        };
        ask.stops = stops.iter().map(|stop| stop.text().map(str::to_owned)).collect::<Checked<_>>()?;
        ask.stops.retain(|stop| !stop.is_empty());
    }
    Ok(())
}

/// The sampling parameters; returns how many log probabilities are wanted.
fn sampling(root: &Place) -> Checked<Option<usize>> {
    numbers(root)?;
    let wanted = root.opt("logprobs").map(|place| place.flag()).transpose()? == Some(true);
    let top = root.opt("top_logprobs").map(|place| place.integer(0, 20)).transpose()?;
    if top.is_some() && !wanted {
        return Err(Refusal::new("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.")
            .param("top_logprobs"));
    }
    Ok(wanted.then(|| top.and_then(|top| usize::try_from(top).ok()).unwrap_or(0)))
}

/// The parameters that are numbers.
pub fn numbers(root: &Place) -> Checked<()> {
    for (name, low, high) in
        [("temperature", 0, 2), ("top_p", 0, 1), ("presence_penalty", -2, 2), ("frequency_penalty", -2, 2)]
    {
        if let Some(place) = root.opt(name) {
            place.number(low, high)?;
        }
    }
    if let Some(bias) = root.opt("logit_bias") {
        for token in bias.members()?.keys() {
            if let Some(place) = bias.some(token) {
                place.number(-100, 100)?;
            }
        }
    }
    Ok(())
}

/// The tools; returns whether they came as deprecated functions.
fn tools(root: &Place, ask: &mut Ask) -> Checked<bool> {
    if let Some(functions) = root.some("functions") {
        if root.some("tools").is_some() {
            return Err(Refusal::new("'functions' and 'tools' are mutually exclusive.").param("functions"));
        }
        for function in functions.few(128)? {
            ask.tools.push(self::function(&function, &["name", "description", "parameters"])?);
        }
        if let Some(choice) = root.some("function_call") {
            ask.choice = match choice.value {
                Value::String(_) if choice.one_of(&["none", "auto"])? == "none" => Choice::None,
                Value::String(_) => Choice::Auto,
                _ => {
                    choice.object(&["name"])?;
                    named(&choice.need("name")?, "function_call", &ask.tools)?
                }
            };
        }
        ask.parallel = false;
        return Ok(true);
    }
    let Some(tools) = root.some("tools") else {
        for name in ["tool_choice", "parallel_tool_calls"] {
            if root.opt(name).is_some() {
                return Err(Refusal::new(format!(
                    "Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
                ))
                .param(name));
            }
        }
        return Ok(false);
    };
    for tool in tools.few(128)? {
        ask.tools.push(match tool.tag(&["function", "custom"])? {
            "custom" => {
                tool.object(&["type", "custom"])?;
                let custom = tool.need("custom")?;
                custom.object(&["name", "description", "format"])?;
                let name = custom.need("name")?.name(64)?.to_owned();
                if let Some(format) = custom.some("format") {
                    format.tag(&["text", "grammar"])?;
                }
                Tool { name, schema: Value::Null, custom: true }
            }
            _ => {
                tool.object(&["type", "function"])?;
                function(&tool.need("function")?, &["name", "description", "parameters", "strict"])?
            }
        });
    }
    if let Some(parallel) = root.some("parallel_tool_calls") {
        ask.parallel = parallel.flag()?;
    }
    if let Some(choice) = root.some("tool_choice") {
        ask.choice = tool_choice(&choice, &ask.tools)?;
    }
    Ok(false)
}

fn function(place: &Place, known: &[&str]) -> Checked<Tool> {
    place.object(known)?;
    let name = place.need("name")?.name(64)?.to_owned();
    if let Some(description) = place.some("description") {
        description.text()?;
    }
    let strict = place.opt("strict").map(|place| place.flag()).transpose()? == Some(true);
    let mut parameters = Value::Null;
    if let Some(place) = place.some("parameters") {
        place.members()?;
        parameters = place.value.clone();
        let context = format!("Invalid schema for function '{name}'");
        schema::check(&parameters, strict, &context)
            .map_err(|message| Refusal::new(message).param(&place.path).code("invalid_function_parameters"))?;
    }
    Ok(Tool { name, schema: parameters, custom: false })
}

fn tool_choice(choice: &Place, tools: &[Tool]) -> Checked<Choice> {
    if choice.value.is_string() {
        return Ok(match choice.one_of(&["none", "auto", "required"])? {
            "none" => Choice::None,
            "auto" => Choice::Auto,
            _ => Choice::Any,
        });
    }
    if !choice.value.is_object() {
        return Err(choice.wrong_type("one of a string or object"));
    }
    let kind = choice.tag(&["function", "custom", "allowed_tools"])?;
    choice.object(&["type", kind])?;
    let inner = choice.need(kind)?;
    if kind != "allowed_tools" {
        inner.object(&["name"])?;
        return named(&inner.need("name")?, "tool_choice", tools);
    }
    inner.object(&["mode", "tools"])?;
    inner.need("tools")?.few(128)?;
    Ok(match inner.need("mode")?.one_of(&["auto", "required"])? {
        "auto" => Choice::Auto,
        _ => Choice::Any,
    })
}

fn named(place: &Place, param: &str, tools: &[Tool]) -> Checked<Choice> {
    let name = place.text()?;
    if tools.iter().any(|tool| tool.name == name) {
        return Ok(Choice::Named(name.to_owned()));
    }
    let message =
        format!("Invalid value for '{param}': no function named '{name}' was specified in the 'tools' parameter.");
    Err(Refusal::new(message).param(param))
}

fn format(root: &Place, ask: &mut Ask, all_text: &str) -> Checked<()> {
    let Some(format) = root.some("response_format") else {
        return Ok(());
    };
    match format.tag(&["text", "json_object", "json_schema"])? {
        "json_schema" => {
            format.object(&["type", "json_schema"])?;
            let inner = format.need("json_schema")?;
            inner.object(&["name", "description", "schema", "strict"])?;
            let name = inner.need("name")?.name(64)?;
            let strict = inner.opt("strict").map(|place| place.flag()).transpose()? == Some(true);
            let schema = inner.need("schema")?;
            schema.members()?;
            let context = format!("Invalid schema for response_format '{name}'");
            schema::check(schema.value, strict, &context)
                .map_err(|message| Refusal::new(message).param("response_format"))?;
            ask.format = Some(Format::Schema(schema.value.clone()));
        }
        "json_object" => {
            format.object(&["type"])?;
            if !all_text.to_lowercase().contains("json") {
                return Err(Refusal::new("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.").param("messages"));
            }
            ask.format = Some(Format::Object);
        }
        _ => {
            format.object(&["type"])?;
        }
    }
    Ok(())
}

/// Fields that have no influence on the answer.
fn small(root: &Place) -> Checked<()> {
    for (name, allowed) in [
        ("service_tier", &["auto", "default", "flex", "scale", "priority", "fast"][..]),
        ("verbosity", &["low", "medium", "high"]),
        ("prompt_cache_retention", &["in_memory", "24h"]),
    ] {
        if let Some(place) = root.opt(name) {
            place.one_of(allowed)?;
        }
    }
    for (name, longest) in [("user", 512), ("safety_identifier", 128), ("prompt_cache_key", 1024)] {
        if let Some(place) = root.opt(name) {
            place.at_most(longest)?;
        }
    }
    if let Some(place) = root.opt("seed") {
        place.integer(i64::MIN, i64::MAX)?;
    }
    if let Some(place) = root.opt("store") {
        place.flag()?;
    }
    if let Some(metadata) = root.opt("metadata") {
        let members = metadata.members()?;
        if members.len() > 16 {
            let message = format!(
                "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with {} properties instead.",
                members.len()
            );
            return Err(Refusal::new(message).param("metadata").code("object_above_max_properties"));
        }
        for name in members.keys() {
            if let Some(place) = metadata.some(name) {
                place.at_most(512)?;
            }
        }
    }
    if let Some(modalities) = root.opt("modalities") {
        for place in modalities.few(2)? {
            if place.one_of(&["text", "audio"])? == "audio" {
                return Err(
                    Refusal::new("This model does not support the 'audio' output modality.").param("modalities")
                );
            }
        }
    }
    if let Some(prediction) = root.opt("prediction") {
        prediction.object(&["type", "content"])?;
        prediction.tag(&["content"])?;
        prediction.need("content")?;
    }
    for name in ["audio", "moderation", "prompt_cache_options", "web_search_options"] {
        if let Some(place) = root.opt(name) {
            place.members()?;
        }
    }
    Ok(())
}

/// Whether a model reasons.
pub fn thinks(model: &str) -> bool {
    efforts(model).is_some()
}

/// What reasoning models refuse; returns whether the model reasons here.
fn reasoning(root: &Place, model: &str) -> Checked<bool> {
    let effort = root.opt("reasoning_effort").map(|place| place.text()).transpose()?;
    let Some(efforts) = efforts(model) else {
        return match effort {
            Some(_) => Err(root.unknown("reasoning_effort")),
            None => Ok(false),
        };
    };
    if let Some(effort) = effort.filter(|effort| !efforts.contains(effort)) {
        return Err(Refusal::new(format!(
            "Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. Supported values are: {}.",
            quoted(efforts, "and")
        ))
        .param("reasoning_effort")
        .code("unsupported_value"));
    }
    let unsupported = |name: &str, hint: &str| {
        Refusal::new(format!("Unsupported parameter: '{name}' is not supported with this model.{hint}"))
            .param(name)
            .code("unsupported_parameter")
    };
    if root.opt("max_tokens").is_some() {
        return Err(unsupported("max_tokens", " Use 'max_completion_tokens' instead."));
    }
    let mut refused = vec!["stop"];
    if model.starts_with('o') {
        refused.push("parallel_tool_calls");
    }
    if effort != Some("none") {
        refused.extend(["logprobs", "top_logprobs", "logit_bias"]);
        for (name, default) in
            [("temperature", 1.0), ("top_p", 1.0), ("presence_penalty", 0.0), ("frequency_penalty", 0.0)]
        {
            if let Some(place) = root.opt(name)
                && place.value.as_f64() != Some(default)
            {
                return Err(Refusal::new(format!(
                    "Unsupported value: '{name}' does not support {} with this model. Only the default ({default}) value is supported.",
                    place.value
                ))
                .param(name)
                .code("unsupported_value"));
            }
        }
    }
    match refused.iter().find(|name| root.opt(name).is_some_and(|place| place.value != &Value::Bool(false))) {
        Some(name) => Err(unsupported(name, "")),
        None => Ok(effort != Some("none")),
    }
}

/// The efforts that a reasoning model knows; nothing for other models.
fn efforts(model: &str) -> Option<&'static [&'static str]> {
    if ["o1", "o3", "o4"].iter().any(|series| model.starts_with(series)) {
        return Some(&["low", "medium", "high"]);
    }
    let version = model.strip_prefix("gpt-").filter(|_| !model.contains("chat"))?;
    let major = version.chars().take_while(char::is_ascii_digit).collect::<String>();
    match major.parse::<u32>() {
        Ok(5) if !version.starts_with("5.") => Some(&["minimal", "low", "medium", "high"]),
        Ok(5..) => Some(&["none", "low", "medium", "high", "xhigh", "max"]),
        _ => None,
    }
}

const FIELDS: &[&str] = &[
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// Names that other providers' models have, and one for tests.
pub const FOREIGN: &[&str] = &["claude-", "gemini-", "missing"];
