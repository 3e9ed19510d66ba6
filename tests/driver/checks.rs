//! What must hold of any request and of any answer, however wrong.

use dragoman::attempt::Outbound;
use dragoman::client;
use dragoman::config::Upstream;
use dragoman::error::{Error, Kind};
use dragoman::format::{Format, Operation};
use dragoman::frame::{Frame, Framing, sse};
use dragoman::http::Headers;
use dragoman::json::{Doc, Kind as Json, Node};
use dragoman::piece::Piece;
use dragoman::provider::{CallIds, Effort, Quirks, Surface, Thought};
use dragoman::replay;
use dragoman::reply::{EVENT_STREAM, Plan};
use dragoman::wire;
use serde::de::IgnoredAny;

use super::{Head, Outcome, Route, answer, laws};

/// Holds the translation of a request to what must be so, whatever the client sends.
pub fn request(route: &Route<'_>, body: &[u8]) {
    match (route.send(body), route.send(body)) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first.headers, second.headers, "translated twice");
            assert_eq!((&first.body, &first.dropped), (&second.body, &second.dropped), "translated twice");
            sent(route, body, &first);
        }
        (Err(first), Err(second)) => {
            assert_eq!(first, second, "refused twice");
            refusal(route.format, &first);
        }
        _ => panic!("translated once, refused once"),
    }
}

fn sent(route: &Route<'_>, received: &[u8], outbound: &Outbound) {
    for piece in &outbound.body {
        assert!(!matches!(piece, Piece::Kept(range) if received.get(range.clone()).is_none()), "{piece:?}");
    }
    let sent = Piece::join(&outbound.body, received);
    unambiguous(&sent);
    assert!(sent.len() <= 16 * received.len() + 4096, "{} bytes become {}", received.len(), sent.len());
    assert_eq!(outbound.headers.text("content-length"), sent.len().to_string());
    assert_eq!(outbound.headers.text(":authority"), route.upstream().authority);
    headers(&outbound.headers);
    assert!(outbound.dropped.len() <= 32);
    let plain = |name: &String| name.len() <= 64 && name.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    assert!(outbound.dropped.iter().all(plain), "{:?}", outbound.dropped);
    let rewritten = route.operation == Operation::Embed && route.upstream().provider.vectors.is_some();
    let surface = outbound.surface.unwrap();
    if route.format.is_taken_by(surface.format) && !rewritten {
        // What other providers have sealed into it goes first.
        let stripped = replay::strip(route.format, &Doc::strict(received).unwrap());
        untouched(route.upstream(), surface, stripped.as_deref().unwrap_or(received), &sent);
    }
}

/// A refusal is the client's fault, or the upstream cannot do what is asked: never a fault of ours.
fn refusal(format: Format, error: &Error) {
    use Kind::{InvalidRequest, NotFound, NotImplemented, Unavailable};
    assert!(matches!(error.kind, InvalidRequest | NotFound | NotImplemented | Unavailable), "{error:?}");
    assert!(error.text().len() <= 4096, "{} bytes of message", error.text().len());
    unambiguous(&client::of(format).error(error));
}

/// No header may end early, or be two.
fn headers(headers: &Headers) {
    for (name, value) in headers.iter() {
        assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()), "{name}");
        assert!(!value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)), "{name}");
        assert!(!matches!(name, "cookie" | "authorization" | "x-api-key") || value.ends_with(b"-key"), "{name}");
    }
}

/// On the splice path, members that nothing asks to change stay as they are, byte for byte and in their order.
fn untouched(upstream: &Upstream, surface: &Surface, received: &[u8], sent: &[u8]) {
    let quirks = &upstream.provider.quirks;
    let envelope = &surface.envelope;
    let pairs = quirks.rename.iter().chain(quirks.words).chain(envelope.rename);
    let renamed = pairs.flat_map(|(ours, theirs)| [*ours, *theirs]);
    let clamped = quirks.clamp.iter().map(|(name, ..)| *name);
    let ours = ["model", "stream_options", "max_tokens", "max_completion_tokens"];
    let set = upstream.params.default.iter().chain(&upstream.params.force).map(|(name, _)| name.as_str());
    let dropped = upstream.params.drop.iter().map(String::as_str).chain(quirks.drop.iter().copied());
    let mut changed: Vec<&str> = ours.into_iter().chain(renamed).chain(clamped).chain(set).chain(dropped).collect();
    changed.extend(quirks.lists.iter().chain(envelope.remove));
    changed.extend(quirks.set.iter().map(|(name, _)| *name));
    changed.extend(envelope.set.iter().map(|(name, _)| *name));
    changed.extend(envelope.header.map(|(_, field)| field));
    if surface.format == Format::Responses {
        // The limit is configured under its name in chat; ids are unsealed, and what others have sealed goes.
        changed.extend(["input", "max_output_tokens", "previous_response_id"]);
    }
    if matches!(surface.format, Format::Gemini | Format::Vertex) {
        // What others have signed goes, and limits stand inside.
        changed.extend(["contents", "generationConfig", "generateContentRequest", "generation_config"]);
    }
    if quirks.effort != Effort::Known {
        changed.push("reasoning_effort");
    }
    if let Effort::Switch { field, .. } = quirks.effort {
        changed.push(field);
    }
    if quirks.signed_thought {
        changed.push("thinking");
    }
    let (received, sent) = (Doc::strict(received).unwrap(), Doc::strict(sent).unwrap());
    let rest = |root: Node<'_>| -> Vec<(String, String)> {
        let members = root.members().filter(|(name, _)| !changed.contains(&&**name));
        let shown = |name: &str, value: Node<'_>| match name {
            "messages" => items(value, &|message| shown_message(message, quirks)),
            "tools" => items(value, &|tool| Some(shown_tool(tool, quirks))),
            _ => value.raw().to_owned(),
        };
        members.map(|(name, value)| (name.to_string(), shown(&name, value))).collect()
    };
    assert_eq!(rest(received.root()), rest(sent.root()));
}

