//! Bodies of requests, in parts: what came in is not copied where it stays as it is.

use std::ops::Range;

/// A part of a body to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A range of the body that came in.
    Kept(Range<usize>),
    /// Something else.
    New(Vec<u8>),
}

impl Piece {
    /// How long the body is.
    pub fn total(pieces: &[Self]) -> usize {
        pieces.iter().fold(0, |sum, piece| {
            sum.saturating_add(match piece {
                Self::Kept(range) => range.len(),
                Self::New(bytes) => bytes.len(),
            })
        })
    }

    /// Its bytes, where `received` came in.
    pub fn bytes<'p>(&'p self, received: &'p [u8]) -> &'p [u8] {
        match self {
            Self::Kept(range) => received.get(range.clone()).unwrap_or_default(),
            Self::New(bytes) => bytes,
        }
    }

    /// The body in one, where `received` came in.
    pub fn join(pieces: &[Self], received: &[u8]) -> Vec<u8> {
        let mut all = Vec::with_capacity(Self::total(pieces));
        pieces.iter().for_each(|piece| all.extend_from_slice(piece.bytes(received)));
        all
    }
}
