//! How far the estimate of tokens is from what OpenAI's tokenizers count. The table of errors:
//! `cargo test --test estimate -- --nocapture`.
#![expect(clippy::cast_precision_loss, clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;

use dragoman::client::estimate;

/// The most that an estimate is off the geometric mean of both tokenizers: of Latin, Greek and Cyrillic scripts and of code;
/// of others.
const WITHIN: [f64; 2] = [0.2, 0.1];
/// Off English and code by either tokenizer.
const NEAR: f64 = 0.12;

/// Languages whose scripts are no alphabets with vowels and spaces.
const OTHERS: &[&str] = &["arabic", "chinese", "hebrew", "hindi", "japanese", "korean", "thai"];

/// Code of this project, in its languages.
const CODE: &[(&str, &str)] = &[
    ("Rust", "src/gateway.rs"),
    ("Python", "tests/e2e/conftest.py"),
    ("shell", "tests/toolchain.sh"),
    ("YAML", "envoy/gateway.yaml"),
    ("protobuf", "tests/e2e/ratelimit.proto"),
    ("JSON", "src/config/tests/example.json"),
    ("Markdown", "README.md"),
];

fn read(path: &Path) -> String {
    // Beyond this they only say the same again, slowly.
    std::fs::read_to_string(path).unwrap().chars().take(12_000).collect()
}

#[test]
fn estimates_are_near_what_tokenizers_count() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<(String, String)> = Vec::new();
    for entry in std::fs::read_dir(root.join("tests/texts")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            texts.push((path.file_stem().unwrap().to_string_lossy().into_owned(), read(&path)));
        }
    }
    texts.sort();
    assert!(texts.len() >= 8);
    texts.extend(CODE.iter().map(|(name, path)| ((*name).to_owned(), read(&root.join(path)))));

    let tokenizers = [tiktoken_rs::o200k_base().unwrap(), tiktoken_rs::cl100k_base().unwrap()];
    let mut far = Vec::new();
    println!("{:12}{:>9}{:>9}{:>9}{:>8}{:>8}{:>8}", "", "estimate", "o200k", "cl100k", "o200k", "cl100k", "mean");
    for (name, text) in texts {
        let estimate = estimate::of_text(&text) as f64;
        let [o200k, cl100k] = tokenizers.each_ref().map(|tokenizer| tokenizer.encode_ordinary(&text).len() as f64);
        let off = [o200k, cl100k, (o200k * cl100k).sqrt()].map(|count| estimate / count - 1.0);
        let [by_o200k, by_cl100k, by_mean] = off.map(|off| 100.0 * off);
        println!("{name:12}{estimate:9}{o200k:9}{cl100k:9}{by_o200k:+7.0}%{by_cl100k:+7.0}%{by_mean:+7.0}%");
        let code = name == "english" || CODE.iter().any(|(other, _)| *other == name);
        let most = WITHIN[usize::from(OTHERS.contains(&&*name))];
        if off[2].abs() > most || code && off[..2].iter().any(|off| off.abs() > NEAR) {
            far.push(name);
        }
    }
    assert!(far.is_empty(), "too far: {far:?}");
}
