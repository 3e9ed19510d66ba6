//! A server whose replies can break off: before the headers, or in the middle of a body.
//!
//! hyper speaks HTTP/1.1, and HTTP/2 without TLS to clients that open with it. An error from the service or from the body
//! makes it close the connection, in HTTP/2 reset the stream. A body is a list of [`Step`]s.

use std::error::Error;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use http_body_util::{BodyExt, LengthLimitError, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::directive::Directive;
use super::log::Log;

/// A request as it was received.
pub struct Request {
    pub method: String,
    /// Path and query, untouched.
    pub target: String,
    /// Names in lower case, in order, values of one name together.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    fn new(parts: &Parts, body: Bytes) -> Request {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // HTTP/2 has the host in the target.
        let host = parts.uri.authority().filter(|_| !parts.headers.contains_key("host"));
        let host = host.map(|host| ("host".into(), host.to_string()));
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
        Request {
            method: parts.method.to_string(),
            target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            headers: host.into_iter().chain(headers).collect(),
            body,
        }
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether the body says that it is JSON.
    pub fn is_json(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    }
}

/// What to send, and how badly.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    pub manner: Directive,
}

/// A body with a length, or events that are flushed one by one.
pub enum Body {
    Events(Vec<Vec<u8>>),
    Whole(Vec<u8>),
}

impl Reply {
    /// A JSON body.
    pub fn json(status: u16, body: String) -> Reply {
        Reply {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: Body::Whole(body.into_bytes()),
            manner: Directive::default(),
        }
    }

    /// A body of another type.
    pub fn bytes(media_type: &str, body: Vec<u8>) -> Reply {
        let headers = vec![("content-type".into(), media_type.into())];
        Reply { status: 200, headers, body: Body::Whole(body), manner: Directive::default() }
    }

    /// A stream of lines.
    pub fn lines(lines: Vec<Vec<u8>>) -> Reply {
        let headers = vec![("content-type".into(), "application/x-ndjson".into())];
        Reply { status: 200, headers, body: Body::Events(lines), manner: Directive::default() }
    }

    /// A stream of server-sent events.
    pub fn events(events: Vec<Vec<u8>>) -> Reply {
        let headers = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")];
        Reply {
            status: 200,
            headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
            body: Body::Events(events),
            manner: Directive::default(),
        }
    }

    /// One more header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// How an exchange ended.
#[derive(Clone, Copy)]
pub enum Outcome {
    /// The client left first, or the connection broke.
    Closed,
    Complete,
    /// We broke the connection, as we were asked.
    Cut,
}

impl Outcome {
    /// For the request log.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Closed => "client closed",
            Outcome::Complete => "complete",
            Outcome::Cut => "cut",
        }
    }
}

/// Answers one client's requests until either side ends the connection.
pub async fn converse(stream: TcpStream, log: Arc<Log>, route: fn(&Request, &Log) -> Reply) {
    // Without this, small events would wait for each other. A socket that refuses is only slower.
    stream.set_nodelay(true).ok();
    let service = service_fn(|request| answer(request, Arc::clone(&log), route));
    // An error is a client that left or a reply that broke off; the log has both.
    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.ok();
}

async fn answer(
    request: hyper::Request<Incoming>,
    log: Arc<Log>,
    route: fn(&Request, &Log) -> Reply,
) -> Result<Response<StreamBody<impl Stream<Item = Result<Frame<Bytes>, Failure>>>>, Failure> {
    let (parts, body) = request.into_parts();
    let (number, reply) = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => {
            let request = Request::new(&parts, body.to_bytes());
            (log.received(&request), route(&request, &log))
        }
        Err(error) if error.is::<LengthLimitError>() => {
            (0, Reply::json(413, "{\"error\":\"mock: the body is above 64 MiB\"}".into()))
        }
        Err(error) => return Err(error),
    };
    let mut ending = Ending { log, number, status: reply.status, noted: false };
    if reply.manner.slow_start > 0 {
        sleep(Duration::from_millis(reply.manner.slow_start)).await;
    }
    if reply.manner.drop {
        ending.note(Outcome::Cut);
        return Err("dropped as asked".into());
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if let Body::Whole(body) = &reply.body {
        response = response.header("content-length", body.len());
    }
    let steps = if parts.method == Method::HEAD { Vec::new() } else { steps(reply.body, &reply.manner) };
    if steps.is_empty() {
        ending.note(Outcome::Complete);
    }
    Ok(response.body(StreamBody::new(play(steps, ending)))?)
}

/// What a body does next.
enum Step {
    /// Breaks the connection.
    Cut,
    Pause(u64),
    Send(Bytes),
    /// Says nothing until the client leaves.
    Stall,
}

