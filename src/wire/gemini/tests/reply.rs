#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::event::{BlockKind, Delta, Event};
use crate::format::Format;
use crate::json::Doc;
use crate::usage::Usage;
use crate::wire::Reader;
use crate::wire::gemini::reply::Reply;
use crate::wire::gemini::request;

fn reply() -> Reply {
    Reply::new(Format::Gemini, request::names())
}

/// What the chunks say, a line each; the first, which names the answer, and the last are left out.
fn read(mut reply: Reply, chunks: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |event: Event<'_>| {
        lines.push(match event {
            Event::BlockStart { kind, .. } => match kind {
                BlockKind::Image { media_type, data } => format!("image {} {}", media_type.to_text(), data.to_text()),
                BlockKind::Native { raw, .. } => format!("native {raw}"),
                BlockKind::ToolCall { id, name } => format!("call {} {}", id.to_text(), name.to_text()),
                kind => format!("{kind:?}").to_lowercase(),
            },
            Event::BlockDelta { delta, .. } => match delta {
                Delta::Arguments(text) | Delta::Signature(text) | Delta::Text(text) => text.to_text().into_owned(),
                Delta::Citation { raw, .. } | Delta::Logprobs(raw) | Delta::Native(raw) => raw.to_owned(),
            },
            Event::BlockStop { .. } => return,
            Event::Error(error) => format!("error {}", error.message),
            Event::Finish { choice, reason, .. } => format!("finish {choice} {}", reason.name()),
            Event::Start { .. } | Event::End => return,
            Event::Usage { .. } => return,
            other => format!("{other:?}"),
        });
    };
    for chunk in chunks {
        reply.event("", Doc::lenient(chunk.as_bytes()).unwrap().root(), &mut add);
    }
    reply.end(&mut add);
    lines
}

