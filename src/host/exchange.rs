//! An upstream's request and answer, as both positions of the filter handle them.

use std::rc::Rc;

use proxy_wasm::types::Action;

use super::abi::{self, Buffer, Map};
use super::account::Account;
use super::calls::Shared;
use super::{environment, warn_if_refused};
use crate::attempt::{Outbound, REQUEST_IDS, hidden};
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::form::{self, Ends};
use crate::gateway::{FALLBACK, Local, cost_header};
use crate::http::Headers;
use crate::piece::Piece;
use crate::record::{Note, StandIn};
use crate::reply::{EVENT_STREAM, Finished, Plan, Reply};

/// An attempt under way.
pub struct Exchange {
    reply: Reply,
    account: Account,
    record: Shared,
    plan: Plan,
    /// The answer's headers for the client, held until the body is there.
    held: Headers,
    /// The provider's own headers of an answer that is an error.
    own: Headers,
    /// Whether the end of the answer has been dealt with.
    done: bool,
    /// Where the host can try again: the start of a stream, of which the client has had nothing yet.
    start: Option<Start>,
    /// Whether an error has taken the place of a stream: nothing more of it goes to the client.
    replaced: bool,
    /// Where the host can be sent around to another model: what says which.
    config: Option<Rc<Config>>,
}

/// The start of a stream, held until it shows that the upstream answers: until then an error becomes a status, after which
/// the host tries the next upstream.
#[derive(Default)]
struct Start {
    /// When it began, in unix milliseconds.
    began: u64,
    /// How much of the body has been read.
    read: usize,
    /// What the client gets of it.
    out: Vec<u8>,
}

/// The most that a start may be, lest the host and the client wait for what may never come: events,
const START_EVENTS: u64 = 64;
/// bytes,
const START_BYTES: usize = 64 << 10;
/// and milliseconds.
const START_TIME: u64 = 30_000;

/// Sends a request to the upstream, and notes the attempt. `config` says which models stand in for others; none if the host
/// cannot try again after this.
pub fn send(
    outbound: Outbound,
    note: Note,
    account: Account,
    record: &Shared,
    received: usize,
    config: Option<Rc<Config>>,
) -> Exchange {
    warn_if_refused("set headers", abi::set_headers(Map::Request, &outbound.headers));
    warn_if_refused("set the body", set_body(&outbound.body, received));
    record.borrow_mut().attempts.push(note);
    let (record, held) = (record.clone(), Headers::default());
    Exchange {
        reply: outbound.reply,
        account,
        record,
        plan: Plan::Whole,
        held,
        own: Headers::default(),
        done: false,
        start: config.as_ref().map(|_| Start::default()),
        replaced: false,
        config,
    }
}

/// The request's body, of `size` bytes: JSON, or what a form says. `form` as in [`crate::gateway::Gateway::form`].
pub fn received(form: Option<bool>, content_type: String, size: usize) -> Result<Vec<u8>, Error> {
    let read = |start, most| abi::buffer(Buffer::RequestBody, start, most).unwrap_or_default();
    let Some(whole) = form.filter(|_| form::boundary(&content_type).is_ok_and(|found| found.is_some())) else {
        return Ok(read(0, size));
    };
    let (head, tail, total) = if whole || size <= form::WINDOW.saturating_mul(2) || size == usize::MAX {
        let all = read(0, size);
        let total = all.len();
        (all, None, total)
    } else {
        (read(0, form::WINDOW), Some(read(size.saturating_sub(form::WINDOW), form::WINDOW)), size)
    };
    let ends = Ends { head: &head, tail: tail.as_deref().unwrap_or(&head), total };
    Ok(form::json(&content_type, || ends)?.unwrap_or_default())
}

/// How much of a body goes through this filter at a time, where parts of it must change places.
const TURN: usize = 256 << 10;

