//! The [conversation](https://platform.claude.com/docs/en/build-with-claude/working-with-messages): turns of user and
//! assistant that alternate.

use super::content::{Blocks, Manner, mark, plain};
use super::models::Model;
use crate::call::{Content, Document, Generate, Message, Part, Role, Source};
use crate::error::{Error, shorten};
use crate::format::Format;
use crate::json::{Str, Writer};
use crate::wire::Dropped;

/// Stands where a conversation needs a user's turn and has none; an empty text is refused.
const NOTHING: &str = ".";

/// Pictures that Claude sees.
const PICTURES: &[&str] = &["image/gif", "image/jpeg", "image/jpg", "image/png", "image/webp"];

/// A conversation as Anthropic takes it.
pub(super) struct Plan<'a> {
    /// What the operator says before it.
    system: Vec<&'a Part<'a>>,
    /// Who speaks when. Two of the same role never follow each other.
    pub turns: Vec<Turn<'a>>,
    /// Whether a file is named that was uploaded.
    pub files: bool,
}

/// A turn.
pub(super) struct Turn<'a> {
    /// Assistant, system or user.
    role: Role,
    /// What is said; nothing stands for [`NOTHING`].
    pub parts: Vec<&'a Part<'a>>,
}

/// Puts messages into turns.
pub(super) fn plan<'a>(call: &'a Generate<'a>, model: &Model, dropped: &mut Dropped) -> Result<Plan<'a>, Error> {
    let mut plan = Plan { system: Vec::new(), turns: Vec::new(), files: false };
    // System parts that wait for the end of the user's turn, after which alone Anthropic takes them.
    let mut waiting: Vec<&'a Part<'a>> = Vec::new();
    for (index, message) in call.messages.iter().enumerate() {
        let parts = kept(message, &mut plan.files, dropped).map_err(|e| e.at_index(index).at("messages"))?;
        match message.role {
            _ if parts.is_empty() => {}
            Role::Developer | Role::System if model.system_turns && !plan.turns.is_empty() => waiting.extend(parts),
            Role::Developer | Role::System => plan.system.extend(parts),
            Role::Assistant => {
                plan.place(&mut waiting);
                plan.say(Role::Assistant, parts);
            }
            Role::User => plan.say(Role::User, parts),
        }
    }
    plan.place(&mut waiting);
    if plan.turns.first().is_none_or(|turn| turn.role != Role::User) {
        plan.turns.insert(0, Turn { role: Role::User, parts: Vec::new() });
    }
    for turn in plan.turns.iter_mut().filter(|turn| turn.role == Role::User) {
        // Results must stand before all else that the user says.
        turn.parts.sort_by_key(|part| !matches!(part.content, Content::ToolResult { .. }));
    }
    Ok(plan)
}

impl<'a> Plan<'a> {
    fn say(&mut self, role: Role, parts: Vec<&'a Part<'a>>) {
        match self.turns.last_mut() {
            Some(turn) if turn.role == role => turn.parts.extend(parts),
            _ => self.turns.push(Turn { role, parts }),
        }
    }

    fn place(&mut self, waiting: &mut Vec<&'a Part<'a>>) {
        if waiting.is_empty() {
            return;
        }
        if self.turns.last().is_some_and(|turn| turn.role == Role::User) {
            self.say(Role::System, std::mem::take(waiting));
        } else {
            self.system.append(waiting);
        }
    }

    /// Whether the assistant's turn that is under way, because tools were called or a text is to be continued, came
    /// without its thought.
    pub fn thoughtless(&self) -> bool {
        let Some(last) = self.turns.iter().rposition(|turn| turn.role == Role::Assistant) else { return false };
        let (before, after) = self.turns.split_at_checked(last.saturating_add(1)).unwrap_or_default();
        let result = |part: &&Part<'_>| matches!(part.content, Content::ToolResult { .. });
        let under_way = after.first().is_none_or(|turn| turn.parts.first().is_some_and(result));
        let first = before.last().and_then(|turn| turn.parts.first());
        let thought =
            first.is_some_and(|p| matches!(p.content, Content::Reasoning { .. } | Content::RedactedReasoning { .. }));
        under_way && !thought
    }

    /// The cache marks in it.
    pub fn marks(&self) -> usize {
        fn count(part: &Part<'_>) -> usize {
            let inner = match &part.content {
                Content::Document(Document { source: Source::Parts(parts), .. })
                | Content::ToolResult { parts, .. } => parts.iter().filter(|part| !is_blank(part)).map(count).sum(),
                _ => 0usize,
            };
            inner.saturating_add(usize::from(mark(part).is_some()))
        }
        self.system.iter().chain(self.turns.iter().flat_map(|turn| &turn.parts)).map(|part| count(part)).sum()
    }

    /// Writes `system`, with an instruction of our own at its end.
    pub fn write_system(&self, instruction: Option<&str>, blocks: &mut Blocks<'_>, w: &mut Writer<'_, 'a>) {
        match (&*self.system, instruction) {
            ([], None) => {}
            ([], Some(instruction)) => w.key("system").text(instruction),
            (parts, None) => blocks.content(parts, Manner::default(), w.key("system")),
            (parts, Some(instruction)) => w.key("system").array(|w| {
                parts.iter().for_each(|part| blocks.write(part, Manner::default(), w));
                w.object(|w| {
                    w.key("type").text("text");
                    w.key("text").text(instruction);
                });
            }),
        }
    }

