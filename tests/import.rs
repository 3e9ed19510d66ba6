//! `dragoman import litellm`: realistic configurations become documents that the filter takes, and of every setting the
//! report says what became of it. One folder of `tests/import` per configuration:
//!
//! | file | |
//! |---|---|
//! | `config.yaml` | the proxy's configuration |
//! | `*.csv`, `*.json` | tables of its database |
//! | `dragoman.yaml` | golden: the document |
//! | `report.txt` | golden: the report |
//!
//! `UPDATE=1` writes the golden files anew. What is secret in a configuration holds the word `HUSH`, and no output does.
//! Calls through an imported document are tested in `tests/e2e`.
#![cfg(feature = "cli")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use dragoman::config::Config;
use serde_json::{Value, json};

/// What the proxy's environment holds, as far as its configuration asks for it.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("AZURE_BASE_EAST", "https://east.openai.azure.com"),
    ("LITELLM_MASTER_KEY", "sk-HUSH-master-0123456789abcdef"),
    ("LM_STUDIO_URL", "http://studio:1234/v1"),
    ("WATSONX_PROJECT", "11111111-2222-3333-4444-555555555555"),
];

/// 2027-01-15T00:00:00Z
const NOW: &str = "1799971200";

fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert_eq!(folders.len(), 10);
    folders
}

/// The tables beside a configuration.
fn dumps(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_dump = |path: &PathBuf| path.extension().is_some_and(|end| end == "csv" || end == "json");
    let mut dumps: Vec<PathBuf> = files.filter(is_dump).collect();
    dumps.sort();
    dumps
}

fn dragoman(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dragoman"));
    command.args(arguments).env_clear().envs(environment.iter().copied()).env("DRAGOMAN_NOW", NOW);
    command.output().unwrap()
}

/// The document and the report.
fn import(folder: &Path, more: &[&str]) -> (String, String) {
    let config = folder.join("config.yaml");
    let dumps = dumps(folder);
    let mut arguments = vec!["import", "litellm", config.to_str().unwrap()];
    for dump in &dumps {
        arguments.extend(["--keys", dump.to_str().unwrap()]);
    }
    arguments.extend(more);
    let asked = std::fs::read_to_string(&config).unwrap();
    let environment: Vec<_> = ENVIRONMENT.iter().copied().filter(|(name, _)| asked.contains(name)).collect();
    let output = dragoman(&arguments, &environment);
    let (document, report) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{folder:?}: {report}");
    assert!(!document.contains("HUSH") && !report.contains("HUSH"), "{folder:?}\n{document}\n{report}");
    (document, report)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn golden(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_else(|_| panic!("{path:?} is missing; UPDATE=1 writes it"));
    assert!(actual == expected, "{path:?} differs\n--- expected\n{expected}\n--- actual\n{actual}");
}

#[test]
fn configurations_become_documents() {
    for folder in folders() {
        let (document, report) = import(&folder, &[]);
        golden(&folder.join("dragoman.yaml"), &document);
        golden(&folder.join("report.txt"), &report);
    }
}

#[test]
fn what_can_be_kept_is_kept() {
    for (name, upstreams, models, keys) in [
        ("balancing", 10, 7, 0),
        ("clouds", 8, 8, 1),
        ("credentials", 8, 7, 0),
        ("everything-else", 1, 1, 2),
        ("fallbacks", 4, 5, 0),
        ("keys", 3, 3, 7),
        ("own-servers", 10, 10, 0),
        ("prices", 5, 5, 0),
        ("quickstart", 3, 4, 1),
        ("wildcards", 4, 7, 0),
    ] {
        let folder = folders().into_iter().find(|folder| folder.ends_with(name)).unwrap();
        let document: Value = serde_yaml_ng::from_str(&import(&folder, &[]).0).unwrap();
        let count = |member: &str| match &document[member] {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            _ => 0,
        };
        for (member, least) in [("upstreams", upstreams), ("models", models), ("keys", keys)] {
            assert!(count(member) >= least, "{name}: {} {member}", count(member));
        }
    }
}

/// The names of environment variables that a document asks for.
fn variables(document: &Value, out: &mut BTreeSet<String>) {
    match document {
        Value::Array(items) => items.iter().for_each(|item| variables(item, out)),
        Value::Object(members) => {
            out.extend(members.get("env").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| variables(member, out));
        }
        _ => {}
    }
}

/// A service account of Google's, as its console hands it out.
const SERVICE_ACCOUNT: &str = r#"{"type":"service_account","client_email":"a@b.iam.gserviceaccount.com","private_key_id":"k",
    "private_key":"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"}"#;

