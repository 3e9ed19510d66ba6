//! How fast an upstream answers, as calls have shown: moving averages, in one entry of the host's shared data for each model
//! and upstream.

/// The first byte of an entry: another layout is another number, and what it holds is not read.
const LAYOUT: u8 = 1;

/// How much of a new sample goes into an average: one part of so many.
const PART: u64 = 5;

/// The tokens of an answer for which upstreams are compared.
const TYPICAL: u64 = 200;

/// The longest that counts, in milliseconds and in microseconds per token: no sum overflows.
const LONGEST: u64 = 3_600_000;

/// The averages of one upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Microseconds to the first token.
    first: Option<u64>,
    /// Microseconds for each token after it.
    per_token: Option<u64>,
}

/// What one answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Milliseconds to the first token, where that is known.
    pub first: Option<u64>,
    /// Microseconds for each token after it, or for each of all, where that is known.
    pub per_token: Option<u64>,
}

/// Where the entry of a model's upstream stands.
pub fn key(model: &str, upstream: &str) -> String {
    // No name of an upstream holds the sign between.
    format!("dragoman.latency.{upstream}|{model}")
}

impl Latency {
    /// With one more sample.
    pub fn with(self, sample: &Sample) -> Self {
        let average = |old: Option<u64>, new: u64| match old {
            None => new,
            Some(old) => (old.saturating_mul(PART.saturating_sub(1)).saturating_add(new)) / PART,
        };
        let first = sample.first.map(|first| first.min(LONGEST).saturating_mul(1000));
        let per_token = sample.per_token.map(|each| each.min(LONGEST));
        Self {
            first: first.map(|first| average(self.first, first)).or(self.first),
            per_token: per_token.map(|each| average(self.per_token, each)).or(self.per_token),
        }
    }

    /// How long a typical answer may take, in microseconds; at least 1.
    pub fn expected(&self) -> u64 {
        let writing = self.per_token.unwrap_or(0).saturating_mul(TYPICAL);
        self.first.unwrap_or(0).saturating_add(writing).max(1)
    }

    /// The averages as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let number = |value: Option<u64>| value.map_or(u64::MAX, |value| value.min(u64::MAX >> 1)).to_le_bytes();
        [&[LAYOUT][..], &number(self.first), &number(self.per_token)].concat()
    }

    /// Averages from their bytes, if they are that.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[LAYOUT], rest) = bytes.split_first_chunk::<1>()? else { return None };
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let number = |bytes: [u8; 8]| Some(u64::from_le_bytes(bytes)).filter(|number| *number != u64::MAX);
        Some(Self { first: number(*first), per_token: number(rest.try_into().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn averages_follow_the_samples() {
        let sample = |first, per_token| Sample { first: Some(first), per_token };
        let latency = Latency::default().with(&sample(100, Some(1000)));
        assert_eq!(latency.expected(), 100_000 + 200 * 1000);
        let latency = latency.with(&sample(600, None));
        assert_eq!(latency.expected(), 200_000 + 200 * 1000);
        let settled = (0..100).fold(latency, |latency, _| latency.with(&sample(50, Some(10))));
        assert!(settled.expected() < 55_000, "{}", settled.expected());
        assert_eq!(Latency::default().expected(), 1);
        let slow = (0..3).fold(latency, |latency, _| latency.with(&sample(u64::MAX, Some(u64::MAX))));
        assert!(slow.expected() > latency.expected());
    }

    #[test]
    fn averages_are_bytes() {
        for latency in [
            Latency::default(),
            Latency { first: Some(0), per_token: None },
            Latency { first: Some(7), per_token: Some(u64::MAX >> 1) },
        ] {
            assert_eq!(Latency::decode(&latency.encode()), Some(latency));
        }
        for bytes in [&b""[..], b"\x01", b"\x02aaaaaaaabbbbbbbb", b"\x01aaaaaaaabbbbbbbbc"] {
            assert_eq!(Latency::decode(bytes), None);
        }
    }
}
