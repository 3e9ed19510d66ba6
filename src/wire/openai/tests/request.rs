#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::call::{
    Call, Content, Document, Generate, Message, OutputFormat, Part, Reasoning, Role, Source, Thinking, Tool, ToolChoice,
};
use crate::error::Error;
use crate::format::Format;
use crate::json::Str;
use crate::wire::openai::Openai;
use crate::wire::{Dropped, Target, Wire};

const TARGET: Target<'static> =
    Target { model: "m", max_tokens: None, takes_effort: false, takes_thought: false, random: 0, vectors: None };

fn encode_to(call: Generate<'static>, target: &Target<'_>, dropped: &mut Dropped) -> Result<String, Error> {
    let call = Call::Generate(call);
    let body = Openai.encode(&call, target, dropped)?.body.into_bytes();
    let body = String::from_utf8(body).unwrap();
    serde_json::from_str::<serde_json::Value>(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    Ok(body)
}

/// The body after the model, and what was left out.
fn encode(call: Generate<'static>) -> (String, Vec<String>) {
    let mut dropped = Dropped::default();
    let body = encode_to(call, &TARGET, &mut dropped).unwrap();
    let body = body.strip_prefix(r#"{"model":"m","messages":"#).unwrap().strip_suffix('}').unwrap();
    (body.to_owned(), dropped.names.iter().map(|name| name.to_string()).collect())
}

fn messages(messages: Vec<Message<'static>>) -> (String, Vec<String>) {
    encode(Generate { messages, format: Some(Format::Messages), ..Generate::default() })
}

fn message(role: Role, contents: impl IntoIterator<Item = Content<'static>>) -> Message<'static> {
    Message { role, name: None, parts: contents.into_iter().map(Part::from).collect() }
}

fn user(text: &'static str) -> Message<'static> {
    message(Role::User, [self::text(text)])
}

fn text(text: &'static str) -> Content<'static> {
    Content::text(Str::escaped(text))
}

fn call(id: &'static str, name: &'static str, arguments: &'static str) -> Content<'static> {
    Content::ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() }
}

fn result(id: &'static str, contents: impl IntoIterator<Item = Content<'static>>) -> Content<'static> {
    let parts = contents.into_iter().map(Part::from).collect();
    Content::ToolResult { id: id.into(), parts, is_error: false }
}

fn image(data: &'static str) -> Content<'static> {
    Content::Image { source: Source::Base64 { media_type: "image/png".into(), data: data.into() }, detail: None }
}

fn thought(format: Option<Format>) -> Content<'static> {
    Content::Reasoning { text: "Hm.".into(), signature: None, format }
}

fn function(name: &'static str, parameters: Option<&'static str>) -> Tool<'static> {
    Tool::Function {
        name: name.into(),
        description: None,
        parameters: parameters.map(Into::into),
        strict: None,
        cache: None,
    }
}

#[test]
fn roles_and_texts() {
    let (body, dropped) = messages(vec![
        message(Role::System, [text("One."), text("T\\u0077o \\\"2\\\"."), text("")]),
        user("Hi"),
        message(Role::Assistant, [text("Hel"), text("lo")]),
        message(Role::Developer, [text("Be brief.")]),
        message(Role::User, [text("a"), text("b")]),
        user("c"),
        message(Role::System, []),
    ]);
    assert_eq!(
        body,
        concat!(
            r#"[{"role":"system","content":"One.\n\nT\u0077o \"2\"."},"#,
            r#"{"role":"user","content":"Hi"},"#,
            r#"{"role":"assistant","content":"Hello"},"#,
            r#"{"role":"developer","content":"Be brief."},"#,
            r#"{"role":"user","content":"a\n\nb"},"#,
            r#"{"role":"user","content":"c"}]"#,
        )
    );
    assert!(dropped.is_empty());
}

#[test]
fn parts_that_are_not_text() {
    let document = |source, title: Option<&'static str>| {
        Content::Document(Document { source, title: title.map(Str::from), context: None, citations: None })
    };
    let pdf = || Source::Base64 { media_type: "application/pdf".into(), data: "JVBE".into() };
    let (body, dropped) = messages(vec![message(
        Role::User,
        [
            text("Look"),
            image("iVBO"),
            Content::Image { source: Source::Url("https://x/y".into()), detail: Some("low".into()) },
            Content::Audio { data: "UklG".into(), format: "wav".into() },
            document(pdf(), None),
            document(pdf(), Some("a.pdf")),
            document(Source::Text("Long ago".into()), Some("Tale")),
        ],
    )]);
    assert_eq!(
        body,
        concat!(
            r#"[{"role":"user","content":[{"type":"text","text":"Look"},"#,
            r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}},"#,
            r#"{"type":"image_url","image_url":{"url":"https://x/y","detail":"low"}},"#,
            r#"{"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}},"#,
            r#"{"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,JVBE"}},"#,
            r#"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}},"#,
            r#"{"type":"text","text":"Tale"},{"type":"text","text":"Long ago"}]}]"#,
        )
    );
    assert!(dropped.is_empty());
}

