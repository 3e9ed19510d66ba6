//! Names, keys and what they may do.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::cost::{Class, Part, Price};

/// Two upstreams and every kind of name.
const NAMES: &str = r#"{
  "client_auth": "keys",
  "upstreams": {
    "claude": { "provider": "anthropic", "credentials": "none", "models": { "claude-*": "c/*", "fast": "haiku" } },
    "openai": { "provider": "openai", "credentials": "none" }
  },
  "models": [
    { "name": "*", "upstreams": ["openai"] },
    { "name": "smart", "aliases": ["gpt-4o", "best"], "upstreams": ["claude", "openai"], "upstream_models": { "openai": "gpt-5" } },
    { "name": "anthropic/*", "upstreams": ["claude", "openai"], "upstream_models": { "openai": "claude/*" } },
    { "name": "anthropic/*-fast", "upstreams": ["claude"], "upstream_models": { "claude": "fast" } }
  ],
  "keys": [
    { "id": "all", "hash": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" },
    { "id": "some", "hash": "sha256:0000000000000000000000000000000000000000000000000000000000000000",
      "models": ["smart", "anthropic/claude-*", "anthropic/x", "o3"] },
    { "id": "alias", "hash": "sha256:0000000000000000000000000000000000000000000000000000000000000001", "models": ["gpt-*"] },
    { "id": "nothing", "hash": "sha256:0000000000000000000000000000000000000000000000000000000000000002", "models": [] }
  ]
}"#;

#[test]
fn a_name_leads_to_its_model() {
    let config = parse(NAMES);
    for (asked, name, star, at_claude, at_openai) in [
        ("smart", "smart", None, "smart", "gpt-5"),
        ("gpt-4o", "smart", None, "smart", "gpt-5"),
        ("anthropic/claude-x", "anthropic/*", Some("claude-x"), "c/x", "claude/claude-x"),
        ("anthropic/a/b", "anthropic/*", Some("a/b"), "a/b", "claude/a/b"),
        ("anthropic/x-fast", "anthropic/*-fast", Some("x"), "haiku", "x"),
        ("anthropic/-fast", "anthropic/*", Some("-fast"), "-fast", "claude/-fast"),
        ("anthropic/", "*", Some("anthropic/"), "anthropic/", "anthropic/"),
        ("o3", "*", Some("o3"), "o3", "o3"),
        ("fast", "*", Some("fast"), "haiku", "fast"),
    ] {
        let resolved = config.model(asked).unwrap();
        assert_eq!((resolved.asked, resolved.name, resolved.star), (asked, name, star));
        assert_eq!(config.models[resolved.model.unwrap()].name, name);
        assert_eq!(config.upstream_model(&resolved, 0), at_claude, "{asked}");
        assert_eq!(config.upstream_model(&resolved, 1), at_openai, "{asked}");
    }
}

#[test]
fn names_that_can_be_no_models_lead_nowhere() {
    let config = parse(NAMES);
    for asked in ["", "a\nb", "a\u{7f}", &"a".repeat(257)] {
        assert_eq!(config.model(asked), None, "{asked:?}");
    }
    let config = parse(EXAMPLE);
    for asked in ["smarter", "anthropic/", "Smart"] {
        assert_eq!(config.model(asked), None, "{asked}");
    }
}

#[test]
fn without_models_any_name_goes_as_it_comes() {
    let json =
        r#"{"client_auth":"open","upstreams":{"a":{"provider":"openai","credentials":"none","models":{"x":"y"}}}}"#;
    let config = parse(json);
    for (asked, upstream) in [("x", "y"), ("anything/at*all", "anything/at*all")] {
        let resolved = config.model(asked).unwrap();
        assert_eq!((resolved.name, resolved.model, resolved.star), (asked, None, None));
        assert_eq!(config.upstream_model(&resolved, 0), upstream);
    }
    assert_eq!(config.model("a\u{0}b"), None);
}

#[test]
fn keys_are_found_by_secret_and_by_id() {
    let config = parse(NAMES);
    assert_eq!(config.by_secret(b"test").unwrap().id, "all");
    assert!(config.by_secret(b"Test").is_none() && config.by_secret(b"").is_none());
    assert_eq!(config.by_id("some").unwrap().id, "some");
    assert!(config.by_id("").is_none() && config.by_id("ALL").is_none());
}

#[test]
fn a_key_may_ask_for_what_it_lists() {
    let config = parse(NAMES);
    for (key, asked, expected) in [
        ("all", "smart", true),
        ("all", "o3", true),
        ("some", "smart", true),
        ("some", "gpt-4o", true),
        ("some", "o3", true),
        ("some", "o3-mini", false),
        ("some", "anthropic/claude-x", true),
        ("some", "anthropic/x", true),
        ("some", "anthropic/y", false),
        ("alias", "gpt-4o", true),
        ("alias", "best", false),
        ("alias", "smart", false),
        ("nothing", "smart", false),
    ] {
        let resolved = config.model(asked).unwrap();
        assert_eq!(config.allows(config.by_id(key).unwrap(), &resolved), expected, "{key} {asked}");
    }
}

#[test]
fn a_key_sees_what_it_may_ask_for() {
    let config = parse(NAMES);
    for (key, expected) in [
        ("all", &["smart", "gpt-4o", "best"][..]),
        ("some", &["smart", "gpt-4o", "best", "anthropic/x", "o3"]),
        ("alias", &["gpt-4o"]),
        ("nothing", &[]),
        // Nobody in particular, as where no key is asked for.
        ("", &["smart", "gpt-4o", "best"]),
    ] {
        assert_eq!(config.visible_models(config.by_id(key)), expected, "{key}");
    }
}

#[test]
fn a_model_costs_what_is_written_nearest_to_it() {
    let config = parse(
        r#"{"client_auth":"open","upstreams":{"a":{"provider":"openai","credentials":"none"}},
            "models":[{"name":"own","upstreams":["a"],"price":{"input":0.1,"output":1e1}},
                      {"name":"listed","upstreams":["a"],"upstream_models":{"a":"gpt-4o"}},
                      {"name":"gpt-4o","upstreams":["a"]}, {"name":"made-up","upstreams":["a"]}],
            "prices":{"listed":{"input":4,"output":5.000000000001},
                      "tiers":{"input":1,"above":{"200k":{"input":2},"300000":{"input":3}},"batch":{"output":0.5}}}}"#,
    );
    let rates = |asked: &str, name: &str| config.rates(asked, &config.upstreams[0], name);
    let price = |part, class, above, amount| Price { part, class, above, amount };
    let standard = |part, amount| price(part, Class::Standard, 0, amount);
    let own = rates("own", "gpt-4o").unwrap();
    assert_eq!(own.prices(), [standard(Part::Input, 100_000_000_000), standard(Part::Output, 10_000_000_000_000)]);
    let listed = rates("listed", "gpt-4o").unwrap();
    assert_eq!(listed.prices(), [standard(Part::Input, 4_000_000_000_000), standard(Part::Output, 5_000_000_000_001)]);
    assert_eq!(*rates("gpt-4o", "gpt-4o").unwrap().name, *"gpt-4o");
    assert_eq!(rates("made-up", "made-up"), None);
    let expected = [
        standard(Part::Input, 1_000_000_000_000),
        price(Part::Input, Class::Standard, 200_000, 2_000_000_000_000),
        price(Part::Input, Class::Standard, 300_000, 3_000_000_000_000),
        price(Part::Output, Class::Batch, 0, 500_000_000_000),
    ];
    assert_eq!(config.prices["tiers"].prices(), expected);
}
