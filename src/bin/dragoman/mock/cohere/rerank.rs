//! Rankings, by how many of the query's words a document has.
//!
//! Format: <https://docs.cohere.com/v2/reference/rerank>.

use serde_json::{Value, json};

use super::super::shape::{Checked, Refusal};
use super::check;

/// The query, for directives in it.
pub fn query(body: &Value) -> &str {
    body["query"].as_str().unwrap_or_default()
}

/// The answer's body.
pub fn rank(body: &Value) -> Checked<Value> {
    check::known(body, "", &["documents", "max_tokens_per_doc", "model", "priority", "query", "top_n"])?;
    if !body["model"].as_str().is_some_and(|model| model.starts_with("rerank-")) {
        return Err(Refusal::new("model not found, make sure the correct model ID was used").status(404));
    }
    let words: Vec<String> = query(body).split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return Err(Refusal::new("invalid request: query must be a non-empty string"));
    }
    let documents =
        body["documents"].as_array().filter(|texts| !texts.is_empty() && texts.iter().all(Value::is_string));
    let documents = documents.ok_or_else(|| Refusal::new("invalid request: documents must be a list of strings"))?;
    let top = match &body["top_n"] {
        Value::Null => documents.len(),
        top => top
            .as_u64()
            .filter(|top| *top > 0)
            .and_then(|top| usize::try_from(top).ok())
            .ok_or_else(|| Refusal::new("invalid request: top_n must be at least 1"))?,
    };
    let mut ranked: Vec<(f64, usize)> = documents
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let text = text.as_str().unwrap_or_default().to_lowercase();
            let found = words.iter().filter(|word| text.contains(word.as_str())).count();
            (found as f64 / words.len() as f64, index)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let results: Vec<Value> =
        ranked.into_iter().take(top).map(|(score, index)| json!({"index": index, "relevance_score": score})).collect();
    let units = documents.len().div_ceil(100);
    let meta = json!({"api_version": {"version": "2"}, "billed_units": {"search_units": units}});
    Ok(json!({"id": "mock", "results": results, "meta": meta}))
}
