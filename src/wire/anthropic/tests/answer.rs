#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::answer::Answer;
use crate::error::Kind;
use crate::event::{BlockKind, Event, FinishReason};
use crate::json::Doc;
use crate::usage::Usage;
use crate::wire::Reader;

/// An event in one line.
fn line(event: Event<'_>) -> String {
    match event {
        Event::BlockDelta { block, delta, .. } => format!("{block} {delta:?}"),
        Event::BlockStart { block, kind, .. } => format!("{block} begins: {kind:?}"),
        Event::BlockStop { block, .. } => format!("{block} ends"),
        Event::Error(error) => format!("error: {:?} {}", error.kind, error.message),
        Event::Finish { reason, stop_sequence, .. } => {
            format!("finish: {} {}", reason.name(), stop_sequence.unwrap_or_default().decode())
        }
        Event::Start { id, model, .. } => format!("start: {} {}", id.decode(), model.decode()),
        Event::Usage { usage, service_tier } => {
            format!("usage: {} {} {}", usage.input, usage.output, service_tier.unwrap_or_default().decode())
        }
        other => format!("{other:?}"),
    }
}

fn feed(reader: &mut dyn Reader, events: &[&str], out: &mut dyn FnMut(Event<'_>)) {
    for data in events {
        let doc = Doc::lenient(data.as_bytes()).unwrap();
        let name = doc.root().get("type").unwrap().text().unwrap();
        reader.event(&name, doc.root(), out);
    }
    reader.end(out);
}

fn lines(events: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    feed(&mut *Anthropic.reader(), events, &mut |event| lines.push(line(event)));
    lines
}

fn collected(events: &[&str]) -> Answer {
    let mut answer = Answer::default();
    feed(&mut *Anthropic.reader(), events, &mut |event| answer.add(event));
    answer
}

fn whole(json: &str) -> Answer {
    let mut answer = Answer::default();
    let doc = Doc::lenient(json.as_bytes()).unwrap();
    Anthropic.reader().answer(doc.root(), &mut |event| answer.add(event));
    answer
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":3,"cache_creation":{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":4},"output_tokens":1,"service_tier":"standard"}}}"#;
const TEXT: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const HELLO: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hell\u00f6"}}"#;
const TEXT_END: &str = r#"{"type":"content_block_stop","index":0}"#;
const DELTA: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":12,"output_tokens_details":{"thinking_tokens":7}}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

#[test]
fn a_text() {
    assert_eq!(
        lines(&[START, TEXT, r#"{"type":"ping"}"#, HELLO, TEXT_END, DELTA, STOP]),
        [
            "start: msg_1 claude-x",
            "usage: 18 1 standard",
            "0 begins: Text",
            "Ping",
            r#"0 Text("Hellö")"#,
            "0 ends",
            "finish: stop ",
            "usage: 18 12 ",
            "End",
        ]
    );
    let answer = collected(&[START, TEXT, HELLO, TEXT_END, DELTA, STOP]);
    let usage = Usage {
        input: 18,
        output: 12,
        cache_read: 3,
        cache_write: 5,
        cache_write_1h: 4,
        reasoning: 7,
        ..Usage::default()
    };
    assert_eq!(answer.usage, Some(usage));
    assert!(answer.service_tier.is_some_and(|tier| tier == "standard"));
    assert!(answer.ended);
}

#[test]
fn a_later_count_replaces_an_earlier_one() {
    let delta = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":20,"cache_creation_input_tokens":0,"cache_read_input_tokens":null,"output_tokens":2}}"#;
    let usage = collected(&[START, delta, STOP]).usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.cache_write, usage.output), (23, 3, 0, 2));
}

