//! OpenAI's old completions: <https://platform.openai.com/docs/api-reference/completions>. Only models that do not chat have
//! them.

use serde_json::{Map, Value, json};

use super::super::Wire;
use super::super::answer::{Answer, Ask, Finish, Part, pieces, tokens};
use super::super::bytes::{hash, id};
use super::super::directive::{Directive, bare_model, bare_text};
use super::super::http::{Reply, Request};
use super::super::log::Log;
use super::super::shape::{Checked, Place, Refusal};
use super::reply::CREATED;
use super::{check, json_body, pretty};

const FIELDS: &[&str] = &[
    "best_of",
    "echo",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "model",
    "n",
    "presence_penalty",
    "prompt",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "suffix",
    "temperature",
    "top_p",
    "user",
];

/// A request that OpenAI would serve.
struct Call {
    model: String,
    prompts: Vec<String>,
    ask: Ask,
    count: usize,
    echo: bool,
    logprobs: Option<usize>,
    usage: bool,
}

/// Answers a request for completions.
pub fn serve(request: &Request, log: &Log) -> Checked<Reply> {
    let body = json_body(request)?;
    let root = Place::root(Wire::OpenAi, &body);
    root.object(FIELDS)?;
    let model = root.need("model")?.text()?;
    let chats = (model.starts_with("gpt-") || model.starts_with('o')) && !model.contains("instruct");
    if chats {
        return Err(Refusal::new(
            "This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?",
        )
        .status(404)
        .param("model"));
    }
    let prompts = prompts(&root.need("prompt")?)?;
    let last = prompts.last().cloned().unwrap_or_default();
    let mut ask = Ask { text: bare_text(&last), ..Ask::default() };
    check::limits(&root, &mut ask)?;
    check::numbers(&root)?;
    for name in ["seed", "best_of"] {
        root.opt(name).map(|place| place.integer(0, i64::MAX)).transpose()?;
    }
    for name in ["suffix", "user"] {
        root.opt(name).map(|place| place.text()).transpose()?;
    }
    let flag = |name| root.opt(name).map(|place| place.flag()).transpose();
    let stream = flag("stream")? == Some(true);
    let (usage, _) = check::stream_options(&root, stream)?;
    let number = |name, most| root.opt(name).map(|place| place.integer(0, most)).transpose();
    let call = Call {
        model: model.to_owned(),
        ask,
        count: number("n", 128)?.and_then(|n| usize::try_from(n).ok()).unwrap_or(1),
        echo: flag("echo")? == Some(true),
        logprobs: number("logprobs", 5)?.and_then(|n| usize::try_from(n).ok()),
        usage,
        prompts,
    };
    let directive = Directive::read(Wire::OpenAi, &call.model, &last, log)
        .map_err(|message| Refusal::new(format!("mock: {message}")).code("unknown_directive"))?;
    if let Some(reply) = directive.instead() {
        return Ok(directive.spoil(reply));
    }
    if let Some(status) = directive.status {
        return Ok(directive.spoil(super::failed(status, directive.retry_after)));
    }
    let writer = Writer { answer: Answer::to(&call.ask, &directive), call, id: id("cmpl-", hash(&request.body), 29) };
    let reply = if stream { Reply::events(writer.events()) } else { Reply::json(200, pretty(&writer.whole())) };
    Ok(directive.spoil(reply))
}

/// A text, several, or tokens of one or several.
fn prompts(place: &Place) -> Checked<Vec<String>> {
    let of = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(tokens) if tokens.iter().all(Value::is_u64) => Some(format!("{} tokens", tokens.len())),
        _ => None,
    };
    let found = match place.value {
        Value::Array(items) if !items.iter().all(Value::is_u64) => items.iter().map(of).collect(),
        value => of(value).map(|one| vec![one]),
    };
    found.ok_or_else(|| {
        place.wrong_type("one of a string, array of strings, array of integers, or array of integer arrays")
    })
}

