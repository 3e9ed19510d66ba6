//! What a call asks of a provider, as far as not every one of them takes it.

use super::{gemini, responses};
use crate::json::{Kind, Node};
use crate::provider::Feature;
use crate::remote;

/// The features that a request in the format of chat completions, of Gemini, Messages or Responses needs, each perhaps more than
/// once. Other formats say the same otherwise, and are not read.
pub fn needs(root: Node<'_>) -> Vec<Feature> {
    let mut found = Vec::new();
    let some = |name: &str| root.get(name).is_some_and(|list| list.items().next().is_some());
    if some("tools") || some("functions") {
        found.push(Feature::Tools);
    }
    let format = root.get("response_format").or_else(|| root.get("output_config").or(root.get("text"))?.get("format"));
    if format.and_then(|format| format.get("type")?.str()).is_some_and(|kind| kind == "json_schema") {
        found.push(Feature::JsonSchema);
    }
    google(root, &mut found);
    for message in root.get("messages").or(root.get("input")).into_iter().flat_map(Node::items) {
        parts(message, &mut found);
    }
    if root.get("messages").is_none() && responses::is_own(root) {
        found.push(Feature::Responses);
    }
    found
}

/// The same of a request in Google's format.
fn google(root: Node<'_>, found: &mut Vec<Feature>) {
    if let Some(config) = gemini::member(root, "generationConfig")
        && ["responseSchema", "responseJsonSchema"].iter().any(|name| gemini::member(config, name).is_some())
    {
        found.push(Feature::JsonSchema);
    }
    let contents = root.get("contents").into_iter().flat_map(Node::items);
    for part in contents.filter_map(|content| content.get("parts")).flat_map(Node::items) {
        let file = gemini::member(part, "fileData");
        let Some(data) = file.or_else(|| gemini::member(part, "inlineData")) else { continue };
        let kind = gemini::member(data, "mimeType").and_then(Node::text).unwrap_or_default();
        match kind.split('/').next() {
            Some("audio") => found.push(Feature::Audio),
            Some("image") => {
                found.push(Feature::Images);
                found.extend(file.map(|_| Feature::ImageUrls));
            }
            _ => found.push(Feature::Documents),
        }
    }
}

fn parts(of: Node<'_>, found: &mut Vec<Feature>) {
    for part in of.get("content").or(of.get("output")).into_iter().flat_map(Node::items) {
        let Some(kind) = part.get("type").and_then(Node::text) else { continue };
        match &*kind {
            "document" | "file" | "input_file" if !is_text(part) => found.push(Feature::Documents),
            "image" | "image_url" | "input_image" => {
                found.push(Feature::Images);
                if remote::is_remote(part) {
                    found.push(Feature::ImageUrls);
                }
            }
            "input_audio" => found.push(Feature::Audio),
            "tool_result" => parts(part, found),
            _ => {}
        }
    }
}

/// Whether a document is of plain text, which can be a part of any message.
fn is_text(part: Node<'_>) -> bool {
    let source = part.get("source");
    let kind = source.and_then(|source| source.get("type")?.text());
    match kind.as_deref() {
        Some("content") => source.and_then(|source| source.get("content")).is_some_and(|c| c.kind() != Kind::Null),
        Some(kind) => kind == "text",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::json::Doc;

    fn read(json: &str) -> Vec<Feature> {
        needs(Doc::strict(json.as_bytes()).unwrap().root())
    }

    #[test]
    fn every_feature_is_seen_in_each_format() {
        for (json, feature) in [
            (r#"{"tools":[{}]}"#, Feature::Tools),
            (r#"{"functions":[{}]}"#, Feature::Tools),
            (r#"{"response_format":{"type":"json_schema"}}"#, Feature::JsonSchema),
            (r#"{"output_config":{"format":{"type":"json_schema"}}}"#, Feature::JsonSchema),
            (r#"{"messages":[{"content":[{"type":"image_url"}]}]}"#, Feature::Images),
            (r#"{"messages":[{"content":[{"type":"image"}]}]}"#, Feature::Images),
            (r#"{"messages":[{"content":[{"type":"tool_result","content":[{"type":"image"}]}]}]}"#, Feature::Images),
            (r#"{"messages":[{"content":[{"type":"input_audio"}]}]}"#, Feature::Audio),
            (r#"{"text":{"format":{"type":"json_schema"}}}"#, Feature::JsonSchema),
            (r#"{"input":[{"content":[{"type":"input_image"}]}]}"#, Feature::Images),
            (r#"{"input":[{"output":[{"type":"input_file"}]}]}"#, Feature::Documents),
            (r#"{"input":[{"type":"item_reference"}]}"#, Feature::Responses),
            (r#"{"input":[{"type":"computer_call"}]}"#, Feature::Responses),
            (r#"{"store":true}"#, Feature::Responses),
            (r#"{"background":true}"#, Feature::Responses),
            (r#"{"conversation":"conv_1"}"#, Feature::Responses),
            (r#"{"prompt":{"id":"pmpt_1"}}"#, Feature::Responses),
            (r#"{"messages":[{"content":[{"type":"file"}]}]}"#, Feature::Documents),
            (r#"{"messages":[{"content":[{"type":"document","source":{"type":"url"}}]}]}"#, Feature::Documents),
        ] {
            assert_eq!(read(json), [feature], "{json}");
        }
    }

    #[test]
    fn what_any_provider_takes_is_no_feature() {
        for json in [
            "{}",
            r#"{"input":"x","store":false,"background":false,"text":{"format":{"type":"text"}}}"#,
            r#"{"input":[{"role":"user","content":"x"},{"type":"web_search_call"},{"type":"function_call"}]}"#,
            r#"{"tools":[],"response_format":{"type":"json_object"},"messages":[{"content":"image_url"}]}"#,
            r#"{"messages":[{"content":[{"type":"text"},{"type":"document","source":{"type":"text"}}]}]}"#,
        ] {
            assert_eq!(read(json), [], "{json}");
        }
    }
}
