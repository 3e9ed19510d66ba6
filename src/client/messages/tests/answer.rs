#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::answer::Answer;
use crate::event::{BlockKind, Delta, Event, FinishReason};
use crate::format::Format;
use crate::json::Str;
use crate::usage::Usage;

/// The answer that these events make, as the client sees it.
fn written(events: Vec<Event<'_>>) -> String {
    let mut answer = Answer::default();
    events.into_iter().for_each(|event| answer.add(event));
    let bytes = Messages.answer(&answer, &ask());
    assert!(Doc::strict(&bytes).is_ok());
    String::from_utf8(bytes).unwrap()
}

/// The content of an answer with one block.
fn content(kind: BlockKind<'_>, deltas: Vec<Delta<'_>>) -> String {
    let text = written(block(0, kind, deltas));
    let (_, rest) = text.split_once("\"content\":").unwrap();
    rest.split_once(",\"stop_reason\"").unwrap().0.to_owned()
}

fn block<'a>(block: u32, kind: BlockKind<'a>, deltas: Vec<Delta<'a>>) -> Vec<Event<'a>> {
    let mut events = vec![Event::BlockStart { choice: 0, block, kind }];
    events.extend(deltas.into_iter().map(|delta| Event::BlockDelta { choice: 0, block, delta }));
    events.push(Event::BlockStop { choice: 0, block });
    events
}

fn start(id: &str) -> Event<'_> {
    Event::Start { id: id.into(), model: "claude".into(), created: None }
}

