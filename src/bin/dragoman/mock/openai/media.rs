//! OpenAI's images and audio.
//!
//! Images: <https://platform.openai.com/docs/api-reference/images>. Audio: <https://platform.openai.com/docs/api-reference/audio>.

use serde_json::{Value, json};

use super::super::Wire;
use super::super::bytes::PNG;
use super::super::form::{Part, parts};
use super::super::http::{Reply, Request};
use super::super::log::Log;
use super::super::shape::{Checked, Place, Refusal};
use super::reply::CREATED;
use super::{Directive, json_body, pretty};

/// Makes images.
pub fn generate(request: &Request, log: &Log) -> Checked<Reply> {
    let body = json_body(request)?;
    let root = Place::root(Wire::OpenAi, &body);
    root.object(&[
        "background",
        "model",
        "moderation",
        "n",
        "output_compression",
        "output_format",
        "partial_images",
        "prompt",
        "quality",
        "response_format",
        "size",
        "stream",
        "style",
        "user",
    ])?;
    let model = root.opt("model").map(|place| place.text()).transpose()?.unwrap_or("gpt-image-1");
    let prompt = root.need("prompt")?.text()?;
    let count = root.opt("n").map(|place| place.integer(1, 10)).transpose()?.unwrap_or(1);
    if let Some(size) = root.opt("size") {
        size.one_of(&["auto", "1024x1024", "1024x1536", "1536x1024", "256x256", "512x512", "1792x1024", "1024x1792"])?;
    }
    let newer = model.starts_with("gpt-image");
    if newer && root.opt("response_format").is_some() {
        return Err(Refusal::new("Unknown parameter: 'response_format'.")
            .param("response_format")
            .code("unknown_parameter"));
    }
    let stream = root.opt("stream").map(|place| place.flag()).transpose()? == Some(true);
    made(model, prompt, count, stream, log)
}

/// Changes images.
pub fn edit(request: &Request, log: &Log) -> Checked<Reply> {
    let parts = parts(request)?;
    let images = parts.iter().filter(|part| matches!(part.name.as_str(), "image" | "image[]"));
    let bad =
        images.clone().find(|part| !part.content.starts_with(b"\x89PNG") || !part.media_type.starts_with("image/"));
    if images.count() == 0 || bad.is_some() {
        return Err(Refusal::new("Invalid image file or mode for image.").param("image"));
    }
    let model = text(&parts, "model")?.unwrap_or("gpt-image-1");
    let prompt = text(&parts, "prompt")?.ok_or_else(|| {
        Refusal::new("Missing required parameter: 'prompt'.").param("prompt").code("missing_required_parameter")
    })?;
    let count = text(&parts, "n")?.map_or(Ok(1), |n| n.parse().map_err(|_| Refusal::new("Invalid 'n'.").param("n")))?;
    made(model, prompt, count, text(&parts, "stream")? == Some("true"), log)
}

fn made(model: &str, prompt: &str, count: i64, stream: bool, log: &Log) -> Checked<Reply> {
    let directive = directive(model, prompt, log)?;
    if let Some(status) = directive.status {
        return Ok(directive.spoil(super::failed(status, directive.retry_after)));
    }
    directive.unwanted(
        Refusal::new("The prompt is too long.").param("prompt"),
        Refusal::new("Your request was rejected by the safety system.").code("moderation_blocked"),
    )?;
    let usage = json!({
        "input_tokens": 10, "input_tokens_details": {"image_tokens": 0, "text_tokens": 10}, "output_tokens": 272, "total_tokens": 282,
    });
    if stream {
        let event = |kind: &str, more: Value| {
            let mut event = json!({"type": kind, "b64_json": PNG, "created_at": CREATED, "size": "1024x1024"});
            if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
                event.extend(more);
            }
            format!("event: {kind}\ndata: {event}\n\n").into_bytes()
        };
        let events = vec![
            event("image_generation.partial_image", json!({"partial_image_index": 0})),
            event("image_generation.completed", json!({"usage": usage})),
        ];
        return Ok(directive.spoil(Reply::events(events)));
    }
    let data: Vec<Value> = (0..count).map(|_| json!({"b64_json": PNG})).collect();
    let answer = if model.starts_with("gpt-image") {
        json!({"created": CREATED, "data": data, "output_format": "png", "usage": usage})
    } else {
        json!({"created": CREATED, "data": data})
    };
    Ok(directive.spoil(Reply::json(200, pretty(&answer))))
}

