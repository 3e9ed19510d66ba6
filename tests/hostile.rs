//! Inputs that are made to take time or memory. All of them are refused or dealt with in a moment; with work that grows
//! with the square of their size, each would take minutes.
#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics"
)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod driver;

use std::sync::LazyLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use dragoman::config::Config;
use dragoman::error::Kind;
use dragoman::http::Headers;
use dragoman::piece::Piece;
use dragoman::reply::Plan;
use driver::{Head, Outcome, Route, answer};

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let document = r#"{"upstreams":{
        "anthropic":{"provider":"anthropic","credentials":"none"},
        "mistral":{"provider":"mistral","credentials":"none"},
        "openai":{"provider":"openai","credentials":"none"}}}"#;
    Config::parse_upstreams(document.as_bytes(), &|_| None).unwrap()
});

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

/// Many, of whatever a client or provider sends many of.
const MANY: usize = 100_000;

/// Fails unless the work is done in a moment, on a slow machine that has other work too.
#[track_caller]
fn soon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = channel();
    std::thread::spawn(move || done.send(work()));
    match result.recv_timeout(Duration::from_secs(20)) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("it takes too long"),
        Err(RecvTimeoutError::Disconnected) => panic!("it failed"),
    }
}

fn many(one: impl Fn(usize) -> String) -> String {
    (0..MANY).map(one).collect::<Vec<_>>().join(",")
}

