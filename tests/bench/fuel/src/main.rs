//! Counts the wasm instructions of one call through a filter: a measure that no other load on the machine disturbs.
//!
//! ```text
//! fuel WASM CONFIGURATION REQUEST_BODY ANSWER
//! ```
//!
//! The host is a stub of proxy-wasm 0.2.1: as much of it as a call needs, with nothing behind it. An answer whose file ends
//! in `.sse` arrives an event at a time. Prints JSON: the instructions by phase, the events, and the path that was called.

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
    let [wasm, configuration, request, answer] = &arguments[..] else {
        wasmtime::bail!("see the head of main.rs for the arguments");
    };
    let mut guest = Guest::start(&fs::read(wasm)?, fs::read(configuration)?)?;
    let request = fs::read(request)?;
    let stream = answer.ends_with(".sse");
    let events: Vec<Vec<u8>> = if stream {
        fs::read_to_string(answer)?.split_inclusive("\n\n").map(|event| event.as_bytes().to_vec()).collect()
    } else {
        fs::read(answer)?.chunks(READ).map(<[u8]>::to_vec).collect()
    };
    // The first call fills what is filled once.
    call(&mut guest, 2, &request, stream, &events)?;
    call(&mut guest, 3, &request, stream, &events)
}

fn call(guest: &mut Guest, id: i32, request: &[u8], stream: bool, events: &[Vec<u8>]) -> Result<serde_json::Value> {
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
    let path = guest.header(Map::Request, ":path");
    let asked = guest.take_fuel()?;

    let kind = if stream { "text/event-stream" } else { "application/json" };
    guest.answer(id, &[(":status", "200"), ("content-type", kind)])?;
    let head = guest.take_fuel()?;
    guest.body(id, Map::Response, events.iter().map(Vec::as_slice))?;
    let body = guest.take_fuel()?;
    guest.close(id)?;
    let end = guest.take_fuel()?;
    Ok(json!({ "path": path, "request": asked, "head": head, "body": body, "events": events.len(), "end": end }))
}
