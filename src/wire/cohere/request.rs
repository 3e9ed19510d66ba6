//! Writing a request.

use super::messages::Conversation;
use super::reply::{Reply, Source};
use crate::call::{Document, Generate, OutputFormat, Thinking, Tool, ToolChoice};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Body, Str, Writer};
use crate::wire::names::Names;
use crate::wire::{Dropped, Encoded, Target, plain};

/// Cohere's own parameters, which clients of OpenAI's format may send along.
const OWN: &[&str] = &["citation_options", "documents", "priority", "safety_mode", "strict_tools"];

/// What is in names of [models that think](https://docs.cohere.com/docs/reasoning).
const THINKERS: &[&str] = &["command-a-plus", "north", "reasoning"];

/// The schema of a tool without arguments.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// Tool names as Cohere takes them: letters, digits and `_`, with no digit in front.
pub(super) fn names() -> Names {
    Names::identifiers(64)
}

/// Writes `call`, and makes the reader of its answer.
pub(super) fn encode<'a>(
    call: &'a Generate<'a>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Encoded<'a>, Error> {
    let mut names = names();
    let mut body = Body::default();
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key("model").text(target.model);
    let own = |name: &str| call.format == Some(Format::Chat) && call.native.iter().any(|(n, _)| n == name);
    let thinks = THINKERS.iter().any(|part| target.model.contains(part));
    w.key("messages").open_array();
    // Cohere holds no cited answer to a format.
    let cites = matches!(call.output, OutputFormat::Text) && !own("documents");
    let mut conversation =
        Conversation { w: &mut w, names: &mut names, dropped, thinks, cites, documents: Vec::new(), seen: 0 };
    conversation.write(&call.messages)?;
    let documents = conversation.documents;
    w.close_array();
    self::documents(&documents, &mut w)?;
    tools(call, own("strict_tools"), &mut names, dropped, &mut w)?;
    output(&call.output, &mut w);
    sampling(call, dropped, &mut w)?;
    thinking(call, thinks, dropped, &mut w)?;
    for (name, raw) in &call.native {
        if OWN.contains(&&**name) && call.format == Some(Format::Chat) {
            w.name(name).share_raw(raw);
        } else {
            dropped.note(name.clone().into_owned())?;
        }
    }
    w.key("stream").bool(call.stream);
    w.close_object();
    let sources = documents.iter().map(|(index, document)| Source::of(*index, document)).collect();
    let reply = Reply::new(names, sources).stopped_by(&call.stop);
    Ok(Encoded::new(body, Box::new(reply)))
}

/// Writes documents to [cite](https://docs.cohere.com/v2/docs/retrieval-augmented-generation-rag); the id of each is its
/// place.
fn documents<'a>(documents: &[(usize, &'a Document<'a>)], w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    if documents.is_empty() {
        return Ok(());
    }
    w.key("documents").open_array();
    for (index, document) in documents {
        let text = plain::text(&document.source).map_err(|e| e.at("content").at("messages"))?;
        w.object(|w| {
            w.key("id").text(&index.to_string());
            w.key("data").object(|w| {
                let about = [("title", &document.title), ("context", &document.context)];
                for (name, value) in about {
                    if let Some(value) = value {
                        w.key(name).str(value);
                    }
                }
                w.key("snippet").str(&text);
            });
        });
    }
    w.close_array();
    Ok(())
}

/// Writes the tools, and which of them must be called.
fn tools<'a>(
    call: &'a Generate<'a>,
    own_strict: bool,
    names: &mut Names,
    dropped: &mut Dropped,
    w: &mut Writer<'_, 'a>,
) -> Result<(), Error> {
    let mut sent = Vec::new();
    for tool in &call.tools {
        match tool {
            Tool::Function { name, description, parameters, strict, .. } => {
                sent.push((name, description, parameters, *strict == Some(true)));
            }
            Tool::Native { kind, .. } => dropped.note(format!("tools.{}", kind.to_text()))?,
        }
    }
    let choice = match &call.tool_choice {
        None | Some(ToolChoice::Auto) => None,
        Some(ToolChoice::None) => Some("NONE"),
        Some(ToolChoice::Required) => Some("REQUIRED"),
        // The one tool that is there must be the one that is called.
        Some(ToolChoice::Named(wanted)) => {
            if sent.iter().any(|(name, ..)| *name == wanted) {
                sent.retain(|(name, ..)| *name == wanted);
                Some("REQUIRED")
            } else {
                dropped.note("tool_choice")?;
                None
            }
        }
    };
    if sent.is_empty() {
        return Ok(());
    }
    w.key("tools").array(|w| {
        for (name, description, parameters, _) in &sent {
            w.object(|w| {
                w.key("type").text("function");
                w.key("function").object(|w| {
                    w.key("name").str(&names.encode(name));
                    if let Some(description) = description {
                        w.key("description").share_str(description);
                    }
                    w.key("parameters").share_raw(parameters.as_deref().unwrap_or(NO_PARAMETERS));
                });
            });
        }
    });
    // Cohere is strict about all of them or none.
    if sent.iter().any(|(.., strict)| *strict) && !own_strict {
        w.key("strict_tools").bool(true);
    }
    if let Some(choice) = choice {
        w.key("tool_choice").text(choice);
    }
    Ok(())
}