struct Writer {
    call: Call,
    answer: Answer,
    id: String,
}

impl Writer {
    fn whole(&self) -> Value {
        let choices = self.places().map(|(index, prompt)| {
            let mut text = if self.call.echo { prompt.to_owned() } else { String::new() };
            text.push_str(self.text());
            json!({"text": text, "index": index, "logprobs": self.logprobs(&pieces(&text), 0), "finish_reason": self.finish()})
        });
        let mut whole = self.envelope(choices.collect());
        whole.insert("usage".into(), self.usage());
        Value::Object(whole)
    }

    fn events(&self) -> Vec<Vec<u8>> {
        let mut chunks = Vec::new();
        for (index, prompt) in self.places() {
            let echoed = Some(prompt).filter(|_| self.call.echo);
            let mut at = 0;
            for piece in echoed.into_iter().chain(pieces(self.text())) {
                let logprobs = self.logprobs(&[piece], at);
                at += piece.chars().count();
                chunks.push(vec![json!({"text": piece, "index": index, "logprobs": logprobs, "finish_reason": null})]);
            }
            chunks.push(vec![json!({"text": "", "index": index, "logprobs": null, "finish_reason": self.finish()})]);
        }
        let mut chunks: Vec<Map<String, Value>> = chunks
            .into_iter()
            .map(|choices| {
                let mut chunk = self.envelope(choices);
                if self.call.usage {
                    chunk.insert("usage".into(), Value::Null);
                }
                chunk
            })
            .collect();
        if self.call.usage {
            let mut last = self.envelope(Vec::new());
            last.insert("usage".into(), self.usage());
            chunks.push(last);
        }
        let events = chunks.into_iter().map(|chunk| format!("data: {}\n\n", Value::Object(chunk)).into_bytes());
        events.chain([b"data: [DONE]\n\n".to_vec()]).collect()
    }

    fn places(&self) -> impl Iterator<Item = (usize, &str)> {
        let prompts = self.call.prompts.iter().flat_map(|prompt| (0..self.call.count).map(move |_| prompt.as_str()));
        prompts.enumerate()
    }

    fn envelope(&self, choices: Vec<Value>) -> Map<String, Value> {
        let mut envelope = Map::new();
        envelope.insert("id".into(), self.id.as_str().into());
        envelope.insert("object".into(), "text_completion".into());
        envelope.insert("created".into(), CREATED.into());
        envelope.insert("model".into(), format!("{}:20230824-v2", bare_model(&self.call.model)).into());
        envelope.insert("choices".into(), choices.into());
        envelope
    }

    fn usage(&self) -> Value {
        let prompt: usize = self.call.prompts.iter().map(|prompt| tokens(prompt.chars().count())).sum();
        let completion = self.answer.tokens(false) * self.places().count();
        json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
    }

    fn logprobs(&self, texts: &[&str], start: usize) -> Value {
        let Some(top) = self.call.logprobs else { return Value::Null };
        let mut at = start;
        let offsets = texts.iter().map(|text| {
            let offset = at;
            at += text.chars().count();
            offset
        });
        let offsets: Vec<usize> = offsets.collect();
        let others = |text: &str| -> Map<String, Value> {
            let marks = ["", "~", "!", "?", "."].iter().take(top).enumerate();
            marks.map(|(nth, mark)| (format!("{text}{mark}"), json!(-0.01 - nth as f64))).collect()
        };
        json!({
            "tokens": texts,
            "token_logprobs": texts.iter().map(|_| -0.01).collect::<Vec<_>>(),
            "top_logprobs": texts.iter().map(|text| others(text)).collect::<Vec<_>>(),
            "text_offset": offsets,
        })
    }

    fn text(&self) -> &str {
        let text = self.answer.parts.iter().find_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        });
        text.unwrap_or_default()
    }

    fn finish(&self) -> &'static str {
        if self.answer.finish == Finish::Length { "length" } else { "stop" }
    }
}
