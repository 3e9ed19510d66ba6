#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::error::Kind;
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::usage::Usage;

/// An answer with one choice, of blocks with their deltas.
fn answer(blocks: &[(BlockKind<'_>, &[Delta<'_>])], reason: FinishReason<'_>) -> Answer {
    let mut answer = Answer::default();
    answer.add(Event::Start { id: "msg_1".into(), model: "claude".into(), created: None });
    for ((kind, deltas), block) in blocks.iter().zip(0..) {
        answer.add(Event::BlockStart { choice: 0, block, kind: kind.clone() });
        for delta in *deltas {
            answer.add(Event::BlockDelta { choice: 0, block, delta: delta.clone() });
        }
        answer.add(Event::BlockStop { choice: 0, block });
    }
    answer.add(Event::Finish { choice: 0, reason, stop_sequence: None });
    answer.add(Event::End);
    answer
}

fn text(text: &'static str) -> Delta<'static> {
    Delta::Text(text.into())
}

fn written(answer: &Answer) -> String {
    String::from_utf8(Chat.answer(answer, &asked())).unwrap()
}

const HEAD: &str = r#"{"id":"chatcmpl-msg_1","object":"chat.completion","created":1700000000,"model":"smart","choices":[{"index":0,"message":{"role":"assistant","#;

#[track_caller]
fn check(answer: &Answer, rest: &str) {
    assert_eq!(written(answer), format!("{HEAD}{rest}"));
}

fn call(id: &'static str, name: &'static str) -> BlockKind<'static> {
    BlockKind::ToolCall { id: id.into(), name: name.into() }
}

#[test]
fn text_is_one_string() {
    let blocks: &[(_, &[_])] = &[(BlockKind::Text, &[text("a \"b\""), text("\n")]), (BlockKind::Text, &[text("c")])];
    check(
        &answer(blocks, FinishReason::Stop),
        r#""content":"a \"b\"\nc","refusal":null},"logprobs":null,"finish_reason":"stop"}]}"#,
    );
    check(
        &answer(&[], FinishReason::Stop),
        r#""content":"","refusal":null},"logprobs":null,"finish_reason":"stop"}]}"#,
    );
}

