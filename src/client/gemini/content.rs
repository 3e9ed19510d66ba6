//! [Contents](https://ai.google.dev/api/caching#Content): turns, and the parts of them.
//!
//! Libraries keep each piece of a streamed answer as a turn of its own. What the model said in one go is put together again, since
//! a thought is worth nothing in pieces.

use std::collections::VecDeque;

use super::super::chat::request::unknown;
use super::super::fields::{list, object, optional, raw_object, required, string, wrong};
use super::name::{member, members};
use super::signature;
use crate::call::{Content, Document, Message, Part, Role, Source};
use crate::error::{Error, shorten};
use crate::format::Format;
use crate::json::{Kind, Node, Str};
use crate::replay;

/// Fields that have no place in a call, each once, as many as are worth a report.
#[derive(Debug, Default)]
pub(super) struct Unread(pub Vec<String>);

impl Unread {
    /// Notes a field at a place.
    pub(super) fn note(&mut self, place: &str, name: &str) {
        const MOST: usize = 32;
        let name = format!("{place}.{}", shorten(name));
        if self.0.len() < MOST && !self.0.contains(&name) {
            self.0.push(name);
        }
    }
}

/// Reads turns.
#[derive(Default)]
pub(super) struct Turns<'a> {
    pub messages: Vec<Message<'a>>,
    pub unread: Unread,
    /// How many calls came without an id.
    nameless: usize,
    /// Calls that wait for their results: name and id.
    waiting: VecDeque<(Str<'a>, Str<'a>)>,
}

impl<'a> Turns<'a> {
    /// Reads `contents`.
    pub fn read(&mut self, value: Node<'a>) -> Result<(), Error> {
        if value.kind() == Kind::Object {
            return self.turn(value);
        }
        list(value)?.enumerate().try_for_each(|(at, turn)| self.turn(turn).map_err(|e| e.at_index(at)))
    }

    fn turn(&mut self, turn: Node<'a>) -> Result<(), Error> {
        let role = match optional(object(turn)?, "role", string)?.map(Str::decode).as_deref() {
            None | Some("" | "function" | "tool" | "user") => Role::User,
            Some("model") => Role::Assistant,
            Some(other) => return Err(unknown(other, "`user` or `model`").at("role")),
        };
        let mut parts = match self.messages.last_mut() {
            Some(last) if last.role == role && role == Role::Assistant => std::mem::take(&mut last.parts),
            _ => {
                self.messages.push(Message { role, name: None, parts: Vec::new() });
                Vec::new()
            }
        };
        let list = optional(turn, "parts", list)?.into_iter().flatten().enumerate();
        for (at, part) in list {
            self.part(part, role, &mut parts).map_err(|e| e.at_index(at).at("parts"))?;
        }
        if let Some(last) = self.messages.last_mut() {
            last.parts = parts;
        }
        Ok(())
    }

    /// Drops what says nothing, such as the last piece of a stream.
    pub fn finish(&mut self) {
        self.messages.retain(|message| !message.parts.is_empty());
    }

    fn part(&mut self, part: Node<'a>, role: Role, out: &mut Vec<Part<'a>>) -> Result<(), Error> {
        let (mut thought, mut proof, mut content) = (false, None, None);
        for (name, value) in members(object(part)?) {
            match &*name {
                "thought" => thought = value.bool() == Some(true),
                "thoughtSignature" => proof = Some(string(value).map_err(|e| e.at(&name))?),
                "mediaResolution" | "partMetadata" | "videoMetadata" => self.unread.note("contents.parts", &name),
                _ if content.is_none() => content = Some((name, value)),
                _ => return Err(Error::invalid("a part holds one thing").at(&name)),
            }
        }
        let mut proof = proof.filter(|proof| !proof.is_empty());
        let (name, value) = match content {
            Some(content) => content,
            None if proof.is_some() => {
                prove(proof, out);
                return Ok(());
            }
            None => return Err(Error::invalid("a part holds one thing, such as `text`, got none")),
        };
        let read = match &*name {
            "text" if thought => {
                let text = string(value).map_err(|e| e.at(&name))?;
                think(text, proof, out);
                return Ok(());
            }
            "text" => {
                let text = string(value).map_err(|e| e.at(&name))?;
                say(text, role, out);
                prove(proof, out);
                return Ok(());
            }
            "inlineData" => data(value),
            "fileData" => file(value),
            "functionCall" => {
                prove(proof.take(), out);
                self.call(value, out)
            }
            "functionResponse" => self.result(value),
            _ => Ok(Content::Native { format: Format::Gemini, raw: part.raw() }),
        };
        out.push(read.map_err(|e| e.at(&name))?.into());
        prove(proof, out);
        Ok(())
    }