/// A chunk of one candidate.
fn chunk(parts: &str, more: &str) -> String {
    format!(r#"{{"candidates":[{{"content":{{"parts":[{parts}]}}{more}}}],"responseId":"r"}}"#)
}

const STOP: &str = r#","finishReason":"STOP""#;

fn usage(members: &str) -> Usage {
    let mut found = None;
    let body = format!(r#"{{"usageMetadata":{{{members}}}}}"#);
    reply().event("", Doc::lenient(body.as_bytes()).unwrap().root(), &mut |event| {
        if let Event::Usage { usage, .. } = event {
            found = Some(usage);
        }
    });
    found.unwrap()
}

#[test]
fn thought_is_counted_beside_the_answer_unless_the_total_tells_otherwise() {
    let beside = usage(r#""promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":7,"totalTokenCount":22"#);
    assert_eq!((beside.output, beside.reasoning), (12, 7));
    let inside =
        usage(r#""promptTokenCount":10,"candidatesTokenCount":12,"thoughtsTokenCount":7,"totalTokenCount":22"#);
    assert_eq!((inside.output, inside.reasoning), (12, 7));
    let tools = usage(
        r#""promptTokenCount":10,"toolUsePromptTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":7,"totalTokenCount":26,"cachedContentTokenCount":3"#,
    );
    assert_eq!((tools.input, tools.output, tools.cache_read), (14, 12, 3));
    let sound = usage(
        r#""promptTokenCount":9,"promptTokensDetails":[{"modality":"TEXT","tokenCount":2},{"modality":"AUDIO","tokenCount":7}],"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":3}]"#,
    );
    assert_eq!((sound.input_audio, sound.output_audio), (7, 3));
}

#[test]
fn arguments_lose_their_layout_and_nothing_else() {
    let call = "{\"functionCall\":{\"id\":\"a\",\"name\":\"f\",\"args\":{\n  \"b\": \"c  d\\\\\\\" \\n\",\n  \"e\": [1, 2.50]\n}}}";
    assert_eq!(
        read(reply(), &[chunk(call, STOP)]),
        ["call a f", r#"{"b":"c  d\\\" \n","e":[1,2.50]}"#, "finish 0 tool_calls"]
    );
}

#[test]
fn calls_have_ids_even_where_the_model_gives_none() {
    let call = |more: &str| format!(r#"{{"functionCall":{{"name":"f"}}{more}}}"#);
    let chunks = [
        chunk(&call(r#","thoughtSignature":"a+b/cA==""#), ""),
        chunk(&call(""), r#","index":1"#),
        chunk(&call(""), STOP),
        chunk("", r#","index":1,"finishReason":"STOP""#),
    ];
    let lines = read(reply(), &chunks);
    let calls: Vec<_> = lines.iter().filter(|line| line.starts_with("call")).collect();
    assert_eq!(calls, ["call call_r_0__gemini__a-b_cA f", "call call_r_1 f", "call call_r_2 f"]);
}

#[test]
fn a_text_is_signed_for_clients_that_look_at_thought() {
    let chunks = [chunk(r#"{"text":"a"}"#, ""), chunk(r#"{"text":"","thoughtSignature":"s1=="}"#, STOP)];
    assert_eq!(read(reply(), &chunks), ["text", "a", "finish 0 stop"]);
    assert_eq!(read(reply().signing(true), &chunks), ["text", "a", "reasoning", "__gemini__s1", "finish 0 stop"]);
    let thought = [chunk(r#"{"text":"a","thought":true,"thoughtSignature":"s1=="},{"text":"b"}"#, STOP)];
    assert_eq!(read(reply(), &thought), ["reasoning", "a", "__gemini__s1", "text", "b", "finish 0 stop"]);
}

#[test]
fn a_text_that_stands_twice_is_cited_twice() {
    let support = r#"{"segment":{"startIndex":99,"endIndex":104,"text":"Yés."},"groundingChunkIndices":[0]}"#;
    let metadata = format!(
        r#","groundingMetadata":{{"groundingChunks":[{{"web":{{"uri":"https://a","title":"A"}}}}],"groundingSupports":[{support},{support}]}}{STOP}"#
    );
    let chunks = [chunk(r#"{"text":"Yés. No. "}"#, ""), chunk(r#"{"text":"Yés."}"#, &metadata)];
    let lines = read(reply().citing(true), &chunks);
    let places: Vec<_> = lines.iter().filter(|line| line.contains("url_citation")).collect();
    assert!(places[0].contains(r#""start_index":0,"end_index":4"#), "{places:?}");
    assert!(places[1].contains(r#""start_index":9,"end_index":13"#), "{places:?}");
    // Where Google's own count fits, it is right: in bytes, the second stands behind the first and `é`.
    let chunks = chunks.map(|chunk| chunk.replace("99", "10"));
    let lines = read(reply().citing(true), &chunks);
    assert_eq!(lines.iter().filter(|line| line.contains(r#""start_index":9,"end_index":13"#)).count(), 2, "{lines:?}");
}

#[test]
fn sources_that_support_nothing_have_no_place() {
    let metadata = format!(
        r#","groundingMetadata":{{"groundingChunks":[{{"web":{{"uri":"https://a","title":"A"}}}},{{"retrievedContext":{{"text":"x"}}}}]}}{STOP}"#
    );
    assert_eq!(
        read(reply().citing(true), &[chunk(r#"{"text":"a"}"#, &metadata)]),
        ["text", "a", r#"{"type":"url_citation","url_citation":{"title":"A","url":"https://a"}}"#, "finish 0 stop"]
    );
}

#[test]
fn parts_of_other_kinds() {
    let parts = [
        r#"{"inlineData":{"mimeType":"image/png","data":"AA=="}}"#,
        r#"{"inlineData":{"mimeType":"audio/wav","data":"AA=="}}"#,
        r#"{"executableCode":{"language":"PYTHON","code":"1"}}"#,
        r#"{"novelty":{}}"#,
    ];
    assert_eq!(
        read(reply(), &[chunk(&parts.join(","), STOP)]),
        ["image image/png AA==", "Unknown", &format!("native {}", parts[2]), "Unknown", "finish 0 stop"]
    );
}

#[test]
fn reasons() {
    let ends = |word: &str| read(reply(), &[chunk(r#"{"text":"a"}"#, &format!(r#","finishReason":"{word}""#))]).pop();
    for word in ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "LANGUAGE"] {
        assert_eq!(ends(word).as_deref(), Some("finish 0 content_filter"), "{word}");
    }
    assert_eq!(ends("MAX_TOKENS").as_deref(), Some("finish 0 length"));
    assert_eq!(ends("OTHER").as_deref(), Some("finish 0 other"));
    let broken = |word: &str| read(reply(), &[chunk("", &format!(r#","finishReason":"{word}""#))]);
    for word in ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"] {
        assert_eq!(broken(word), [format!("error the upstream's model failed: {word}")]);
    }
}

#[test]
fn what_comes_too_late_or_too_often_is_left() {
    let chunks = [chunk(r#"{"text":"a"}"#, STOP), chunk(r#"{"text":"b"}"#, STOP), chunk("", r#","index":4000000000"#)];
    assert_eq!(read(reply(), &chunks), ["text", "a", "finish 0 stop", "Unknown"]);
    let errors = [chunk(r#"{"text":"a"}"#, ""), r#"{"error":{"message":"m"}}"#.into(), chunk(r#"{"text":"b"}"#, STOP)];
    assert_eq!(read(reply(), &errors), ["text", "a", "error m"]);
}
