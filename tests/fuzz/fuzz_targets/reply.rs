//! Any answer to the request of a golden case: the first line is `CASE STREAM STATUS SIZE TYPE`, the rest the body, which
//! comes in parts of that size.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../driver/mod.rs"]
mod driver;

use driver::{Case, Head, Tree, checks};

static TREE: LazyLock<Tree> = LazyLock::new(Tree::load);

/// The cases that have an answer.
static ANSWERED: LazyLock<Vec<&Case>> =
    LazyLock::new(|| TREE.cases.iter().filter(|case| case.responses().next().is_some()).collect());

fuzz_target!(|input: &[u8]| {
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, body) = input.split_at(at);
    let body = body.get(1..).unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let name = word();
    // A word that is no case stands for one all the same.
    let sum = name.bytes().fold(0, |sum, byte| sum * 31 % 4093 + usize::from(byte));
    let case = ANSWERED.iter().find(|case| case.name == name).unwrap_or(&ANSWERED[sum % ANSWERED.len()]);
    let mut request: serde_json::Value = serde_json::from_slice(case.request()).unwrap();
    request["stream"] = (word() != "whole").into();
    let request = request.to_string().into_bytes();
    let status = word().parse().unwrap_or(200);
    let size = word().parse().unwrap_or(usize::MAX).max(1);
    let headers = [("content-type", if word() == "json" { "application/json" } else { "text/event-stream" })];
    let head = Head { status, headers: headers.into_iter().collect() };
    checks::reply(&case.route(&TREE.config), &request, &head, body.chunks(size));
});
