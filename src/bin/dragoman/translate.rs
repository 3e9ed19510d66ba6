//! `dragoman translate`: what the filter would send, and what it would make of an answer.

use std::io::{Read, Write};
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use dragoman::attempt::{self, Inbound, Outbound, hidden};
use dragoman::client;
use dragoman::config::{Config, Upstream};
use dragoman::endpoint::{self, Endpoint};
use dragoman::error::Error;
use dragoman::form::{self, Ends};
use dragoman::http::Headers;
use dragoman::json::Doc;
use dragoman::meter::Meter;
use dragoman::piece::Piece;
use dragoman::record::Note;
use dragoman::reply::{EVENT_STREAM, Plan};
use serde_json::{Map, Value, json};

use crate::document;

/// Which way to translate.
#[derive(Subcommand)]
pub enum Direction {
    /// A client's request on standard input, into the upstream's.
    Request(Call),
    /// An upstream's answer on standard input, into the client's.
    Response(Answer),
}

/// A call and its upstream.
#[derive(Args)]
pub struct Call {
    /// The configuration.
    #[arg(long)]
    config: String,
    /// The upstream, by its name in the configuration.
    #[arg(long)]
    upstream: String,
    /// The path that the client calls.
    #[arg(long, default_value = "/v1/chat/completions")]
    path: String,
    /// A header of what is translated, as `name: value`.
    #[arg(long = "header")]
    headers: Vec<String>,
}

/// An answer to a call.
#[derive(Args)]
pub struct Answer {
    #[command(flatten)]
    call: Call,
    /// A file with the client's request.
    #[arg(long)]
    request: String,
    /// The answer's status.
    #[arg(long, default_value_t = 200)]
    status: u16,
    /// Feeds so many bytes at a time.
    #[arg(long)]
    split: Option<usize>,
    /// Prints status, headers, body and usage as JSON.
    #[arg(long)]
    json: bool,
}

/// Translates, to standard output. A refused request is printed as the client would see it.
pub fn run(direction: Direction) -> Result<ExitCode, String> {
    match direction {
        Direction::Request(call) => request(&call),
        Direction::Response(answer) => response(&answer),
    }
}

