//! An upstream's answer on its way to the client.
//!
//! A [`Reply`] is made with the request and fed with what comes back. It reads every answer into events, for the
//! [`Meter`] and, where the formats differ, for the client; where they are the same it passes the bytes on and changes
//! only what must change. The rule of use: [`Reply::head`] once; then, as its [`Plan`] says, either [`Reply::whole`] once
//! with all of the body, or [`Reply::chunk`] for each part and [`Reply::end`] once.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::answer::Answer;
use crate::client::{Ask, Client, StreamWriter};
use crate::error::{Error, Kind, shorten};
use crate::event::Event;
use crate::format::Format;
use crate::frame::{Decoder, Fault, Frame, Framing};
use crate::http::Headers;
use crate::json::{self, Doc, Edits, Memory, Node};
use crate::meter::Meter;
use crate::patch;
use crate::provider::{Thought, Wrapping};
use crate::wire::{self, Reader, Wire, aws};

/// How the body of an answer is to be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// As it is, part by part.
    Pass,
    /// Part by part, as it comes.
    Stream,
    /// All at once, with the headers held until then.
    Whole,
}

/// An answer for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The status.
    pub status: u16,
    /// The body, unless it stays as it came.
    pub body: Option<Vec<u8>>,
    /// The type of the body.
    pub content_type: &'static str,
}

/// The status of every answer that is written here: clients' formats know no other success.
const OK: u16 = 200;
const JSON: &str = "application/json";
/// The type of a stream.
pub const EVENT_STREAM: &str = "text/event-stream";

/// What lies between the two ends of a call.
#[derive(Clone, Copy)]
pub struct Path {
    /// The client's end.
    pub client: &'static dyn Client,
    /// The upstream's.
    pub wire: &'static dyn Wire,
    /// Whether both speak the same format.
    pub spliced: bool,
    /// How a stream of the upstream's comes.
    pub wrapping: Wrapping,
    /// Where the upstream says what it thought.
    pub thought: Thought,
    /// Whether a refusal of credentials is the client's to know: they are its own.
    pub own_credentials: bool,
}

/// Translates one answer.
pub struct Reply {
    ask: Ask,
    path: Path,
    reader: Box<dyn Reader>,
    /// Absent on the splice path.
    writer: Option<Box<dyn StreamWriter>>,
    decoder: Decoder,
    memory: Memory,
    status: u16,
    media_type: String,
    /// How many events came.
    events: u64,
    /// See [`Self::retry_after`].
    retry_after: Option<u64>,
    /// Whether the client has been told of an error or of the end.
    over: bool,
    /// What counts in the place of whatever comes back.
    refusal: Option<Error>,
    /// What went wrong with a stream.
    failure: Option<Error>,
}

impl Reply {
    /// For the answer to a call along `path`.
    pub fn new(ask: Ask, path: Path, reader: Box<dyn Reader>) -> Self {
        Self {
            ask,
            path,
            reader,
            writer: None,
            decoder: Decoder::default(),
            memory: Memory::default(),
            status: 0,
            media_type: String::new(),
            events: 0,
            retry_after: None,
            over: false,
            refusal: None,
            failure: None,
        }
    }

    /// For a call that was not really made: `error` is its answer.
    pub fn refusal(ask: Ask, client: &'static dyn Client, error: Error) -> Self {
        let wire = wire::of(Format::Chat);
        let thought = Thought::Hidden;
        let path = Path { client, wire, spliced: false, wrapping: Wrapping::Bare, thought, own_credentials: false };
        Self { refusal: Some(error), ..Self::new(ask, path, wire.reader()) }
    }

    /// The status of the answer that came with this one.
    pub fn status(&self, came: u16) -> u16 {
        self.refusal.as_ref().map_or(came, Error::status)
    }

