//! [`Transcriptions`]: OpenAI's [transcriptions](https://platform.openai.com/docs/api-reference/audio/createTranscription) and
//! translations, as clients speak them: a form with a recording, which nobody here reads.

use super::chat;
use super::fields::{object, optional, required, string, wrong};
use super::{Ask, Client};
use crate::answer::Answer;
use crate::call::{Call, Transcribe};
use crate::error::Error;
use crate::format::Operation;
use crate::json::{Body, Edits, Kind, Node, Str, Writer};

/// The field of the recording.
pub const FILE: &str = "file";

/// The format.
pub struct Transcriptions;

impl Client for Transcriptions {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        self.ask_for(chat::model(root)?, root, now)
    }

    fn ask_for(&self, model: String, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        required(object(root)?, FILE)?;
        let is = |name: &str, word: &str| root.get(name).and_then(Node::str).is_some_and(|text| text == *word);
        let media_type = is("response_format", "text").then_some("text/plain; charset=utf-8");
        Ok(Ask { model, stream: is("stream", "true"), now, media_type, ..Ask::default() })
    }

    fn read<'a>(&self, _operation: Operation, root: Node<'a>) -> Result<Call<'a>, Error> {
        let file = required(root, FILE)?;
        let place = |name| file.get(name).and_then(Node::u64).and_then(|at| usize::try_from(at).ok());
        let (Some(start), Some(end), Some(media_type)) =
            (place("start"), place("end"), file.get("type").and_then(Node::str))
        else {
            return Err(wrong(file, "a file").at(FILE));
        };
        let mut call = Transcribe { file: start..end, media_type, ..Transcribe::default() };
        call.name = file.get("filename").and_then(Node::str).filter(|name| !name.is_empty());
        call.language = optional(root, "language", string)?;
        call.format = optional(root, "response_format", string)?;
        for (name, value) in root.members().filter(|(name, _)| !name.is_empty() && name != FILE && name != "model") {
            let all = if value.kind() == Kind::Array { value.items().collect() } else { vec![value] };
            for value in all {
                let text = string(value).map_err(|e| e.at(&name))?;
                call.words |= name.starts_with("timestamp_granularities") && text == "word";
                call.native.push((name.clone(), text));
            }
        }
        Ok(Call::Transcribe(call))
    }

    fn answer(&self, answer: &Answer, ask: &Ask) -> Vec<u8> {
        let none = crate::event::Transcript::default();
        let told = answer.transcript.as_ref().unwrap_or(&none);
        if ask.media_type.is_some() {
            return format!("{}\n", told.text.to_text()).into_bytes();
        }
        let seconds = answer.usage.map_or(0, |usage| usage.milliseconds);
        let mut body = Body::default();
        Writer::new(&mut body).object(|w| {
            w.key("text").str(&told.text);
            if let Some(language) = &told.language {
                w.key("language").str(language);
            }
            if told.verbose {
                w.key("task").text("transcribe");
                w.key("duration").raw(&decimal(seconds));
            }
            if !told.words.is_empty() {
                w.key("words").array(|w| {
                    for (word, start, end) in &told.words {
                        w.object(|w| {
                            w.key("word").str(word);
                            w.key("start").raw(start);
                            w.key("end").raw(end);
                        });
                    }
                });
            }
            w.key("usage").object(|w| {
                w.key("type").text("duration");
                w.key("seconds").raw(&decimal(seconds));
            });
        });
        body.into_bytes()
    }

    fn splice_answer(&self, _root: Node<'_>, _ask: &Ask, _edits: &mut Edits) {}
}

/// Milliseconds as seconds.
fn decimal(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// What is said, to be read by whoever only looks for it.
pub fn said<'a>(name: &str, call: &'a Transcribe<'_>) -> Option<&'a Str<'a>> {
    call.native.iter().find(|(other, _)| other == name).map(|(_, text)| text)
}
