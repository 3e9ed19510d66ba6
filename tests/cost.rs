//! What calls cost, in metrics, filter state and the answer's header: cases computed by hand, in nanodollars.
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
use dragoman::format::Operation;
use dragoman::gateway::{Facts, Gateway, answer_headers};
use dragoman::http::Headers;
use dragoman::json::{Doc, Str};
use dragoman::metrics::{Ledger, Metric};
use dragoman::record::{Note, Record};
use dragoman::usage::Usage;

/// At the table's prices, in USD per million tokens: `claude-haiku-4-5` 1 and 5, 0.1 for what is read from a cache, 1.25 and
/// 2 for what is written; `gpt-4o` 2.5 and 10, 1.25, in the class `priority` 4.25 and 17.
const DOCUMENT: &str = r#"{
    "client_auth": "open",
    "upstreams": {
        "claude": { "provider": "anthropic", "credentials": "none" },
        "openai": { "provider": "openai", "credentials": "none" },
        "foundry": { "provider": "azure_ai", "base_url": "https://x.example/v1", "credentials": "none" },
        "local": { "provider": "openai_compatible", "base_url": "http://localhost/v1", "credentials": "none" }
    },
    "models": [
        { "name": "smart", "upstreams": ["claude", "openai", "local"],
          "upstream_models": { "claude": "claude-haiku-4-5", "openai": "gpt-4o", "local": "nobody-knows" } },
        { "name": "own", "upstreams": ["claude", "local"], "price": { "input": 0.5, "output": 1e1, "cache_read": 0 } },
        { "name": "fine", "upstreams": ["local"] },
        { "name": "elsewhere", "upstreams": ["openai"] },
        { "name": "deployed", "upstreams": ["foundry"], "upstream_models": { "foundry": "my-deployment" } },
        { "name": "any/*", "upstreams": ["openai"] }
    ],
    "prices": {
        "fine": { "input": 0.0375, "output": 0.000000000001,
                  "above": { "1k": { "input": 0.1 } }, "flex": { "input": 0.01, "above": { "1000": { "input": 0.02 } } } },
        "openai/elsewhere": { "input": 7, "output": 8 },
        "elsewhere": { "input": 1, "output": 1 }
    }
}"#;

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

#[derive(Debug, Default)]
struct Told {
    costs: BTreeMap<String, u64>,
    tokens: BTreeMap<String, u64>,
    states: BTreeMap<&'static str, String>,
}

impl Ledger for Told {
    fn sample(&mut self, metric: &'static Metric, labels: &[&str], value: u64) {
        let samples = match metric.name {
            "dragoman_cost_nanousd_total" => &mut self.costs,
            "dragoman_tokens_total" => &mut self.tokens,
            _ => return,
        };
        *samples.entry(labels.join(",")).or_default() += value;
    }

    fn state(&mut self, name: &'static str, value: &str) {
        self.states.insert(name.trim_start_matches("dragoman_"), value.to_owned());
    }
}

/// A call at the gateway.
struct Call {
    config: Rc<Config>,
    gateway: Gateway,
    record: Record,
}

impl Call {
    fn new(model: &str, stream: bool) -> Self {
        let config = Rc::new(Config::parse(DOCUMENT.as_bytes(), &|_| None).unwrap());
        let mut gateway = Gateway::new(Rc::clone(&config), 1000);
        let headers = [(":method", "POST"), (":path", "/v1/chat/completions")].into_iter().collect();
        gateway.head(&headers, &Facts::default()).unwrap();
        let body = format!(
            r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"Good morning to all of you"}}]}}"#
        );
        let doc = Doc::strict(body.as_bytes()).unwrap();
        let routed = gateway.call(&doc, &Facts::default(), &Unknown).unwrap().unwrap();
        let (operation, format, ask, input) = (routed.operation, routed.format, routed.ask, routed.input);
        let record = Record::new(operation, format, ask, input, Headers::default());
        Self { config, gateway, record }
    }

    /// An attempt, with what came back.
    fn attempt(&mut self, upstream: &str, status: Option<u16>, events: &[Event<'_>]) -> &mut Self {
        let place = self.config.upstreams.iter().position(|known| known.name == upstream).unwrap();
        let asked = &self.record.ask.model;
        let model = self.config.name_at(asked, place);
        let mut note = Note::new(&self.config, &self.config.upstreams[place], asked, model, None, Vec::new(), 0);
        note.status = status;
        events.iter().for_each(|event| note.meter.observe(event, 1100));
        self.record.attempts.push(note);
        self
    }

    fn told(&self, status: Option<u16>) -> Told {
        let mut told = Told::default();
        self.gateway.account(Some(&self.record), status, 1500, &mut told);
        told
    }

    fn header(&self) -> Option<String> {
        let mut headers = answer_headers(&self.record).into_iter();
        headers.find(|(name, _)| *name == "x-dragoman-cost-usd").map(|(_, value)| String::from_utf8(value).unwrap())
    }

    /// Checks what is told of a call's cost: the metric's labels and values, and all of it.
    fn costs(&self, metric: &[(&str, u64)], total: Option<u64>) {
        let told = self.told(Some(200));
        let expected: BTreeMap<String, u64> = metric.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        assert_eq!(told.costs, expected);
        let state = |name| told.states.get(name).cloned();
        assert_eq!(state("cost_nanousd"), total.map(|total| total.to_string()));
        assert_eq!(state("cost_microusd"), total.map(|total| ((total + 500) / 1000).to_string()));
        let usage: serde_json::Value = serde_json::from_str(&told.states["usage"]).unwrap();
        assert_eq!(usage["cost_nanousd"].as_u64(), total);
        assert!(usage.get("cost_nanousd").is_some());
    }
}

