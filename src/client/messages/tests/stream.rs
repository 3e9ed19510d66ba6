#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::Str;
use crate::usage::Usage;

/// All bytes that the events make.
fn bytes(events: Vec<Event<'_>>) -> String {
    let mut writer = Messages.stream(&ask()).unwrap();
    let mut out = Vec::new();
    events.into_iter().for_each(|event| writer.event(event, &mut out));
    String::from_utf8(out).unwrap()
}

/// What happens to blocks, an event a line, in short: `0 start KIND`, `0 text a`, `0 stop`.
fn story(events: Vec<Event<'_>>) -> Vec<String> {
    let mut lines = Vec::new();
    for event in bytes(events).split_terminator("\n\n") {
        let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"], name);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        match name {
            "content_block_start" => {
                lines.push(format!("{} start {}", data["index"], text(&data["content_block"]["type"])));
            }
            "content_block_delta" => {
                let delta = data["delta"].as_object().unwrap();
                let (kind, value) = delta.iter().nth(1).unwrap();
                assert!(delta["type"].as_str().unwrap().ends_with("_delta"));
                lines.push(format!("{} {kind} {}", data["index"], text(value)));
            }
            "content_block_stop" => lines.push(format!("{} stop", data["index"])),
            "message_delta" => lines.push(text(&data["delta"]["stop_reason"])),
            _ => {}
        }
    }
    lines
}

fn open(block: u32, kind: BlockKind<'_>) -> Event<'_> {
    Event::BlockStart { choice: 0, block, kind }
}

fn delta(block: u32, delta: Delta<'_>) -> Event<'_> {
    Event::BlockDelta { choice: 0, block, delta }
}

fn text(block: u32, piece: &str) -> Event<'_> {
    delta(block, Delta::Text(piece.into()))
}

fn arguments(block: u32, piece: &str) -> Event<'_> {
    delta(block, Delta::Arguments(piece.into()))
}

fn stop(block: u32) -> Event<'static> {
    Event::BlockStop { choice: 0, block }
}

fn tool(id: &'static str) -> BlockKind<'static> {
    BlockKind::ToolCall { id: id.into(), name: "find".into() }
}

fn start() -> Event<'static> {
    Event::Start { id: "msg_1".into(), model: "claude".into(), created: None }
}

fn usage(input: u64, output: u64) -> Event<'static> {
    Event::Usage { usage: Usage { input, output, ..Usage::default() }, service_tier: None }
}

#[test]
fn text_whole() {
    let stream = bytes(vec![
        start(),
        open(0, BlockKind::Text),
        text(0, "Hi \"you\"\n"),
        delta(0, Delta::Text(Str::escaped(r"\u00e9"))),
        stop(0),
        Event::Finish { choice: 0, reason: FinishReason::StopSequence, stop_sequence: Some("END".into()) },
        usage(12, 3),
        Event::End,
        Event::Ping,
    ]);
    assert_eq!(
        stream,
        concat!(
            "event: message_start\n",
            r#"data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","#,
            r#""model":"smart","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"#,
            r#""usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"#,
            r#""cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":0}}}"#,
            "\n\nevent: ping\n",
            r#"data: {"type": "ping"}"#,
            "\n\nevent: content_block_start\n",
            r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            "\n\nevent: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi \"you\"\n"}}"#,
            "\n\nevent: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\u00e9"}}"#,
            "\n\nevent: content_block_stop\n",
            r#"data: {"type":"content_block_stop","index":0}"#,
            "\n\nevent: message_delta\n",
            r#"data: {"type":"message_delta","#,
            r#""delta":{"stop_reason":"stop_sequence","stop_sequence":"END","stop_details":null},"#,
            r#""usage":{"input_tokens":12,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":3}}"#,
            "\n\nevent: message_stop\n",
            r#"data: {"type":"message_stop"}"#,
            "\n\n",
        )
    );
}

#[test]
fn each_kind_of_block() {
    let stream = bytes(vec![
        open(0, BlockKind::RedactedReasoning { data: "d==".into() }),
        stop(0),
        open(1, BlockKind::Reasoning),
        text(1, "hm"),
        delta(1, Delta::Signature("s==".into())),
        stop(1),
        open(2, BlockKind::Text),
        text(2, "x"),
        delta(2, Delta::Citation { format: Format::Messages, raw: "{\n\"type\":\"page_location\"}" }),
        delta(2, Delta::Citation { format: Format::Chat, raw: "{}" }),
        delta(2, Delta::Logprobs("{}")),
        stop(2),
        open(3, tool("call_1")),
        arguments(3, ""),
        arguments(3, "{\"a\":"),
        arguments(3, "1}"),
        stop(3),
        open(
            4,
            BlockKind::Native {
                format: Format::Messages,
                raw: "{\"type\":\"server_tool_use\",\r\n\"input\":{}}".into(),
            },
        ),
        delta(4, Delta::Native("{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}")),
        stop(4),
        open(5, BlockKind::Native { format: Format::Chat, raw: "{}".into() }),
        delta(5, Delta::Native("{}")),
        stop(5),
    ]);
    let data: Vec<&str> = stream.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(
        data,
        [
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"d=="}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"signature_delta","signature":"s=="}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"x"}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{"type":"page_location"}}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"call_1","name":"find","input":{}}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
            r#"{"type":"content_block_stop","index":3}"#,
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"server_tool_use","input":{}}}"#,
            r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
            r#"{"type":"content_block_stop","index":4}"#,
        ]
    );
}

