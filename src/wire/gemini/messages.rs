//! The [conversation](https://ai.google.dev/api/caching#Content): turns of user and model. Results of tools are a turn of
//! their own, right after the calls.

use std::borrow::Cow;
use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::content::{Manner, Piece, result, said};
use super::models::Model;
use crate::call::{Content, Generate, Message, Role};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Doc, Node, Str, Writer};
use crate::wire::Dropped;
use crate::wire::names::Names;

/// A conversation as Gemini takes it.
pub(super) struct Plan<'a> {
    /// What the operator says.
    system: Vec<Piece<'a>>,
    /// Who speaks when. Two of the same never follow each other.
    turns: Vec<(Speaker, Vec<Piece<'a>>)>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    Model,
    Results,
    User,
}

/// Puts messages into turns.
pub(super) fn plan<'a>(
    call: &'a Generate<'a>,
    model: &Model,
    format: Format,
    dropped: &mut Dropped,
) -> Result<Plan<'a>, Error> {
    let plan = Plan { system: Vec::new(), turns: Vec::new() };
    let mut planner = Planner { plan, manner: Manner { model, format }, dropped, called: HashMap::default() };
    let user = |message: &Message<'_>| message.role == Role::User;
    let mut index = 0_usize;
    for run in call.messages.chunk_by(|a, b| user(a) && user(b)) {
        if run.iter().any(|message| message.name.is_some()) {
            planner.dropped.forget("name");
        }
        match run {
            [message] if message.role == Role::Assistant => planner.assistant(message).map_err(|e| e.at_index(index)),
            [message] if message.role != Role::User => planner.operator(message).map_err(|e| e.at_index(index)),
            run => planner.user(run, index),
        }
        .map_err(|e| e.at("messages"))?;
        index = index.saturating_add(run.len());
    }
    Ok(planner.finish())
}

/// What is under way to a plan.
struct Planner<'p, 'a> {
    plan: Plan<'a>,
    manner: Manner<'p>,
    dropped: &'p mut Dropped,
    /// The tools that were called, by the calls' ids.
    called: HashMap<Cow<'a, str>, &'a Str<'a>, FxBuildHasher>,
}

