//! The top level of a request.

use std::borrow::Cow;

use super::super::chat::request::unknown;
use super::super::fields::{boolean, count, integer, list, number, object, raw_object, string};
use super::content::{Turns, Unread};
use super::name::{member, members};
use super::{schema, tool};
use crate::call::{Content, Generate, Message, OutputFormat, Part, Reasoning, Role, Thinking};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Change, Edits, Kind, Node, Str};

/// What stands before a model's name in Google's names of things.
pub const MODEL: &str = "models/";

/// The request whose tokens shall be counted, which may stand inside of another.
pub(super) fn counted(root: Node<'_>) -> Node<'_> {
    member(root, "generateContentRequest").unwrap_or(root)
}

/// The most output that a request asks for, of all its answers.
pub fn limit(root: Node<'_>) -> Option<u64> {
    let config = member(root, "generationConfig")?;
    let each = member(config, "maxOutputTokens")?.u64()?;
    let answers = member(config, "candidateCount").and_then(Node::u64).unwrap_or(1).max(1);
    Some(each.saturating_mul(answers))
}

/// Puts in a limit on output, in the place of one that is there if it is `forced`.
pub fn set_limit(root: Node<'_>, limit: &str, forced: bool, edits: &mut Edits) {
    match member(root, "generationConfig") {
        Some(config) => match member(config, "maxOutputTokens") {
            Some(there) if forced => edits.replace(there, limit),
            Some(_) => {}
            None => edits.members(config, &[("maxOutputTokens", Change::Set(limit))]),
        },
        None => {
            let config = format!("{{\"maxOutputTokens\":{limit}}}");
            edits.members(root, &[("generationConfig", Change::Set(&config))]);
        }
    }
}

/// Reads a request.
pub(super) fn read(root: Node<'_>) -> Result<Generate<'_>, Error> {
    let mut call = Generate { format: Some(Format::Gemini), ..Generate::default() };
    let mut turns = Turns::default();
    let (mut system, mut choice) = (None, None);
    for (name, value) in members(object(root)?) {
        let read = match &*name {
            "contents" => turns.read(value),
            "generationConfig" => config(value, &mut call, &mut turns.unread),
            "model" => Ok(()),
            "systemInstruction" => operator(value).map(|said| system = said),
            "toolConfig" => {
                choice = member(value, "functionCallingConfig");
                let others = members(value).filter(|(name, _)| name != "functionCallingConfig");
                others.for_each(|(name, _)| turns.unread.note("toolConfig", &name));
                Ok(())
            }
            "tools" => tool::tools(value, &mut turns.unread, &mut call.tools),
            "labels" => raw_object(value).map(|labels| call.metadata = Some(labels)),
            "serviceTier" => string(value).map(|tier| call.service_tier = Some(lower(&tier))),
            _ => {
                call.native.push((Cow::Owned(name.clone().into_owned()), value.raw()));
                Ok(())
            }
        };
        read.map_err(|e| e.at(&name))?;
    }
    if let Some(value) = choice {
        let read = tool::choice(value, &mut call.tools);
        call.tool_choice = read.map_err(|e| e.at("functionCallingConfig").at("toolConfig"))?;
    }
    turns.finish();
    if turns.messages.is_empty() {
        return Err(Error::invalid("expected at least one content with a part").at("contents"));
    }
    call.messages = system.into_iter().chain(turns.messages).collect();
    call.unread = turns.unread.0;
    Ok(call)
}

/// What the operator says.
fn operator(value: Node<'_>) -> Result<Option<Message<'_>>, Error> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    if value.kind() == Kind::String {
        parts.push(Content::text(string(value)?).into());
    } else {
        let list = object(value)?.get("parts").map(list).transpose().map_err(|e| e.at("parts"))?;
        for (at, part) in list.into_iter().flatten().enumerate() {
            let text = part.get("text").ok_or_else(|| Error::invalid("expected a text"));
            let text = text.and_then(string).map_err(|e| e.at_index(at).at("parts"))?;
            parts.push(Content::text(text).into());
        }
    }
    Ok((!parts.is_empty()).then_some(Message { role: Role::System, name: None, parts }))
}

/// Reads `generationConfig`.
fn config<'a>(value: Node<'a>, call: &mut Generate<'a>, unread: &mut Unread) -> Result<(), Error> {
    let (mut media_type, mut google, mut json) = (None, None, None);
    for (name, value) in members(object(value)?) {
        let read = match &*name {
            "candidateCount" => count(value).map(|n| call.choices = Some(n)),
            "frequencyPenalty" => number(value).map(|n| call.frequency_penalty = Some(n)),
            "logprobs" => count(value).map(|n| call.top_logprobs = Some(n)),
            "maxOutputTokens" => count(value).map(|n| call.max_output_tokens = Some(n)),
            "presencePenalty" => number(value).map(|n| call.presence_penalty = Some(n)),
            "responseJsonSchema" => raw_object(value).map(|raw| json = Some(raw)),
            "responseLogprobs" => boolean(value).map(|on| call.logprobs = Some(on)),
            "responseMimeType" => string(value).map(|text| media_type = Some(text.decode())),
            "responseModalities" => {
                if !list(value).map_err(|e| e.at(&name))?.all(|word| word.str().is_some_and(|word| word == "TEXT")) {
                    unread.note("generationConfig", &name);
                }
                Ok(())
            }
            "responseSchema" => object(value).map(|schema| google = Some(schema)),
            "seed" => integer(value).map(|n| call.seed = Some(n)),
            "stopSequences" => list(value).and_then(|mut list| {
                list.try_for_each(|text| {
                    call.stop.push(string(text)?);
                    Ok(())
                })
            }),
            "temperature" => number(value).map(|n| call.temperature = Some(n)),
            "thinkingConfig" => thinking(value).map(|reasoning| call.reasoning = reasoning),
            "topK" => number(value).map(|n| call.top_k = Some(n.strip_suffix(".0").unwrap_or(n))),
            "topP" => number(value).map(|n| call.top_p = Some(n)),
            _ => {
                unread.note("generationConfig", &name);
                Ok(())
            }
        };
        read.map_err(|e| e.at(&name))?;
    }
    if call.logprobs != Some(true) {
        call.top_logprobs = None;
    }
    let schema = json.map(Cow::Borrowed).or_else(|| google.map(|schema| schema::to_json(schema).into()));
    call.output = match (schema, media_type.as_deref()) {
        (Some(schema), _) => OutputFormat::JsonSchema { name: None, description: None, schema, strict: None },
        (None, Some("application/json")) => OutputFormat::JsonObject,
        (None, None | Some("" | "text/plain")) => OutputFormat::Text,
        (None, Some(other)) => {
            return Err(unknown(other, "`application/json` or `text/plain`").at("responseMimeType"));
        }
    };
    Ok(())
}

/// How much to think, in numbers or in words.
fn thinking(value: Node<'_>) -> Result<Option<Reasoning<'_>>, Error> {
    let (mut amount, mut shown) = (None, None);
    for (name, value) in members(object(value)?) {
        match &*name {
            "includeThoughts" => shown = Some(boolean(value).map_err(|e| e.at(&name))?),
            "thinkingBudget" => {
                amount = Some(match integer(value).map_err(|e| e.at(&name))? {
                    "0" => Thinking::Off,
                    "-1" => Thinking::Adaptive { effort: None },
                    _ => Thinking::Budget(count(value).map_err(|e| e.at(&name))?),
                });
            }
            "thinkingLevel" => {
                let level = string(value).map_err(|e| e.at(&name))?;
                if level != "THINKING_LEVEL_UNSPECIFIED" {
                    amount = Some(Thinking::Effort(lower(&level)));
                }
            }
            _ => {}
        }
    }
    let display = shown.filter(|shown| *shown).map(|_| Str::plain("summarized"));
    let amount = amount.or_else(|| display.is_some().then_some(Thinking::Adaptive { effort: None }));
    Ok(amount.map(|amount| Reasoning { amount, display }))
}

/// Google's words in capitals, as others write them.
fn lower<'a>(word: &Str<'_>) -> Str<'a> {
    Str::plain(word.to_text().to_ascii_lowercase())
}
