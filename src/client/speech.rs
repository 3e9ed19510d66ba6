//! [`Speech`]: OpenAI's [speech](https://platform.openai.com/docs/api-reference/audio/createSpeech), as clients speak it. The answer is
//! sound.

use super::chat;
use super::fields::{number, object, required, string, wrong};
use super::{Ask, Client};
use crate::answer::Answer;
use crate::call::{self, Call};
use crate::error::Error;
use crate::format::Operation;
use crate::json::{Edits, Kind, Node, Str};

use base64::prelude::{BASE64_STANDARD, Engine};

/// The format.
pub struct Speech;

impl Client for Speech {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        self.ask_for(chat::model(root)?, root, now)
    }

    fn ask_for(&self, model: String, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        required(object(root)?, "input")?;
        let is = |name: &str, word: &str| root.get(name).and_then(Node::str).is_some_and(|text| text == *word);
        let media_type = if is("response_format", "pcm") { "audio/pcm" } else { "audio/wav" };
        Ok(Ask { model, stream: is("stream_format", "sse"), now, media_type: Some(media_type), ..Ask::default() })
    }

    fn read<'a>(&self, _operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error> {
        let mut call = call::Speech::default();
        for (name, value) in root.members().filter(|(_, value)| !value.is_null()) {
            let read = match &*name {
                "input" => string(value).map(|input| call.input = input),
                "instructions" => string(value).map(|text| call.instructions = Some(text)),
                "model" => Ok(()),
                "response_format" => string(value).map(|format| call.format = Some(format)),
                "speed" => number(value).map(|speed| call.speed = Some(speed)),
                "stream_format" => string(value).map(|format| call.stream = format == "sse"),
                "voice" => voice(value).map(|voice| call.voice = Some(voice)),
                _ => {
                    call.native.push((name.clone(), value.raw()));
                    Ok(())
                }
            };
            read.map_err(|e| e.at(&name))?;
        }
        if call.input.is_empty() {
            return Err(Error::invalid("expected a text").at("input"));
        }
        Ok(Call::Speak(call))
    }

    /// The sound as it is, or as a file: it comes as [L16](https://www.rfc-editor.org/rfc/rfc3551#section-4.5.11) in base64.
    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8> {
        let mut samples = Vec::new();
        let mut rate = 24_000;
        for (media_type, data) in &answer.sound {
            samples.extend(BASE64_STANDARD.decode(&*data.to_text()).unwrap_or_default());
            let kind = media_type.to_text();
            rate = kind.split_once("rate=").and_then(|(_, rate)| rate.parse().ok()).unwrap_or(rate);
        }
        if ask.media_type == Some("audio/pcm") { samples } else { wav(rate, samples) }
    }

    fn splice_answer(&self, _root: Node<'_>, _ask: &Ask, _edits: &mut Edits) {}
}

/// A voice: its name, or an object with its id.
fn voice(value: Node<'_>) -> Result<Str<'_>, Error> {
    match value.kind() {
        Kind::Object => string(required(value, "id")?).map_err(|e| e.at("id")),
        Kind::String => string(value),
        _ => Err(wrong(value, "a string or an object with an `id`")),
    }
}

/// A file of samples of 16 bits, one channel: [44 bytes](https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html) say so.
fn wav(rate: u32, samples: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(samples.len()).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(samples.len().saturating_add(44));
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&rate.saturating_mul(2).to_le_bytes());
    file.extend_from_slice(&2_u16.to_le_bytes());
    file.extend_from_slice(&16_u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend(samples);
    file
}