#[test]
fn documents_are_checked_and_rendered() {
    for folder in folders() {
        let (document, _) = import(&folder, &[]);
        let mut names = BTreeSet::new();
        variables(&serde_yaml_ng::from_str(&document).unwrap(), &mut names);
        let secret = |name: &str| if name.starts_with("GCP_") { SERVICE_ACCOUNT } else { "sk-test" };
        let environment: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), secret(name))).collect();
        let path = std::env::temp_dir().join(format!("dragoman-import-{}.yaml", std::process::id()));
        std::fs::write(&path, &document).unwrap();
        let path = path.to_str().unwrap();
        for command in ["check", "envoy"] {
            let output = dragoman(&[command, path], &environment);
            assert!(output.status.success(), "{folder:?}: {command}: {}\n{document}", text(output.stderr));
        }
        std::fs::remove_file(path).unwrap();
    }
}

/// The places of all values; a list of plain values is one.
fn places(value: &Value, place: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                places(value, &format!("{place}.{name}"), out);
            }
        }
        Value::Array(items) if items.iter().any(|item| !item.is_string() && !item.is_number()) => {
            for (at, item) in items.iter().enumerate() {
                places(item, &format!("{place}[{at}]"), out);
            }
        }
        _ => out.push(place.trim_start_matches('.').to_owned()),
    }
}

