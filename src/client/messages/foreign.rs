//! What other providers' answers have left in a conversation that goes on at Anthropic.
//!
//! Clients send it back, and Anthropic refuses it: thought that nobody has signed, and ids of calls in letters that it does
//! not take. A turn under way that began elsewhere without thought goes with no budget for it either.

use crate::json::{Doc, Edits, Node};
use crate::wire::Dropped;
use crate::wire::names::tool_id;

/// The letters of a call's id: as many as every provider takes.
const ID: usize = 64;

/// How Anthropic's own ids of calls begin.
const OWN: &str = "toolu_";

/// The request without it; nothing if there is nothing of it.
pub fn without(doc: &Doc<'_>, dropped: &mut Dropped) -> Option<Vec<u8>> {
    let root = doc.root();
    let messages = root.get("messages")?;
    let mut edits = Edits::default();
    edits.remove_items(messages, says_nothing);
    for message in messages.items().filter(|message| !says_nothing(*message)) {
        if blocks(message).any(unsigned) {
            message.get("content").into_iter().for_each(|content| edits.remove_items(content, unsigned));
        }
        for id in blocks(message).filter_map(call_id) {
            let given = id.str().unwrap_or_default();
            let sent = tool_id(&given, ID);
            if sent != given {
                edits.replace(id, sent.to_json());
            }
        }
    }
    if messages.items().flat_map(blocks).any(unsigned) {
        dropped.forget("reasoning");
    }
    let thinking = root.get("thinking").filter(|thinking| is(*thinking, "type", "enabled"));
    if let Some(thinking) = thinking.filter(|_| thoughtless(messages)) {
        dropped.forget("thinking");
        edits.replace(thinking, r#"{"type":"disabled"}"#);
    }
    (!edits.is_empty()).then(|| edits.apply(doc).into_bytes())
}

/// The blocks of a message; none if it is a string.
fn blocks(message: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    message.get("content").into_iter().flat_map(Node::items)
}

fn is(object: Node<'_>, name: &str, word: &str) -> bool {
    object.get(name).and_then(Node::str).is_some_and(|text| text == word)
}

/// Whether a block is thought that nobody has signed.
fn unsigned(block: Node<'_>) -> bool {
    is(block, "type", "thinking") && block.get("signature").and_then(Node::str).is_none_or(|text| text.is_empty())
}

/// Whether a message holds unsigned thought and nothing else.
fn says_nothing(message: Node<'_>) -> bool {
    blocks(message).next().is_some() && blocks(message).all(unsigned)
}

/// The id in a call or in a result.
fn call_id(block: Node<'_>) -> Option<Node<'_>> {
    match &*block.get("type")?.text()? {
        "tool_result" => block.get("tool_use_id"),
        "tool_use" => block.get("id"),
        _ => None,
    }
}

/// Whether results are given to a turn that began elsewhere and has no thought at its start.
fn thoughtless(messages: Node<'_>) -> bool {
    let list: Vec<Node<'_>> = messages.items().collect();
    let model = |message: &Node<'_>| is(*message, "role", "assistant");
    let Some(end) = list.iter().rposition(model) else { return false };
    let (before, after) = list.split_at_checked(end.saturating_add(1)).unwrap_or_default();
    let answered = after.first().and_then(|message| blocks(*message).next());
    let start = before.iter().rposition(|message| !model(message)).map_or(0, |at| at.saturating_add(1));
    let turn = || before.iter().skip(start).flat_map(|message| blocks(*message));
    let elsewhere = |block: Node<'_>| {
        let id = call_id(block).and_then(Node::text);
        unsigned(block) || id.is_some_and(|id| !id.starts_with(OWN))
    };
    let first = turn().find(|block| !unsigned(*block));
    answered.is_some_and(|block| is(block, "type", "tool_result"))
        && turn().any(elsewhere)
        && first.is_some_and(|block| is(block, "type", "tool_use") || is(block, "type", "text"))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn sent(request: &str) -> (Option<String>, Vec<String>) {
        let doc = Doc::strict(request.as_bytes()).unwrap();
        let mut dropped = Dropped::default();
        let body = without(&doc, &mut dropped).map(|body| String::from_utf8(body).unwrap());
        (body, dropped.names.into_iter().map(|name| name.into_owned()).collect())
    }

    const RESULT: &str = r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"x"}]}"#;

    #[test]
    fn what_anthropic_said_stays() {
        for talk in [
            r#"{"role":"user","content":"a"}"#.to_owned(),
            format!(
                r#"{{"role":"assistant","content":[{{"type":"thinking","thinking":"","signature":"s"}},
                {{"type":"tool_use","id":"toolu_1","name":"f","input":{{"type":"thinking"}}}}]}},{RESULT}"#
            ),
            // The client has lost the thought, and is told so.
            format!(r#"{{"role":"assistant","content":[{{"type":"tool_use","id":"toolu_1"}}]}},{RESULT}"#),
        ] {
            let request = format!(r#"{{"messages":[{talk}],"thinking":{{"type":"enabled","budget_tokens":1024}}}}"#);
            assert_eq!(sent(&request), (None, vec![]), "{request}");
        }
        assert_eq!(sent("{}"), (None, vec![]));
    }

    #[test]
    fn unsigned_thought_goes() {
        let request = r#"{"messages":[{"role":"user","content":"a"},
            {"role":"assistant","content":[{"type":"thinking","thinking":"b","signature":""},{"type":"text","text":"c"}]},
            {"role":"assistant","content":[{"type":"thinking","thinking":"b"}]},{"role":"user","content":"d"}]}"#;
        let body = r#"{"messages":[{"role":"user","content":"a"},
            {"role":"assistant","content":[{"type":"text","text":"c"}]},
            {"role":"user","content":"d"}]}"#;
        assert_eq!(sent(request), (Some(body.into()), vec!["reasoning".into()]));
    }

    #[test]
    fn ids_keep_to_the_letters() {
        let request = r#"{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"functions.f:0"}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"functions.f:0"}]}]}"#;
        let id = tool_id(&"functions.f:0".into(), ID).decode().into_owned();
        assert_eq!(sent(request), (Some(request.replace("functions.f:0", &id)), vec![]));
    }

    #[test]
    fn a_turn_that_began_elsewhere_has_no_budget() {
        let result = RESULT.replace("toolu_1", "call_1");
        let call = r#"{"type":"tool_use","id":"call_1","name":"f","input":{}}"#;
        for (first, names) in [
            ("", vec!["thinking"]),
            (r#"{"type":"text","text":"a"},"#, vec!["thinking"]),
            (r#"{"type":"thinking","thinking":"a","signature":""},"#, vec!["reasoning", "thinking"]),
        ] {
            let talk = format!(r#"{{"role":"assistant","content":[{first}{call}]}},{result}"#);
            let request = format!(r#"{{"thinking":{{"type":"enabled","budget_tokens":1024}},"messages":[{talk}]}}"#);
            let (body, dropped) = sent(&request);
            assert!(body.is_some_and(|body| body.starts_with(r#"{"thinking":{"type":"disabled"},"#)), "{request}");
            assert_eq!(dropped, names);
            let adaptive = request.replace("enabled", "adaptive");
            assert!(!sent(&adaptive).1.contains(&"thinking".into()));
        }
        // Not under way.
        let over =
            format!(r#"{{"role":"assistant","content":[{call}]}},{result},{{"role":"assistant","content":"b"}}"#);
        let request =
            format!(r#"{{"thinking":{{"type":"enabled"}},"messages":[{over},{{"role":"user","content":"c"}}]}}"#);
        assert_eq!(sent(&request), (None, vec![]));
    }
}
