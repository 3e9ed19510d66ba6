//! Limits and budgets that hold for all workers of a host, with no store beside it.
//!
//! A call [reserves](Limiter::reserve) from every subject that limits it (its key, its team, its model, the key at that model,
//! the account at a provider) or from none, and [settles](settle) when it is over. All that is known of a subject
//! stands in one [entry](entry::Entry) of the host's shared data, which is read, changed and put in the place of what was
//! read, again from the start if another worker came first. So what is reserved and what is settled never exceed a limit
//! when a call is let in, however many calls come at once. What a call used above its reservation is debt: it is taken from
//! the windows that follow.
//!
//! A minute's window begins with the first call after the one before has ended; those of budgets are the calendar's
//! ([`Period`]). What a VM has reserved is summed under its [lease]: when a VM dies, others give back for it.
//!
//! Here nothing is decided about calls: `gateway/allowance.rs` says what a call needs and who it is taken from.

mod entry;
mod lease;
mod limiter;
mod period;
pub mod standing;
mod typical;

#[cfg(test)]
mod tests;

pub use limiter::{Claim, Limiter, Refused, Reservation, TICK, charge, settle};
pub use period::Period;
pub use standing::{Standing, Window};

/// What the windows of a subject allow. Nothing is limited that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls in a minute.
    pub rpm: Option<u64>,
    /// Tokens in a minute, input and output.
    pub tpm: Option<u64>,
    /// Input tokens in a minute.
    pub input_tpm: Option<u64>,
    /// Calls at once.
    pub parallel: Option<u64>,
    /// Money.
    pub budget: Option<Budget>,
}

impl Limits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether what counts is known only from the request's text.
    pub fn counts_tokens(&self) -> bool {
        self.tpm.is_some() || self.input_tpm.is_some()
    }
}

/// What may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How much, in nanodollars.
    pub limit: u64,
    /// In what time.
    pub per: Period,
    /// What was spent before the count began, in nanodollars. Counts once for each value that it takes, in the window in
    /// which it is first seen: the count is at least this then.
    pub spent: u64,
}

/// What a call may come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// What the input costs, in nanodollars.
    pub input_cost: u64,
    /// What input and output cost, in nanodollars.
    pub cost: u64,
}

impl Need {
    /// Input and output tokens.
    pub fn tokens(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// What is charged for the call even if nobody comes back to settle.
    fn of_input(self) -> Self {
        Self { output: 0, cost: self.input_cost, ..self }
    }
}

/// What a call has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// What they cost, in nanodollars. Where it is not known, what was reserved stands.
    pub cost: Option<u64>,
}

/// Where entries are kept, for all workers.
pub trait Store {
    /// The value under `key` and its version; an empty value, and a version that no value has, where there is none.
    fn get(&mut self, key: &str) -> Result<(Vec<u8>, u32), Broken>;

    /// Puts a value in the place of the one of that version. Whether it was still there.
    fn set(&mut self, key: &str, value: &[u8], version: u32) -> Result<bool, Broken>;
}

/// The store does not answer: nobody can be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// Which limit a call does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Money.
    Budget,
    /// Input tokens in a minute.
    InputTokens,
    /// Calls at once.
    Parallel,
    /// Calls in a minute.
    Requests,
    /// Tokens in a minute.
    Tokens,
}

impl Reason {
    /// The word in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::InputTokens | Self::Tokens => "tpm",
            Self::Parallel => "parallel",
            Self::Requests => "rpm",
        }
    }
}

/// Why a subject does not let a call in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which limit.
    pub reason: Reason,
    /// The limit.
    pub limit: u64,
    /// How much of it is left.
    pub left: u64,
    /// How much the call needs.
    pub need: u64,
    /// For how long, in milliseconds, as far as is known now; `None` for ever.
    pub wait: Option<u64>,
}

impl Refusal {
    /// Whether the call is more than the whole limit.
    pub fn is_too_large(&self) -> bool {
        self.need > self.limit
    }
}