#[test]
fn every_setting_is_reported() {
    for folder in folders() {
        let (_, report) = import(&folder, &["--json"]);
        let report: Value = serde_json::from_str(&report).unwrap();
        let settings = report["settings"].as_array().unwrap();
        for setting in settings {
            let (result, note) = (setting["result"].as_str().unwrap(), setting["note"].as_str().unwrap());
            assert!(["exact", "approximate", "unsupported"].contains(&result), "{setting}");
            assert!(result == "exact" || !note.is_empty(), "{folder:?}: it does not say why: {setting}");
        }
        let config = std::fs::read_to_string(folder.join("config.yaml")).unwrap();
        let mut all = Vec::new();
        places(&serde_yaml_ng::from_str(&config).unwrap(), "", &mut all);
        for place in all {
            let holds = |from: &str| {
                place.strip_prefix(from).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let found = settings.iter().any(|setting| holds(setting["setting"].as_str().unwrap()));
            assert!(found, "{folder:?}: nothing is said of {place}");
        }
    }
}

#[test]
fn the_report_goes_where_it_is_wanted() {
    let folder = &folders()[0];
    let path = std::env::temp_dir().join(format!("dragoman-report-{}", std::process::id()));
    let (document, summary) = import(folder, &["--report", path.to_str().unwrap()]);
    let report = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(import(folder, &[]), (document, report.clone()));
    assert!(report.ends_with(&summary) && summary.lines().next().unwrap().ends_with(" unsupported"), "{summary}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = std::env::temp_dir().join(format!("dragoman-unread-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, content, fault) in [
        ("list.yaml", "- a\n", "list.yaml: expected a mapping"),
        ("broken.yaml", "model_list: [", "broken.yaml: "),
        ("include.yaml", "include: [nowhere.yaml]\n", "nowhere.yaml: "),
        ("include-text.yaml", "include: nowhere.yaml\n", "include-text.yaml: include: expected a list of files"),
        ("dump.csv", "a,b\n1,2\n", "dump.csv: a row has no column"),
        ("empty.yaml", "{}", "empty.yaml: no model of it can be reached"),
        ("lost.yaml", "model_list: [{model_name: a, litellm_params: {model: b}}]", "lost.yaml: no model of it can be"),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        let path = path.to_str().unwrap();
        let config = folders()[0].join("config.yaml");
        let arguments = match name {
            "dump.csv" => vec!["import", "litellm", config.to_str().unwrap(), "--keys", path],
            _ => vec!["import", "litellm", path],
        };
        let output = dragoman(&arguments, &[]);
        let message = text(output.stderr);
        assert!(!output.status.success() && message.contains(fault), "{name}: {message}");
        assert!(output.stdout.is_empty(), "{name}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// JSON pointers to all values.
fn pointers(value: &Value, pointer: &str, out: &mut Vec<String>) {
    out.push(pointer.to_owned());
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                pointers(value, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| pointers(item, &format!("{pointer}/{at}"), out));
        }
        _ => {}
    }
}

/// Values that hardly any setting has.
fn odd() -> [Value; 7] {
    [json!(null), json!(-1), json!(""), json!("a b\n"), json!(["x"]), json!({"x": 1}), json!(1e30)]
}

/// The filter takes the document.
fn assert_read(document: &str, why: &str) {
    let value: Result<Value, _> = serde_yaml_ng::from_str(document);
    let value = value.unwrap_or_else(|error| panic!("{why}: {error}\n{document}"));
    let read = Config::parse_upstreams(value.to_string().as_bytes(), &|_| None);
    assert!(read.is_ok(), "{why}: {:?}\n{document}", read.err());
}

#[test]
fn odd_rows_do_no_harm() {
    let config = r#"{"model_list": [{"model_name": "m", "litellm_params": {"model": "gpt-4o"}}]}"#;
    let key = json!({
        "token": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "key_alias": "k", "team_id": "t",
        "models": ["m"], "aliases": {"n": "m"}, "metadata": {"tags": ["x"], "model_rpm_limit": {"m": 1}}, "spend": 1.5,
        "max_budget": 2, "budget_duration": "1d", "budget_reset_at": "2027-02-01 00:00:00", "rpm_limit": 1, "tpm_limit": 2,
        "max_parallel_requests": 3, "expires": "2027-06-01 00:00:00", "blocked": false, "budget_id": "b", "key_type": "x",
        "allowed_routes": ["/x"],
    });
    let team =
        json!({"team_id": "t", "team_alias": "a", "models": ["m"], "metadata": {}, "blocked": false, "spend": 3});
    let budget = json!({"budget_id": "b", "max_budget": 1, "rpm_limit": 1});
    let rows = json!([key, team, budget]);
    let path = std::env::temp_dir().join(format!("dragoman-rows-{}.json", std::process::id()));
    let mut all = Vec::new();
    pointers(&rows, "", &mut all);
    for pointer in all.iter().filter(|pointer| pointer.matches('/').count() > 1) {
        for odd in odd() {
            let mut changed = rows.clone();
            *changed.pointer_mut(pointer).unwrap() = odd.clone();
            std::fs::write(&path, changed.to_string()).unwrap();
            let (output, messages, status) = piped(&std::env::temp_dir(), config, &["--keys", path.to_str().unwrap()]);
            if status != Some(0) {
                assert!(messages.contains("a row has no column"), "{pointer}: {odd}: {messages}");
                continue;
            }
            assert_read(&output, &format!("{pointer}: {odd}"));
        }
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn odd_values_do_no_harm() {
    let odd = odd();
    for folder in folders() {
        let config = std::fs::read_to_string(folder.join("config.yaml")).unwrap();
        let config: Value = serde_yaml_ng::from_str(&config).unwrap();
        let mut all = Vec::new();
        pointers(&config, "", &mut all);
        for (at, pointer) in all.iter().enumerate() {
            let mut changed = config.clone();
            *changed.pointer_mut(pointer).unwrap() = odd[at % odd.len()].clone();
            let (output, messages, status) = piped(&folder, &changed.to_string(), &[]);
            assert!(
                !output.contains("HUSH") && !messages.contains("HUSH"),
                "{folder:?} {pointer}\n{output}\n{messages}"
            );
            if status != Some(0) {
                let refused =
                    [": no model of it can be reached", ": expected a ", ": include: expected a list", "No such file"];
                assert!(refused.iter().any(|end| messages.contains(end)), "{folder:?} {pointer}: {messages}");
                continue;
            }
            assert_read(&output, &format!("{folder:?} {pointer}"));
        }
    }
}

/// What comes of a configuration on standard input.
fn piped(folder: &Path, config: &str, more: &[&str]) -> (String, String, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dragoman"))
        .args(["import", "litellm", "-"])
        .args(more)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(config.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}