#[test]
fn text_and_thought_that_alternate_go_on_in_new_blocks() {
    let story = story(vec![
        open(0, BlockKind::Reasoning),
        text(0, "a"),
        open(1, BlockKind::Text),
        text(0, "b"),
        text(1, "c"),
        text(0, "d"),
        stop(0),
        text(1, "e"),
        stop(1),
    ]);
    assert_eq!(
        story,
        [
            "0 start thinking",
            "0 thinking a",
            "0 thinking b",
            "0 stop",
            "1 start text",
            "1 text c",
            "1 stop",
            "2 start thinking",
            "2 thinking d",
            "2 stop",
            "3 start text",
            "3 text e",
            "3 stop",
        ]
    );
}

#[test]
fn blocks_without_text_are_not_written() {
    let story = story(vec![open(0, BlockKind::Reasoning), open(1, BlockKind::Text), text(1, ""), stop(0), stop(1)]);
    assert!(story.is_empty());
}

#[test]
fn tool_calls_hold_back_what_comes_for_others() {
    let story = story(vec![
        open(0, BlockKind::Text),
        text(0, "see"),
        open(1, tool("call_1")),
        open(2, tool("call_2")),
        arguments(1, "{"),
        arguments(2, "[1"),
        text(0, "more"),
        arguments(1, "}"),
        arguments(2, ",2"),
        text(0, " text"),
        open(3, BlockKind::RedactedReasoning { data: "d".into() }),
        stop(3),
        stop(1),
        arguments(2, "]"),
        stop(2),
        text(0, "!"),
        stop(0),
        Event::Finish { choice: 0, reason: FinishReason::ToolCalls, stop_sequence: None },
        Event::End,
    ]);
    assert_eq!(
        story,
        [
            "0 start text",
            "0 text see",
            "0 stop",
            "1 start tool_use",
            "1 partial_json {",
            "1 partial_json }",
            "1 stop",
            "2 start tool_use",
            "2 partial_json [1,2",
            "2 partial_json ]",
            "2 stop",
            "3 start text",
            "3 text more text",
            "3 stop",
            "4 start redacted_thinking",
            "4 stop",
            "5 start text",
            "5 text !",
            "5 stop",
            "tool_use",
        ]
    );
}

#[test]
fn waiting_calls_that_have_stopped_are_written_whole() {
    let story = story(vec![
        open(0, tool("call_1")),
        open(1, tool("call_2")),
        arguments(1, "{}"),
        stop(1),
        arguments(0, "{}"),
        stop(0),
    ]);
    assert_eq!(
        story,
        ["0 start tool_use", "0 partial_json {}", "0 stop", "1 start tool_use", "1 partial_json {}", "1 stop",]
    );
}

#[test]
fn an_end_closes_what_is_open() {
    let story = story(vec![
        open(0, tool("call_1")),
        arguments(0, "{"),
        open(1, tool("call_2")),
        arguments(1, "{}"),
        Event::End,
    ]);
    assert_eq!(
        story,
        [
            "0 start tool_use",
            "0 partial_json {",
            "0 stop",
            "1 start tool_use",
            "1 partial_json {}",
            "1 stop",
            "tool_use",
        ]
    );
}

#[test]
fn the_last_usage_counts() {
    let finish = Event::Finish { choice: 0, reason: FinishReason::Length, stop_sequence: None };
    let stream = bytes(vec![start(), usage(5, 1), finish, usage(5, 2), usage(6, 3), Event::End]);
    let delta =
        r#""usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":3}}"#;
    assert_eq!(stream.matches("message_delta\n").count(), 1);
    assert!(stream.contains(delta));
}

#[test]
fn only_the_first_choice_is_written() {
    let stream = bytes(vec![
        Event::BlockStart { choice: 1, block: 0, kind: BlockKind::Text },
        Event::BlockDelta { choice: 1, block: 0, delta: Delta::Text("no".into()) },
        Event::BlockStop { choice: 1, block: 0 },
        Event::Finish { choice: 1, reason: FinishReason::Length, stop_sequence: None },
        Event::Unknown,
    ]);
    assert_eq!(stream, "");
}

#[test]
fn an_error_is_last() {
    let error = Event::Error(Error::new(Kind::BadAnswer, "cut short"));
    let stream = bytes(vec![error, text(0, "x"), Event::Ping, Event::End]);
    assert_eq!(
        stream,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"cut short\"}}\n\n"
    );
}

#[test]
fn pings_pass() {
    assert_eq!(bytes(vec![Event::Ping]), "event: ping\ndata: {\"type\": \"ping\"}\n\n");
}

#[test]
fn calls_without_ids_get_one() {
    let stream = bytes(vec![start(), open(0, tool("")), stop(0)]);
    assert!(stream.contains(r#""id":"toolu_1_0""#));
}
