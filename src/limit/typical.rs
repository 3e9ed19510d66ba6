//! How long answers are, by key and model: the output under which nineteen of twenty stay.
//!
//! Known to one VM alone, and forgotten with it.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

/// So many answers say something.
const ENOUGH: u32 = 10;

/// Of so many answers half are forgotten, so that the latest count most. Fits a byte.
const FULL: u32 = 200;

/// The most pairs that are known; then all are forgotten.
const MOST: usize = 4096;

/// Steps in which lengths are told apart: four to each doubling, up to what no model writes.
const STEPS: usize = 96;

/// What is known.
#[derive(Debug, Default)]
pub struct Typical(FxHashMap<u64, Histogram>);

#[derive(Debug)]
struct Histogram([u8; STEPS]);

impl Typical {
    /// Takes note of an answer.
    pub fn note(&mut self, key: &str, model: &str, output: u64) {
        let pair = pair(key, model);
        if self.0.len() >= MOST && !self.0.contains_key(&pair) {
            self.0.clear();
        }
        let Histogram(counts) = self.0.entry(pair).or_insert(Histogram([0; STEPS]));
        if let Some(count) = counts.get_mut(step(output)) {
            *count = count.saturating_add(1);
        }
        if counts.iter().map(|count| u32::from(*count)).sum::<u32>() >= FULL {
            counts.iter_mut().for_each(|count| *count /= 2);
        }
    }

    /// The output tokens that an answer will most probably not exceed, if enough is known to say. A quarter too much at most.
    pub fn output(&self, key: &str, model: &str) -> Option<u64> {
        let Histogram(counts) = self.0.get(&pair(key, model))?;
        let total: u32 = counts.iter().map(|count| u32::from(*count)).sum();
        let mut below = 0_u32;
        let at = counts.iter().position(|count| {
            below = below.saturating_add(u32::from(*count));
            below.saturating_mul(100) >= total.saturating_mul(95)
        });
        at.filter(|_| total >= ENOUGH).map(most)
    }
}

fn pair(key: &str, model: &str) -> u64 {
    let mut hasher = FxHasher::default();
    (key, model).hash(&mut hasher);
    hasher.finish()
}

/// The step of a number: its two bits behind the first.
fn step(output: u64) -> usize {
    let output = output.max(4);
    let doublings = output.ilog2();
    let quarter = output >> doublings.saturating_sub(2) & 3;
    let step = u64::from(doublings.saturating_sub(2)).saturating_mul(4).saturating_add(quarter);
    usize::try_from(step).unwrap_or(STEPS).min(STEPS.saturating_sub(1))
}

/// The largest number of a step.
fn most(step: usize) -> u64 {
    let (doublings, quarter) = (step / 4, step % 4);
    let next = u64::try_from(quarter).unwrap_or(0).saturating_add(5);
    (next << doublings).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn steps_hold_their_numbers() {
        for output in (0..100_000).chain([1 << 20, (1 << 24) - 1]) {
            let most = most(step(output));
            assert!(most >= output && most <= (output + output / 4).max(4), "{output} {most}");
        }
        assert_eq!(step(u64::MAX), STEPS - 1);
    }

    #[test]
    fn nineteen_of_twenty_stay_below() {
        let mut typical = Typical::default();
        for answer in 0..ENOUGH {
            assert_eq!(typical.output("k", "m"), None);
            typical.note("k", "m", if answer == 0 { 5000 } else { 100 });
        }
        // One of ten is more than one of twenty.
        assert_eq!(typical.output("k", "m"), Some(5119));
        (0..10).for_each(|_| typical.note("k", "m", 100));
        assert_eq!(typical.output("k", "m"), Some(111));
        assert_eq!(typical.output("k", "other"), None);
        // What was once is forgotten in time.
        (0..1000).for_each(|_| typical.note("k", "m", 1000));
        assert_eq!(typical.output("k", "m"), Some(1023));
    }

    #[test]
    fn what_is_known_has_an_end() {
        let mut typical = Typical::default();
        (0..MOST * 2 + 1).for_each(|key| typical.note(&key.to_string(), "m", 1));
        assert!(typical.0.len() <= MOST);
    }
}