#[test]
fn fast_mode_is_a_class_of_service() {
    let start = START.replace(r#""service_tier":"standard""#, r#""service_tier":"standard","speed":"fast""#);
    assert!(collected(&[&start, DELTA, STOP]).service_tier.is_some_and(|tier| tier == "fast"));
    let start = START.replace(r#""service_tier":"standard""#, r#""service_tier":"priority","speed":"standard""#);
    assert!(collected(&[&start, DELTA, STOP]).service_tier.is_some_and(|tier| tier == "priority"));
}

#[test]
fn thought_and_tools() {
    let answer = collected(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig"}}"#,
        TEXT_END,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"redacted_thinking","data":"xx"}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"t1","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":": 1}"}}"#,
        r#"{"type":"content_block_stop","index":3}"#,
        r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"t2","name":"g","input":{}}}"#,
        r#"{"type":"content_block_stop","index":4}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}}"#,
        STOP,
    ]);
    let [thought, redacted, f, g] = &*answer.choices[0].blocks else { panic!("{answer:?}") };
    assert!(matches!(thought.kind, BlockKind::Reasoning));
    assert_eq!(thought.text(), "hm");
    assert_eq!(thought.signature.as_ref().unwrap(), &"sig");
    assert!(matches!(&redacted.kind, BlockKind::RedactedReasoning { data } if *data == "xx"));
    assert!(matches!(&f.kind, BlockKind::ToolCall { id, name } if *id == "t1" && *name == "f"));
    assert_eq!(f.arguments(), r#"{"a": 1}"#);
    assert_eq!(g.arguments(), "{}");
    assert_eq!(answer.choices[0].finish, Some(FinishReason::ToolCalls));
}

#[test]
fn citations_and_what_only_anthropic_knows() {
    let lines = lines(&[
        START,
        TEXT,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"char_location"}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"new_delta"}}"#,
        TEXT_END,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"s","name":"web_search"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"news"}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"},"usage":{"output_tokens":2}}"#,
        STOP,
    ]);
    assert_eq!(
        lines[3..],
        [
            r#"0 Citation { format: Messages, raw: "{\"type\":\"char_location\"}" }"#,
            "Unknown",
            "0 ends",
            r#"1 begins: Native { format: Messages, raw: "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\"}" }"#,
            r#"1 Native("{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}")"#,
            "1 ends",
            "Unknown",
            "finish: stop_sequence END",
            "usage: 18 2 ",
            "End",
        ]
    );
}

#[test]
fn errors_in_a_stream() {
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let answer = collected(&[START, overloaded]);
    let error = answer.error.unwrap();
    assert_eq!((error.kind, error.status(), &*error.message), (Kind::Overloaded, 529, "Overloaded"));
    let last = |events: &[&str]| lines(events).pop().unwrap();
    let prefix = "error: BadAnswer the upstream's stream cannot be read: ";
    assert_eq!(last(&[START, TEXT, HELLO]), format!("{prefix}the end of the stream before `message_stop`"));
    assert_eq!(last(&[START, STOP]), format!("{prefix}a `message_stop` without a stop reason"));
    assert_eq!(last(&[START, HELLO, DELTA]), format!("{prefix}a `content_block_delta` of a block that is not open"));
    let array = r#"{"type":"content_block_start","index":0,"content_block":[]}"#;
    assert_eq!(last(&[START, array]), format!("{prefix}a `content_block_start` without its block"));
    assert_eq!(last(&[START, DELTA, TEXT]), format!("{prefix}a `content_block_start` after the stop reason"));
    for (event, name) in [(TEXT, "content_block_start"), (DELTA, "message_delta"), (STOP, "message_stop")] {
        assert_eq!(last(&[event, START]), format!("{prefix}a `{name}` before `message_start`"));
    }
    let blocks: Vec<_> = (0..=128).map(|at| TEXT.replace("\"index\":0", &format!("\"index\":{at}"))).collect();
    let blocks: Vec<_> = std::iter::once(START).chain(blocks.iter().map(String::as_str)).collect();
    assert_eq!(last(&blocks), format!("{prefix}too many open blocks"));
}

#[test]
fn a_refusal_says_why() {
    let lines = lines(&[
        START,
        r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"cyber","explanation":"no"}},"usage":{"output_tokens":0}}"#,
        STOP,
    ]);
    assert_eq!(
        lines[2..],
        ["0 begins: Refusal", r#"0 Text("no")"#, "0 ends", "finish: refusal ", "usage: 18 0 ", "End"]
    );
}