/// The values of an array as `each` shows them.
fn items(list: Node<'_>, each: &dyn Fn(Node<'_>) -> Option<String>) -> String {
    if list.kind() == Json::Array { list.items().filter_map(each).collect::<Vec<_>>().join(",") } else { raw("", list) }
}

/// The members of an object, but for some, as `each` shows them.
fn members(object: Node<'_>, gone: &[&str], each: &dyn Fn(&str, Node<'_>) -> String) -> String {
    if object.kind() != Json::Object {
        return raw("", object);
    }
    let kept = object.members().filter(|(name, _)| !gone.contains(&&**name));
    kept.map(|(name, value)| format!("{name}: {}", each(&name, value))).collect::<Vec<_>>().join(",")
}

fn raw(_name: &str, value: Node<'_>) -> String {
    value.raw().to_owned()
}

/// A message without what the quirks change in it; nothing if it goes.
fn shown_message(message: Node<'_>, quirks: &Quirks) -> Option<String> {
    let unsigned = |block: Node<'_>| {
        let is_thought = block.get("type").and_then(Node::str).is_some_and(|kind| kind == "thinking");
        let signed = block.get("signature").and_then(Node::str).is_some_and(|proof| !proof.is_empty());
        quirks.signed_thought && is_thought && !signed
    };
    let mut blocks = message.get("content").into_iter().flat_map(Node::items).peekable();
    if blocks.peek().is_some() && blocks.all(unsigned) {
        return None;
    }
    let ids = quirks.signed_thought || quirks.call_ids != CallIds::Any;
    let id = |name: &str, value: Node<'_>| match name {
        "id" | "tool_call_id" | "tool_use_id" if ids => "an id".to_owned(),
        _ => raw(name, value),
    };
    let part = |part: Node<'_>| (!unsigned(part)).then(|| members(part, quirks.foreign, &id));
    let call = |call: Node<'_>| Some(members(call, &[], &id));
    const THOUGHT: &str = "reasoning_content";
    let mut gone: Vec<&str> = quirks.foreign.iter().copied().chain(quirks.prefill).collect();
    match quirks.thought {
        Thought::Field { takes, .. } if takes != THOUGHT => gone.extend([THOUGHT, takes]),
        // It moves into the content.
        Thought::Parts { takes: true } if message.get("role").and_then(Node::str).is_some_and(|r| r == "assistant") => {
            gone.extend([THOUGHT, "content"])
        }
        Thought::Field { .. } | Thought::Hidden | Thought::Parts { .. } => {}
    }
    Some(members(message, &gone, &|name, value| match name {
        "content" => items(value, &part),
        "role" if !quirks.developer_role && value.str().is_some_and(|role| role == "developer") => {
            "\"system\"".to_owned()
        }
        "tool_calls" => items(value, &call),
        _ => id(name, value),
    }))
}

/// A tool without what the quirks change in it.
fn shown_tool(tool: Node<'_>, quirks: &Quirks) -> String {
    members(tool, quirks.foreign, &|name, value| match name {
        "function" => members(value, quirks.foreign, &raw),
        _ => raw(name, value),
    })
}