/// Puts the parts of a body in the place of what was received. What only follows the last change stays where it is.
fn set_body(pieces: &[Piece], received: usize) -> Result<(), abi::Refused> {
    match pieces {
        [] if received == 0 => Ok(()),
        [Piece::Kept(range)] if *range == (0..received) => Ok(()),
        [] => abi::set_buffer(Buffer::RequestBody, 0, received, &[]),
        [Piece::New(prefix), Piece::Kept(rest)] if rest.end == received => {
            abi::set_buffer(Buffer::RequestBody, 0, rest.start, prefix)
        }
        pieces => {
            // Behind the last byte.
            const END: usize = usize::MAX >> 1;
            // What stays goes round: off the front, and on at the end. Ranges come in their order.
            let mut gone = 0_usize;
            let mut drop_until = |until: usize| -> Result<(), abi::Refused> {
                let count = until.saturating_sub(gone);
                gone = until.max(gone);
                if count > 0 { abi::set_buffer(Buffer::RequestBody, 0, count, &[]) } else { Ok(()) }
            };
            for piece in pieces {
                match piece {
                    Piece::New(bytes) => abi::set_buffer(Buffer::RequestBody, END, 0, bytes)?,
                    Piece::Kept(range) => {
                        drop_until(range.start)?;
                        let mut at = range.start;
                        while at < range.end {
                            let count = range.end.saturating_sub(at).min(TURN);
                            let part = abi::buffer(Buffer::RequestBody, 0, count)?;
                            abi::set_buffer(Buffer::RequestBody, END, 0, &part)?;
                            at = at.saturating_add(count);
                            drop_until(at)?;
                        }
                    }
                }
            }
            drop_until(received)
        }
    }
}

/// The status by which the host is sent around: it keeps method and body.
const DIVERTED: &str = "307";

/// Where the request itself came to.
fn location(headers: &Headers) -> String {
    let scheme = [FORWARDED_PROTO, ":scheme"].iter().find_map(|name| headers.get(name)).unwrap_or(b"http");
    let scheme = String::from_utf8_lossy(scheme);
    format!("{scheme}://{}{}", headers.text(":authority"), headers.text(":path"))
}

/// The header by which the host knows a request's scheme while it looks for a route.
pub const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// What the host's `response.code_details` say of an answer that either filter has made.
pub const DETAILS: &str = "dragoman";

/// Sends an answer of the filter's own.
pub fn reply(local: &Local) {
    let mut headers: Vec<(&str, &[u8])> = vec![("content-type", b"application/json")];
    headers.extend(local.headers.iter().map(|(name, value)| (*name, value.as_bytes())));
    warn_if_refused("reply", abi::reply(local.status, DETAILS, &headers, &local.body));
}

/// The answer's status.
pub fn status(headers: &Headers) -> u16 {
    headers.text(":status").parse().unwrap_or(0)
}

impl Exchange {
    /// The answer's headers. `more` is added to them.
    pub fn head(&mut self, headers: Headers, end: bool, more: &dyn Fn(&mut Headers)) -> Action {
        let status = self.reply.status(status(&headers));
        let id = REQUEST_IDS.iter().find_map(|name| headers.get(name));
        if let Some(note) = self.record.borrow_mut().attempts.last_mut() {
            (note.status, note.request_id) = (Some(status), id.map(<[u8]>::to_vec));
        }
        self.plan = self.reply.head(status, &headers);
        if status >= 400 {
            self.own = headers.clone();
        }
        self.held = headers;
        self.held.retain(|name, _| !hidden(name));
        more(&mut self.held);
        match self.plan {
            Plan::Pass => {
                self.done = end;
                warn_if_refused("set headers", abi::set_headers(Map::Response, &self.held));
                Action::Continue
            }
            Plan::Stream if !end => {
                // Whatever the provider's is.
                if self.held.media_type() != EVENT_STREAM {
                    self.held.set("content-type", EVENT_STREAM);
                }
                if let Some(start) = &mut self.start {
                    start.began = abi::now();
                    return Action::Pause;
                }
                warn_if_refused("set headers", abi::set_headers(Map::Response, &self.held));
                Action::Continue
            }
            Plan::Stream | Plan::Whole if end => {
                self.done = true;
                let finished = self.whole(&[]);
                self.held.set(":status", finished.status.to_string());
                warn_if_refused("set headers", abi::set_headers(Map::Response, &self.held));
                // No body can be made here. The host tries again, or the filter in the listener answers with it.
                if let Some(note) = self.record.borrow_mut().attempts.last_mut() {
                    note.unsent = finished.body;
                }
                Action::Continue
            }
            Plan::Stream | Plan::Whole => Action::Pause,
        }
    }

