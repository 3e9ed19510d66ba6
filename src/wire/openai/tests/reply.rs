#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::event::{BlockKind, Delta, Event};
use crate::json::{Doc, Str};
use crate::usage::Usage;
use crate::wire::names::Names;
use crate::wire::openai::Openai;
use crate::wire::openai::reply::Reply;
use crate::wire::{Reader, Wire};

/// Events, a line each, checked against the laws of [`crate::event`].
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    /// Choice, block, whether it is open.
    blocks: Vec<(u32, u32, bool)>,
    finished: Vec<u32>,
    over: bool,
}

impl Log {
    fn add(&mut self, event: Event<'_>) {
        assert!(!self.over, "an event after the last: {event:?}");
        let first = self.lines.is_empty();
        assert_eq!(first, matches!(event, Event::Start { .. } | Event::Error(_)) && first, "{event:?}");
        let line = match event {
            Event::BlockStart { choice, block, kind } => {
                let before = self.blocks.iter().filter(|(c, _, _)| *c == choice).count();
                assert_eq!(block as usize, before, "block indexes are dense");
                assert!(!self.finished.contains(&choice));
                self.blocks.push((choice, block, true));
                let kind = match kind {
                    BlockKind::Reasoning => "reasoning".into(),
                    BlockKind::Refusal => "refusal".into(),
                    BlockKind::Text => "text".into(),
                    BlockKind::ToolCall { id, name } => format!("call {} {}", id.to_text(), name.to_text()),
                    other => format!("{other:?}"),
                };
                format!("{choice}.{block} + {kind}")
            }
            Event::BlockDelta { choice, block, delta } => {
                assert!(self.blocks.contains(&(choice, block, true)), "a delta outside its block");
                let delta = match delta {
                    Delta::Text(text) | Delta::Arguments(text) => text.to_text().into_owned(),
                    Delta::Citation { raw, .. } => format!("citation {raw}"),
                    Delta::Logprobs(raw) => format!("logprobs {raw}"),
                    other => format!("{other:?}"),
                };
                format!("{choice}.{block} {delta}")
            }
            Event::BlockStop { choice, block } => {
                let open = self.blocks.iter_mut().find(|b| **b == (choice, block, true));
                open.expect("a stop outside its block").2 = false;
                format!("{choice}.{block} -")
            }
            Event::End => {
                self.over = true;
                "end".into()
            }
            Event::Error(error) => {
                self.over = true;
                format!("error {:?} {}", error.kind, error.message)
            }
            Event::Finish { choice, reason, stop_sequence } => {
                assert!(!self.blocks.iter().any(|(c, _, open)| *c == choice && *open), "a finish before a stop");
                assert!(!self.finished.contains(&choice));
                self.finished.push(choice);
                let stop = stop_sequence.map(|stop| format!(" {:?}", stop.to_text())).unwrap_or_default();
                format!("{choice} finish {}{stop}", reason.name())
            }
            Event::Ping => "ping".into(),
            Event::Start { id, model, created } => {
                format!("start {} {} {}", id.to_text(), model.to_text(), created.unwrap_or_default())
            }
            Event::Embedding { .. }
            | Event::Ranked(_)
            | Event::Sound { .. }
            | Event::Transcript(_)
            | Event::Unknown => "unknown".into(),
            Event::Usage { usage: u, service_tier } => {
                let tier = service_tier.map(|tier| format!(" {}", tier.to_text())).unwrap_or_default();
                format!(
                    "usage in {} (read {} write {} audio {}) out {} (reasoning {} audio {}){tier}",
                    u.input, u.cache_read, u.cache_write, u.input_audio, u.output, u.reasoning, u.output_audio
                )
            }
        };
        self.lines.push(line);
    }
}

fn feed(mut reader: Box<dyn Reader>, chunks: &[&str]) -> Vec<String> {
    let mut log = Log::default();
    for chunk in chunks {
        let (name, data) = chunk.strip_prefix("error: ").map_or(("", *chunk), |data| ("error", data));
        reader.event(name, Doc::lenient(data.as_bytes()).unwrap().root(), &mut |event| log.add(event));
    }
    reader.end(&mut |event| log.add(event));
    reader.end(&mut |event| log.add(event));
    log.lines
}

/// The events of a stream, without its start and end.
fn inner(chunks: &[&str]) -> Vec<String> {
    let mut lines = feed(Openai.reader(), chunks);
    assert!(lines.remove(0).starts_with("start"));
    assert_eq!(lines.pop().as_deref(), Some("end"));
    lines
}

