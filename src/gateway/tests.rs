//! Where calls start.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::collections::HashSet;

use super::*;
use crate::auth::token::Source;
use crate::config::{Secret, Upstream};

/// Upstreams that have a token, by their token's cluster, and upstreams whose keys rest.
#[derive(Default)]
struct Known {
    tokens: HashSet<&'static str>,
    resting: HashSet<&'static str>,
}

impl Keyring for Known {
    fn token(&self, source: &Source) -> Option<Secret> {
        self.tokens.contains(source.cluster.as_str()).then(|| Secret::new("token"))
    }

    fn rests(&self, upstream: &Upstream, _model: &str) -> bool {
        self.resting.contains(upstream.name.as_str())
    }
}

const DOCUMENT: &str = r#"{
  "client_auth": "open", "role": "ROLE",
  "upstreams": {
    "ibm": {"provider": "openai_compatible", "base_url": "https://ibm.example.com",
            "credentials": {"ibm_iam": {"api_key": {"value": "k"}, "cluster": "ibm"}}},
    "azure": {"provider": "azure_ai", "base_url": "https://azure.example.com", "credentials": {"azure_ad":
              {"tenant_id": "t", "client_id": "c", "client_secret": {"value": "k"}, "cluster": "azure"}}},
    "keys": {"provider": "openai", "credentials": {"api_key": [{"value": "a"}, {"value": "b"}]}},
    "unset": {"provider": "openai", "credentials": {"api_key": {"env": "NOT_SET"}}}
  },
  "models": MODELS
}"#;

fn config(role: &str, models: &str) -> Rc<Config> {
    let json = DOCUMENT.replace("ROLE", role).replace("MODELS", models);
    Rc::new(Config::parse(json.as_bytes(), &|_| None).unwrap_or_else(|faults| panic!("{faults:?}")))
}

/// The upstream that a call starts with, or the message of its error.
fn start(config: &Rc<Config>, known: &Known, facts: &Facts) -> Result<Option<String>, String> {
    let mut gateway = Gateway::new(Rc::clone(config), 0);
    let headers: Headers = [(":method", "POST"), (":path", "/v1/chat/completions")].into_iter().collect();
    assert_eq!(gateway.head(&headers, facts), Ok(Next::Body));
    let body = br#"{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}"#;
    let doc = gateway.read(body).unwrap();
    let routed = gateway.call(&doc, facts, known).map_err(|error| {
        assert_eq!(error.kind, Kind::Unavailable);
        error.message
    })?;
    let place = routed.unwrap().upstream;
    Ok(place.map(|place| config.upstreams[place].name.clone()))
}

fn upstream(name: &str) -> Result<Option<String>, String> {
    Ok(Some(name.to_owned()))
}

#[test]
fn an_upstream_needs_its_token() {
    let models = r#"[{"name": "m", "upstreams": ["ibm", "azure", "unset"]}]"#;
    for role in ["gateway", "standalone"] {
        let config = config(role, models);
        let mut known = Known::default();
        assert_eq!(
            start(&config, &known, &Facts::default()).unwrap_err(),
            "no upstream of the model `m` can take the call: \
             the upstream `ibm` has no token yet, or no more: it could not be fetched; \
             the upstream `azure` has no token yet, or no more: it could not be fetched; \
             the upstream `unset` has no credentials"
        );
        known.tokens.insert("azure");
        assert_eq!(start(&config, &known, &Facts::default()), upstream("azure"));
        known.tokens.insert("ibm");
        assert_eq!(start(&config, &known, &Facts::default()), upstream("ibm"));
    }
}

