#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::call::{OutputFormat, Reasoning, Thinking, Tool, ToolChoice};
use crate::format::Format;

const HI: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

/// The members after the greeting, and what is dropped.
fn extra(model: &str, call: Generate<'_>) -> (String, Vec<String>) {
    let (body, dropped) = sent(model, call);
    let rest = body.split_once(HI).unwrap().1.strip_suffix('}').unwrap();
    (rest.trim_start_matches(',').to_owned(), dropped)
}

fn none() -> Vec<String> {
    Vec::new()
}

fn effort<'a>(word: &'a str) -> Generate<'a> {
    let reasoning = Reasoning { amount: Thinking::Effort(word.into()), display: None };
    Generate { reasoning: Some(reasoning), ..hi() }
}

fn think<'a>(amount: Thinking<'a>, max_output_tokens: Option<u64>) -> Generate<'a> {
    Generate { reasoning: Some(Reasoning { amount, display: None }), max_output_tokens, ..hi() }
}

fn function<'a>(name: &'a str, parameters: Option<&'a str>, strict: Option<bool>) -> Tool<'a> {
    Tool::Function { name: name.into(), description: None, parameters: parameters.map(Into::into), strict, cache: None }
}

#[test]
fn a_limit_is_always_sent() {
    let limit = |model, max_tokens| {
        let call = Call::Generate(Generate { max_output_tokens: None, ..hi() });
        let target = Target { model, max_tokens, ..Target::default() };
        let body = Anthropic.encode(&call, &target, &mut Dropped::default()).unwrap().body.into_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        body["max_tokens"].as_u64().unwrap()
    };
    assert_eq!(limit("claude-opus-5-5", None), 128_000);
    assert_eq!(limit("claude-haiku-4-5", None), 64_000);
    assert_eq!(limit("claude-haiku-4-5", Some(100)), 100);
    assert_eq!(limit("some-model", None), 4096);
}

