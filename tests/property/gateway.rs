//! Calls at the gateway: any path, any headers, any body.

use std::rc::Rc;
use std::sync::LazyLock;

use dragoman::auth::Keyring;
use dragoman::auth::token::Source;
use dragoman::config::{Config, Secret, Upstream};
use dragoman::endpoint::{Endpoint, format_hint};
use dragoman::gateway::{Facts, Gateway, Local, Next, PRIVATE};
use dragoman::http::Headers;
use dragoman::metrics::{Ledger, Metric};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::IgnoredAny;

use super::driver::{NOW, mutate};
use super::{TREE, Text, cases, mutations, torn};

const UPSTREAMS: &str = r#""upstreams": {
    "claude": { "provider": "anthropic", "credentials": "none" },
    "gpt": { "provider": "openai", "credentials": { "api_key": { "env": "UNSET" } } },
    "groq": { "provider": "groq", "credentials": "none" }
}"#;

/// One key, whose secret is `secret`.
const KEYS: &str = r#""keys": [{
    "id": "k", "models": ["smart", "any/*"],
    "hash": "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
}]"#;

const MODELS: &str = r#""models": [
    { "name": "smart", "aliases": ["gpt-4o"], "upstreams": ["claude", "groq"], "balance": "weighted" },
    { "name": "any/*", "upstreams": ["groq", "claude"] },
    { "name": "none", "upstreams": ["gpt"] }
]"#;

