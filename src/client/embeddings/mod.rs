//! [`Embeddings`]: OpenAI's [embeddings](https://platform.openai.com/docs/api-reference/embeddings), as clients speak it.
//!
//! Beside OpenAI's own fields it reads `input_type`, by which LiteLLM's users say what the texts are for.

mod vector;

use super::chat::{self, Chat};
use super::fields::{count, list, optional, required, string, wrong};
use super::{Ask, Client};
use crate::answer::Answer;
use crate::call::{Call, Embed, Input};
use crate::error::Error;
use crate::event::Vector;
use crate::format::{Format, Operation};
use crate::json::{Body, Edits, Kind, Node, Writer};

/// The most texts of one call: OpenAI takes as many.
const MOST: usize = 2048;

/// The format.
pub struct Embeddings;

impl Client for Embeddings {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        let model = chat::model(root)?;
        Ok(Ask { model, include_usage: true, now, base64: base64(root)?, ..Ask::default() })
    }

    fn read<'a>(&self, _operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error> {
        let mut call = Embed {
            input: input(required(root, "input")?).map_err(|e| e.at("input"))?,
            base64: base64(root)?,
            format: Some(Format::Embeddings),
            ..Embed::default()
        };
        for (name, value) in root.members().filter(|(_, value)| !value.is_null()) {
            match &*name {
                "dimensions" => call.dimensions = Some(count(value).map_err(|e| e.at("dimensions"))?),
                "encoding_format" | "input" | "model" => {}
                "input_type" => call.input_type = Some(string(value).map_err(|e| e.at("input_type"))?),
                "user" => call.user = Some(string(value).map_err(|e| e.at("user"))?),
                _ => call.native.push((name, value.raw())),
            }
        }
        Ok(Call::Embed(call))
    }

    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8> {
        let mut body = Body::default();
        Writer::new(&mut body).object(|w| {
            w.key("object").text("list");
            w.key("data").array(|w| {
                for (index, vector) in &answer.embeddings {
                    w.object(|w| {
                        w.key("object").text("embedding");
                        w.key("index").u64((*index).into());
                        vector::write(vector, ask.base64, w.key("embedding"));
                    });
                }
            });
            w.key("model").text(&ask.model);
            let usage = answer.usage.unwrap_or_default();
            w.key("usage").object(|w| {
                w.key("prompt_tokens").u64(usage.input);
                w.key("total_tokens").u64(usage.total());
            });
        });
        body.into_bytes()
    }

    fn splice_answer(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) {
        Chat.splice_answer(root, ask, edits);
        // Some servers answer in the form that they have, whatever they are asked for.
        let entries = root.get("data").into_iter().flat_map(Node::items);
        for node in entries.filter_map(|entry| entry.get("embedding")) {
            let found = match node.str() {
                Some(text) => Vector::Base64(text),
                None => Vector::Numbers(node.raw().into()),
            };
            if ask.base64 == matches!(found, Vector::Base64(_)) {
                continue;
            }
            let mut body = Body::default();
            vector::write(&found, ask.base64, &mut Writer::new(&mut body));
            edits.replace(node, String::from_utf8(body.into_bytes()).unwrap_or_default());
        }
    }
}

fn base64(root: Node<'_>) -> Result<bool, Error> {
    let format = optional(root, "encoding_format", string)?;
    match format.as_ref().map(|format| format.to_text()).as_deref() {
        None | Some("float") => Ok(false),
        Some("base64") => Ok(true),
        Some(_) => Err(Error::invalid("expected `float` or `base64`").at("encoding_format")),
    }
}

/// A text, its tokens, or an array of either.
fn input(value: Node<'_>) -> Result<Vec<Input<'_>>, Error> {
    const EXPECTED: &str = "a string, an array of strings, an array of tokens or an array of such arrays";
    let texts: Vec<Input<'_>> = match value.kind() {
        Kind::String => vec![Input::Text(string(value)?)],
        Kind::Array if value.items().next().is_some_and(|first| first.kind() == Kind::Number) => {
            vec![tokens(value)?]
        }
        Kind::Array => list(value)?
            .enumerate()
            .map(|(at, value)| text(value).map_err(|e| e.at_index(at)))
            .collect::<Result<Vec<_>, _>>()?,
        _ => return Err(wrong(value, EXPECTED)),
    };
    match texts.len() {
        0 => Err(Error::invalid("expected at least one text")),
        1..=MOST => Ok(texts),
        many => Err(Error::invalid(format!("expected at most {MOST} texts, got {many}"))),
    }
}

fn text(value: Node<'_>) -> Result<Input<'_>, Error> {
    match value.kind() {
        Kind::String => string(value).map(Input::Text),
        Kind::Array => tokens(value),
        _ => Err(wrong(value, "a string or an array of tokens")),
    }
}

fn tokens(value: Node<'_>) -> Result<Input<'_>, Error> {
    for (at, token) in value.items().enumerate() {
        count(token).map_err(|e| e.at_index(at))?;
    }
    if value.items().next().is_none() {
        return Err(Error::invalid("expected at least one token"));
    }
    Ok(Input::Tokens(value.raw()))
}
