//! The [conversation](https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html): turns of user
//! and assistant that alternate.

use super::content::{self, Blocks, Place};
use super::families::{Cached, Family};
use crate::call::{Content, Generate, Message, Part, Role};
use crate::error::Error;
use crate::format::Format;
use crate::json::{Str, Writer};
use crate::wire::Dropped;

/// A conversation as Converse takes it.
pub(super) struct Plan<'a> {
    /// What the operator says.
    system: Vec<&'a Part<'a>>,
    /// Who speaks when. Two of the same role never follow each other, and the first is the user's.
    pub turns: Vec<Turn<'a>>,
}

/// A turn.
pub(super) struct Turn<'a> {
    /// Whether the model speaks.
    assistant: bool,
    /// What is said.
    pub parts: Vec<&'a Part<'a>>,
}

/// Puts messages into turns. All that the operator says stands before the conversation.
pub(super) fn plan<'a>(call: &'a Generate<'a>, family: &Family, dropped: &mut Dropped) -> Result<Plan<'a>, Error> {
    let mut plan = Plan { system: Vec::new(), turns: Vec::new() };
    for (index, message) in call.messages.iter().enumerate() {
        let parts = kept(message, family, dropped).map_err(|e| e.at_index(index).at("messages"))?;
        match message.role {
            _ if parts.is_empty() => {}
            Role::Developer | Role::System => plan.system.extend(parts),
            Role::Assistant => plan.say(true, parts),
            Role::User => plan.say(false, parts),
        }
    }
    if plan.turns.first().is_none_or(|turn| turn.assistant) {
        plan.turns.insert(0, Turn { assistant: false, parts: Vec::new() });
    }
    for turn in plan.turns.iter_mut().filter(|turn| !turn.assistant) {
        // Results follow their calls.
        turn.parts.sort_by_key(|part| !matches!(part.content, Content::ToolResult { .. }));
    }
    Ok(plan)
}

impl<'a> Plan<'a> {
    fn say(&mut self, assistant: bool, parts: Vec<&'a Part<'a>>) {
        match self.turns.last_mut() {
            Some(turn) if turn.assistant == assistant => turn.parts.extend(parts),
            _ => self.turns.push(Turn { assistant, parts }),
        }
    }

    /// All that is said.
    pub fn parts(&self) -> impl Iterator<Item = &'a Part<'a>> {
        self.turns.iter().flat_map(|turn| turn.parts.iter().copied())
    }

    /// Whether tools were called.
    pub fn calls(&self) -> bool {
        self.parts().any(|part| matches!(part.content, Content::ToolCall { .. } | Content::ToolResult { .. }))
    }

    /// Whether the assistant's turn that is under way, because tools were called or a text is to be continued, came
    /// without its thought.
    pub fn thoughtless(&self) -> bool {
        let Some(last) = self.turns.iter().rposition(|turn| turn.assistant) else { return false };
        let (before, after) = self.turns.split_at_checked(last.saturating_add(1)).unwrap_or_default();
        let result = |part: &&Part<'_>| matches!(part.content, Content::ToolResult { .. });
        let under_way = after.first().is_none_or(|turn| turn.parts.first().is_some_and(result));
        let first = before.last().and_then(|turn| turn.parts.first());
        let thought =
            first.is_some_and(|p| matches!(p.content, Content::Reasoning { .. } | Content::RedactedReasoning { .. }));
        under_way && !thought
    }

    /// The cache marks in it that the model takes.
    pub fn marks(&self, family: &Family) -> usize {
        self.system.iter().copied().chain(self.parts()).filter(|part| mark(part, family).is_some()).count()
    }

    /// Writes `messages`.
    pub fn write_messages(&self, blocks: &mut Blocks<'_>, w: &mut Writer<'_, 'a>) {
        let last = self.turns.len().saturating_sub(1);
        w.key("messages").open_array();
        for (index, turn) in self.turns.iter().enumerate() {
            w.open_object();
            w.key("role").text(if turn.assistant { "assistant" } else { "user" });
            w.key("content").open_array();
            blocks.turn(&turn.parts, Place { continued: turn.assistant && index == last }, w);
            w.close_array();
            w.close_object();
        }
        w.close_array();
    }

    /// Writes `system`, with an instruction of our own at its end.
    pub fn write_system(&self, instruction: Option<&str>, blocks: &mut Blocks<'_>, w: &mut Writer<'_, 'a>) {
        if self.system.is_empty() && instruction.is_none() {
            return;
        }
        w.key("system").array(|w| {
            self.system.iter().for_each(|part| blocks.write(part, Place::default(), w));
            if let Some(instruction) = instruction {
                w.object(|w| w.key("text").text(instruction));
            }
        });
    }
}

/// The cache mark of a part, where the model takes one; a thought can have none.
pub(super) fn mark<'a>(part: &Part<'a>, family: &Family) -> Option<&'a str> {
    match (&part.content, family.cached) {
        (Content::Reasoning { .. } | Content::RedactedReasoning { .. }, _) | (_, Cached::Never) => None,
        (Content::ToolResult { .. }, Cached::Said) => None,
        // A mark inside of a result stands for the end of it.
        (Content::ToolResult { parts, .. }, _) => part.cache.or_else(|| parts.iter().rev().find_map(|part| part.cache)),
        _ => part.cache,
    }
}

/// The parts of a message that Converse takes.
fn kept<'a>(message: &'a Message<'a>, family: &Family, dropped: &mut Dropped) -> Result<Vec<&'a Part<'a>>, Error> {
    if message.name.is_some() {
        dropped.forget("name");
    }
    let mut kept = Vec::with_capacity(message.parts.len());
    for (index, part) in message.parts.iter().enumerate() {
        let said = match message.role {
            Role::Developer | Role::System => content::operator(part),
            Role::Assistant => content::assistant(part, family, dropped),
            Role::User => content::check(part, family, dropped),
        };
        if said.map_err(|e| e.at_index(index).at("content"))? {
            if part.cache.is_some() && mark(part, family).is_none() {
                dropped.forget("cache_control");
            }
            kept.push(part);
        }
    }
    Ok(kept)
}

/// Whether a thought can be sent back: whose signature it bears. What bears none is not taken, or shown to the user.
pub(super) fn is_own(format: Option<Format>, signature: Option<&Str<'_>>, family: &Family) -> bool {
    let own = if family.claude().is_some() { Format::Messages } else { Format::Bedrock };
    format == Some(own) && signature.is_some_and(|signature| !signature.is_empty())
}
