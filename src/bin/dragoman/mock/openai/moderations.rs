//! OpenAI's moderations: <https://platform.openai.com/docs/api-reference/moderations>.

use serde_json::{Map, Value, json};

use super::super::Wire;
use super::super::bytes::{hash, id};
use super::super::http::{Reply, Request};
use super::super::log::Log;
use super::super::shape::{Checked, Place, Refusal};
use super::{Directive, json_body, pretty};

/// What is looked for, by the words that show it.
const CATEGORIES: [(&str, &str); 13] = [
    ("harassment", "idiot"),
    ("harassment/threatening", "watch your back"),
    ("hate", "hate"),
    ("hate/threatening", "exterminate"),
    ("illicit", "steal"),
    ("illicit/violent", "bomb"),
    ("self-harm", "hurt myself"),
    ("self-harm/instructions", "how to hurt"),
    ("self-harm/intent", "want to hurt myself"),
    ("sexual", "sexual"),
    ("sexual/minors", "minor"),
    ("violence", "kill"),
    ("violence/graphic", "blood"),
];

/// Answers a request for moderations.
pub fn serve(request: &Request, log: &Log) -> Checked<Reply> {
    let body = json_body(request)?;
    let root = Place::root(Wire::OpenAi, &body);
    root.object(&["input", "model"])?;
    let model = root.opt("model").map(|place| place.text()).transpose()?.unwrap_or("omni-moderation-latest");
    if !model.contains("moderation") {
        return Err(Refusal::new(format!("The model `{model}` is not supported."))
            .param("model")
            .code("model_not_found"));
    }
    let texts = texts(root.need("input")?.value)?;
    let directive = Directive::read(Wire::OpenAi, model, texts.first().map_or("", String::as_str), log)
        .map_err(|message| Refusal::new(format!("mock: {message}")))?;
    if let Some(status) = directive.status {
        return Ok(directive.spoil(super::failed(status, directive.retry_after)));
    }
    let results: Vec<Value> = texts.iter().map(|text| result(text)).collect();
    let id = id("modr-", hash(&request.body), 24);
    Ok(Reply::json(200, pretty(&json!({"id": id, "model": model, "results": results}))))
}

fn result(text: &str) -> Value {
    let text = text.to_lowercase();
    let (mut categories, mut scores, mut types) = (Map::new(), Map::new(), Map::new());
    for (name, word) in CATEGORIES {
        let found = text.contains(word);
        categories.insert(name.into(), found.into());
        scores.insert(name.into(), if found { json!(0.97) } else { json!(0.0000012) });
        types.insert(name.into(), json!(["text"]));
    }
    let flagged = categories.values().any(|found| found == true);
    json!({"flagged": flagged, "categories": categories, "category_scores": scores, "category_applied_input_types": types})
}

/// A text, several, or the parts of one thing.
fn texts(input: &Value) -> Checked<Vec<String>> {
    let wrong = || {
        Refusal::new("Invalid type for 'input': expected one of a string, array of strings, or array of objects.")
            .param("input")
    };
    let items = match input {
        Value::String(text) => return Ok(vec![text.clone()]),
        Value::Array(items) if !items.is_empty() => items,
        _ => return Err(wrong()),
    };
    if items.iter().all(Value::is_string) {
        return Ok(items.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    let part = |part: &Value| match part["type"].as_str() {
        Some("text") => part["text"].as_str().map(str::to_owned),
        Some("image_url") => part.pointer("/image_url/url").map(|_| String::new()),
        _ => None,
    };
    let parts: Option<Vec<String>> = items.iter().map(part).collect();
    parts.map(|parts| vec![parts.concat()]).ok_or_else(wrong)
}