#[test]
fn parts_that_cannot_be_said_are_refused() {
    let document = |source| Content::Document(Document { source, title: None, context: None, citations: None });
    let upload = Content::Native { format: Format::Messages, raw: r#"{"type":"container_upload"}"# };
    let inner = Source::Parts(vec![text("x").into(), document(Source::Url("https://x/y".into())).into()]);
    for (content, place) in [
        (document(Source::Url("https://x/z.pdf".into())), "messages[1].content[1]"),
        (document(Source::File("file_1".into())), "messages[1].content[1]"),
        (document(inner), "messages[1].content[1].content[1]"),
        (result("a", [upload.clone()]), "messages[1].content[1].content[0]"),
        (upload, "messages[1].content[1]"),
    ] {
        let messages = vec![message(Role::System, [text("s")]), user("a"), message(Role::User, [text("b"), content])];
        let call = Generate { messages, format: Some(Format::Messages), ..Generate::default() };
        let error = encode_to(call, &TARGET, &mut Dropped::default()).unwrap_err();
        assert_eq!(error.param.as_deref(), Some(place));
    }
}

#[test]
fn a_large_image_is_not_copied() {
    let data: &'static str = Box::leak("A".repeat(1 << 16).into_boxed_str());
    let content = Content::Image {
        source: Source::Base64 { media_type: "image/png".into(), data: Str::escaped(data) },
        detail: None,
    };
    let call = Call::Generate(Generate { messages: vec![message(Role::User, [content])], ..Generate::default() });
    let encoded = Openai.encode(&call, &TARGET, &mut Dropped::default()).unwrap();
    assert!(encoded.body.parts().any(|part| std::ptr::eq(part.as_ptr(), data.as_ptr())));
}

#[test]
fn results_follow_their_calls_and_pictures_follow_all_results() {
    let failed = Content::ToolResult { id: "c".into(), parts: vec![text("no such file").into()], is_error: true };
    let told = Content::ToolResult { id: "d".into(), parts: vec![text("<tool_use_error>x").into()], is_error: true };
    let (body, _) = messages(vec![
        message(Role::Assistant, [text("I look."), call("a", "f", r#"{"x": 1}"#), call("b", "g", "")]),
        message(Role::User, [text("Well?"), result("a", [text("1"), image("iVBO"), text("2")])]),
        message(Role::User, [result("b", []), failed, told]),
    ]);
    assert_eq!(
        body,
        concat!(
            r#"[{"role":"assistant","content":"I look.","tool_calls":["#,
            r#"{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}},"#,
            r#"{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"#,
            r#"{"role":"tool","tool_call_id":"a","content":"1\n\n2\n\n[The next user message shows the rest of this result.]"},"#,
            r#"{"role":"tool","tool_call_id":"b","content":""},"#,
            r#"{"role":"tool","tool_call_id":"c","content":"Error: no such file"},"#,
            r#"{"role":"tool","tool_call_id":"d","content":"<tool_use_error>x"},"#,
            r#"{"role":"user","content":[{"type":"text","text":"From the result of tool call a:"},"#,
            r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}},"#,
            r#"{"type":"text","text":"Well?"}]}]"#,
        )
    );
}

#[test]
fn a_picture_alone_has_a_message_of_its_own() {
    let (body, _) = messages(vec![
        message(Role::Assistant, [call("a", "f", "{}")]),
        message(Role::User, [result("a", [image("iVBO")])]),
    ]);
    assert_eq!(
        body,
        concat!(
            r#"[{"role":"assistant","content":null,"tool_calls":["#,
            r#"{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},"#,
            r#"{"role":"tool","tool_call_id":"a","content":"[The next user message shows the rest of this result.]"},"#,
            r#"{"role":"user","content":[{"type":"text","text":"From the result of tool call a:"},"#,
            r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}}]}]"#,
        )
    );
}

