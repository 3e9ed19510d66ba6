#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::error::Kind;
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::usage::Usage;

/// The stream of `events`, without what is the same in every chunk: choices, or what follows them.
#[track_caller]
fn stream(ask: &Ask, events: Vec<Event<'_>>) -> Vec<String> {
    const HEAD: &str = r#"data: {"id":"chatcmpl-m1","object":"chat.completion.chunk","created":1700000000,"model":"smart","choices":["#;
    let mut out = Vec::new();
    let mut writer = Chat.stream(ask).unwrap();
    events.into_iter().for_each(|event| writer.event(event, &mut out));
    let text = String::from_utf8(out).unwrap();
    assert!(text.is_empty() || text.ends_with("\n\n"));
    text.split_terminator("\n\n").map(|chunk| chunk.strip_prefix(HEAD).unwrap_or(chunk).to_owned()).collect()
}

fn start() -> Event<'static> {
    Event::Start { id: "m1".into(), model: "claude".into(), created: None }
}

fn open(block: u32, kind: BlockKind<'static>) -> Event<'static> {
    Event::BlockStart { choice: 0, block, kind }
}

fn more(block: u32, delta: Delta<'static>) -> Event<'static> {
    Event::BlockDelta { choice: 0, block, delta }
}

fn text(block: u32, text: &'static str) -> Event<'static> {
    more(block, Delta::Text(text.into()))
}

fn stop(block: u32) -> Event<'static> {
    Event::BlockStop { choice: 0, block }
}

fn finish(reason: FinishReason<'static>) -> Event<'static> {
    Event::Finish { choice: 0, reason, stop_sequence: None }
}

fn used(tier: Option<&'static str>) -> Event<'static> {
    Event::Usage { usage: Usage { input: 3, output: 2, ..Usage::default() }, service_tier: tier.map(Into::into) }
}

/// A chunk of the first choice that goes on.
fn delta(delta: &str) -> String {
    format!(r#"{{"index":0,"delta":{{{delta}}},"finish_reason":null}}]}}"#)
}

/// The first delta of a choice that begins with text, and of another one.
const ROLE: &str = r#""role":"assistant","content":"""#;
const ROLE_ALONE: &str = r#""role":"assistant","content":null"#;
const STOP: &str = r#"{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

#[test]
fn text_streams() {
    let events = vec![
        start(),
        Event::Ping,
        open(0, BlockKind::Text),
        text(0, "a \"b\""),
        text(0, ""),
        text(0, "\n"),
        stop(0),
        finish(FinishReason::Stop),
        used(None),
        Event::End,
        Event::End,
        text(0, "late"),
    ];
    let expected = [&delta(ROLE), &delta(r#""content":"a \"b\"""#), &delta(r#""content":"\n""#), STOP, "data: [DONE]"];
    assert_eq!(stream(&asked(), events), expected);
}

#[test]
fn every_byte_of_a_chunk() {
    let mut out = Vec::new();
    let mut writer = Chat.stream(&asked()).unwrap();
    let start = Event::Start { id: "chatcmpl-9".into(), model: "gpt".into(), created: Some(5) };
    writer.event(start, &mut out);
    assert!(out.is_empty());
    writer.event(open(0, BlockKind::Text), &mut out);
    let expected = concat!(
        r#"data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":5,"model":"smart","choices":"#,
        r#"[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        "\n\n",
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn usage_comes_last_to_those_who_asked() {
    let ask = Ask { include_usage: true, ..asked() };
    let events = vec![
        start(),
        used(Some("standard")),
        open(0, BlockKind::Text),
        stop(0),
        finish(FinishReason::Length),
        used(None),
        Event::End,
    ];
    let expected = [
        r#"{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"service_tier":"default","usage":null}"#,
        r#"{"index":0,"delta":{},"finish_reason":"length"}],"service_tier":"default","usage":null}"#,
        concat!(
            r#"],"service_tier":"default","usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"#,
            r#""prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"cache_creation_tokens":0,"audio_tokens":0},"#,
            r#""completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}}"#,
        ),
        "data: [DONE]",
    ];
    assert_eq!(stream(&ask, events), expected);
}

#[test]
fn tool_calls_count_from_zero() {
    let call = |id: &'static str, name: &'static str| BlockKind::ToolCall { id: id.into(), name: name.into() };
    let arguments = |block, piece: &'static str| more(block, Delta::Arguments(piece.into()));
    let events = vec![
        start(),
        open(0, BlockKind::Text),
        text(0, "x"),
        stop(0),
        open(1, call("t1", "f")),
        arguments(1, ""),
        arguments(1, "{\"a\""),
        // Calls may interleave.
        open(2, call("", "g")),
        arguments(1, ":1}"),
        stop(1),
        stop(2),
        finish(FinishReason::ToolCalls),
        Event::End,
    ];
    let expected = [
        &delta(ROLE),
        &delta(r#""content":"x""#),
        &delta(r#""tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":""}}]"#),
        &delta(r#""tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]"#),
        &delta(
            r#""tool_calls":[{"index":1,"id":"call_1_1700000000000000000000002a","type":"function","function":{"name":"g","arguments":""}}]"#,
        ),
        &delta(r#""tool_calls":[{"index":0,"function":{"arguments":":1}"}}]"#),
        &delta(r#""tool_calls":[{"index":1,"function":{"arguments":"{}"}}]"#),
        r#"{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
        "data: [DONE]",
    ];
    assert_eq!(stream(&asked(), events), expected);
}

#[test]
fn thought_streams_and_is_signed_whole() {
    let events = vec![
        start(),
        open(0, BlockKind::Reasoning),
        text(0, "h\n"),
        text(0, "m"),
        more(0, Delta::Signature("sig".into())),
        stop(0),
        open(1, BlockKind::RedactedReasoning { data: "sealed".into() }),
        stop(1),
        open(2, BlockKind::Reasoning),
        text(2, "unsigned"),
        stop(2),
    ];
    let expected = [
        delta(ROLE_ALONE),
        delta(r#""reasoning_content":"h\n""#),
        delta(r#""reasoning_content":"m""#),
        delta(r#""thinking_blocks":[{"index":0,"type":"thinking","thinking":"h\nm","signature":"sig"}]"#),
        delta(r#""thinking_blocks":[{"index":1,"type":"redacted_thinking","data":"sealed"}]"#),
        delta(r#""reasoning_content":"unsigned""#),
    ];
    assert_eq!(stream(&asked(), events), expected);
}

#[test]
fn refusals_citations_and_probabilities_stream() {
    let refusal = vec![start(), open(0, BlockKind::Refusal), text(0, "no"), stop(0), finish(FinishReason::Refusal)];
    assert_eq!(stream(&asked(), refusal), [&delta(ROLE_ALONE), &delta(r#""refusal":"no""#), STOP]);

    let web = Delta::Citation { format: Format::Messages, raw: r#"{"url":"https://a.b","title":"T"}"# };
    let page = Delta::Citation { format: Format::Messages, raw: r#"{"type":"page_location"}"# };
    let events = vec![
        start(),
        open(0, BlockKind::Text),
        text(0, "né "),
        more(0, page),
        stop(0),
        open(1, BlockKind::Text),
        more(1, web),
        text(1, "two"),
        stop(1),
        open(2, BlockKind::Text),
        text(2, "x"),
        more(2, Delta::Logprobs("{\"content\":\n[]}")),
    ];
    let annotation = concat!(
        r#""annotations":[{"index":0,"type":"url_citation","url_citation":"#,
        r#"{"start_index":3,"end_index":6,"title":"T","url":"https://a.b"}}]"#,
    );
    let expected = [
        delta(ROLE),
        delta(r#""content":"né ""#),
        delta(r#""content":"two""#),
        delta(annotation),
        delta(r#""content":"x""#),
        r#"{"index":0,"delta":{},"logprobs":{"content":[]},"finish_reason":null}]}"#.to_owned(),
    ];
    assert_eq!(stream(&asked(), events), expected);
}

#[test]
fn what_clients_have_no_word_for_is_left_out() {
    let native = BlockKind::Native { format: Format::Messages, raw: r#"{"type":"server_tool_use"}"#.into() };
    let events = vec![
        start(),
        open(0, native),
        more(0, Delta::Native(r#"{"partial_json":"{}"}"#)),
        text(0, "hidden"),
        stop(0),
        Event::Unknown,
        finish(FinishReason::Other("odd".into())),
        Event::End,
    ];
    let finish = r#"{"index":0,"delta":{},"finish_reason":"stop","native_finish_reason":"odd"}]}"#;
    assert_eq!(stream(&asked(), events), [&delta(ROLE_ALONE), finish, "data: [DONE]"]);
}

#[test]
fn choices_interleave() {
    let block = |choice| Event::BlockStart { choice, block: 0, kind: BlockKind::Text };
    let say = |choice, text: &'static str| Event::BlockDelta { choice, block: 0, delta: Delta::Text(text.into()) };
    let events = vec![
        start(),
        block(0),
        block(1),
        say(1, "b"),
        say(0, "a"),
        Event::Finish { choice: 1, reason: FinishReason::Stop, stop_sequence: None },
        // A number from outside that is no choice.
        say(u32::MAX, "c"),
    ];
    let second = |rest: &str| format!(r#"{{"index":1,"delta":{rest}}}]}}"#);
    let expected = [
        delta(ROLE),
        second(r#"{"role":"assistant","content":""},"finish_reason":null"#),
        second(r#"{"content":"b"},"finish_reason":null"#),
        delta(r#""content":"a""#),
        second(r#"{},"finish_reason":"stop""#),
    ];
    assert_eq!(stream(&asked(), events), expected);
}

#[test]
fn after_an_error_there_is_nothing() {
    let error = Error::new(Kind::Overloaded, "busy\n");
    let events = vec![start(), Event::Error(error), Event::End, open(0, BlockKind::Text)];
    let expected = r#"data: {"error":{"message":"busy\n","type":"server_error","param":null,"code":"overloaded"}}"#;
    assert_eq!(stream(&asked(), events), [expected]);
}
