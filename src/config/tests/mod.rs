//! Whole documents.

mod faults;
mod lookups;
mod tokens;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::limit::{Budget, Period};

/// A variable `X_KEY` holds `x-secret`; others are not set.
fn env(name: &str) -> Option<String> {
    match name {
        "BAD_KEY" => Some("a\nb".to_owned()),
        "EMPTY_KEY" => Some(String::new()),
        "FILE_KEY" => Some("file-secret\r\n".to_owned()),
        _ => name
            .strip_suffix("_KEY")
            .filter(|name| name.len() == 1)
            .map(|name| format!("{}-secret", name.to_lowercase())),
    }
}

fn parse(json: &str) -> Config {
    Config::parse(json.as_bytes(), &env).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn revealed(keys: &[ApiKey]) -> Vec<&str> {
    keys.iter().map(|key| key.key.reveal()).collect()
}

/// A document with nearly everything in it.
const EXAMPLE: &str = include_str!("example.json");

#[test]
fn reads_the_example() {
    let config = parse(EXAMPLE);
    assert_eq!(config.warnings, [""; 0]);
    assert_eq!((config.role, &config.client_auth), (Role::Gateway, &ClientAuth::Keys));
    assert_eq!(config.unsupported_params, UnsupportedParams::Drop);
    assert_eq!(config.metrics, Metrics { key_label: KeyLabel::Id, max_series: 5000 });

    assert_eq!(config.reserve, Reserve::Max);
    let rpm = |rpm| Limits { rpm: Some(rpm), ..Limits::default() };
    let budget = |limit, per, spent| Some(Budget { limit, per, spent });
    let budgets = [budget(25_000_000_000, Period::Day, 3_200_000_000), budget(400_000_000_000, Period::Month, 0)];
    let search = Limits { tpm: Some(1_000_000), budget: budgets[1], ..Limits::default() };
    assert_eq!(config.teams, [("search".to_owned(), Allowed { limits: search, models: Vec::new() })].into());

    let [claude, eu, local] = &config.upstreams[..] else { panic!("{:?}", config.upstreams) };
    assert_eq!((claude.name.as_str(), claude.provider.id, claude.tls), ("claude", "anthropic", true));
    assert_eq!((claude.authority.as_str(), claude.prefix.as_str()), ("api.anthropic.com", ""));
    assert!(matches!(&claude.credentials, Credentials::ApiKey(keys) if revealed(keys) == ["a-secret"]));
    assert_eq!((eu.authority.as_str(), eu.prefix.as_str()), ("eu.contoso.example:8443", "/openai/v1"));
    let Credentials::ApiKey(keys) = &eu.credentials else { panic!("{eu:?}") };
    assert_eq!(revealed(keys), ["b-secret", "written"]);
    assert_eq!(eu.models.get("gpt-4o").as_deref(), Some("my-4o-deployment"));
    assert!(!local.tls && matches!(local.credentials, Credentials::None));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(local.params.default, [pair("max_tokens", "1024")]);
    assert_eq!(local.params.force, [pair("seed", "1.0"), pair("user", r#"{"a": [ ]}"#)]);
    assert_eq!(local.params.drop, ["logit_bias"]);
    assert_eq!(local.headers.set, [pair("x-team", "ml")]);
    assert_eq!(
        (&local.headers.remove[..], &local.headers.forward[..]),
        (&["x-internal".to_owned()][..], &["x-trace".to_owned()][..])
    );

    assert_eq!(claude.limits, Limits { tpm: Some(2_000_000), ..rpm(4000) });
    assert!(eu.limits.is_empty());

    let [smart, any] = &config.models[..] else { panic!("{:?}", config.models) };
    assert_eq!(smart.upstreams, [Choice { upstream: 0, weight: 1 }, Choice { upstream: 1, weight: 2 }]);
    assert_eq!(smart.upstream_models[&1], "gpt-4o");
    assert_eq!((smart.balance, smart.retries), (Balance::Priority, Some(2)));
    let millis = Timeouts { first_token: Some(10_000), idle: None, total: Some(600_000) };
    assert_eq!(smart.timeouts, millis);
    assert_eq!((smart.limits, any.limits), (rpm(600), Limits::default()));
    assert_eq!(any.pattern, Some(pair("anthropic/", "")));
    assert_eq!((any.retries, any.timeouts), (None, Timeouts::default()));

    let key = &config.keys[0];
    let limits =
        Limits { tpm: Some(100_000), input_tpm: Some(80_000), parallel: Some(8), budget: budgets[0], ..rpm(60) };
    assert_eq!(key.allowed.limits, limits);
    // An alias stands for its model.
    let each =
        [("smart".to_owned(), rpm(30)), ("anthropic/*".to_owned(), Limits { tpm: Some(9), ..Limits::default() })];
    assert_eq!(key.allowed.models, each);
    assert_eq!((key.id.as_str(), key.team.as_deref()), ("team-search-prod", Some("search")));
    assert_eq!((key.expires, key.disabled, &key.tags[..]), (Some(1_798_761_600), false, &["prod".to_owned()][..]));
}

#[test]
fn reads_the_least() {
    let config = parse(r#"{"client_auth":"open","upstreams":{"a":{"provider":"openai","credentials":"host"}}}"#);
    assert_eq!((config.role, config.client_auth), (Role::Standalone, ClientAuth::Open));
    assert_eq!(config.warnings, [""; 0]);
    assert!(config.models.is_empty() && config.keys.is_empty());
}

#[test]
fn reads_every_way_to_know_callers() {
    for (written, expected) in [
        ("keys", ClientAuth::Keys),
        ("open", ClientAuth::Open),
        ("filter_state:my.key:id", ClientAuth::FilterState("my.key:id".into())),
        ("header:X-Key-Id", ClientAuth::Header("x-key-id".into())),
        (
            "metadata:envoy.filters.http.jwt_authn.key_id",
            ClientAuth::Metadata { namespace: "envoy.filters.http.jwt_authn".into(), key: "key_id".into() },
        ),
    ] {
        let json = format!(
            r#"{{"client_auth":"{written}","upstreams":{{"a":{{"provider":"openai","credentials":"none"}}}}}}"#
        );
        assert_eq!(parse(&json).client_auth, expected, "{written}");
    }
}

#[test]
fn asks_for_client_auth_only_where_clients_come_in() {
    let upstreams = r#""upstreams":{"a":{"provider":"openai","credentials":{"api_key":{"env":"NOT_SET"}}}}"#;
    let config = parse(&format!(r#"{{"role":"upstream",{upstreams}}}"#));
    assert_eq!(config.client_auth, ClientAuth::Keys, "nobody is let in");

    let json = format!("{{{upstreams}}}");
    assert!(Config::parse(json.as_bytes(), &env).is_err());
    let config = Config::parse_upstreams(json.as_bytes(), &env).unwrap();
    assert_eq!((config.client_auth, config.warnings.len()), (ClientAuth::Keys, 0));
    let Credentials::ApiKey(keys) = &config.upstreams[0].credentials else { panic!("no placeholder") };
    assert_eq!(revealed(keys), ["unset"]);
}

#[test]
fn secrets_that_are_not_there_silence_their_upstream_alone() {
    let json = r#"{"client_auth":"open","upstreams":{
        "a":{"provider":"openai","credentials":{"api_key":{"env":"NOT_SET"}}},
        "b":{"provider":"openai","credentials":{"api_key":[{"env":"EMPTY_KEY"},{"env":"FILE_KEY"}]}},
        "c":{"provider":"openai","credentials":{"api_key":[{"env":"NOT_SET"},{"env":"sk_a_key_in_the_wrong_place"}]}}}}"#;
    let config = parse(json);
    let credentials: Vec<_> = config.upstreams.iter().map(|upstream| &upstream.credentials).collect();
    let [Credentials::Unset(a), Credentials::ApiKey(b), Credentials::Unset(c)] = credentials[..] else {
        panic!("{credentials:?}")
    };
    assert_eq!(a, "the environment variable `NOT_SET` is not set");
    assert_eq!(revealed(b), ["file-secret"]);
    assert_eq!(b[0].place, 1, "as it is written");
    assert_eq!(c, "the environment variable `NOT_SET` is not set; the environment variable is not set");
    let warnings = [
        "upstreams.a.credentials.api_key.env: the environment variable `NOT_SET` is not set",
        "upstreams.b.credentials.api_key[0].env: the environment variable `EMPTY_KEY` is not set",
        "upstreams.c.credentials.api_key[0].env: the environment variable `NOT_SET` is not set",
        "upstreams.c.credentials.api_key[1].env: the environment variable is not set",
    ];
    assert_eq!(config.warnings, warnings);
    let faults = Config::check(json.as_bytes(), &env).unwrap_err();
    assert_eq!(faults.iter().map(Fault::to_string).collect::<Vec<_>>(), warnings);
}

#[test]
fn a_configuration_prints_no_secret() {
    let printed = format!("{:?}", parse(EXAMPLE)).replace("id_secret: ", "");
    assert!(printed.contains("***"));
    assert!(!printed.contains("secret") && !printed.contains("written"), "{printed}");
}

#[test]
fn warns_of_what_is_probably_not_meant() {
    let hash = "0".repeat(64);
    for (extra, expected) in [
        (r#""client_auth":"keys""#.to_owned(), "keys: none listed: nobody may call"),
        (r#""client_auth":"header:x-id","keys":[]"#.to_owned(), "keys: none listed: nobody may call"),
        (
            r#""client_auth":"open","keys":[{"id":"a"}]"#.to_owned(),
            "keys: not used: `client_auth: open` asks nobody for a key",
        ),
        (
            r#""client_auth":"header:x-id","keys":[{"id":"a","models":[]}]"#.to_owned(),
            "keys[0].models: the key may ask for no model; to allow all, remove the list",
        ),
        (
            format!(
                r#""client_auth":"keys","models":[{{"name":"m","upstreams":["a"]}},{{"name":"x/*","upstreams":["a"]}}],
                "keys":[{{"id":"a","hash":"sha256:{hash}","models":["m","*","x/y","x*","y*","n"]}}]"#
            ),
            "keys[0].models[4]: no model is called `y*`\nkeys[0].models[5]: no model is called `n`",
        ),
        (
            r#""client_auth":"open","models":[{"name":"gpt-*","upstreams":["a"]}]"#.to_owned(),
            "models[0].name: only what the `*` matches goes upstream; write more in `upstream_models`",
        ),
        (
            r#""client_auth":"open","models":[{"name":"gpt-*","upstreams":["a"],"upstream_models":{"a":"gpt-*"}}]"#
                .to_owned(),
            "",
        ),
    ] {
        let json = format!(r#"{{{extra},"upstreams":{{"a":{{"provider":"openai","credentials":"none"}}}}}}"#);
        assert_eq!(parse(&json).warnings.join("\n"), expected, "{json}");
    }
}

#[test]
fn warns_of_keys_in_the_clear() {
    for (url, credentials, expected) in [
        ("http://llm.example.com/v1", r#"{"api_key":{"env":"A_KEY"}}"#, true),
        ("http://llm.example.com/v1", r#""client""#, true),
        ("http://llm.example.com/v1", r#""none""#, false),
        ("https://llm.example.com/v1", r#"{"api_key":{"env":"A_KEY"}}"#, false),
        ("http://vllm:8000/v1", r#"{"api_key":{"env":"A_KEY"}}"#, false),
    ] {
        let json = format!(
            r#"{{"client_auth":"open","upstreams":{{"a":{{"provider":"openai","base_url":"{url}","credentials":{credentials}}}}}}}"#
        );
        let warning = "upstreams.a.base_url: keys go over the network in the clear; use `https://`";
        assert_eq!(parse(&json).warnings, if expected { vec![warning] } else { vec![] }, "{json}");
    }
}

#[test]
fn what_needs_the_other_role_is_told() {
    let document = |role: &str| {
        format!(
            r#"{{"role":"{role}","client_auth":"open","upstreams":{{"a":{{"provider":"openai","credentials":"none"}}}},
            "models":[{{"name":"m","upstreams":["a"],"fallbacks":{{"content_policy":["n"]}},"timeouts":{{"idle":"1s"}}}},
            {{"name":"n","upstreams":["a"],"fallbacks":{{"context_window":["m"]}}}}]}}"#
        )
    };
    let warnings = parse(&document("standalone")).warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("models[].fallbacks.content_policy: needs the role `gateway`"), "{warnings:?}");
    assert!(warnings[1].starts_with("models[].timeouts.idle: needs the role `gateway`"), "{warnings:?}");
    assert_eq!(parse(&document("gateway")).warnings, [""; 0]);
}
