//! The golden cases as wasm32, in Node: what the native run cannot see, such as 32-bit lengths and wasm SIMD. The unit
//! tests run there too, by the same command.
#![cfg(target_arch = "wasm32")]
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

use driver::{Tree, golden};
use include_dir::{Dir, include_dir};
use wasm_bindgen_test::wasm_bindgen_test;

static GOLDEN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tests/golden");

#[wasm_bindgen_test]
fn golden_cases() {
    let mut files = Vec::new();
    let mut folders = vec![&GOLDEN];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        let file = |f: &include_dir::File<'_>| (f.path().to_str().unwrap().to_owned(), f.contents().to_owned());
        files.extend(folder.files().map(file));
    }
    let tree = Tree::new(files);
    assert!(!tree.cases.is_empty(), "no cases");
    tree.cases.iter().for_each(|case| golden::compare(case, &golden::run(case, &tree.config)));
}