/// The events of one choice's deltas that finish with `reason`.
fn deltas(deltas: &[&str], reason: &str) -> Vec<String> {
    let mut chunks: Vec<String> =
        deltas.iter().map(|delta| format!(r#"{{"id":"1","choices":[{{"index":0,"delta":{delta}}}]}}"#)).collect();
    chunks.push(format!(r#"{{"id":"1","choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#));
    inner(&chunks.iter().map(String::as_str).collect::<Vec<_>>())
}

fn whole(body: &str) -> Vec<String> {
    let mut log = Log::default();
    Openai.reader().answer(Doc::lenient(body.as_bytes()).unwrap().root(), &mut |event| log.add(event));
    log.lines
}

#[test]
fn a_stream_of_text() {
    let lines = feed(
        Openai.reader(),
        &[
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-5-2025","service_tier":"default","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"He\u006clo"},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":" \"you\"\n"},"finish_reason":null}]}"#,
            r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":16,"cache_write_tokens":2,"audio_tokens":1},"completion_tokens_details":{"reasoning_tokens":4,"audio_tokens":3}}}"#,
        ],
    );
    assert_eq!(
        lines,
        [
            "start chatcmpl-1 gpt-5-2025 1700000000",
            "0.0 + text",
            "0.0 Hello",
            "0.0  \"you\"\n",
            "0.0 -",
            "0 finish stop",
            "usage in 20 (read 16 write 2 audio 1) out 9 (reasoning 4 audio 3) default",
            "end",
        ]
    );
}

#[test]
fn a_whole_answer() {
    let lines = whole(
        r#"{"id":"c","object":"chat.completion","created":5,"model":"m","choices":[
            {"index":0,"message":{"role":"assistant","content":"See [1].","refusal":null,"reasoning_content":"Hm.",
             "annotations":[{"type":"url_citation","url_citation":{"url":"u"}}],
             "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
                           {"id":"b","type":"function","function":{"name":"f","arguments":""}}]},
             "logprobs":{"content":[]},"finish_reason":"tool_calls"},
            {"index":1,"message":{"role":"assistant","content":null,"refusal":"No."},"finish_reason":"stop"}],
           "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#,
    );
    assert_eq!(
        lines,
        [
            "start c m 5",
            "0.0 + reasoning",
            "0.0 Hm.",
            "0.0 -",
            "0.1 + text",
            "0.1 See [1].",
            "0.1 logprobs {\"content\":[]}",
            "0.1 citation {\"type\":\"url_citation\",\"url_citation\":{\"url\":\"u\"}}",
            "0.1 -",
            "0.2 + call a f",
            "0.2 {\"x\":1}",
            "0.2 -",
            "0.3 + call b f",
            "0.3 -",
            "0 finish tool_calls",
            "1.0 + refusal",
            "1.0 No.",
            "1.0 -",
            "1 finish refusal",
            "usage in 1 (read 0 write 0 audio 0) out 2 (reasoning 0 audio 0)",
            "end",
        ]
    );
}

