//! The catalogue against the golden cases: each way in which a provider differs from others is shown by some case.
//!
//! A row is covered by the cases of an upstream of it in `tests/golden/config.json`, or of another row that differs in the
//! same things. `src/provider/mod.rs` holds the rows themselves to their form.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dragoman::format::{Format, Operation};
use dragoman::provider::{Address, Effort, PROVIDERS, Provider, Quirks, Surface, Thought, Vectors};
use serde_json::Value;

/// A case: its folder, its upstream's provider, and what the client sends.
struct Case {
    folder: PathBuf,
    provider: &'static Provider,
    request: Value,
    sent: Value,
}

impl Case {
    /// The path upstream, without its query.
    fn path(&self) -> &str {
        self.sent["headers"][":path"].as_str().unwrap_or_default().split('?').next().unwrap_or_default()
    }

    fn client(&self) -> String {
        let pair = self.folder.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
        pair.split('-').next().unwrap_or_default().to_owned()
    }
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let read = |path: PathBuf| std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let config: Value = read(root.join("config.json")).unwrap();
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let mut found = Vec::new();
    for pair in folders(&root) {
        let name = pair.file_name().unwrap().to_string_lossy().into_owned();
        let (_, upstream) = name.split_once('-').unwrap();
        let id = config["upstreams"][upstream]["provider"].as_str().unwrap_or_default().to_owned();
        let provider = dragoman::provider::find(&id).unwrap();
        for folder in folders(&pair) {
            let request = read(folder.join("request.json")).unwrap_or_default();
            let sent = read(folder.join("upstream.json")).unwrap_or_default();
            found.push(Case { folder, provider, request, sent });
        }
    }
    assert!(!found.is_empty());
    found
}

/// The cases that show how a row generates: of rows with the same differences.
fn generating<'c>(cases: &'c [Case], row: &Provider) -> impl Iterator<Item = &'c Case> {
    let quirks = row.quirks;
    cases.iter().filter(move |case| case.provider.quirks == quirks && case.client() != "embeddings")
}

