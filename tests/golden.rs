//! Every case under `tests/golden/`: what a client sends, what the upstream gets, what it answers, what the client gets.
//!
//! A case is a folder `CLIENT-UPSTREAM/NAME`, where `CLIENT` is a client format, and `UPSTREAM` names an upstream of
//! `config.json`:
//!
//! | file | what it is |
//! |---|---|
//! | `case.json` | optional: `path`, `headers` (the client's), `status` and `response_headers` (the upstream's), `now` |
//! | `request.json` | what the client sends |
//! | `upstream.json` | golden: path, headers, body, dropped parameters |
//! | `refusal.json` | golden, in the place of `upstream.json`: the error that the client gets at once |
//! | `response.json`, `.sse`, `.html` | what the upstream answers |
//! | `client.json`, `client.sse` | golden: what the client gets |
//! | `usage.json` | golden: what was used, and how it ended |
//!
//! `UPDATE=1` writes the golden files anew. Each stream is replayed cut at every byte (a long one at a thousand of them),
//! byte by byte, with CRLF, and interleaved with itself, and every answer is held to the laws of `dragoman::event`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dragoman::attempt::{self, Inbound, Outbound, Piece};
use dragoman::client;
use dragoman::config::Config;
use dragoman::endpoint::Endpoint;
use dragoman::error::Error;
use dragoman::event::Event;
use dragoman::format::Format;
use dragoman::frame::{Decoder, Frame, Framing};
use dragoman::http::Headers;
use dragoman::json::Doc;
use dragoman::meter::Meter;
use dragoman::reply::{Plan, Reply};
use serde_json::{Value, json};

#[test]
fn golden() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let config = std::fs::read(root.join("config.json")).unwrap();
    let config = Config::parse_upstreams(&config, &|_| None).unwrap();
    let mut cases = 0;
    let mut failed = Vec::new();
    for pair in folders(&root) {
        let (format, upstream) = name(&pair).split_once('-').map(|(f, u)| (f.to_owned(), u.to_owned())).unwrap();
        for folder in folders(&pair) {
            cases += 1;
            let case =
                Case { folder: folder.clone(), format: format.clone(), upstream: upstream.clone(), config: &config };
            let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case.run()));
            if run.is_err() {
                failed.push(folder);
            }
        }
    }
    assert!(cases > 0, "no cases");
    assert!(failed.is_empty(), "{} of {cases} cases failed: {failed:#?}", failed.len());
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut list: Vec<_> = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    list.sort();
    list
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

struct Case<'c> {
    folder: PathBuf,
    format: String,
    upstream: String,
    config: &'c Config,
}

/// What an upstream's answer becomes.
#[derive(Debug, PartialEq)]
struct Outcome {
    status: u16,
    body: Vec<u8>,
    content_type: String,
    meter: Meter,
}