fn request(call: &Call) -> Result<ExitCode, String> {
    let body = standard_input()?;
    let config = configuration(call)?;
    let headers = parse_headers(&call.headers)?;
    let outbound = match outbound(call, &config, &headers, &body)? {
        Ok(outbound) => outbound,
        Err((client, error)) => {
            print(&client.error(&error))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let sent = Piece::join(&outbound.body, &body);
    let mut shown = Map::new();
    shown.insert("method".into(), "POST".into());
    shown.insert("path".into(), outbound.headers.text(":path").into());
    shown.insert("headers".into(), show_headers(&outbound.headers));
    match serde_json::from_slice::<Value>(&sent) {
        Ok(value) => shown.insert("body".into(), value),
        Err(_) => shown.insert("body_base64".into(), STANDARD.encode(&sent).into()),
    };
    shown.insert("dropped".into(), outbound.dropped.into());
    print(&serde_json::to_vec_pretty(&shown).map_err(|e| e.to_string())?)?;
    Ok(ExitCode::SUCCESS)
}

fn response(answer: &Answer) -> Result<ExitCode, String> {
    let native = standard_input()?;
    let body = std::fs::read(&answer.request).map_err(|e| format!("{}: {e}", answer.request))?;
    let config = configuration(&answer.call)?;
    let mut outbound = match outbound(&answer.call, &config, &Headers::default(), &body)? {
        Ok(outbound) => outbound,
        Err((client, error)) => {
            print(&client.error(&error))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut headers = parse_headers(&answer.call.headers)?;
    if !headers.has("content-type") {
        let json = matches!(native.trim_ascii_start().first(), Some(b'{' | b'['));
        headers.set("content-type", if json { "application/json" } else { EVENT_STREAM });
    }
    let mut meter = Meter::default();
    let now = document::now().saturating_mul(1000);
    let reply = &mut outbound.reply;
    let (status, media_type, out) = match reply.head(answer.status, &headers) {
        Plan::Pass => {
            reply.pass(true, &mut meter, now);
            let media_type = headers.text("content-type").into_owned();
            (answer.status, media_type, native)
        }
        Plan::Stream => {
            let mut out = Vec::new();
            for chunk in native.chunks(answer.split.unwrap_or(native.len()).max(1)) {
                reply.chunk(chunk, &mut meter, now, &mut out);
            }
            reply.end(&mut meter, now, &mut out);
            (answer.status, EVENT_STREAM.to_owned(), out)
        }
        Plan::Whole => {
            let finished = reply.whole(&native, &mut meter, now);
            (finished.status, finished.content_type.to_owned(), finished.body.unwrap_or(native))
        }
    };
    if !answer.json {
        print(&out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut kept: Headers = headers.iter().filter(|(name, _)| !hidden(name)).collect();
    kept.set("content-type", media_type);
    if let Some(seconds) = reply.retry_after() {
        kept.set("retry-after", seconds.to_string());
    }
    let shown_body = match serde_json::from_slice::<Value>(&out) {
        Ok(value) => value,
        Err(_) => String::from_utf8_lossy(&out).into_owned().into(),
    };
    let cost = cost(&answer.call, &config, &body, &meter);
    let usage = meter.usage.map(|usage| {
        json!({
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "cache_read_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
            "cache_write_1h_tokens": usage.cache_write_1h,
            "reasoning_tokens": usage.reasoning,
        })
    });
    let shown = json!({
        "status": status, "headers": show_headers(&kept), "body": shown_body, "usage": usage, "cost_nanousd": cost,
    });
    print(&serde_json::to_vec_pretty(&shown).map_err(|e| e.to_string())?)?;
    Ok(ExitCode::SUCCESS)
}

/// What the answer cost, in nanodollars, if that is known.
fn cost(call: &Call, config: &Config, request: &[u8], meter: &Meter) -> Option<u64> {
    let usage = meter.usage?;
    let (place, upstream) = named(config, &call.upstream).ok()?;
    let Ok(Endpoint::Call(_, format)) = Endpoint::of("POST", &call.path, false) else { return None };
    let form = form_of(call, request).ok()?;
    let doc = Doc::strict(form.as_deref().unwrap_or(request)).ok()?;
    let asked = client::ask(format, endpoint::named(&call.path), doc.root(), document::now()).ok()?.model;
    let mut note = Note::new(config, upstream, &asked, config.name_at(&asked, place), None, Vec::new(), 0);
    note.meter = meter.clone();
    note.price(&usage)
}

fn configuration(call: &Call) -> Result<Config, String> {
    let document = document::load(&call.config)?;
    let environment = |name: &str| Some(std::env::var(name).unwrap_or_else(|_| "unset".into()));
    Config::parse_upstreams(document.as_bytes(), &environment)
        .map_err(|faults| faults.iter().map(|fault| format!("{}: {fault}", call.config)).collect::<Vec<_>>().join("\n"))
}

type Refused = (&'static dyn client::Client, Error);

fn outbound(call: &Call, config: &Config, headers: &Headers, body: &[u8]) -> Result<Result<Outbound, Refused>, String> {
    let (place, upstream) = named(config, &call.upstream)?;
    let endpoint = Endpoint::of("POST", &call.path, false).map_err(|e| format!("--path: {}", e.message))?;
    let Endpoint::Call(operation, format) = endpoint else {
        return Err("--path: this path needs no upstream".into());
    };
    let client = client::of(format);
    let translate = || {
        let form = form_of(call, body)?;
        let body = form.as_deref().unwrap_or(body);
        let doc = Doc::strict(body).map_err(|fault| Error::invalid(format!("the body is not JSON: {fault}")))?;
        let ask = client::ask(format, endpoint::named(&call.path), doc.root(), document::now())?;
        let model = config.name_at(&ask.model, place);
        let mut headers = headers.clone();
        headers.set(":method", "POST");
        let now = ask.now;
        let secret = upstream.credentials.stand_in();
        let (headers, doc, ask, model, secret) = (&headers, &doc, &ask, &model, secret.as_ref());
        let inbound = Inbound { operation, format, headers, doc, ask, model, secret, now };
        attempt::request(config, upstream, inbound)
    };
    Ok(translate().map_err(|error| (client, error)))
}

/// What a form says: its type is a header of the request, or of the command's.
fn form_of(call: &Call, body: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let meant = Endpoint::of("POST", &call.path, false).is_ok_and(|endpoint| endpoint.form().is_some());
    let first = body.split(|b| *b == b'\r').next().and_then(|line| line.strip_prefix(b"--")).filter(|_| meant);
    let Some(boundary) = first.map(String::from_utf8_lossy) else { return Ok(None) };
    form::read(&boundary, Ends { head: body, tail: body, total: body.len() }).map(Some)
}

fn named<'c>(config: &'c Config, name: &str) -> Result<(usize, &'c Upstream), String> {
    let found = config.upstreams.iter().enumerate().find(|(_, upstream)| upstream.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = config.upstreams.iter().map(|upstream| upstream.name.as_str()).collect();
        format!("--upstream: no upstream `{name}`; the configuration has {}", names.join(", "))
    })
}

fn parse_headers(list: &[String]) -> Result<Headers, String> {
    let parse = |header: &String| {
        let (name, value) =
            header.split_once(':').ok_or_else(|| format!("--header: expected `name: value`, got `{header}`"))?;
        Ok((name.trim().to_ascii_lowercase(), value.trim().as_bytes().to_vec()))
    };
    list.iter().map(parse).collect()
}

fn show_headers(headers: &Headers) -> Value {
    let shown = headers.iter().filter(|(name, _)| !name.starts_with(':'));
    let mut shown: Vec<_> = shown
        .map(|(name, value)| (name.to_owned(), Value::from(String::from_utf8_lossy(value).into_owned())))
        .collect();
    shown.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(shown.into_iter().collect())
}

fn standard_input() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|e| format!("standard input: {e}"))?;
    Ok(bytes)
}

fn print(bytes: &[u8]) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    let end: &[u8] = if bytes.ends_with(b"\n") { b"" } else { b"\n" };
    out.write_all(bytes).and_then(|()| out.write_all(end)).map_err(|e| format!("standard output: {e}"))
}
