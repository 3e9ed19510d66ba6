//! Mock providers in their native formats, for demos and tests.
//!
//! They judge what a gateway sends: a request that the real provider would refuse is refused here, with the provider's
//! own error body. They share no code with the filter, so an error in a translation cannot hide in both.
//! They do not decide anything about quality, cost or time: every answer follows from the request.
//!
//! In reading order: [`http`] (a server whose replies can break off), [`log`] (what was received), [`directive`]
//! (misbehaviour that a prompt asks for), [`shape`] (checks in a provider's words), [`answer`] (what to say), then one
//! folder per provider with the same files: `mod` (headers, errors), `check` (what is refused), `reply` (what is sent).
//! [`tokens`] are what some providers are paid with.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test server: its numbers are lengths and small counts, and no stream but a test's hangs on it"
)]

mod answer;
mod anthropic;
mod audio;
mod bytes;
mod cohere;
mod directive;
mod form;
mod gemini;
mod http;
mod log;
mod ollama;
mod openai;
mod shape;
mod tokens;

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;

use http::{Reply, Request};
use log::Log;

/// Where the mock providers listen.
#[derive(clap::Args)]
#[command(after_long_help = HELP)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one. The address is printed.
    #[arg(long, default_value_t = 9900)]
    port: u16,
}

/// The providers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Anthropic,
    Cohere,
    Gemini,
    Ollama,
    OpenAi,
    Vertex,
}

/// Serves until it is stopped.
pub fn run(options: Options) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(serve(options.port))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(port: u16) -> Result<(), String> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| format!("port {port}: {error}"))?;
    let address = listener.local_addr().map_err(|error| format!("port {port}: {error}"))?;
    println!("mock providers on http://{address}");
    let log = Arc::new(Log::default());
    loop {
        // A connection that breaks while it is accepted is no reason to stop.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(http::converse(stream, Arc::clone(&log), route));
        }
    }
}

fn route(request: &Request, log: &Log) -> Reply {
    let path = request.path();
    if let Some(reply) = tokens::serve(request, log) {
        return reply;
    }
    match (request.method.as_str(), path) {
        ("GET", "/mock/requests") => Reply::json(200, log.as_json()),
        ("DELETE", "/mock/requests") => {
            log.clear();
            Reply::json(200, "{}".into())
        }
        ("GET", "/mock/health") => Reply::json(200, "{\"ready\":true}".into()),
        (_, "/v1/messages" | "/v1/messages/count_tokens") => anthropic::serve(request, log),
        _ if path.starts_with("/v1/models") && request.header("anthropic-version").is_some() => {
            anthropic::serve(request, log)
        }
        (_, "/v2/chat" | "/v2/embed" | "/v2/rerank") => cohere::serve(request, log),
        (_, "/api/chat" | "/api/embed") => ollama::serve(request, log),
        (_, "/v1/speech-to-text") => audio::elevenlabs(request),
        _ if path.starts_with("/v1/text-to-speech/") => audio::elevenlabs(request),
        (_, "/v1/listen" | "/v1/speak") => audio::deepgram(request),
        _ if path.starts_with("/openai/") => openai::azure::serve(request, log),
        _ if path.starts_with("/ml/") => openai::watsonx::serve(request, log),
        _ if gemini::knows(path) => gemini::serve(request, log),
        _ => openai::serve(request, log),
    }
}

/// The name of a header that a gateway must keep to itself, if the request carries one.
fn leaked(request: &Request, foreign: &[&str]) -> Option<String> {
    request.headers.iter().map(|(name, _)| name).find_map(|name| {
        let private = name == "cookie" || name.starts_with("x-dragoman-");
        (private || foreign.iter().any(|prefix| name.starts_with(prefix))).then(|| name.clone())
    })
}