/// Holds an answer to what must be so, whatever the provider sends: as one, in `parts`, and as events.
pub fn reply<'p>(
    route: &Route<'_>,
    request: &[u8],
    head: &Head,
    parts: impl Iterator<Item = &'p [u8]> + Clone,
) -> Outcome {
    let surface = route.send(request).unwrap().surface.unwrap();
    let reply = || route.send(request).map(|outbound| outbound.reply).unwrap();
    let body = parts.clone().collect::<Vec<_>>().concat();
    let outcome = answer(&mut reply(), head, [body.as_slice()]);
    assert_eq!(outcome, answer(&mut reply(), head, parts), "in parts");

    assert!((200..600).contains(&outcome.status), "status {}", outcome.status);
    let most = 64 * body.len() + 16 * request.len() + 4096;
    assert!(outcome.body.len() <= most, "{} bytes become {}", body.len(), outcome.body.len());
    let Outcome { meter, .. } = &outcome;
    assert!(meter.ended || meter.error.is_some(), "without an end");
    if outcome.status >= 400 {
        assert!(meter.error.is_some(), "an error that nobody counts");
    }
    if outcome.content_type == EVENT_STREAM {
        let sound = matches!(route.format, Format::Images | Format::Speech | Format::Transcriptions);
        if !sound {
            stream(route.format, route.format.is_taken_by(surface.format), &outcome);
        }
    } else if outcome.content_type == "application/json" {
        json(&outcome.body);
    } else {
        let known = ["audio/pcm", "audio/wav", "text/plain; charset=utf-8"].contains(&outcome.content_type.as_str());
        assert!(known || outcome.plan == Plan::Pass, "{}", outcome.content_type);
    }

    let wire = wire::of(surface.format);
    let framing = Framing::of(&head.headers.media_type()).unwrap_or_default();
    laws::check_stream(&mut *wire.reader(), framing, &body);
    laws::check_whole(&mut *wire.reader(), &body);
    refusal_is_short(&wire.error(head.status, &body));
    outcome
}

fn refusal_is_short(error: &Error) {
    assert!(error.text().len() <= 16 * 1024, "{} bytes of message", error.text().len());
}

/// A stream for a client: whole events of JSON, and one sign of its end.
fn stream(client: Format, spliced: bool, outcome: &Outcome) {
    let mut decoder = sse::Decoder::default();
    let mut events: Vec<(String, Vec<u8>)> = Vec::new();
    let mut each = |frame: Frame<'_>| {
        if !frame.data.is_empty() {
            events.push((frame.event.to_owned(), frame.data.to_vec()));
        }
    };
    decoder.push(&outcome.body, &mut each).unwrap();
    // A carriage return at the very end could be half of an ending, and is one all the same.
    assert!(decoder.held().is_empty() || decoder.held().ends_with(b"\r"), "an event that is not complete");
    decoder.end(&mut each);
    let is_done = |data: &[u8]| data == b"[DONE]";
    let is_over = |event: &str| event == "response.completed" || event == "response.incomplete";
    events.iter().filter(|(_, data)| !is_done(data)).for_each(|(_, data)| json(data));
    // What a provider of the client's own format says after its end is its own affair.
    if spliced && outcome.plan == Plan::Stream {
        return;
    }
    let ends = |(event, data): &(String, Vec<u8>)| match client {
        Format::Chat | Format::Completions => {
            is_done(data) || Doc::lenient(data).is_ok_and(|doc| doc.root().get("error").is_some())
        }
        // Nothing but its content tells the last event from those before.
        Format::Gemini => Doc::lenient(data).is_ok_and(|doc| {
            let ended = |candidate: Node<'_>| candidate.get("finishReason").is_some();
            doc.root().get("error").is_some()
                || doc.root().get("candidates").is_some_and(|list| list.items().all(ended))
        }),
        Format::Messages => event == "message_stop" || event == "error",
        Format::Responses => is_over(event) || event == "response.failed" || event == "error",
        other => panic!("no client streams {other:?}"),
    };
    let at = events.iter().position(ends);
    assert_eq!(at, Some(events.len() - 1), "the end is last, and once");
    let (event, data) = &events[events.len() - 1];
    let failed = Doc::lenient(data).is_ok_and(|doc| doc.root().get("error").is_some());
    let well = is_done(data) || event == "message_stop" || is_over(event) || (client == Format::Gemini && !failed);
    assert_eq!(outcome.meter.error.is_none(), well, "{:?}", outcome.meter);
}

/// JSON that any reader takes.
fn json(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap();
    serde_json::from_str::<IgnoredAny>(text).unwrap_or_else(|e| panic!("not JSON ({e}): {text}"));
}

/// JSON that every reader takes alike: no name stands twice in an object.
fn unambiguous(bytes: &[u8]) {
    json(bytes);
    if let Err(fault) = Doc::strict(bytes) {
        // What comes in as deep as is allowed goes out a little deeper.
        assert!(fault.what.contains("too deep"), "{fault}: {}", String::from_utf8_lossy(bytes));
    }
}
