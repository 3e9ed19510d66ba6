//! An answer as a whole: the events of a stream or of a whole answer, collected.

use crate::error::Error;
use crate::event::{BlockKind, Delta, Event, FinishReason, Ranked, Transcript, Vector, choice_at};
use crate::format::Format;
use crate::json::Str;
use crate::usage::Usage;

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The provider's id; empty if it has none.
    pub id: Str<'static>,
    /// The provider's name of the model.
    pub model: Str<'static>,
    /// When, in unix seconds, if the provider tells.
    pub created: Option<u64>,
    /// The choices, in order.
    pub choices: Vec<Choice>,
    /// Vectors, each with the place of its text.
    pub embeddings: Vec<(u32, Vector<'static>)>,
    /// Documents, the best first.
    pub ranking: Vec<Ranked<'static>>,
    /// Sound in base64, each part with its type.
    pub sound: Vec<(Str<'static>, Str<'static>)>,
    /// What is said in a recording.
    pub transcript: Option<Transcript<'static>>,
    /// What was used.
    pub usage: Option<Usage>,
    /// The class of service that was given, in the provider's words.
    pub service_tier: Option<Str<'static>>,
    /// What the provider said went wrong.
    pub error: Option<Error>,
    /// Whether the answer is complete.
    pub ended: bool,
}

/// One of the answers to a call.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Its blocks, in order.
    pub blocks: Vec<Block>,
    /// Why it is complete.
    pub finish: Option<FinishReason<'static>>,
    /// The stop sequence that ended it.
    pub stop_sequence: Option<Str<'static>>,
}

/// A part of a choice.
#[derive(Clone, Debug)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind<'static>,
    /// Its text, in JSON escapes.
    text: String,
    /// The JSON text of a tool call's arguments, in JSON escapes.
    arguments: String,
    /// The proof of a thought.
    pub signature: Option<Str<'static>>,
    /// Raw citations, with whose words they are in.
    pub citations: Vec<(Format, String)>,
    /// OpenAI's raw `logprobs` objects, in order.
    pub logprobs: Vec<String>,
    /// Raw deltas of a `Native` block.
    pub native: Vec<String>,
}

impl Block {
    /// One that has just begun.
    pub fn new(kind: BlockKind<'static>) -> Self {
        Self {
            kind,
            text: String::new(),
            arguments: String::new(),
            signature: None,
            citations: Vec::new(),
            logprobs: Vec::new(),
            native: Vec::new(),
        }
    }

    /// Its text, refusal or thought.
    pub fn text(&self) -> Str<'_> {
        Str::escaped(&*self.text)
    }

    /// The JSON text of a tool call's arguments.
    pub fn arguments(&self) -> Str<'_> {
        Str::escaped(&*self.arguments)
    }

    /// Takes the next delta.
    pub fn add(&mut self, delta: Delta<'_>) {
        match delta {
            Delta::Arguments(piece) => piece.escape_into(&mut self.arguments),
            Delta::Citation { format, raw } => self.citations.push((format, raw.to_owned())),
            Delta::Logprobs(raw) => self.logprobs.push(raw.to_owned()),
            Delta::Native(raw) => self.native.push(raw.to_owned()),
            Delta::Signature(signature) => self.signature = Some(signature.into_owned()),
            Delta::Text(piece) => piece.escape_into(&mut self.text),
        }
    }

    /// Gives what was taken as few deltas.
    pub fn deltas(&self, out: &mut dyn FnMut(Delta<'_>)) {
        if !self.text.is_empty() {
            out(Delta::Text(self.text()));
        }
        if !self.arguments.is_empty() {
            out(Delta::Arguments(self.arguments()));
        }
        self.logprobs.iter().for_each(|raw| out(Delta::Logprobs(raw)));
        self.citations.iter().for_each(|(format, raw)| out(Delta::Citation { format: *format, raw }));
        self.native.iter().for_each(|raw| out(Delta::Native(raw)));
        if let Some(signature) = &self.signature {
            out(Delta::Signature(signature.reborrow()));
        }
    }
}

impl Answer {
    /// Takes the next event of a stream.
    pub fn add(&mut self, event: Event<'_>) {
        match event {
            Event::BlockDelta { choice, block, delta } => {
                if let Some(block) = self.choice(choice).and_then(|c| c.blocks.get_mut(block as usize)) {
                    block.add(delta);
                }
            }
            Event::BlockStart { choice, kind, .. } => {
                if let Some(choice) = self.choice(choice) {
                    choice.blocks.push(Block::new(kind.into_owned()));
                }
            }
            Event::BlockStop { .. } | Event::Ping | Event::Unknown => {}
            Event::Embedding { index, vector } => self.embeddings.push((index, vector.into_owned())),
            Event::Ranked(Ranked { index, score, document }) => {
                let (score, document) = (score.into_owned().into(), document.map(Str::into_owned));
                self.ranking.push(Ranked { index, score, document });
            }
            Event::Sound { media_type, data } => self.sound.push((media_type.into_owned(), data.into_owned())),
            Event::Transcript(transcript) => self.transcript = Some(transcript.into_owned()),
            Event::End => self.ended = true,
            Event::Error(error) => self.error = Some(error),
            Event::Finish { choice, reason, stop_sequence } => {
                if let Some(choice) = self.choice(choice) {
                    choice.finish = Some(reason.into_owned());
                    choice.stop_sequence = stop_sequence.map(Str::into_owned);
                }
            }
            Event::Start { id, model, created } => {
                (self.id, self.model, self.created) = (id.into_owned(), model.into_owned(), created);
            }
            Event::Usage { usage, service_tier } => {
                self.usage = Some(usage);
                self.service_tier = service_tier.map(Str::into_owned).or(self.service_tier.take());
            }
        }
    }

    fn choice(&mut self, index: u32) -> Option<&mut Choice> {
        choice_at(&mut self.choices, index)
    }
}