#[test]
fn a_whole_answer_without_choices_is_bad() {
    assert_eq!(whole(r#"{"id":"c","choices":[]}"#), ["start c  0", "error BadAnswer the answer has no choices"]);
    assert_eq!(whole("[]"), ["error BadAnswer expected an object, got an array"]);
    assert_eq!(whole(r#"{"choices":{}}"#), ["error BadAnswer expected an array of choices, got an object"]);
    assert_eq!(whole(r#"{"error":{"message":"no","code":429}}"#), ["error RateLimit no"]);
}

#[test]
fn thought_has_many_names() {
    let expected = ["0.0 + reasoning", "0.0 Hm.", "0.0 -", "0.1 + text", "0.1 Ok", "0.1 -", "0 finish stop"];
    for delta in [
        r#"{"reasoning_content":"Hm.","content":null}"#,
        r#"{"reasoning":"Hm."}"#,
        r#"{"reasoning":"Hm.","reasoning_content":"Hm.","content":""}"#,
        r#"{"reasoning":"Hm.","reasoning_details":[{"type":"reasoning.text","text":"Hm.","signature":null}]}"#,
        r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"x"},{"type":"reasoning.summary","summary":"Hm."}]}"#,
        r#"{"thinking_blocks":[{"type":"thinking","thinking":"Hm.","signature":"s"}]}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}]}"#,
    ] {
        assert_eq!(deltas(&[delta, r#"{"content":"Ok"}"#], "stop"), expected, "{delta}");
    }
}

#[test]
fn prose_that_resumes_is_a_new_block() {
    let lines = deltas(
        &[
            r#"{"reasoning":"a"}"#,
            r#"{"content":"b"}"#,
            r#"{"reasoning":"c"}"#,
            r#"{"content":[{"type":"text","text":"d"},{"type":"reference"}]}"#,
        ],
        "length",
    );
    assert_eq!(
        lines,
        [
            "0.0 + reasoning",
            "0.0 a",
            "0.0 -",
            "0.1 + text",
            "0.1 b",
            "0.1 -",
            "0.2 + reasoning",
            "0.2 c",
            "0.2 -",
            "0.3 + text",
            "0.3 d",
            "unknown",
            "0.3 -",
            "0 finish length",
        ]
    );
}

#[test]
fn calls_in_pieces_may_interleave() {
    let lines = deltas(
        &[
            r#"{"content":"I look."}"#,
            r#"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]}"#,
            r#"{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{"}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":":1}"}},{"index":1,"function":{"arguments":"}"}}]}"#,
        ],
        "tool_calls",
    );
    assert_eq!(
        lines,
        [
            "0.0 + text",
            "0.0 I look.",
            "0.0 -",
            "0.1 + call a f",
            "0.1 {\"x\"",
            "0.2 + call b g",
            "0.2 {",
            "0.1 :1}",
            "0.2 }",
            "0.1 -",
            "0.2 -",
            "0 finish tool_calls",
        ]
    );
}

#[test]
fn calls_are_read_however_sloppy() {
    let one = ["0.0 + call a fn", "0.0 {\"x\":1}", "0.0 -", "0 finish tool_calls"];
    let shapes: &[&[&str]] = &[
        // All at once, with `stop` as the reason.
        &[r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"fn","arguments":"{\"x\":1}"}}]}"#],
        // An object instead of its text.
        &[r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"fn","arguments":{"x":1}}}]}"#],
        // No index.
        &[r#"{"tool_calls":[{"id":"a","function":{"name":"fn","arguments":"{\"x\":1}"}}]}"#],
        // Not in `function`.
        &[r#"{"tool_calls":[{"id":"a","name":"fn","arguments":"{\"x\":1}"}]}"#],
        // The name in pieces, and again.
        &[
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":null}}]}"#,
            r#"{"tool_calls":[{"index":0,"id":null,"function":{"name":"n"}}]}"#,
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"fn","arguments":"{\"x\":1}"}}]}"#,
        ],
        // Another id for each piece.
        &[
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"fn"}}]}"#,
            r#"{"tool_calls":[{"index":0,"id":"b","function":{"name":null,"arguments":"{\"x\":1}"}}]}"#,
        ],
        // Arguments before the name.
        &[
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{\"x\":1}"}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"name":"fn"}}]}"#,
        ],
    ];
    for chunks in shapes {
        assert_eq!(deltas(chunks, "stop"), one, "{chunks:?}");
    }
    let legacy = [r#"{"function_call":{"name":"fn","arguments":"{"}}"#, r#"{"function_call":{"arguments":"}"}}"#];
    assert_eq!(deltas(&legacy, "function_call"), ["0.0 + call  fn", "0.0 {", "0.0 }", "0.0 -", "0 finish tool_calls"]);
}

#[test]
fn calls_that_share_an_index_are_told_apart() {
    let lines = deltas(
        &[
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#,
            r#"{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}]}"#,
        ],
        "tool_calls",
    );
    assert_eq!(
        lines,
        ["0.0 + call a f", "0.0 {}", "0.1 + call b f", "0.1 {}", "0.0 -", "0.1 -", "0 finish tool_calls"]
    );
}

#[test]
fn names_come_back_as_the_client_wrote_them() {
    let mut names = Names::new(64);
    let sent = names.encode(&Str::plain("files.read")).decode().into_owned();
    let chunk = format!(
        r#"{{"id":"1","choices":[{{"delta":{{"tool_calls":[{{"id":"a","function":{{"name":"{sent}","arguments":"{{}}"}}}}]}},"finish_reason":"tool_calls"}}]}}"#
    );
    let lines = feed(Box::new(Reply::new(names, Vec::new())), &[&chunk]);
    assert!(lines.contains(&"0.0 + call a files.read".to_owned()), "{lines:?}");
}