fn surfaces(row: &'static Provider, operation: Operation) -> impl Iterator<Item = &'static Surface> {
    row.surfaces.iter().filter(move |surface| surface.operation == operation)
}

/// Whether a path upstream is that of a surface.
fn is_of(path: &str, template: &str) -> bool {
    let template = template.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = template.split(['{', '}']).step_by(2).collect();
    match parts.as_slice() {
        [only] => path.ends_with(only),
        [first, .., last] => path.contains(first) && path.ends_with(last),
        [] => false,
    }
}

#[test]
fn every_format_of_a_row_is_shown() {
    let cases = cases();
    for row in PROVIDERS {
        for surface in row.surfaces {
            let client = if surface.operation == Operation::Embed { "embeddings" } else { "" };
            let shown = cases.iter().any(|case| {
                let same = case.provider.surfaces.iter().any(|other| {
                    (other.format, other.operation, other.path) == (surface.format, surface.operation, surface.path)
                });
                same && is_of(case.path(), surface.path.0) && (client.is_empty() || case.client() == client)
            });
            assert!(shown, "{}: no golden case goes to `{}`", row.id, surface.path.0);
        }
    }
}

#[test]
fn every_quirk_of_a_row_is_shown() {
    let cases = cases();
    for row in PROVIDERS.iter().filter(|row| surfaces(row, Operation::Generate).any(|s| s.format == Format::Chat)) {
        assert!(generating(&cases, row).next().is_some(), "{}: no golden case of a row with its quirks", row.id);
        for (quirk, shown) in quirks(&row.quirks) {
            assert!(generating(&cases, row).any(shown), "{}: no golden case shows `{quirk}`", row.id);
        }
    }
}

type Shown = Box<dyn Fn(&Case) -> bool>;

/// Each quirk, with what a case looks like that shows it.
fn quirks(quirks: &Quirks) -> Vec<(String, Shown)> {
    let mut all: Vec<(String, Shown)> = Vec::new();
    let asks = |name: &'static str| move |case: &Case| !case.request[name].is_null();
    let sends = |name: &'static str| move |case: &Case| !case.sent["body"][name].is_null();
    let clamped = quirks.clamp.iter().map(|(name, ..)| *name);
    for name in quirks.drop.iter().copied().chain(clamped) {
        let reported = move |case: &Case| {
            asks(name)(case) && case.sent["dropped"].as_array().is_some_and(|dropped| dropped.iter().any(|d| d == name))
        };
        all.push((name.to_owned(), Box::new(reported)));
    }
    for &(ours, theirs) in quirks.rename.iter().chain(quirks.words) {
        all.push((ours.to_owned(), Box::new(move |case| asks(ours)(case) && sends(theirs)(case))));
    }
    for &name in quirks.lists {
        let listed = move |case: &Case| case.request[name].is_string() && case.sent["body"][name].is_array();
        all.push((name.to_owned(), Box::new(listed)));
    }
    for &(name, _) in quirks.set {
        all.push((name.to_owned(), Box::new(move |case| !asks(name)(case) && sends(name)(case))));
    }
    if let Effort::Switch { field, .. } = quirks.effort {
        all.push((field.to_owned(), Box::new(move |case| asks("reasoning_effort")(case) && sends(field)(case))));
    }
    if !quirks.stream_options {
        let silent = |case: &Case| case.request["stream"] == true && case.sent["body"]["stream_options"].is_null();
        all.push(("stream_options".to_owned(), Box::new(silent)));
    }
    let file = |case: &Case, name: &str| std::fs::read_to_string(case.folder.join(name)).unwrap_or_default();
    if let Thought::Field { says, takes } = quirks.thought {
        let said = move |case: &Case| {
            let answers = ["response.json", "response.sse"].map(|name| file(case, name)).concat();
            answers.contains(&format!("\"{says}\""))
        };
        all.push((says.to_owned(), Box::new(said)));
        let taken = move |case: &Case| case.sent["body"]["messages"].to_string().contains(&format!("\"{takes}\""));
        all.push((takes.to_owned(), Box::new(taken)));
    }
    if let Thought::Parts { .. } = quirks.thought {
        all.push(("content".to_owned(), Box::new(move |case| file(case, "response.json").contains("\"content\": ["))));
    }
    if let Some(flag) = quirks.prefill {
        let flagged =
            move |case: &Case| case.sent["body"]["messages"].to_string().contains(&format!("\"{flag}\":true"));
        all.push((flag.to_owned(), Box::new(flagged)));
    }
    all
}

#[test]
fn every_difference_of_embeddings_is_shown() {
    let cases = cases();
    for row in PROVIDERS.iter().filter(|row| surfaces(row, Operation::Embed).next().is_some()) {
        let same: Vec<&Case> =
            cases.iter().filter(|case| case.client() == "embeddings" && case.provider.vectors == row.vectors).collect();
        assert!(!same.is_empty(), "{}: no golden case of a row with its embeddings", row.id);
        let Some(vectors) = row.vectors else { continue };
        for (field, request) in shown_by(vectors) {
            let shown = same.iter().any(|case| !case.request[request].is_null() && !case.sent["body"][field].is_null());
            assert!(shown, "{}: no golden case shows `{field}` of its embeddings", row.id);
        }
    }
}

/// Fields of a request for embeddings upstream, each with the client's that it comes from.
fn shown_by(vectors: &Vectors) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![(vectors.input, "input")];
    all.extend(vectors.dimensions.map(|field| (field, "dimensions")));
    all.extend(vectors.base64.map(|(field, _)| (field, "encoding_format")));
    all.extend(vectors.task.map(|task| (task.field, "input_type")));
    all.extend(vectors.set.iter().map(|(field, _)| (*field, "input")));
    all
}

#[test]
fn every_feature_that_is_lacking_is_one_of_a_row_that_generates() {
    for row in PROVIDERS.iter().filter(|row| !row.lacks.is_empty()) {
        assert!(surfaces(row, Operation::Generate).next().is_some(), "{}", row.id);
    }
}

#[test]
fn rows_of_one_address_are_one_row() {
    let mut seen = BTreeSet::new();
    for row in PROVIDERS {
        if let Address::Fixed(address) = row.address {
            let known = ["qwen_ai_platform"].contains(&row.id);
            assert!(known || seen.insert(address), "{}: `{address}` is another row's too", row.id);
        }
    }
}
