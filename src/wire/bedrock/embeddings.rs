//! Embeddings, which each maker's models have in a format of their own under
//! [InvokeModel](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html):
//! [Cohere's](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html), [Nova's](https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html)
//! and [Titan's](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html). Those of
//! Cohere alone take several texts at once, and Titan's alone say in the body how many tokens they have read.

use crate::call::{Embed, Input};
use crate::error::{Error, Kind};
use crate::event::{Event, Vector};
use crate::http::Headers;
use crate::json::{self, Body, Node, Str, Writer};
use crate::usage::Usage;
use crate::wire::{Dropped, Encoded, Reader, Target};

/// Whose model it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    Cohere,
    Nova,
    Titan,
}

/// What texts may be for: clients' words, Cohere's and Nova's.
const TASKS: &[(&str, &str, &str)] = &[
    ("classification", "classification", "CLASSIFICATION"),
    ("clustering", "clustering", "CLUSTERING"),
    ("document", "search_document", "GENERIC_INDEX"),
    ("query", "search_query", "TEXT_RETRIEVAL"),
    ("search_document", "search_document", "GENERIC_INDEX"),
    ("search_query", "search_query", "TEXT_RETRIEVAL"),
];

/// Writes the call.
pub(super) fn encode<'a>(
    call: &'a Embed<'a>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Encoded<'a>, Error> {
    let maker = maker(target.model)?;
    let mut texts = Vec::with_capacity(call.input.len());
    for (index, input) in call.input.iter().enumerate() {
        let Input::Text(text) = input else {
            return Err(Error::invalid("the upstream takes texts, not tokens").at_index(index).at("input"));
        };
        texts.push(text);
    }
    let task = task(call, maker, dropped)?;
    let mut body = Body::default();
    let w = &mut Writer::new(&mut body);
    match (maker, texts.as_slice()) {
        (Maker::Cohere, texts) => w.object(|w| {
            w.key("texts").array(|w| texts.iter().for_each(|text| w.share_str(text)));
            // It must be said.
            w.key("input_type").text(task.unwrap_or("search_document"));
            w.key("embedding_types").raw(r#"["float"]"#);
            if let Some(dimensions) = call.dimensions {
                w.key("output_dimension").u64(dimensions);
            }
        }),
        (Maker::Nova, [text]) => w.object(|w| {
            w.key("schemaVersion").text("nova-multimodal-embed-v1");
            w.key("taskType").text("SINGLE_EMBEDDING");
            w.key("singleEmbeddingParams").object(|w| {
                w.key("embeddingPurpose").text(task.unwrap_or("GENERIC_INDEX"));
                if let Some(dimensions) = call.dimensions {
                    w.key("embeddingDimension").u64(dimensions);
                }
                w.key("text").object(|w| {
                    w.key("truncationMode").text("NONE");
                    w.key("value").share_str(text);
                });
            });
        }),
        (Maker::Titan, [text]) => w.object(|w| {
            w.key("inputText").share_str(text);
            if let Some(dimensions) = call.dimensions {
                w.key("dimensions").u64(dimensions);
            }
        }),
        (Maker::Nova | Maker::Titan, _) => {
            let message = "the upstream's model embeds one text in a call";
            return Err(Error::invalid(message).at("input"));
        }
    }
    if call.user.is_some() {
        dropped.note("user")?;
    }
    call.native.iter().map(|(name, _)| name.clone().into_owned()).try_for_each(|name| dropped.note(name))?;
    Ok(Encoded::new(body, Box::new(Reply::default())))
}

fn maker(model: &str) -> Result<Maker, Error> {
    for (key, maker) in [("cohere.", Maker::Cohere), ("nova", Maker::Nova), ("titan", Maker::Titan)] {
        if model.contains(key) {
            return Ok(maker);
        }
    }
    let message = "the upstream embeds with models of Cohere, and of Amazon's Nova and Titan";
    Err(Error::invalid(message).at("model"))
}

/// The maker's word for what the texts are for. Titan has none.
fn task(call: &Embed<'_>, maker: Maker, dropped: &mut Dropped) -> Result<Option<&'static str>, Error> {
    let Some(wanted) = call.input_type.as_ref().map(|word| word.to_text().to_ascii_lowercase()) else {
        return Ok(None);
    };
    let found = TASKS.iter().find(|(name, ..)| *name == wanted).and_then(|(_, cohere, nova)| match maker {
        Maker::Cohere => Some(*cohere),
        Maker::Nova => Some(*nova),
        Maker::Titan => None,
    });
    if found.is_none() {
        dropped.note("input_type")?;
    }
    Ok(found)
}

/// The header in which every model's answer says how many tokens were read: no page tells of it, and
/// [Amazon's library for LangChain](https://github.com/langchain-ai/langchain-aws) reads it.
const INPUT_TOKENS: &str = "x-amzn-bedrock-input-token-count";

/// The reader: an answer is one object.
#[derive(Default)]
pub(super) struct Reply {
    input: Option<u64>,
}

impl Reader for Reply {
    fn head(&mut self, headers: &Headers) {
        self.input = headers.text(INPUT_TOKENS).parse().ok();
    }

    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let is_list = |node: &Node<'_>| node.kind() == json::Kind::Array;
        let titan = root.get("embedding").filter(is_list);
        let several = root.get("embeddings").map(|found| found.get("float").unwrap_or(found)).filter(is_list);
        if titan.is_none() && several.is_none() {
            return out(Event::Error(Error::new(Kind::BadAnswer, "the answer has no embeddings")));
        }
        out(Event::Start { id: Str::default(), model: Str::default(), created: None });
        let vectors = several.into_iter().flat_map(Node::items).map(|entry| entry.get("embedding").unwrap_or(entry));
        for (values, index) in titan.into_iter().chain(vectors).zip(0_u32..) {
            out(Event::Embedding { index, vector: Vector::Numbers(values.raw().into()) });
        }
        if let Some(input) = self.input.or_else(|| root.get("inputTextTokenCount")?.u64()) {
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