#[test]
fn one_that_rests_is_the_second_choice() {
    let config = config("standalone", r#"[{"name": "m", "upstreams": ["keys", "azure"]}]"#);
    let mut known = Known { resting: HashSet::from(["keys"]), ..Known::default() };
    assert_eq!(start(&config, &known, &Facts::default()), upstream("keys"), "the other has no token");
    known.tokens.insert("azure");
    assert_eq!(start(&config, &known, &Facts::default()), upstream("azure"));
    known.resting.insert("azure");
    assert_eq!(start(&config, &known, &Facts::default()), upstream("keys"), "all rest");
}

#[test]
fn weights_are_shared_among_those_that_can() {
    let upstreams = r#"[{"name": "ibm", "weight": 5}, {"name": "azure", "weight": 3}, {"name": "keys", "weight": 1}]"#;
    let models = format!(r#"[{{"name": "m", "balance": "weighted", "upstreams": {upstreams}}}]"#);
    let config = config("standalone", &models);
    let known = Known { tokens: HashSet::from(["azure"]), ..Known::default() };
    let starts: Vec<_> =
        (0..8).map(|random| start(&config, &known, &Facts { random, ..Facts::default() }).unwrap().unwrap()).collect();
    assert_eq!(starts, ["azure", "azure", "azure", "keys", "azure", "azure", "azure", "keys"]);
}

#[test]
fn where_routes_choose_the_choice_is_checked() {
    let config = config("standalone", "[]");
    let on = |name: &str| Facts { route_upstream: Some(name.to_owned()), ..Facts::default() };
    let mut known = Known::default();
    assert_eq!(
        start(&config, &known, &on("ibm")).unwrap_err(),
        "the upstream `ibm` has no token yet, or no more: it could not be fetched"
    );
    known.tokens.insert("ibm");
    assert_eq!(start(&config, &known, &on("ibm")), upstream("ibm"));
    assert_eq!(start(&config, &known, &on("unset")).unwrap_err(), "the upstream `unset` has no credentials");
    assert_eq!(
        start(&config, &known, &on("nobody")).unwrap_err(),
        "no upstream: the route names none that is configured"
    );
}

/// Where a call of so many words goes: the model that it asks for, the one that stands in, and the upstream.
fn stand_in(config: &Rc<Config>, words: usize) -> (String, Option<String>, String) {
    let mut gateway = Gateway::new(Rc::clone(config), 0);
    let headers: Headers = [(":method", "POST"), (":path", "/v1/chat/completions")].into_iter().collect();
    assert_eq!(gateway.head(&headers, &Facts::default()), Ok(Next::Body));
    let body = format!(r#"{{"model": "m", "messages": [{{"role": "user", "content": "{}"}}]}}"#, "word ".repeat(words));
    let doc = gateway.read(body.as_bytes()).unwrap();
    let routed = gateway.call(&doc, &Facts::default(), &Known::default()).unwrap().unwrap();
    let upstream = config.upstreams[routed.upstream.unwrap()].name.clone();
    (routed.ask.model, routed.ask.instead, upstream)
}

#[test]
fn a_model_with_too_small_a_context_is_passed_over() {
    let models = |fallbacks: &str| {
        format!(
            r#"[{{"name": "m", "upstreams": ["keys"], "upstream_models": {{"keys": "gpt-3.5-turbo"}},
                 "fallbacks": {{"context_window": [{fallbacks}]}}}},
                {{"name": "middle", "upstreams": ["keys"], "upstream_models": {{"keys": "gpt-4o"}}}},
                {{"name": "large", "upstreams": ["keys"], "upstream_models": {{"keys": "gpt-4.1"}}}}]"#
        )
    };
    for role in ["gateway", "standalone"] {
        let config = config(role, &models(r#""middle", "large""#));
        let to = |words| stand_in(&config, words).1;
        assert_eq!(to(100), None);
        assert_eq!(to(20_000).as_deref(), Some("middle"));
        assert_eq!(to(200_000).as_deref(), Some("large"));
        // The provider may know better.
        assert_eq!(to(2_000_000).as_deref(), Some("large"));
    }
    assert_eq!(stand_in(&config("gateway", &models("")), 20_000).1, None);
}

#[test]
fn of_several_upstreams_those_with_room_are_taken() {
    let two = r#""upstreams": ["keys", "other"], "upstream_models": {"keys": "gpt-3.5-turbo", "other": "gpt-4.1"}"#;
    let json = DOCUMENT.replace("ROLE", "gateway").replace("MODELS", &format!(r#"[{{"name": "m", {two}}}]"#));
    let json = json.replacen(r#""unset""#, r#""other": {"provider": "openai", "credentials": "none"}, "unset""#, 1);
    let config = Rc::new(Config::parse(json.as_bytes(), &|_| None).unwrap());
    assert_eq!(stand_in(&config, 100).2, "keys");
    assert_eq!(stand_in(&config, 20_000), ("m".to_owned(), None, "other".to_owned()));
}

#[test]
fn no_model_stands_in_twice() {
    let models = r#"[
        {"name": "a", "upstreams": ["keys"], "fallbacks": {"context_window": ["b", "c"]}},
        {"name": "b", "upstreams": ["keys"], "fallbacks": {"context_window": ["a", "c", "d"], "content_policy": ["d"]}},
        {"name": "c", "upstreams": ["keys"]}, {"name": "d", "aliases": ["e"], "upstreams": ["keys"]}]"#;
    let config = config("gateway", models);
    let next = |tried: &[usize], reason| config.stand_in(tried, reason);
    assert_eq!(next(&[0], Kind::ContextWindow), Some("b"));
    assert_eq!(next(&[0, 1], Kind::ContextWindow), Some("c"));
    assert_eq!(next(&[0, 1, 2], Kind::ContextWindow), Some("d"));
    assert_eq!(next(&[0, 1, 2, 3], Kind::ContextWindow), None);
    assert_eq!(next(&[0, 1], Kind::ContentPolicy), Some("d"));
    assert_eq!(next(&[0], Kind::RateLimit), None);
    assert_eq!(next(&[0; 6], Kind::ContextWindow), None, "a call goes on so often at most");
}
