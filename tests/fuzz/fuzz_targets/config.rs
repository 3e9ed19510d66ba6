//! Any configuration, as JSON and as what a host makes of a Struct.
#![no_main]

use dragoman::config::structure;
use dragoman::json::Doc;
use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../driver/mod.rs"]
mod driver;

use driver::configs;

fuzz_target!(|document: &[u8]| {
    configs::check(document, "smart");
    if let Some(json) = structure::to_json(document) {
        Doc::lenient(&json).expect("a Struct is JSON");
        configs::check(&json, "smart");
    }
});
