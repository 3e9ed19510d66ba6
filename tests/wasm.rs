//! The core as wasm32, in Node: what the native tests cannot see, such as 32-bit lengths and wasm SIMD.
#![cfg(target_arch = "wasm32")]

use dragoman::provider::{Address, PROVIDERS};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn the_catalogue_holds_addresses_that_paths_can_follow() {
    for provider in PROVIDERS {
        if let Address::Fixed(address) = provider.address {
            assert!(!address.ends_with('/'), "{}", provider.id);
        }
    }
}
