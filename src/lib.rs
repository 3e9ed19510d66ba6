//! Dragoman: a proxy-wasm filter that turns the gateway a team already runs into an LLM gateway.
//!
//! This crate is the filter (a `cdylib` for wasm32), the same code as a library for tests and the command line (the
//! binary `dragoman`, feature `cli`). What users see of it is in `README.md`. This page is the map.
//!
//! # Two vocabularies in the middle
//!
//! A client speaks one [`Format`](format::Format), a provider another, and no code knows both. A [client](client::Client)
//! reads a request into a [`Call`](call::Call), a [wire](wire::Wire) writes it for a provider; its [reader](wire::Reader)
//! reads the answer into [`Event`](event::Event)s, and the client writes those. So N client formats and M wires are N + M
//! folders. Where both ends speak the same format nothing is translated: the bytes are kept and a few of them changed
//! (`splice` in names), while the reader only observes.
//!
//! # One call, file by file
//!
//! 1. `host/listener.rs` hands headers and body over as data; of a form it reads the [ends](form) alone. [`Gateway::head`](gateway::Gateway::head) finds the
//!    [`Endpoint`](endpoint::Endpoint) of the path and the caller.
//! 2. [`Gateway::call`](gateway::Gateway::call) reads what must be known of any request ([`Ask`](client::Ask)), finds the
//!    model in the [`Config`](config::Config), checks that the key may use it, and chooses an upstream.
//!    [`Gateway::admit`](gateway::Gateway::admit) reserves of all that [limits](limit) the call, or goes on to another
//!    upstream. The host's routes match the headers that come of it.
//! 3. In the role `standalone` the listener, else `host/cluster.rs` in each attempt, calls [`attempt::request`]: the
//!    [`Surface`](provider::Surface) of the provider's row says path and format; client and wire translate, or splice;
//!    [`patch`] does what configuration and [quirks](provider::Quirks) ask for; credentials go in.
//! 4. With the request came a [`Reply`](reply::Reply). `host/exchange.rs` feeds it: [`frame`] cuts the bytes of a stream
//!    into events, which the wire's reader understands, the [`Meter`](meter::Meter) measures and the client's
//!    [`StreamWriter`](client::StreamWriter) writes. A whole answer takes the same way, through
//!    [`Answer`](answer::Answer) where the two ends differ in streaming.
//! 5. At the end [`Gateway::settle`](gateway::Gateway::settle) gives back what was reserved and not used, and
//!    [`Gateway::account`](gateway::Gateway::account) tells [`metrics`] and filter state of what the
//!    [`Record`](record::Record) holds. Both filters of a worker share the record: they run in one VM.
//!
//! # Where to change what
//!
//! | change | place |
//! |---|---|
//! | a provider in a format that is there | a row of `provider/catalogue.rs`; golden cases if it has quirks |
//! | another kind of quirk | a field of [`Quirks`](provider::Quirks), and what [`patch`] does about it |
//! | a provider's own format | a folder in [`wire`], a row of [`wire::of`], golden cases `CLIENT-UPSTREAM` |
//! | a format of clients | a folder in [`client`], a row of [`client::of`], its paths in [`endpoint`], golden cases |
//! | a field that two formats share | [`call`] or [`event`], then each client and wire |
//! | a key of the configuration | `config/`, the field in [`config`], its row in the README |
//! | how a provider is paid, or its tokens fetched | [`auth`], `host/account.rs` and `host/tokens.rs` |
//! | what is limited, and how it is counted | `gateway/allowance.rs` says what a call needs, [`limit`] counts |
//! | what a call costs | [`cost`]; the table comes from `make prices` |
//! | images at an address | [`remote`], `host/images.rs` |
//! | forms, and what they hold | [`form`]; `host/exchange.rs` reads and writes their ends |
//! | what is passed on in a provider's own words | `Gateway::may_pass`, [`attempt`], `client/resources.rs` for what is kept |
//! | a metric or its labels | [`metrics::TABLE`], and `stats_tags` in `envoy/` and the command `envoy` |
//! | a kind of error | [`error::Kind`] |
//! | what errors of providers other models stand in for | `reason.rs` |
//! | what the host is asked or told | `host/`, where nothing is decided |
//! | a command | `bin/dragoman/` |
//!
//! Tests: beside the code; `tests/golden` for whole calls; `tests/e2e` in a real Envoy, against `dragoman mock`, which
//! shares no code with the filter; `tests/readme.rs` for what the README says.
//!
//! # What always holds
//!
//! - **No I/O in the core.** All but `host` takes data and gives data: no host call, no clock, no randomness, no
//!   environment. `proxy-wasm` is a dependency of wasm32 alone.
//! - **Nothing panics.** A trap kills every stream of a worker. Lints forbid indexing, unwrapping and unchecked arithmetic.
//! - **A stream's state is in the stream.** What an answer needs to know of its request travels in its
//!   [`Reply`](reply::Reply). The VM keeps the calls under way, the ids of metrics, and no more.
//! - **Every attempt starts from the client's own request**, as if it were the first.
//! - **Any cut of a stream's bytes gives the same answer**, and every reader keeps the laws of [`event`].
//! - **What cannot be said to a provider is reported or refused** ([`Dropped`](wire::Dropped)), never lost in silence.
//! - **Numbers, strings and schemas stay as they were written** ([`json`]).
//! - **Secrets print as `***`** ([`Secret`](config::Secret)), and neither prompts nor answers are logged.

// In reading order. First the words that all others use.
pub mod format;
pub mod error;
mod reason;
pub mod http;
pub mod json;
pub mod protobuf;
pub mod form;
pub mod piece;
pub mod time;

// What is asked, what happens, and what it used.
pub mod call;
pub mod event;
pub mod usage;
pub mod answer;

// The two ends.
pub mod client;
pub mod frame;
pub mod wire;
pub mod provider;
pub mod patch;

// What it costs.
pub mod cost;

// What may be used, and how fast that was.
pub mod limit;
pub mod latency;

// What operators write.
pub mod config;

// A call on its way.
pub mod endpoint;
pub mod gateway;
pub mod attempt;
pub mod replay;
pub mod remote;
pub mod auth;
pub mod seal;
pub mod reply;
pub mod meter;
pub mod record;
pub mod metrics;

#[cfg(all(target_arch = "wasm32", feature = "host"))]
mod host;
