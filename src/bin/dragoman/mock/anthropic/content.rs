//! What messages, their blocks and the system prompt must be.
//!
//! Blocks: <https://platform.claude.com/docs/en/api/messages/create>. Order of tool results:
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls>. System turns:
//! <https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages>.

use std::collections::HashSet;

use serde_json::Value;

use super::super::bytes::{from_base64, image_type};
use super::super::shape::{Checked, Place, Refusal};
use super::Version;
use super::cache::cache_control;
use super::model::Model;
use super::reply::signed;

/// What the answer depends on.
#[derive(Default)]
pub struct Talk {
    pub last_text: String,
    pub attachments: Vec<&'static str>,
    /// Results of tools that nobody has answered yet.
    pub results: Vec<String>,
    /// The text of a last assistant message that is to be continued.
    pub prefill: Option<String>,
    pub uses_tools: bool,
    /// A tool loop is under way and its assistant message does not start with thinking.
    pub loop_without_thinking: bool,
    pub last_assistant: usize,
}

/// Checks the system prompt.
pub fn system(root: &Place) -> Checked<()> {
    let Some(system) = root.some("system").filter(|system| !system.value.is_string()) else {
        return Ok(());
    };
    for block in system.items()? {
        block.tag(&["text"])?;
        block.object(&["type", "text", "cache_control", "citations"])?;
        text(&block, "system")?;
        cache_control(&block)?;
    }
    Ok(())
}

/// Checks all messages.
pub fn messages(root: &Place, model: &Model, version: Version) -> Checked<Talk> {
    let place = root.need("messages")?;
    let items = place.items()?;
    if items.is_empty() {
        return Err(Refusal::new("messages: at least one message is required"));
    }
    let mut talk = Talk::default();
    let mut turns: Vec<Turn> = Vec::new();
    let last = items.len() - 1;
    for (index, message) in items.iter().enumerate() {
        message.object(&["role", "content"])?;
        let role = message.need("role")?.one_of(&["user", "assistant", "system"])?;
        let before = turns.last().map(|turn| turn.role);
        if role == "system" {
            placed(message, index, before, items.get(index + 1), model)?;
        } else if before.is_none() && role != "user" {
            return Err(Refusal::new("messages: first message must use the \"user\" role"));
        }
        let blocks = blocks(message, role, index == last, version)?;
        match turns.last_mut().filter(|turn| turn.role == role && role != "system") {
            Some(turn) => turn.blocks.extend(blocks),
            None => turns.push(Turn { role, index, blocks }),
        }
    }
    paired(&turns)?;
    for turn in &turns {
        turn.read(&mut talk);
    }
    talk.prefill = turns.last().filter(|turn| turn.role == "assistant").map(Turn::text);
    Ok(talk)
}

/// Messages of one role that follow each other count as one turn.
struct Turn<'a> {
    role: &'a str,
    index: usize,
    blocks: Vec<Block>,
}

/// What a block means for its neighbours and for the answer.
enum Block {
    Attachment(&'static str),
    Other,
    Result { id: String, text: String },
    Text(String),
    Thinking,
    Use(String),
}

impl Turn<'_> {
    fn text(&self) -> String {
        let texts = self.blocks.iter().map(|block| match block {
            Block::Text(text) => text.as_str(),
            _ => "",
        });
        texts.collect()
    }

    fn read(&self, talk: &mut Talk) {
        if self.role == "system" {
            return;
        }
        talk.results.clear();
        let starts_with_thinking = matches!(self.blocks.first(), Some(Block::Thinking));
        let has_use = self.blocks.iter().any(|block| matches!(block, Block::Use(_)));
        if self.role == "assistant" {
            talk.last_assistant = self.index;
            talk.loop_without_thinking = has_use && !starts_with_thinking;
            talk.uses_tools |= has_use;
            return;
        }
        talk.attachments.clear();
        let text = self.text();
        for block in &self.blocks {
            match block {
                Block::Attachment(kind) => talk.attachments.push(kind),
                Block::Result { text, .. } => talk.results.push(text.clone()),
                _ => {}
            }
        }
        talk.uses_tools |= !talk.results.is_empty();
        talk.loop_without_thinking &= !talk.results.is_empty();
        if !text.is_empty() {
            talk.last_text = text;
        }
    }
}

fn placed(message: &Place, index: usize, before: Option<&str>, after: Option<&Place>, model: &Model) -> Checked<()> {
    if index == 0 {
        return Err(message.wrong("use the top-level 'system' parameter for the initial system prompt"));
    }
    if !model.takes_system_turns() {
        return Err(Refusal::new("messages: role 'system' is not supported on this model"));
    }
    let next = after.and_then(|next| next.value.get("role")).and_then(Value::as_str);
    if before != Some("user") || !matches!(next, None | Some("assistant")) {
        return Err(message.wrong("a system message must follow a user message, and be the last message or be followed by an assistant message"));
    }
    Ok(())
}

