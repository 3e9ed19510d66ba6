//! [Citations](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html), in Anthropic's words.

use crate::json::{Body, Node, Writer};

/// Converse's places in documents: its name, Anthropic's, and the names of its two ends.
const PLACES: &[(&str, &str, &str, &str)] = &[
    ("documentChar", "char_location", "start_char_index", "end_char_index"),
    ("documentChunk", "content_block_location", "start_block_index", "end_block_index"),
    ("documentPage", "page_location", "start_page_number", "end_page_number"),
];

/// The citation in Anthropic's format, as raw JSON; nothing if its place is of a kind that the format does not know.
pub(super) fn read(cited: Node<'_>) -> Option<String> {
    let location = cited.get("location")?;
    let text = |name: &str| cited.get(name).and_then(Node::text);
    let mut said = String::new();
    for piece in cited.get("sourceContent").into_iter().flat_map(Node::items) {
        said.push_str(&piece.get("text").and_then(Node::text).unwrap_or_default());
    }
    let mut body = Body::default();
    let w = &mut Writer::new(&mut body);
    if let Some(web) = location.get("web") {
        w.object(|w| {
            w.key("type").text("web_search_result_location");
            w.key("cited_text").text(&said);
            w.key("url").text(&web.get("url").and_then(Node::text).unwrap_or_default());
            w.key("title").text(&text("title").unwrap_or_default());
            w.key("encrypted_index").text("");
        });
        return String::from_utf8(body.into_bytes()).ok();
    }
    let (place, kind, start, end) =
        PLACES.iter().find_map(|(name, kind, start, end)| Some((location.get(name)?, *kind, *start, *end)))?;
    let number = |name| place.get(name).and_then(Node::u64).unwrap_or_default();
    w.object(|w| {
        w.key("type").text(kind);
        w.key("cited_text").text(&said);
        w.key("document_index").u64(number("documentIndex"));
        w.key("document_title");
        match text("title") {
            Some(title) => w.text(&title),
            None => w.null(),
        }
        w.key(start).u64(number("start"));
        w.key(end).u64(number("end"));
        w.key("file_id").null();
    });
    String::from_utf8(body.into_bytes()).ok()
}
