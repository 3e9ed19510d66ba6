#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::call::{Content, Generate, Message, OutputFormat, Part, Reasoning, Source, Thinking, Tool, ToolChoice};
use crate::format::Format;

/// Reads a request with one message and these members.
fn read<T>(members: &str, look: impl FnOnce(Generate<'_>) -> T) -> T {
    let comma = if members.is_empty() { "" } else { "," };
    let request = format!(r#"{{"model":"smart","messages":[{{"role":"user","content":"hi"}}]{comma}{members}}}"#);
    let doc = Doc::strict(request.as_bytes()).unwrap();
    look(super::super::request::read(doc.root()).unwrap())
}

/// The messages of a request with these, a part a line, and the fields that have no place.
fn told(messages: &str) -> (Vec<String>, Vec<String>) {
    let request = format!(r#"{{"model":"smart","messages":{messages}}}"#);
    let doc = Doc::strict(request.as_bytes()).unwrap();
    let call = super::super::request::read(doc.root()).unwrap();
    (call.messages.iter().flat_map(message).collect(), call.unread)
}

/// The one block of a message.
fn told_block(role: &str, block: &str) -> String {
    let (mut parts, unread) = told(&format!(r#"[{{"role":"{role}","content":[{block}]}}]"#));
    assert_eq!(unread, [""; 0]);
    assert_eq!(parts.len(), 1);
    parts.remove(0).split_once(": ").unwrap().1.to_owned()
}

fn message(message: &Message<'_>) -> Vec<String> {
    message.parts.iter().map(|p| format!("{:?}: {}", message.role, part(p))).collect()
}

fn parts(parts: &[Part<'_>]) -> String {
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn part(part: &Part<'_>) -> String {
    let content = match &part.content {
        Content::Document(document) => {
            let word = |word: &Option<crate::json::Str<'_>>| word.as_ref().map_or("-".into(), |word| word.to_json());
            let (title, context) = (word(&document.title), word(&document.context));
            format!("document {} {title} {context} {:?}", source(&document.source), document.citations)
        }
        Content::Image { source: from, detail: None } => format!("image {}", source(from)),
        Content::Native { format: Format::Messages, raw } => format!("native {raw}"),
        Content::Reasoning { text, signature, format } => {
            let signature = signature.as_ref().map(|s| s.to_json());
            format!("thought {} {signature:?} {format:?}", text.to_json())
        }
        Content::RedactedReasoning { data, format: Format::Messages } => format!("sealed {}", data.to_json()),
        Content::Text { text, citations: None } => text.to_json(),
        Content::Text { text, citations: Some(raw) } => format!("{} {raw}", text.to_json()),
        Content::ToolCall { id, name, arguments } => {
            format!("call {} {} {}", id.to_text(), name.to_text(), arguments.to_text())
        }
        Content::ToolResult { id, parts: of, is_error } => {
            format!("result {} {is_error} ({})", id.to_text(), parts(of))
        }
        other => format!("{other:?}"),
    };
    content + &part.cache.map_or(String::new(), |raw| format!(" cache {raw}"))
}

fn source(source: &Source<'_>) -> String {
    match source {
        Source::Base64 { media_type, data } => format!("{}:{}", media_type.to_text(), data.to_text()),
        Source::File(id) => format!("file {}", id.to_text()),
        Source::Parts(of) => format!("({})", parts(of)),
        Source::Text(text) => text.to_json(),
        Source::Url(url) => url.to_text().into_owned(),
    }
}

fn refused(members: &str) -> String {
    let request = format!(r#"{{"model":"smart",{members}}}"#);
    let doc = Doc::strict(request.as_bytes()).unwrap();
    super::super::request::read(doc.root()).unwrap_err().text()
}

/// The error for a message of `role` with the one `block`, without its place.
fn refused_block(role: &str, block: &str) -> String {
    let error = refused(&format!(r#""messages":[{{"role":"{role}","content":[{block}]}}]"#));
    error.strip_prefix("`messages[0].content[0]").unwrap().to_owned()
}

#[test]
fn a_plain_request() {
    read(
        r#""max_tokens":64,"stream":true,"temperature":0.70,"top_p":1e-1,"top_k":5,"container":"c","speed":null"#,
        |call| {
            assert_eq!(call.model, "smart");
            assert!(call.stream);
            assert_eq!(call.max_output_tokens, Some(64));
            assert_eq!((call.temperature, call.top_p, call.top_k), (Some("0.70"), Some("1e-1"), Some("5")));
            assert_eq!(call.messages.iter().flat_map(message).collect::<Vec<_>>(), ["User: \"hi\""]);
            assert_eq!(call.native, [("container".into(), "\"c\"")]);
            assert_eq!(call.format, Some(Format::Messages));
            assert!(call.unread.is_empty());
        },
    );
    read("", |call| {
        assert_eq!((call.max_output_tokens, call.stream), (None, false));
        assert!(call.reasoning.is_none() && call.tool_choice.is_none() && call.parallel_tool_calls.is_none());
    });
}

#[test]
fn system_prompts_stand_where_they_are() {
    read(r#""system":"be \u00e9""#, |call| {
        let told: Vec<String> = call.messages.iter().flat_map(message).collect();
        assert_eq!(told, [r#"System: "be \u00e9""#, "User: \"hi\""]);
    });
    let cache = r#"{"type":"ephemeral","ttl":"1h"}"#;
    read(
        &format!(r#""system":[{{"type":"text","text":"a"}},{{"type":"text","text":"b","cache_control":{cache}}}]"#),
        |call| {
            let told: Vec<String> = call.messages.iter().flat_map(message).collect();
            assert_eq!(told, ["System: \"a\"", &format!("System: \"b\" cache {cache}"), "User: \"hi\""]);
        },
    );
    let (told, unread) = told(
        r#"[{"role":"user","content":"a"},
            {"role":"system","clear_at":"never","content":[{"type":"text","text":"b"},{"type":"tool_removal"}]}]"#,
    );
    assert_eq!(told, ["User: \"a\"", "System: \"b\"", r#"System: native {"type":"tool_removal"}"#]);
    assert_eq!(unread, ["messages[].clear_at"]);
}

#[test]
fn blocks_of_users() {
    let user = |block: &str| told_block("user", block);
    assert_eq!(
        user(r#"{"type":"text","text":"a\n","citations":[{"x":1}],"cache_control":{"type":"ephemeral"}}"#),
        r#""a\n" [{"x":1}] cache {"type":"ephemeral"}"#
    );
    assert_eq!(
        user(
            r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="},"cache_control":null}"#
        ),
        "image image/png:AA=="
    );
    assert_eq!(user(r#"{"type":"image","source":{"type":"url","url":"https://x/y.png"}}"#), "image https://x/y.png");
    assert_eq!(user(r#"{"type":"image","source":{"type":"file","file_id":"f_1"}}"#), "image file f_1");
    assert_eq!(
        user(
            r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA"},
                "title":"t","context":"c","citations":{"enabled":true}}"#
        ),
        r#"document application/pdf:AA "t" "c" Some("{\"enabled\":true}")"#
    );
    let document = |source| user(&format!(r#"{{"type":"document","source":{source}}}"#));
    assert_eq!(document(r#"{"type":"text","media_type":"text/plain","data":"x"}"#), r#"document "x" - - None"#);
    assert_eq!(document(r#"{"type":"url","url":"https://x"}"#), "document https://x - - None");
    assert_eq!(document(r#"{"type":"file","file_id":"f"}"#), "document file f - - None");
    assert_eq!(document(r#"{"type":"content","content":"x"}"#), r#"document ("x") - - None"#);
    assert_eq!(
        document(r#"{"type":"content","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}"#),
        r#"document ("x", "y") - - None"#
    );
    let found = r#"{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]"#;
    assert_eq!(user(&format!("{found}}}")), r#"document ("x") "t" "s" None"#);
    let cites = format!(r#"{found},"citations":{{"enabled":true}},"cache_control":{{"a":1}}}}"#);
    assert_eq!(user(&cites), r#"document ("x") "t" "s" Some("{\"enabled\":true}") cache {"a":1}"#);
    let native = r#"{"type":"container_upload","file_id":"f","cache_control":{"type":"ephemeral"}}"#;
    assert_eq!(user(native), format!("native {native}"));
}

#[test]
fn what_was_compacted() {
    let model = |block: &str| told_block("assistant", block);
    assert_eq!(model(r#"{"type":"compaction","content":"\"x\"","signature":"s"}"#), r#""\"x\"\n\n""#);
    let failed = r#"{"type":"compaction","content":null}"#;
    assert_eq!(model(failed), format!("native {failed}"));
}

#[test]
fn threads() {
    assert_eq!(read(r#""thread":{"type":"create"}"#, |call| call.unread), ["thread"]);
    assert_eq!(read(r#""thread":null"#, |call| call.unread), [""; 0]);
    let request = r#"{"model":"m","messages":[],"thread":{"type":"continue","previous_message_id":"msg_1"}}"#;
    let doc = Doc::strict(request.as_bytes()).unwrap();
    let error = super::super::request::read(doc.root()).unwrap_err();
    assert_eq!((error.status(), error.code.as_deref()), (404, Some("thread_not_found")));
    let body = String::from_utf8(Messages.error(&error)).unwrap();
    assert!(
        body.contains(r#""type":"not_found_error""#)
            && body.ends_with(r#""details":{"error_code":"thread_not_found"}}}"#)
    );
}

#[test]
fn results_of_tools() {
    let user = |block: &str| told_block("user", block);
    assert_eq!(user(r#"{"type":"tool_result","tool_use_id":"t"}"#), "result t false ()");
    assert_eq!(
        user(r#"{"type":"tool_result","tool_use_id":"t","content":"x","is_error":true,"cache_control":{"a":1}}"#),
        r#"result t true ("x") cache {"a":1}"#
    );
    assert_eq!(
        user(
            r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"},
                {"type":"image","source":{"type":"url","url":"u"}},{"type":"tool_reference","tool_name":"n"}]}"#
        ),
        r#"result t false ("x", image u, "n")"#
    );
}

#[test]
fn blocks_of_assistants() {
    let assistant = |block: &str| told_block("assistant", block);
    assert_eq!(
        assistant(r#"{"type":"thinking","thinking":"hm","signature":"s=="}"#),
        r#"thought "hm" Some("\"s==\"") Some(Messages)"#
    );
    assert_eq!(assistant(r#"{"type":"thinking","thinking":"hm","signature":""}"#), r#"thought "hm" None None"#);
    assert_eq!(assistant(r#"{"type":"redacted_thinking","data":"d=="}"#), r#"sealed "d==""#);
    assert_eq!(
        assistant(
            "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"n\",\"input\":{\"b\": 1.0,\n\"a\":\"\\u00e9\"},\
             \"caller\":{\"type\":\"direct\"}}"
        ),
        "call t n {\"b\": 1.0,\n\"a\":\"\\u00e9\"}"
    );
}

#[test]
fn fields_without_a_place_are_told_once() {
    let image = r#"{"type":"image","source":{"type":"url","url":"u"},"transformations":{}}"#;
    let call = r#"{"type":"tool_use","id":"t","name":"n","input":{},"caller":{"type":"code_execution_20260120"}}"#;
    let messages =
        format!(r#"[{{"role":"user","content":[{image},{image}]}},{{"role":"assistant","content":[{call}]}}]"#);
    assert_eq!(told(&messages).1, ["messages[].content[].transformations", "messages[].content[].caller"]);
}

#[test]
fn tools() {
    let tools = r#""tools":[
        {"name":"f","description":"d","input_schema":{"type":"object" },"strict":true,"cache_control":{"a":1}},
        {"type":"custom","name":"g","input_schema":{},"defer_loading":true},
        {"type":"web_search_20260318","name":"web_search"}]"#;
    read(tools, |call| {
        let [f, g, search] = &*call.tools else { panic!("{:?}", call.tools) };
        let Tool::Function { name, description, parameters, strict, cache } = f else { panic!("{f:?}") };
        assert_eq!(*name, "f");
        assert!(description.as_ref().is_some_and(|text| *text == "d"));
        assert_eq!(
            (parameters.as_deref(), *strict, *cache),
            (Some(r#"{"type":"object" }"#), Some(true), Some(r#"{"a":1}"#))
        );
        let Tool::Function { name, description: None, parameters, strict: None, cache: None } = g else {
            panic!("{g:?}")
        };
        assert_eq!((name.to_json(), parameters.as_deref()), ("\"g\"".to_owned(), Some("{}")));
        let Tool::Native { format: Format::Messages, kind, raw } = search else { panic!("{search:?}") };
        assert_eq!(*kind, "web_search_20260318");
        assert_eq!(*raw, r#"{"type":"web_search_20260318","name":"web_search"}"#);
        assert_eq!(call.unread, ["tools[].defer_loading"]);
    });
}

#[test]
fn choices_of_tools() {
    let choice = |raw: &str| {
        read(&format!(r#""tool_choice":{raw}"#), |call| {
            (format!("{:?}", call.tool_choice.unwrap()), call.parallel_tool_calls)
        })
    };
    assert_eq!(choice(r#"{"type":"auto"}"#), (format!("{:?}", ToolChoice::Auto), None));
    assert_eq!(
        choice(r#"{"type":"any","disable_parallel_tool_use":true}"#),
        (format!("{:?}", ToolChoice::Required), Some(false))
    );
    assert_eq!(
        choice(r#"{"type":"none","disable_parallel_tool_use":false}"#),
        (format!("{:?}", ToolChoice::None), None)
    );
    read(r#""tool_choice":{"type":"tool","name":"f"}"#, |call| {
        assert!(matches!(call.tool_choice, Some(ToolChoice::Named(name)) if name == "f"));
    });
}

/// How much to think, in short, and the fields that have no place.
fn thought(members: &str) -> (String, Vec<String>) {
    read(members, |call| {
        let Some(Reasoning { amount, display }) = call.reasoning else { return ("-".into(), call.unread) };
        let amount = match amount {
            Thinking::Adaptive { effort } => format!("adaptive {}", effort.map_or("-".into(), |e| e.to_json())),
            Thinking::Budget(tokens) => format!("budget {tokens}"),
            Thinking::Effort(effort) => format!("effort {}", effort.to_json()),
            Thinking::Off => "off".into(),
        };
        let display = display.map_or(String::new(), |display| format!(" {}", display.to_text()));
        (amount + &display, call.unread)
    })
}

#[test]
fn how_much_to_think() {
    let think = |members| {
        let (amount, unread) = thought(members);
        assert_eq!(unread, [""; 0]);
        amount
    };
    assert_eq!(
        think(r#""thinking":{"type":"enabled","budget_tokens":2048,"display":"omitted"}"#),
        "budget 2048 omitted"
    );
    assert_eq!(think(r#""thinking":{"type":"disabled"}"#), "off");
    assert_eq!(think(r#""thinking":{"type":"adaptive","display":"summarized"}"#), "adaptive - summarized");
    assert_eq!(think(r#""output_config":{"effort":"max"},"thinking":{"type":"adaptive"}"#), r#"adaptive "max""#);
    assert_eq!(think(r#""output_config":{"effort":"low"}"#), r#"effort "low""#);
    assert_eq!(think(r#""output_config":{"effort":null},"thinking":null"#), "-");

    let both =
        r#""thinking":{"type":"enabled","budget_tokens":2048},"output_config":{"effort":"low","task_budget":{}}"#;
    let unread = ["output_config.task_budget", "output_config.effort"].map(str::to_owned).to_vec();
    assert_eq!(thought(both), ("budget 2048".into(), unread));
    let unread = vec!["thinking.between_tools".to_owned()];
    assert_eq!(thought(r#""thinking":{"type":"between_tools"}"#), ("off".into(), unread));
}

#[test]
fn formats_of_output() {
    for members in [
        r#""output_config":{"format":{"type":"json_schema","schema":{"b":1, "a":2}}}"#,
        r#""output_format":{"type":"json_schema","schema":{"b":1, "a":2}}"#,
    ] {
        read(members, |call| {
            let OutputFormat::JsonSchema { name: None, description: None, schema, strict: Some(true) } = call.output
            else {
                panic!("{:?}", call.output)
            };
            assert_eq!(schema, r#"{"b":1, "a":2}"#);
        });
    }
}

#[test]
fn the_rest() {
    let rest =
        r#""metadata":{"user_id":"u\u0031","team":"x"},"service_tier":"standard_only","stop_sequences":["a","\n"]"#;
    read(rest, |call| {
        assert!(call.user.is_some_and(|user| user == "u1"));
        assert!(call.service_tier.is_some_and(|tier| tier == "standard_only"));
        assert_eq!(call.stop.iter().map(|stop| stop.to_json()).collect::<Vec<_>>(), [r#""a""#, r#""\n""#]);
        assert_eq!(call.metadata, None);
        assert_eq!(call.unread, ["metadata.team"]);
    });
}

#[test]
fn refuses_wrong_fields() {
    let hi = r#""messages":[{"role":"user","content":"hi"}]"#;
    let refused_with = |member: &str| refused(&format!("{hi},{member}"));
    assert_eq!(refused(r#""x":1"#), "`messages`: required");
    assert_eq!(refused(r#""messages":[]"#), "`messages`: at least one message is required");
    assert_eq!(refused(r#""messages":{}"#), "`messages`: expected an array, got an object");
    assert_eq!(refused(r#""messages":["hi"]"#), "`messages[0]`: expected an object, got a string");
    assert_eq!(refused(r#""messages":[{"role":"user"}]"#), "`messages[0].content`: required");
    assert_eq!(
        refused(r#""messages":[{"role":"tool","content":""}]"#),
        "`messages[0].role`: `tool` is no role: `assistant`, `system` and `user` are"
    );
    assert_eq!(
        refused(r#""messages":[{"role":"user","content":1}]"#),
        "`messages[0].content`: expected a string or an array of blocks, got a number"
    );
    assert_eq!(refused_with(r#""max_tokens":-1"#), "`max_tokens`: expected a whole number from 0 up, got `-1`");
    assert_eq!(refused_with(r#""max_tokens":"1""#), "`max_tokens`: expected a whole number from 0 up, got a string");
    assert_eq!(refused_with(r#""temperature":"hot""#), "`temperature`: expected a number, got a string");
    assert_eq!(refused_with(r#""stop_sequences":["a",1]"#), "`stop_sequences[1]`: expected a string, got a number");
    assert_eq!(refused_with(r#""tools":[{"name":"f"}]"#), "`tools[0].input_schema`: required");
    assert_eq!(
        refused_with(r#""tool_choice":{"type":"required"}"#),
        "`tool_choice.type`: `required` is no choice of tools: `any`, `auto`, `none` and `tool` are"
    );
    assert_eq!(refused_with(r#""thinking":{"type":"enabled"}"#), "`thinking.budget_tokens`: required");
    assert_eq!(
        refused_with(r#""output_config":{"format":{"type":"json"}}"#),
        "`output_config.format.type`: `json` is no format of output: only `json_schema` is"
    );
}

#[test]
fn refuses_wrong_blocks() {
    let user = |block| refused_block("user", block);
    assert_eq!(user("{}"), ".type`: required");
    assert_eq!(user(r#"{"type":"text"}"#), ".text`: required");
    assert_eq!(user(r#"{"type":"text","text":1}"#), ".text`: expected a string, got a number");
    assert_eq!(
        user(r#"{"type":"image","source":{"type":"blob"}}"#),
        ".source.type`: `blob` is no source of an image: `base64`, `file` and `url` are"
    );
    assert_eq!(user(r#"{"type":"image","source":{"type":"base64","data":""}}"#), ".source.media_type`: required");
    assert_eq!(
        user(r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"text"}]}"#),
        ".content[0].text`: required"
    );
    assert_eq!(
        user(r#"{"type":"tool_use","id":"t","name":"n","input":{}}"#),
        "`: `thinking` and `tool_use` blocks are allowed in messages of the role `assistant` only"
    );
    let assistant = |block| refused_block("assistant", block);
    assert_eq!(
        assistant(r#"{"type":"tool_use","id":"t","name":"n","input":"{}"}"#),
        ".input`: expected an object, got a string"
    );
    assert_eq!(
        assistant(r#"{"type":"tool_result","tool_use_id":"t"}"#),
        "`: `tool_result` blocks are allowed in messages of the role `user` only"
    );
    let image = r#"{"type":"image","source":{"type":"url","url":"u"}}"#;
    assert_eq!(refused_block("system", image), "`: only `text` blocks are allowed in a system prompt");
}

#[test]
fn a_note_to_anthropics_billing_is_no_part_of_the_prompt() {
    let text = |part: &Part<'_>| match &part.content {
        Content::Text { text, .. } => text.to_text().into_owned(),
        other => panic!("{other:?}"),
    };
    let system = |value: &str| {
        read(&format!(r#""system":{value}"#), |call| {
            let before = call.messages.split_last().unwrap().1;
            before.iter().flat_map(|message| &message.parts).map(text).collect::<Vec<_>>()
        })
    };
    let note = "x-anthropic-billing-header: cc_version=2.1.29.a1b; cc_entrypoint=cli; cch=0a1b2;";
    assert_eq!(system(&format!(r#"[{{"type":"text","text":"{note}"}},{{"type":"text","text":"Hi."}}]"#)), ["Hi."]);
    assert_eq!(system(&format!(r#""{note}You are a = b; c""#)), ["You are a = b; c"]);
    assert_eq!(system(&format!(r#""{note}\nHi.""#)), ["\nHi."]);
    assert!(system(&format!(r#""{note}""#)).is_empty());
    assert_eq!(system(r#""No x-anthropic-billing-header: a=b;""#), ["No x-anthropic-billing-header: a=b;"]);
}
