//! What a case must give.

use std::collections::BTreeMap;

use dragoman::attempt::Outbound;
use dragoman::client;
use dragoman::config::Config;
use dragoman::frame::Framing;
use dragoman::meter::Meter;
use dragoman::piece::Piece;
use dragoman::provider::Wrapping;
use dragoman::reply::{EVENT_STREAM, Plan, Reply};
use serde_json::{Value, json};

use super::{Case, Head, NOW, Outcome, Route, answer, laws};

/// Files that are no golden ones.
const GIVEN: [&str; 9] = [
    "case.json",
    "request.json",
    "response.eventstream.json",
    "response.html",
    "response.json",
    "response.mp3",
    "response.ndjson",
    "response.sse",
    "response.txt",
];

/// The golden files of a case as they come out.
pub fn run(case: &Case, config: &Config) -> BTreeMap<String, Vec<u8>> {
    let mut golden = BTreeMap::new();
    let route = case.route(config);
    let outbound = match route.send(case.request()) {
        Ok(outbound) => outbound,
        Err(error) => {
            golden.insert("refusal.json".into(), pretty(&client::of(route.format).error(&error)));
            return golden;
        }
    };
    golden.insert("upstream.json".into(), shown(&outbound, case.request()));
    for (_, head, body) in case.responses() {
        let outcome = replay(case, &route, &head, &body);
        let (kind, body) = match &*outcome.content_type {
            EVENT_STREAM => ("sse", outcome.body),
            "application/json" => ("json", pretty(&outcome.body)),
            // Sound, of which these have no more than letters, and what is no JSON either.
            _ => ("txt", outcome.body.escape_ascii().to_string().into_bytes()),
        };
        golden.insert(format!("client.{kind}"), body);
        golden.insert("usage.json".into(), usage(outcome.status, &outcome.meter));
    }
    golden
}

/// Panics unless the golden files are those of the case.
pub fn compare(case: &Case, golden: &BTreeMap<String, Vec<u8>>) {
    for (file, actual) in golden {
        let place = format!("{}/{file}", case.name);
        let expected = case.files.get(file).unwrap_or_else(|| panic!("{place} is missing; UPDATE=1 writes it"));
        let (actual, expected) = (String::from_utf8_lossy(actual), String::from_utf8_lossy(expected));
        assert!(actual == expected, "{place} differs\n--- expected\n{expected}\n--- actual\n{actual}");
    }
    let known = |file: &str| golden.contains_key(file) || GIVEN.contains(&file);
    let unread: Vec<_> = case.files.keys().filter(|file| !known(file)).collect();
    assert!(unread.is_empty(), "{}: unread files {unread:?}", case.name);
}

/// The answer as one, which is the same in whatever parts it comes.
fn replay(case: &Case, route: &Route<'_>, head: &Head, body: &[u8]) -> Outcome {
    let reply = || route.send(case.request()).unwrap().reply;
    let whole = answer(&mut reply(), head, [body]);
    let Some(framing) = Framing::of(&head.headers.media_type()) else { return whole };
    let surface = route.send(case.request()).unwrap().surface.unwrap();
    // What comes wrapped the reader gets without its wrapping.
    if surface.envelope.wrapping == Wrapping::Bare {
        laws::check_stream(&mut *dragoman::wire::of(surface.format).reader(), framing, body);
    }
    let step = if body.len() > 3000 { body.len() / 1000 } else { 1 };
    for at in (1..body.len()).step_by(step) {
        let cut = answer(&mut reply(), head, [&body[..at], &body[at..]]);
        assert_eq!(cut, whole, "{}: cut at byte {at}", case.name);
    }
    assert_eq!(answer(&mut reply(), head, body.chunks(1)), whole, "{}: byte by byte", case.name);
    if framing != Framing::EventStream {
        let crlf = String::from_utf8_lossy(body).replace("\r\n", "\n").replace('\n', "\r\n");
        let with_crlf = answer(&mut reply(), head, [crlf.as_bytes()]);
        assert_eq!(with_crlf.meter, whole.meter, "{}: with CRLF", case.name);
    }
    if whole.plan == Plan::Stream {
        interleave([reply(), reply()], head, body, &whole);
    }
    whole
}

/// Two calls whose answers arrive in turns.
fn interleave(replies: [Reply; 2], head: &Head, body: &[u8], whole: &Outcome) {
    let mut pair = replies.map(|reply| (reply, Meter::default(), Vec::new()));
    for (reply, ..) in &mut pair {
        reply.head(head.status, &head.headers);
    }
    for chunk in body.chunks(7) {
        for (reply, meter, out) in &mut pair {
            reply.chunk(chunk, meter, NOW * 1000, out);
        }
    }
    for (reply, meter, out) in &mut pair {
        reply.end(meter, NOW * 1000, out);
        assert_eq!((&*out, &*meter), (&whole.body, &whole.meter), "interleaved");
    }
}

fn shown(outbound: &Outbound, received: &[u8]) -> Vec<u8> {
    let body = Piece::join(&outbound.body, received);
    let mut headers: Vec<_> = outbound.headers.iter().filter(|(name, _)| *name != "content-length").collect();
    headers.sort();
    let headers: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), String::from_utf8_lossy(value).into())).collect();
    // A form is a text.
    let body: Value = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
    pretty(json!({"headers": headers, "body": body, "dropped": outbound.dropped}).to_string().as_bytes())
}

fn usage(status: u16, meter: &Meter) -> Vec<u8> {
    let mut usage = json!({
        "status": status,
        "usage": meter.usage.map(|u| json!({
            "input": u.input, "output": u.output, "cache_read": u.cache_read, "cache_write": u.cache_write,
            "cache_write_1h": u.cache_write_1h, "reasoning": u.reasoning,
        })),
        "finish": meter.finish,
        "error": meter.error.map(|kind| kind.name()),
        "unknown": meter.unknown,
        "ended": meter.ended,
    });
    let used = meter.usage.unwrap_or_default();
    for (name, count) in [("images", used.images), ("characters", used.characters), ("milliseconds", used.milliseconds)]
    {
        if count > 0 {
            usage["usage"][name] = count.into();
        }
    }
    pretty(usage.to_string().as_bytes())
}

fn pretty(json: &[u8]) -> Vec<u8> {
    let value: Value =
        serde_json::from_slice(json).unwrap_or_else(|e| panic!("not JSON ({e}): {}", String::from_utf8_lossy(json)));
    let mut text = serde_json::to_vec_pretty(&value).unwrap();
    text.push(b'\n');
    text
}
