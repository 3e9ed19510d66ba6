//! What a provider wants back with the next turn, in the hands of clients that have no place for it.
//!
//! Gemini signs its calls, thoughts and texts, and refuses a call that comes back unsigned. A client gets the signature of a
//! call inside the call's id, which every client gives back, and any other as the signature of a thought. Both carry a mark
//! that says whose they are: what one provider has signed, no other can read.
//!
//! The marks are made of what ids may be made of anywhere: letters, digits and `_`. So are the signatures: base64 in its
//! [alphabet for URLs](https://www.rfc-editor.org/rfc/rfc4648#section-5), without padding.

use crate::call::Content;
use crate::format::Format;
use crate::json::{Doc, Edits, Node, Str};

/// What stands before a signature. The last is LiteLLM's, whose users bring along what it has told them.
const MARKS: &[(&str, Format)] = &[
    ("__bedrock__", Format::Bedrock),
    ("__gemini__", Format::Gemini),
    ("__vertex__", Format::Vertex),
    ("__thought__", Format::Gemini),
];

/// What a client gets: `id` and, behind it, a signature of `format`'s. For a thought `id` is empty.
pub fn seal(id: &str, format: Format, signature: &str) -> String {
    let mark = MARKS.iter().find(|(_, owner)| *owner == format).map_or("", |(mark, _)| *mark);
    let mut sealed = String::with_capacity(id.len().saturating_add(mark.len()).saturating_add(signature.len()));
    sealed.push_str(id);
    sealed.push_str(mark);
    sealed.extend(signature.trim_end_matches('=').chars().map(|c| match c {
        '+' => '-',
        '/' => '_',
        c => c,
    }));
    sealed
}

/// The id of a call as the provider gave it, and the signature that it brought, as a thought without words.
pub fn open<'a>(id: Str<'a>) -> (Str<'a>, Option<Content<'a>>) {
    let found = parts(&id.to_text()).map(|(id, format, signature)| (id.to_owned(), format, signature));
    match found {
        None => (id, None),
        Some((id, format, signature)) => {
            let proof = Content::Reasoning {
                text: Str::default(),
                signature: Some(Str::plain(signature)),
                format: Some(format),
            };
            (Str::plain(id), Some(proof))
        }
    }
}

/// The signature of a thought as its provider gave it, and whose it is: `other`'s if it is none of ours.
pub fn signature(text: Str<'_>, other: Format) -> (Str<'_>, Format) {
    let found = parts(&text.to_text()).map(|(_, format, signature)| (format, signature));
    match found {
        None => (text, other),
        Some((format, signature)) => (Str::plain(signature), format),
    }
}

/// What stands before the mark, whose it is, and the signature in base64's usual alphabet.
fn parts(text: &str) -> Option<(&str, Format, String)> {
    let (id, format, rest) =
        MARKS.iter().find_map(|(mark, format)| text.split_once(mark).map(|(id, rest)| (id, *format, rest)))?;
    let mut signature: String = rest
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    while !signature.len().is_multiple_of(4) {
        signature.push('=');
    }
    Some((id, format, signature))
}

/// A request without what other providers have sealed into it, if they have: for upstreams of the client's own format, who
/// would refuse it.
pub fn strip(format: Format, doc: &Doc<'_>) -> Option<Vec<u8>> {
    let mut edits = Edits::default();
    let messages = doc.root().get(if format == Format::Responses { "input" } else { "messages" })?;
    match format {
        Format::Responses => {
            messages.items().filter_map(|item| item.get("call_id")).for_each(|id| bare(id, &mut edits));
        }
        Format::Chat => {
            for message in messages.items() {
                let calls = message.get("tool_calls").into_iter().flat_map(Node::items);
                let ids = calls.filter_map(|call| call.get("id")).chain(message.get("tool_call_id"));
                ids.for_each(|id| bare(id, &mut edits));
            }
        }
        Format::Messages => {
            edits.remove_items(messages, is_foreign);
            for content in messages.items().filter(|message| !is_foreign(*message)).filter_map(|m| m.get("content")) {
                edits.remove_items(content, is_sealed);
                let ids = content.items().filter_map(|block| block.get("id").or_else(|| block.get("tool_use_id")));
                ids.for_each(|id| bare(id, &mut edits));
            }
        }
        _ => return None,
    }
    (!edits.is_empty()).then(|| edits.apply(doc).into_bytes())
}

/// Puts an id's own part in its place.
fn bare(id: Node<'_>, edits: &mut Edits) {
    if let Some(text) = id.text()
        && let Some((own, ..)) = parts(&text)
    {
        edits.replace(id, Str::plain(own).to_json());
    }
}