fn output<'a>(output: &'a OutputFormat<'a>, w: &mut Writer<'_, 'a>) {
    let schema = match output {
        OutputFormat::Text => return,
        OutputFormat::JsonObject => None,
        OutputFormat::JsonSchema { schema, .. } => Some(&**schema),
    };
    w.key("response_format").object(|w| {
        w.key("type").text("json_object");
        if let Some(schema) = schema {
            w.key("json_schema").share_raw(schema);
        }
    });
}

fn sampling<'a>(call: &'a Generate<'a>, dropped: &mut Dropped, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    if let Some(most) = call.max_output_tokens {
        w.key("max_tokens").u64(most);
    }
    if !call.stop.is_empty() {
        w.key("stop_sequences").array(|w| call.stop.iter().for_each(|stop| w.str(stop)));
    }
    // Cohere's name and range of each; `top_p` of 1, which cuts nothing, is as much as it takes.
    let numbers = [
        ("temperature", "temperature", call.temperature, 0.0, f64::MAX),
        ("top_p", "p", call.top_p.map(|p| if p.parse() == Ok(1.0) { "0.99" } else { p }), 0.01, 0.99),
        ("top_k", "k", call.top_k, 0.0, 500.0),
        ("frequency_penalty", "frequency_penalty", call.frequency_penalty, 0.0, 1.0),
        ("presence_penalty", "presence_penalty", call.presence_penalty, 0.0, 1.0),
    ];
    for (ours, theirs, raw, least, most) in numbers {
        let Some(raw) = raw else { continue };
        let number: f64 = raw.parse().unwrap_or_default();
        let held = number.clamp(least, most);
        if held == number {
            w.key(theirs).raw(raw);
        } else {
            dropped.note(ours)?;
            w.key(theirs).raw(&held.to_string());
        }
    }
    if let Some(seed) = call.seed {
        w.key("seed").raw(seed);
    }
    if call.logprobs == Some(true) {
        w.key("logprobs").bool(true);
    }
    plain::unsaid(call, &["frequency_penalty", "logprobs", "presence_penalty", "seed", "top_k"], dropped)
}

/// Writes `thinking`. Models that cannot think refuse it; an effort in OpenAI's words is the client's own affair.
fn thinking(call: &Generate<'_>, thinks: bool, dropped: &mut Dropped, w: &mut Writer<'_, '_>) -> Result<(), Error> {
    let Some(reasoning) = &call.reasoning else { return Ok(()) };
    let (on, budget, field) = match &reasoning.amount {
        Thinking::Off => (false, None, "thinking"),
        Thinking::Adaptive { .. } => (true, None, "thinking"),
        Thinking::Budget(tokens) => (true, Some(*tokens), "thinking"),
        Thinking::Effort(word) if call.format == Some(Format::Messages) => {
            (*word != "none", None, "output_config.effort")
        }
        Thinking::Effort(word) => (*word != "none", None, "reasoning_effort"),
    };
    let asked = field == "reasoning_effort";
    if !thinks && !asked {
        return if on { dropped.note(field) } else { Ok(()) };
    }
    // There is more and less of it, but no word for how much.
    if let Thinking::Effort(word) = &reasoning.amount
        && !["high", "none"].iter().any(|known| *word == **known)
    {
        dropped.note(field)?;
    }
    w.key("thinking").object(|w| {
        w.key("type").text(if on { "enabled" } else { "disabled" });
        if let Some(tokens) = budget {
            w.key("token_budget").u64(tokens);
        }
    });
    Ok(())
}

impl<'a> Source {
    fn of(index: usize, document: &Document<'a>) -> Self {
        let length = plain::text(&document.source).map_or(0, |text| text.to_text().chars().count());
        Self { index, title: document.title.clone().map(Str::into_owned), length: length as u64 }
    }
}
