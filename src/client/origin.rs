//! Where a call comes from: what all calls of a conversation or of a user have in common.

use crate::json::Node;

/// A number for the origin of a request in any client's format: the key that it names for the provider's cache of prompts,
/// else its user, else the start of its conversation, which is what such caches go by.
pub fn origin(root: Node<'_>) -> u64 {
    let named = ["prompt_cache_key", "safety_identifier", "user"].into_iter().find_map(|name| text(root.get(name)?));
    let named = named.or_else(|| text(root.get("metadata")?.get("user_id")?));
    match named {
        Some(name) => hash(START, name),
        None => start(root),
    }
}

fn text(node: Node<'_>) -> Option<&str> {
    node.str().map(|_| node.raw()).filter(|raw| raw.len() > 2)
}

/// The instructions, and the conversation up to the first words of the user.
fn start(root: Node<'_>) -> u64 {
    let mut sum = START;
    for name in ["system", "instructions"] {
        sum = root.get(name).map_or(sum, |node| hash(sum, node.raw()));
    }
    let Some(turns) =
        root.get("messages").or_else(|| root.get("input")).or_else(|| root.get("contents").or(root.get("prompt")))
    else {
        return sum;
    };
    if turns.items().next().is_none() {
        return hash(sum, turns.raw());
    }
    for turn in turns.items() {
        sum = hash(sum, turn.raw());
        if turn.get("role").and_then(Node::text).is_some_and(|role| role == "user") {
            break;
        }
    }
    sum
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, eight bytes at a time: requests are long.
fn hash(start: u64, text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let add = |hash: u64, part: u64| (hash ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    let sum = words.iter().fold(start, |sum, word| add(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| add(sum, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::json::Doc;

    fn of(json: &str) -> u64 {
        origin(Doc::strict(json.as_bytes()).unwrap().root())
    }

    #[test]
    fn a_conversation_keeps_its_origin() {
        for (first, later) in [
            (
                r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"}]}"#,
                r#"{"temperature":1,"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}"#,
            ),
            (
                r#"{"instructions":"s","input":[{"role":"user","content":"a"}]}"#,
                r#"{"instructions":"s","input":[{"role":"user","content":"a"},{"type":"function_call","name":"f"}]}"#,
            ),
            (r#"{"user":"u","messages":[{"role":"user","content":"a"}]}"#, r#"{"messages":[],"user":"u"}"#),
            (r#"{"prompt_cache_key":"k","user":"u"}"#, r#"{"prompt_cache_key":"k","user":"v"}"#),
            (r#"{"metadata":{"user_id":"u"}}"#, r#"{"metadata":{"user_id":"u"},"system":"s"}"#),
        ] {
            assert_eq!(of(first), of(later), "{first}");
        }
    }

    #[test]
    fn others_have_another() {
        let mut all: Vec<u64> = [
            r#"{"messages":[{"role":"user","content":"a"}]}"#,
            r#"{"messages":[{"role":"user","content":"b"}]}"#,
            r#"{"system":"s","messages":[{"role":"user","content":"a"}]}"#,
            r#"{"system":"t","messages":[{"role":"user","content":"a"}]}"#,
            r#"{"user":"u"}"#,
            r#"{"user":"v"}"#,
            r#"{"user":""}"#,
            r#"{"input":"a"}"#,
            r#"{"input":"b"}"#,
        ]
        .map(of)
        .to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 9);
    }
}
