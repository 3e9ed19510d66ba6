#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::call::{Document, Source};
use crate::format::Format;

const OLD: &str = "claude-sonnet-4-5";
const NEW: &str = "claude-opus-5-5";

/// `system` and `messages` of what is sent.
fn said(model: &str, messages: Vec<Message<'_>>) -> String {
    after_limit(&sent(model, call(messages)).0).to_owned()
}

fn parts(parts: Vec<Content<'_>>) -> String {
    let body = said(OLD, vec![user(parts)]);
    let content = body.strip_prefix(r#""messages":[{"role":"user","content":"#).unwrap();
    content.strip_suffix("}]").unwrap().to_owned()
}

#[test]
fn a_greeting_is_short() {
    assert_eq!(
        sent(OLD, hi()),
        (
            r#"{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#.to_owned(),
            vec![]
        )
    );
}

#[test]
fn leading_system_messages_stand_before_the_conversation() {
    assert_eq!(
        said(OLD, vec![system("be kind"), user(vec![text("hi")])]),
        r#""system":"be kind","messages":[{"role":"user","content":"hi"}]"#
    );
    assert_eq!(
        said(OLD, vec![system("a"), say(Role::Developer, vec![text("b")]), user(vec![text("hi")])]),
        r#""system":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"messages":[{"role":"user","content":"hi"}]"#
    );
}

#[test]
fn a_later_system_message_keeps_its_place_where_the_model_knows_such() {
    let messages = || {
        vec![
            user(vec![text("a")]),
            assistant(vec![text("b")]),
            system("now in French"),
            user(vec![text("c")]),
            assistant(vec![text("d")]),
            user(vec![text("e")]),
        ]
    };
    assert_eq!(
        said(NEW, messages()),
        concat!(
            r#""messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},"#,
            r#"{"role":"system","content":"now in French"},{"role":"assistant","content":"d"},{"role":"user","content":"e"}]"#
        )
    );
    assert_eq!(
        said(OLD, messages()),
        concat!(
            r#""system":"now in French","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},"#,
            r#"{"role":"user","content":"c"},{"role":"assistant","content":"d"},{"role":"user","content":"e"}]"#
        )
    );
    // No user's turn follows that it could stand after.
    assert_eq!(
        said(NEW, vec![user(vec![text("a")]), assistant(vec![text("b")]), system("c")]),
        r#""system":"c","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]"#
    );
}

#[test]
fn turns_alternate_and_results_come_first() {
    let messages = vec![
        user(vec![text("a")]),
        user(vec![text("b")]),
        assistant(vec![text("c")]),
        assistant(vec![tool_call("1", ""), tool_call("2", "{\\\"x\\\": 1.0}")]),
        user(vec![result("1", "one")]),
        user(vec![text("well?")]),
        user(vec![result("2", "two")]),
    ];
    assert_eq!(
        after_limit(&sent(OLD, call(messages)).0),
        concat!(
            r#""tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"none"},"#,
            r#""messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},"#,
            r#"{"role":"assistant","content":[{"type":"text","text":"c"},"#,
            r#"{"type":"tool_use","id":"1","name":"f","input":{}},{"type":"tool_use","id":"2","name":"f","input":{"x": 1.0}}]},"#,
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"one"},"#,
            r#"{"type":"tool_result","tool_use_id":"2","content":"two"},{"type":"text","text":"well?"}]}]"#
        )
    );
}

