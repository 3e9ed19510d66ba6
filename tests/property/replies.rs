//! Answers: from every upstream of the golden cases, streamed and whole, in any parts.

use std::borrow::Cow;

use dragoman::frame::{Frame, sse};
use dragoman::reply::EVENT_STREAM;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use super::driver::mutate::{self, Mutation};
use super::driver::{Case, Head, answer, checks};
use super::{TREE, Text, cases, mutations, torn};

/// The golden cases with an answer of that kind.
fn answered(kind: &str) -> Vec<&'static Case> {
    TREE.cases.iter().filter(|case| case.responses().any(|(k, ..)| k == kind)).collect()
}

/// A case, as a failure shows it.
fn named(kind: &'static str) -> impl Strategy<Value = &'static str> {
    select(answered(kind).iter().map(|case| case.name.as_str()).collect::<Vec<_>>())
}

fn case(name: &str) -> &'static Case {
    TREE.cases.iter().find(|case| case.name == name).unwrap()
}

fn response(name: &str, kind: &str) -> (Head, &'static [u8]) {
    let (_, head, body) = case(name).responses().find(|(k, ..)| *k == kind).unwrap();
    let Cow::Borrowed(body) = body else { panic!("{name}: made of its file") };
    (head, body)
}

/// Whether it is the body of a request that asks for a stream, in a member `stream`.
fn says_stream(case: &Case) -> bool {
    !["gemini-", "images-", "speech-", "transcriptions-"].iter().any(|client| case.name.starts_with(client))
}

/// The request of a case, with a stream asked for or not.
fn request(case: &Case, stream: Option<bool>) -> Vec<u8> {
    let Some(stream) = stream.filter(|_| says_stream(case)) else { return case.request().to_owned() };
    let mut request: Value = serde_json::from_slice(case.request()).unwrap();
    request["stream"] = stream.into();
    request.to_string().into_bytes()
}

/// Where a body is cut.
fn cuts() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 0..6)
}

fn check(name: &str, stream: Option<bool>, head: &Head, body: &[u8], cuts: &[Index]) {
    let case = case(name);
    let mut at: Vec<usize> = cuts.iter().map(|index| index.index(body.len() + 1)).collect();
    at.sort_unstable();
    let starts = std::iter::once(0).chain(at.iter().copied());
    let ends = at.iter().copied().chain([body.len()]);
    let parts = starts.zip(ends).map(|(start, end)| &body[start..end]);
    checks::reply(&case.route(&TREE.config), &request(case, stream), head, parts);
}

/// What becomes of one event of a stream.
#[derive(Clone, Debug)]
enum Fate {
    Again,
    Gone,
    Later(Index),
    Other(Vec<Mutation>),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        1 => Just(Fate::Again),
        1 => Just(Fate::Gone),
        1 => any::<Index>().prop_map(Fate::Later),
        4 => mutations(3).prop_map(Fate::Other),
    ]
}

/// A stream with some of its events changed.
fn changed(stream: &[u8], fates: &[(Index, Fate)]) -> Vec<u8> {
    let mut events: Vec<(String, Vec<u8>)> = Vec::new();
    let mut each = |frame: Frame<'_>| events.push((frame.event.to_owned(), frame.data.to_vec()));
    let mut decoder = sse::Decoder::default();
    decoder.push(stream, &mut each).unwrap();
    decoder.end(&mut each);
    for (index, fate) in fates {
        if events.is_empty() {
            break;
        }
        let at = index.index(events.len());
        match fate {
            Fate::Again => events.insert(at, events[at].clone()),
            Fate::Gone => drop(events.remove(at)),
            Fate::Later(to) => {
                let event = events.remove(at);
                events.insert(to.index(events.len() + 1), event);
            }
            Fate::Other(mutations) => events[at].1 = mutate::mutated(&events[at].1, mutations),
        }
    }
    let mut stream = Vec::new();
    for (event, data) in events {
        if !event.is_empty() {
            stream.extend_from_slice(format!("event: {event}\n").as_bytes());
        }
        for line in data.split(|byte| *byte == b'\n') {
            stream.extend_from_slice(&[b"data: ", line, b"\n"].concat());
        }
        stream.push(b'\n');
    }
    stream
}

