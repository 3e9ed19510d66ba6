//! Calls at the gateway: who is let in, where they go, and what metrics and filter state are told of them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics"
)]

use std::collections::BTreeMap;
use std::rc::Rc;

use dragoman::auth::Keyring;
use dragoman::auth::token::Source;
use dragoman::config::{Config, Secret, Upstream};
use dragoman::error::{Error, Kind};
use dragoman::event::{Delta, Event};
use dragoman::gateway::{Facts, Gateway, Next, Routed};
use dragoman::http::Headers;
use dragoman::json::{Doc, Str};
use dragoman::metrics::{Ledger, Metric};
use dragoman::record::{Note, Record};
use dragoman::usage::Usage;

const DOCUMENT: &str = r#"{
    "client_auth": "keys",
    "upstreams": {
        "claude": { "provider": "anthropic", "credentials": { "api_key": { "value": "sk-ant" } } },
        "openai": { "provider": "openai", "credentials": { "api_key": { "value": "sk-openai" } } }
    },
    "models": [
        { "name": "smart", "upstreams": ["claude", "openai"], "upstream_models": { "claude": "claude-haiku-4-5" } }
    ],
    "keys": [
        { "id": "demo", "hash": "sha256:f77894fdfa58e447c57e077eaa9708e8e009c84dc6aba2db80461275e9b85be7", "tags": ["a", "b"] }
    ]
}"#;

/// What a ledger was told.
#[derive(Debug, Default)]
struct Told {
    samples: BTreeMap<String, u64>,
    states: BTreeMap<&'static str, String>,
}

impl Ledger for Told {
    fn sample(&mut self, metric: &'static Metric, labels: &[&str], value: u64) {
        let name = metric.name.trim_start_matches("dragoman_");
        *self.samples.entry(format!("{name} {}", labels.join(","))).or_default() += value;
    }

    fn state(&mut self, name: &'static str, value: &str) {
        self.states.insert(name.trim_start_matches("dragoman_"), value.to_owned());
    }
}

impl Told {
    /// The samples of a metric.
    fn of(&self, metric: &str) -> Vec<String> {
        let samples = self.samples.iter().filter(|(name, _)| name.split(' ').next() == Some(metric));
        samples.map(|(name, value)| format!("{} = {value}", name.split_once(' ').unwrap().1)).collect()
    }
}

/// Nothing is known of credentials.
struct Unknown;

impl Keyring for Unknown {
    fn token(&self, _source: &Source) -> Option<Secret> {
        None
    }

    fn rests(&self, _upstream: &Upstream, _model: &str) -> bool {
        false
    }
}

struct Call {
    config: Rc<Config>,
    gateway: Gateway,
}

impl Call {
    fn new() -> Self {
        let config = Rc::new(Config::parse(DOCUMENT.as_bytes(), &|_| None).unwrap());
        Self { gateway: Gateway::new(Rc::clone(&config), 1000), config }
    }

    fn head(&mut self, headers: &[(&str, &str)]) -> Result<Next, Error> {
        let all = [(":method", "POST"), (":path", "/v1/chat/completions"), ("authorization", "Bearer sk-demo")];
        let mut all: Headers = all.into_iter().collect();
        headers.iter().for_each(|(name, value)| all.set(name, *value));
        self.gateway.head(&all, &Facts::default())
    }

    fn body(&mut self, body: &str) -> Routed {
        assert_eq!(self.head(&[]).unwrap(), Next::Body);
        let doc = Doc::strict(body.as_bytes()).unwrap();
        self.gateway.call(&doc, &Facts::default(), &Unknown).unwrap().unwrap()
    }

    /// A call that has gone to the first upstream.
    fn sent(&mut self) -> Record {
        let Routed { ask, operation, format, input, upstream, .. } = self.body(r#"{"model":"smart","stream":true}"#);
        let upstream = &self.config.upstreams[upstream.unwrap()];
        let note = Note::new(&self.config, upstream, &ask.model, "claude-haiku-4-5".into(), None, Vec::new(), 0);
        Record { attempts: vec![note], ..Record::new(operation, format, ask, input, Headers::default()) }
    }

    fn told(&self, record: Option<&Record>, status: Option<u16>) -> Told {
        let mut told = Told::default();
        self.gateway.introduce(&mut told);
        self.gateway.account(record, status, 1500, &mut told);
        told
    }
}

fn text(piece: &str) -> Event<'_> {
    Event::BlockDelta { choice: 0, block: 0, delta: Delta::Text(Str::plain(piece)) }
}

#[test]
fn polls_of_health_are_no_calls() {
    let mut call = Call::new();
    assert!(matches!(call.head(&[(":method", "GET"), (":path", "/health")]), Ok(Next::Reply(_))));
    assert!(call.told(None, Some(200)).samples.is_empty());
}

