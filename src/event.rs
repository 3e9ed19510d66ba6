//! What happens in an answer, in words that every format shares.
//!
//! A wire reads an answer into [`Event`]s, whether it came as a stream or whole; a client format writes them. An answer
//! is made of choices, a choice of indexed blocks, which may interleave. The order is law, and the golden tests hold
//! every reader to it:
//!
//! 1. [`Event::Start`] is first, once.
//! 2. Block indexes of a choice count up from 0 without gaps. A block's deltas stand between its `BlockStart` and its
//!    `BlockStop`.
//! 3. Each choice has at most one [`Event::Finish`], after its last block has stopped.
//! 4. [`Event::Usage`] may come often; a later one replaces an earlier one.
//! 5. [`Event::End`] or [`Event::Error`] is last.
//!
//! What is no conversation has other events in the place of blocks, such as [`Event::Embedding`].

use std::borrow::Cow;

use crate::error::Error;
use crate::format::Format;
use crate::json::Str;
use crate::usage::Usage;

/// Something that happens in an answer.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// More of a block.
    BlockDelta {
        /// Which choice.
        choice: u32,
        /// Which block of it.
        block: u32,
        /// What is more.
        delta: Delta<'a>,
    },
    /// A block begins.
    BlockStart {
        /// Which choice.
        choice: u32,
        /// Which block of it.
        block: u32,
        /// What it will be.
        kind: BlockKind<'a>,
    },
    /// A block is complete.
    BlockStop {
        /// Which choice.
        choice: u32,
        /// Which block of it.
        block: u32,
    },
    /// A vector that stands for one of the texts.
    Embedding {
        /// The text's place among them.
        index: u32,
        /// The vector.
        vector: Vector<'a>,
    },
    /// The answer is complete.
    End,
    /// The provider says that it failed.
    Error(Error),
    /// A choice is complete.
    Finish {
        /// Which choice.
        choice: u32,
        /// Why.
        reason: FinishReason<'a>,
        /// The stop sequence that ended it.
        stop_sequence: Option<Str<'a>>,
    },
    /// Nothing but a sign of life.
    Ping,
    /// The next best of the documents.
    Ranked(Ranked<'a>),
    /// A text that was read aloud, or a part of it.
    Sound {
        /// Such as `audio/L16;rate=24000`.
        media_type: Str<'a>,
        /// Base64.
        data: Str<'a>,
    },
    /// What is said in a recording.
    Transcript(Transcript<'a>),
    /// The answer begins.
    Start {
        /// The provider's id of the answer; empty if it has none.
        id: Str<'a>,
        /// The provider's name of the model.
        model: Str<'a>,
        /// When, in unix seconds, if the provider tells.
        created: Option<u64>,
    },
    /// Something that the wire does not know: skipped and counted.
    Unknown,
    /// What the call has used so far.
    Usage {
        /// In our words.
        usage: Usage,
        /// The class of service that was given, in the provider's words.
        service_tier: Option<Str<'a>>,
    },
}

/// A document's place in a ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked<'a> {
    /// Which document.
    pub index: u32,
    /// How well it answers the query, a raw number.
    pub score: Cow<'a, str>,
    /// The document, if the client wants it back.
    pub document: Option<Str<'a>>,
}

/// What is said in a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript<'a> {
    /// All of it.
    pub text: Str<'a>,
    /// What is spoken, if it was found out.
    pub language: Option<Str<'a>>,
    /// Whether the client wants to know more than the text.
    pub verbose: bool,
    /// Words, each with the second at which it begins and ends, as raw numbers.
    pub words: Vec<(Str<'a>, String, String)>,
}

impl Transcript<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Transcript<'static> {
        let words = self.words.into_iter().map(|(word, start, end)| (word.into_owned(), start, end)).collect();
        let language = self.language.map(Str::into_owned);
        Transcript { text: self.text.into_owned(), language, verbose: self.verbose, words }
    }
}

/// A vector.
#[derive(Clone, Debug)]
pub enum Vector<'a> {
    /// Its 32-bit floats, little-endian, in base64.
    Base64(Str<'a>),
    /// A raw array of numbers.
    Numbers(Cow<'a, str>),
}

impl Vector<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Vector<'static> {
        match self {
            Self::Base64(text) => Vector::Base64(text.into_owned()),
            Self::Numbers(raw) => Vector::Numbers(raw.into_owned().into()),
        }
    }
}