    /// The answer's status and headers.
    pub fn head(&mut self, status: u16, headers: &Headers) -> Plan {
        self.status = status;
        self.reader.head(headers);
        self.media_type = headers.media_type();
        let compressed = headers.get("content-encoding").is_some_and(|value| value != b"identity");
        if compressed {
            self.media_type = "compressed data".into();
        }
        let good = (200..=299).contains(&status) && self.refusal.is_none();
        if good && !compressed && self.reader.passes(&self.media_type) {
            return Plan::Pass;
        }
        if self.reader.passes_all() && (self.path.own_credentials || !matches!(status, 401..=403)) {
            return Plan::Pass;
        }
        let streams = good && self.ask.stream;
        let Some(framing) = self.framing().filter(|_| streams) else { return Plan::Whole };
        self.decoder = Decoder::new(framing);
        if !self.path.spliced {
            self.writer = self.path.client.stream(&self.ask);
        }
        Plan::Stream
    }

    /// How the answer is cut into events, if it is a stream.
    fn framing(&self) -> Option<Framing> {
        let pieces = |framing| framing == Framing::EventStream && self.path.wrapping == Wrapping::Pieces;
        Framing::of(&self.media_type).map(|framing| if pieces(framing) { Framing::Pieces } else { framing })
    }

    /// All of the body of an answer.
    pub fn whole(&mut self, body: &[u8], meter: &mut Meter, now: u64) -> Finished {
        self.over = true;
        let result = match (self.refusal.take(), self.status) {
            (Some(error), _) => Err(error),
            (None, 200..=299) => self.success(body, meter, now),
            (None, _) => self.failure(body, meter),
        };
        match result {
            Ok(finished) => finished,
            Err(error) => {
                let error = self.shown(error);
                meter.error = Some(error.kind);
                meter.ended = true;
                self.retry_after = error.retry_after;
                Finished { status: error.status(), body: Some(self.path.client.error(&error)), content_type: JSON }
            }
        }
    }

    /// A part of an answer that the client gets as it is; none of it has more than the first to tell.
    pub fn pass(&mut self, end: bool, meter: &mut Meter, now: u64) {
        if self.events == 0 {
            meter.first_token.get_or_insert(now);
            self.reader.passed(&mut |event| meter.observe(&event, now));
        }
        self.events = self.events.saturating_add(1);
        if end {
            meter.observe(&Event::End, now);
        }
    }

