//! [`Transcriptions`]: OpenAI's [transcriptions](https://platform.openai.com/docs/api-reference/audio/createTranscription) and translations,
//! and what [ElevenLabs](https://elevenlabs.io/docs/api-reference/speech-to-text/convert) and
//! [Deepgram](https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded) have for them. The recording goes on from where
//! it came in.

use super::openai::pieces::{Pieces, Types};
use super::openai::{error, reply};
use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::{Call, Transcribe};
use crate::client::transcriptions::{FILE, said};
use crate::error::{Error, Kind};
use crate::event::{Event, Transcript};
use crate::form;
use crate::format::Format;
use crate::json::{Body, Node, Str};
use crate::piece::Piece;
use crate::usage::Usage;

/// The wire, in the manner of one of these formats.
pub struct Transcriptions(pub Format);

impl Wire for Transcriptions {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        let Call::Transcribe(call) = call else {
            return Err(Error::new(Kind::NotImplemented, "the upstream only writes down what is said"));
        };
        let reply = Reply { format: self.0, ..Reply::new(call) };
        match self.0 {
            Format::DeepgramListen => deepgram(call, dropped, reply),
            Format::ElevenLabsTranscripts => elevenlabs(call, target, dropped, reply),
            _ => {
                let fields = call.native.iter().map(|(name, text)| (&**name, text.to_text().into_owned()));
                let fields = [("model", target.model.to_owned())].into_iter().chain(fields);
                Ok(written(call, target, fields, reply))
            }
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(Reply { format: self.0, ..Reply::default() })
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

/// A form of these fields and the recording.
fn written<'a, 'n>(
    call: &Transcribe<'_>,
    target: &Target<'_>,
    fields: impl Iterator<Item = (&'n str, String)>,
    reply: Reply,
) -> Encoded<'a> {
    // Not the client's, which its recording may hold with fields of its own behind it.
    let boundary = format!("dragoman-{:016x}", target.random);
    let mut before = Vec::new();
    fields.for_each(|(name, text)| form::field(&boundary, name, &text, &mut before));
    let media_type = call.media_type.to_text();
    form::head(&boundary, FILE, Some((&reply.file_name, &media_type)), &mut before);
    let after = format!("\r\n--{boundary}--\r\n");
    let pieces = vec![Piece::New(before), Piece::Kept(call.file.clone()), Piece::New(after.into_bytes())];
    let headers = vec![("content-type", form::media_type(&boundary))];
    Encoded { form: Some(pieces), headers, ..Encoded::new(Body::default(), Box::new(reply)) }
}

fn elevenlabs<'a>(
    call: &Transcribe<'_>,
    target: &Target<'_>,
    dropped: &mut Dropped,
    reply: Reply,
) -> Result<Encoded<'a>, Error> {
    formats(call)?;
    let mut fields = vec![("model_id", target.model.to_owned())];
    for (name, text) in &call.native {
        let text = text.to_text().into_owned();
        match &**name {
            "language" => fields.push(("language_code", text)),
            "response_format" | "timestamp_granularities" | "timestamp_granularities[]" => {}
            name @ ("diarize" | "keyterms" | "num_speakers" | "seed" | "tag_audio_events" | "temperature") => {
                fields.push((name, text));
            }
            name => dropped.note(name.to_owned())?,
        }
    }
    Ok(written(call, target, fields.into_iter(), reply))
}

/// The recording alone; all else is in the query.
fn deepgram<'a>(call: &Transcribe<'_>, dropped: &mut Dropped, reply: Reply) -> Result<Encoded<'a>, Error> {
    formats(call)?;
    for (name, _) in &call.native {
        if !matches!(&**name, "language" | "response_format" | "timestamp_granularities" | "timestamp_granularities[]")
        {
            dropped.note(name.clone().into_owned())?;
        }
    }
    let language = match &call.language {
        Some(language) => ("language", language.to_text().into_owned()),
        None => ("language", "multi".to_owned()),
    };
    Ok(Encoded {
        form: Some(vec![Piece::Kept(call.file.clone())]),
        values: vec![language],
        headers: vec![("content-type", call.media_type.to_text().into_owned())],
        ..Encoded::new(Body::default(), Box::new(reply))
    })
}

/// What can be written from an answer that is another's.
fn formats(call: &Transcribe<'_>) -> Result<(), Error> {
    match call.format.as_ref().map(Str::to_text).as_deref() {
        None | Some("json" | "text" | "verbose_json") => {}
        Some(_) => {
            return Err(Error::invalid("the upstream has no such format; expected `json`, `verbose_json` or `text`")
                .at("response_format"));
        }
    }
    if said("stream", call).is_some_and(|on| *on == "true") {
        return Err(Error::invalid("the upstream does not stream").at("stream"));
    }
    Ok(())
}

const TYPES: Types =
    Types { pieces: &["transcript.text.delta", "transcript.text.segment"], last: "transcript.text.done" };

/// The reader.
struct Reply {
    format: Format,
    file_name: String,
    verbose: bool,
    words: bool,
    pieces: Pieces,
}

impl Default for Reply {
    fn default() -> Self {
        let file_name = String::new();
        Self { format: Format::Transcriptions, file_name, verbose: false, words: false, pieces: Pieces::default() }
    }
}