proptest! {
    #![proptest_config(cases(8_000))]

    #[test]
    fn nearly_right_streams(
        (name, body) in (named("sse"), vec((any::<Index>(), fate()), 0..5)).prop_flat_map(|(name, fates)| {
            (Just(name), torn(changed(response(name, "sse").1, &fates)))
        }),
        stream in prop_oneof![6 => Just(None), 1 => any::<bool>().prop_map(Some)],
        cuts in cuts(),
    ) {
        check(name, stream, &response(name, "sse").0, &body.0, &cuts);
    }

    #[test]
    fn nearly_right_answers(
        (name, body) in (named("json"), mutations(4)).prop_flat_map(|(name, mutations)| {
            (Just(name), torn(mutate::mutated(response(name, "json").1, &mutations)))
        }),
        stream in prop_oneof![4 => Just(None), 1 => any::<bool>().prop_map(Some)],
    ) {
        check(name, stream, &response(name, "json").0, &body.0, &[]);
    }
}

proptest! {
    #![proptest_config(cases(4_000))]

    /// Any status and headers over what another case was answered.
    #[test]
    fn any_head(
        name in named("sse"),
        (other, kind) in prop_oneof![named("sse").prop_map(|n| (n, "sse")), named("json").prop_map(|n| (n, "json"))],
        status in prop_oneof![Just(200_u16), 200..600_u16, any::<u16>()],
        media_type in select(vec![
            "", "application/json", "application/json; charset=utf-8", EVENT_STREAM, "Text/Event-Stream;x", "text/html",
        ]),
        encoding in select(vec!["", "identity", "gzip"]),
        cuts in cuts(),
    ) {
        let mut head = Head { status, headers: Default::default() };
        for (header, value) in [("content-type", media_type), ("content-encoding", encoding)] {
            if !value.is_empty() {
                head.headers.set(header, value);
            }
        }
        check(name, None, &head, response(other, kind).1, &cuts);
    }

    /// Bytes that look like a stream, now and then.
    #[test]
    fn any_bytes(name in named("sse"), body in soup(), stream in any::<bool>(), cuts in cuts()) {
        check(name, Some(stream), &response(name, "sse").0, &body.0, &cuts);
        if let Some((_, head, _)) = case(name).responses().find(|(kind, ..)| *kind == "json") {
            check(name, Some(stream), &head, &body.0, &cuts);
        }
    }
}

fn soup() -> impl Strategy<Value = Text> {
    const PIECES: &[&str] = &[
        "data: ",
        "data:",
        "data",
        "event: error\n",
        "event: message_stop\n",
        "event:",
        "id: 1\n",
        ": hi",
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        "\r\r",
        "\u{feff}",
        " ",
        "[DONE]",
        "{}",
        "[]",
        "null",
        "{",
        "}",
        "\"",
        r#"{"choices":[]}"#,
        r#"{"choices":[{"delta":{"content":"x"}}]}"#,
        r#"{"choices":[{"index":4294967295,"delta":{"tool_calls":[{"index":4294967295,"function":{"name":"f"}}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"error":{"message":"m","code":429}}"#,
        r#"{"type":"message_start","message":{"id":"m","content":[]}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let piece = prop_oneof![
        12 => select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..24).prop_map(|pieces| Text(pieces.concat()))
}

/// What was used, and how it ended, is the same whether the client wants a stream and whether the provider gives one.
#[test]
fn streams_are_metered_like_answers() {
    for case in &TREE.cases {
        for (kind, head, body) in case.responses() {
            let route = case.route(&TREE.config);
            let metered = |stream| {
                let mut reply = route.send(&request(case, Some(stream))).unwrap().reply;
                let meter = answer(&mut reply, &head, [&*body]).meter;
                (meter.usage, meter.finish, meter.error, meter.ended || meter.error.is_some())
            };
            assert_eq!(metered(true), metered(false), "{}: response.{kind}", case.name);
        }
    }
}
