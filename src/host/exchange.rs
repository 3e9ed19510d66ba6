//! An upstream's request and answer, as both positions of the filter handle them.

use proxy_wasm::types::Action;

use super::abi::{self, Buffer, Map};
use super::account::Account;
use super::calls::Shared;
use super::warn_if_refused;
use crate::attempt::{Outbound, Piece, REQUEST_IDS, hidden};
use crate::error::Error;
use crate::gateway::{Local, cost_header};
use crate::http::Headers;
use crate::record::Note;
use crate::reply::{EVENT_STREAM, Finished, Plan, Reply};

/// An attempt under way.
pub struct Exchange {
    reply: Reply,
    account: Account,
    record: Shared,
    plan: Plan,
    /// The answer's headers for the client, held until the body is there.
    held: Headers,
    /// Whether the end of the answer has been dealt with.
    done: bool,
}

/// Sends a request to the upstream, and notes the attempt.
pub fn send(outbound: Outbound, note: Note, account: Account, record: &Shared, received: usize) -> Exchange {
    warn_if_refused("set headers", abi::set_headers(Map::Request, &outbound.headers));
    warn_if_refused("set the body", set_body(&outbound.body, received));
    record.borrow_mut().attempts.push(note);
    let (record, held) = (record.clone(), Headers::default());
    Exchange { reply: outbound.reply, account, record, plan: Plan::Whole, held, done: false }
}

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
            let kept = pieces.iter().any(|piece| matches!(piece, Piece::Kept(_)));
            let body = if kept { abi::buffer(Buffer::RequestBody, 0, received)? } else { Vec::new() };
            let mut start = 0;
            let mut replaced = received;
            for piece in pieces {
                let part = match piece {
                    Piece::Kept(range) => body.get(range.clone()).unwrap_or_default(),
                    Piece::New(bytes) => bytes,
                };
                abi::set_buffer(Buffer::RequestBody, start, replaced, part)?;
                // From now on each part goes behind the last byte.
                (start, replaced) = (usize::MAX >> 1, 0);
            }
            Ok(())
        }
    }
}

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
        self.account.answered(status, &headers);
        let id = REQUEST_IDS.iter().find_map(|name| headers.get(name));
        if let Some(note) = self.record.borrow_mut().attempts.last_mut() {
            (note.status, note.request_id) = (Some(status), id.map(<[u8]>::to_vec));
        }
        self.plan = self.reply.head(status, &headers);
        self.held = headers;
        self.held.retain(|name, _| !hidden(name));
        more(&mut self.held);
        match self.plan {
            Plan::Stream if !end => {
                // Whatever the provider's is.
                if self.held.media_type() != EVENT_STREAM {
                    self.held.set("content-type", EVENT_STREAM);
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
        if self.done {
            return Action::Continue;
        }
        match self.plan {
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

    /// The answer has ended, with `size` bytes of it held.
    pub fn finish(&mut self, size: usize) {
        if self.done {
            return;
        }
        self.done = true;
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
        let mut retry_after = None;
        self.observe(|reply, meter, now| {
            finished = Some(reply.whole(body, meter, now));
            retry_after = reply.retry_after();
        });
        if let Some(seconds) = retry_after
            && !self.held.has("retry-after")
        {
            self.held.set("retry-after", seconds.to_string());
        }
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