fn usage(usage: Usage) -> Event<'static> {
    Event::Usage { usage, service_tier: None }
}

fn tokens(input: u64, output: u64) -> Event<'static> {
    usage(Usage { input, output, ..Usage::default() })
}

fn text(piece: &str) -> Event<'_> {
    Event::BlockDelta { choice: 0, block: 0, delta: Delta::Text(Str::plain(piece)) }
}

fn start(model: &str) -> Event<'_> {
    Event::Start { id: Str::default(), model: Str::plain(model), created: None }
}

#[test]
fn a_whole_answer_says_its_cost() {
    let cached =
        Usage { input: 1000, output: 50, cache_read: 600, cache_write: 300, cache_write_1h: 100, ..Usage::default() };
    let mut call = Call::new("smart", false);
    call.attempt("claude", Some(200), &[usage(cached), Event::End]);
    // 100 * 1000 + 600 * 100 + 200 * 1250 + 100 * 2000 + 50 * 5000
    call.costs(&[("smart,claude,anthropic,", 860_000)], Some(860_000));
    assert_eq!(call.header().as_deref(), Some("0.00086"));
}

#[test]
fn reasoning_is_output() {
    let mut call = Call::new("smart", false);
    call.attempt(
        "openai",
        Some(200),
        &[usage(Usage { input: 10, output: 30, reasoning: 25, ..Usage::default() }), Event::End],
    );
    call.costs(&[("smart,openai,openai,", 325_000)], Some(325_000));
}

