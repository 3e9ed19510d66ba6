#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::call::{OutputFormat, Reasoning, Thinking, Tool, ToolChoice};
use crate::error::Kind;
use crate::format::Format;

#[track_caller]
fn refused(members: &str, text: &str) {
    let error = with(members).unwrap_err();
    assert_eq!((error.kind, &*error.text()), (Kind::InvalidRequest, text));
}

#[track_caller]
fn ask(body: &str) -> Result<Ask, String> {
    Chat.ask(doc(body).root(), 7).map_err(|e| e.text())
}

#[test]
fn ask_reads_what_the_answer_depends_on() {
    let asked = ask(r#"{"model":"caf\u00e9","stream":true,"stream_options":{"include_usage":true},"x":1}"#);
    assert_eq!(asked, Ok(Ask { model: "café".into(), stream: true, include_usage: true, now: 7, ..Ask::default() }));
    let asked = ask(r#"{"model":"m","stream":null,"stream_options":{"include_usage":true}}"#);
    assert_eq!(asked, Ok(Ask { model: "m".into(), stream: false, include_usage: false, now: 7, ..Ask::default() }));
    assert_eq!(ask(r#"{"model":"m","stream":true,"stream_options":null}"#).map(|a| a.include_usage), Ok(false));
}

#[test]
fn ask_refuses_a_request_without_a_model() {
    let cases = [
        ("[]", "expected an object, got an array"),
        ("{}", "`model`: required"),
        (r#"{"model":null}"#, "`model`: required"),
        (r#"{"model":1}"#, "`model`: expected a string, got a number"),
        (r#"{"model":""}"#, "`model`: expected a name of 1 to 256 bytes, got 0"),
        (r#"{"model":"m","stream":"yes"}"#, "`stream`: expected a boolean, got a string"),
        (r#"{"model":"m","stream_options":1}"#, "`stream_options`: expected an object, got a number"),
        (
            r#"{"model":"m","stream_options":{"include_usage":1}}"#,
            "`stream_options.include_usage`: expected a boolean, got a number",
        ),
    ];
    for (body, error) in cases {
        assert_eq!(ask(body), Err(error.to_owned()));
    }
    let long = format!(r#"{{"model":"{}"}}"#, "m".repeat(257));
    assert_eq!(ask(&long), Err("`model`: expected a name of 1 to 256 bytes, got 257".to_owned()));
}

#[test]
fn parameters_are_read_as_they_stand() {
    let call = with(
        r#""stream":true,"stream_options":{"include_usage":true},"temperature":0.70,"top_p":1e-1,"top_k":40,
        "frequency_penalty":-0.5,"presence_penalty":2,"seed":-9007199254740993,"n":2,"logprobs":true,"top_logprobs":3,
        "logit_bias":{ "50256": -100 },"parallel_tool_calls":false,"verbosity":"low","service_tier":"flex",
        "metadata":{"b":"1","a":"2"},"user":"u"
        "#,
    )
    .unwrap();
    assert_eq!(call.model, "m");
    assert!(call.stream);
    assert_eq!((call.temperature, call.top_p, call.top_k), (Some("0.70"), Some("1e-1"), Some("40")));
    assert_eq!((call.frequency_penalty, call.presence_penalty), (Some("-0.5"), Some("2")));
    assert_eq!((call.seed, call.choices), (Some("-9007199254740993"), Some(2)));
    assert_eq!((call.logprobs, call.top_logprobs), (Some(true), Some(3)));
    assert_eq!(call.logit_bias, Some(r#"{ "50256": -100 }"#));
    assert_eq!(call.parallel_tool_calls, Some(false));
    assert_eq!((call.verbosity, call.service_tier), (Some("low".into()), Some("flex".into())));
    assert_eq!(call.metadata, Some(r#"{"b":"1","a":"2"}"#));
    assert_eq!(call.user, Some("u".into()));
    assert_eq!(call.format, Some(Format::Chat));
    assert!(call.native.is_empty());
}

#[test]
fn null_is_as_absent() {
    let call = with(
        r#""temperature":null,"stop":null,"tools":null,"tool_choice":null,"response_format":null,"thinking":null,
        "store":null,"unheard_of":null,"max_tokens":null,"user":null,"stream":null"#,
    )
    .unwrap();
    assert!(call.native.is_empty() && call.tools.is_empty() && call.stop.is_empty() && !call.stream);
    assert!(call.temperature.is_none() && call.tool_choice.is_none() && call.reasoning.is_none());
}

#[test]
fn what_only_openai_knows_is_native() {
    let call = with(
        r#""prompt_cache_key":"k","store":true,"modalities":["text","audio"],"audio":{"voice":"a"},"x":[1, 2],
        "stream_options":{}"#,
    )
    .unwrap();
    let native: Vec<(&str, &str)> = call.native.iter().map(|(name, raw)| (&**name, *raw)).collect();
    let expected = [
        ("prompt_cache_key", r#""k""#),
        ("store", "true"),
        ("modalities", r#"["text","audio"]"#),
        ("audio", r#"{"voice":"a"}"#),
        ("x", "[1, 2]"),
    ];
    assert_eq!(native, expected);
    assert!(with(r#""store":false,"modalities":["text"]"#).unwrap().native.is_empty());
}

#[test]
fn newer_names_win() {
    let call = with(r#""max_completion_tokens":10,"max_tokens":20,"user":"u","safety_identifier":"s""#).unwrap();
    assert_eq!((call.max_output_tokens, call.user), (Some(10), Some("s".into())));
    assert_eq!(with(r#""max_tokens":20"#).unwrap().max_output_tokens, Some(20));
}

#[test]
fn stop_is_a_string_or_several() {
    assert_eq!(with(r#""stop":"a\n""#).unwrap().stop, ["a\n"]);
    assert_eq!(with(r#""stop":["a","b"]"#).unwrap().stop, ["a", "b"]);
    assert!(with(r#""stop":[]"#).unwrap().stop.is_empty());
}

#[test]
fn values_of_the_wrong_kind_are_refused_at_their_place() {
    refused(r#""temperature":"0.7""#, "`temperature`: expected a number, got a string");
    refused(r#""temperature":1e999"#, "`temperature`: expected a number, got `1e999`");
    refused(r#""top_k":1.5"#, "`top_k`: expected a whole number, got `1.5`");
    refused(r#""max_tokens":-1"#, "`max_tokens`: expected a whole number from 0 up, got `-1`");
    refused(
        r#""max_completion_tokens":"10""#,
        "`max_completion_tokens`: expected a whole number from 0 up, got a string",
    );
    refused(r#""stop":1"#, "`stop`: expected a string or an array of strings, got a number");
    refused(r#""stop":["a",1]"#, "`stop[1]`: expected a string, got a number");
    refused(r#""logit_bias":[]"#, "`logit_bias`: expected an object, got an array");
    refused(r#""reasoning_effort":3"#, "`reasoning_effort`: expected a string, got a number");
    refused(r#""modalities":1"#, "`modalities`: expected an array, got a number");
}

#[test]
fn messages_are_required() {
    let text = |body| read(body).unwrap_err().text();
    assert_eq!(text("3"), "expected an object, got a number");
    assert_eq!(text(r#"{"messages":[]}"#), "`messages`: expected at least one message");
    assert_eq!(text(r#"{"model":"m"}"#), "`messages`: expected at least one message");
    assert_eq!(text(r#"{"model":"m","messages":{}}"#), "`messages`: expected an array, got an object");
}

#[test]
fn reasoning_is_an_effort_or_a_budget() {
    let reasoning = |members: &str| {
        let call = with(members).unwrap();
        let native: Vec<String> = call.native.iter().map(|(name, _)| name.to_string()).collect();
        (call.reasoning.unwrap(), native)
    };
    let (Reasoning { amount: Thinking::Effort(effort), .. }, _) = reasoning(r#""reasoning_effort":"xhigh""#) else {
        panic!()
    };
    assert_eq!(effort, "xhigh");
    let (got, native) =
        reasoning(r#""reasoning_effort":"low","thinking":{"type":"enabled","budget_tokens":2048,"display":"omitted"}"#);
    assert!(matches!(got.amount, Thinking::Budget(2048)));
    assert_eq!((got.display, native), (Some("omitted".into()), vec!["reasoning_effort".to_owned()]));
    let (got, native) = reasoning(r#""thinking":{"type":"adaptive"},"reasoning_effort":"max""#);
    assert!(matches!(got.amount, Thinking::Adaptive { effort: Some(e) } if e == "max") && native.is_empty());
    assert!(matches!(reasoning(r#""thinking":{"type":"disabled"}"#).0.amount, Thinking::Off));
    let (got, _) = reasoning(r#""thinking":{"type":"enabled"}"#);
    assert!(matches!(got.amount, Thinking::Adaptive { effort: None }));

    let call = with(r#""thinking":{"type":"between_tools"}"#).unwrap();
    assert!(call.reasoning.is_none() && call.native == [("thinking".into(), r#"{"type":"between_tools"}"#)]);
    refused(r#""thinking":{"budget_tokens":1}"#, "`thinking.type`: required");
    refused(
        r#""thinking":{"type":"enabled","budget_tokens":"1"}"#,
        "`thinking.budget_tokens`: expected a whole number from 0 up, got a string",
    );
}

#[test]
fn output_is_text_json_or_of_a_schema() {
    let output = |format: &str| with(&format!(r#""response_format":{format}"#)).unwrap().output;
    assert!(matches!(output(r#"{"type":"text"}"#), OutputFormat::Text));
    assert!(matches!(output(r#"{"type":"json_object"}"#), OutputFormat::JsonObject));
    let schema = output(
        r#"{"type":"json_schema","json_schema":{"name":"n","description":"d","strict":true,"schema":{"z": 1,"a":{}}}}"#,
    );
    let OutputFormat::JsonSchema { name, description, schema, strict } = schema else { panic!() };
    assert_eq!((name, description), (Some("n".into()), Some("d".into())));
    assert_eq!((&*schema, strict), (r#"{"z": 1,"a":{}}"#, Some(true)));

    let call = with(r#""response_format":{"type":"regex","pattern":"a+"}"#).unwrap();
    assert_eq!(call.native, [("response_format".into(), r#"{"type":"regex","pattern":"a+"}"#)]);
    refused(r#""response_format":{"type":"json_schema"}"#, "`response_format.json_schema`: required");
    refused(
        r#""response_format":{"type":"json_schema","json_schema":{"name":"n"}}"#,
        "`response_format.json_schema.schema`: required",
    );
}

const TOOLS: &str = r#""tools":[
    {"type":"function","function":{"name":"a","description":"d","parameters":{"type":"object"},"strict":true}},
    {"type":"function","cache_control":{"type":"ephemeral"},"function":{"name":"b"}},
    {"type":"custom","custom":{"name":"c"}}]"#;

/// Tools by name, natives by type.
fn names(call: &Generate<'_>) -> Vec<String> {
    let name = |tool: &Tool<'_>| match tool {
        Tool::Function { name, .. } => name.to_text().into_owned(),
        Tool::Native { kind, .. } => format!("native {}", kind.to_text()),
    };
    call.tools.iter().map(name).collect()
}

#[test]
fn tools_are_functions_or_native() {
    let call = with(TOOLS).unwrap();
    assert_eq!(names(&call), ["a", "b", "native custom"]);
    let Tool::Function { description, parameters, strict, cache, .. } = &call.tools[0] else { panic!() };
    assert_eq!((description, parameters.as_deref()), (&Some("d".into()), Some(r#"{"type":"object"}"#)));
    assert_eq!((*strict, *cache), (Some(true), None));
    let Tool::Function { parameters, cache, .. } = &call.tools[1] else { panic!() };
    assert_eq!((parameters.as_deref(), *cache), (None, Some(r#"{"type":"ephemeral"}"#)));
    let Tool::Native { format: Format::Chat, raw, .. } = &call.tools[2] else { panic!() };
    assert_eq!(*raw, r#"{"type":"custom","custom":{"name":"c"}}"#);

    refused(r#""tools":[{"function":{"name":"a"}}]"#, "`tools[0].type`: required");
    refused(r#""tools":[{"type":"function"}]"#, "`tools[0].function`: required");
    refused(r#""tools":[{"type":"function","function":{}}]"#, "`tools[0].function.name`: required");
    refused(
        r#""tools":[{"type":"function","function":{"name":"a","parameters":"{}"}}]"#,
        "`tools[0].function.parameters`: expected an object, got a string",
    );
}

#[test]
fn a_tool_choice_is_a_word_or_a_function() {
    let choice = |choice: &str| with(&format!(r#"{TOOLS},"tool_choice":{choice}"#)).unwrap().tool_choice.unwrap();
    assert!(matches!(choice(r#""auto""#), ToolChoice::Auto));
    assert!(matches!(choice(r#""none""#), ToolChoice::None));
    assert!(matches!(choice(r#""required""#), ToolChoice::Required));
    let named = choice(r#"{"type":"function","function":{"name":"b"}}"#);
    assert!(matches!(named, ToolChoice::Named(name) if name == "b"));

    let call = with(r#""tool_choice":{"type":"custom","custom":{"name":"c"}}"#).unwrap();
    assert!(call.tool_choice.is_none());
    assert_eq!(call.native, [("tool_choice".into(), r#"{"type":"custom","custom":{"name":"c"}}"#)]);

    let words = "expected `auto`, `none`, `required` or an object";
    refused(r#""tool_choice":"any""#, &format!("`tool_choice`: {words}, got `any`"));
    refused(r#""tool_choice":1"#, &format!("`tool_choice`: {words}, got a number"));
    refused(r#""tool_choice":{"type":"function"}"#, "`tool_choice.function`: required");
}

#[test]
fn allowed_tools_leave_the_others_out() {
    let allowed = |mode: &str, tools: &str| {
        let choice = r#"{"type":"allowed_tools","allowed_tools":{"mode":MODE,"tools":TOOLS}}"#;
        let choice = choice.replace("MODE", mode).replace("TOOLS", tools);
        // Before the tools, to see that the order makes no difference.
        with(&format!(r#""tool_choice":{choice},{TOOLS}"#))
    };
    let call = allowed(r#""required""#, r#"[{"type":"function","function":{"name":"b"}}]"#).unwrap();
    assert!(matches!(call.tool_choice, Some(ToolChoice::Required)));
    assert_eq!(names(&call), ["b"]);
    let call = allowed(r#""auto""#, r#"[{"type":"custom","custom":{"name":"c"}}]"#).unwrap();
    assert!(matches!(call.tool_choice, Some(ToolChoice::Auto)));
    assert_eq!(names(&call), ["native custom"]);

    let text = |mode, tools| allowed(mode, tools).unwrap_err().text();
    assert_eq!(text(r#""auto""#, "[]"), "`tool_choice.allowed_tools`: none of the allowed tools is in `tools`");
    assert_eq!(text(r#""x""#, "[]"), "`tool_choice.allowed_tools.mode`: expected `auto` or `required`, got `x`");
    assert_eq!(text(r#""auto""#, "[{}]"), "`tool_choice.allowed_tools.tools[0].type`: required");
}

#[test]
fn functions_of_old_are_tools() {
    let call = with(r#""functions":[{"name":"f","parameters":{}}],"function_call":{"name":"f"}"#).unwrap();
    assert_eq!(names(&call), ["f"]);
    assert!(matches!(call.tool_choice, Some(ToolChoice::Named(name)) if name == "f"));
    let call = with(r#""function_call":"none""#).unwrap();
    assert!(matches!(call.tool_choice, Some(ToolChoice::None)));
    for both in [r#""function_call":"none","tool_choice":"auto""#, r#""tool_choice":"auto","function_call":"none""#] {
        assert!(matches!(with(both).unwrap().tool_choice, Some(ToolChoice::Auto)));
    }
    refused(r#""function_call":"f""#, "`function_call`: expected `auto`, `none` or an object, got `f`");
}
