//! Any request, to any provider: the first line is `PATH UPSTREAM POLICY`, the rest the body.
#![no_main]

use std::sync::LazyLock;

use dragoman::config::Config;
use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../driver/mod.rs"]
mod driver;

use driver::{Route, checks, configs};

static CONFIGS: LazyLock<[Config; 2]> = LazyLock::new(configs::everywhere);

/// The paths, by the word that stands for each.
const PATHS: [(&str, &str); 4] = [
    ("chat", "/v1/chat/completions"),
    ("messages", "/v1/messages"),
    ("count", "/v1/messages/count_tokens"),
    ("responses", "/v1/responses"),
];

fuzz_target!(|input: &[u8]| {
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, body) = input.split_at(at);
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let word_of_path = word();
    let path = PATHS.iter().find(|(word, _)| *word == word_of_path).map_or(PATHS[0].1, |(_, path)| path);
    let upstream = word();
    let config = &CONFIGS[usize::from(word() == "reject")];
    // A word that is no upstream stands for one all the same.
    let sum = upstream.bytes().fold(0, |sum, byte| sum * 31 % 4093 + usize::from(byte));
    let known = config.upstreams.iter().any(|known| known.name == upstream);
    let upstream = if known { upstream } else { &config.upstreams[sum % config.upstreams.len()].name };
    checks::request(&Route::new(config, upstream, path), body.get(1..).unwrap_or_default());
});
