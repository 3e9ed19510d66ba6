//! Requests: to every provider, from both formats.

use std::sync::LazyLock;

use dragoman::config::Config;
use dragoman::format::Format;
use dragoman::http::Headers;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::driver::{Route, checks, configs, mutate};
use super::{TREE, cases, mutations, torn};

static CONFIGS: LazyLock<[Config; 2]> = LazyLock::new(configs::everywhere);

/// The ways that requests go.
fn route() -> impl Strategy<Value = Route<'static>> {
    const PATHS: [&str; 13] = [
        "/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/messages",
        "/v1/messages",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/completions",
        "/v1beta/models/smart:generateContent",
        "/v1beta/models/smart:streamGenerateContent?alt=sse",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/responses",
    ];
    // Most providers are alike, so those with a format or settings of their own come more often.
    let upstream = prop_oneof![
        2 => 0..CONFIGS[0].upstreams.len(),
        1 => CONFIGS[0].upstreams.len() - 5..CONFIGS[0].upstreams.len(),
        1 => Just(CONFIGS[0].upstreams.iter().position(|upstream| upstream.name == "anthropic").unwrap()),
    ];
    (0..CONFIGS.len(), upstream, prop::sample::select(&PATHS[..])).prop_map(|(config, place, path)| {
        let config = &CONFIGS[config];
        let mut route = Route::new(config, &config.upstreams[place].name, path);
        for (name, value) in [
            ("authorization", "Bearer client-secret"),
            ("cookie", "a=b"),
            ("x-api-key", "client-secret"),
            ("anthropic-beta", "x"),
            ("user-agent", "test"),
        ] {
            route.headers.add(name, value);
        }
        route
    })
}

/// The requests of the golden cases that are made for such a path.
fn golden(route: &Route<'_>) -> Vec<&'static [u8]> {
    let alike = |case: &str| match route.format {
        Format::Chat => case.starts_with("chat-"),
        Format::Completions => case.starts_with("completions-"),
        Format::Gemini => case.starts_with("gemini-"),
        Format::Embeddings => case.starts_with("embeddings-"),
        Format::Responses => case.starts_with("responses-"),
        _ => case.starts_with("messages-"),
    };
    TREE.cases.iter().filter(|case| alike(&case.name)).map(|case| case.request()).collect()
}

proptest! {
    #![proptest_config(cases(12_000))]

    /// A golden request, changed here and there.
    #[test]
    fn nearly_right((route, body) in route().prop_flat_map(|route| {
        let body = (prop::sample::select(golden(&route)), mutations(5))
            .prop_flat_map(|(body, mutations)| torn(mutate::mutated(body, &mutations)));
        (Just(route), body)
    })) {
        checks::request(&route, &body.0);
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    /// A request with every member that means something, and any value in it.
    #[test]
    fn made_up(route in route(), mut members in vec((name(), value()), 0..12)) {
        members.insert(members.len() / 2, ("model".into(), "\"smart\"".into()));
        members.push(("messages".into(), r#"[{"role":"user","content":"hi"}]"#.into()));
        let members: Vec<_> = members.into_iter().map(|(name, value)| format!("{}:{value}", Value::from(name))).collect();
        checks::request(&route, format!("{{{}}}", members.join(",")).as_bytes());
    }

    #[test]
    fn any_bytes(route in route(), body in vec(any::<u8>(), 0..200)) {
        checks::request(&route, &body);
    }

    /// Headers are any bytes but those that would end one, which no host lets through.
    #[test]
    fn any_headers(
        route in route(),
        headers in vec(("[a-z:][a-z0-9-]{0,20}", vec(any::<u8>().prop_map(|b| if b"\0\r\n".contains(&b) { b' ' } else { b }), 0..50)), 0..20),
    ) {
        let headers: Headers = headers.into_iter().filter(|(name, _)| !name.starts_with(':')).collect();
        let body = golden(&route)[0];
        let route = Route { headers, ..route };
        checks::request(&route, body);
    }
}

/// Names of members at the top level of either format, and some of nobody's.
fn name() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "audio",
        "cache_control",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "mcp_servers",
        "metadata",
        "modalities",
        "n",
        "output_config",
        "output_format",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "stop_sequences",
        "store",
        "stream",
        "stream_options",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ];
    prop_oneof![9 => prop::sample::select(NAMES).prop_map(str::to_owned), 1 => ".{0,70}"]
}

/// Any JSON, of which words that mean something are a part.
fn value() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "null",
        "true",
        "false",
        "0",
        "1",
        "2",
        "1.5",
        "4096",
        "1e400",
        "\"auto\"",
        "\"none\"",
        "\"required\"",
        "\"high\"",
        "\"max\"",
        "\"minimal\"",
        "\"enabled\"",
        "\"adaptive\"",
        "\"disabled\"",
        "\"json_schema\"",
        "\"json_object\"",
        "\"text\"",
        "\"function\"",
        "\"tool\"",
        "\"any\"",
        "\"f\"",
        "\"object\"",
        "\"stop\"",
        "\" \"",
        "\"\"",
    ];
    const KEYS: &[&str] = &[
        "\"type\"",
        "\"name\"",
        "\"function\"",
        "\"schema\"",
        "\"json_schema\"",
        "\"format\"",
        "\"effort\"",
        "\"text\"",
        "\"parameters\"",
        "\"input_schema\"",
        "\"strict\"",
        "\"budget_tokens\"",
        "\"display\"",
        "\"properties\"",
        "\"include_usage\"",
        "\"user_id\"",
        "\"content\"",
        "\"role\"",
        "\"x\"",
    ];
    let leaf = prop_oneof![
        6 => prop::sample::select(WORDS).prop_map(str::to_owned),
        1 => any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()).prop_map(|n| n.to_string()),
        1 => any::<String>().prop_map(|text| Value::from(text).to_string()),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            vec((prop::sample::select(KEYS), inner), 0..5).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}