const HELP: &str = "\
Endpoints, in HTTP/1.1 and in HTTP/2 without TLS:
  POST   /v1/chat/completions        OpenAI     (Authorization: Bearer; a key that starts with `bad` is refused)
  POST   /v1/completions             OpenAI
  POST   /v1/embeddings              OpenAI
  POST   /v1/images/…, /v1/audio/…   OpenAI     (generations, edits; speech, transcriptions, translations)
  POST   /v1/moderations             OpenAI
  POST   /v1/responses               OpenAI; kept unless store is false, and then under /v1/responses/ID
  POST   /openai/deployments/NAME/…  Azure      (api-key and the query api-version), and /openai/v1/…
  POST   /ml/v1/text/…               watsonx    (chat, chat_stream and embeddings; the query version)
  POST   /v2/chat, /v2/embed         Cohere     (Authorization: Bearer), and /v2/rerank
  POST   /api/chat, /api/embed       Ollama
  POST   /v1/text-to-speech/VOICE, /v1/speech-to-text
                                     ElevenLabs (xi-api-key)
  POST   /v1/speak, /v1/listen       Deepgram   (Authorization: Token)
  POST   /v1/messages                Anthropic  (x-api-key or Authorization: Bearer, and anthropic-version)
  POST   /v1/messages/count_tokens   Anthropic
  POST   /v1beta/models/ID:METHOD    Gemini     (x-goog-api-key; generateContent, streamGenerateContent, countTokens,
                                                embedContent, batchEmbedContents)
  POST   /v1/projects/…, /v1/publishers/google/…
                                     Vertex AI  (Authorization: Bearer or x-goog-api-key): the same, :predict, Claude
                                                under :rawPredict and :streamRawPredict, and Vertex's OpenAI endpoint
  GET    /v1/models, /v1/models/ID   Anthropic's shape when anthropic-version is sent, else OpenAI's
  POST   /token                      Google's tokens for service accounts   (their public keys: PUT /mock/accounts)
  POST   /TENANT/oauth2/v2.0/token   Microsoft's for applications           (a secret that starts with `bad` is refused)
  POST   /identity/token             IBM's for API keys                     (likewise)
  PUT    /mock/tokens                directives for these three, such as `status=503 times=2` or `expires-in=5`
  PUT    /mock/accounts              {\"client_email\", \"private_key_id\", \"n\", \"e\"}: a service account
  GET    /mock/requests              the last 200 requests as received: method, path, headers, body, status, outcome
  DELETE /mock/requests              forgets them, and the counts of `times`
  GET    /mock/health                says ready

Requests that the provider would refuse are refused in the provider's words. So are requests that carry a header which
must not leave a gateway: cookie, x-dragoman-*, the other provider's headers, or a second credential, and those with a
token of the mock's that has ended. OpenAI knows any model but claude-*, gemini-* and missing*; Anthropic knows claude-*
and Google gemini-* and gemma-*, and both read from the name what the model accepts.

Answers follow from the last text of the user:
  (anything)              `You said: ...`, the first 60 characters
  weather                 a call of the first tool, if tools are given; text once its result is there
  parallel                two calls, if tools are given and parallel calls are allowed
  refuse                  a refusal
  cached                  cached input tokens in the usage (Anthropic: with cache_control; without this word, a cache write)
A tool_choice that forces a call, a JSON format, stop sequences, small limits and thinking are honoured.

Directives, in square brackets in the last text of the user, `[mock status=529]`, or after the model's name,
`gpt-4o+status=529+delay=50`:
  status=N [html]         answers with this error, in the provider's body (or a proxy's HTML page)
  retry-after=S           the retry-after of that error, in seconds (429 has 1 by default)
  error-after=N           streams: an error event after N events, then the end
  cut-after=N             the connection breaks after N events (not streamed: in the middle of the body)
  end-after=N             streams: a clean end after N events, nothing finished
  stall-after=N           streams: silence after N events, until the client leaves
  slow-start=MS           waits before the headers
  delay=MS                waits between events
  tokens=N                a text of exactly N tokens, one event each
  split=N                 writes the body N bytes at a time, whatever the event borders
  crlf                    streams: lines end in CRLF
  redacted                thinking comes as a redacted block (Anthropic)
  malformed               broken JSON (streams: in the fourth event)
  empty                   status 200 without a body
  too-long                refuses the conversation as longer than the model's context (Anthropic, Gemini, OpenAI)
  flagged                 refuses what it is about (the same)
  redirect                status 307 to another path
  drop                    closes the connection before the headers
  upstream=openai         the directive is for this provider only (or anthropic, cohere, gemini, ollama, vertex)
  expires-in=S            how long the token lives, in seconds (tokens)
  times=N                 only the first N requests with this very text, per provider
Several brackets may stand in one text. In HTTP/2, what closes or breaks the connection resets the stream.";
