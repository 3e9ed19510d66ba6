//! Every case under `tests/golden/`: what a client sends, what the upstream gets, what it answers, what the client gets.
//!
//! A case is a folder `CLIENT-UPSTREAM/NAME`, where `CLIENT` is a client format, and `UPSTREAM` names an upstream of
//! `config.json`:
//!
//! | file | what it is |
//! |---|---|
//! | `case.json` | optional: `path`, `headers` (the client's), `status` and `response_headers` (the upstream's), `now` |
//! | `request.json` | what the client sends |
//! | `upstream.json` | golden: path, headers, body, dropped parameters |
//! | `refusal.json` | golden, in the place of `upstream.json`: the error that the client gets at once |
//! | `response.json`, `.sse`, `.ndjson`, `.html` | what the upstream answers |
//! | `client.json`, `client.sse` | golden: what the client gets |
//! | `usage.json` | golden: what was used, and how it ended |
//!
//! `UPDATE=1` writes the golden files anew. Each stream is replayed cut at every byte (a long one at a thousand of them),
//! byte by byte, with CRLF, and interleaved with itself, and every answer is held to the laws of `dragoman::event`.
//! `tests/wasm.rs` runs the same cases as wasm32.
#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics"
)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod driver;

use std::panic::{AssertUnwindSafe, catch_unwind};

use driver::{Case, Tree, golden};

#[test]
fn golden_cases() {
    let tree = Tree::load();
    let update = std::env::var_os("UPDATE").is_some();
    let check = |case: &Case| {
        let files = golden::run(case, &tree.config);
        if update {
            files
                .iter()
                .for_each(|(file, bytes)| std::fs::write(driver::root().join(&case.name).join(file), bytes).unwrap());
        } else {
            golden::compare(case, &files);
        }
    };
    let failed: Vec<_> = tree
        .cases
        .iter()
        .filter(|case| catch_unwind(AssertUnwindSafe(|| check(case))).is_err())
        .map(|c| &c.name)
        .collect();
    assert!(!tree.cases.is_empty(), "no cases");
    assert!(failed.is_empty(), "{} of {} cases failed: {failed:#?}", failed.len(), tree.cases.len());
}
