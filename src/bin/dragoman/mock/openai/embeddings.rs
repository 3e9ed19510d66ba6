//! OpenAI's embeddings: <https://platform.openai.com/docs/api-reference/embeddings>.

use serde_json::{Value, json};

use super::super::Wire;
use super::super::bytes::{base64, hash};
use super::super::http::{Reply, Request};
use super::super::log::Log;
use super::super::shape::{Checked, Place, Refusal};
use super::{Directive, json_body, pretty};

/// The length of a vector that nobody has asked for.
const LENGTH: i64 = 8;

/// Answers a request for embeddings.
pub fn serve(request: &Request, log: &Log) -> Checked<Reply> {
    let body = json_body(request)?;
    let root = Place::root(Wire::OpenAi, &body);
    root.object(&["input", "model", "dimensions", "encoding_format", "user"])?;
    let model = root.need("model")?.text()?;
    let texts = texts(&root.need("input")?)?;
    let length = root.opt("dimensions").map(|place| place.integer(1, 4096)).transpose()?.unwrap_or(LENGTH);
    let format = root.opt("encoding_format").map(|place| place.one_of(&["float", "base64"])).transpose()?;
    let directive = Directive::read(Wire::OpenAi, model, texts.first().map_or("", String::as_str), log)
        .map_err(|message| Refusal::new(format!("mock: {message}")))?;
    if let Some(status) = directive.status {
        return Ok(directive.spoil(super::failed(status, directive.retry_after)));
    }
    let data = texts.iter().enumerate().map(|(index, text)| {
        let vector = vector(text, length);
        let embedding = if format == Some("base64") { packed(&vector).into() } else { json!(vector) };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    let tokens = texts.iter().map(|text| text.len().div_ceil(4)).sum::<usize>();
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    let data = data.collect::<Vec<_>>();
    Ok(Reply::json(200, pretty(&json!({"object": "list", "data": data, "model": model, "usage": usage}))))
}

/// A vector that follows from the text.
pub fn vector(text: &str, length: i64) -> Vec<f32> {
    (0..length).map(|place| hash(format!("{place} {text}").as_bytes()) as f32 / u64::MAX as f32 - 0.5).collect()
}

/// 32-bit floats, little-endian, in base64.
fn packed(vector: &[f32]) -> String {
    base64(&vector.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>())
}

/// The texts, or their tokens in words.
fn texts(input: &Place) -> Checked<Vec<String>> {
    match input.value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) if items.iter().all(Value::is_number) && !items.is_empty() => {
            Ok(vec![input.value.to_string()])
        }
        _ => input
            .few(2048)?
            .iter()
            .map(|item| match item.value {
                Value::Array(_) => Ok(item.value.to_string()),
                _ => item.text().map(str::to_owned),
            })
            .collect(),
    }
}