    /// Writes `messages`.
    pub fn write_messages(&self, blocks: &mut Blocks<'_>, w: &mut Writer<'_, 'a>) {
        let last = self.turns.len().saturating_sub(1);
        w.key("messages").open_array();
        for (index, turn) in self.turns.iter().enumerate() {
            let (role, own) = match turn.role {
                Role::Assistant => ("assistant", true),
                Role::Developer | Role::System => ("system", false),
                Role::User => ("user", false),
            };
            w.open_object();
            w.key("role").text(role);
            if turn.parts.is_empty() {
                w.key("content").text(NOTHING);
            } else {
                blocks.content(&turn.parts, Manner { own, last: index == last }, w.key("content"));
            }
            w.close_object();
        }
        w.close_array();
    }
}

/// Whether a part says nothing, which Anthropic refuses.
pub(super) fn is_blank(part: &Part<'_>) -> bool {
    matches!(&part.content, Content::Refusal(text) | Content::Text { text, .. } if text.is_blank())
}

/// The parts of a message that Anthropic takes.
fn kept<'a>(message: &'a Message<'a>, files: &mut bool, dropped: &mut Dropped) -> Result<Vec<&'a Part<'a>>, Error> {
    if message.name.is_some() {
        dropped.forget("name");
    }
    let mut kept = Vec::with_capacity(message.parts.len());
    for (index, part) in message.parts.iter().enumerate() {
        let check = if matches!(message.role, Role::Developer | Role::System) {
            only_text(part)
        } else {
            check(part, files, dropped)
        };
        check.map_err(|e| e.at_index(index).at("content"))?;
        match &part.content {
            Content::Reasoning { signature, format, .. }
                if *format != Some(Format::Messages) || signature.as_ref().is_none_or(Str::is_empty) =>
            {
                dropped.forget("reasoning");
            }
            Content::RedactedReasoning { format, .. } if *format != Format::Messages => dropped.forget("reasoning"),
            // What another model has drawn.
            Content::Image { .. } if message.role == Role::Assistant => dropped.forget("images"),
            _ if is_blank(part) => {}
            _ => kept.push(part),
        }
    }
    Ok(kept)
}

fn only_text(part: &Part<'_>) -> Result<(), Error> {
    match part.content {
        Content::Refusal(_) | Content::Text { .. } => Ok(()),
        _ => Err(Error::invalid("the upstream takes no part of this kind here; text is allowed")),
    }
}

/// Refuses what Anthropic cannot be told.
fn check(part: &Part<'_>, files: &mut bool, dropped: &mut Dropped) -> Result<(), Error> {
    match &part.content {
        Content::Audio { .. } => {
            Err(Error::invalid("the upstream takes no audio; text, images and documents are allowed"))
        }
        Content::Video(_) => Err(Error::invalid("the upstream takes no video; text, images and documents are allowed")),
        Content::Document(document) => match &document.source {
            Source::Base64 { media_type, .. }
                if *media_type != "application/pdf" && plain(&document.source).is_none() =>
            {
                Err(Error::invalid(format!(
                    "the upstream reads documents of type `application/pdf` and text in UTF-8, not this `{}`",
                    shorten(&media_type.to_text())
                )))
            }
            Source::Parts(parts) => parts.iter().try_for_each(|part| check(part, files, dropped)),
            Source::File(_) => {
                *files = true;
                Ok(())
            }
            Source::Base64 { .. } | Source::Text(_) | Source::Url(_) => Ok(()),
        },
        Content::Image { source, detail } => {
            if detail.as_ref().is_some_and(|detail| *detail != "auto") {
                dropped.forget("detail");
            }
            match source {
                Source::Base64 { media_type, .. } if !PICTURES.iter().any(|known| *media_type == **known) => {
                    Err(Error::invalid(format!(
                        "the upstream sees `image/jpeg`, `image/png`, `image/gif` and `image/webp`, not `{}`",
                        shorten(&media_type.to_text())
                    )))
                }
                Source::Parts(_) | Source::Text(_) => Err(Error::invalid("an image is base64, a url or a file")),
                Source::File(_) => {
                    *files = true;
                    Ok(())
                }
                Source::Base64 { .. } | Source::Url(_) => Ok(()),
            }
        }
        Content::Native { format, .. } if *format != Format::Messages => {
            Err(Error::invalid("the upstream does not know this kind of part"))
        }
        Content::ToolResult { parts, .. } => parts.iter().enumerate().try_for_each(|(index, part)| {
            let unknown = matches!(
                part.content,
                Content::Reasoning { .. }
                    | Content::RedactedReasoning { .. }
                    | Content::ToolCall { .. }
                    | Content::ToolResult { .. }
            );
            let checked = if unknown { only_text(part) } else { check(part, files, dropped) };
            checked.map_err(|e| e.at_index(index).at("content"))
        }),
        Content::Native { .. }
        | Content::Reasoning { .. }
        | Content::RedactedReasoning { .. }
        | Content::Refusal(_)
        | Content::Text { .. }
        | Content::ToolCall { .. } => Ok(()),
    }
}
