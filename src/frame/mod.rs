//! Bytes of a stream, cut anywhere, into frames.

pub mod eventstream;
pub mod ndjson;
pub mod sse;

use std::borrow::Cow;

/// The longest frame. Real ones are small; partial images are a few megabytes.
const LONGEST: usize = 16 << 20;

/// A piece of a stream that is to be read as a whole.
#[derive(Clone, Debug)]
pub struct Frame<'f> {
    /// All its bytes, with what ends it.
    pub raw: &'f [u8],
    /// What it calls itself; empty if it does not.
    pub event: &'f str,
    /// Whether the stream says with it that it has failed, in a way of the framing's own.
    pub failed: bool,
    /// What it holds; empty for a sign of life.
    pub data: Cow<'f, [u8]>,
}

/// Bytes that are no stream of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What is wrong with them.
    Corrupt(&'static str),
    /// A frame is longer than any real one.
    TooLong,
}

/// How a stream is cut into frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Amazon's binary messages.
    EventStream,
    /// A line each.
    Ndjson,
    /// Server-sent events, cut anywhere into the payloads of Amazon's messages.
    Pieces,
    /// Server-sent events.
    #[default]
    Sse,
}

impl Framing {
    /// The framing of a media type, if it is a stream's.
    pub fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.amazon.eventstream" => Some(Self::EventStream),
            "application/x-ndjson" | "application/jsonl" => Some(Self::Ndjson),
            "text/event-stream" => Some(Self::Sse),
            _ => None,
        }
    }
}

/// Cuts a stream into frames. Where the stream's own chunks end makes no difference.
#[derive(Debug)]
pub enum Decoder {
    /// See [`eventstream`].
    EventStream(eventstream::Decoder),
    /// See [`ndjson`].
    Ndjson(ndjson::Decoder),
    /// What comes in messages, and what comes of them.
    Pieces(eventstream::Decoder, sse::Decoder),
    /// See [`sse`].
    Sse(sse::Decoder),
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::EventStream => Self::EventStream(eventstream::Decoder::default()),
            Framing::Ndjson => Self::Ndjson(ndjson::Decoder::default()),
            Framing::Pieces => Self::Pieces(eventstream::Decoder::default(), sse::Decoder::default()),
            Framing::Sse => Self::Sse(sse::Decoder::default()),
        }
    }

    /// Takes the next bytes and gives each frame that is complete.
    pub fn push(&mut self, chunk: &[u8], each: &mut dyn FnMut(Frame<'_>)) -> Result<(), Fault> {
        match self {
            Self::EventStream(decoder) => decoder.push(chunk, each),
            Self::Ndjson(decoder) => decoder.push(chunk, each),
            Self::Pieces(messages, events) => {
                let mut fault = Ok(());
                messages.push(chunk, &mut |frame| match frame.failed {
                    true => each(frame),
                    false if fault.is_ok() => fault = events.push(&frame.data, each),
                    false => {}
                })?;
                fault
            }
            Self::Sse(decoder) => decoder.push(chunk, each),
        }
    }

    /// The stream has ended: gives a last frame whose own end has not come, where the framing allows one.
    pub fn end(&mut self, each: &mut dyn FnMut(Frame<'_>)) -> Result<(), Fault> {
        match self {
            Self::EventStream(decoder) => decoder.end(),
            Self::Ndjson(decoder) => {
                decoder.end(each);
                Ok(())
            }
            Self::Pieces(messages, events) => {
                messages.end()?;
                events.end(each);
                Ok(())
            }
            Self::Sse(decoder) => {
                decoder.end(each);
                Ok(())
            }
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Framing::default())
    }
}
