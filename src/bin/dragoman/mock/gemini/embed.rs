//! Embeddings, and what Google Cloud calls a prediction of them.
//!
//! <https://ai.google.dev/api/embeddings>,
//! <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>.

use serde_json::{Value, json};

use super::super::answer::tokens;
use super::super::bytes::hash;
use super::super::shape::{Checked, Refusal};
use super::Door;
use super::check::{letters, list, unknown};

/// Answers a request that has been read as its message; returns the answer, and the text that may hold directives.
pub fn embed(model: &str, method: &str, body: &Value, door: Door) -> Checked<(Value, String)> {
    let known = model.starts_with("gemini-embedding-") || door == Door::Cloud && model.starts_with("text-embedding-");
    if !known || (method == "predict") != model.starts_with("text-") {
        return Err(unknown(model, door));
    }
    let single = [body.clone()];
    let requests = match method {
        "predict" => list(body, "instances"),
        "batchEmbedContents" => list(body, "requests"),
        _ => &single,
    };
    if requests.is_empty() || requests.len() > MOST {
        return Err(Refusal::new(format!(
            "* BatchEmbedContentsRequest.requests: at most {MOST} requests can be in one batch\n"
        )));
    }
    let (mut vectors, mut all) = (Vec::new(), String::new());
    for request in requests {
        let text = match request.get("content") {
            Some(Value::String(text)) => text.clone(),
            Some(content) => list(content, "parts").iter().filter_map(|part| part.get("text")?.as_str()).collect(),
            None => String::new(),
        };
        if text.is_empty() {
            return Err(Refusal::new("* EmbedContentRequest.content: content is empty\n"));
        }
        let path = format!("models/{model}");
        if door == Door::Studio && method == "batchEmbedContents" && request.get("model") != Some(&path.into()) {
            return Err(Refusal::new("* BatchEmbedContentsRequest.requests: model must be that of the path\n"));
        }
        let config = request.get("embedContentConfig").or(body.get("parameters")).unwrap_or(request);
        let size = match config.get("outputDimensionality").and_then(Value::as_i64) {
            None => DIMENSIONS,
            Some(size) => {
                usize::try_from(size).ok().filter(|size| (1..=DIMENSIONS).contains(size)).ok_or_else(|| {
                    Refusal::new(format!(
                        "Unable to submit request because outputDimensionality must be between 1 and {DIMENSIONS}."
                    ))
                })?
            }
        };
        let values = vector(&text, size);
        let count = tokens(letters(&text.as_str().into()));
        vectors.push(match (door, method) {
            (_, "predict") => {
                json!({"embeddings": {"values": values, "statistics": {"truncated": false, "token_count": count}}})
            }
            _ => json!({"values": values}),
        });
        all.push_str(&text);
    }
    let count = tokens(all.chars().count());
    let usage = json!({"promptTokenCount": count, "totalTokenCount": count});
    let answer = match method {
        "predict" => json!({"predictions": vectors, "metadata": {"billableCharacterCount": all.chars().count()}}),
        "batchEmbedContents" => json!({"embeddings": vectors, "usageMetadata": usage}),
        _ => json!({"embedding": vectors.first(), "usageMetadata": usage}),
    };
    Ok((answer, all))
}

/// Follows from the text; parts of it may be left away at the end.
fn vector(text: &str, size: usize) -> Vec<f64> {
    let mut state = hash(text.as_bytes());
    let number = |_| {
        state = hash(&state.to_le_bytes());
        let [first, second, ..] = state.to_be_bytes();
        f64::from(i16::from_be_bytes([first, second])) / 32_768.0
    };
    (0..size).map(number).collect()
}

const DIMENSIONS: usize = 3072;

const MOST: usize = 100;
