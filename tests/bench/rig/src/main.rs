//! Both ends of a measured call: an upstream with canned answers, and a load generator. Blocking sockets and a thread per
//! connection: nothing here is fast enough to matter but for what it leaves to the gateway under test.
//!
//! ```text
//! rig upstream PORT DIRECTORY GAP_US
//! rig load PORT PATH BODY_FILE CONNECTIONS CALLS [HEADER]…
//! ```
//!
//! The upstream answers `POST /v1/messages` with the file `v1_messages.json`, or, to a body with `"stream":true` and on paths
//! without such a file, with the events of `v1_messages.sse` or `.eventstream`: each in a chunk and a packet of its own, a gap
//! after each, as a model writes them. Any other path likewise. The load prints the time to the first byte of every answer's body, in microseconds, one per line.

#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["upstream", port, directory, gap] => upstream(port, directory, Duration::from_micros(number(gap))),
        ["load", port, path, body, connections, calls, ref headers @ ..] => {
            load(port, path, body, number(connections), number(calls), headers)
        }
        _ => Err(io::Error::other("see the head of main.rs for the arguments")),
    };
    if let Err(error) = result {
        eprintln!("rig: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}

fn upstream(port: &str, directory: &str, gap: Duration) -> io::Result<()> {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    thread::scope(|scope| {
        for stream in listener.incoming() {
            let stream = stream?;
            // A connection that ends, ends its thread: no need to say why.
            scope.spawn(move || serve(stream, directory, gap));
        }
        Ok(())
    })
}

fn serve(stream: TcpStream, directory: &str, gap: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    loop {
        let head = Head::read(&mut reader)?;
        let mut body = Vec::new();
        head.body(&mut reader, |part| body.extend_from_slice(part))?;
        let path = head.start.split(' ').nth(1).unwrap_or_default();
        let path = path.trim_start_matches('/');
        let name: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let whole = fs::read(format!("{directory}/{name}.json"));
        let asked = contains(&body, b"\"stream\":true") || contains(&body, b"\"stream\": true");
        if asked || whole.is_err() {
            let (kind, events) = match fs::read(format!("{directory}/{name}.sse")) {
                Ok(events) => ("text/event-stream", sse(&events)),
                Err(_) => {
                    let events = fs::read(format!("{directory}/{name}.eventstream"))?;
                    ("application/vnd.amazon.eventstream", eventstream(&events))
                }
            };
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
            writer.write_all(head.as_bytes())?;
            for event in events {
                writer.write_all(&[format!("{:x}\r\n", event.len()).as_bytes(), &event, b"\r\n"].concat())?;
                thread::sleep(gap);
            }
            writer.write_all(b"0\r\n\r\n")?;
        } else {
            let answer = whole?;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            writer.write_all(&[head.as_bytes(), &answer].concat())?;
        }
    }
}

/// The events of a stream, which empty lines end.
fn sse(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut events = vec![Vec::new()];
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        events.last_mut().unwrap().extend_from_slice(line);
        if line.trim_ascii().is_empty() {
            events.push(Vec::new());
        }
    }
    events.retain(|event| !event.is_empty());
    events
}

/// The messages of Amazon's event stream, each of which begins with its length.
fn eventstream(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let Some(length) = bytes.first_chunk() {
        let (message, rest) = bytes.split_at(u32::from_be_bytes(*length) as usize);
        messages.push(message.to_vec());
        bytes = rest;
    }
    messages
}

fn load(port: &str, path: &str, body: &str, connections: usize, calls: usize, headers: &[&str]) -> io::Result<()> {
    let body = fs::read(body)?;
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: bench\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let request = [request.as_bytes(), &body].concat();
    let left = AtomicUsize::new(calls);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(|| connection(port, &request, &left))).collect();
        for thread in threads {
            for time in thread.join().expect("a panic aborts")? {
                println!("{}", time.as_micros());
            }
        }
        Ok(())
    })
}

/// Makes calls while there are any left; gives each one's time to the first byte of the body.
fn connection(port: &str, request: &[u8], left: &AtomicUsize) -> io::Result<Vec<Duration>> {
    let stream = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut times = Vec::new();
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let start = Instant::now();
        writer.write_all(request)?;
        let head = Head::read(&mut reader)?;
        let mut first = None;
        let mut answer = Vec::new();
        head.body(&mut reader, |part| {
            first.get_or_insert_with(|| start.elapsed());
            answer.extend_from_slice(part);
        })?;
        if !head.start.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(format!("{}: {}", head.start, String::from_utf8_lossy(&answer))));
        }
        times.push(first.ok_or_else(|| io::Error::other("an empty answer"))?);
    }
    Ok(times)
}

/// The head of a request or an answer: as much as is needed to find where its body ends.
struct Head {
    start: String,
    length: Option<usize>,
    chunked: bool,
}

impl Head {
    fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let mut head = Self { start: line(reader)?, length: None, chunked: false };
        loop {
            let line = line(reader)?.to_ascii_lowercase();
            match line.split_once(':') {
                None => return Ok(head),
                Some(("content-length", value)) => head.length = Some(number(value.trim())),
                Some(("transfer-encoding", value)) => head.chunked = value.contains("chunked"),
                Some(_) => {}
            }
        }
    }

    fn body(&self, reader: &mut impl BufRead, mut part: impl FnMut(&[u8])) -> io::Result<()> {
        if !self.chunked {
            return copy(reader, self.length.unwrap_or(0), &mut part);
        }
        loop {
            let size = line(reader)?;
            let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
            copy(reader, size, &mut part)?;
            line(reader)?;
            if size == 0 {
                return Ok(());
            }
        }
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

fn copy(reader: &mut impl BufRead, mut left: usize, part: &mut impl FnMut(&[u8])) -> io::Result<()> {
    while left > 0 {
        let available = reader.fill_buf()?;
        if available.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = available.len().min(left);
        part(&available[..taken]);
        reader.consume(taken);
        left -= taken;
    }
    Ok(())
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
