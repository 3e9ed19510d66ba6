//! Streams of images, sound and transcripts: pieces, which are passed on unread, and a last event with the usage.

use super::error;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::json::{Node, Str};
use crate::usage::Usage;

/// What the types of such a stream's events end in.
pub struct Types {
    /// Those of pieces.
    pub pieces: &'static [&'static str],
    /// That of the last event.
    pub last: &'static str,
}

/// How far a stream is.
#[derive(Default)]
pub struct Pieces {
    started: bool,
    ended: bool,
}

impl Pieces {
    /// Reads an event; `used` reads the usage of the last.
    pub fn event(
        &mut self,
        types: &Types,
        root: Node<'_>,
        used: impl FnOnce() -> Option<Usage>,
        out: &mut dyn FnMut(Event<'_>),
    ) {
        if self.ended {
            return;
        }
        if !std::mem::replace(&mut self.started, true) {
            out(Event::Start { id: Str::default(), model: Str::default(), created: None });
        }
        let kind = root.get("type").and_then(Node::text).unwrap_or_default();
        if kind.ends_with(types.last) {
            self.ended = true;
            if let Some(usage) = used() {
                out(Event::Usage { usage, service_tier: None });
            }
            return out(Event::End);
        }
        if types.pieces.iter().any(|piece| kind.ends_with(piece)) {
            return out(Event::Ping);
        }
        match error::in_answer(root.get("error"), root) {
            Some(error) => {
                self.ended = true;
                out(Event::Error(error));
            }
            None => out(Event::Unknown),
        }
    }

    /// The end of the bytes, which is an error before the last event.
    pub fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        if !std::mem::replace(&mut self.ended, true) {
            out(Event::Error(Error::new(Kind::BadAnswer, "the stream ended before its finish")));
        }
    }
}