#[test]
fn stop_reasons() {
    let reason = |word: &str| {
        let json = format!(r#"{{"content":[],"stop_reason":"{word}"}}"#);
        whole(&json).choices[0].finish.as_ref().unwrap().name()
    };
    let read = ["end_turn", "max_tokens", "pause_turn", "model_context_window_exceeded", "compaction"].map(reason);
    assert_eq!(read, ["stop", "length", "pause", "context_window", "other"]);
}

#[test]
fn a_whole_answer() {
    let answer = whole(
        r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
            {"type":"thinking","thinking":"hm","signature":"sig"},
            {"type":"text","text":"a\n","citations":[{"type":"page_location"}]},
            {"type":"tool_use","id":"t1","name":"f","input":{"a": "\u00e9"}}],
            "stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":4}}"#,
    );
    assert!(answer.ended && answer.error.is_none());
    assert!(answer.id == "msg_1" && answer.model == "claude-x");
    let [thought, text, call] = &*answer.choices[0].blocks else { panic!("{answer:?}") };
    assert_eq!(thought.signature.as_ref().unwrap(), &"sig");
    assert_eq!(text.text(), "a\n");
    assert_eq!(text.citations.len(), 1);
    assert_eq!(call.arguments(), "{\"a\": \"\\u00e9\"}");
    assert_eq!(answer.usage.unwrap().total(), 7);
}

#[test]
fn answers_that_are_none() {
    assert_eq!(whole("{}").error.unwrap().kind, Kind::BadAnswer);
    let error = whole(r#"{"type":"error","error":{"type":"api_error","message":"oops"}}"#).error.unwrap();
    assert_eq!((error.kind, &*error.message), (Kind::Internal, "oops"));
    let blocks = whole(r#"{"content":[[],null,{"type":"text","text":"a"}]}"#).choices.remove(0).blocks;
    assert_eq!(blocks.iter().map(|block| block.text()).collect::<Vec<_>>(), ["a"]);
    let count = whole(r#"{"input_tokens":42}"#);
    assert_eq!(count.usage, Some(Usage { input: 42, ..Usage::default() }));
    assert!(count.ended);
}

#[test]
fn tools_have_the_clients_names_back() {
    let messages = vec![user(vec![text("hi")])];
    let tool = crate::call::Tool::Function {
        name: "a.b".into(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
    };
    let call = Call::Generate(Generate { tools: vec![tool], ..call(messages) });
    let target = Target { model: "claude-sonnet-4-5", ..Target::default() };
    let mut encoded = Anthropic.encode(&call, &target, &mut Dropped::default()).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&encoded.body.into_bytes()).unwrap();
    let sent = body["tools"][0]["name"].as_str().unwrap();
    assert_ne!(sent, "a.b");
    let reply = format!(
        r#"{{"content":[{{"type":"tool_use","id":"t","name":"{sent}","input":{{}}}}],"stop_reason":"tool_use"}}"#
    );
    let doc = Doc::lenient(reply.as_bytes()).unwrap();
    let mut answer = Answer::default();
    encoded.reader.answer(doc.root(), &mut |event| answer.add(event));
    assert!(matches!(&answer.choices[0].blocks[0].kind, BlockKind::ToolCall { name, .. } if *name == "a.b"));
}

#[test]
fn error_answers() {
    let read = |status, body: &str| {
        let error = Anthropic.error(status, body.as_bytes());
        (error.kind, error.status(), error.message, error.code)
    };
    assert_eq!(
        read(529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}"#),
        (Kind::Overloaded, 529, "Overloaded".to_owned(), None)
    );
    let (kind, status, _, code) = read(
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#,
    );
    assert_eq!((kind, status, code.as_deref()), (Kind::ContextWindow, 400, None));
    assert_eq!(read(503, "<html>secret</html>"), (Kind::Overloaded, 503, "the upstream answered 503".to_owned(), None));
    assert_eq!(read(500, r#""secret""#).2, "the upstream answered 500");
    assert_eq!(read(400, r#"[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]"#).2, "bad");
    assert_eq!(read(500, "{}").2, "the upstream answered 500");
    assert_eq!(read(403, r#"{"message":"no"}"#), (Kind::Permission, 403, "no".to_owned(), None));
    let long = format!(r#"{{"error":{{"type":"new_error","message":"{}"}}}}"#, "ä".repeat(3000));
    let (kind, _, message, _) = read(429, &long);
    assert_eq!((kind, message.chars().count()), (Kind::RateLimit, 2000));
}