fn steps(body: Body, manner: &Directive) -> Vec<Step> {
    let (mut pieces, cut, stall) = match body {
        Body::Whole(mut body) => {
            if manner.cut_after.is_some() {
                body.truncate(body.len() / 2);
            }
            (vec![body], manner.cut_after.is_some(), None)
        }
        Body::Events(mut events) => {
            events.truncate(manner.end_after.unwrap_or(usize::MAX));
            let cut = manner.cut_after.filter(|after| *after < events.len() || manner.split.is_some());
            events.truncate(cut.unwrap_or(usize::MAX));
            (events, cut.is_some(), manner.stall_after)
        }
    };
    if let Some(size) = manner.split {
        // These pieces ignore where events end.
        pieces = pieces.concat().chunks(size.max(1)).map(<[u8]>::to_vec).collect();
    }
    let mut steps = Vec::new();
    for (count, piece) in pieces.into_iter().filter(|piece| !piece.is_empty()).enumerate() {
        if stall == Some(count) {
            steps.push(Step::Stall);
            return steps;
        }
        if count > 0 && manner.delay > 0 {
            steps.push(Step::Pause(manner.delay));
        }
        steps.push(Step::Send(piece.into()));
    }
    if cut {
        steps.push(Step::Cut);
    }
    steps
}

fn play(steps: Vec<Step>, ending: Ending) -> impl Stream<Item = Result<Frame<Bytes>, Failure>> {
    stream::unfold((steps.into_iter(), ending), |(mut steps, mut ending)| async move {
        loop {
            match steps.next()? {
                Step::Cut => {
                    // What hyper has not written by the time of the error is lost.
                    sleep(WRITTEN).await;
                    ending.note(Outcome::Cut);
                    return Some((Err("cut as asked".into()), (steps, ending)));
                }
                Step::Pause(milliseconds) => sleep(Duration::from_millis(milliseconds)).await,
                Step::Send(piece) => {
                    // hyper writes what it has as soon as it must wait for more, so every piece is written alone.
                    yield_now().await;
                    // Noted before the client has the last piece: it may look at the log at once, or leave.
                    if steps.len() == 0 {
                        ending.note(Outcome::Complete);
                    }
                    return Some((Ok(Frame::data(piece)), (steps, ending)));
                }
                Step::Stall => pending::<()>().await,
            }
        }
    })
}

/// Tells the log how an exchange ended. It goes down with the reply when the client leaves.
struct Ending {
    log: Arc<Log>,
    number: u64,
    status: u16,
    noted: bool,
}

impl Ending {
    fn note(&mut self, outcome: Outcome) {
        self.noted = true;
        self.log.answered(self.number, self.status, outcome);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.noted {
            self.note(Outcome::Closed);
        }
    }
}

type Failure = Box<dyn Error + Send + Sync>;

const BODY_LIMIT: usize = 64 << 20;
const WRITTEN: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::super::Wire;
    use super::*;

    #[test]
    fn bodies_by_directive() {
        let play = |body, text| {
            let manner = Directive::read(Wire::OpenAi, "m", &format!("[mock {text}]"), &Log::default()).unwrap();
            let steps = steps(body, &manner).into_iter().map(|step| match step {
                Step::Cut => "cut".to_owned(),
                Step::Pause(milliseconds) => format!("pause {milliseconds}"),
                Step::Send(piece) => String::from_utf8_lossy(&piece).into_owned(),
                Step::Stall => "stall".to_owned(),
            });
            steps.collect::<Vec<_>>().join(", ")
        };
        let events = |text| play(Body::Events(["one", "two", "three"].map(Vec::from).into()), text);
        assert_eq!(events(""), "one, two, three");
        assert_eq!(events("delay=5"), "one, pause 5, two, pause 5, three");
        assert_eq!(events("cut-after=2"), "one, two, cut");
        assert_eq!(events("cut-after=0"), "cut");
        assert_eq!(events("cut-after=3"), "one, two, three");
        assert_eq!(events("cut-after=2 split=4"), "onet, wo, cut");
        assert_eq!(events("end-after=1"), "one");
        assert_eq!(events("stall-after=0"), "stall");
        assert_eq!(events("stall-after=1 delay=5"), "one, stall");
        let whole = |text| play(Body::Whole("whole!".into()), text);
        assert_eq!(whole("cut-after=9"), "who, cut");
        assert_eq!(whole("split=4 delay=5"), "whol, pause 5, e!");
        assert_eq!(play(Body::Whole(Vec::new()), ""), "");
    }
}