impl Case<'_> {
    fn run(&self) {
        let mut unread: BTreeSet<String> =
            std::fs::read_dir(&self.folder).unwrap().map(|e| name(&e.unwrap().path())).collect();
        let settings: Value = self.read("case.json").map_or(json!({}), |bytes| serde_json::from_slice(&bytes).unwrap());
        unread.remove("case.json");
        unread.remove("request.json");
        let request = self.read("request.json").unwrap_or_else(|| panic!("{:?}: no request.json", self.folder));
        let outbound = match self.send(&settings, &request) {
            Ok(outbound) => outbound,
            Err(error) => {
                self.golden("refusal.json", &pretty(&client::of(self.format()).error(&error)));
                unread.remove("refusal.json");
                assert!(unread.is_empty(), "{:?}: unread files {unread:?}", self.folder);
                return;
            }
        };
        self.golden("upstream.json", &shown(&outbound, &request));
        unread.remove("upstream.json");
        for kind in ["json", "sse", "html"] {
            let file = format!("response.{kind}");
            let Some(response) = self.read(&file) else { continue };
            unread.remove(&file);
            let outcome = self.answer(&settings, kind, &request, &response);
            let kind = if outcome.content_type == "text/event-stream" { "sse" } else { "json" };
            let body = if kind == "json" { pretty(&outcome.body) } else { outcome.body.clone() };
            self.golden(&format!("client.{kind}"), &body);
            let usage = json!({
                "status": outcome.status,
                "usage": outcome.meter.usage.map(|u| json!({
                    "input": u.input, "output": u.output, "cache_read": u.cache_read, "cache_write": u.cache_write,
                    "cache_write_1h": u.cache_write_1h, "reasoning": u.reasoning,
                })),
                "finish": outcome.meter.finish,
                "error": outcome.meter.error.map(|kind| kind.name()),
                "unknown": outcome.meter.unknown,
                "ended": outcome.meter.ended,
            });
            self.golden("usage.json", &pretty(usage.to_string().as_bytes()));
            for file in [format!("client.{kind}"), "usage.json".into()] {
                unread.remove(&file);
            }
        }
        assert!(unread.is_empty(), "{:?}: unread files {unread:?}", self.folder);
    }

    fn format(&self) -> Format {
        match self.format.as_str() {
            "chat" => Format::Chat,
            "messages" => Format::Messages,
            other => panic!("no client format {other}"),
        }
    }

    fn send(&self, settings: &Value, body: &[u8]) -> Result<Outbound, Error> {
        let default = if self.format == "chat" { "/v1/chat/completions" } else { "/v1/messages" };
        let path = settings["path"].as_str().unwrap_or(default);
        let Ok(Endpoint::Call(operation, format)) = Endpoint::of("POST", path, false) else { panic!("path {path}") };
        let place = self.config.upstreams.iter().position(|u| u.name == self.upstream);
        let place = place.unwrap_or_else(|| panic!("no upstream {}", self.upstream));
        let doc = Doc::strict(body).map_err(|fault| Error::invalid(fault.to_string()))?;
        let ask = client::of(format).ask(doc.root(), settings["now"].as_u64().unwrap_or(1_700_000_000))?;
        let model = self.config.name_at(&ask.model, place);
        let mut headers = headers(&settings["headers"]);
        headers.set(":method", "POST");
        let now = ask.now;
        let upstream = &self.config.upstreams[place];
        let secret = upstream.credentials.stand_in();
        let (headers, doc, ask, model, secret) = (&headers, &doc, &ask, &model, secret.as_ref());
        let inbound = Inbound { operation, format, headers, doc, ask, model, secret, now };
        attempt::request(self.config, upstream, inbound)
    }

    fn answer(&self, settings: &Value, kind: &str, request: &[u8], response: &[u8]) -> Outcome {
        let status = settings["status"].as_u64().unwrap_or(200) as u16;
        let mut head = headers(&settings["response_headers"]);
        if !head.has("content-type") {
            let media_type = match kind {
                "json" => "application/json",
                "sse" => "text/event-stream; charset=utf-8",
                _ => "text/html",
            };
            head.set("content-type", media_type);
        }
        let reply = || self.send(settings, request).unwrap().reply;
        let whole = feed(&mut reply(), status, &head, &[response]);
        if kind == "sse" {
            self.check_laws(settings, request, &head, response);
            let step = if response.len() > 3000 { response.len() / 1000 } else { 1 };
            for at in (1..response.len()).step_by(step) {
                let cut = feed(&mut reply(), status, &head, &[&response[..at], &response[at..]]);
                assert_eq!(cut, whole, "{:?}: cut at byte {at}", self.folder);
            }
            let bytes: Vec<&[u8]> = response.chunks(1).collect();
            assert_eq!(feed(&mut reply(), status, &head, &bytes), whole, "{:?}: byte by byte", self.folder);
            let crlf = String::from_utf8_lossy(response).replace("\r\n", "\n").replace('\n', "\r\n");
            let with_crlf = feed(&mut reply(), status, &head, &[crlf.as_bytes()]);
            assert_eq!(with_crlf.meter, whole.meter, "{:?}: with CRLF", self.folder);
            self.interleave(status, &head, response, &whole, &reply);
        }
        whole
    }

    /// Two calls whose answers arrive in turns.
    fn interleave(&self, status: u16, head: &Headers, response: &[u8], whole: &Outcome, reply: &dyn Fn() -> Reply) {
        let mut pair = [(reply(), Meter::default(), Vec::new()), (reply(), Meter::default(), Vec::new())];
        for (reply, ..) in &mut pair {
            if reply.head(status, head) != Plan::Stream {
                return;
            }
        }
        for chunk in response.chunks(7) {
            for (reply, meter, out) in &mut pair {
                reply.chunk(chunk, meter, 5, out);
            }
        }
        for (reply, meter, out) in &mut pair {
            reply.end(meter, 5, out);
            assert_eq!((&*out, &*meter), (&whole.body, &whole.meter), "{:?}: interleaved", self.folder);
        }
    }

    fn check_laws(&self, settings: &Value, request: &[u8], head: &Headers, response: &[u8]) {
        let surface = self.send(settings, request).unwrap().surface.unwrap();
        let mut reader = dragoman::wire::of(surface.format).reader();
        let mut laws = Laws::default();
        let mut decoder = Decoder::new(Framing::of(&head.media_type()).unwrap());
        let mut each = |frame: Frame<'_>| {
            if frame.failed {
                laws.over = true;
            } else if frame.data.as_ref() == b"[DONE]" {
                reader.end(&mut |event| laws.check(&event));
            } else if let Ok(doc) = Doc::lenient(&frame.data) {
                reader.event(frame.event, doc.root(), &mut |event| laws.check(&event));
            }
        };
        decoder.push(response, &mut each).unwrap();
        decoder.end(&mut each).unwrap();
        reader.end(&mut |event| laws.check(&event));
        assert!(laws.over, "{:?}: the events have no end", self.folder);
    }

    fn read(&self, file: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder.join(file)).ok()
    }

    fn golden(&self, file: &str, actual: &[u8]) {
        let path = self.folder.join(file);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, actual).unwrap();
            return;
        }
        let expected = std::fs::read(&path).unwrap_or_else(|_| panic!("{path:?} is missing; UPDATE=1 writes it"));
        let (actual, expected) = (String::from_utf8_lossy(actual), String::from_utf8_lossy(&expected).into_owned());
        assert!(actual == expected, "{path:?} differs\n--- expected\n{expected}\n--- actual\n{actual}");
    }
}