static DOCUMENTS: LazyLock<[String; 4]> = LazyLock::new(|| {
    [
        format!(r#"{{ "client_auth": "keys", {UPSTREAMS}, {MODELS}, {KEYS} }}"#),
        format!(r#"{{ "client_auth": "header:x-caller", "role": "gateway", {UPSTREAMS}, {MODELS}, {KEYS} }}"#),
        format!(r#"{{ "client_auth": "open", {UPSTREAMS} }}"#),
        format!(r#"{{ "client_auth": "open", "role": "gateway", {UPSTREAMS}, {MODELS} }}"#),
    ]
});

/// Sees to it that nothing of a client's gets into a name in metrics.
struct Labels;

impl Ledger for Labels {
    fn sample(&mut self, metric: &'static Metric, labels: &[&str], _value: u64) {
        const KNOWN: [&str; 12] =
            ["", "*", "smart", "any/*", "none", "k", "unknown", "chat", "messages", "count_tokens", "models", "health"];
        assert_eq!(metric.labels.len(), labels.len());
        for label in labels {
            let reason = ["auth", "invalid", "model", "size"].contains(label);
            assert!(KNOWN.contains(label) || reason || label.parse::<u16>().is_ok(), "{}: {label}", metric.name);
        }
    }

    fn state(&mut self, _name: &'static str, _value: &str) {}
}

fn path() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "/v1",
        "/chat/completions",
        "/messages",
        "/count_tokens",
        "/models",
        "/smart",
        "/health",
        "/openai/deployments",
        "/x",
        "/",
        "//",
        "?",
        "?beta=true",
        "#",
        "%2F",
        "..",
        "é",
        "*",
        "https://host",
        "",
    ];
    prop_oneof![
        4 => vec(select(PARTS), 0..5).prop_map(|parts| parts.concat()),
        1 => ".{0,30}",
    ]
}

/// Headers of a caller who is known, mostly, and some that may spoil it.
fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    const NAMES: &[&str] = &[
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "x-caller",
        "content-type",
        "content-encoding",
        "upgrade",
        "anthropic-version",
        "x-dragoman-upstream",
        "user-agent",
    ];
    let word =
        select(vec!["Bearer secret", "bearer  secret ", "Bearer", "secret", "k", "text/plain", "gzip", "identity", ""]);
    let value = prop_oneof![6 => word.prop_map(|word| word.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..20)];
    let more = vec((select(NAMES).prop_map(str::to_owned), value), 0..4);
    (prop::bool::weighted(0.8), prop_oneof![2 => Just(Vec::new()), 1 => more]).prop_map(|(known, mut headers)| {
        for (name, value) in [("authorization", "Bearer secret"), ("x-caller", "k")] {
            headers.extend(known.then(|| (name.to_owned(), value.into())));
        }
        headers
    })
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

/// An answer that any client reads.
fn local(local: &Local) {
    assert!((200..600).contains(&local.status), "status {}", local.status);
    let text = std::str::from_utf8(&local.body).unwrap();
    serde_json::from_str::<IgnoredAny>(text).unwrap_or_else(|e| panic!("not JSON ({e}): {text}"));
}

proptest! {
    #![proptest_config(cases(6_000))]

    #[test]
    fn any_call(
        document in 0..DOCUMENTS.len(),
        method in prop_oneof![9 => Just("POST"), 1 => select(vec!["GET", "HEAD", "CONNECT", ""])],
        path in prop_oneof![
            8 => select(vec!["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"]).prop_map(str::to_owned),
            1 => path(),
        ],
        headers in headers(),
        model in prop_oneof![
            8 => select(vec!["smart", "gpt-4o", "any/x", "any/", "none", "*"]).prop_map(str::to_owned),
            1 => ".{0,20}",
        ],
        body in (select(TREE.cases.iter().map(|case| case.request()).collect::<Vec<_>>()), mutations(2))
            .prop_flat_map(|(body, mutations)| torn(mutate::mutated(body, &mutations))),
        (ended, route_upstream, random) in (prop::bool::weighted(0.05), of(select(vec!["claude", "gpt", "nobody"])), any::<u64>()),
    ) {
        let config = Rc::new(Config::parse(DOCUMENTS[document].as_bytes(), &|_| None).unwrap());
        let route_upstream = route_upstream.map(str::to_owned);
        let facts = Facts { now: NOW * 1000, identity: None, route_upstream, ended, random };
        let mut gateway = Gateway::new(Rc::clone(&config), facts.now);
        let mut all: Headers = headers.into_iter().collect();
        all.set(":method", method);
        all.set(":path", &path);
        let Text(body) = body;
        let body = String::from_utf8_lossy(&body).replacen("\"smart\"", &serde_json::Value::from(model).to_string(), 1);
        match gateway.head(&all, &facts) {
            Err(error) => local(&gateway.refuse(&error)),
            Ok(Next::Reply(reply)) => local(&reply),
            // What it is told, only the host's counts can say.
            Ok(Next::Key) => {}
            Ok(Next::Body | Next::Call) => match gateway.read(body.as_bytes()).and_then(|doc| gateway.call(&doc, &facts, &Unknown)) {
                Err(error) => local(&gateway.refuse(&error)),
                Ok(Err(reply)) => local(&reply),
                Ok(Ok(routed)) => {
                    for (name, value) in &routed.headers {
                        prop_assert!(name.starts_with(PRIVATE) || name.starts_with("x-envoy-"), "{}", name);
                        prop_assert!(!value.is_empty() && !value.chars().any(char::is_control), "{}: {:?}", name, value);
                    }
                    let chosen = routed.upstream.map(|place| config.upstreams[place].name.as_str());
                    // Never one without its key.
                    prop_assert!(chosen != Some("gpt"));
                    prop_assert!(chosen.is_some() || config.models.is_empty());
                }
            },
        }
        gateway.account(None, Some(200), NOW * 1000 + 1, &mut Labels);
    }

    #[test]
    fn any_path(method in "[A-Z]{0,7}", path in path(), anywhere in any::<bool>(), version in any::<bool>()) {
        let found = Endpoint::of(&method, &path, anywhere);
        if let (Ok(Endpoint::Call(_, format)), true) = (&found, !path.contains('#')) {
            let header = ("anthropic-version".to_owned(), b"2023-06-01".to_vec());
            let headers: Headers = Some(header).into_iter().filter(|_| version).collect();
            prop_assert_eq!(*format, format_hint(&path, &headers));
        }
        // What stands anywhere in a path stands at its start too.
        if found.is_ok() && !anywhere {
            prop_assert_eq!(found, Endpoint::of(&method, &path, true));
        }
    }

    /// The host's own errors, with whatever it says about them.
    #[test]
    fn any_error_of_the_host(status in any::<u16>(), details in ".{0,100}") {
        let config = Rc::new(Config::parse(DOCUMENTS[2].as_bytes(), &|_| None).unwrap());
        let mut gateway = Gateway::new(config, 0);
        let reply = gateway.host_error(status.clamp(400, 599), &details);
        local(&reply);
        prop_assert!(reply.body.len() < 1000);
    }
}
