//! [`VertexRank`]: Google Cloud's [ranking](https://docs.cloud.google.com/generative-ai-app-builder/docs/reference/rest/v1/projects.locations.rankingConfigs/rank).
//!
//! A document is a record under its place as an id. Records are not asked for again: the reader knows the documents.

use super::openai::error;
use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::{Call, Rank};
use crate::error::{Error, Kind};
use crate::event::{Event, Ranked};
use crate::json::{self, Body, Node, Str, Writer};
use crate::usage::Usage;

/// The most records of one call, which are one search.
const MOST: usize = 200;

/// The wire.
pub struct VertexRank;

impl Wire for VertexRank {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        match call {
            Call::Rank(call) => encode(call, target, dropped),
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

fn encode<'a>(call: &'a Rank<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
    if call.documents.len() > MOST {
        let message = format!("the upstream ranks at most {MOST} documents, got {}", call.documents.len());
        return Err(Error::invalid(message).at("documents"));
    }
    let mut body = Body::default();
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key("model").text(target.model);
    w.key("query").share_str(&call.query);
    w.key("records").open_array();
    for (text, index) in call.documents.iter().zip(0_u32..) {
        w.open_object();
        w.key("id").text(&index.to_string());
        w.key("content").share_str(text);
        w.close_object();
    }
    w.close_array();
    if let Some(top) = call.top {
        w.key("topN").u64(top);
    }
    w.key("ignoreRecordDetailsInResponse").bool(true);
    for (name, raw) in &call.native {
        match &**name {
            "userLabels" => w.name(name).share_raw(raw),
            _ => dropped.note(name.clone().into_owned())?,
        }
    }
    w.close_object();
    let documents =
        if call.returned { call.documents.iter().cloned().map(Str::into_owned).collect() } else { Vec::new() };
    Ok(Encoded::new(body, Box::new(Reply { count: call.documents.len(), documents })))
}

/// The reader.
#[derive(Default)]
struct Reply {
    /// How many documents were sent.
    count: usize,
    /// The documents that the client wants with the results.
    documents: Vec<Str<'static>>,
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let list = root.get("records").filter(|list| list.kind() == json::Kind::Array);
        // Of no documents nothing is said.
        let said = list.is_none().then(|| error::in_answer(root.get("error"), root)).flatten();
        if let Some(error) = said {
            return out(Event::Error(error));
        }
        out(Event::Start { id: Str::default(), model: Str::default(), created: None });
        for record in list.into_iter().flat_map(Node::items) {
            let index = record
                .get("id")
                .and_then(Node::text)
                .and_then(|id| id.parse::<u32>().ok())
                .filter(|index| (*index as usize) < self.count);
            // Google leaves out a zero.
            let score = record.get("score").map_or("0", Node::raw);
            let Some(index) = index else {
                return out(Event::Error(Error::new(Kind::BadAnswer, "a record has no id of ours")));
            };
            let document = self.documents.get(index as usize).map(Str::reborrow);
            out(Event::Ranked(Ranked { index, score: score.into(), document }));
        }
        out(Event::Usage { usage: Usage { requests: 1, ..Usage::default() }, service_tier: None });
        out(Event::End);
    }

    fn event(&mut self, _name: &str, _root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Unknown);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Error(Error::new(Kind::BadAnswer, "the upstream streamed a ranking")));
    }
}