#[test]
fn what_another_provider_thought_is_forgotten() {
    let turn = || {
        let native = Content::Native { format: Format::Messages, raw: r#"{"type":"server_tool_use","id":"s"}"# };
        vec![
            message(Role::Assistant, [thought(Some(Format::Messages)), text("a"), native, text("b")]),
            message(Role::Assistant, [thought(None)]),
            message(Role::Assistant, [Content::Refusal("No.".into())]),
        ]
    };
    let expected = r#"[{"role":"assistant","content":"a\n\nb"},{"role":"assistant","content":null,"refusal":"No."}]"#;
    assert_eq!(messages(turn()), (expected.to_owned(), vec!["reasoning".into(), "content.server_tool_use".into()]));
    let mut dropped = Dropped { reject: true, ..Dropped::default() };
    encode_to(Generate { messages: turn(), ..Generate::default() }, &TARGET, &mut dropped).unwrap();
}

#[test]
fn thought_goes_back_to_whoever_wants_it() {
    let target = Target { takes_thought: true, ..TARGET };
    let messages = vec![
        message(Role::Assistant, [thought(Some(Format::Chat)), text("a")]),
        message(Role::Assistant, [thought(Some(Format::Messages)), call("a", "f", "{}")]),
    ];
    let mut dropped = Dropped::default();
    let body = encode_to(Generate { messages, ..Generate::default() }, &target, &mut dropped).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"model":"m","messages":[{"role":"assistant","content":"a","reasoning_content":"Hm."},"#,
            r#"{"role":"assistant","content":null,"reasoning_content":"","tool_calls":["#,
            r#"{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}]}"#,
        )
    );
    assert_eq!(dropped.names, ["reasoning"]);
}

#[test]
fn ids_too_long_are_the_same_in_call_and_result() {
    let id: &'static str = Box::leak("x".repeat(80).into_boxed_str());
    let (body, _) =
        messages(vec![message(Role::Assistant, [call(id, "f", "{}")]), message(Role::User, [result(id, [text("1")])])]);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body[0]["tool_calls"][0]["id"], body[1]["tool_call_id"]);
    assert_eq!(body[1]["tool_call_id"].as_str().unwrap().len(), 40);
    let (body, _) = messages(vec![message(Role::User, [result("functions.f:0", [])])]);
    assert_eq!(body, r#"[{"role":"tool","tool_call_id":"functions.f:0","content":""}]"#);
}

