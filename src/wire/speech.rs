//! [`Speech`]: OpenAI's [speech](https://platform.openai.com/docs/api-reference/audio/createSpeech), and that of
//! [ElevenLabs](https://elevenlabs.io/docs/api-reference/text-to-speech/convert) and
//! [Deepgram](https://developers.deepgram.com/reference/text-to-speech/speak-request). All answer with sound, which goes to the client as it
//! comes, and none says what that has cost: it is paid by the characters of the text.

use super::openai::pieces::{Pieces, Types};
use super::openai::{error, reply};
use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::{self, Call};
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::format::Format;
use crate::json::{Body, Node, Str, Writer};
use crate::usage::Usage;

/// The wire, in the manner of one of these formats.
pub struct Speech(pub Format);

impl Wire for Speech {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        let Call::Speak(call) = call else {
            return Err(Error::new(Kind::NotImplemented, "the upstream only reads aloud"));
        };
        let mut body = Body::default();
        let mut w = Writer::new(&mut body);
        w.open_object();
        let values = match self.0 {
            Format::ElevenLabsSpeech => elevenlabs(call, target, dropped, &mut w)?,
            Format::DeepgramSpeak => deepgram(call, dropped, &mut w)?,
            _ => {
                openai(call, target, &mut w);
                Vec::new()
            }
        };
        w.close_object();
        let characters = call.input.to_text().chars().count() as u64;
        Ok(Encoded { values, ..Encoded::new(body, Box::new(Reply { characters, ..Reply::default() })) })
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(Reply::default())
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

fn openai<'a>(call: &'a call::Speech<'a>, target: &Target<'_>, w: &mut Writer<'_, 'a>) {
    w.key("model").text(target.model);
    w.key("input").share_str(&call.input);
    for (name, text) in
        [("voice", &call.voice), ("instructions", &call.instructions), ("response_format", &call.format)]
    {
        if let Some(text) = text {
            w.key(name).str(text);
        }
    }
    if let Some(speed) = call.speed {
        w.key("speed").raw(speed);
    }
    if call.stream {
        w.key("stream_format").text("sse");
    }
    call.native.iter().for_each(|(name, raw)| w.name(name).share_raw(raw));
}

fn elevenlabs<'a>(
    call: &'a call::Speech<'a>,
    target: &Target<'_>,
    dropped: &mut Dropped,
    w: &mut Writer<'_, 'a>,
) -> Result<Vec<(&'static str, String)>, Error> {
    let voice = call.voice.as_ref().ok_or_else(|| Error::invalid("required: the id of a voice").at("voice"))?;
    let format = match call.format.as_ref().map(Str::to_text).as_deref() {
        None | Some("mp3") => "mp3_44100_128",
        Some("opus") => "opus_48000_128",
        Some("pcm") => "pcm_24000",
        Some("wav") => "wav_24000",
        Some(other) => return Err(no_format(other, "`mp3`, `opus`, `pcm` or `wav`")),
    };
    no_events(call)?;
    w.key("text").share_str(&call.input);
    w.key("model_id").text(target.model);
    if let Some(speed) = call.speed {
        w.key("voice_settings").object(|w| w.key("speed").raw(speed));
    }
    if call.instructions.is_some() {
        dropped.note("instructions")?;
    }
    call.native.iter().for_each(|(name, raw)| w.name(name).share_raw(raw));
    Ok(vec![("voice", voice.to_text().into_owned()), ("format", format.to_owned())])
}

fn deepgram<'a>(
    call: &'a call::Speech<'a>,
    dropped: &mut Dropped,
    w: &mut Writer<'_, 'a>,
) -> Result<Vec<(&'static str, String)>, Error> {
    let (encoding, container) = match call.format.as_ref().map(Str::to_text).as_deref() {
        None | Some("mp3") => ("mp3", "none"),
        Some("opus") => ("opus", "ogg"),
        Some("aac") => ("aac", "none"),
        Some("flac") => ("flac", "none"),
        Some("pcm") => ("linear16", "none"),
        Some("wav") => ("linear16", "wav"),
        Some(other) => return Err(no_format(other, "`mp3`, `opus`, `aac`, `flac`, `pcm` or `wav`")),
    };
    no_events(call)?;
    w.key("text").share_str(&call.input);
    // The model is a voice.
    let unknown = [
        ("voice", call.voice.is_some()),
        ("instructions", call.instructions.is_some()),
        ("speed", call.speed.is_some()),
    ];
    unknown.iter().filter(|(_, said)| *said).try_for_each(|(name, _)| dropped.note(*name))?;
    call.native.iter().try_for_each(|(name, _)| dropped.note(name.clone().into_owned()))?;
    Ok(vec![("encoding", encoding.to_owned()), ("container", container.to_owned())])
}

fn no_format(word: &str, allowed: &str) -> Error {
    Error::invalid(format!("the upstream has no `{}`; expected {allowed}", crate::error::shorten(word)))
        .at("response_format")
}

fn no_events(call: &call::Speech<'_>) -> Result<(), Error> {
    if call.stream {
        Err(Error::invalid("the upstream sends sound as bytes, not as events").at("stream_format"))
    } else {
        Ok(())
    }
}

const TYPES: Types = Types { pieces: &["speech.audio.delta"], last: "speech.audio.done" };

/// The reader.
#[derive(Default)]
struct Reply {
    characters: u64,
    pieces: Pieces,
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let said = error::in_answer(root.get("error"), root);
        out(Event::Error(said.unwrap_or_else(|| Error::new(Kind::BadAnswer, "the answer is no sound"))));
    }

    fn event(&mut self, _name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let characters = self.characters;
        let tokens = || root.get("usage").and_then(reply::usage);
        let used = || Some(tokens().unwrap_or(Usage { characters, ..Usage::default() }));
        self.pieces.event(&TYPES, root, used, out);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        self.pieces.end(out);
    }

    fn passes(&self, media_type: &str) -> bool {
        media_type.starts_with("audio/") || media_type == "application/octet-stream" || media_type.starts_with("video/")
    }

    fn passed(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        let usage = Usage { characters: self.characters, ..Usage::default() };
        out(Event::Usage { usage, service_tier: None });
    }
}
