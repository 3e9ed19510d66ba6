#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::client;
use crate::format::Format;
use crate::wire;

/// The reply to a call of `client`'s format to an upstream of `wire`'s.
fn reply(client: Format, wire: Format, stream: bool) -> Reply {
    let ask = Ask { model: "m".into(), stream, ..Ask::default() };
    let spliced = client == wire;
    let wire = wire::of(wire);
    let client = client::of(client);
    let path =
        Path { client, wire, spliced, wrapping: Wrapping::Bare, thought: Thought::Hidden, own_credentials: false };
    Reply::new(ask, path, wire.reader())
}

fn head(media_type: &str) -> Headers {
    [("content-type", media_type)].into_iter().collect()
}

fn streamed(client: Format, wire: Format, chunks: &[&str]) -> (String, Meter) {
    let mut reply = reply(client, wire, true);
    assert_eq!(reply.head(200, &head(EVENT_STREAM)), Plan::Stream);
    let (mut meter, mut out) = (Meter::default(), Vec::new());
    chunks.iter().for_each(|chunk| reply.chunk(chunk.as_bytes(), &mut meter, 1, &mut out));
    reply.end(&mut meter, 1, &mut out);
    (String::from_utf8(out).unwrap(), meter)
}

/// A whole stream of Anthropic's.
const MESSAGE: &str = "data: {\"type\":\"message_start\",\"message\":{\"model\":\"m\"}}\n\n\
    data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n\
    data: {\"type\":\"message_stop\"}\n\n";

#[test]
fn nothing_follows_the_end() {
    for client in [Format::Chat, Format::Messages] {
        let (whole, meter) = streamed(client, Format::Messages, &[MESSAGE]);
        assert!(meter.ended && meter.error.is_none());
        for more in ["data: oops\n\n", "event: error\ndata: {\"error\":{}}\n\n", "data: [DONE]\n\n", ": hi\n\n", "x"] {
            assert_eq!(streamed(client, Format::Messages, &[MESSAGE, more]), (whole.clone(), meter.clone()), "{more}");
        }
    }
}

#[test]
fn nothing_follows_an_error() {
    let error =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";
    let (out, meter) = streamed(Format::Messages, Format::Messages, &[error, MESSAGE]);
    assert_eq!((&*out, meter.error), (error, Some(Kind::Overloaded)));
}

#[test]
fn an_event_that_is_cut_at_its_end_does_not_run_into_the_error() {
    let chunk = r#"data: {"model":"m","choices":[{"delta":{"content":"x"}}]}"#;
    for end in ["", "\n", "\r", "\r\n", "\n\n"] {
        let (out, meter) = streamed(Format::Chat, Format::Chat, &[&format!("{chunk}{end}")]);
        let (first, second) = out.split_once("data: {\"error\"").unwrap();
        assert_eq!(first.trim_end(), chunk);
        assert!(first.replace('\r', "\n").ends_with("\n\n"), "{first:?}");
        assert!(second.ends_with("}}\n\n"));
        assert_eq!((meter.error, meter.ended), (Some(Kind::BadAnswer), false));
    }
}

#[test]
fn a_status_that_says_nothing_is_a_bad_answer() {
    for (status, expected) in
        [(0, 502), (101, 502), (302, 502), (399, 502), (600, 502), (u16::MAX, 502), (418, 418), (599, 599)]
    {
        for (client, wire) in [(Format::Chat, Format::Messages), (Format::Messages, Format::Messages)] {
            let mut reply = reply(client, wire, false);
            assert_eq!(reply.head(status, &head("application/json")), Plan::Whole);
            let mut meter = Meter::default();
            assert_eq!(reply.whole(b"", &mut meter, 1).status, expected, "{status}");
            assert!(meter.error.is_some());
        }
    }
}

#[test]
fn any_status_of_success_may_stream() {
    let mut reply = reply(Format::Chat, Format::Messages, true);
    assert_eq!(reply.head(201, &head("Text/Event-Stream; charset=utf-8")), Plan::Stream);
    for (status, media_type) in [(201, "application/json"), (429, EVENT_STREAM), (302, EVENT_STREAM)] {
        assert_eq!(reply.head(status, &head(media_type)), Plan::Whole);
    }
}
