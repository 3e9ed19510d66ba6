#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::call::{Content, Document, Message, Part, Source};

/// Messages, as short as they can be read.
#[track_caller]
fn shown(messages: &str) -> Vec<String> {
    let call = read(&format!(r#"{{"model":"m","messages":[{messages}]}}"#)).unwrap();
    call.messages.iter().map(show_message).collect()
}

fn show_message(message: &Message<'_>) -> String {
    let name = message.name.as_ref().map(|n| format!(" {}", n.to_text())).unwrap_or_default();
    format!("{:?}{name}: {}", message.role, show_parts(&message.parts))
}

fn show_parts(parts: &[Part<'_>]) -> String {
    parts.iter().map(show).collect::<Vec<_>>().join("; ")
}

fn show(part: &Part<'_>) -> String {
    let text = |s: &crate::json::Str<'_>| s.to_text().into_owned();
    let option = |s: &Option<crate::json::Str<'_>>| s.as_ref().map_or("-".to_owned(), text);
    let source = |source: &Source<'_>| match source {
        Source::Base64 { media_type, data } => format!("base64 {} {}", text(media_type), text(data)),
        Source::File(id) => format!("file {}", text(id)),
        Source::Parts(_) | Source::Text(_) => panic!("no such source here"),
        Source::Url(url) => format!("url {}", text(url)),
    };
    let content = match &part.content {
        Content::Audio { data, format } => format!("audio {} {}", text(format), text(data)),
        Content::Document(Document { source: s, title, .. }) => format!("document {} {}", option(title), source(s)),
        Content::Image { source: s, detail } => format!("image {} {}", option(detail), source(s)),
        Content::Video(s) => format!("video {}", source(s)),
        Content::Native { format, raw } => format!("native {format:?} {raw}"),
        Content::Reasoning { text: t, signature, format } => {
            format!("reasoning {} {} {format:?}", text(t), option(signature))
        }
        Content::RedactedReasoning { data, format } => format!("redacted {} {format:?}", text(data)),
        Content::Refusal(t) => format!("refusal {}", text(t)),
        Content::Text { text: t, .. } => format!("text {}", text(t)),
        Content::ToolCall { id, name, arguments } => format!("call {} {} {}", text(id), text(name), text(arguments)),
        Content::ToolResult { id, parts, is_error } => {
            format!("result {}{} [{}]", text(id), if *is_error { " error" } else { "" }, show_parts(parts))
        }
    };
    content + &part.cache.map(|raw| format!(" cache {raw}")).unwrap_or_default()
}

#[track_caller]
fn refused(messages: &str, text: &str) {
    let error = read(&format!(r#"{{"model":"m","messages":[{messages}]}}"#)).unwrap_err();
    assert_eq!(error.text(), text);
}

#[track_caller]
fn part(part: &str) -> String {
    let shown = shown(&format!(r#"{{"role":"user","content":[{part}]}}"#));
    shown[0].strip_prefix("User: ").unwrap().to_owned()
}

#[track_caller]
fn assistant(members: &str) -> String {
    let shown = shown(&format!(r#"{{"role":"assistant",{members}}}"#));
    shown[0].strip_prefix("Assistant: ").unwrap().to_owned()
}

#[test]
fn roles_keep_their_order() {
    let shown = shown(
        r#"{"role":"system","content":"a"},{"role":"developer","content":"b"},{"role":"system","content":"c"},
        {"role":"user","name":"ann","content":"d\u00e9"},{"role":"assistant","content":"e"}"#,
    );
    assert_eq!(
        shown,
        ["System: text a", "Developer: text b", "System: text c", "User ann: text dé", "Assistant: text e"]
    );
}

#[test]
fn content_is_text_or_parts() {
    assert_eq!(part(r#"{"type":"text","text":"a"},{"type":"text","text":"b"}"#), "text a; text b");
    assert_eq!(part(r#"{"type":"video","video":{"url":"u"}}"#), r#"native Chat {"type":"video","video":{"url":"u"}}"#);
    refused(r#"{"role":"user"}"#, "`messages[0].content`: required");
    refused(r#"{"role":"user","content":null}"#, "`messages[0].content`: required");
    refused(
        r#"{"role":"user","content":1}"#,
        "`messages[0].content`: expected a string or an array of parts, got a number",
    );
    refused(r#"{"role":"user","content":["a"]}"#, "`messages[0].content[0]`: expected an object, got a string");
    refused(r#"{"role":"user","content":[{"type":"text"}]}"#, "`messages[0].content[0].text`: required");
    refused(r#"{"role":"user","content":[{"text":"a"}]}"#, "`messages[0].content[0].type`: required");
}

#[test]
fn roles_are_known() {
    refused(r#""hi""#, "`messages[0]`: expected an object, got a string");
    refused(r#"{"content":"a"}"#, "`messages[0].role`: required");
    refused(
        r#"{"role":"user","content":"a"},{"role":"critic","content":"b"}"#,
        "`messages[1].role`: expected `system`, `developer`, `user`, `assistant`, `tool` or `function`, got `critic`",
    );
}

#[test]
fn videos_are_inside_or_on_the_web() {
    let video = |url: &str| part(&format!(r#"{{"type":"video_url","video_url":{{"url":"{url}"}}}}"#));
    assert_eq!(video("data:video/mp4;base64,aGk="), "video base64 video/mp4 aGk=");
    assert_eq!(video("https://example.com/a"), "video url https://example.com/a");
    refused(
        r#"{"role":"user","content":[{"type":"video_url","video_url":{"url":"a"}}]}"#,
        "`messages[0].content[0].video_url.url`: expected a URL or `data:<media type>;base64,<data>`",
    );
}

#[test]
fn images_are_inside_or_on_the_web() {
    let image =
        |url: &str| part(&format!(r#"{{"type":"image_url","image_url":{{"url":"{url}","detail":"original"}}}}"#));
    assert_eq!(image("data:image/png;base64,aGk="), "image original base64 image/png aGk=");
    assert_eq!(image(r"data:image\/png;base64,a\/k="), "image original base64 image/png a/k=");
    assert_eq!(image("data:image/png;charset=x;base64,aGk="), "image original base64 image/png aGk=");
    assert_eq!(image("https://a.b/c?d=1"), "image original url https://a.b/c?d=1");
    assert_eq!(image("gs://bucket/c.png"), "image original url gs://bucket/c.png");
    assert_eq!(part(r#"{"type":"image_url","image_url":"https://a.b/c"}"#), "image - url https://a.b/c");

    let bad = |image: &str| format!(r#"{{"role":"user","content":[{{"type":"image_url","image_url":{image}}}]}}"#);
    let place = "`messages[0].content[0].image_url";
    let data = "`data:<media type>;base64,<data>`";
    refused(&bad("{}"), &format!("{place}.url`: required"));
    refused(&bad("1"), &format!("{place}`: expected an object, got a number"));
    refused(&bad(r#"{"url":"aGk="}"#), &format!("{place}.url`: expected a URL or {data}"));
    for url in ["data:image/png,a", "data:;base64,aGk=", "data:image/png;base64"] {
        refused(&bad(&format!(r#"{{"url":"{url}"}}"#)), &format!("{place}.url`: expected {data}"));
    }
}

#[test]
fn a_long_image_is_not_copied() {
    let data = "A".repeat(100_000);
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}]}}]}}"#
    );
    let doc = Doc::strict(body.as_bytes()).unwrap();
    let call = super::super::request::read(doc.root()).unwrap();
    let Content::Image { source: Source::Base64 { data, .. }, .. } = &call.messages[0].parts[0].content else {
        panic!()
    };
    let mut written = crate::json::Body::default();
    crate::json::Writer::new(&mut written).share_str(data);
    let long = written.parts().find(|part| part.len() == 100_000).unwrap();
    assert!(body.as_bytes().as_ptr_range().contains(&long.as_ptr()));
}

#[test]
fn audio_and_files() {
    assert_eq!(part(r#"{"type":"input_audio","input_audio":{"data":"aGk=","format":"wav"}}"#), "audio wav aGk=");
    let file = |members: &str| part(&format!(r#"{{"type":"file","file":{members}}}"#));
    assert_eq!(
        file(r#"{"filename":"a.pdf","file_data":"data:application/pdf;base64,aGk="}"#),
        "document a.pdf base64 application/pdf aGk=",
    );
    assert_eq!(file(r#"{"filename":"A.PDF","file_data":"aGk="}"#), "document A.PDF base64 application/pdf aGk=");
    assert_eq!(file(r#"{"file_data":"aGk=","format":"text/csv"}"#), "document - base64 text/csv aGk=");
    assert_eq!(file(r#"{"file_id":"file-1"}"#), "document - file file-1");
    assert_eq!(file(r#"{"file_id":"https://a.b/c.pdf"}"#), "document - url https://a.b/c.pdf");
    assert_eq!(file(r#"{"file_data":"data:image/png;base64,aGk="}"#), "image - base64 image/png aGk=");

    let bad = |file: &str| format!(r#"{{"role":"user","content":[{{"type":"file","file":{file}}}]}}"#);
    let place = "`messages[0].content[0].file";
    refused(&bad("{}"), &format!("{place}`: expected `file_data` or `file_id`"));
    refused(
        &bad(r#"{"file_data":"aGk="}"#),
        &format!("{place}.file_data`: expected `data:<media type>;base64,<data>`"),
    );
    refused(
        r#"{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"a"}}]}"#,
        "`messages[0].content[0].input_audio.format`: required",
    );
}

#[test]
fn marks_of_a_cache_stand_on_parts() {
    let short = r#"{"type":"ephemeral"}"#;
    assert_eq!(
        part(&format!(r#"{{"type":"text","text":"a","cache_control":{short}}}"#)),
        format!("text a cache {short}")
    );
    assert_eq!(
        part(r#"{"type":"text","text":"a","prompt_cache_breakpoint":{"mode":"explicit"}}"#),
        format!("text a cache {short}"),
    );
    assert_eq!(
        part(r#"{"type":"text","text":"a","prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}}"#),
        r#"text a cache {"type":"ephemeral","ttl":"1h"}"#,
    );
    let last = shown(&format!(
        r#"{{"role":"system","cache_control":{short},"content":[{{"type":"text","text":"a"}},{{"type":"text","text":"b"}}]}}"#
    ));
    assert_eq!(last, [format!("System: text a; text b cache {short}")]);
    assert_eq!(
        shown(&format!(r#"{{"role":"tool","tool_call_id":"t","content":"a","cache_control":{short}}}"#)),
        [format!("User: result t [text a] cache {short}")],
    );
    refused(
        r#"{"role":"user","content":"a","cache_control":true}"#,
        "`messages[0].cache_control`: expected an object, got a boolean",
    );
}

#[test]
fn an_answer_comes_back_whole() {
    let call = r#"{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}"#;
    assert_eq!(
        assistant(&format!(
            r#""content":"x","refusal":null,"tool_calls":[{call}],"annotations":[],"function_call":null"#
        )),
        r#"text x; call c1 f {"a": 1}"#,
    );
    assert_eq!(assistant(&format!(r#""content":null,"tool_calls":[{call}]"#)), r#"call c1 f {"a": 1}"#);
    assert_eq!(assistant(r#""content":null,"refusal":"no""#), "refusal no");
    assert_eq!(assistant(r#""content":[{"type":"refusal","refusal":"no"}]"#), "refusal no");
    assert_eq!(assistant(r#""audio":{"id":"a1"}"#), r#"native Chat {"id":"a1"}"#);
    let custom = r#"{"id":"c2","type":"custom","custom":{"name":"g","input":"i"}}"#;
    assert_eq!(assistant(&format!(r#""tool_calls":[{custom}]"#)), format!("native Chat {custom}"));

    let bad = |call: &str| format!(r#"{{"role":"assistant","tool_calls":[{call}]}}"#);
    let place = "`messages[0].tool_calls[0]";
    refused(&bad(r#"{"type":"function","function":{"name":"f"}}"#), &format!("{place}.id`: required"));
    refused(&bad(r#"{"id":"c","type":"function"}"#), &format!("{place}.function`: required"));
    refused(
        &bad(r#"{"id":"c","type":"function","function":{"name":"f","arguments":{}}}"#),
        &format!("{place}.function.arguments`: expected a string, got an object"),
    );
}

#[test]
fn thought_comes_back() {
    assert_eq!(assistant(r#""reasoning_content":"hm","content":"x""#), "reasoning hm - None; text x");
    assert_eq!(assistant(r#""reasoning":"hm","content":"x""#), "reasoning hm - None; text x");
    assert_eq!(assistant(r#""reasoning_content":"","content":"x""#), "text x");
    let blocks = r#""thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"s"},
        {"type":"redacted_thinking","data":"d"},{"type":"thinking","thinking":"","signature":"t"},{"type":"new"}]"#;
    assert_eq!(
        assistant(&format!(r#""content":"x","reasoning_content":"hm",{blocks}"#)),
        "reasoning hm s Some(Messages); redacted d Some(Messages); reasoning  t Some(Messages); text x"
            .replace("d Some(Messages)", "d Messages"),
    );
    assert_eq!(
        assistant(r#""content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"x"}]"#),
        "reasoning hm s Some(Messages); text x",
    );
    assert_eq!(
        assistant(
            r#""content":"x","reasoning":"r","reasoning_details":[
            {"type":"reasoning.summary","summary":"a"},
            {"type":"reasoning.text","text":"b","signature":"s","format":"anthropic-claude-v1"},
            {"type":"reasoning.text","text":"c","signature":null},
            {"type":"reasoning.encrypted","data":"d","format":"anthropic-claude-v1"},
            {"type":"reasoning.encrypted","data":"e","format":"openai-responses-v1"}]"#
        ),
        "reasoning a - None; reasoning b s Some(Messages); reasoning c - None; redacted d Messages; text x",
    );
    refused(
        r#"{"role":"assistant","thinking_blocks":[{"type":"redacted_thinking"}]}"#,
        "`messages[0].thinking_blocks[0].data`: required",
    );
    refused(
        r#"{"role":"assistant","reasoning_content":[]}"#,
        "`messages[0].reasoning_content`: expected a string, got an array",
    );
}

#[test]
fn results_of_tools_are_of_the_user() {
    assert_eq!(
        shown(r#"{"role":"tool","tool_call_id":"c1","name":"f","content":"ok"}"#),
        ["User: result c1 [text ok]"]
    );
    assert_eq!(
        shown(r#"{"role":"tool","tool_call_id":"c1","content":null,"is_error":true}"#),
        ["User: result c1 error []"]
    );
    assert_eq!(
        shown(
            r#"{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"a"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}"#
        ),
        ["User: result c1 [text a; image - base64 image/png aGk=]"],
    );
    refused(r#"{"role":"tool","content":"a"}"#, "`messages[0].tool_call_id`: required");
    refused(
        r#"{"role":"tool","tool_call_id":"c","content":"a","is_error":"no"}"#,
        "`messages[0].is_error`: expected a boolean, got a string",
    );
}

#[test]
fn calls_of_old_get_ids() {
    let shown = shown(
        r#"{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
        {"role":"function","name":"f","content":"1"},
        {"role":"assistant","function_call":{"name":"f","arguments":"{}"}},
        {"role":"function","name":"f","content":"2"},
        {"role":"function","name":"g","content":"3"}"#,
    );
    let expected = [
        "Assistant: call call_function_1 f {}",
        "User: result call_function_1 [text 1]",
        "Assistant: call call_function_2 f {}",
        "User: result call_function_2 [text 2]",
        "User: result call_function_3 [text 3]",
    ];
    assert_eq!(shown, expected);
}
