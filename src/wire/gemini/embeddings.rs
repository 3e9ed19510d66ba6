//! Embeddings: of the [Gemini API](https://ai.google.dev/api/embeddings), of the same models at Google Cloud, and of [Google
//! Cloud's older ones](https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api).

use super::reply::count;
use crate::call::{Embed, Input};
use crate::error::{Error, Kind};
use crate::event::{Event, Vector};
use crate::format::Format;
use crate::json::{self, Body, Node, Str, Writer};
use crate::usage::Usage;
use crate::wire::{Dropped, Encoded, Reader, Target};

/// What texts may be for, in clients' words and in Google's.
const TASKS: &[(&str, &str)] = &[
    ("classification", "CLASSIFICATION"),
    ("clustering", "CLUSTERING"),
    ("code", "CODE_RETRIEVAL_QUERY"),
    ("code_retrieval_query", "CODE_RETRIEVAL_QUERY"),
    ("document", "RETRIEVAL_DOCUMENT"),
    ("fact_verification", "FACT_VERIFICATION"),
    ("passage", "RETRIEVAL_DOCUMENT"),
    ("query", "RETRIEVAL_QUERY"),
    ("question_answering", "QUESTION_ANSWERING"),
    ("retrieval_document", "RETRIEVAL_DOCUMENT"),
    ("retrieval_query", "RETRIEVAL_QUERY"),
    ("search_document", "RETRIEVAL_DOCUMENT"),
    ("search_query", "RETRIEVAL_QUERY"),
    ("semantic_similarity", "SEMANTIC_SIMILARITY"),
    ("similarity", "SEMANTIC_SIMILARITY"),
];

/// Google's own field of it, in both spellings.
const TASK: [&str; 2] = ["taskType", "task_type"];

/// Writes the call.
pub(super) fn encode<'a>(
    call: &'a Embed<'a>,
    format: Format,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Encoded<'a>, Error> {
    let predict = format == Format::VertexPredict;
    let task = task(call, target, dropped)?;
    let mut body = Body::default();
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key(if predict { "instances" } else { "requests" }).open_array();
    for (input, index) in call.input.iter().zip(0..) {
        let Input::Text(text) = input else {
            return Err(Error::invalid("the upstream takes texts, not tokens").at_index(index).at("input"));
        };
        w.object(|w| match format {
            Format::VertexPredict => {
                w.key("content").share_str(text);
                if let Some(task) = task {
                    w.key("task_type").text(task);
                }
            }
            Format::VertexEmbeddings => {
                content(text, w);
                if task.is_some() || call.dimensions.is_some() {
                    w.key("embedContentConfig").object(|w| config(task, call.dimensions, w));
                }
            }
            _ => {
                w.key("model").text(&format!("models/{}", target.model));
                content(text, w);
                config(task, call.dimensions, w);
            }
        });
    }
    w.close_array();
    if let Some(dimensions) = call.dimensions.filter(|_| predict) {
        w.key("parameters").object(|w| w.key("outputDimensionality").u64(dimensions));
    }
    if call.user.is_some() {
        dropped.note("user")?;
    }
    let others = call.native.iter().filter(|(name, _)| !TASK.contains(&&**name));
    others.map(|(name, _)| name.clone().into_owned()).try_for_each(|name| dropped.note(name))?;
    w.close_object();
    Ok(Encoded::new(body, Box::new(Reply)))
}

fn content<'a>(text: &'a Str<'a>, w: &mut Writer<'_, 'a>) {
    w.key("content").object(|w| w.key("parts").array(|w| w.object(|w| w.key("text").share_str(text))));
}

fn config(task: Option<&str>, dimensions: Option<u64>, w: &mut Writer<'_, '_>) {
    if let Some(task) = task {
        w.key("taskType").text(task);
    }
    if let Some(dimensions) = dimensions {
        w.key("outputDimensionality").u64(dimensions);
    }
}

/// What the texts are for, which Google's own clients say as `task_type`. The second generation reads it in the text alone.
fn task(call: &Embed<'_>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Option<&'static str>, Error> {
    let own = call.native.iter().find(|(name, _)| TASK.contains(&&**name)).map(|(_, raw)| raw.trim_matches('"'));
    let Some(wanted) = call.input_type.as_ref().map(Str::to_text).or(own.map(Into::into)) else { return Ok(None) };
    let wanted = wanted.to_ascii_lowercase();
    let found = TASKS.iter().find(|(name, _)| *name == wanted).map(|(_, task)| *task);
    if found.is_none() || target.model.contains("embedding-2") {
        dropped.note("input_type")?;
        return Ok(None);
    }
    Ok(found)
}

/// The reader: an answer is one object.
pub(super) struct Reply;

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let list = |name| root.get(name).filter(|list| list.kind() == json::Kind::Array);
        let Some(vectors) = list("embeddings").or_else(|| list("predictions")) else {
            return out(Event::Error(Error::new(Kind::BadAnswer, "the answer has no embeddings")));
        };
        out(Event::Start { id: Str::default(), model: Str::default(), created: None });
        let mut input = count(root.get("usageMetadata"), "promptTokenCount");
        for (entry, index) in vectors.items().zip(0_u32..) {
            let entry = entry.get("embeddings").unwrap_or(entry);
            let Some(values) = entry.get("values") else { continue };
            out(Event::Embedding { index, vector: Vector::Numbers(values.raw().into()) });
            let tokens = count(entry.get("statistics"), "token_count");
            input = match (input, tokens) {
                (Some(sum), Some(tokens)) => Some(sum.saturating_add(tokens)),
                (sum, tokens) => sum.or(tokens),
            };
        }
        if let Some(input) = input {
            out(Event::Usage { usage: Usage { input, ..Usage::default() }, service_tier: None });
        }
        out(Event::End);
    }

    fn event(&mut self, _name: &str, _root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Unknown);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::Error(Error::new(Kind::BadAnswer, "the upstream streamed embeddings")));
    }
}