#[test]
fn the_class_is_that_of_the_answer() {
    let mut call = Call::new("smart", false);
    let usage = Usage { input: 10, output: 30, ..Usage::default() };
    let event = Event::Usage { usage, service_tier: Some(Str::plain("priority")) };
    call.attempt("openai", Some(200), &[event, Event::End]);
    call.costs(&[("smart,openai,openai,", 10 * 4250 + 30 * 17_000)], Some(552_500));
    assert!(call.told(Some(200)).states["usage"].contains(r#""service_tier":"priority""#));
}

#[test]
fn a_stream_costs_what_it_said_last() {
    let mut call = Call::new("smart", true);
    call.attempt("claude", Some(200), &[tokens(1000, 1), text("Hello"), tokens(1000, 200), Event::End]);
    call.costs(&[("smart,claude,anthropic,", 2_000_000)], Some(2_000_000));
    assert_eq!(call.header(), None);
}

#[test]
fn a_broken_stream_costs_its_input_and_what_came() {
    // Anthropic tells of the input first. 40 bytes are 10 tokens.
    let mut call = Call::new("smart", true);
    let pieces = "0123456789".repeat(4);
    call.attempt("claude", Some(200), &[tokens(1000, 1), text(&pieces)]);
    call.costs(&[("smart,claude,anthropic,", 1_050_000)], Some(1_050_000));

    // OpenAI tells of it last, so it is estimated.
    let mut call = Call::new("smart", true);
    let input = call.record.input;
    assert!((8..20).contains(&input), "{input}");
    call.attempt("openai", Some(200), &[start("gpt-4o"), text(&pieces)]);
    let cost = input * 2500 + 10 * 10_000;
    call.costs(&[("smart,openai,openai,", cost)], Some(cost));
    assert_eq!(call.told(Some(200)).tokens["input,smart,openai,openai,"], input);

    // Before anything came the client left: the provider has the call all the same.
    let mut call = Call::new("smart", false);
    call.attempt("openai", None, &[]);
    assert_eq!(call.told(None).costs["smart,openai,openai,"], input * 2500);
    // The provider left: nothing was used.
    call.costs(&[], None);
}

#[test]
fn a_fallback_costs_what_each_attempt_used() {
    // Refused by the first: it used nothing.
    let mut call = Call::new("smart", false);
    call.attempt("claude", Some(529), &[]).attempt("openai", Some(200), &[tokens(100, 10), Event::End]);
    call.costs(&[("smart,openai,openai,", 350_000)], Some(350_000));
    assert_eq!(call.header().as_deref(), Some("0.00035"));

    // The first had read all of it and broke off.
    let mut call = Call::new("smart", false);
    let error = Event::Error(Error::new(Kind::Overloaded, "busy"));
    call.attempt("claude", Some(200), &[tokens(120, 1), error]).attempt(
        "openai",
        Some(200),
        &[tokens(100, 10), Event::End],
    );
    call.costs(&[("smart,claude,anthropic,", 125_000), ("smart,openai,openai,", 350_000)], Some(475_000));
    assert_eq!(call.header().as_deref(), Some("0.000475"));
    assert_eq!(call.told(Some(200)).states["input_tokens"], "220");
    assert_eq!(call.told(Some(200)).tokens["input,smart,claude,anthropic,"], 120);

    // A server without prices that used nothing hides none; one that used something does.
    let mut call = Call::new("smart", false);
    call.attempt("local", Some(503), &[]).attempt("openai", Some(200), &[tokens(100, 10), Event::End]);
    call.costs(&[("smart,openai,openai,", 350_000)], Some(350_000));
    let mut call = Call::new("smart", false);
    call.attempt("openai", Some(200), &[tokens(100, 10)]).attempt("local", Some(200), &[tokens(5, 5), Event::End]);
    call.costs(&[("smart,openai,openai,", 350_000)], None);
    assert_eq!(call.header(), None);
}

#[test]
fn an_unknown_price_is_not_zero() {
    let mut call = Call::new("smart", false);
    call.attempt("local", Some(200), &[start("gpt-4o"), tokens(100, 10), Event::End]);
    call.costs(&[], None);
    assert_eq!(call.header(), None);
}

#[test]
fn operators_prices_go_first() {
    // A model's own, wherever it is answered: 40 * 500 + 60 * 0 + 10 * 10000
    let mut call = Call::new("own", false);
    let cached = Usage { input: 100, output: 10, cache_read: 60, ..Usage::default() };
    call.attempt("local", Some(200), &[usage(cached), Event::End]);
    call.costs(&[("own,local,openai_compatible,", 120_000)], Some(120_000));

    // By the provider's name for it before the bare one.
    let mut call = Call::new("elsewhere", false);
    call.attempt("openai", Some(200), &[tokens(1, 1), Event::End]);
    call.costs(&[("elsewhere,openai,openai,", 15_000)], Some(15_000));
}

#[test]
fn prices_need_not_be_whole_nanodollars() {
    // 3 * 37.5 + 5 * 0.000001
    let mut call = Call::new("fine", false);
    call.attempt("local", Some(200), &[tokens(3, 5), Event::End]);
    call.costs(&[("fine,local,openai_compatible,", 113)], Some(113));
    assert_eq!(call.header().as_deref(), Some("0.000000113"));
    // Above a thousand tokens; the same as `flex`.
    for (tier, input, cost) in
        [("default", 1000, 37_500), ("default", 1001, 100_100), ("flex", 1000, 10_000), ("flex", 1001, 20_020)]
    {
        let mut call = Call::new("fine", false);
        let usage = Usage { input, ..Usage::default() };
        let event = Event::Usage { usage, service_tier: Some(Str::plain(tier)) };
        call.attempt("local", Some(200), &[event, Event::End]);
        call.costs(&[("fine,local,openai_compatible,", cost)], Some(cost));
    }
}

#[test]
fn a_deployment_costs_what_the_model_costs_that_answers() {
    let mut call = Call::new("deployed", false);
    call.attempt("foundry", Some(200), &[start("gpt-4o-2024-11-20"), tokens(100, 10), Event::End]);
    call.costs(&[("deployed,foundry,azure_ai,", 350_000)], Some(350_000));
}

#[test]
fn a_patterns_label_is_the_name_of_the_price() {
    let mut call = Call::new("any/gpt-4o-2031-01-01", false);
    call.attempt("openai", Some(200), &[tokens(100, 10), Event::End]);
    call.costs(&[("gpt-4o,openai,openai,", 350_000)], Some(350_000));
    assert_eq!(call.told(Some(200)).states["model"], "gpt-4o");
    // What nobody knows stays the pattern: labels never come from clients.
    let mut call = Call::new("any/made-up", false);
    call.attempt("openai", Some(200), &[tokens(100, 10), Event::End]);
    assert_eq!(call.told(Some(200)).tokens["input,any/*,openai,openai,"], 100);
    call.costs(&[], None);
}

#[test]
fn counting_tokens_is_free() {
    let mut call = Call::new("smart", false);
    call.record.operation = Operation::CountTokens;
    call.attempt("claude", Some(200), &[tokens(100, 0), Event::End]);
    call.costs(&[], None);
    assert_eq!(call.told(Some(200)).tokens.len(), 0);
}
