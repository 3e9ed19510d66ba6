//! Images and speech, which Google's models answer a conversation of one turn with.
//!
//! [Images](https://ai.google.dev/gemini-api/docs/image-generation) and [speech](https://ai.google.dev/gemini-api/docs/speech-generation).

use super::reply::Reply;
use super::request;
use crate::call::{Image, Speech};
use crate::error::Error;
use crate::event::Event;
use crate::format::Format;
use crate::json::{Body, Node, Str, Writer};
use crate::wire::images::ratio;
use crate::wire::{Dropped, Encoded, Reader};

/// The ratios of images.
const RATIOS: &[&str] = &["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"];

/// Writes a call for images.
pub(super) fn image<'a>(call: &'a Image<'a>, format: Format, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
    if call.count.is_some_and(|count| count > 1) {
        let message = "the upstream makes one image per call";
        return Err(Error::invalid(message).code("unsupported_parameter").at("n"));
    }
    if call.addresses {
        dropped.forget("response_format");
    }
    let own =
        [("output_format", call.format.is_some()), ("quality", call.quality.is_some()), ("user", call.user.is_some())];
    own.iter().filter(|(_, said)| *said).try_for_each(|(name, _)| dropped.note(*name))?;
    call.native.iter().try_for_each(|(name, _)| dropped.note(name.clone().into_owned()))?;
    let mut body = Body::default();
    Writer::new(&mut body).object(|w| {
        turn(&call.prompt, w);
        w.key("generationConfig").object(|w| {
            w.key("responseModalities").raw(r#"["TEXT","IMAGE"]"#);
            if let Some(size) = call.size {
                w.key("imageConfig").object(|w| w.key("aspectRatio").text(ratio(size, RATIOS)));
            }
        });
    });
    Ok(Encoded::new(body, Box::new(Reply::new(format, request::names()))))
}

/// Writes a call for speech. What comes has no file format: it is given one here, and no other than WAV.
pub(super) fn speech<'a>(call: &'a Speech<'a>, format: Format, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
    if call.stream {
        return Err(Error::invalid("the upstream sends sound as bytes, not as events").at("stream_format"));
    }
    if call.format.as_ref().is_some_and(|format| !["pcm", "wav"].iter().any(|known| *format == **known)) {
        dropped.note("response_format")?;
    }
    if call.speed.is_some() {
        dropped.note("speed")?;
    }
    call.native.iter().try_for_each(|(name, _)| dropped.note(name.clone().into_owned()))?;
    let mut body = Body::default();
    Writer::new(&mut body).object(|w| {
        match &call.instructions {
            // How to read stands before what to read.
            Some(how) => {
                let text = format!("{}: {}", how.to_text(), call.input.to_text());
                turn(&Str::plain(text), w);
            }
            None => turn(&call.input, w),
        }
        w.key("generationConfig").object(|w| {
            w.key("responseModalities").raw(r#"["AUDIO"]"#);
            if let Some(voice) = &call.voice {
                w.key("speechConfig").object(|w| {
                    w.key("voiceConfig").object(|w| {
                        w.key("prebuiltVoiceConfig").object(|w| w.key("voiceName").str(voice));
                    });
                });
            }
        });
    });
    Ok(Encoded::new(body, Box::new(Sound(Reply::new(format, request::names())))))
}

fn turn(text: &Str<'_>, w: &mut Writer<'_, '_>) {
    w.key("contents").array(|w| {
        w.object(|w| {
            w.key("role").text("user");
            w.key("parts").array(|w| w.object(|w| w.key("text").str(text)));
        });
    });
}

/// Reads an answer of sound: all but the sound as any other.
struct Sound(Reply);

impl Reader for Sound {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let candidate = root.get("candidates").and_then(|list| list.items().next());
        let parts = candidate.and_then(|candidate| candidate.get("content")?.get("parts"));
        for data in parts.into_iter().flat_map(Node::items).filter_map(|part| part.get("inlineData")) {
            let text = |name| data.get(name).and_then(Node::str).unwrap_or_default();
            out(Event::Sound { media_type: text("mimeType"), data: text("data") });
        }
        self.0.answer(root, &mut |event| match event {
            Event::Unknown => {}
            event => out(event),
        });
    }

    fn event(&mut self, name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        self.0.event(name, root, out);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        self.0.end(out);
    }
}