/// Reads aloud.
pub fn speak(request: &Request, log: &Log) -> Checked<Reply> {
    let body = json_body(request)?;
    let root = Place::root(Wire::OpenAi, &body);
    root.object(&["input", "instructions", "model", "response_format", "speed", "stream_format", "voice"])?;
    let model = root.need("model")?.text()?;
    let input = root.need("input")?.at_most(4096)?;
    root.need("voice")?.text()?;
    if let Some(speed) = root.opt("speed") {
        speed.number(0, 4)?;
    }
    let formats = ["mp3", "opus", "aac", "flac", "wav", "pcm"];
    let format = root.opt("response_format").map(|place| place.one_of(&formats)).transpose()?.unwrap_or("mp3");
    let directive = directive(model, input, log)?;
    if let Some(status) = directive.status {
        return Ok(directive.spoil(super::failed(status, directive.retry_after)));
    }
    let sound = format!("{format}:{input}").into_bytes();
    if root.opt("stream_format").map(|place| place.one_of(&["audio", "sse"])).transpose()? == Some("sse") {
        let events = vec![
            b"data: {\"type\":\"speech.audio.delta\",\"audio\":\"AAAA\"}\n\n".to_vec(),
            b"data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":14,\"output_tokens\":101,\"total_tokens\":115}}\n\n".to_vec(),
        ];
        return Ok(directive.spoil(Reply::events(events)));
    }
    let kind = if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") };
    Ok(directive.spoil(Reply::bytes(&kind, sound)))
}

/// Writes down what is said: how long the recording is, in this mock.
pub fn transcribe(request: &Request, log: &Log, translate: bool) -> Checked<Reply> {
    let parts = parts(request)?;
    let known = [
        "chunking_strategy",
        "file",
        "include[]",
        "language",
        "model",
        "prompt",
        "response_format",
        "stream",
        "temperature",
        "timestamp_granularities[]",
    ];
    if let Some(part) = parts.iter().find(|part| !known.contains(&part.name.as_str())) {
        return Err(Refusal::new(format!("Unknown parameter: '{}'.", part.name))
            .param(&part.name)
            .code("unknown_parameter"));
    }
    let file = parts.iter().find(|part| part.name == "file" && part.file.is_some());
    let file = file.ok_or_else(|| Refusal::new("Missing required parameter: 'file'.").param("file"))?;
    let model = text(&parts, "model")?.ok_or_else(|| Refusal::new("you must provide a model parameter"))?;
    let end = file.file.as_deref().and_then(|name| name.rsplit_once('.')).map_or("", |(_, end)| end);
    if !["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"].contains(&end) {
        return Err(Refusal::new(
            "Unrecognized file format. Supported formats: ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']",
        ));
    }
    let directive = directive(model, text(&parts, "prompt")?.unwrap_or_default(), log)?;
    if let Some(status) = directive.status {
        return Ok(directive.spoil(super::failed(status, directive.retry_after)));
    }
    let sum = file.content.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    let words = format!("{} bytes of {} that add up to {sum}", file.content.len(), file.media_type);
    let said = if translate { format!("In English: {words}") } else { words };
    let usage = if model.starts_with("whisper") {
        json!({"type": "duration", "seconds": 3})
    } else {
        json!({"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 0, "audio_tokens": 14}, "output_tokens": 45, "total_tokens": 59})
    };
    if text(&parts, "stream")? == Some("true") {
        let delta = json!({"type": "transcript.text.delta", "delta": said});
        let done = json!({"type": "transcript.text.done", "text": said, "usage": usage});
        let events = [delta, done].map(|event| format!("data: {event}\n\n").into_bytes());
        return Ok(directive.spoil(Reply::events(events.to_vec())));
    }
    Ok(directive.spoil(match text(&parts, "response_format")?.unwrap_or("json") {
        "json" => Reply::json(200, pretty(&json!({"text": said, "usage": usage}))),
        "verbose_json" => Reply::json(
            200,
            pretty(&json!({"task": "transcribe", "language": "english", "duration": 3.25, "text": said, "segments": [], "usage": usage})),
        ),
        "text" => Reply::bytes("text/plain; charset=utf-8", format!("{said}\n").into_bytes()),
        "srt" => Reply::bytes("text/plain; charset=utf-8", format!("1\n00:00:00,000 --> 00:00:03,250\n{said}\n\n").into_bytes()),
        other => return Err(Refusal::new(format!("response_format '{other}' is not compatible with model '{model}'.")).param("response_format")),
    }))
}

fn directive(model: &str, text: &str, log: &Log) -> Checked<Directive> {
    let read = Directive::read(Wire::OpenAi, model, text, log);
    read.map_err(|message| Refusal::new(format!("mock: {message}")).code("unknown_directive"))
}

fn text<'p>(parts: &'p [Part], name: &str) -> Checked<Option<&'p str>> {
    let found = parts.iter().find(|part| part.name == name).map(|part| std::str::from_utf8(&part.content));
    found.transpose().map_err(|_| Refusal::new(format!("Invalid '{name}'.")).param(name))
}