#[test]
fn the_id_is_the_providers() {
    let id = |id: &'static str| {
        let answer = Answer { id: id.into(), created: Some(5), ..Answer::default() };
        written(&answer).split_once(r#","object""#).unwrap().0.to_owned()
    };
    assert_eq!(id("chatcmpl-7"), r#"{"id":"chatcmpl-7""#);
    assert_eq!(id("msg_7"), r#"{"id":"chatcmpl-msg_7""#);
    assert_eq!(id(""), r#"{"id":"chatcmpl-1700000000000000000000002a""#);
    let created = Answer { created: Some(5), ..Answer::default() };
    assert!(written(&created).contains(r#""created":5,"#));
}

#[test]
fn tools_are_called_with_an_object() {
    let blocks: &[(_, &[_])] = &[
        (call("t1", "f"), &[Delta::Arguments("{\"a\":".into()), Delta::Arguments(" 1}".into())]),
        (call("", "g"), &[]),
        (call("", "h"), &[]),
    ];
    check(
        &answer(blocks, FinishReason::ToolCalls),
        concat!(
            r#""content":null,"refusal":null,"tool_calls":["#,
            r#"{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},"#,
            r#"{"id":"call_1_1700000000000000000000002a","type":"function","function":{"name":"g","arguments":"{}"}},"#,
            r#"{"id":"call_2_1700000000000000000000002a","type":"function","function":{"name":"h","arguments":"{}"}}]},"#,
            r#""logprobs":null,"finish_reason":"tool_calls"}]}"#,
        ),
    );
}

#[test]
fn thought_can_be_given_back() {
    let blocks: &[(_, &[_])] = &[
        (BlockKind::Reasoning, &[text("h\nm"), Delta::Signature("sig".into())]),
        (BlockKind::RedactedReasoning { data: "sealed".into() }, &[]),
        (BlockKind::Reasoning, &[text("!")]),
        (BlockKind::Text, &[text("x")]),
    ];
    check(
        &answer(blocks, FinishReason::Stop),
        concat!(
            r#""content":"x","refusal":null,"reasoning_content":"h\nm!","thinking_blocks":["#,
            r#"{"type":"thinking","thinking":"h\nm","signature":"sig"},{"type":"redacted_thinking","data":"sealed"}]},"#,
            r#""logprobs":null,"finish_reason":"stop"}]}"#,
        ),
    );
    let unsigned: &[(_, &[_])] = &[(BlockKind::Reasoning, &[text("hm")])];
    check(
        &answer(unsigned, FinishReason::Length),
        r#""content":"","refusal":null,"reasoning_content":"hm"},"logprobs":null,"finish_reason":"length"}]}"#,
    );
}

#[test]
fn a_refusal_in_words_is_an_answer() {
    check(
        &answer(&[(BlockKind::Refusal, &[text("no")])], FinishReason::Refusal),
        r#""content":null,"refusal":"no"},"logprobs":null,"finish_reason":"stop"}]}"#,
    );
    check(
        &answer(&[(BlockKind::Text, &[text("I ")])], FinishReason::Refusal),
        r#""content":"I ","refusal":null},"logprobs":null,"finish_reason":"content_filter"}]}"#,
    );
}

#[test]
fn finish_reasons_are_openais() {
    let finish = |reason: FinishReason<'_>, tools: bool| {
        let block = if tools { call("t", "f") } else { BlockKind::Text };
        let written = written(&answer(&[(block, &[])], reason));
        let (_, finish) = written.split_once(r#""finish_reason":"#).unwrap();
        finish.trim_end_matches("}]}").to_owned()
    };
    assert_eq!(finish(FinishReason::ContentFilter, false), r#""content_filter""#);
    assert_eq!(finish(FinishReason::ContextWindow, false), r#""length""#);
    assert_eq!(finish(FinishReason::Length, false), r#""length""#);
    assert_eq!(finish(FinishReason::Other("odd".into()), false), r#""stop","native_finish_reason":"odd""#);
    assert_eq!(finish(FinishReason::Other("odd".into()), true), r#""tool_calls","native_finish_reason":"odd""#);
    assert_eq!(finish(FinishReason::Pause, false), r#""stop""#);
    assert_eq!(finish(FinishReason::StopSequence, false), r#""stop""#);
    assert_eq!(finish(FinishReason::Stop, true), r#""stop""#);
}

#[test]
fn citations_of_addresses_are_annotations() {
    let web = Delta::Citation {
        format: Format::Messages,
        raw: r#"{"type":"web_search_result_location","url":"https://a.b","title":"T\u00e9","cited_text":"c"}"#,
    };
    let page = Delta::Citation { format: Format::Messages, raw: r#"{"type":"page_location","document_index":0}"# };
    let own = Delta::Citation {
        format: Format::Chat,
        raw: r#"{"type":"url_citation","url_citation":{"url":"u","start_index":1,"end_index":2}}"#,
    };
    let blocks: &[(_, &[_])] =
        &[(BlockKind::Text, &[text("né "), page.clone()]), (BlockKind::Text, &[text("two"), web, own])];
    check(
        &answer(blocks, FinishReason::Stop),
        concat!(
            r#""content":"né two","refusal":null,"annotations":["#,
            r#"{"type":"url_citation","url_citation":{"start_index":3,"end_index":6,"title":"T\u00e9","url":"https://a.b"}},"#,
            r#"{"type":"url_citation","url_citation":{"start_index":1,"end_index":2,"title":"","url":"u"}}]},"logprobs":null,"finish_reason":"stop"}]}"#,
        ),
    );
    let blocks: &[(_, &[_])] = &[(BlockKind::Text, &[text("a"), page])];
    check(
        &answer(blocks, FinishReason::Stop),
        r#""content":"a","refusal":null},"logprobs":null,"finish_reason":"stop"}]}"#,
    );
}

#[test]
fn probabilities_are_put_together() {
    let one: &[(_, &[_])] = &[(BlockKind::Text, &[text("a"), Delta::Logprobs(r#"{"content":[{"token":"a"}]}"#)])];
    check(
        &answer(one, FinishReason::Stop),
        r#""content":"a","refusal":null},"logprobs":{"content":[{"token":"a"}]},"finish_reason":"stop"}]}"#,
    );
    let two: &[(_, &[_])] = &[(
        BlockKind::Text,
        &[
            text("ab"),
            Delta::Logprobs(r#"{"content":[{"token":"a"}],"refusal":null}"#),
            Delta::Logprobs(r#"{"content":[{"token":"b"}],"refusal":null}"#),
        ],
    )];
    check(
        &answer(two, FinishReason::Stop),
        concat!(
            r#""content":"ab","refusal":null},"logprobs":{"content":[{"token":"a"},{"token":"b"}],"refusal":null},"#,
            r#""finish_reason":"stop"}]}"#,
        ),
    );
}

#[test]
fn usage_includes_the_cache() {
    let mut answer = answer(&[(BlockKind::Text, &[text("x")])], FinishReason::Stop);
    let usage = Usage {
        input: 100,
        output: 20,
        cache_read: 30,
        cache_write: 40,
        cache_write_1h: 0,
        reasoning: 5,
        input_audio: 6,
        output_audio: 7,
        ..Usage::default()
    };
    answer.add(Event::Usage { usage, service_tier: Some("standard".into()) });
    let whole = written(&answer);
    let (_, rest) = whole.split_once("}],").unwrap();
    let expected = concat!(
        r#""usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":"#,
        r#"{"cached_tokens":30,"cache_write_tokens":40,"cache_creation_tokens":40,"audio_tokens":6},"#,
        r#""completion_tokens_details":{"reasoning_tokens":5,"audio_tokens":7}},"service_tier":"default"}"#,
    );
    assert_eq!(rest, expected);
    answer.service_tier = Some("batch".into());
    assert!(!written(&answer).contains("service_tier"));
}

#[test]
fn choices_stay_apart() {
    let mut answer = Answer { id: "chatcmpl-1".into(), ..Answer::default() };
    for choice in 0..2 {
        answer.add(Event::BlockStart { choice, block: 0, kind: BlockKind::Text });
        let delta = Delta::Text(if choice == 0 { "a" } else { "b" }.into());
        answer.add(Event::BlockDelta { choice, block: 0, delta });
        answer.add(Event::Finish { choice, reason: FinishReason::Stop, stop_sequence: None });
    }
    let one = |index: u32, text: &str| {
        format!(
            r#"{{"index":{index},"message":{{"role":"assistant","content":"{text}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}"#
        )
    };
    let head = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"smart","choices":["#;
    assert_eq!(written(&answer), format!("{head}{},{}]}}", one(0, "a"), one(1, "b")));
}

#[test]
fn errors_name_their_place() {
    let written = |error: &Error| String::from_utf8(Chat.error(error)).unwrap();
    let error = Error::invalid("required").at("content").at_index(2).at("messages");
    assert_eq!(
        written(&error),
        concat!(
            r#"{"error":{"message":"`messages[2].content`: required","type":"invalid_request_error","#,
            r#""param":"messages[2].content","code":null}}"#,
        ),
    );
    let error = Error::new(Kind::RateLimit, "slow \"down\"").code("tokens").with_status(429).at("x");
    assert_eq!(
        written(&error),
        r#"{"error":{"message":"slow \"down\"","type":"rate_limit_error","param":"x","code":"tokens"}}"#,
    );
    let mut out = b"before".to_vec();
    Chat.stream_error(&Error::new(Kind::Overloaded, "busy"), 1, &mut out);
    let expected = "beforedata: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