fn blocks(message: &Place, role: &str, last: bool, version: Version) -> Checked<Vec<Block>> {
    let content = message.need("content")?;
    let empty =
        || message.wrong("all messages must have non-empty content except for the optional final assistant message");
    let may_be_empty = last && role == "assistant";
    if let Value::String(text) = content.value {
        return match text.as_str() {
            "" if may_be_empty => Ok(Vec::new()),
            "" => Err(empty()),
            text if text.trim().is_empty() => {
                Err(Refusal::new("messages: text content blocks must contain non-whitespace text"))
            }
            text => Ok(vec![Block::Text(text.to_owned())]),
        };
    }
    if !content.value.is_array() {
        return Err(content.wrong("Input should be a valid string or list"));
    }
    let items = content.items()?;
    if items.is_empty() && !may_be_empty {
        return Err(empty());
    }
    items.iter().map(|item| block(item, role, version)).collect()
}

fn block(block: &Place, role: &str, version: Version) -> Checked<Block> {
    let kind = block.tag(KINDS)?;
    let only = match kind {
        "tool_use" | "thinking" | "redacted_thinking" | "server_tool_use" => Some("assistant"),
        "tool_result" | "image" | "search_result" | "container_upload" => Some("user"),
        "document" if version >= Version::V2026_10_21 => Some("user"),
        _ => None,
    };
    if only.is_some_and(|only| only != role) || role == "system" && kind != "text" {
        let allowed = only.unwrap_or("user");
        return Err(block.wrong(format!("`{kind}` blocks can only be in `{allowed}` messages")));
    }
    let place = block.tagged(kind);
    cache_control(&place)?;
    Ok(match kind {
        "text" => {
            place.object(&["type", "text", "cache_control", "citations"])?;
            let cited = place.opt("citations").is_some_and(|place| place.value != &Value::Array(Vec::new()));
            if cited && role == "user" && version >= Version::V2026_10_21 {
                return Err(place.unknown("citations"));
            }
            Block::Text(text(&place, "messages")?.to_owned())
        }
        "image" => {
            place.object(&["type", "source", "cache_control", "transformations"])?;
            image(&place.need("source")?)?;
            Block::Attachment("image")
        }
        "document" => {
            place.object(&["type", "source", "cache_control", "citations", "context", "title"])?;
            document(&place.need("source")?)?;
            Block::Attachment("document")
        }
        "search_result" => {
            place.object(&["type", "source", "title", "content", "cache_control", "citations"])?;
            place.need("source")?.text()?;
            place.need("title")?.text()?;
            place.need("content")?.items()?;
            Block::Attachment("search result")
        }
        "thinking" => {
            place.object(&["type", "thinking", "signature"])?;
            let thought = place.need("thinking")?.text()?;
            if !signed(thought, place.need("signature")?.text()?) {
                return Err(block.wrong("Invalid `signature` in `thinking` block"));
            }
            Block::Thinking
        }
        "redacted_thinking" => {
            place.object(&["type", "data"])?;
            if place.need("data")?.text()?.is_empty() {
                return Err(block.wrong("Invalid `data` in `redacted_thinking` block"));
            }
            Block::Thinking
        }
        "tool_use" => {
            place.object(&["type", "id", "name", "input", "cache_control", "caller", "toolset_name"])?;
            place.need("name")?.name(200)?;
            place.need("input")?.members()?;
            Block::Use(place.need("id")?.name(usize::MAX)?.to_owned())
        }
        "tool_result" => {
            place.object(&["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"])?;
            if let Some(flag) = place.some("is_error") {
                flag.flag()?;
            }
            let id = place.need("tool_use_id")?.name(usize::MAX)?.to_owned();
            Block::Result { id, text: result(&place, version)? }
        }
        "server_tool_use" => {
            place.need("id")?.text()?;
            place.need("name")?.text()?;
            place.need("input")?.members()?;
            Block::Other
        }
        "container_upload" => {
            place.need("file_id")?.text()?;
            Block::Other
        }
        _ => {
            place.need("tool_use_id")?.text()?;
            place.need("content")?;
            Block::Other
        }
    })
}

/// The text of a tool's result.
fn result(place: &Place, version: Version) -> Checked<String> {
    let Some(content) = place.some("content") else {
        return Ok(String::new());
    };
    if let Value::String(text) = content.value {
        return Ok(text.clone());
    }
    let mut out = String::new();
    for item in content.items()? {
        item.tag(&["text", "image", "search_result", "document", "tool_reference", "browser_state"])?;
        if item.value.get("type") == Some(&"tool_reference".into()) {
            item.tagged("tool_reference").need("tool_name")?.text()?;
            continue;
        }
        if let Block::Text(text) = block(&item, "user", version)? {
            out.push_str(&text);
        }
    }
    Ok(out)
}

