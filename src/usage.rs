//! What a call used, in one shape for every provider.

/// Counts of tokens. `input` includes what was read from and written to a cache, `output` includes reasoning, so that
/// nothing is counted twice whatever a provider calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input.
    pub input: u64,
    /// All output.
    pub output: u64,
    /// The part of `input` read from a cache.
    pub cache_read: u64,
    /// The part of `input` written to a cache, whatever its lifetime.
    pub cache_write: u64,
    /// The part of `cache_write` that is kept for an hour.
    pub cache_write_1h: u64,
    /// The part of `output` that is reasoning.
    pub reasoning: u64,
    /// The part of `input` that is audio.
    pub input_audio: u64,
    /// The part of `output` that is audio.
    pub output_audio: u64,
}

impl Usage {
    /// Input and output.
    pub fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}
