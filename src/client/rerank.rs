//! [`Rerank`]: documents put in the order of how well they answer a query, as clients of
//! [Cohere](https://docs.cohere.com/v2/reference/rerank) and [Jina](https://api.jina.ai/redoc#tag/rerank) ask for it.
//!
//! A request is one to both. An answer has what either of them looks for: `results`, `meta` with what Cohere bills, and the `model`
//! and `usage` of Jina. Documents come back where `return_documents` asks for them.

use super::chat;
use super::fields::{boolean, count, list, optional, required, string, wrong};
use super::{Ask, Client};
use crate::answer::Answer;
use crate::call::{Call, Rank};
use crate::error::Error;
use crate::format::Operation;
use crate::json::{Body, Kind, Node, Str, Writer};

/// The most documents of one call: more than any provider takes.
const MOST: usize = 10_000;

/// The format.
pub struct Rerank;

impl Client for Rerank {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        Ok(Ask { model: chat::model(root)?, now, ..Ask::default() })
    }

    fn read<'a>(&self, _operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error> {
        let mut call = Rank {
            query: string(required(root, "query")?).map_err(|e| e.at("query"))?,
            documents: documents(required(root, "documents")?).map_err(|e| e.at("documents"))?,
            top: optional(root, "top_n", count)?,
            returned: optional(root, "return_documents", boolean)?.unwrap_or(false),
            native: Vec::new(),
        };
        const READ: &[&str] = &["documents", "model", "query", "return_documents", "top_n"];
        let others = root.members().filter(|(name, value)| !value.is_null() && !READ.contains(&&**name));
        call.native.extend(others.map(|(name, value)| (name, value.raw())));
        Ok(Call::Rank(call))
    }

    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8> {
        let mut body = Body::default();
        Writer::new(&mut body).object(|w| {
            if answer.id.is_empty() {
                w.key("id").text(&format!("rerank-{}", ask.own_id()));
            } else {
                w.key("id").str(&answer.id);
            }
            w.key("model").text(&ask.model);
            w.key("results").array(|w| {
                for ranked in &answer.ranking {
                    w.object(|w| {
                        w.key("index").u64(ranked.index.into());
                        w.key("relevance_score").raw(&ranked.score);
                        if let Some(document) = &ranked.document {
                            w.key("document").object(|w| w.key("text").str(document));
                        }
                    });
                }
            });
            let usage = answer.usage.unwrap_or_default();
            w.key("meta").object(|w| {
                w.key("billed_units").object(|w| w.key("search_units").u64(usage.requests.max(1)));
            });
            if usage.input > 0 {
                w.key("usage").object(|w| {
                    w.key("prompt_tokens").u64(usage.input);
                    w.key("total_tokens").u64(usage.total());
                });
            }
        });
        body.into_bytes()
    }
}

fn documents(value: Node<'_>) -> Result<Vec<Str<'_>>, Error> {
    let documents = list(value)?;
    let texts = documents.enumerate().map(|(at, value)| document(value).map_err(|e| e.at_index(at)));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    match texts.len() {
        0 => Err(Error::invalid("expected at least one document")),
        1..=MOST => Ok(texts),
        many => Err(Error::invalid(format!("expected at most {MOST} documents, got {many}"))),
    }
}

/// A text, or an object with one.
fn document(value: Node<'_>) -> Result<Str<'_>, Error> {
    let text = if value.kind() == Kind::Object { value.get("text") } else { Some(value) };
    text.and_then(Node::str).ok_or_else(|| wrong(value, "a string or an object with the string `text`"))
}
