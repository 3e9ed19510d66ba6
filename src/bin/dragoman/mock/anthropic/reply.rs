//! A message, whole or as events.
//!
//! Whole: <https://platform.claude.com/docs/en/api/messages/create>. Events and their order:
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>. Stop reasons:
//! <https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>.

use serde_json::{Value, json};

use super::super::answer::{Answer, Finish, Part, fragments, pieces};
use super::super::bytes::{base64, hash, id};
use super::super::directive::Directive;
use super::super::http::Reply;
use super::check::Call;

/// Answers a request that was found good; the seed makes its ids.
pub fn reply(call: &Call, directive: &Directive, seed: u64) -> Reply {
    let writer = Writer { call, answer: Answer::to(&call.ask, directive), seed };
    if call.stream {
        return Reply::events(writer.events().iter().map(event).collect());
    }
    Reply::json(200, writer.whole().to_string())
}

/// One server-sent event, named after its type.
pub fn event(data: &Value) -> Vec<u8> {
    let name = data.get("type").and_then(Value::as_str).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into_bytes()
}

/// Whether this mock has signed the thinking; hidden thinking cannot be compared, only recognised.
pub fn signed(thinking: &str, signature: &str) -> bool {
    if thinking.is_empty() {
        return signature.starts_with(SIGNED) && signature.len() == signature_of("").len();
    }
    signature == signature_of(thinking)
}

struct Writer<'a> {
    call: &'a Call,
    answer: Answer,
    seed: u64,
}