/// The length of what is sent, or why the request is refused.
#[track_caller]
fn send(path: &'static str, upstream: &'static str, members: String) -> Result<usize, String> {
    soon(move || {
        let body = format!(r#"{{"model":"m",{members}}}"#);
        let sent = Route::new(&CONFIG, upstream, path).send(body.as_bytes());
        sent.map(|outbound| Piece::total(&outbound.body)).map_err(|error| error.text())
    })
}

#[track_caller]
fn chat(members: String) -> usize {
    send(CHAT, "anthropic", members).unwrap()
}

#[track_caller]
fn messages(members: String) -> usize {
    send(MESSAGES, "openai", members).unwrap()
}

const HI: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

#[test]
fn members_without_end() {
    for name in ["m", "\\u006d"] {
        let members = many(|at| format!(r#""{name}{at}":0"#));
        send(CHAT, "openai", format!("{HI},{members}")).unwrap();
        send(CHAT, "mistral", format!("{HI},{members}")).unwrap();
        chat(format!("{HI},{members}"));
        messages(format!("{HI},{members}"));
        let twice = send(CHAT, "openai", format!("{HI},{members},\"{name}0\":1"));
        assert!(twice.is_err_and(|error| error.contains("a second member `m0`")));
    }
}

#[test]
fn unknown_members_without_end() {
    let block = format!(r#"{{"type":"text","text":"hi",{}}}"#, many(|at| format!(r#""m{at}":0"#)));
    messages(format!(r#""messages":[{{"role":"user","content":[{block}]}}]"#));
    messages(format!(r#""messages":[{{"role":"user","content":"hi","x":{block}}}]"#));
}

#[test]
fn values_that_nest_without_end() {
    for text in ["[".repeat(MANY), format!("{}0{}", "[".repeat(MANY), "]".repeat(MANY)), "{\"a\":".repeat(MANY)] {
        let refused = send(CHAT, "openai", format!(r#"{HI},"x":{text}"#));
        assert!(refused.is_err_and(|error| error.contains("nest too deep")));
    }
}

#[test]
fn values_without_end() {
    let refused = send(CHAT, "openai", format!(r#"{HI},"x":[{}]"#, "[],".repeat(2_000_000)));
    assert!(refused.is_err_and(|error| error.contains("too many values")));
}

#[test]
fn a_call_that_is_deeper_in_another_format() {
    let schema = format!("{}{{}}{}", r#"{"a":"#.repeat(122), "}".repeat(122));
    let tools = format!(r#"{HI},"tools":[{{"name":"f","input_schema":{schema}}}]"#);
    for upstream in ["mistral", "openai"] {
        assert!(send(MESSAGES, upstream, tools.clone()).is_ok_and(|length| length > schema.len()));
    }
    let schema = format!("{}{{\"a\":0}}{}", r#"{"a":"#.repeat(124), "}".repeat(124));
    let tools = format!(r#"{HI},"tools":[{{"name":"f","input_schema":{schema}}}]"#);
    let refused = send(MESSAGES, "mistral", tools);
    assert!(refused.is_err_and(|error| error.contains("nest too deep")));
}

#[test]
fn tool_names_without_end() {
    let tools = many(|at| format!(r#"{{"type":"function","function":{{"name":"a.{at}"}}}}"#));
    chat(format!(r#"{HI},"tools":[{tools}]"#));
    let tools = many(|at| format!(r#"{{"name":"a.{at}","input_schema":{{"type":"object","properties":{{}}}}}}"#));
    messages(format!(r#"{HI},"tools":[{tools}]"#));
}

#[test]
fn tool_calls_without_end() {
    let calls = many(|at| format!(r#"{{"id":"{at}","function":{{"name":"f{at}"}}}}"#));
    chat(format!(r#""messages":[{{"role":"assistant","tool_calls":[{calls}]}}]"#));
    let calls = many(|at| format!(r#"{{"role":"function","name":"f{at}","content":""}}"#));
    chat(format!(r#""messages":[{calls}]"#));
}

#[test]
fn allowed_tools_without_end() {
    let tool = |at| format!(r#"{{"type":"function","function":{{"name":"a{at}"}}}}"#);
    let tools = (0..MANY / 2).map(tool).collect::<Vec<_>>().join(",");
    let allowed = format!(r#"{{"mode":"auto","tools":[{}]}}"#, tools.replace(r#""a"#, r#""b"#));
    let tools = format!(r#"{tools},{{"type":"function","function":{{"name":"b1"}}}}"#);
    let choice = format!(r#"{{"type":"allowed_tools","allowed_tools":{allowed}}}"#);
    assert!(chat(format!(r#"{HI},"tools":[{tools}],"tool_choice":{choice}"#)) < 1000);
}

#[test]
fn a_billing_note_without_end() {
    let note = format!("x-anthropic-billing-header:{}", "a=b;".repeat(MANY * 30));
    assert!(messages(format!(r#"{HI},"system":"{note}""#)) < 1000);
}

#[test]
fn lines_without_end() {
    // What is decoded must be escaped again: base64 of line feeds, and a text that is cut at its end.
    let file = format!(r#"{{"filename":"a.txt","file_data":"{}"}}"#, "CgoK".repeat(MANY * 4));
    let content = format!(r#"[{{"type":"file","file":{file}}}]"#);
    assert!(chat(format!(r#""messages":[{{"role":"user","content":{content}}}]"#)) > MANY);
    let text = "a\\n".repeat(MANY * 5);
    assert!(chat(format!(r#""messages":[{{"role":"assistant","content":"{text}"}}]"#)) > MANY);
}

#[test]
fn white_space_without_end() {
    let blank = "\\n\\u0020 ".repeat(20);
    let parts = many(|_| format!(r#"{{"type":"text","text":"{blank}"}}"#));
    assert!(
        chat(format!(r#""messages":[{{"role":"user","content":[{parts},{{"type":"text","text":"hi"}}]}}]"#)) < 1000
    );
}

fn stream() -> Head {
    Head { status: 200, headers: [("content-type", "text/event-stream")].into_iter().collect::<Headers>() }
}

/// What becomes of an answer that comes in parts of `size` bytes.
#[track_caller]
fn reply(path: &'static str, upstream: &'static str, head: Head, size: usize, body: String) -> Outcome {
    soon(move || {
        let streamed = head.headers.text("content-type") == "text/event-stream";
        let request = format!(r#"{{"model":"m","stream":{streamed},"max_tokens":9,{HI}}}"#);
        let mut reply = Route::new(&CONFIG, upstream, path).send(request.as_bytes()).unwrap().reply;
        let outcome = answer(&mut reply, &head, body.as_bytes().chunks(size));
        assert!(outcome.body.len() <= 64 * body.len() + 4096, "{} bytes", outcome.body.len());
        outcome
    })
}

/// Each way that a stream of that format goes.
const WAYS: [(&str, &str); 4] = [(CHAT, "anthropic"), (CHAT, "openai"), (MESSAGES, "anthropic"), (MESSAGES, "openai")];

#[test]
fn a_long_event_byte_by_byte() {
    for (path, upstream) in WAYS {
        let body = format!("data: {{\"x\":\"{}\"}}\n\n", "a".repeat(4 << 20));
        let outcome = reply(path, upstream, stream(), 1, body);
        assert_eq!((outcome.plan, outcome.meter.error), (Plan::Stream, Some(Kind::BadAnswer)));
    }
}

#[test]
fn a_line_without_end() {
    for (path, upstream) in WAYS {
        for (size, start) in [(1000, "data: "), (1 << 20, ""), (usize::MAX, ": ")] {
            let outcome = reply(path, upstream, stream(), size, format!("{start}{}", "a".repeat(40 << 20)));
            assert_eq!(outcome.meter.error, Some(Kind::BadAnswer));
            assert!(String::from_utf8_lossy(&outcome.body).contains("more than 16 MiB"));
        }
    }
}

#[test]
fn small_events_without_end() {
    for (path, upstream) in WAYS {
        for event in ["\n", "\r", ":\n\n", "data\n\n", "data: {}\r\n\r\n", "event: ping\ndata: {}\n\n"] {
            for size in [7, usize::MAX] {
                reply(path, upstream, stream(), size, event.repeat(MANY));
            }
        }
    }
}

#[test]
fn lines_of_data_without_end() {
    for (path, upstream) in WAYS {
        for size in [7, usize::MAX] {
            reply(path, upstream, stream(), size, format!("{}\n", "data: [\n".repeat(MANY)));
            reply(path, upstream, stream(), size, format!("data: {{\ndata:{}}}\n\n", "\ndata:".repeat(MANY)));
        }
    }
}

/// A chunk of OpenAI's for each number, whose one choice has these members.
fn chunks(choice: impl Fn(usize) -> String) -> String {
    (0..MANY).map(|at| format!("data: {{\"choices\":[{{{}}}]}}\n\n", choice(at))).collect()
}

#[test]
fn numbers_without_bound() {
    for number in ["128", "4294967295", "4294967296", "18446744073709551615", "1e300", "-1"] {
        let chunk = format!(
            r#"data: {{"choices":[{{"index":{number},"delta":{{"content":"x","tool_calls":[{{"index":{number},"function":{{"name":"f"}}}}]}}}}]}}"#
        );
        let block = format!(
            "data: {{\"type\":\"message_start\",\"message\":{{}}}}\n\ndata: {{\"type\":\"content_block_start\",\
             \"index\":{number},\"content_block\":{{\"type\":\"text\",\"text\":\"x\"}}}}"
        );
        for (path, upstream) in WAYS {
            let body = if upstream == "openai" { &chunk } else { &block };
            let outcome = reply(path, upstream, stream(), 5, format!("{body}\n\n"));
            assert_eq!(outcome.meter.error, Some(Kind::BadAnswer));
        }
    }
}

#[test]
fn calls_without_end() {
    for path in [CHAT, MESSAGES] {
        for call in [r#""index":AT,"function":{"name":"f"}"#, r#""id":"AT","function":{"name":"f","arguments":"{}"}"#] {
            let one = |at| format!("{{{}}}", call.replace("AT", &format!("{at}")));
            let body = chunks(|at| format!(r#""delta":{{"tool_calls":[{}]}}"#, one(at)));
            let outcome = reply(path, "openai", stream(), 1000, body);
            assert_eq!(outcome.meter.error, Some(Kind::BadAnswer));
            let body = format!(r#"{{"choices":[{{"message":{{"tool_calls":[{}]}}}}]}}"#, many(one));
            let json = Head { headers: [("content-type", "application/json")].into_iter().collect(), ..stream() };
            let outcome = reply(path, "openai", json, 1000, body);
            assert_eq!(outcome.meter.error, Some(Kind::BadAnswer));
        }
    }
}

#[test]
fn a_name_without_end() {
    for path in [CHAT, MESSAGES] {
        let name = "n".repeat(400);
        let piece = |at| format!(r#""delta":{{"tool_calls":[{{"index":0,"function":{{"name":"{at}{name}"}}}}]}}"#);
        let outcome = reply(path, "openai", stream(), 1 << 20, chunks(piece));
        assert!(String::from_utf8_lossy(&outcome.body).contains("more than 16 MiB"));
    }
}

#[test]
fn an_id_that_every_chunk_repeats() {
    let id = "i".repeat(1 << 20);
    let first = format!("data: {{\"id\":\"{id}\",\"service_tier\":\"{id}\",\"choices\":[]}}\n\n");
    let chunk = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"usage\":{\"total_tokens\":1}}\n\n";
    for path in [CHAT, MESSAGES] {
        let outcome = reply(path, "openai", stream(), 1000, format!("{first}{}", chunk.repeat(MANY)));
        assert!(outcome.meter.usage.is_some());
    }
    let start = format!(
        "data: {{\"type\":\"message_start\",\"message\":{{\"id\":\"{id}\",\"usage\":{{\"service_tier\":\"{id}\"}}}}}}\n\n\
         data: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"text\"}}}}\n\n"
    );
    let delta =
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n";
    reply(CHAT, "anthropic", stream(), 1000, format!("{start}{}", delta.repeat(MANY)));
}

#[test]
fn text_that_waits_for_a_call() {
    let call = r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{"}}]}}]}"#;
    let text = "t".repeat(400);
    let body = format!("{call}\n\n{}", chunks(|_| format!(r#""delta":{{"content":"{text}"}}"#)));
    let outcome = reply(MESSAGES, "openai", stream(), 1 << 20, body);
    assert!(String::from_utf8_lossy(&outcome.body).contains("more than 16 MiB"));
}

/// A stream of Anthropic's with an event for each number.
fn message(event: impl Fn(usize) -> String) -> String {
    let start = "data: {\"type\":\"message_start\",\"message\":{}}\n\n".to_owned();
    start + &(0..MANY).map(|at| format!("data: {{{}}}\n\n", event(at))).collect::<String>()
}

#[test]
fn blocks_without_end() {
    let start = |at| {
        format!(
            r#""type":"content_block_start","index":{at},"content_block":{{"type":"tool_use","name":"f","input":{{}}}}"#
        )
    };
    for path in [CHAT, MESSAGES] {
        let outcome = reply(path, "anthropic", stream(), 1000, message(start));
        assert_eq!(outcome.meter.error, Some(Kind::BadAnswer));
    }
    // Closed ones, behind one that stays open.
    let outcome = reply(CHAT, "anthropic", stream(), 1000, message(|at| start(at.min(1))));
    assert_eq!(outcome.meter.error, Some(Kind::BadAnswer));
}

#[test]
fn deltas_of_a_native_block_without_end() {
    let delta = format!(r#"{{"type":"x",{}}}"#, many(|at| format!(r#""m{at}":0"#)));
    let body = format!(
        "data: {{\"type\":\"message_start\",\"message\":{{}}}}\n\n\
         data: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"server_tool_use\"}}}}\n\n\
         data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{delta}}}\n\n\
         data: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\"}}}}\n\ndata: {{\"type\":\"message_stop\"}}\n\n"
    );
    soon(move || {
        let request = format!(r#"{{"model":"m","max_tokens":9,{HI}}}"#);
        let mut reply = Route::new(&CONFIG, "anthropic", MESSAGES).send(request.as_bytes()).unwrap().reply;
        let outcome = answer(&mut reply, &stream(), [body.as_bytes()]);
        assert_eq!((outcome.status, outcome.meter.error), (200, None));
    });
}

#[test]
fn an_error_without_end() {
    let json = |status| Head { status, headers: [("content-type", "application/json")].into_iter().collect() };
    for (path, upstream) in WAYS {
        let nested = format!("{}\"x\"{}", r#"{"errors":["#.repeat(60), "]}".repeat(60));
        for body in [
            format!(r#"{{"error":{{"message":"{}"}}}}"#, "m".repeat(1 << 20)),
            format!(r#"{{"error":{{"errors":[{}]}}}}"#, many(|_| "\"x\"".into())),
            format!(r#"{{"error":{nested}}}"#),
            "x".repeat(1 << 20),
        ] {
            let spliced = body.len();
            let outcome = reply(path, upstream, json(400), usize::MAX, body);
            assert!(outcome.status == 400 && (outcome.body.len() < 20_000 || outcome.body.len() == spliced));
        }
    }
}

#[test]
fn configurations_without_end() {
    let upstream = r#""upstreams":{"a":{"provider":"openai","credentials":"none"}}"#;
    for rest in [
        many(|at| format!(r#""m{at}":0"#)),
        format!(r#""keys":[{}]"#, many(|_| r#"{"id":"x","models":["y"]}"#.into())),
        format!(
            r#""models":[{}]"#,
            (0..9_999).map(|at| format!(r#"{{"name":"m{at}*","upstreams":["a"]}}"#)).collect::<Vec<_>>().join(",")
        ),
    ] {
        soon(move || {
            drop(Config::parse(format!("{{\"client_auth\":\"open\",{upstream},{rest}}}").as_bytes(), &|_| None))
        });
    }
}