#[test]
fn tools() {
    let described = Tool::Function {
        name: "files.read".into(),
        description: Some("Reads".into()),
        parameters: Some(r#"{"type":"object","properties":{"b":{},"a":{}}}"#.into()),
        strict: Some(true),
        cache: Some(r#"{"type":"ephemeral"}"#),
    };
    let search = Tool::Native { format: Format::Messages, kind: "web_search_20260209".into(), raw: "{}" };
    let (body, dropped) = encode(Generate {
        messages: vec![message(Role::Assistant, [call("a", "files.read", "{}")])],
        tools: vec![described, function("g", None), function("h", Some(r#"{"type":"object","title":"H"}"#)), search],
        tool_choice: Some(ToolChoice::Named("files.read".into())),
        parallel_tool_calls: Some(false),
        ..Generate::default()
    });
    assert_eq!(
        body,
        concat!(
            r#"[{"role":"assistant","content":null,"tool_calls":["#,
            r#"{"id":"a","type":"function","function":{"name":"files_read_DIGEST","arguments":"{}"}}]}],"#,
            r#""tools":[{"type":"function","function":{"name":"files_read_DIGEST","description":"Reads","#,
            r#""parameters":{"type":"object","properties":{"b":{},"a":{}}},"strict":true}},"#,
            r#"{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}},"#,
            r#"{"type":"function","function":{"name":"h","parameters":{"properties":{},"type":"object","title":"H"}}}],"#,
            r#""tool_choice":{"type":"function","function":{"name":"files_read_DIGEST"}},"parallel_tool_calls":false"#,
        )
        .replace("DIGEST", "601e4eb6")
    );
    assert_eq!(dropped, ["tools.web_search_20260209"]);
}

#[test]
fn choice_without_tools_is_left_out() {
    let search = || Tool::Native { format: Format::Messages, kind: "web_search".into(), raw: "{}" };
    let (body, _) = encode(Generate {
        tools: vec![search()],
        tool_choice: Some(ToolChoice::Required),
        parallel_tool_calls: Some(true),
        ..Generate::default()
    });
    assert_eq!(body, "[]");
    let (body, dropped) = encode(Generate {
        tools: vec![search(), function("f", None)],
        tool_choice: Some(ToolChoice::Named("web_search".into())),
        ..Generate::default()
    });
    assert!(!body.contains("tool_choice"));
    assert_eq!(dropped, ["tools.web_search", "tool_choice"]);
}

#[test]
fn parameters() {
    let (body, dropped) = encode(Generate {
        stream: true,
        temperature: Some("0.70"),
        top_p: Some("1e-1"),
        top_k: Some("40"),
        frequency_penalty: Some("1"),
        presence_penalty: Some("-1"),
        seed: Some("12345678901234567890"),
        logit_bias: Some(r#"{"1":2}"#),
        logprobs: Some(true),
        top_logprobs: Some(3),
        max_output_tokens: Some(100),
        choices: Some(2),
        stop: vec!["a".into(), "\n".into(), "c".into(), "d".into(), "e".into()],
        reasoning: Some(Reasoning { amount: Thinking::Effort("xhigh".into()), display: None }),
        verbosity: Some("low".into()),
        output: OutputFormat::JsonSchema {
            name: None,
            description: Some("An answer".into()),
            schema: r#"{"type":"object"}"#.into(),
            strict: Some(true),
        },
        service_tier: Some("standard_only".into()),
        user: Some("u-1".into()),
        metadata: Some(r#"{"a":"b"}"#),
        native: vec![("context_management".into(), "{}")],
        ..Generate::default()
    });
    assert_eq!(
        body,
        concat!(
            r#"[],"temperature":0.70,"top_p":1e-1,"frequency_penalty":1,"presence_penalty":-1,"#,
            r#""seed":12345678901234567890,"logit_bias":{"1":2},"logprobs":true,"top_logprobs":3,"#,
            r#""max_completion_tokens":100,"n":2,"stop":["a","\n","c","d","e"],"reasoning_effort":"xhigh","#,
            r#""verbosity":"low","response_format":{"type":"json_schema","json_schema":{"name":"response","#,
            r#""description":"An answer","schema":{"properties":{},"type":"object"},"strict":true}},"service_tier":"default","#,
            r#""user":"u-1","stream":true,"stream_options":{"include_usage":true}"#,
        )
    );
    assert_eq!(dropped, ["top_k", "metadata", "context_management"]);
}

#[test]
fn fields_of_the_same_format_are_kept() {
    let (body, dropped) = encode(Generate {
        metadata: Some(r#"{"a":"b"}"#),
        native: vec![("store".into(), "true"), ("stream_options".into(), "{}"), ("prediction".into(), "{\"x\":1}")],
        format: Some(Format::Chat),
        ..Generate::default()
    });
    assert_eq!(body, r#"[],"metadata":{"a":"b"},"store":true,"prediction":{"x":1}"#);
    assert!(dropped.is_empty());
}

#[test]
fn a_long_user_is_shortened() {
    let user: &'static str = Box::leak("user_".repeat(30).into_boxed_str());
    let (body, _) = encode(Generate { user: Some(user.into()), ..Generate::default() });
    let sent = body.strip_prefix("[],\"user\":\"").unwrap().trim_end_matches('"');
    assert_eq!(sent.len(), 64);
}

#[test]
fn what_cannot_be_sent_is_refused_where_that_is_the_policy() {
    let mut dropped = Dropped { reject: true, ..Dropped::default() };
    let call = Generate { top_k: Some("40"), ..Generate::default() };
    let error = encode_to(call, &TARGET, &mut dropped).unwrap_err();
    assert_eq!(error.text(), "`top_k`: the upstream does not support this parameter");
}

#[test]
fn tokens_cannot_be_counted() {
    let call = Call::CountTokens(Generate::default());
    let error = Openai.encode(&call, &TARGET, &mut Dropped::default()).err().unwrap();
    assert_eq!(error.status(), 501);
}
