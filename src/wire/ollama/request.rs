//! Writing a request.

use super::messages::Conversation;
use super::reply::Reply;
use crate::call::{Generate, OutputFormat, Thinking, Tool, ToolChoice};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Body, Doc, Writer};
use crate::wire::{Dropped, Encoded, Target, plain};

/// Ollama's own parameters, which clients of OpenAI's format may send along.
const OWN: &[&str] = &["keep_alive", "shift", "truncate"];

/// Its own [options](https://docs.ollama.com/modelfile#valid-parameters-and-values), which they may send as `options`, or
/// beside OpenAI's.
const OPTIONS: &[&str] = &[
    "draft_num_predict",
    "main_gpu",
    "min_p",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_thread",
    "repeat_last_n",
    "repeat_penalty",
    "typical_p",
    "use_mmap",
];

/// The schema of a tool without arguments.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// Writes `call`, and makes the reader of its answer.
pub(super) fn encode<'a>(
    call: &'a Generate<'a>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Encoded<'a>, Error> {
    let mut body = Body::default();
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key("model").text(target.model);
    w.key("messages").open_array();
    Conversation { w: &mut w, dropped, calls: Vec::new() }.write(&call.messages)?;
    w.close_array();
    tools(call, dropped, &mut w)?;
    match &call.output {
        OutputFormat::Text => {}
        OutputFormat::JsonObject => w.key("format").text("json"),
        OutputFormat::JsonSchema { schema, .. } => w.key("format").share_raw(schema),
    }
    think(call, &mut w);
    if call.logprobs == Some(true) {
        w.key("logprobs").bool(true);
        if let Some(top) = call.top_logprobs {
            w.key("top_logprobs").u64(top);
        }
    }
    options(call, target, &mut w);
    let takes = ["frequency_penalty", "logprobs", "presence_penalty", "seed", "top_k", "top_logprobs"];
    plain::unsaid(call, &takes, dropped)?;
    for (name, raw) in &call.native {
        let chat = call.format == Some(Format::Chat);
        if chat && OWN.contains(&&**name) {
            w.name(name).share_raw(raw);
        } else if !(chat && (name == "options" || OPTIONS.contains(&&**name))) {
            dropped.note(name.clone().into_owned())?;
        }
    }
    // Without a word it streams.
    w.key("stream").bool(call.stream);
    w.close_object();
    Ok(Encoded::new(body, Box::new(Reply::default())))
}

fn tools<'a>(call: &'a Generate<'a>, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    let mut sent = Vec::new();
    for tool in &call.tools {
        match tool {
            Tool::Function { name, description, parameters, strict, .. } => {
                if *strict == Some(true) {
                    dropped.note("tools[].strict")?;
                }
                sent.push((name, description, parameters));
            }
            Tool::Native { kind, .. } => dropped.note(format!("tools.{}", kind.to_text()))?,
        }
    }
    match &call.tool_choice {
        None | Some(ToolChoice::Auto) => {}
        // Tools that must not be called need not be known.
        Some(ToolChoice::None) => sent.clear(),
        Some(ToolChoice::Named(_) | ToolChoice::Required) => dropped.note("tool_choice")?,
    }
    if sent.is_empty() {
        return Ok(());
    }
    w.key("tools").array(|w| {
        for (name, description, parameters) in &sent {
            w.object(|w| {
                w.key("type").text("function");
                w.key("function").object(|w| {
                    w.key("name").str(name);
                    if let Some(description) = description {
                        w.key("description").share_str(description);
                    }
                    w.key("parameters").share_raw(parameters.as_deref().unwrap_or(NO_PARAMETERS));
                });
            });
        }
    });
    Ok(())
}

/// Writes `think`: whether to, or [how much](https://docs.ollama.com/capabilities/thinking).
fn think(call: &Generate<'_>, w: &mut Writer<'_, '_>) {
    let level = match call.reasoning.as_ref().map(|reasoning| &reasoning.amount) {
        None => return,
        Some(Thinking::Off) => return w.key("think").bool(false),
        Some(Thinking::Adaptive { effort: None } | Thinking::Budget(_)) => return w.key("think").bool(true),
        Some(Thinking::Adaptive { effort: Some(effort) } | Thinking::Effort(effort)) => effort.to_text(),
    };
    match &*level {
        "none" => w.key("think").bool(false),
        "minimal" => w.key("think").text("low"),
        "xhigh" => w.key("think").text("max"),
        level => w.key("think").text(level),
    }
}

fn options<'a>(call: &'a Generate<'a>, target: &Target<'_>, w: &mut Writer<'_, 'a>) {
    let limit = call.max_output_tokens.or(target.max_tokens).map(|most| most.to_string());
    let stop = (!call.stop.is_empty()).then(|| {
        let stops: Vec<String> = call.stop.iter().map(|stop| stop.to_json()).collect();
        format!("[{}]", stops.join(","))
    });
    let said = [
        ("num_predict", limit.as_deref()),
        ("temperature", call.temperature),
        ("top_p", call.top_p),
        ("top_k", call.top_k),
        ("frequency_penalty", call.frequency_penalty),
        ("presence_penalty", call.presence_penalty),
        ("seed", call.seed),
        ("stop", stop.as_deref()),
    ];
    let mut all: Vec<(String, &str)> =
        said.into_iter().filter_map(|(name, raw)| Some((name.to_owned(), raw?))).collect();
    let native = || call.native.iter().filter(|_| call.format == Some(Format::Chat));
    all.extend(native().filter(|(name, _)| OPTIONS.contains(&&**name)).map(|(name, raw)| (name.to_string(), *raw)));
    let own = native().find(|(name, _)| name == "options").and_then(|(_, raw)| Doc::lenient(raw.as_bytes()).ok());
    // What is said in OpenAI's words wins.
    for (name, value) in own.iter().flat_map(|doc| doc.root().members()) {
        if !all.iter().any(|(said, _)| *said == name) {
            all.push((name.into_owned(), value.raw()));
        }
    }
    if !all.is_empty() {
        w.key("options").object(|w| all.iter().for_each(|(name, raw)| w.name(name).raw(raw)));
    }
}
