//! Those who read aloud and write down what is said.
//!
//! ElevenLabs: <https://elevenlabs.io/docs/api-reference>. Deepgram: <https://developers.deepgram.com/reference>.

use serde_json::{Value, json};

use super::form::parts;
use super::http::{Reply, Request};

/// Answers a request for ElevenLabs.
pub fn elevenlabs(request: &Request) -> Reply {
    if request.header("xi-api-key").is_none_or(str::is_empty) {
        return refused(
            401,
            json!({"detail": {"status": "needs_authorization", "message": "Neither authorization header nor xi-api-key received, please provide one."}}),
        );
    }
    if let Some(voice) = request.path().strip_prefix("/v1/text-to-speech/") {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let known = ["text", "model_id", "language_code", "voice_settings", "seed", "previous_text", "next_text"];
        let unknown = body.as_object().and_then(|body| body.keys().find(|name| !known.contains(&name.as_str())));
        let (Some(text), None) = (text_of(&body), unknown) else {
            return refused(
                422,
                json!({"detail": [{"type": "missing", "loc": ["body", "text"], "msg": "Field required"}]}),
            );
        };
        let format = request.target.split_once("output_format=").map_or("mp3_44100_128", |(_, format)| format);
        let kind = if format.starts_with("mp3") { "audio/mpeg" } else { "audio/wav" };
        return Reply::bytes(kind, format!("{format}:{voice}:{text}").into_bytes());
    }
    let Ok(parts) = parts(request) else {
        return refused(400, json!({"detail": {"status": "invalid_form", "message": "The form could not be read."}}));
    };
    let model = parts.iter().any(|part| part.name == "model_id" && part.content == b"scribe_v1");
    let file = parts.iter().find(|part| part.name == "file");
    let (true, Some(file)) = (model, file) else {
        return refused(
            422,
            json!({"detail": [{"type": "missing", "loc": ["body", "file"], "msg": "Field required"}]}),
        );
    };
    let text = format!("{} bytes", file.content.len());
    let words = json!([{"text": text, "start": 0.0, "end": 2.5, "type": "word", "logprob": -0.1}]);
    Reply::json(
        200,
        json!({"language_code": "eng", "language_probability": 0.98, "text": text, "words": words}).to_string(),
    )
}

/// Answers a request for Deepgram.
pub fn deepgram(request: &Request) -> Reply {
    if !request.header("authorization").is_some_and(|key| key.starts_with("Token ")) {
        return refused(
            401,
            json!({"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials.", "request_id": "mock"}),
        );
    }
    if request.path() == "/v1/speak" {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        return match text_of(&body) {
            Some(text) if body.as_object().is_some_and(|body| body.len() == 1) => {
                Reply::bytes("audio/mpeg", format!("{}:{text}", request.target).into_bytes())
            }
            _ => refused(
                400,
                json!({"err_code": "Bad Request", "err_msg": "The request body is not valid.", "request_id": "mock"}),
            ),
        };
    }
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.starts_with("audio/") {
        return refused(
            400,
            json!({"err_code": "Bad Request", "err_msg": format!("unsupported type {kind}"), "request_id": "mock"}),
        );
    }
    let text = format!("{} bytes of {kind}", request.body.len());
    let words = json!([{"word": "bytes", "start": 0.5, "end": 1.25, "confidence": 0.9, "punctuated_word": "Bytes"}]);
    let alternative = json!({"transcript": text, "confidence": 0.9, "words": words});
    Reply::json(
        200,
        json!({"metadata": {"request_id": "mock", "duration": 12.5, "channels": 1}, "results": {"channels": [{"alternatives": [alternative]}]}})
            .to_string(),
    )
}

fn text_of(body: &Value) -> Option<&str> {
    body.get("text").and_then(Value::as_str)
}

fn refused(status: u16, body: Value) -> Reply {
    Reply::json(status, body.to_string())
}