#[test]
fn several_choices_may_interleave() {
    let lines = inner(&[
        r#"{"id":"1","choices":[{"index":1,"delta":{"content":"b"}}]}"#,
        r#"{"id":"1","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
        r#"{"id":"1","choices":[{"index":1,"delta":{},"finish_reason":"content_filter"}]}"#,
        r#"{"id":"1","choices":[{"index":4000000000,"delta":{"content":"x"}}]}"#,
    ]);
    assert_eq!(
        lines,
        [
            "1.0 + text",
            "1.0 b",
            "0.0 + text",
            "0.0 a",
            "0.0 -",
            "0 finish stop",
            "1.0 -",
            "1 finish content_filter",
            "unknown",
        ]
    );
}

#[test]
fn azure_begins_with_the_prompts_filter_results() {
    let lines = feed(
        Openai.reader(),
        &[
            r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"content_filter_results":{}}],"created":7,"id":"c","model":"m"}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"id":"c","model":"m"}"#,
        ],
    );
    assert_eq!(lines[0], "start c m 7");
}

#[test]
fn a_second_finish_is_ignored_but_its_usage_is_read() {
    let lines = inner(&[
        r#"{"id":"1","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#,
        r#"{"id":"1","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
    ]);
    assert_eq!(
        lines,
        [
            "0.0 + text",
            "0.0 a",
            "0.0 -",
            "0 finish stop",
            "usage in 1 (read 0 write 0 audio 0) out 1 (reasoning 0 audio 0)",
            "usage in 1 (read 0 write 0 audio 0) out 2 (reasoning 0 audio 0)",
        ]
    );
}