fn text<'a>(block: &Place<'a>, part: &str) -> Checked<&'a str> {
    let text = block.need("text")?.text()?;
    if text.is_empty() && block.opt("cache_control").is_some() {
        return Err(block.wrong("cache_control cannot be set for empty text blocks"));
    }
    if text.is_empty() {
        return Err(Refusal::new(format!("{part}: text content blocks must be non-empty")));
    }
    if text.trim().is_empty() {
        return Err(Refusal::new(format!("{part}: text content blocks must contain non-whitespace text")));
    }
    Ok(text)
}

fn image(source: &Place) -> Checked<()> {
    let kind = source.tag(&["base64", "url", "file"])?;
    let place = source.tagged(kind);
    match kind {
        "base64" => {
            place.object(&["type", "media_type", "data"])?;
            let media = place.need("media_type")?.one_of(&["image/jpeg", "image/png", "image/gif", "image/webp"])?;
            let data = place.need("data")?;
            let bytes = from_base64(data.text()?).ok_or_else(|| place.wrong("invalid base64 data"))?;
            match image_type(&bytes) {
                Some(found) if found == media => Ok(()),
                Some(found) => Err(data.wrong(format!(
                    "The image was specified using the {media} media type, but the image appears to be a {found} image"
                ))),
                None => Err(Refusal::new("Could not process image")),
            }
        }
        "url" => url(&place),
        _ => {
            place.object(&["type", "file_id"])?;
            place.need("file_id")?.text().map(drop)
        }
    }
}

fn document(source: &Place) -> Checked<()> {
    let kind = source.tag(&["base64", "text", "content", "url", "file"])?;
    let place = source.tagged(kind);
    match kind {
        "base64" => {
            place.object(&["type", "media_type", "data"])?;
            place.need("media_type")?.one_of(&["application/pdf"])?;
            let bytes = from_base64(place.need("data")?.text()?).ok_or_else(|| place.wrong("invalid base64 data"))?;
            if bytes.starts_with(b"%PDF") { Ok(()) } else { Err(place.wrong("The PDF specified was not valid.")) }
        }
        "text" => {
            place.object(&["type", "media_type", "data"])?;
            place.need("media_type")?.one_of(&["text/plain"])?;
            place.need("data")?.text().map(drop)
        }
        "content" => {
            place.object(&["type", "content"])?;
            place.need("content").map(drop)
        }
        "url" => url(&place),
        _ => {
            place.object(&["type", "file_id"])?;
            place.need("file_id")?.text().map(drop)
        }
    }
}

fn url(place: &Place) -> Checked<()> {
    place.object(&["type", "url"])?;
    let url = place.need("url")?;
    if url.text()?.starts_with("https://") { Ok(()) } else { Err(url.wrong("Only HTTPS URLs are supported.")) }
}

/// Every call must be answered at the start of the next user turn, and nothing else may be answered.
fn paired(turns: &[Turn]) -> Checked<()> {
    let mut seen = HashSet::new();
    for (nth, turn) in turns.iter().enumerate() {
        let uses = turn.blocks.iter().filter_map(|block| match block {
            Block::Use(id) => Some(id.as_str()),
            _ => None,
        });
        let uses = uses.collect::<Vec<_>>();
        if !uses.iter().all(|id| seen.insert(*id)) {
            return Err(Refusal::new("messages: `tool_use` ids must be unique"));
        }
        let next = turns.get(nth + 1).filter(|next| next.role == "user");
        let answered = next.map(results).unwrap_or_default();
        let open = uses.iter().copied().filter(|id| !answered.contains(id)).collect::<Vec<_>>();
        if !open.is_empty() {
            return Err(Refusal::new(format!(
                "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
                turn.index,
                open.join(", ")
            )));
        }
        let called = nth.checked_sub(1).and_then(|before| turns.get(before));
        let mut once = HashSet::new();
        for (place, block) in turn.blocks.iter().enumerate() {
            let Block::Result { id, .. } = block else { continue };
            let known = called
                .is_some_and(|turn| turn.blocks.iter().any(|block| matches!(block, Block::Use(other) if other == id)));
            if !known {
                return Err(Refusal::new(format!(
                    "messages.{}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
                    turn.index
                )));
            }
            if !once.insert(id) {
                return Err(Refusal::new(format!(
                    "messages.{}.content.{place}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}",
                    turn.index
                )));
            }
        }
    }
    Ok(())
}

/// The results that a turn starts with.
fn results<'a>(turn: &'a Turn) -> Vec<&'a str> {
    let results = turn.blocks.iter().map_while(|block| match block {
        Block::Result { id, .. } => Some(id.as_str()),
        _ => None,
    });
    results.collect()
}

const KINDS: &[&str] = &[
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "container_upload",
];
