//! What must hold of any input: of requests, answers and configurations that are nearly right, and of any bytes.
//!
//! `PROPTEST_CASES` and `PROPTEST_RNG_SEED` of the library [`proptest`] set how many inputs are tried, and which. By
//! default they are the same in every run; `make fuzz` tries others.
#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics"
)]

mod config;
#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../driver/mod.rs"]
mod driver;
mod frames;
mod gateway;
mod replies;
mod requests;

use std::sync::LazyLock;

use driver::Tree;
use driver::mutate::Mutation;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The golden cases, which inputs are made of.
static TREE: LazyLock<Tree> = LazyLock::new(Tree::load);

/// So many inputs, unless the environment says otherwise.
fn cases(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases },
        rng_seed: match default.rng_seed {
            RngSeed::Random => RngSeed::Fixed(0),
            seed @ RngSeed::Fixed(_) => seed,
        },
        failure_persistence: None,
        ..default
    }
}

/// Up to `most` changes to a document.
fn mutations(most: usize) -> impl Strategy<Value = Vec<Mutation>> {
    let mutation = (0..4096_usize, any::<u8>(), any::<u16>());
    let mutation = mutation.prop_map(|(place, kind, choice)| Mutation { place, kind, choice: choice.into() });
    vec(mutation, 0..=most)
}

/// Bytes that a failure shows as text.
#[derive(Clone)]
struct Text(Vec<u8>);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.escape_ascii().to_string().replace("\\\"", "\""))
    }
}

/// Bytes that are cut off, put in or taken out, as text that was sent may be.
fn torn(bytes: Vec<u8>) -> impl Strategy<Value = Text> {
    let tear = (any::<prop::sample::Index>(), 0..4_usize, vec(any::<u8>(), 0..4));
    prop_oneof![
        8 => Just(Text(bytes.clone())),
        1 => tear.prop_map(move |(at, gone, new)| {
            let mut torn = bytes.clone();
            let at = at.index(bytes.len() + 1);
            torn.splice(at..(at + gone).min(bytes.len()), new);
            Text(torn)
        }),
    ]
}
