//! How credentials become headers of a finished request: keys that take turns and rest ([`rest`]), tokens that are
//! fetched and kept fresh ([`token`]), and signatures ([`sigv4`]).

pub mod rest;
pub mod sigv4;
pub mod token;

use crate::config::{Secret, Upstream};
use token::Source;

/// What is known of credentials at the moment. The host's part looks it up where all workers keep it.
pub trait Keyring {
    /// The token of a source, if there is one that is valid.
    fn token(&self, source: &Source) -> Option<Secret>;

    /// Whether an upstream or all of its keys rest, as far as its model of this name goes.
    fn rests(&self, upstream: &Upstream, model: &str) -> bool;
}
