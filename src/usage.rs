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
    /// The part of `input` that is images.
    pub input_image: u64,
    /// The part of `output` that is audio.
    pub output_audio: u64,
    /// The part of `output` that is images.
    pub output_image: u64,
    /// Images that were made, where the provider is paid by the piece.
    pub images: u64,
    /// Searches, where the provider is paid by them and a call may be more than one.
    pub requests: u64,
    /// Characters that were read aloud.
    pub characters: u64,
    /// Milliseconds of a recording that was written down.
    pub milliseconds: u64,
}

impl Usage {
    /// Adds what another call, or another attempt at this one, used.
    pub fn add(&mut self, other: &Self) {
        let fields = [
            (&mut self.input, other.input),
            (&mut self.output, other.output),
            (&mut self.cache_read, other.cache_read),
            (&mut self.cache_write, other.cache_write),
            (&mut self.cache_write_1h, other.cache_write_1h),
            (&mut self.reasoning, other.reasoning),
            (&mut self.input_audio, other.input_audio),
            (&mut self.input_image, other.input_image),
            (&mut self.output_audio, other.output_audio),
            (&mut self.output_image, other.output_image),
            (&mut self.images, other.images),
            (&mut self.requests, other.requests),
            (&mut self.characters, other.characters),
            (&mut self.milliseconds, other.milliseconds),
        ];
        fields.into_iter().for_each(|(sum, count)| *sum = sum.saturating_add(count));
    }

    /// Input and output.
    pub fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}