impl Reply {
    fn new(call: &Transcribe<'_>) -> Self {
        let verbose = call.format.as_ref().is_some_and(|format| *format == "verbose_json");
        let end = match call.media_type.to_text().split(['/', ';']).nth(1) {
            Some("mpeg" | "mp3") => "mp3",
            Some("x-wav" | "wav" | "wave") => "wav",
            Some("x-m4a" | "mp4" | "m4a") => "m4a",
            Some("flac" | "x-flac") => "flac",
            Some("ogg") => "ogg",
            Some("webm") => "webm",
            _ => "mp3",
        };
        let file_name = call.name.as_ref().map_or_else(|| format!("audio.{end}"), |name| name.to_text().into_owned());
        Self { file_name, verbose, words: call.words, ..Self::default() }
    }

    fn openai(&self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let text = root.get("text").and_then(Node::str);
        let Some(text) = text else {
            let said = error::in_answer(root.get("error"), root);
            return out(Event::Error(said.unwrap_or_else(|| Error::new(Kind::BadAnswer, "the answer has no text"))));
        };
        out(Event::Start { id: Str::default(), model: Str::default(), created: None });
        if let Some(usage) = used(root) {
            out(Event::Usage { usage, service_tier: None });
        }
        out(Event::Transcript(Transcript { text, ..Transcript::default() }));
        out(Event::End);
    }

    fn other(&self, found: Option<Found<'_>>, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let Some(Found { text, language, milliseconds, words }) = found else {
            let said = error::in_answer(root.get("error"), root);
            return out(Event::Error(said.unwrap_or_else(|| Error::new(Kind::BadAnswer, "the answer has no text"))));
        };
        let words = if self.words { words } else { Vec::new() };
        let language = language.filter(|_| self.verbose);
        out(Event::Start { id: Str::default(), model: Str::default(), created: None });
        out(Event::Usage { usage: Usage { milliseconds, ..Usage::default() }, service_tier: None });
        out(Event::Transcript(Transcript { text, language, verbose: self.verbose, words }));
        out(Event::End);
    }
}

/// What an answer holds.
struct Found<'d> {
    text: Str<'d>,
    language: Option<Str<'d>>,
    milliseconds: u64,
    words: Vec<(Str<'d>, String, String)>,
}

fn in_deepgrams(root: Node<'_>) -> Option<Found<'_>> {
    let channel = root.get("results")?.get("channels")?.items().next()?;
    let best = channel.get("alternatives")?.items().next()?;
    Some(Found {
        text: best.get("transcript")?.str()?,
        language: channel.get("detected_language").and_then(Node::str),
        milliseconds: seconds(root.get("metadata").and_then(|metadata| metadata.get("duration"))),
        words: words(best.get("words"), &["punctuated_word", "word"]),
    })
}

fn in_elevenlabs(root: Node<'_>) -> Option<Found<'_>> {
    let last = root.get("words").into_iter().flat_map(Node::items).filter_map(|word| word.get("end")).last();
    let whole = root.get("audio_duration_secs").filter(|number| number.f64().is_some());
    Some(Found {
        text: root.get("text")?.str()?,
        language: root.get("language_code").and_then(Node::str),
        milliseconds: seconds(whole.or(last)),
        words: words(root.get("words"), &["text"]),
    })
}

fn words<'d>(list: Option<Node<'d>>, names: &[&str]) -> Vec<(Str<'d>, String, String)> {
    let spoken = |word: &Node<'d>| word.get("type").and_then(Node::str).is_none_or(|kind| kind == "word");
    let read = |word: Node<'d>| {
        let number =
            |name| word.get(name).filter(|number| number.f64().is_some()).map(|number| number.raw().to_owned());
        Some((names.iter().find_map(|name| word.get(name)?.str())?, number("start")?, number("end")?))
    };
    list.into_iter().flat_map(Node::items).filter(spoken).filter_map(read).collect()
}

/// Milliseconds, of a number of seconds.
fn seconds(node: Option<Node<'_>>) -> u64 {
    let seconds = node.and_then(Node::f64).filter(|seconds| (0.0..1e9).contains(seconds)).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let whole = (seconds * 1000.0).round() as u64;
    whole
}

/// What OpenAI says of use: tokens, or a duration.
fn used(root: Node<'_>) -> Option<Usage> {
    let usage = root.get("usage");
    let tokens = usage.filter(|usage| usage.get("total_tokens").is_some()).and_then(reply::usage);
    let told = usage.and_then(|usage| usage.get("seconds")).or_else(|| root.get("duration"));
    tokens.or_else(|| Some(Usage { milliseconds: seconds(Some(told?)), ..Usage::default() }))
}

impl Reader for Reply {
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        match self.format {
            Format::DeepgramListen => self.other(in_deepgrams(root), root, out),
            Format::ElevenLabsTranscripts => self.other(in_elevenlabs(root), root, out),
            _ => self.openai(root, out),
        }
    }

    fn event(&mut self, _name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        self.pieces.event(&TYPES, root, || used(root), out);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        self.pieces.end(out);
    }

    /// Subtitles and plain text.
    fn passes(&self, media_type: &str) -> bool {
        self.format == Format::Transcriptions
            && (media_type.starts_with("text/") && media_type != "text/event-stream" && media_type != "text/html")
            || media_type == "application/x-subrip"
    }
}