    /// Whether the answer came to its end.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The status for the client, as far as it is known.
    pub fn status(&self) -> u16 {
        status(&self.held)
    }

    /// A part of the answer's body.
    pub fn body(&mut self, size: usize, end: bool) -> Action {
        if self.replaced {
            warn_if_refused("set the body", abi::set_buffer(Buffer::ResponseBody, 0, size, &[]));
        }
        if self.done {
            return Action::Continue;
        }
        match self.plan {
            Plan::Pass => {
                self.done = end;
                self.observe(|reply, meter, now| reply.pass(end, meter, now));
                Action::Continue
            }
            Plan::Stream if self.start.is_some() => self.start(size, end),
            Plan::Stream => {
                self.done = end;
                let chunk = abi::buffer(Buffer::ResponseBody, 0, size).unwrap_or_default();
                let mut out = Vec::with_capacity(chunk.len().saturating_add(512));
                self.observe(|reply, meter, now| {
                    reply.chunk(&chunk, meter, now, &mut out);
                    if end {
                        reply.end(meter, now, &mut out);
                    }
                });
                if out != chunk {
                    warn_if_refused("set the body", abi::set_buffer(Buffer::ResponseBody, 0, size, &out));
                }
                Action::Continue
            }
            Plan::Whole if end => {
                self.finish(size);
                Action::Continue
            }
            Plan::Whole => Action::Pause,
        }
    }

    /// More of a stream's start, of which the host holds `size` bytes.
    fn start(&mut self, size: usize, end: bool) -> Action {
        let Some(mut start) = self.start.take() else { return Action::Continue };
        let more = abi::buffer(Buffer::ResponseBody, start.read, size.saturating_sub(start.read)).unwrap_or_default();
        start.read = size;
        let (mut begun, mut now) = (end, 0);
        self.observe(|reply, meter, time| {
            now = time;
            reply.chunk(&more, meter, now, &mut start.out);
            if end {
                reply.end(meter, now, &mut start.out);
            }
            // What was blocked ends soon, and then another model may stand in.
            let blocked = meter.error.is_none() && meter.reason().is_some();
            begun |= !blocked && (meter.first_token.is_some() || meter.finish.is_some());
            begun |= reply.events() >= START_EVENTS || size >= START_BYTES;
        });
        begun |= now.saturating_sub(start.began) >= START_TIME;
        match self.reply.failed().filter(|_| !self.has_begun()) {
            Some(Finished { status, body, content_type }) => {
                (self.done, self.replaced) = (true, true);
                let body = body.unwrap_or_default();
                self.failed(status);
                self.held.set(":status", status.to_string());
                self.held.set("content-type", content_type);
                self.held.set("content-length", body.len().to_string());
                self.divert(status, &body);
                start.out = body;
            }
            None if !begun => {
                self.start = Some(start);
                return Action::Pause;
            }
            None => {
                self.done = end;
                if end && self.has_reason() {
                    self.divert(status(&self.held), &start.out);
                }
            }
        }
        warn_if_refused("set headers", abi::set_headers(Map::Response, &self.held));
        warn_if_refused("set the body", abi::set_buffer(Buffer::ResponseBody, 0, size, &start.out));
        Action::Continue
    }

    /// Whether a part of the answer itself has come.
    fn has_begun(&self) -> bool {
        self.record.borrow().attempts.last().is_some_and(|note| note.meter.first_token.is_some())
    }

    /// Whether other models may stand in for an answer that is none.
    fn has_reason(&self) -> bool {
        self.record.borrow().attempts.last().is_some_and(|note| note.meter.reason().is_some())
    }