    /// In how many seconds the provider wants to be asked again, where it said so in the body of an error.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    fn success(&mut self, body: &[u8], meter: &mut Meter, now: u64) -> Result<Finished, Error> {
        if let Some(framing) = self.framing() {
            return self.collect(framing, body, meter, now);
        }
        let doc = Doc::lenient(body).map_err(|_| self.unreadable(body))?;
        if self.path.spliced && !self.ask.stream {
            let mut failed = None;
            self.reader.answer(doc.root(), &mut |event| {
                if let Event::Error(error) = &event {
                    failed = Some(error.clone());
                }
                meter.observe(&event, now);
            });
            if let Some(error) = failed {
                return Err(error);
            }
            let mut edits = Edits::default();
            self.path.client.splice_answer(doc.root(), &self.ask, &mut edits);
            patch::answer(doc.root(), self.path.thought, &mut edits);
            let body = (!edits.is_empty()).then(|| edits.apply(&doc).into_bytes());
            return Ok(Finished { status: self.status, body, content_type: JSON });
        }
        if let Some(mut writer) = self.path.client.stream(&self.ask).filter(|_| self.ask.stream) {
            // A whole answer is played as the stream that the client asked for.
            let mut out = Vec::new();
            let mut failed = None;
            self.reader.answer(doc.root(), &mut |event| {
                meter.observe(&event, now);
                match event {
                    Event::Error(error) => failed = Some(error),
                    event => writer.event(event, &mut out),
                }
            });
            return match failed {
                Some(error) => Err(error),
                None => Ok(Finished { status: OK, body: Some(out), content_type: EVENT_STREAM }),
            };
        }
        let mut answer = Answer::default();
        self.reader.answer(doc.root(), &mut |event| {
            meter.observe(&event, now);
            answer.add(event);
        });
        self.write(answer)
    }

    /// A stream for a client that asked for none.
    fn collect(&mut self, framing: Framing, body: &[u8], meter: &mut Meter, now: u64) -> Result<Finished, Error> {
        let mut answer = Answer::default();
        let reader = &mut self.reader;
        let mut add = |event: Event<'_>| {
            meter.observe(&event, now);
            answer.add(event);
        };
        let wrapped = self.path.wrapping == Wrapping::Events;
        let mut failed = None;
        let mut each = |frame: Frame<'_>| {
            if frame.failed {
                failed.get_or_insert_with(|| aws::exception(frame.event, &frame.data));
            } else if frame.data.as_ref() == DONE {
                reader.end(&mut add);
            } else if let Some(data) = unwrap(&frame, wrapped)
                && let Ok(doc) = Doc::lenient(&data)
            {
                reader.event(if wrapped { "" } else { frame.event }, doc.root(), &mut add);
            }
        };
        let mut decoder = Decoder::new(framing);
        decoder.push(body, &mut each).and_then(|()| decoder.end(&mut each)).map_err(damaged)?;
        if let Some(error) = failed {
            return Err(error);
        }
        reader.end(&mut add);
        self.write(answer)
    }

    fn write(&self, mut answer: Answer) -> Result<Finished, Error> {
        match answer.error.take() {
            Some(error) => Err(error),
            None => {
                let body = self.path.client.answer(&answer, &self.ask);
                Ok(Finished { status: OK, body: Some(body), content_type: self.ask.media_type.unwrap_or(JSON) })
            }
        }
    }

    fn failure(&self, body: &[u8], meter: &mut Meter) -> Result<Finished, Error> {
        if !(400..=599).contains(&self.status) {
            let what = if (300..=399).contains(&self.status) { "a redirect" } else { "an unknown status" };
            return Err(Error::new(Kind::BadAnswer, format!("the upstream answered with {what} ({})", self.status)));
        }
        let error = self.path.wire.error(self.status, body);
        let refused = matches!(self.status, 401..=403) || error.kind == Kind::Authentication;
        if refused && !self.path.own_credentials {
            // Such words may name the account.
            return Err(match error.kind {
                Kind::ContentPolicy => Error::new(error.kind, "the provider does not take what the call is about"),
                _ => no_access(self.status),
            });
        }
        let is_object = |node: Node<'_>| node.kind() == json::Kind::Object;
        if self.path.spliced && Doc::lenient(body).is_ok_and(|doc| doc.root().get("error").is_some_and(is_object)) {
            (meter.error, meter.ended) = (Some(error.kind), true);
            return Ok(Finished { status: self.status, body: None, content_type: JSON });
        }
        Err(error)
    }

    /// An error as the client may see it.
    fn shown(&self, error: Error) -> Error {
        if error.kind == Kind::Authentication && !self.path.own_credentials { no_access(error.status()) } else { error }
    }

    fn unreadable(&self, body: &[u8]) -> Error {
        let what = match (body.is_empty(), self.media_type.as_str()) {
            (true, _) => "an empty body".to_owned(),
            (_, "") => "a body of no type".to_owned(),
            (_, JSON) => "malformed JSON".to_owned(),
            (_, other) => format!("`{}`", shorten(other)),
        };
        Error::new(
            Kind::BadAnswer,
            format!("the upstream answered {} with {what} where JSON was expected", self.status),
        )
    }

    /// The next part of a stream; what the client is to get of it is added to `out`.
    pub fn chunk(&mut self, chunk: &[u8], meter: &mut Meter, now: u64, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        let mut decoder = std::mem::take(&mut self.decoder);
        let result = decoder.push(chunk, &mut |frame| self.frame(&frame, meter, now, out));
        self.decoder = decoder;
        if let Err(fault) = result {
            self.fail(&damaged(fault), meter, out);
        }
    }

    /// How many events of a stream came.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The answer that takes the place of a stream of which the client has had nothing yet, if the stream failed.
    pub fn failed(&mut self) -> Option<Finished> {
        let error = self.failure.take()?;
        let error = self.shown(error);
        self.retry_after = error.retry_after;
        // Some providers put a status of their own into an event.
        let status = if (400..=599).contains(&error.status()) { error.status() } else { Kind::BadAnswer.status() };
        Some(Finished { status, body: Some(self.path.client.error(&error)), content_type: JSON })
    }

    /// The end of a stream that has not broken off.
    pub fn end(&mut self, meter: &mut Meter, now: u64, out: &mut Vec<u8>) {
        let mut decoder = std::mem::take(&mut self.decoder);
        let start = out.len();
        let result = decoder.end(&mut |frame| self.frame(&frame, meter, now, out));
        // What came without the end of its last event gets one, lest another event runs into it.
        if out.len() > start && !out.ends_with(b"\n\n") {
            out.extend_from_slice(b"\n\n");
        }
        if let Err(fault) = result {
            self.fail(&damaged(fault), meter, out);
        }
        if self.over {
            return;
        }
        self.finish(meter, now, out);
        if self.path.spliced && meter.error.is_none() {
            self.path.client.stream_end(out);
        }
    }

    fn frame(&mut self, frame: &Frame<'_>, meter: &mut Meter, now: u64, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        if frame.failed {
            return self.fail(&aws::exception(frame.event, &frame.data), meter, out);
        }
        if self.path.wrapping != Wrapping::Events {
            return self.event(frame, meter, now, out);
        }
        match unwrap(frame, true) {
            Some(data) => {
                self.event(&Frame { raw: &[], event: "", failed: false, data: Cow::Borrowed(&data) }, meter, now, out);
            }
            None => self.fail(&damaged(Fault::Corrupt("an event without its bytes")), meter, out),
        }
    }

    fn event(&mut self, frame: &Frame<'_>, meter: &mut Meter, now: u64, out: &mut Vec<u8>) {
        if frame.data.is_empty() {
            // Comments keep connections alive at both ends.
            match &mut self.writer {
                Some(writer) if frame.raw.starts_with(b":") => writer.event(Event::Ping, out),
                Some(_) => {}
                None if is_event_stream(frame.raw) => out.extend_from_slice(frame.raw),
                None => {}
            }
            return;
        }
        if frame.data.as_ref() == DONE {
            self.finish(meter, now, out);
            // After an error nothing makes the answer look complete.
            if self.path.spliced && meter.error.is_none() {
                out.extend_from_slice(frame.raw);
            }
            return;
        }
        let Ok(doc) = Doc::reuse(&frame.data, std::mem::take(&mut self.memory)) else {
            let error = Error::new(Kind::BadAnswer, "the upstream sent an event that is not JSON");
            self.fail(&error, meter, out);
            return;
        };
        let (over, failure) = (&mut self.over, &mut self.failure);
        let mut observe = |event: &Event<'_>| {
            meter.observe(event, now);
            *over |= matches!(event, Event::End | Event::Error(_));
            if let Event::Error(error) = event {
                *failure = Some(error.clone());
            }
        };
        match &mut self.writer {
            Some(writer) => self.reader.event(frame.event, doc.root(), &mut |event| {
                observe(&event);
                writer.event(event, out);
            }),
            None => {
                self.reader.event(frame.event, doc.root(), &mut |event| observe(&event));
                let mut edits = Edits::default();
                if self.path.client.splice_event(doc.root(), &self.ask, &mut edits) {
                    patch::answer(doc.root(), self.path.thought, &mut edits);
                    splice(frame, &doc, edits, out);
                }
            }
        }
        self.memory = doc.into_memory();
        self.events = self.events.saturating_add(1);
        let kept = self.writer.as_ref().map_or(0, |writer| writer.kept()).saturating_add(self.reader.kept());
        if kept > MOST_KEPT {
            let message = "the upstream sent more than 16 MiB that cannot be passed on before what follows";
            self.fail(&Error::new(Kind::BadAnswer, message), meter, out);
        }
    }

    fn finish(&mut self, meter: &mut Meter, now: u64, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        let mut failed = None;
        let writer = &mut self.writer;
        self.reader.end(&mut |event| {
            meter.observe(&event, now);
            match (event, &mut *writer) {
                (Event::Error(error), _) => failed = Some(error),
                (event, Some(writer)) => writer.event(event, out),
                (_, None) => {}
            }
        });
        match failed {
            Some(error) => self.fail(&error, meter, out),
            None => self.over = true,
        }
    }

    fn fail(&mut self, error: &Error, meter: &mut Meter, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        self.over = true;
        self.failure = Some(error.clone());
        meter.error = Some(error.kind);
        match &mut self.writer {
            Some(writer) => writer.event(Event::Error(error.clone()), out),
            None => self.path.client.stream_error(error, self.events, out),
        }
    }
}

