#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::call::{Call, Embed, Input};
use crate::error::Error;
use crate::event::{Event, Vector};
use crate::format::Format;
use crate::json::Doc;
use crate::wire::gemini::Embeddings;
use crate::wire::{Dropped, Target, Wire};

fn target(model: &str) -> Target<'_> {
    Target { model, max_tokens: None, takes_effort: false, takes_thought: false, random: 0, vectors: None }
}

/// The body, and what was left out.
fn encode(format: Format, model: &str, call: Embed<'static>) -> Result<(String, Vec<String>), Error> {
    let mut dropped = Dropped::default();
    let call = Call::Embed(call);
    let body = Embeddings(format).encode(&call, &target(model), &mut dropped)?.body.into_bytes();
    Ok((String::from_utf8(body).unwrap(), dropped.names.iter().map(|name| name.to_string()).collect()))
}

fn texts(texts: &[&'static str]) -> Embed<'static> {
    Embed { input: texts.iter().map(|text| Input::Text((*text).into())).collect(), ..Embed::default() }
}

fn sized() -> Embed<'static> {
    Embed { dimensions: Some(256), input_type: Some("search_query".into()), ..texts(&["a", "b"]) }
}

/// What an answer says.
fn read(format: Format, answer: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let doc = Doc::lenient(answer.as_bytes()).unwrap();
    Embeddings(format).reader().answer(doc.root(), &mut |event| {
        lines.push(match event {
            Event::Embedding { index, vector: Vector::Numbers(raw) } => format!("{index} {raw}"),
            Event::Usage { usage, .. } => format!("input {}", usage.input),
            Event::Start { .. } => "start".into(),
            Event::End => "end".into(),
            Event::Error(error) => error.message,
            other => format!("{other:?}"),
        });
    });
    lines
}

#[test]
fn at_the_gemini_api_every_text_is_a_request() {
    let (body, dropped) = encode(Format::GeminiEmbeddings, "gemini-embedding-001", sized()).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]},"#,
            r#""taskType":"RETRIEVAL_QUERY","outputDimensionality":256},{"model":"models/gemini-embedding-001","#,
            r#""content":{"parts":[{"text":"b"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":256}]}"#
        )
    );
    assert!(dropped.is_empty());
}

#[test]
fn at_google_cloud_a_request_has_settings_of_its_own() {
    let (body, _) = encode(Format::VertexEmbeddings, "gemini-embedding-001", sized()).unwrap();
    let one = |text| {
        format!(
            r#"{{"content":{{"parts":[{{"text":"{text}"}}]}},"embedContentConfig":{{"taskType":"RETRIEVAL_QUERY","outputDimensionality":256}}}}"#
        )
    };
    assert_eq!(body, format!(r#"{{"requests":[{},{}]}}"#, one("a"), one("b")));
    let (body, _) = encode(Format::VertexEmbeddings, "gemini-embedding-001", texts(&["a"])).unwrap();
    assert_eq!(body, r#"{"requests":[{"content":{"parts":[{"text":"a"}]}}]}"#);
}

#[test]
fn older_models_of_google_cloud_predict() {
    let (body, _) = encode(Format::VertexPredict, "text-embedding-005", sized()).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"instances":[{"content":"a","task_type":"RETRIEVAL_QUERY"},{"content":"b","task_type":"RETRIEVAL_QUERY"}],"#,
            r#""parameters":{"outputDimensionality":256}}"#
        )
    );
    let (body, _) = encode(Format::VertexPredict, "text-embedding-005", texts(&["a"])).unwrap();
    assert_eq!(body, r#"{"instances":[{"content":"a"}]}"#);
}

#[test]
fn what_a_text_is_for() {
    let sent = |model, call| encode(Format::GeminiEmbeddings, model, call).unwrap();
    let own = Embed { native: vec![("task_type".into(), r#""CODE_RETRIEVAL_QUERY""#)], ..texts(&["a"]) };
    assert!(sent("gemini-embedding-001", own).0.contains(r#""taskType":"CODE_RETRIEVAL_QUERY""#));
    let unknown = Embed { input_type: Some("poem".into()), ..texts(&["a"]) };
    let (body, dropped) = sent("gemini-embedding-001", unknown);
    assert!(!body.contains("taskType"));
    assert_eq!(dropped, ["input_type"]);
    // The second generation reads it in the text alone.
    let (body, dropped) = sent("gemini-embedding-2", sized());
    assert!(!body.contains("taskType") && body.contains("outputDimensionality"));
    assert_eq!(dropped, ["input_type"]);
}

#[test]
fn what_has_no_place() {
    let tokens = Embed { input: vec![Input::Text("a".into()), Input::Tokens("[1,2]")], ..Embed::default() };
    let error = encode(Format::GeminiEmbeddings, "gemini-embedding-001", tokens).unwrap_err();
    assert_eq!(error.text(), "`input[1]`: the upstream takes texts, not tokens");
    let more = Embed { user: Some("u".into()), native: vec![("truncate".into(), "true")], ..texts(&["a"]) };
    let (_, dropped) = encode(Format::VertexPredict, "text-embedding-005", more).unwrap();
    assert_eq!(dropped, ["user", "truncate"]);
}

#[test]
fn answers() {
    assert_eq!(
        read(Format::GeminiEmbeddings, r#"{"embeddings":[{"values":[0.5, 1e-3]},{"values":[]}]}"#),
        ["start", "0 [0.5, 1e-3]", "1 []", "end"]
    );
    assert_eq!(
        read(Format::VertexEmbeddings, r#"{"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":7}}"#),
        ["start", "0 [1]", "input 7", "end"]
    );
    assert_eq!(
        read(
            Format::VertexPredict,
            r#"{"predictions":[{"embeddings":{"values":[1],"statistics":{"truncated":false,"token_count":3}}},
            {"embeddings":{"values":[2],"statistics":{"token_count":4}}}],"metadata":{"billableCharacterCount":9}}"#
        ),
        ["start", "0 [1]", "1 [2]", "input 7", "end"]
    );
    assert_eq!(read(Format::VertexPredict, "{}"), ["the answer has no embeddings"]);
}