    fn call(&mut self, value: Node<'a>, out: &mut Vec<Part<'a>>) -> Result<Content<'a>, Error> {
        let name = string(required(object(value)?, "name")?).map_err(|e| e.at("name"))?;
        let id = match optional(value, "id", string)?.filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => {
                self.nameless = self.nameless.saturating_add(1);
                Str::plain(format!("call_function_{}", self.nameless))
            }
        };
        let (id, proof) = replay::open(id);
        out.extend(proof.map(Part::from));
        self.waiting.push_back((name.reborrow().into_owned(), id.reborrow().into_owned()));
        let arguments = optional(value, "args", raw_object)?.unwrap_or("{}");
        Ok(Content::ToolCall { id, name, arguments: Str::plain(arguments) })
    }

    fn result(&mut self, value: Node<'a>) -> Result<Content<'a>, Error> {
        let name = string(required(object(value)?, "name")?).map_err(|e| e.at("name"))?;
        let given = optional(value, "id", string)?.filter(|id| !id.is_empty()).map(|id| replay::open(id).0);
        // Without an id it is of the first call of its name that has none yet.
        let at = self.waiting.iter().position(|(called, id)| match &given {
            Some(given) => given == id,
            None => *called == name,
        });
        let called = at.and_then(|at| self.waiting.remove(at)).map(|(_, id)| id);
        let id = given.or(called).ok_or_else(|| Error::invalid("no call of this name stands before its result"))?;
        let (mut text, mut is_error, mut parts) = (None, false, Vec::new());
        for (name, value) in members(value) {
            match &*name {
                "id" | "name" => {}
                "parts" => {
                    for (at, part) in list(value).map_err(|e| e.at("parts"))?.enumerate() {
                        let read = member(part, "inlineData").map(data).or_else(|| member(part, "fileData").map(file));
                        let read = read.ok_or_else(|| Error::invalid("expected `inlineData` or `fileData`"));
                        parts.push(read.and_then(|read| read).map_err(|e| e.at_index(at).at("parts"))?.into());
                    }
                }
                "response" => (text, is_error) = answered(object(value).map_err(|e| e.at("response"))?),
                _ => self.unread.note("contents.parts.functionResponse", &name),
            }
        }
        let text = text.filter(|text| !text.is_empty()).map(|text| Content::text(text).into());
        Ok(Content::ToolResult { id, parts: text.into_iter().chain(parts).collect(), is_error })
    }
}

/// What a function answered, and whether it failed. Libraries wrap what is no object.
fn answered(response: Node<'_>) -> (Option<Str<'_>>, bool) {
    let mut all = response.members();
    match (all.next(), all.next()) {
        (Some((name, value)), None) if matches!(&*name, "content" | "error" | "output" | "result") => {
            (Some(value.str().unwrap_or_else(|| Str::plain(value.raw()))), name == "error")
        }
        (None, _) => (None, false),
        _ => (Some(Str::plain(response.raw())), false),
    }
}

/// What proves a part stands before a call, and after all else.
fn prove<'a>(proof: Option<Str<'a>>, out: &mut Vec<Part<'a>>) {
    out.extend(proof.map(|proof| Part::from(signature::open(Str::default(), proof))));
}

/// Adds to a thought that goes on, or begins one.
fn think<'a>(text: Str<'a>, proof: Option<Str<'a>>, out: &mut Vec<Part<'a>>) {
    let begun = out.pop_if(|part| matches!(part.content, Content::Reasoning { signature: None, .. }));
    let text = match begun.map(|part| part.content) {
        Some(Content::Reasoning { text: before, .. }) => joined(&before, &text),
        _ => text,
    };
    out.push(match proof {
        Some(proof) => signature::open(text, proof).into(),
        None => Content::Reasoning { text, signature: None, format: None }.into(),
    });
}

/// Adds to a text of the model's that goes on, or begins one.
fn say<'a>(text: Str<'a>, role: Role, out: &mut Vec<Part<'a>>) {
    if text.is_empty() {
        return;
    }
    match out.last_mut().map(|part| &mut part.content) {
        Some(Content::Text { text: before, .. }) if role == Role::Assistant => *before = joined(before, &text),
        _ => out.push(Content::text(text).into()),
    }
}

fn joined<'a>(before: &Str<'_>, text: &Str<'_>) -> Str<'a> {
    let mut all = String::with_capacity(before.len().saturating_add(text.len()));
    before.escape_into(&mut all);
    text.escape_into(&mut all);
    Str::escaped(all)
}

/// Bytes, by their type.
fn data(value: Node<'_>) -> Result<Content<'_>, Error> {
    let media_type = member(object(value)?, "mimeType").ok_or_else(|| Error::invalid("required").at("mimeType"))?;
    let media_type = string(media_type).map_err(|e| e.at("mimeType"))?;
    let data = bytes(string(required(value, "data")?).map_err(|e| e.at("data"))?);
    let kind = media_type.to_text().into_owned();
    if let Some(sound) = kind.strip_prefix("audio/") {
        let format = match sound.split(';').next().unwrap_or_default() {
            "mpeg" => "mp3",
            "wave" | "x-wav" => "wav",
            other => other,
        };
        return Ok(Content::Audio { data, format: Str::plain(format.to_owned()) });
    }
    Ok(source(&kind, Source::Base64 { media_type, data }))
}

/// Base64 in the usual alphabet: Google's Python library writes that for URLs.
fn bytes(data: Str<'_>) -> Str<'_> {
    let text = data.to_text();
    if !text.contains(['-', '_']) {
        return data;
    }
    Str::plain(text.replace('-', "+").replace('_', "/"))
}

/// A file, by its type or what its name tells.
fn file(value: Node<'_>) -> Result<Content<'_>, Error> {
    let uri = member(object(value)?, "fileUri").ok_or_else(|| Error::invalid("required").at("fileUri"))?;
    let uri = string(uri).map_err(|e| e.at("fileUri"))?;
    let kind = member(value, "mimeType").map(string).transpose().map_err(|e| e.at("mimeType"))?;
    let kind = kind.map_or_else(String::new, |kind| kind.to_text().into_owned());
    if kind.starts_with("audio/") {
        return Err(wrong(value, "`inlineData` for sound: the upstream fetches none"));
    }
    Ok(source(&kind, Source::Url(uri)))
}

fn source<'a>(kind: &str, source: Source<'a>) -> Content<'a> {
    match kind.split('/').next() {
        Some("image") => Content::Image { source, detail: None },
        Some("video") => Content::Video(source),
        _ => Content::Document(Document { source, title: None, context: None, citations: None }),
    }
}