#[test]
fn ids_of_our_own_differ_between_calls() {
    let own = |random| {
        let mut call = Call::new();
        assert_eq!(call.head(&[]).unwrap(), Next::Body);
        let doc = Doc::strict(br#"{"model":"smart"}"#).unwrap();
        let facts = Facts { random, ..Facts::default() };
        call.gateway.call(&doc, &facts, &Unknown).unwrap().unwrap().ask.own_id().to_string()
    };
    assert_ne!(own(1), own(2));
}

#[test]
fn refused_calls_are_told_of() {
    for (header, value, kind, reason, key) in [
        ("authorization", "Bearer wrong", Kind::Authentication, "auth", ""),
        (":path", "/nowhere", Kind::NotFound, "invalid", ""),
        (":method", "GET", Kind::MethodNotAllowed, "invalid", ""),
        ("upgrade", "websocket", Kind::NotImplemented, "invalid", ""),
        ("content-type", "text/plain", Kind::UnsupportedMedia, "invalid", "demo"),
    ] {
        let mut call = Call::new();
        let error = call.head(&[(header, value)]).unwrap_err();
        assert_eq!(error.kind, kind);
        let status = call.gateway.refuse(&error).status;
        let told = call.told(None, Some(status));
        assert_eq!(told.of("rejected_total"), [format!("{reason},{key} = 1")]);
        assert_eq!(told.states["error"], kind.name());
        assert_eq!(told.states.get("key").map(String::as_str), (key == "demo").then_some("demo"));
    }
}

#[test]
fn a_refusal_in_the_cluster_is_the_calls() {
    let mut call = Call::new();
    let mut record = call.sent();
    record.attempts.clear();
    record.refused = Some(Kind::InvalidRequest);
    let told = call.told(Some(&record), Some(400));
    assert_eq!(told.of("rejected_total"), ["invalid,demo = 1"]);
    assert_eq!(told.of("requests_total"), ["chat,smart,,,demo,400 = 1"]);
    assert_eq!(told.states["error"], "invalid_request");
    // The same after an attempt that broke.
    let mut record = call.sent();
    record.refused = Some(Kind::InvalidRequest);
    let told = call.told(Some(&record), Some(400));
    assert_eq!(told.of("attempts_total"), ["claude,anthropic,reset = 1"]);
    assert_eq!(told.of("aborted_total"), [""; 0]);
}

#[test]
fn an_answer_of_the_hosts_is_no_aborted_call() {
    for (status, kind, result) in [(503, Kind::Unavailable, "reset"), (504, Kind::Timeout, "timeout")] {
        let mut call = Call::new();
        let mut record = call.sent();
        record.host_answered(status);
        assert_eq!(call.gateway.host_error(status, "details").status, status);
        let told = call.told(Some(&record), Some(status));
        assert_eq!(told.of("attempts_total"), [format!("claude,anthropic,{result} = 1")]);
        assert_eq!(told.of("aborted_total"), [""; 0]);
        assert_eq!(told.states["error"], kind.name());
    }
}

#[test]
fn an_answer_that_breaks_off_is_told_by_what_came() {
    let usage = Event::Usage { usage: Usage { input: 5, output: 1, ..Usage::default() }, service_tier: None };
    for (told_usage, input, counted) in [(true, Some("5"), 2), (false, None, 1)] {
        let mut call = Call::new();
        let mut record = call.sent();
        let note = record.attempts.last_mut().unwrap();
        note.status = Some(200);
        if told_usage {
            note.meter.observe(&usage, 1100);
        }
        for _ in 0..10 {
            note.meter.observe(&text("0123"), 1200);
        }
        let told = call.told(Some(&record), Some(200));
        let state = |name| told.states.get(name).map(String::as_str);
        assert_eq!((state("input_tokens"), state("output_tokens")), (input, Some("10")));
        assert!(state("usage").unwrap().ends_with(r#""complete":false}"#));
        assert_eq!(told.of("tokens_total").len(), counted);
        assert_eq!(told.of("tokens_total").last().unwrap(), "output,smart,claude,anthropic,demo = 10");
        assert_eq!(told.of("aborted_total"), ["anthropic = 1"]);
        assert_eq!(told.of("attempts_total"), ["claude,anthropic,reset = 1"]);
    }
}

#[test]
fn of_a_whole_answer_the_providers_word_counts() {
    let mut call = Call::new();
    let mut record = call.sent();
    let note = record.attempts.last_mut().unwrap();
    note.status = Some(200);
    let usage = Usage { input: 5, output: 3, ..Usage::default() };
    for event in [text("far more text than three tokens"), Event::Usage { usage, service_tier: None }, Event::End] {
        note.meter.observe(&event, 1200);
    }
    let told = call.told(Some(&record), Some(200));
    assert_eq!(told.states["output_tokens"], "3");
    assert_eq!(told.states["tags"], "a,b");
    assert_eq!(told.of("attempts_total"), ["claude,anthropic,ok = 1"]);
    assert_eq!((told.of("aborted_total"), told.of("rejected_total")), (Vec::new(), Vec::new()));
}