    /// Sends the host around to a model that stands in, if the answer so far, of this status and body, is a reason for that
    /// and there is one. The host knows one way to do so with the same request: it follows a redirect.
    fn divert(&mut self, status: u16, body: &[u8]) {
        let Some(config) = &self.config else { return };
        let mut record = self.record.borrow_mut();
        let reason = record.attempts.last().and_then(|note| note.meter.reason());
        let Some((reason, model)) =
            reason.and_then(|reason| Some((reason, config.stand_in(&record.models(), reason)?)))
        else {
            return;
        };
        let token = format!("{:016x}{:016x}", environment::random(), environment::random());
        warn_if_refused("name the call", abi::set_header(Map::Request, FALLBACK, token.as_bytes()));
        let to = location(&record.headers);
        record.stand_in = Some(StandIn { model: model.to_owned(), reason, token, status, body: body.to_vec() });
        self.held.set(":status", DIVERTED);
        self.held.set("location", to);
    }

    /// The answer is an error. What went wrong because of the call itself leaves the account as it is.
    fn failed(&mut self, status: u16) {
        if let Some(seconds) = self.reply.retry_after() {
            for headers in [&mut self.held, &mut self.own].into_iter().filter(|headers| !headers.has("retry-after")) {
                headers.set("retry-after", seconds.to_string());
            }
        }
        let error = self.record.borrow().attempts.last().and_then(|note| note.meter.error);
        // Some say in other ways that the account has no money left.
        let refused = error == Some(Kind::UpstreamAuthentication) && !matches!(status, 401..=403);
        if !self.has_reason() {
            self.account.answered(if refused { 402 } else { status }, &self.own);
        }
    }

    /// The answer has ended, with `size` bytes of it held.
    pub fn finish(&mut self, size: usize) {
        if self.done {
            return;
        }
        if self.plan == Plan::Stream
            && let Some(start) = &self.start
        {
            self.start(start.read, true);
            return;
        }
        self.done = true;
        if self.plan == Plan::Pass {
            return self.observe(|reply, meter, now| reply.pass(true, meter, now));
        }
        if self.plan == Plan::Stream {
            // Trailers: nothing can be added to the body any more.
            self.observe(|reply, meter, now| reply.end(meter, now, &mut Vec::new()));
            return;
        }
        let body = abi::buffer(Buffer::ResponseBody, 0, size).unwrap_or_default();
        let finished = self.whole(&body);
        let length = finished.body.as_ref().map_or(body.len(), Vec::len);
        self.held.set(":status", finished.status.to_string());
        self.held.set("content-type", finished.content_type);
        self.held.set("content-length", length.to_string());
        self.held.remove("content-encoding");
        if self.has_reason() {
            self.divert(finished.status, finished.body.as_deref().unwrap_or(&body));
        }
        if let Some((name, cost)) = cost_header(&self.record.borrow()) {
            self.held.set(name, cost);
        }
        if finished.content_type == EVENT_STREAM {
            self.held.set("cache-control", "no-cache");
        }
        warn_if_refused("set headers", abi::set_headers(Map::Response, &self.held));
        if let Some(body) = finished.body {
            warn_if_refused("set the body", abi::set_buffer(Buffer::ResponseBody, 0, size, &body));
        }
    }

    fn whole(&mut self, body: &[u8]) -> Finished {
        let mut finished = None;
        self.observe(|reply, meter, now| finished = Some(reply.whole(body, meter, now)));
        let told = self.record.borrow().attempts.last().and_then(|note| note.status);
        self.failed(told.unwrap_or_default());
        finished.unwrap_or(Finished { status: 502, body: None, content_type: "application/json" })
    }

    fn observe(&mut self, read: impl FnOnce(&mut Reply, &mut crate::meter::Meter, u64)) {
        let mut record = self.record.borrow_mut();
        if let Some(note) = record.attempts.last_mut() {
            read(&mut self.reply, &mut note.meter, abi::now());
        }
    }
}

/// The client's error for a call that cannot be sent.
pub fn refuse(record: &Shared, error: &Error) {
    let format = record.borrow().format;
    record.borrow_mut().refused = Some(error.kind);
    reply(&Local { status: error.status(), headers: Vec::new(), body: crate::client::of(format).error(error) });
}