/// Feeds an answer in parts.
fn feed(reply: &mut Reply, status: u16, head: &Headers, parts: &[&[u8]]) -> Outcome {
    let mut meter = Meter::default();
    match reply.head(status, head) {
        Plan::Stream => {
            let mut body = Vec::new();
            parts.iter().for_each(|part| reply.chunk(part, &mut meter, 5, &mut body));
            reply.end(&mut meter, 5, &mut body);
            Outcome { status, body, content_type: "text/event-stream".into(), meter }
        }
        Plan::Whole => {
            let all = parts.concat();
            let finished = reply.whole(&all, &mut meter, 5);
            let body = finished.body.unwrap_or(all);
            Outcome { status: finished.status, body, content_type: finished.content_type.into(), meter }
        }
    }
}

/// The laws that stand in the documentation of `dragoman::event`.
#[derive(Default)]
struct Laws {
    started: bool,
    over: bool,
    /// Per choice: blocks begun, those that are open, whether it is finished.
    choices: BTreeMap<u32, (u32, BTreeSet<u32>, bool)>,
}

impl Laws {
    fn check(&mut self, event: &Event<'_>) {
        assert!(!self.over, "after the end: {event:?}");
        match event {
            Event::Start { .. } => {
                assert!(!self.started, "a second start");
                self.started = true;
            }
            Event::BlockStart { choice, block, .. } => {
                let (begun, open, finished) = self.choices.entry(*choice).or_default();
                assert!(self.started && !*finished && *block == *begun, "out of order: {event:?}");
                *begun += 1;
                open.insert(*block);
            }
            Event::BlockDelta { choice, block, .. } => {
                assert!(self.choices[choice].1.contains(block), "outside its block: {event:?}");
            }
            Event::BlockStop { choice, block } => {
                assert!(self.choices.get_mut(choice).unwrap().1.remove(block), "not open: {event:?}");
            }
            Event::Finish { choice, .. } => {
                let (_, open, finished) = self.choices.entry(*choice).or_default();
                assert!(open.is_empty() && !*finished, "too early, or twice: {event:?}");
                *finished = true;
            }
            Event::End | Event::Error(_) => self.over = true,
            Event::Embedding { .. } | Event::Ping | Event::Unknown | Event::Usage { .. } => {}
        }
    }
}

fn headers(value: &Value) -> Headers {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), value.as_str().unwrap().as_bytes().to_vec())).collect()
}

fn shown(outbound: &Outbound, received: &[u8]) -> Vec<u8> {
    let body = Piece::join(&outbound.body, received);
    let mut headers: Vec<_> = outbound.headers.iter().filter(|(name, _)| *name != "content-length").collect();
    headers.sort();
    let headers: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), String::from_utf8_lossy(value).into())).collect();
    let body: Value = serde_json::from_slice(&body).unwrap();
    pretty(json!({"headers": headers, "body": body, "dropped": outbound.dropped}).to_string().as_bytes())
}

fn pretty(json: &[u8]) -> Vec<u8> {
    let value: Value =
        serde_json::from_slice(json).unwrap_or_else(|e| panic!("not JSON ({e}): {}", String::from_utf8_lossy(json)));
    let mut text = serde_json::to_vec_pretty(&value).unwrap();
    text.push(b'\n');
    text
}