fn finish(reason: FinishReason<'_>) -> Event<'_> {
    Event::Finish { choice: 0, reason, stop_sequence: None }
}

fn call(id: &'static str) -> BlockKind<'static> {
    BlockKind::ToolCall { id: id.into(), name: "find".into() }
}

fn arguments(json: &str) -> Vec<Delta<'_>> {
    vec![Delta::Arguments(json.into())]
}

#[test]
fn all_members() {
    let mut events = vec![start("chatcmpl-1")];
    events.extend(block(0, BlockKind::Text, vec![Delta::Text("a\n".into()), Delta::Text(Str::escaped(r"\u00e9"))]));
    events.push(Event::Finish { choice: 0, reason: FinishReason::StopSequence, stop_sequence: Some("END".into()) });
    events.push(Event::BlockStart { choice: 1, block: 0, kind: BlockKind::Text });
    events.push(Event::BlockDelta { choice: 1, block: 0, delta: Delta::Text("another choice".into()) });
    events.push(Event::Usage {
        usage: Usage {
            input: 100,
            output: 20,
            cache_read: 60,
            cache_write: 30,
            cache_write_1h: 10,
            reasoning: 5,
            ..Usage::default()
        },
        service_tier: Some("default".into()),
    });
    assert_eq!(
        written(events),
        concat!(
            r#"{"id":"msg_chatcmpl-1","type":"message","role":"assistant","model":"smart","#,
            r#""content":[{"type":"text","text":"a\n\u00e9"}],"#,
            r#""stop_reason":"stop_sequence","stop_sequence":"END","stop_details":null,"#,
            r#""usage":{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":60,"#,
            r#""cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":10},"#,
            r#""output_tokens":20,"output_tokens_details":{"thinking_tokens":5},"service_tier":"standard"}}"#,
        )
    );
}

#[test]
fn an_empty_answer() {
    assert_eq!(
        written(vec![]),
        concat!(
            r#"{"id":"msg_1700000000000000000000002a","type":"message","role":"assistant","model":"smart","content":[],"#,
            r#""stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"#,
            r#""usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"#,
            r#""cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":0}}"#,
        )
    );
}

#[test]
fn ids_of_anthropic_stay() {
    assert!(written(vec![start("msg_01")]).starts_with(r#"{"id":"msg_01","#));
}

#[test]
fn blocks() {
    let citation = |format| Delta::Citation { format, raw: r#"{"type":"char_location"}"# };
    assert_eq!(
        content(BlockKind::Text, vec![Delta::Text("x".into()), citation(Format::Messages), citation(Format::Chat)]),
        r#"[{"type":"text","text":"x","citations":[{"type":"char_location"}]}]"#
    );
    assert_eq!(content(BlockKind::Text, vec![]), "[]");
    assert_eq!(content(BlockKind::Reasoning, vec![]), "[]");
    assert_eq!(
        content(BlockKind::Reasoning, vec![Delta::Text("hm".into())]),
        r#"[{"type":"thinking","thinking":"hm","signature":""}]"#
    );
    assert_eq!(
        content(BlockKind::Reasoning, vec![Delta::Signature("s==".into())]),
        r#"[{"type":"thinking","thinking":"","signature":"s=="}]"#
    );
    assert_eq!(
        content(BlockKind::RedactedReasoning { data: "d==".into() }, vec![]),
        r#"[{"type":"redacted_thinking","data":"d=="}]"#
    );
}

#[test]
fn native_blocks_take_their_deltas_in() {
    let native = |raw: &'static str| BlockKind::Native { format: Format::Messages, raw: raw.into() };
    assert_eq!(content(native(r#"{"type":"x"}"#), vec![]), r#"[{"type":"x"}]"#);
    assert_eq!(content(BlockKind::Native { format: Format::Chat, raw: "{}".into() }, vec![]), "[]");
    assert_eq!(
        content(
            native(r#"{"type":"server_tool_use","id":"s","input":{}}"#),
            vec![
                Delta::Native(r#"{"type":"input_json_delta","partial_json":""}"#),
                Delta::Native(r#"{"type":"input_json_delta","partial_json":"{\"query\":"}"#),
                Delta::Native(r#"{"type":"input_json_delta","partial_json":"\"é\"}"}"#),
            ]
        ),
        r#"[{"type":"server_tool_use","id":"s","input":{"query":"é"}}]"#
    );
    assert_eq!(
        content(
            native(r#"{"type":"compaction","content":null}"#),
            vec![Delta::Native(r#"{"type":"compaction_delta","content":"so far"}"#)]
        ),
        r#"[{"type":"compaction","content":"so far"}]"#
    );
}

#[test]
fn tool_calls() {
    let input = |json| content(call("call_1"), arguments(json));
    let written = |input: &str| format!(r#"[{{"type":"tool_use","id":"call_1","name":"find","input":{input}}}]"#);
    assert_eq!(input(r#"{"n": 1.0, "s": "\u00e9"}"#), written(r#"{"n": 1.0, "s": "\u00e9"}"#));
    assert_eq!(input(""), written("{}"));
    assert_eq!(input(" \n"), written("{}"));
    assert_eq!(input("null"), written("{}"));
    assert_eq!(input(r#"{"n": 1"#), written(r#"{"raw_arguments":"{\"n\": 1"}"#));
    assert_eq!(input("[1]"), written(r#"{"raw_arguments":"[1]"}"#));
    assert!(content(call(""), vec![]).contains(r#""id":"toolu_1700000000000000000000002a_0""#));
}

#[test]
fn reasons_to_stop() {
    let stop = |events: Vec<Event<'_>>| {
        let text = written(events);
        let word = text.split_once("\"stop_reason\":\"").unwrap().1;
        word.split_once('"').unwrap().0.to_owned()
    };
    let of = |reason| stop(vec![finish(reason)]);
    assert_eq!(of(FinishReason::ContentFilter), "refusal");
    assert_eq!(of(FinishReason::ContextWindow), "model_context_window_exceeded");
    assert_eq!(of(FinishReason::Length), "max_tokens");
    assert_eq!(of(FinishReason::Other("odd".into())), "end_turn");
    assert_eq!(of(FinishReason::Pause), "pause_turn");
    assert_eq!(of(FinishReason::Refusal), "refusal");
    assert_eq!(of(FinishReason::Stop), "end_turn");
    assert_eq!(of(FinishReason::StopSequence), "stop_sequence");
    assert_eq!(of(FinishReason::ToolCalls), "tool_use");

    let after = |kind, reason| {
        let mut events = block(0, kind, vec![]);
        events.push(finish(reason));
        stop(events)
    };
    assert_eq!(after(BlockKind::Refusal, FinishReason::Stop), "refusal");
    assert_eq!(after(call("c"), FinishReason::Stop), "tool_use");
    assert_eq!(after(call("c"), FinishReason::Length), "max_tokens");
}

#[test]
fn a_refusal_is_text() {
    let refusal = content(BlockKind::Refusal, vec![Delta::Text("I will not.".into())]);
    assert_eq!(refusal, r#"[{"type":"text","text":"I will not."}]"#);
}