/// Whether a message is made of nothing but thoughts that another provider signed.
fn is_foreign(message: Node<'_>) -> bool {
    let content = || message.get("content").into_iter().flat_map(Node::items);
    content().next().is_some() && content().all(is_sealed)
}

/// Whether a block is a thought that another provider signed.
fn is_sealed(block: Node<'_>) -> bool {
    block.get("signature").and_then(Node::text).is_some_and(|text| parts(&text).is_some())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn opened(id: &str) -> (String, Option<(String, Format)>) {
        let (own, proof) = open(Str::plain(id));
        let proof = proof.map(|proof| match proof {
            Content::Reasoning { signature: Some(signature), format: Some(format), .. } => {
                (signature.to_text().into_owned(), format)
            }
            other => panic!("{other:?}"),
        });
        (own.to_text().into_owned(), proof)
    }

    #[test]
    fn what_is_sealed_opens_as_it_was() {
        for signature in ["AA==", "AAA=", "AAAA", "a+/b", "++++////"] {
            for format in [Format::Gemini, Format::Vertex] {
                let sealed = seal("fc_1", format, signature);
                assert!(sealed.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)), "{sealed}");
                assert_eq!(opened(&sealed), ("fc_1".into(), Some((signature.into(), format))));
            }
        }
        assert_eq!(opened("call_1"), ("call_1".into(), None));
        assert_eq!(opened("call_1__thought__Aw=="), ("call_1".into(), Some(("Aw==".into(), Format::Gemini))));
    }

    #[test]
    fn signatures_of_thoughts() {
        let of = |text| {
            let (signature, format) = signature(Str::plain(text), Format::Messages);
            (signature.to_text().into_owned(), format)
        };
        assert_eq!(of("EqQB+/=="), ("EqQB+/==".into(), Format::Messages));
        assert_eq!(of("__vertex__a-_b"), ("a+/b".into(), Format::Vertex));
    }

    fn stripped(format: Format, messages: &str) -> Option<String> {
        let request = format!(r#"{{"messages": [{messages}], "n": 1}}"#);
        let doc = Doc::strict(request.as_bytes()).unwrap();
        let bytes = strip(format, &doc)?;
        let text = String::from_utf8(bytes).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        let inner = text.strip_prefix(r#"{"messages": ["#).unwrap().strip_suffix(r#"], "n": 1}"#).unwrap();
        Some(inner.to_owned())
    }

    #[test]
    fn ids_of_openais() {
        assert_eq!(stripped(Format::Chat, r#"{"role":"tool","tool_call_id":"a"}"#), None);
        assert_eq!(
            stripped(
                Format::Chat,
                r#"{"tool_calls":[{"id":"a__gemini__b"},{"id":"c"}]}, {"tool_call_id":"a__gemini__b"}, {"content":"d__gemini__e"}"#
            )
            .as_deref(),
            Some(r#"{"tool_calls":[{"id":"a"},{"id":"c"}]}, {"tool_call_id":"a"}, {"content":"d__gemini__e"}"#)
        );
    }

    #[test]
    fn thoughts_and_ids_of_anthropics() {
        const TEXT: &str = r#"{"type":"text","text":"a"}"#;
        const OWN: &str = r#"{"type":"thinking","thinking":"","signature":"EqQB"}"#;
        const SEALED: &str = r#"{"type":"thinking","thinking":"","signature":"__gemini__EqQB"}"#;
        let content = |blocks: &[&str]| format!(r#"{{"content":[{}]}}"#, blocks.join(" , "));
        for blocks in [&[TEXT, OWN][..], &[]] {
            assert_eq!(stripped(Format::Messages, &content(blocks)), None);
        }
        for (blocks, kept) in [
            (&[SEALED, TEXT][..], TEXT.to_owned()),
            (&[TEXT, SEALED], TEXT.to_owned()),
            (&[SEALED, SEALED, OWN, SEALED, TEXT, SEALED, SEALED], format!("{OWN} , {TEXT}")),
        ] {
            let expected = format!(r#"{{"content":[{kept}]}}"#);
            assert_eq!(stripped(Format::Messages, &content(blocks)), Some(expected), "{blocks:?}");
        }
        // A message of nothing else goes as a whole.
        let messages = [content(&[SEALED]), content(&[TEXT]), content(&[SEALED, SEALED])].join(",");
        assert_eq!(stripped(Format::Messages, &messages), Some(content(&[TEXT])));
        assert_eq!(
            stripped(
                Format::Messages,
                r#"{"content":[{"id":"a__vertex__b"}]},{"content":[{"tool_use_id":"a__vertex__b"}]}"#
            ),
            Some(r#"{"content":[{"id":"a"}]},{"content":[{"tool_use_id":"a"}]}"#.into())
        );
    }
}