impl Writer<'_> {
    fn whole(&self) -> Value {
        let blocks = (0..).zip(&self.answer.parts).map(|(index, part)| self.block(index, part));
        let (reason, sequence) = self.stop();
        json!({
            "model": self.call.answered,
            "id": id("msg_01", self.seed, 22),
            "type": "message",
            "role": "assistant",
            "content": blocks.collect::<Vec<_>>(),
            "stop_reason": reason,
            "stop_sequence": sequence,
            "stop_details": self.details(),
            "usage": self.usage(self.output()),
        })
    }

    fn block(&self, index: u64, part: &Part) -> Value {
        match part {
            Part::Call { tool, input } => {
                json!({"type": "tool_use", "id": self.call_id(index), "name": tool.name, "input": input, "caller": {"type": "direct"}})
            }
            Part::Text(text) => json!({"type": "text", "text": text}),
            Part::Thinking { text, redacted: true } => redacted(text),
            Part::Thinking { text, .. } => {
                json!({"type": "thinking", "thinking": self.shown(text), "signature": signature_of(text)})
            }
        }
    }

    fn events(&self) -> Vec<Value> {
        let mut events = vec![json!({
            "type": "message_start",
            "message": {
                "model": self.call.answered,
                "id": id("msg_01", self.seed, 22),
                "type": "message",
                "role": "assistant",
                "content": [],
                "stop_reason": null,
                "stop_sequence": null,
                "stop_details": null,
                "usage": self.usage(1),
            },
        })];
        for (index, part) in (0u64..).zip(&self.answer.parts) {
            events
                .push(json!({"type": "content_block_start", "index": index, "content_block": self.start(index, part)}));
            if index == 0 {
                events.push(json!({"type": "ping"}));
            }
            let deltas = self.deltas(part).into_iter();
            events.extend(deltas.map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})));
            events.push(json!({"type": "content_block_stop", "index": index}));
        }
        let (reason, sequence) = self.stop();
        let usage = self.usage(self.output());
        let cumulative = [
            "input_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
            "output_tokens",
            "output_tokens_details",
        ];
        let usage = cumulative.into_iter().filter_map(|name| Some((name.to_owned(), usage.get(name)?.clone())));
        events.push(json!({
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": sequence, "stop_details": self.details()},
            "usage": usage.collect::<serde_json::Map<_, _>>(),
        }));
        events.push(json!({"type": "message_stop"}));
        events
    }

    fn start(&self, index: u64, part: &Part) -> Value {
        match part {
            Part::Call { tool, .. } => {
                json!({"type": "tool_use", "id": self.call_id(index), "name": tool.name, "input": {}, "caller": {"type": "direct"}})
            }
            Part::Text(_) => json!({"type": "text", "text": ""}),
            Part::Thinking { text, redacted: true } => redacted(text),
            Part::Thinking { .. } => json!({"type": "thinking", "thinking": "", "signature": ""}),
        }
    }

    fn deltas(&self, part: &Part) -> Vec<Value> {
        match part {
            // The first piece of a call's input is empty, as it is in practice.
            Part::Call { input, .. } => {
                let pieces = std::iter::once(String::new()).chain(fragments(&input.to_string()));
                pieces.map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).collect()
            }
            Part::Text(text) => {
                pieces(text).into_iter().map(|piece| json!({"type": "text_delta", "text": piece})).collect()
            }
            Part::Thinking { redacted: true, .. } => Vec::new(),
            Part::Thinking { text, .. } => {
                let shown = pieces(self.shown(text)).into_iter();
                let thinking = shown.map(|piece| json!({"type": "thinking_delta", "thinking": piece}));
                let signature = json!({"type": "signature_delta", "signature": signature_of(text)});
                thinking.chain(std::iter::once(signature)).collect()
            }
        }
    }

    fn shown<'t>(&self, thinking: &'t str) -> &'t str {
        if self.call.shows_thinking { thinking } else { "" }
    }

    fn stop(&self) -> (&'static str, Option<&str>) {
        match &self.answer.finish {
            Finish::Calls => ("tool_use", None),
            Finish::Length => ("max_tokens", None),
            Finish::Refusal => ("refusal", None),
            Finish::Stop => ("end_turn", None),
            Finish::StopSequence(sequence) => ("stop_sequence", Some(sequence)),
        }
    }

    fn details(&self) -> Value {
        if self.answer.finish != Finish::Refusal {
            return Value::Null;
        }
        json!({"type": "refusal", "category": null, "explanation": "The mock was asked to refuse."})
    }

    fn output(&self) -> usize {
        self.answer.tokens(false) + self.answer.tokens(true)
    }

    fn usage(&self, output: usize) -> Value {
        let input = &self.call.input;
        let read = self.call.ask.text.to_lowercase().contains("cached");
        let written = |tokens: usize| if read { 0 } else { tokens };
        let mut usage = json!({
            "input_tokens": input.fresh,
            "cache_creation_input_tokens": written(input.marked),
            "cache_read_input_tokens": if read { input.marked } else { 0 },
            "cache_creation": {
                "ephemeral_5m_input_tokens": written(input.written_5m),
                "ephemeral_1h_input_tokens": written(input.written_1h),
            },
            "output_tokens": output,
            "service_tier": "standard",
            "inference_geo": "global",
        });
        let thinking = self.answer.tokens(true);
        if thinking > 0
            && output > 1
            && let Some(usage) = usage.as_object_mut()
        {
            usage.insert("output_tokens_details".into(), json!({"thinking_tokens": thinking}));
        }
        usage
    }

    fn call_id(&self, index: u64) -> String {
        id("toolu_01", self.seed.wrapping_add(index + 1), 22)
    }
}

fn redacted(thinking: &str) -> Value {
    json!({"type": "redacted_thinking", "data": format!("{SIGNED}{}", base64(thinking.as_bytes()))})
}

fn signature_of(thinking: &str) -> String {
    let hash = hash(thinking.as_bytes());
    let bytes = [hash, hash.rotate_left(17), hash.rotate_left(41)].map(u64::to_be_bytes).concat();
    format!("{SIGNED}{}", base64(&bytes))
}

/// How signatures start.
const SIGNED: &str = "EqoBCkgIARABGAIiQ";
