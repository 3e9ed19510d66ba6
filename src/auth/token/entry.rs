//! What is kept of a source, for all to see: its token, and when to ask for the next.
//!
//! One of many asks at a time: who finds an entry [due](Entry::is_due) [claims](Entry::claim) it, and only who wins the
//! race to write that down goes on. A claim is nothing but a later time to ask, so one that is never made good ends by
//! itself. A token that failed to be renewed stays until it ends.

use super::Token;
use crate::config::Secret;

/// How long a claim holds, in milliseconds: longer than any request for a token may take.
pub const LEASE: u64 = 15_000;

/// The shortest time from one request to the next, in milliseconds.
const SHORTEST: u64 = 500;

/// The longest, after many failures.
const LONGEST: u64 = 60_000;

/// How long after a token came it may be doubted: a provider that refuses each new one shall not have us ask all day.
const TRUST: u64 = 60_000;

/// What is kept of a source. Times are in unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When to ask for a token.
    next: u64,
    /// How often in a row that failed.
    failures: u32,
    /// When the token came.
    fetched: u64,
    /// When it ends.
    ends: u64,
    token: Secret,
}

impl Default for Entry {
    fn default() -> Self {
        Self { next: 0, failures: 0, fetched: 0, ends: 0, token: Secret::new("") }
    }
}

impl Entry {
    /// Whether it is time to ask.
    pub fn is_due(&self, now: u64) -> bool {
        now >= self.next
    }

    /// The token, if it is valid.
    pub fn token(&self, now: u64) -> Option<&Secret> {
        (now < self.ends).then_some(&self.token)
    }

    /// When the token came; 0 if none ever did.
    pub fn fetched(&self) -> u64 {
        self.fetched
    }

    /// Somebody asks now.
    pub fn claim(&mut self, now: u64) {
        self.next = now.saturating_add(LEASE);
    }

    /// A token came that was asked for at `asked`. The next is wanted when a quarter of its life is left.
    pub fn succeed(&mut self, token: Token, asked: u64, now: u64) {
        let wanted = token.refresh.unwrap_or(u64::MAX).min(token.lifetime.saturating_sub(token.lifetime / 4));
        *self = Self {
            next: asked.saturating_add(wanted).max(now.saturating_add(SHORTEST)),
            failures: 0,
            fetched: now,
            ends: asked.saturating_add(token.lifetime),
            token: token.secret,
        };
    }

    /// No token came. Each failure in a row doubles the time until the next request; the issuer may ask for more.
    pub fn fail(&mut self, now: u64, retry_after: Option<u64>) {
        let wait = SHORTEST.checked_shl(self.failures).unwrap_or(LONGEST).min(LONGEST);
        self.failures = self.failures.saturating_add(1).min(16);
        self.next = now.saturating_add(wait.max(retry_after.unwrap_or(0).min(LONGEST)));
    }

    /// A provider has refused the token: asks for another at once, unless it has only just come, or somebody is about to
    /// ask. Whether that changed anything.
    pub fn doubt(&mut self, now: u64) -> bool {
        let soon = self.next <= now.saturating_add(LEASE);
        let doubted = self.failures == 0 && now >= self.fetched.saturating_add(TRUST) && !soon;
        if doubted {
            self.next = now;
        }
        doubted
    }

    /// The entry as bytes: a version, the numbers, the token.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for number in [self.next, u64::from(self.failures), self.fetched, self.ends] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(self.token.reveal().as_bytes());
        bytes
    }

    /// An entry from its bytes; the default one if they are something else.
    pub fn decode(bytes: &[u8]) -> Self {
        parse(bytes).unwrap_or_default()
    }
}

/// The layout of the bytes.
const VERSION: u8 = 1;

fn parse(bytes: &[u8]) -> Option<Entry> {
    let (version, mut rest) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    let mut number = || {
        let (number, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        Some(u64::from_le_bytes(*number))
    };
    let (next, failures, fetched, ends) = (number()?, number()?, number()?, number()?);
    let failures = u32::try_from(failures).ok()?;
    let token = Secret::new(std::str::from_utf8(rest).ok()?);
    Some(Entry { next, failures, fetched, ends, token })
}
