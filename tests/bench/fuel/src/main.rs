//! Counts the wasm instructions of one call through a filter, and the memory that many calls take: measures that no other
//! load on the machine disturbs.
//!
//! ```text
//! fuel call WASM CONFIGURATION REQUEST_BODY ANSWER
//! fuel memory WASM CONFIGURATION MODEL ANSWER STREAM
//! ```
//!
//! The host is a stub of proxy-wasm 0.2.1: as much of it as a call needs, with nothing behind it. An answer whose file ends
//! in `.sse` arrives an event at a time. Prints JSON: of a call the instructions by phase, the events, and the path that was
//! called; of memory the bytes that the VM has after 500 and after 2000 calls of mixed sizes, and what each of a thousand
//! open streams adds.

mod host;

use std::fs;
use std::process::ExitCode;

use host::{Guest, Map};
use serde_json::json;
use wasmtime::Result;

/// How much of a body a host reads at once.
const READ: usize = 64 << 10;

fn main() -> ExitCode {
    match run() {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("fuel: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<serde_json::Value> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["call", wasm, configuration, request, answer] => {
            let mut guest = Guest::start(&fs::read(wasm)?, fs::read(configuration)?)?;
            let (request, answer) = (fs::read(request)?, Answer::read(answer)?);
            // The first call fills what is filled once.
            call(&mut guest, 2, &request, &answer)?;
            call(&mut guest, 3, &request, &answer)
        }
        ["memory", wasm, configuration, model, answer, stream] => {
            let start = || Guest::start(&fs::read(wasm)?, fs::read(configuration)?);
            let (answer, stream) = (Answer::read(answer)?, Answer::read(stream)?);
            let (warm, later) = growth(&mut start()?, model, &answer, &stream)?;
            Ok(json!({ "warm": warm, "later": later, "stream": open_streams(&mut start()?, model, &stream)? }))
        }
        _ => wasmtime::bail!("see the head of main.rs for the arguments"),
    }
}

/// What comes back.
struct Answer {
    kind: &'static str,
    /// As it arrives.
    parts: Vec<Vec<u8>>,
}

impl Answer {
    fn read(file: &str) -> Result<Self> {
        Ok(if file.ends_with(".sse") {
            let events = fs::read_to_string(file)?;
            let parts = events.split_inclusive("\n\n").map(|event| event.as_bytes().to_vec()).collect();
            Self { kind: "text/event-stream", parts }
        } else {
            Self { kind: "application/json", parts: fs::read(file)?.chunks(READ).map(<[u8]>::to_vec).collect() }
        })
    }
}

/// Memory after so many calls is compared.
const WARM: i32 = 500;
const LATER: i32 = 2000;
const STREAMS: i32 = 1000;

/// The memory after some calls and after many.
fn growth(guest: &mut Guest, model: &str, answer: &Answer, stream: &Answer) -> Result<(usize, usize)> {
    let mut warm = 0;
    for number in 0..LATER {
        if number == WARM {
            warm = guest.memory()?;
        }
        // From a few bytes to a megabyte, in no order; every third call is a stream.
        let text = "x".repeat(1 << (number * 7 % 20)) + &"y".repeat((number * 7919 % 997) as usize);
        let streams = number % 3 == 0;
        call(guest, 2 + number, &body(model, streams, &text), if streams { stream } else { answer })?;
    }
    Ok((warm, guest.memory()?))
}

/// The memory that each of many streams takes in the middle of an event.
fn open_streams(guest: &mut Guest, model: &str, stream: &Answer) -> Result<usize> {
    let request = body(model, true, "Tell me a story.");
    call(guest, 2, &request, stream)?;
    let before = guest.memory()?;
    for id in 3..3 + STREAMS {
        begin(guest, id, &request)?;
        guest.answer(id, &[(":status", "200"), ("content-type", stream.kind)])?;
        let (half, rest) = stream.parts.split_at(stream.parts.len() / 2);
        let cut = rest[0].split_at(rest[0].len() / 2).0;
        for part in half.iter().map(Vec::as_slice).chain([cut]) {
            guest.part(id, Map::Response, part, false)?;
        }
    }
    Ok((guest.memory()? - before) / STREAMS as usize)
}

fn body(model: &str, stream: bool, text: &str) -> Vec<u8> {
    let message = json!({ "role": "user", "content": text });
    json!({ "model": model, "stream": stream, "max_tokens": 100, "messages": [message] }).to_string().into_bytes()
}

/// A request, and the path that it goes to.
fn begin(guest: &mut Guest, id: i32, request: &[u8]) -> Result<Option<String>> {
    guest.open(
        id,
        &[
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "gateway.example"),
            (":path", "/v1/chat/completions"),
            ("content-type", "application/json"),
            ("content-length", &request.len().to_string()),
            ("user-agent", "OpenAI/Python 3.54.0"),
            ("authorization", "Bearer sk-bench"),
            ("x-request-id", "0b1c9c0a-8f4a-4b9e-9f43-2f6b2a0f6b1e"),
        ],
    )?;
    guest.body(id, Map::Request, request.chunks(READ))?;
    Ok(guest.header(Map::Request, ":path"))
}

fn call(guest: &mut Guest, id: i32, request: &[u8], answer: &Answer) -> Result<serde_json::Value> {
    let path = begin(guest, id, request)?;
    let asked = guest.take_fuel()?;
    guest.answer(id, &[(":status", "200"), ("content-type", answer.kind)])?;
    let head = guest.take_fuel()?;
    guest.body(id, Map::Response, answer.parts.iter().map(Vec::as_slice))?;
    let body = guest.take_fuel()?;
    guest.close(id)?;
    let end = guest.take_fuel()?;
    Ok(json!({ "path": path, "request": asked, "head": head, "body": body, "events": answer.parts.len(), "end": end }))
}