impl<'a> Planner<'_, 'a> {
    fn operator(&mut self, message: &'a Message<'a>) -> Result<(), Error> {
        for (part, index) in message.parts.iter().zip(0..) {
            match &part.content {
                Content::Refusal(text) | Content::Text { text, .. } if text.is_empty() => {}
                Content::Refusal(text) | Content::Text { text, .. } => self.plan.system.push(Piece::Text(text, None)),
                _ => {
                    let message = "the upstream takes no part of this kind here; text is allowed";
                    return Err(Error::invalid(message).at_index(index).at("content"));
                }
            }
        }
        Ok(())
    }

    /// Messages of the user that follow each other. All results in them come first, as they must follow the calls.
    fn user(&mut self, run: &'a [Message<'a>], first: usize) -> Result<(), Error> {
        let (mut results, mut pieces) = (Vec::new(), Vec::new());
        for (message, at) in run.iter().zip(first..) {
            for (part, index) in message.parts.iter().zip(0..) {
                let Content::ToolResult { id, parts, is_error } = &part.content else { continue };
                let Some(name) = self.called.get(&*id.to_text()) else {
                    let message = "no call of this id stands before its result";
                    return Err(Error::invalid(message).at_index(index).at("content").at_index(at));
                };
                let read = result(id, name, parts, *is_error, self.manner, self.dropped, &mut pieces);
                results.push(read.map_err(|e| e.at_index(index).at("content").at_index(at))?);
            }
        }
        for (message, at) in run.iter().zip(first..) {
            for (part, index) in message.parts.iter().zip(0..) {
                said(part, self.manner, self.dropped, &mut pieces)
                    .map_err(|e| e.at_index(index).at("content").at_index(at))?;
            }
        }
        self.plan.say(Speaker::Results, results);
        self.plan.say(Speaker::User, pieces);
        Ok(())
    }

    fn assistant(&mut self, message: &'a Message<'a>) -> Result<(), Error> {
        let mut pieces: Vec<Piece<'a>> = Vec::new();
        // Signatures without a thought: of the call that follows, or of a text or picture somewhere in the turn.
        let (mut proof, mut apart) = (None, None);
        for (part, index) in message.parts.iter().zip(0_usize..) {
            match &part.content {
                Content::Reasoning { text, signature: Some(signature), format }
                    if *format == Some(self.manner.format) =>
                {
                    let next = message.parts.get(index.saturating_add(1)).map(|part| &part.content);
                    match next {
                        _ if !text.is_empty() => pieces.push(Piece::Thought(text, signature)),
                        Some(Content::ToolCall { .. }) => proof = Some(signature),
                        _ => apart = Some(signature),
                    }
                }
                Content::Reasoning { .. } | Content::RedactedReasoning { .. } => self.dropped.forget("reasoning"),
                Content::ToolCall { id, name, arguments } => {
                    self.called.insert(id.to_text(), name);
                    pieces.push(Piece::Call { id, name, arguments, signature: proof.take() });
                }
                // Nobody but the provider that made these knows them: never the client's fault.
                Content::Native { format, raw } if !matches!(format, Format::Gemini | Format::Vertex) => {
                    self.dropped.forget(kind(raw));
                }
                Content::ToolResult { .. } => self.dropped.forget("content.tool_result"),
                _ => said(part, self.manner, self.dropped, &mut pieces).map_err(|e| e.at_index(index).at("content"))?,
            }
        }
        if let Some(signature) = apart {
            let signed = pieces.iter_mut().rev().find_map(|piece| match piece {
                Piece::Data { signature, .. } | Piece::Text(_, signature) => Some(signature),
                _ => None,
            });
            match signed {
                Some(place) => *place = Some(signature),
                None => pieces.push(Piece::Signature(signature)),
            }
        }
        self.plan.say(Speaker::Model, pieces);
        Ok(())
    }

    /// Where the model knows no system instructions, the user says them.
    fn finish(self) -> Plan<'a> {
        let mut plan = self.plan;
        let mut first = if self.manner.model.system { Vec::new() } else { std::mem::take(&mut plan.system) };
        let begins = plan.turns.first().is_some_and(|(speaker, _)| *speaker == Speaker::User);
        if first.is_empty() && !begins {
            first.push(Piece::Nothing);
        }
        match plan.turns.first_mut().filter(|_| begins) {
            Some((_, pieces)) => drop(pieces.splice(..0, first)),
            None => plan.turns.insert(0, (Speaker::User, first)),
        }
        plan
    }
}

impl<'a> Plan<'a> {
    fn say(&mut self, speaker: Speaker, pieces: Vec<Piece<'a>>) {
        match self.turns.last_mut() {
            _ if pieces.is_empty() => {}
            Some((last, all)) if *last == speaker => all.extend(pieces),
            _ => self.turns.push((speaker, pieces)),
        }
    }

    /// Writes `contents`.
    pub fn write_contents(&self, model: &Model, names: &mut Names, w: &mut Writer<'_, 'a>) {
        w.key("contents").open_array();
        for (speaker, pieces) in &self.turns {
            // Of calls that were made at once only the first is signed.
            let mut unsigned = model.signs && *speaker == Speaker::Model;
            w.open_object();
            w.key("role").text(if *speaker == Speaker::Model { "model" } else { "user" });
            w.key("parts").open_array();
            for piece in pieces {
                let first = unsigned && matches!(piece, Piece::Call { .. });
                unsigned &= !first;
                piece.write(first, model.signs, names, w);
            }
            w.close_array();
            w.close_object();
        }
        w.close_array();
    }

    /// Writes `systemInstruction`, with an instruction of our own at its end.
    pub fn write_system(&self, instruction: Option<&str>, w: &mut Writer<'_, 'a>) {
        if self.system.is_empty() && instruction.is_none() {
            return;
        }
        w.key("systemInstruction").object(|w| {
            w.key("parts").array(|w| {
                self.system.iter().for_each(|piece| piece.write_plain(w));
                if let Some(instruction) = instruction {
                    w.object(|w| w.key("text").text(instruction));
                }
            });
        });
    }
}

/// What a native part calls itself, for the report.
fn kind(raw: &str) -> String {
    let doc = Doc::lenient(raw.as_bytes()).ok();
    let kind = doc.as_ref().and_then(|doc| doc.root().get("type")).and_then(Node::text);
    format!("content.{}", kind.as_deref().unwrap_or("unknown"))
}