/// What the client is told of a refusal of our credentials: the provider's own words could show a part of the key, and the
/// client cannot mend it.
fn no_access(status: u16) -> Error {
    let message = format!("the provider refused the gateway's credentials ({status})");
    Error::new(Kind::UpstreamAuthentication, message)
}

/// The most bytes of a stream that are kept because of what may follow: as many as one event may have.
const MOST_KEPT: usize = 16 << 20;

/// Whether bytes without data begin as an event stream's do, and not as a page's that came in its place.
fn is_event_stream(raw: &[u8]) -> bool {
    const FIELDS: [&[u8]; 7] = [b":", b"event", b"id", b"retry", b"data", b"\n", b"\r"];
    FIELDS.iter().any(|field| raw.starts_with(field))
}

/// What OpenAI's streams end with.
const DONE: &[u8] = b"[DONE]";

/// Writes an event with its data changed; one that came in another framing has no bytes of its own.
fn splice(frame: &Frame<'_>, doc: &Doc<'_>, edits: Edits, out: &mut Vec<u8>) {
    if edits.is_empty() && !frame.raw.is_empty() {
        out.extend_from_slice(frame.raw);
        return;
    }
    let changed = edits.apply(doc);
    let data = frame.data.as_ref();
    // Data on one line is a part of the event's own bytes.
    let place = match &frame.data {
        Cow::Borrowed(data) => data.as_ptr().addr().checked_sub(frame.raw.as_ptr().addr()),
        Cow::Owned(_) => None,
    };
    match place.and_then(|at| Some((frame.raw.get(..at)?, frame.raw.get(at.checked_add(data.len())?..)?))) {
        Some((before, after)) => {
            out.extend_from_slice(before);
            changed.parts().for_each(|part| out.extend_from_slice(part));
            out.extend_from_slice(after);
        }
        None => {
            let kind = doc.root().get("type").and_then(Node::text).filter(|_| frame.raw.is_empty());
            let name = kind.as_deref().unwrap_or(frame.event);
            if !name.is_empty() {
                out.extend_from_slice(format!("event: {name}\n").as_bytes());
            }
            for line in changed.into_bytes().split(|b| matches!(b, b'\n' | b'\r')) {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            out.push(b'\n');
        }
    }
}

fn damaged(fault: Fault) -> Error {
    let what = match fault {
        Fault::Corrupt(what) => what,
        Fault::TooLong => "an event of more than 16 MiB",
    };
    Error::new(Kind::BadAnswer, format!("the upstream sent {what}"))
}

/// The data of a frame, out of its wrapping if it is `wrapped`.
fn unwrap<'f>(frame: &'f Frame<'_>, wrapped: bool) -> Option<Cow<'f, [u8]>> {
    if !wrapped {
        return Some(Cow::Borrowed(&frame.data));
    }
    let doc = Doc::lenient(&frame.data).ok()?;
    BASE64_STANDARD.decode(&*doc.root().get("bytes")?.text()?).ok().map(Cow::Owned)
}