#[test]
fn empty_texts_are_left_out() {
    assert_eq!(parts(vec![text(""), text("a"), Content::text(Str::escaped(r"\n \t"))]), r#""a""#);
    assert_eq!(
        said(OLD, vec![user(vec![text("a")]), assistant(vec![text("")]), user(vec![text("b")])]),
        r#""messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]"#
    );
}

#[test]
fn a_conversation_begins_with_the_user() {
    assert_eq!(
        said(OLD, vec![system("s"), assistant(vec![text("a")]), user(vec![text("b")])]),
        concat!(
            r#""system":"s","messages":[{"role":"user","content":"."},"#,
            r#"{"role":"assistant","content":"a"},{"role":"user","content":"b"}]"#
        )
    );
    assert_eq!(said(OLD, vec![system("s")]), r#""system":"s","messages":[{"role":"user","content":"."}]"#);
}

#[test]
fn what_shall_be_continued_ends_without_white_space() {
    assert_eq!(
        said(
            OLD,
            vec![
                user(vec![text("a")]),
                assistant(vec![text("b \n")]),
                user(vec![text("c ")]),
                assistant(vec![text("d "), text("e \n")])
            ]
        ),
        concat!(
            r#""messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b \n"},"#,
            r#"{"role":"user","content":"c "},{"role":"assistant","content":[{"type":"text","text":"d "},{"type":"text","text":"e"}]}]"#
        )
    );
}

#[test]
fn strings_keep_their_escapes() {
    assert_eq!(parts(vec![Content::text(Str::escaped(r"caf\u00e9 \/"))]), r#""caf\u00e9 \/""#);
}

#[test]
fn images_and_documents() {
    let png = || Source::Base64 { media_type: "image/png".into(), data: "AAAA".into() };
    assert_eq!(
        parts(vec![Content::Image { source: png(), detail: None }]),
        r#"[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]"#
    );
    let url = Source::Url("https://a.b/c.jpg".into());
    assert_eq!(
        parts(vec![Content::Image { source: url, detail: Some("high".into()) }]),
        r#"[{"type":"image","source":{"type":"url","url":"https://a.b/c.jpg"}}]"#
    );
    let document = |source| Content::Document(Document { source, title: None, context: None, citations: None });
    assert_eq!(
        parts(vec![Content::Document(Document {
            source: Source::Base64 { media_type: "application/pdf".into(), data: "JVBE".into() },
            title: Some("t".into()),
            context: Some("c".into()),
            citations: Some(r#"{"enabled":true}"#),
        })]),
        concat!(
            r#"[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"#,
            r#""title":"t","context":"c","citations":{"enabled":true}}]"#
        )
    );
    assert_eq!(
        parts(vec![document(Source::Text("plain".into()))]),
        r#"[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"plain"}}]"#
    );
    assert_eq!(
        parts(vec![document(Source::Parts(vec![
            text("x").into(),
            Part::from(Content::Image { source: png(), detail: None })
        ]))]),
        concat!(
            r#"[{"type":"document","source":{"type":"content","content":[{"type":"text","text":"x"},"#,
            r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}}]"#
        )
    );
}

#[test]
fn an_uploaded_file_brings_its_header() {
    let file = Document { source: Source::File("file_1".into()), title: None, context: None, citations: None };
    let call = Call::Generate(call(vec![user(vec![Content::Document(file)])]));
    let target = Target { model: OLD, ..Target::default() };
    let encoded = Anthropic.encode(&call, &target, &mut Dropped::default()).unwrap();
    assert_eq!(encoded.headers, [("anthropic-beta", "files-api-2025-04-14".to_owned())]);
    let body = String::from_utf8(encoded.body.into_bytes()).unwrap();
    assert!(body.contains(r#"{"type":"document","source":{"type":"file","file_id":"file_1"}}"#), "{body}");
}

#[test]
fn what_cannot_be_said_is_refused() {
    let error = |content| refused(call(vec![user(vec![text("a"), content])])).text();
    assert_eq!(
        error(Content::Audio { data: "AA".into(), format: "wav".into() }),
        "`messages[0].content[1]`: the upstream takes no audio; text, images and documents are allowed"
    );
    let tiff = Source::Base64 { media_type: "image/tiff".into(), data: "AA".into() };
    assert_eq!(
        error(Content::Image { source: tiff, detail: None }),
        "`messages[0].content[1]`: the upstream sees `image/jpeg`, `image/png`, `image/gif` and `image/webp`, not `image/tiff`"
    );
    assert_eq!(
        error(Content::Native { format: Format::Chat, raw: "{}" }),
        "`messages[0].content[1]`: the upstream does not know this kind of part"
    );
}

#[test]
fn arguments_become_an_object() {
    let input = |arguments| {
        let (body, _) = sent(OLD, call(vec![user(vec![text("a")]), assistant(vec![tool_call("1", arguments)])]));
        body.split_once(r#""input":"#).unwrap().1.strip_suffix("}]}]}").unwrap().to_owned()
    };
    assert_eq!(input(r#"{\"a\": [1.50, \"\\u00e9\"]}"#), r#"{"a": [1.50, "\u00e9"]}"#);
    assert_eq!(input(""), "{}");
    assert_eq!(input(r" \n"), "{}");
    assert_eq!(input("[1]"), r#"{"raw_arguments":"[1]"}"#);
    assert_eq!(input(r#"{\"a\":"#), r#"{"raw_arguments":"{\"a\":"}"#);
}

#[test]
fn results_have_parts_and_fail() {
    let image = Content::Image { source: Source::Url("https://a.b/c".into()), detail: None };
    let failed = Content::ToolResult { id: "1".into(), parts: vec![text("no").into(), image.into()], is_error: true };
    let empty = Content::ToolResult { id: "2".into(), parts: vec![text("").into()], is_error: false };
    assert_eq!(
        parts(vec![failed, empty]),
        concat!(
            r#"[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"no"},"#,
            r#"{"type":"image","source":{"type":"url","url":"https://a.b/c"}}],"is_error":true},"#,
            r#"{"type":"tool_result","tool_use_id":"2"}]"#
        )
    );
}

#[test]
fn thought_goes_back_to_whom_it_is_from() {
    let thought = |signature: Option<&'static str>, format| Content::Reasoning {
        text: "hm".into(),
        signature: signature.map(Str::from),
        format,
    };
    let redacted = Content::RedactedReasoning { data: "xx".into(), format: Format::Messages };
    let messages = vec![
        user(vec![text("a")]),
        assistant(vec![thought(Some("sig"), Some(Format::Messages)), redacted, text("b")]),
        user(vec![text("c")]),
        assistant(vec![thought(None, Some(Format::Messages)), thought(Some("s"), Some(Format::Chat)), text("d")]),
        user(vec![text("e")]),
    ];
    let (body, dropped) = sent(OLD, call(messages));
    assert_eq!(
        after_limit(&body),
        concat!(
            r#""messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","#,
            r#""signature":"sig"},{"type":"redacted_thinking","data":"xx"},{"type":"text","text":"b"}]},"#,
            r#"{"role":"user","content":"c"},{"role":"assistant","content":"d"},{"role":"user","content":"e"}]"#
        )
    );
    assert_eq!(dropped, ["reasoning"]);
}

#[test]
fn the_last_four_cache_marks_stay() {
    let message = Message { role: Role::User, name: None, parts: ["a", "b", "c", "d", "e"].map(marked).into() };
    let (body, dropped) = sent(OLD, call(vec![message]));
    assert_eq!(body.matches("cache_control").count(), 4);
    assert!(body.contains(r#"{"type":"text","text":"a"},"#), "{body}");
    assert!(body.contains(r#"{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}"#), "{body}");
    assert_eq!(dropped, ["cache_control"]);
}

#[test]
fn a_marked_system_text_is_a_block() {
    let message = Message { role: Role::System, name: None, parts: vec![marked("s")] };
    assert_eq!(
        said(OLD, vec![message, user(vec![text("hi")])]),
        concat!(
            r#""system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"#,
            r#""messages":[{"role":"user","content":"hi"}]"#
        )
    );
}