#[test]
fn usage_has_many_shapes() {
    for (members, expected) in [
        // Groq.
        (r#""x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":4}}"#, (3, 0, 0, 4, 0)),
        // DeepSeek.
        (
            r#""usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":1,"prompt_tokens_details":{"cached_tokens":8}}"#,
            (9, 8, 0, 4, 0),
        ),
        // xAI.
        (
            r#""usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,"completion_tokens_details":{"reasoning_tokens":94}}"#,
            (32, 0, 0, 103, 94),
        ),
        // Counted beside the prompt.
        (
            r#""usage":{"prompt_tokens":2,"completion_tokens":1,"cache_read_input_tokens":10,"cache_creation_input_tokens":5}"#,
            (17, 10, 5, 1, 0),
        ),
    ] {
        let chunk = format!(r#"{{"id":"1","choices":[{{"delta":{{}},"finish_reason":"stop"}}],{members}}}"#);
        let (input, read, write, output, reasoning) = expected;
        let usage = format!(
            "usage in {input} (read {read} write {write} audio 0) out {output} (reasoning {reasoning} audio 0)"
        );
        assert_eq!(inner(&[&chunk]), ["0 finish stop", &usage]);
    }
    // Images, and what a cache keeps for an hour.
    let details = r#""prompt_tokens_details":{"image_tokens":7,"cached_tokens":1},"completion_tokens_details":{"image_tokens":3}"#;
    let cached = r#""cache_creation_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":4}"#;
    let chunk = format!(r#"{{"choices":[],"usage":{{"prompt_tokens":20,"completion_tokens":9,{details},{cached}}}}}"#);
    let mut found = None;
    let doc = Doc::lenient(chunk.as_bytes()).unwrap();
    Reply::new(Names::new(64), Vec::new()).event("", doc.root(), &mut |event| {
        if let Event::Usage { usage, .. } = event {
            found = Some(usage);
        }
    });
    let parts =
        Usage { cache_read: 1, cache_write: 5, cache_write_1h: 4, input_image: 7, output_image: 3, ..Usage::default() };
    assert_eq!(found, Some(Usage { input: 20, output: 9, ..parts }));
    // Moonshot.
    let chunk = r#"{"id":"1","choices":[{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":1,"completion_tokens":1,"cached_tokens":1}}]}"#;
    assert_eq!(inner(&[chunk])[1], "usage in 1 (read 1 write 0 audio 0) out 1 (reasoning 0 audio 0)");
    let chunk = r#"{"id":"1","choices":[{"delta":{},"finish_reason":"stop"}],"usage":{}}"#;
    assert_eq!(inner(&[chunk]), ["0 finish stop"]);
}

#[test]
fn reasons_are_told_apart() {
    for (word, reason) in [
        ("model_length", "context_window"),
        ("eos", "stop"),
        ("tool_use", "tool_calls"),
        ("abort", "other"),
        ("content_filter", "content_filter"),
    ] {
        assert_eq!(deltas(&[], word), [format!("0 finish {reason}")]);
    }
    assert_eq!(deltas(&[r#"{"refusal":"No"}"#], "stop").pop().as_deref(), Some("0 finish refusal"));
}

#[test]
fn a_stop_sequence_is_told_if_it_is_the_clients() {
    let stops = || vec!["END".to_owned()];
    let chunk = |stop: &str| {
        format!(r#"{{"id":"1","choices":[{{"delta":{{}},"finish_reason":"stop","stop_reason":{stop}}}]}}"#)
    };
    for (stop, expected) in
        [(r#""END""#, "0 finish stop_sequence \"END\""), (r#""</s>""#, "0 finish stop"), ("128009", "0 finish stop")]
    {
        assert_eq!(feed(Box::new(Reply::new(Names::new(64), stops())), &[&chunk(stop)])[1], expected);
    }
}

#[test]
fn errors_inside_a_stream_end_it() {
    for (chunk, error) in [
        (r#"{"error":{"message":"busy","type":"overloaded_error"}}"#, "error Overloaded busy"),
        (
            r#"{"error":{"message":"slow down","code":429},"choices":[{"finish_reason":"error"}]}"#,
            "error RateLimit slow down",
        ),
        (r#"{"error":"gone"}"#, "error Internal gone"),
        (r#"error: {"message":"gone","code":"503"}"#, "error Overloaded gone"),
        (r#"{"object":"error","message":"gone","type":"BadRequestError"}"#, "error Internal gone"),
        (r#"{"x_groq":{"error":"gone"},"choices":[]}"#, "error Internal gone"),
    ] {
        let start = r#"{"id":"1","choices":[{"delta":{"content":"a"}}]}"#;
        assert_eq!(feed(Openai.reader(), &[start, chunk]), ["start 1  0", "0.0 + text", "0.0 a", error]);
    }
    // Null and empty are no errors.
    assert_eq!(
        inner(&[r#"{"id":"1","error":null,"choices":[{"delta":{},"finish_reason":"stop"}]}"#]),
        ["0 finish stop"]
    );
    assert_eq!(inner(&[r#"{"id":"1","error":{},"choices":[{"delta":{},"finish_reason":"stop"}]}"#]), ["0 finish stop"]);
}

#[test]
fn a_stream_without_a_finish_is_an_error() {
    let error = "error BadAnswer the stream ended before its finish";
    assert_eq!(feed(Openai.reader(), &[]), [error]);
    let chunk = r#"{"id":"1","choices":[{"delta":{"content":"a"}}]}"#;
    assert_eq!(feed(Openai.reader(), &[chunk]), ["start 1  0", "0.0 + text", "0.0 a", error]);
}

#[test]
fn whatever_comes_the_laws_hold() {
    let deltas = [
        r#"{"content":"a"}"#,
        r#"{"content":7,"refusal":{},"tool_calls":"x","reasoning":[]}"#,
        r#"{"content":[{"type":"text","text":"b"},4,{"type":"thinking","thinking":"c"}]}"#,
        r#"{"reasoning":"c"}"#,
        r#"{"refusal":"d","annotations":[1]}"#,
        r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}},{"index":1,"function":{"arguments":"{"}}]}"#,
        r#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"}"}},null]}"#,
        r#"{"tool_calls":[{"id":"c","custom":{}},{"function":{"name":"h"}},{"index":0,"function":{"arguments":[1]}}]}"#,
        r#"{"function_call":{"arguments":"x"}}"#,
        r#"[]"#,
    ];
    let mut seed = 1_u32;
    let mut below = |limit: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % limit
    };
    for _ in 0..2_000 {
        let chunks: Vec<String> = (0..below(12))
            .map(|_| {
                let (delta, index) = (deltas[below(deltas.len())], below(2));
                let finish = ["null", "null", "null", "null", "\"stop\"", "5"][below(6)];
                let rest = ["", r#","usage":{"prompt_tokens":-1.5}"#, r#","error":5"#, r#","logprobs":{}"#][below(4)];
                format!(
                    r#"{{"id":"1","choices":[{{"index":{index},"delta":{delta},"logprobs":{{}},"finish_reason":{finish}}}]{rest}}}"#
                )
            })
            .collect();
        let lines = feed(Openai.reader(), &chunks.iter().map(String::as_str).collect::<Vec<_>>());
        let last = lines.last().map(String::as_str).unwrap_or_default();
        assert!(last == "end" || last.starts_with("error"), "{chunks:#?}");
    }
}
