//! [`Rerank`]: [Cohere's rerank](https://docs.cohere.com/v2/reference/rerank), and those who follow it: Jina, Voyage, Together, servers of
//! one's own, and Cohere's and Amazon's models on Bedrock. What each calls otherwise is in its row's envelope.
//!
//! Documents are not asked for: the reader knows them, and puts them into the answer where the client wants them. So it is with the
//! number of results, which not every provider limits.

use super::openai::{error, reply};
use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::{Call, Rank};
use crate::error::{Error, Kind};
use crate::event::{Event, Ranked};
use crate::json::{self, Body, Node, Str, Writer};
use crate::usage::Usage;

/// The wire.
pub struct Rerank;

impl Wire for Rerank {
    fn encode<'a>(
        &self,
        call: &'a Call<'a>,
        target: &Target<'_>,
        _dropped: &mut Dropped,
    ) -> Result<Encoded<'a>, Error> {
        match call {
            Call::Rank(call) => Ok(encode(call, target)),
            _ => Err(Error::new(Kind::NotImplemented, "the upstream only ranks documents")),
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(Reply::default())
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

fn encode<'a>(call: &'a Rank<'a>, target: &Target<'_>) -> Encoded<'a> {
    let mut body = Body::default();
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key("model").text(target.model);
    w.key("query").share_str(&call.query);
    w.key("documents").array(|w| call.documents.iter().for_each(|text| w.share_str(text)));
    if let Some(top) = call.top {
        w.key("top_n").u64(top);
    }
    call.native.iter().for_each(|(name, raw)| w.name(name).share_raw(raw));
    w.close_object();
    let documents =
        if call.returned { call.documents.iter().cloned().map(Str::into_owned).collect() } else { Vec::new() };
    let top = call.top.and_then(|top| usize::try_from(top).ok());
    Encoded::new(body, Box::new(Reply { top, documents }))
}

/// The reader.
#[derive(Default)]
struct Reply {
    /// How many results the client wants.
    top: Option<usize>,
    /// The documents that it wants with them.
    documents: Vec<Str<'static>>,
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let string = |name| root.get(name).and_then(Node::str).unwrap_or_default();
        let Some(list) = list(root) else {
            let said = error::in_answer(root.get("error"), root);
            return out(Event::Error(said.unwrap_or_else(|| Error::new(Kind::BadAnswer, "the answer has no ranking"))));
        };
        out(Event::Start { id: string("id"), model: string("model"), created: None });
        for entry in list.items().take(self.top.unwrap_or(usize::MAX)) {
            let index = entry.get("index").and_then(Node::u64).and_then(|index| u32::try_from(index).ok());
            let score = ["relevance_score", "score"].iter().find_map(|name| entry.get(name));
            let (Some(index), Some(score)) = (index, score.filter(|score| score.kind() == json::Kind::Number)) else {
                return out(Event::Error(Error::new(Kind::BadAnswer, "a result has no index or no score")));
            };
            let document = self.documents.get(index as usize).map(Str::reborrow);
            out(Event::Ranked(Ranked { index, score: score.raw().into(), document }));
        }
        out(Event::Usage { usage: used(root), service_tier: None });
        out(Event::End);
    }

    fn event(&mut self, _name: &str, _root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Unknown);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Error(Error::new(Kind::BadAnswer, "the upstream streamed a ranking")));
    }
}

/// The results: Voyage's are `data`, and those of Text Embeddings Inference the answer itself.
fn list(root: Node<'_>) -> Option<Node<'_>> {
    let list = ["results", "data"].iter().find_map(|name| root.get(name)).unwrap_or(root);
    (list.kind() == json::Kind::Array).then_some(list)
}

/// What was used: tokens, or the searches that Cohere bills; one search, if nothing is said.
fn used(root: Node<'_>) -> Usage {
    let meta = |name: &str| root.get("meta").and_then(|meta| meta.get(name));
    let number = |of: Option<Node<'_>>, name: &str| of.and_then(|node| node.get(name)?.u64());
    let requests = number(meta("billed_units"), "search_units").unwrap_or(1);
    let usage = root.get("usage");
    let total = || number(usage, "total_tokens").map(|input| Usage { input, ..Usage::default() });
    let told = usage.and_then(reply::usage).filter(|usage| usage.input > 0).or_else(total);
    let tokens = told.or_else(|| Some(Usage { input: number(meta("tokens"), "input_tokens")?, ..Usage::default() }));
    Usage { requests, ..tokens.unwrap_or_default() }
}