#[test]
fn effort_in_the_words_of_each_model() {
    assert_eq!(
        extra("claude-opus-4-8", effort("minimal")),
        (
            r#""thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"low"}"#.to_owned(),
            none()
        )
    );
    assert_eq!(
        extra("claude-sonnet-4-6", effort("xhigh")).0,
        r#""thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"high"}"#
    );
    assert_eq!(extra("claude-sonnet-5", effort("none")), (r#""thinking":{"type":"disabled"}"#.to_owned(), none()));
    assert_eq!(extra("claude-sonnet-5-5", effort("none")).0, r#""thinking":{"type":"between_tools"}"#);
    assert_eq!(
        extra("claude-opus-5-5", effort("none")),
        (r#""output_config":{"effort":"low"}"#.to_owned(), vec!["reasoning_effort".to_owned()])
    );
    assert_eq!(extra("claude-opus-5-5", effort("huge")), (String::new(), vec!["reasoning_effort".to_owned()]));
    assert_eq!(extra("claude-3-5-haiku-20241022", effort("low")), (String::new(), vec!["reasoning_effort".to_owned()]));
}

#[test]
fn a_budget_is_less_than_the_limit() {
    let thinking = |call| {
        let (body, dropped) = sent("claude-sonnet-4-5", call);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        (body["max_tokens"].as_u64().unwrap(), body["thinking"]["budget_tokens"].as_u64(), dropped)
    };
    assert_eq!(thinking(think(Thinking::Effort("medium".into()), Some(8000))), (8000, Some(2048), none()));
    assert_eq!(thinking(think(Thinking::Budget(5000), Some(8000))), (8000, Some(5000), none()));
    let changed = || vec!["thinking".to_owned()];
    assert_eq!(thinking(think(Thinking::Budget(10), Some(8000))), (8000, Some(1024), changed()));
    assert_eq!(thinking(think(Thinking::Budget(9000), Some(8000))), (8000, Some(4000), changed()));
    assert_eq!(thinking(think(Thinking::Budget(9000), Some(1025))), (1025, Some(1024), changed()));
    assert_eq!(thinking(think(Thinking::Budget(9000), Some(1024))), (1024, None, changed()));
    // The client set no limit.
    assert_eq!(thinking(think(Thinking::Budget(64_000), None)), (64_000, Some(32_000), changed()));
    let call = Call::Generate(think(Thinking::Budget(5000), None));
    let target = Target { model: "claude-sonnet-4-5", max_tokens: Some(2000), ..Target::default() };
    let body = Anthropic.encode(&call, &target, &mut Dropped::default()).unwrap().body.into_bytes();
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains(r#""max_tokens":7000,"#), "{body}");
    assert!(body.contains(r#""thinking":{"type":"enabled","budget_tokens":5000}"#), "{body}");
}

#[test]
fn a_budget_becomes_an_effort_where_budgets_are_gone() {
    let shown = |tokens| extra("claude-opus-5", think(Thinking::Budget(tokens), Some(9))).0;
    assert_eq!(shown(1024), r#""thinking":{"type":"adaptive"},"output_config":{"effort":"low"}"#);
    assert_eq!(shown(5000), r#""thinking":{"type":"adaptive"},"output_config":{"effort":"medium"}"#);
    assert_eq!(shown(20_000), r#""thinking":{"type":"adaptive"}"#);
}

#[test]
fn no_budget_while_a_turn_lacks_its_thought() {
    let messages = || vec![user(vec![text("a")]), assistant(vec![tool_call("1", "{}")]), user(vec![result("1", "x")])];
    let thoughtless = |messages| {
        let reasoning = Some(Reasoning { amount: Thinking::Effort("high".into()), display: None });
        let call = Generate { reasoning, max_output_tokens: None, ..call(messages) };
        let (body, dropped) = sent("claude-sonnet-4-5", call);
        (!body.contains(r#""thinking":{"#), dropped)
    };
    assert_eq!(thoughtless(messages()), (true, vec!["reasoning_effort".to_owned()]));
    let mut over = messages();
    over.extend([assistant(vec![text("b")]), user(vec![text("c")])]);
    assert_eq!(thoughtless(over), (false, none()));
    let mut thought = messages();
    let content = Content::Reasoning { text: "hm".into(), signature: Some("s".into()), format: Some(Format::Messages) };
    thought[1].parts.insert(0, content.into());
    assert_eq!(thoughtless(thought), (false, none()));
}

#[test]
fn sampling() {
    let with = |model, temperature, top_p, top_k| extra(model, Generate { temperature, top_p, top_k, ..hi() });
    let both = "claude-3-haiku-20240307";
    assert_eq!(
        with(both, Some("0.70"), Some("0.9"), Some("5")),
        (r#""temperature":0.70,"top_p":0.9,"top_k":5"#.to_owned(), none())
    );
    let one = "claude-sonnet-4-5";
    assert_eq!(with(one, Some("1.5"), None, None), (r#""temperature":1"#.to_owned(), vec!["temperature".to_owned()]));
    assert_eq!(
        with(one, Some("0.2"), Some("0.9"), None),
        (r#""temperature":0.2"#.to_owned(), vec!["top_p".to_owned()])
    );
    assert_eq!(with(one, Some("0.2"), Some("1"), None), (r#""temperature":0.2"#.to_owned(), none()));
    assert_eq!(with(one, None, Some("0.9"), None), (r#""top_p":0.9"#.to_owned(), none()));
    let gone = "claude-opus-4-7";
    assert_eq!(with(gone, Some("1.0"), Some("1"), None), (String::new(), none()));
    assert_eq!(
        with(gone, Some("0"), Some("0.5"), Some("5")),
        (String::new(), vec!["temperature".to_owned(), "top_p".to_owned(), "top_k".to_owned()])
    );
    let call = Generate { temperature: Some("0.5"), top_p: Some("0.97"), ..think(Thinking::Budget(2000), Some(4000)) };
    let (body, dropped) = sent(one, call);
    assert!(body.ends_with(r#""budget_tokens":2000},"top_p":0.97}"#), "{body}");
    assert_eq!(dropped, ["temperature"]);
}

#[test]
fn tools() {
    let tools = |model, tools| {
        let (body, dropped) = sent(model, Generate { tools, ..hi() });
        let rest = after_limit(&body).strip_prefix(r#""tools":"#).unwrap();
        (rest.strip_suffix(HI).unwrap().trim_end_matches(',').to_owned(), dropped)
    };
    let weather = Tool::Function {
        name: "weather.now".into(),
        description: Some("d".into()),
        parameters: Some(r#"{"properties" : {}}"#.into()),
        strict: None,
        cache: Some(r#"{"type":"ephemeral"}"#),
    };
    assert_eq!(
        tools("claude-sonnet-4-5", vec![weather, function("g", None, None), function("h", Some("{}"), Some(false))]),
        (
            concat!(
                r#"[{"name":"weather_now_700b5356","description":"d","input_schema":{"type":"object","properties" : {}},"#,
                r#""cache_control":{"type":"ephemeral"}},{"name":"g","input_schema":{"type":"object","properties":{}}},"#,
                r#"{"name":"h","input_schema":{"type":"object","properties":{}}}]"#
            )
            .to_owned(),
            none()
        )
    );
    assert_eq!(
        tools("claude-sonnet-4-5", vec![function("i", Some(r#"{"type":null}"#), None)]).0,
        r#"[{"name":"i","input_schema":{"type":"object"}}]"#
    );
    let schema = r#"{"type":"object","properties":{"a":{"type":"integer","minimum":1}}}"#;
    assert_eq!(
        tools("claude-sonnet-4-5", vec![function("f", Some(schema), Some(true))]).0,
        concat!(
            r#"[{"name":"f","input_schema":{"type":"object","properties":{"a":{"type":"integer","#,
            r#""description":"{minimum: 1}"}},"additionalProperties":false},"strict":true}]"#
        )
    );
    assert_eq!(
        tools("claude-3-haiku-20240307", vec![function("f", Some(schema), Some(true))]),
        (format!(r#"[{{"name":"f","input_schema":{schema}}}]"#), vec!["strict".to_owned()])
    );
    let search = Tool::Native {
        format: Format::Messages,
        kind: "web_search_20250305".into(),
        raw: r#"{"type":"web_search_20250305","name":"web_search"}"#,
    };
    let other = Tool::Native { format: Format::Chat, kind: "custom".into(), raw: "{}" };
    assert_eq!(
        tools("claude-sonnet-4-5", vec![search, other]),
        (r#"[{"type":"web_search_20250305","name":"web_search"}]"#.to_owned(), vec!["tools.custom".to_owned()])
    );
}

#[test]
fn tool_choice() {
    let chosen = |model, choice, parallel_tool_calls, reasoning: Option<Thinking<'static>>| {
        let call = Generate {
            tools: vec![function("f", None, None)],
            tool_choice: choice,
            parallel_tool_calls,
            reasoning: reasoning.map(|amount| Reasoning { amount, display: None }),
            max_output_tokens: Some(5000),
            ..hi()
        };
        let (body, dropped) = sent(model, call);
        let choice = body.split_once(r#""tool_choice":"#).map(|(_, rest)| rest.split_once(",\"messages").unwrap().0);
        (choice.unwrap_or_default().to_owned(), dropped)
    };
    let old = "claude-sonnet-4-5";
    assert_eq!(chosen(old, None, None, None).0, "");
    assert_eq!(chosen(old, Some(ToolChoice::Auto), None, None).0, r#"{"type":"auto"}"#);
    assert_eq!(chosen(old, Some(ToolChoice::Required), None, None).0, r#"{"type":"any"}"#);
    assert_eq!(
        chosen(old, Some(ToolChoice::Named("f".into())), Some(false), None).0,
        r#"{"type":"tool","name":"f","disable_parallel_tool_use":true}"#
    );
    assert_eq!(chosen(old, None, Some(false), None).0, r#"{"type":"auto","disable_parallel_tool_use":true}"#);
    assert_eq!(chosen(old, Some(ToolChoice::None), Some(false), None).0, r#"{"type":"none"}"#);
    let auto = (r#"{"type":"auto"}"#.to_owned(), vec!["tool_choice".to_owned()]);
    assert_eq!(chosen(old, Some(ToolChoice::Required), None, Some(Thinking::Budget(2000))), auto);
    assert_eq!(chosen("claude-opus-5-5", Some(ToolChoice::Required), None, None), auto);
    assert_eq!(
        chosen("claude-opus-5", Some(ToolChoice::Required), None, Some(Thinking::Adaptive { effort: None })).0,
        r#"{"type":"any"}"#
    );
    assert_eq!(
        extra(old, Generate { tool_choice: Some(ToolChoice::Required), ..hi() }),
        (String::new(), vec!["tool_choice".to_owned()])
    );
}

#[test]
fn formats_of_the_answer() {
    let schema =
        r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#;
    let held = || OutputFormat::JsonSchema {
        name: Some("n".into()),
        description: None,
        schema: schema.into(),
        strict: Some(true),
    };
    assert_eq!(
        extra("claude-sonnet-4-5", Generate { output: held(), ..hi() }),
        (format!(r#""output_config":{{"format":{{"type":"json_schema","schema":{schema}}}}}"#), none())
    );
    let (body, dropped) = sent("claude-3-haiku-20240307", Generate { output: held(), ..hi() });
    assert!(body.contains(r#""system":"Answer with JSON that follows this JSON schema, and nothing else:\n{\"type\""#));
    assert_eq!(dropped, none());
    let messages = vec![system("be kind"), user(vec![text("hi")])];
    let (body, dropped) = sent("claude-sonnet-4-5", Generate { output: OutputFormat::JsonObject, ..call(messages) });
    assert_eq!(
        after_limit(&body),
        format!(
            r#""system":[{{"type":"text","text":"be kind"}},{{"type":"text","text":"{}"}}],{HI}"#,
            "Answer with one JSON object and nothing else."
        )
    );
    assert_eq!(dropped, none());
}

#[test]
fn the_rest() {
    let call = Generate {
        stop: vec!["a".into(), Str::escaped(r"\n"), "b".into()],
        user: Some("u-1".into()),
        service_tier: Some("default".into()),
        stream: true,
        frequency_penalty: Some("0.0"),
        choices: Some(1),
        logprobs: Some(false),
        ..hi()
    };
    assert_eq!(
        extra("claude-sonnet-4-5", call),
        (
            r#""stop_sequences":["a","b"],"metadata":{"user_id":"u-1"},"service_tier":"standard_only","stream":true"#
                .to_owned(),
            vec!["stop".to_owned()]
        )
    );
    let call = Generate {
        service_tier: Some("priority".into()),
        frequency_penalty: Some("0.1"),
        presence_penalty: Some("-1"),
        seed: Some("1"),
        logit_bias: Some(r#"{"1":2}"#),
        logprobs: Some(true),
        top_logprobs: Some(2),
        verbosity: Some("low".into()),
        metadata: Some(r#"{"a":"b"}"#),
        native: vec![("prediction".into(), "{}")],
        ..hi()
    };
    let (rest, dropped) = extra("claude-sonnet-4-5", call);
    assert_eq!(rest, "");
    assert_eq!(
        dropped,
        [
            "service_tier",
            "frequency_penalty",
            "presence_penalty",
            "seed",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "verbosity",
            "metadata",
            "prediction"
        ]
    );
    assert_eq!(
        refused(Generate { choices: Some(2), ..hi() }).text(),
        "`n`: the upstream gives one answer to a call; ask for `1`, or call again"
    );
}

#[test]
fn the_formats_own_fields_are_forwarded() {
    let native = vec![("container".into(), r#""c-1""#)];
    let call = Generate { native, format: Some(Format::Messages), ..hi() };
    assert_eq!(extra("claude-sonnet-4-5", call), (r#""container":"c-1""#.to_owned(), none()));
}

#[test]
fn counting_sends_the_prompt_alone() {
    let call = Generate { temperature: Some("0.5"), seed: Some("1"), tools: vec![function("f", None, None)], ..hi() };
    let call = Call::CountTokens(call);
    let target = Target { model: "claude-sonnet-4-5", ..Target::default() };
    let mut dropped = Dropped::default();
    let body = Anthropic.encode(&call, &target, &mut dropped).unwrap().body.into_bytes();
    assert_eq!(
        String::from_utf8(body).unwrap(),
        format!(
            r#"{{"model":"claude-sonnet-4-5","tools":[{{"name":"f","input_schema":{{"type":"object","properties":{{}}}}}}],{HI}}}"#
        )
    );
    assert_eq!(dropped.names, Vec::<String>::new());
}