/// What a block is.
#[derive(Clone, Debug)]
pub enum BlockKind<'a> {
    /// A picture, whole.
    Image {
        /// Such as `image/png`.
        media_type: Str<'a>,
        /// Base64.
        data: Str<'a>,
    },
    /// Something that only `format` knows: the raw object.
    Native {
        /// Whose.
        format: Format,
        /// The raw block as it began.
        raw: Cow<'a, str>,
    },
    /// Thought, which may end with a signature.
    Reasoning,
    /// Thought that only the provider can read.
    RedactedReasoning {
        /// Sealed by the provider.
        data: Str<'a>,
    },
    /// What the model says instead of an answer.
    Refusal,
    /// Text.
    Text,
    /// A call of a tool; its arguments follow.
    ToolCall {
        /// Joins call and result; empty if the provider gives none.
        id: Str<'a>,
        /// The tool.
        name: Str<'a>,
    },
}

impl BlockKind<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> BlockKind<'static> {
        match self {
            Self::Image { media_type, data } => {
                BlockKind::Image { media_type: media_type.into_owned(), data: data.into_owned() }
            }
            Self::Native { format, raw } => BlockKind::Native { format, raw: raw.into_owned().into() },
            Self::Reasoning => BlockKind::Reasoning,
            Self::RedactedReasoning { data } => BlockKind::RedactedReasoning { data: data.into_owned() },
            Self::Refusal => BlockKind::Refusal,
            Self::Text => BlockKind::Text,
            Self::ToolCall { id, name } => BlockKind::ToolCall { id: id.into_owned(), name: name.into_owned() },
        }
    }
}

/// More of a block.
#[derive(Clone, Debug)]
pub enum Delta<'a> {
    /// A piece of the JSON text of a tool call's arguments.
    Arguments(Str<'a>),
    /// A citation in the words of `format`: the raw object.
    Citation {
        /// Whose.
        format: Format,
        /// The raw citation.
        raw: &'a str,
    },
    /// Probabilities of the tokens of the text: OpenAI's raw `logprobs` object.
    Logprobs(&'a str),
    /// The raw delta of a `Native` block.
    Native(&'a str),
    /// The proof of a thought, whole.
    Signature(Str<'a>),
    /// A piece of text, refusal or thought, as the block is.
    Text(Str<'a>),
}

impl Delta<'_> {
    /// How many bytes it brings.
    pub fn len(&self) -> usize {
        match self {
            Self::Arguments(text) | Self::Signature(text) | Self::Text(text) => text.len(),
            Self::Citation { raw, .. } | Self::Logprobs(raw) | Self::Native(raw) => raw.len(),
        }
    }

    /// Whether it brings nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why an answer is complete.
#[derive(Clone, Debug, PartialEq)]
pub enum FinishReason<'a> {
    /// The provider held the rest back.
    ContentFilter,
    /// The conversation fills the model's context.
    ContextWindow,
    /// The limit on output.
    Length,
    /// A word that we do not know.
    Other(Str<'a>),
    /// The provider pauses a long turn, to be continued.
    Pause,
    /// The model will not.
    Refusal,
    /// It is done.
    Stop,
    /// One of the given stop sequences.
    StopSequence,
    /// It waits for tools.
    ToolCalls,
}

impl FinishReason<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> FinishReason<'static> {
        match self {
            Self::ContentFilter => FinishReason::ContentFilter,
            Self::ContextWindow => FinishReason::ContextWindow,
            Self::Length => FinishReason::Length,
            Self::Other(word) => FinishReason::Other(word.into_owned()),
            Self::Pause => FinishReason::Pause,
            Self::Refusal => FinishReason::Refusal,
            Self::Stop => FinishReason::Stop,
            Self::StopSequence => FinishReason::StopSequence,
            Self::ToolCalls => FinishReason::ToolCalls,
        }
    }

    /// The word in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ContentFilter => "content_filter",
            Self::ContextWindow => "context_window",
            Self::Length => "length",
            Self::Other(_) => "other",
            Self::Pause => "pause",
            Self::Refusal => "refusal",
            Self::Stop => "stop",
            Self::StopSequence => "stop_sequence",
            Self::ToolCalls => "tool_calls",
        }
    }
}

/// The state of a choice, made where it is the first time. A provider's number is bounded, so that none makes us allocate.
pub fn choice_at<T: Default>(choices: &mut Vec<T>, index: u32) -> Option<&mut T> {
    const MOST: usize = 128;
    let at = usize::try_from(index).ok().filter(|at| *at < MOST)?;
    if at >= choices.len() {
        choices.resize_with(at.saturating_add(1), T::default);
    }
    choices.get_mut(at)
}
