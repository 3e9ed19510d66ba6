//! An HTTP/1.1 server that can break the protocol: close before the headers, or in the middle of a body.
//!
//! Server libraries take care that this cannot happen, so the mock has its own. It reads what proxies and SDKs send
//! (`content-length` and chunked bodies, keep-alive, `expect`), and flushes every event alone. No TLS, no HTTP/2.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::directive::Directive;

/// A request as it was received.
pub struct Request {
    pub method: String,
    /// Path and query, untouched.
    pub target: String,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether the connection ends with this exchange.
    pub fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
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

    /// Ends the connection after this reply.
    pub fn close(self) -> Reply {
        self.with("connection", "close")
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match &self.body {
            Body::Whole(body) => head.push_str(&format!("content-length: {}\r\n\r\n", body.len())),
            Body::Events(_) => head.push_str("transfer-encoding: chunked\r\n\r\n"),
        }
        head.into_bytes()
    }
}

/// How an exchange ended.
#[derive(PartialEq, Eq)]
pub enum Outcome {
    /// The client left first.
    Closed,
    Complete,
    /// We broke the connection, as we were asked.
    Cut,
}

impl Outcome {
    /// For the request log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Closed => "client closed",
            Outcome::Complete => "complete",
            Outcome::Cut => "cut",
        }
    }
}

/// One client's connection.
pub struct Connection {
    stream: TcpStream,
    /// Bytes that were read and not yet used.
    buffer: Vec<u8>,
}

impl Connection {
    /// Over an accepted socket.
    pub fn new(stream: TcpStream) -> Connection {
        // Without this, small events would wait for each other. A socket that refuses is only slower.
        stream.set_nodelay(true).ok();
        Connection { stream, buffer: Vec::new() }
    }

    /// The next request; `None` at the end. A request that cannot be read may still get an answer.
    pub async fn request(&mut self) -> Result<Option<Request>, Option<Reply>> {
        match self.read().await {
            Ok(request) => Ok(request),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(Some(Reply::json(400, "{\"error\":\"mock: this is no HTTP/1.1 request\"}".into())))
            }
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(Some(Reply::json(413, "{\"error\":\"mock: the body is above 64 MiB\"}".into())))
            }
            Err(_) => Err(None),
        }
    }

    /// Sends the reply in its manner.
    pub async fn send(&mut self, mut reply: Reply, last: bool) -> Outcome {
        if last {
            reply = reply.close();
        }
        match self.write(&reply).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Closed,
        }
    }

    async fn read(&mut self) -> io::Result<Option<Request>> {
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break self.take(end + 4);
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&head);
        let mut lines = head.split("\r\n");
        let mut start = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1")) = (start.next(), start.next(), start.next()) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let mut headers = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Request { method: method.into(), target: target.into(), headers, body: Vec::new() };
        if request.header("expect").is_some() {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.body = match request.header("transfer-encoding") {
            Some(_) => self.chunks().await?,
            None => {
                let length = request.header("content-length").unwrap_or("0");
                let length = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
                self.exactly(length).await?
            }
        };
        Ok(Some(request))
    }

    async fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            if size == 0 {
                break;
            }
            if body.len() + size > BODY_LIMIT {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            body.extend(self.exactly(size).await?);
            self.line().await?;
        }
        // Trailers, up to the empty line.
        while !self.line().await?.is_empty() {}
        Ok(body)
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                let line = self.take(end + 2);
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > BODY_LIMIT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.buffer.reserve(length.saturating_sub(self.buffer.len()));
        while self.buffer.len() < length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.take(length))
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(length.min(self.buffer.len()));
        std::mem::replace(&mut self.buffer, rest)
    }

    async fn write(&mut self, reply: &Reply) -> io::Result<Outcome> {
        let manner = &reply.manner;
        self.pause(manner.slow_start).await?;
        if manner.drop {
            return Ok(Outcome::Cut);
        }
        self.stream.write_all(&reply.head()).await?;
        match &reply.body {
            Body::Whole(body) => {
                let sent = if manner.cut_after.is_some() { body.len() / 2 } else { body.len() };
                let sent = body.get(..sent).unwrap_or_default();
                for piece in sent.chunks(manner.split.unwrap_or(usize::MAX)) {
                    self.stream.write_all(piece).await?;
                    self.pause(manner.delay).await?;
                }
                if manner.cut_after.is_some() {
                    return Ok(Outcome::Cut);
                }
            }
            Body::Events(events) => {
                if self.write_events(events, manner).await? == Outcome::Cut {
                    return Ok(Outcome::Cut);
                }
                self.stream.write_all(b"0\r\n\r\n").await?;
            }
        }
        self.stream.flush().await?;
        Ok(Outcome::Complete)
    }

    async fn write_events(&mut self, events: &[Vec<u8>], manner: &Directive) -> io::Result<Outcome> {
        // With `split`, pieces ignore where events end, so events are joined first.
        let joined: Vec<Vec<u8>>;
        let mut events = events.iter().take(manner.end_after.unwrap_or(usize::MAX)).collect::<Vec<_>>();
        if let Some(size) = manner.split {
            let kept = manner.cut_after.unwrap_or(usize::MAX);
            let bytes: Vec<u8> = events.iter().take(kept).flat_map(|event| event.iter().copied()).collect();
            joined = bytes.chunks(size.max(1)).map(<[u8]>::to_vec).collect();
            events = joined.iter().collect();
        }
        for (count, event) in events.into_iter().enumerate() {
            if manner.stall_after == Some(count) {
                self.stall().await?;
            }
            if manner.cut_after == Some(count) && manner.split.is_none() {
                return Ok(Outcome::Cut);
            }
            if count > 0 {
                self.pause(manner.delay).await?;
            }
            let mut chunk = format!("{:x}\r\n", event.len()).into_bytes();
            chunk.extend_from_slice(event);
            chunk.extend_from_slice(b"\r\n");
            self.stream.write_all(&chunk).await?;
            self.stream.flush().await?;
        }
        let cut = manner.cut_after.is_some() && manner.split.is_some();
        Ok(if cut { Outcome::Cut } else { Outcome::Complete })
    }

    /// Waits, and notices a client that leaves meanwhile.
    async fn pause(&mut self, milliseconds: u64) -> io::Result<()> {
        if milliseconds == 0 {
            return Ok(());
        }
        let wait = sleep(Duration::from_millis(milliseconds));
        tokio::pin!(wait);
        let mut byte = [0];
        tokio::select! {
            () = &mut wait => return Ok(()),
            peeked = self.stream.peek(&mut byte) => if peeked? == 0 {
                return Err(io::ErrorKind::ConnectionAborted.into());
            },
        }
        // The client has sent its next request already; it is read later.
        wait.await;
        Ok(())
    }

    /// Says nothing until the client leaves.
    async fn stall(&mut self) -> io::Result<()> {
        while self.stream.read_buf(&mut self.buffer).await? > 0 {}
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Payload Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}

const HEAD_LIMIT: usize = 1 << 18;
const BODY_LIMIT: usize = 64 << 20;
