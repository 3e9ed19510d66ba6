//! Cache marks: what they must be, and how many tokens they cover.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>

use serde_json::Value;

use super::super::answer::tokens;
use super::super::shape::{Checked, Place, Refusal};

/// About how many tokens the request is.
#[derive(Default)]
pub struct Input {
    pub fresh: usize,
    pub written_5m: usize,
    pub written_1h: usize,
    /// What the marks cover; it counts as written or as read.
    pub marked: usize,
}

impl Input {
    /// All of it, cached or not.
    pub fn total(&self) -> usize {
        self.fresh + self.marked
    }
}

/// Checks how many cache marks there are, and their order.
pub fn marks(root: &Place) -> Checked<()> {
    fn walk<'a>(value: &'a Value, marks: &mut Vec<&'a Value>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, marks)),
            Value::Object(members) => {
                for (name, value) in members {
                    match name.as_str() {
                        "cache_control" if value.is_object() => marks.push(value),
                        "input" | "input_schema" | "cache_control" => {}
                        _ => walk(value, marks),
                    }
                }
            }
            _ => {}
        }
    }
    cache_control(root)?;
    let mut marks = Vec::new();
    for part in ["tools", "system", "messages"] {
        if let Some(part) = root.value.get(part) {
            walk(part, &mut marks);
        }
    }
    marks.extend(root.value.get("cache_control").filter(|mark| mark.is_object()));
    if marks.len() > 4 {
        return Err(Refusal::new(format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {}.",
            marks.len()
        )));
    }
    let long = |mark: &&Value| mark.get("ttl").and_then(Value::as_str) == Some("1h");
    let short = marks.iter().position(|mark| !long(mark));
    if short.is_some_and(|short| marks.iter().skip(short).any(long)) {
        return Err(Refusal::new(
            "cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
        ));
    }
    Ok(())
}

/// Checks the cache mark of a block.
pub fn cache_control(block: &Place) -> Checked<()> {
    let Some(mark) = block.opt("cache_control") else {
        return Ok(());
    };
    mark.tag(&["ephemeral"])?;
    let mark = mark.tagged("ephemeral");
    mark.object(&["type", "ttl"])?;
    mark.some("ttl").map_or(Ok(()), |ttl| ttl.one_of(&["5m", "1h"]).map(drop))
}

/// Measures the texts of a request, and what its cache marks cover.
pub fn size(body: &Value) -> Input {
    fn walk(value: &Value, characters: &mut usize, marks: &mut Vec<(usize, bool)>) {
        match value {
            Value::String(text) => *characters += text.chars().count(),
            Value::Array(items) => items.iter().for_each(|item| walk(item, characters, marks)),
            Value::Object(members) => {
                for (name, value) in members {
                    if !["data", "signature", "cache_control"].contains(&name.as_str()) {
                        walk(value, characters, marks);
                    }
                }
                if let Some(mark) = members.get("cache_control").filter(|mark| mark.is_object()) {
                    marks.push((*characters, mark.get("ttl").and_then(Value::as_str) == Some("1h")));
                }
            }
            _ => *characters += 1,
        }
    }
    let (mut characters, mut marks) = (0, Vec::new());
    for part in ["tools", "system", "messages"] {
        if let Some(part) = body.get(part) {
            walk(part, &mut characters, &mut marks);
        }
    }
    if let Some(mark) = body.get("cache_control").filter(|mark| mark.is_object()) {
        marks.push((characters, mark.get("ttl").and_then(Value::as_str) == Some("1h")));
    }
    let total = tokens(characters) + OVERHEAD;
    let marked = marks.last().map_or(0, |(end, _)| tokens(*end));
    let written_1h = marks.iter().rev().find(|(_, long)| *long).map_or(0, |(end, _)| tokens(*end));
    Input { fresh: total - marked, written_5m: marked - written_1h, written_1h, marked }
}

/// What every message costs.
const OVERHEAD: usize = 3;
