//! Embeddings, of OpenAI's and of those who differ from them by what [`Vectors`] says.

use super::reply::usage;
use crate::call::{Embed, Input};
use crate::error::{Error, Kind};
use crate::event::{Event, Vector};
use crate::format::Format;
use crate::json::{self, Body, Node, Str, Writer};
use crate::provider::{Task, Vectors};
use crate::usage::Usage;
use crate::wire::{Dropped, Encoded, Reader, Target};

/// OpenAI's own.
const OPENAI: Vectors = Vectors {
    input: "input",
    tokens: true,
    dimensions: Some("dimensions"),
    base64: Some(("encoding_format", "\"base64\"")),
    task: None,
    user: true,
    own: None,
    set: &[],
};

/// Writes the call.
pub(super) fn encode<'a>(
    call: &'a Embed<'a>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Encoded<'a>, Error> {
    let vectors = target.vectors.unwrap_or(&OPENAI);
    let mut body = Body::default();
    let mut w = Writer::new(&mut body);
    w.open_object();
    w.key("model").text(target.model);
    input(call, vectors, &mut w)?;
    match (call.dimensions, vectors.dimensions) {
        (Some(dimensions), Some(field)) => w.key(field).u64(dimensions),
        (Some(_), None) => dropped.note("dimensions")?,
        (None, _) => {}
    }
    if let Some((field, value)) = vectors.base64.filter(|_| call.base64) {
        w.key(field).raw(value);
    }
    match (&call.user, vectors.user) {
        (Some(user), true) => w.key("user").str(user),
        (Some(_), false) => dropped.note("user")?,
        (None, _) => {}
    }
    let passes =
        |name: &str| call.format == Some(Format::Embeddings) && vectors.own.is_none_or(|own| own.contains(&name));
    let said = |field: &str| call.native.iter().any(|(name, _)| name == field && passes(name));
    task(call, vectors.task.filter(|task| !said(task.field)), dropped, &mut w)?;
    for (name, raw) in &call.native {
        if passes(name) {
            w.name(name).share_raw(raw);
        } else {
            dropped.note(name.clone().into_owned())?;
        }
    }
    for (name, raw) in vectors.set.iter().filter(|(name, _)| !said(name)) {
        w.key(name).raw(raw);
    }
    w.close_object();
    Ok(Encoded::new(body, Box::new(Reply)))
}

fn input<'a>(call: &'a Embed<'a>, vectors: &Vectors, w: &mut Writer<'_, 'a>) -> Result<(), Error> {
    let tokens = call.input.iter().position(|input| matches!(input, Input::Tokens(_)));
    if let Some(at) = tokens.filter(|_| !vectors.tokens) {
        return Err(Error::invalid("the upstream takes texts, not their tokens").at_index(at).at("input"));
    }
    w.key(vectors.input).array(|w| {
        for input in &call.input {
            match input {
                Input::Text(text) => w.share_str(text),
                Input::Tokens(raw) => w.share_raw(raw),
            }
        }
    });
    Ok(())
}

/// Says what the texts are for, in the provider's own word if the client has used one, else in its word for ours.
fn task(call: &Embed<'_>, task: Option<Task>, dropped: &mut Dropped, w: &mut Writer<'_, '_>) -> Result<(), Error> {
    let Some(task) = task else {
        return if call.input_type.is_some() { dropped.note("input_type") } else { Ok(()) };
    };
    let word = call.input_type.as_ref().map(Str::to_text);
    let known = word.as_deref().and_then(|word| {
        let theirs = task.words.iter().find(|(_, theirs)| *theirs == word);
        theirs.or_else(|| task.words.iter().find(|(ours, _)| *ours == purpose(word)))
    });
    if word.is_some() && known.is_none() {
        dropped.note("input_type")?;
    }
    if let Some(theirs) = known.map(|(_, theirs)| *theirs).or(task.default) {
        w.key(task.field).text(theirs);
    }
    Ok(())
}

/// Our word for what texts are for, of any of those in use: `search_query`, `RETRIEVAL_DOCUMENT`, `text-matching`, …
fn purpose(word: &str) -> &'static str {
    let lower = word.to_ascii_lowercase();
    let says = |part: &str| lower.contains(part);
    if says("code") {
        "code"
    } else if says("query") || says("question") {
        "query"
    } else if says("document") || says("passage") {
        "document"
    } else if says("classif") {
        "classification"
    } else if says("cluster") || says("separation") {
        "clustering"
    } else if says("similarity") || says("matching") {
        "similarity"
    } else {
        ""
    }
}

/// The reader: an answer is one object, or nothing but vectors.
pub(super) struct Reply;

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let string = |name| root.get(name).and_then(Node::str).unwrap_or_default();
        let Some(list) = list(root) else {
            let said = super::error::in_answer(root.get("error"), root);
            let error = said.unwrap_or_else(|| Error::new(Kind::BadAnswer, "the answer has no embeddings"));
            return out(Event::Error(error));
        };
        out(Event::Start { id: Str::default(), model: string("model"), created: None });
        for (entry, place) in list.items().zip(0_u32..) {
            let index = entry.get("index").and_then(Node::u64).and_then(|index| u32::try_from(index).ok());
            let vector = if entry.kind() == json::Kind::Object { entry.get("embedding") } else { Some(entry) };
            let Some(vector) = vector else { continue };
            let vector = match vector.str() {
                Some(text) => Vector::Base64(text),
                None => Vector::Numbers(vector.raw().into()),
            };
            out(Event::Embedding { index: index.unwrap_or(place), vector });
        }
        if let Some(usage) = counted(root) {
            out(Event::Usage { usage, service_tier: None });
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

/// The array of vectors: OpenAI's `data`, watsonx's `results`, Ollama's `embeddings`, Cohere's by type, or the answer
/// itself.
fn list(root: Node<'_>) -> Option<Node<'_>> {
    let member = ["data", "results", "embeddings"].iter().find_map(|name| root.get(name));
    let list = member.unwrap_or(root);
    let list = list.get("float").or_else(|| list.get("base64")).unwrap_or(list);
    (list.kind() == json::Kind::Array).then_some(list)
}

/// What was used, wherever it stands.
fn counted(root: Node<'_>) -> Option<Usage> {
    let billed = || root.get("meta").and_then(|meta| meta.get("billed_units")?.get("input_tokens"));
    let count = || root.get("prompt_eval_count").or_else(|| root.get("input_token_count")).or_else(billed);
    let input = || Some(Usage { input: count()?.u64()?, ..Usage::default() });
    root.get("usage").and_then(usage).or_else(input)
}
