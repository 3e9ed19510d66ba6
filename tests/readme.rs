//! What the README says must be so. Its commands are run by `tests/e2e/test_readme.py`.
#![cfg(feature = "cli")]
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;

use dragoman::attempt::{self, FORWARDED, Inbound, KEY_HEADERS};
use dragoman::client::{self, Ask};
use dragoman::config::Config;
use dragoman::cost::{Class, Part};
use dragoman::endpoint::Endpoint;
use dragoman::error::{Error, Kind};
use dragoman::format::{Format, Operation};
use dragoman::gateway::{Facts, Gateway, Next, answer_headers};
use dragoman::http::Headers;
use dragoman::json::Doc;
use dragoman::limit::{Period, Standing, Window, standing};
use dragoman::meter::Meter;
use dragoman::metrics::{self, Ledger, Metric};
use dragoman::record::{Hop, Note, Record};
use dragoman::usage::Usage;

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The cells of the table with this head.
fn table(head: &str) -> Vec<Vec<String>> {
    let readme = readme();
    let (_, rows) = readme.split_once(&format!("\n{head}\n")).unwrap_or_else(|| panic!("the README has no `{head}`"));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.lines().skip(1).take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// What stands between backticks.
fn words(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The paragraph or list item that holds `text`.
fn paragraph(text: &str) -> String {
    let readme = readme();
    let found = readme.split("\n\n").flat_map(|part| part.split("\n- ")).find(|part| part.contains(text));
    found.unwrap_or_else(|| panic!("the README does not say `{text}`")).to_owned()
}

/// A service account of Google's, as its console hands it out.
const SERVICE_ACCOUNT: &str = r#"{"type":"service_account","client_email":"a@b.iam.gserviceaccount.com","private_key_id":"k",
    "private_key":"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"}"#;

fn dragoman(arguments: &[&str], input: &str) -> std::process::Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dragoman"))
        .args(arguments)
        .envs(["OPENAI_API_KEY", "ANTHROPIC_API_KEY"].map(|name| (name, "sk-test")))
        .env("GCP_ACCOUNT", SERVICE_ACCOUNT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may not read any.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn blocks(language: &str) -> Vec<String> {
    let readme = readme();
    let parts = readme.split("\n```").skip(1).step_by(2);
    let blocks: Vec<String> =
        parts.filter_map(|part| part.strip_prefix(&format!("{language}\n"))).map(Into::into).collect();
    assert!(!blocks.is_empty(), "{language}");
    blocks
}

#[test]
fn configurations_are_good() {
    for document in blocks("yaml") {
        let checked = dragoman(&["check", "-"], &document);
        assert!(checked.status.success() && checked.stderr.is_empty(), "{document}\n{checked:?}");
    }
}

#[test]
fn commands_are_all_there() {
    let help = String::from_utf8(dragoman(&["help"], "").stdout).unwrap();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let names: Vec<&str> =
        list.lines().map_while(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(names.len() > 5, "{help}");
    let shown = blocks("console").concat();
    for name in names {
        assert!(shown.contains(&format!("dragoman {name} ")), "`dragoman {name}` is not shown");
    }
}

#[test]
fn providers_are_those_of_the_catalogue() {
    let readme = readme();
    let (_, rest) = readme.split_once("<!-- providers -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /providers -->").unwrap();
    let written = String::from_utf8(dragoman(&["providers", "--markdown"], "").stdout).unwrap();
    assert_eq!(table, written, "between the markers must stand what `dragoman providers --markdown` prints");
}

#[test]
fn shipped_files_are_linked() {
    let files = table("| file | what it shows |");
    let linked: BTreeSet<&str> = files.iter().map(|row| words(&row[0])[0]).collect();
    let folder = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy")).unwrap();
    let names = folder.map(|entry| format!("envoy/{}", entry.unwrap().file_name().to_string_lossy()));
    let names: BTreeSet<String> = names.filter(|name| name.ends_with(".yaml")).collect();
    assert_eq!(linked, names.iter().map(String::as_str).collect());
}

// The configuration

/// The message about the only fault of a document.
fn fault(document: &str) -> String {
    let faults = Config::parse(document.as_bytes(), &|_| None).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].message.clone()
}

#[test]
fn keys_are_those_that_the_filter_knows() {
    // A document with a key in each object that nobody knows: the filter lists those that it does.
    let at = |place: &str, object: &str| {
        let upstream = if place.starts_with("upstreams.NAME") { object } else { r#""x":0"# };
        let upstreams = format!(r#"{{"u":{{"provider":"openai","credentials":"none",{upstream}}}}}"#);
        let upstreams = upstreams.replace(r#","x":0"#, "");
        let (rest, object) = if place.starts_with("upstreams.NAME") { ("", "") } else { (",", object) };
        let message = fault(&format!(r#"{{"client_auth":"open","upstreams":{upstreams}{rest}{object}}}"#));
        let (_, known) = message.split_once("known here: ").unwrap_or_else(|| panic!("{place}: {message}"));
        words(known).into_iter().map(|name| format!("{place}{name}")).collect::<Vec<_>>()
    };
    let known: BTreeSet<String> = [
        at("", r#""zzzzz":1"#),
        at("upstreams.NAME.", r#""zzzzz":1"#),
        at("upstreams.NAME.params.", r#""params":{"zzzzz":1}"#),
        at("upstreams.NAME.headers.", r#""headers":{"zzzzz":1}"#),
        at("models[].", r#""models":[{"name":"m","upstreams":["u"],"zzzzz":1}]"#),
        at("models[].upstreams[].", r#""models":[{"name":"m","upstreams":[{"name":"u","zzzzz":1}]}]"#),
        at("models[].timeouts.", r#""models":[{"name":"m","upstreams":["u"],"timeouts":{"zzzzz":1}}]"#),
        at("models[].fallbacks.", r#""models":[{"name":"m","upstreams":["u"],"fallbacks":{"zzzzz":1}}]"#),
        at("keys[].", r#""keys":[{"id":"k","zzzzz":1}]"#),
        at("teams[].", r#""teams":[{"id":"t","zzzzz":1}]"#),
        at("metrics.", r#""metrics":{"zzzzz":1}"#),
        at("remote_images.", r#""remote_images":{"hosts":["images.example.com"],"zzzzz":1}"#),
    ]
    .concat()
    .into_iter()
    .collect();

    let rows = table("| key | value | default | meaning |");
    let taken: BTreeSet<String> = rows.iter().map(|row| words(&row[0])[0].to_owned()).collect();
    // Objects that have rows for their members have none of their own.
    let objects = [
        "upstreams.NAME.params",
        "upstreams.NAME.headers",
        "models[].timeouts",
        "models[].fallbacks",
        "metrics",
        "remote_images",
    ]
    .map(ToOwned::to_owned);
    let said: BTreeSet<String> = taken.into_iter().chain(objects).collect();
    assert_eq!(said, known);
}

#[test]
fn limits_are_those_that_the_filter_knows() {
    let known = |member: &str| {
        let member = format!(r#""{member},"zzzzz":1}}"#);
        let document = r#"{"client_auth":"open","upstreams":{"u":{"provider":"openai","credentials":"none"}},"teams":[{"id":"t",@}]}"#;
        let message = fault(&document.replace('@', &member));
        let (_, known) = message.split_once("known here: ").unwrap();
        words(known).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let said = |head: &str| table(head).iter().map(|row| words(&row[0])[0].to_owned()).collect::<Vec<_>>();
    assert_eq!(known(r#"limits":{"rpm":1"#), said("| limit | of | given back |"));
    assert_eq!(known(r#"budget":{"usd":1,"per":"day""#), said("| budget | value | |"));
    let periods = &table("| budget | value | |")[1][1];
    assert_eq!(words(periods), Period::ALL.map(|(name, _)| name));
}

#[test]
fn words_in_the_configuration_are_known() {
    let auth = fault(r#"{"client_auth":"zzzzz","upstreams":{"u":{"provider":"openai","credentials":"none"}}}"#);
    let (_, auth) = auth.split_once("expected ").unwrap();
    let said = table("| `client_auth` | a caller is known by |");
    assert_eq!(said.iter().map(|row| words(&row[0])[0]).collect::<BTreeSet<_>>(), words(auth).into_iter().collect());

    let check = |provider: &str, credentials: &str| {
        let upstream = format!("provider: {provider}, base_url: https://llm.example.com, credentials: {credentials}");
        dragoman(&["check", "-"], &format!("client_auth: open\nupstreams: {{ u: {{ {upstream} }} }}"))
    };
    let fault = String::from_utf8(check("openai", "zzzzz").stderr).unwrap();
    let (_, expected) = fault.split_once("expected ").unwrap();
    let mut said = BTreeSet::new();
    for row in table("| `credentials` | the provider gets |") {
        let written = words(&row[0])[0];
        let (kind, _) = written.trim_start_matches("{ ").split_once(':').unwrap_or((written, ""));
        let (provider, key) = match kind {
            "aws" => ("bedrock_mantle, options: { region: us-east-1 }", "{ env: OPENAI_API_KEY }"),
            "gcp" => ("openai_compatible", "{ env: GCP_ACCOUNT }"),
            _ => ("openai_compatible", "{ env: OPENAI_API_KEY }"),
        };
        let value = written.replace("{ env: NAME }", key).replace('…', key);
        let checked = check(provider, &value);
        assert!(checked.status.success(), "{value}: {}", String::from_utf8_lossy(&checked.stderr));
        said.insert(if written.starts_with('{') { format!("{{ {kind}: … }}") } else { written.to_owned() });
    }
    assert_eq!(said, words(expected).into_iter().map(ToOwned::to_owned).collect());

    for row in table("| key | value | default | meaning |").iter().filter(|row| row[1].starts_with('`')) {
        let (key, values) = (words(&row[0])[0], words(&row[1]));
        let settings = match key {
            "role" => values.iter().map(|value| format!("role: {value}")).collect::<Vec<_>>(),
            "unsupported_params" => values.iter().map(|value| format!("unsupported_params: {value}")).collect(),
            "metrics.key_label" => values.iter().map(|value| format!("metrics: {{ key_label: {value} }}")).collect(),
            "models[].balance" => {
                values.iter().map(|v| format!("models: [{{ name: m, upstreams: [u], balance: {v} }}]")).collect()
            }
            "models[].timeouts.first_token" => {
                let setting =
                    |v: &&str| format!("models: [{{ name: m, upstreams: [u], timeouts: {{ first_token: {v} }} }}]");
                values.iter().map(setting).collect()
            }
            _ => continue,
        };
        for setting in settings {
            let upstream = "{ provider: openai, credentials: none, limits: { rpm: 9 } }";
            let document = format!("client_auth: open\nupstreams: {{ u: {upstream} }}\n{setting}");
            assert!(dragoman(&["check", "-"], &document).status.success(), "{setting}");
        }
    }
}

#[test]
fn prices_are_those_of_the_code() {
    let rows = table("| price | USD for |");
    let said: BTreeSet<&str> =
        rows.iter().flat_map(|row| words(&row[0])).map(|word| word.split(':').next().unwrap()).collect();
    let parts = Part::ALL.iter().map(|(name, _)| *name);
    let classes = Class::ALL.iter().skip(1).map(|(name, _)| *name);
    assert_eq!(said, parts.chain(classes).chain(["above"]).collect());
    assert!(readme().contains(&format!("the shipped table: {} models", dragoman::cost::table::all().count())));
}

// Calls

#[test]
fn paths_are_those_that_clients_can_call() {
    let rows = table("| method and path | format | |");
    let said: Vec<(&str, &str)> =
        rows.iter().flat_map(|row| words(&row[0])).filter_map(|path| path.split_once(' ')).collect();
    for (method, path) in &said {
        for path in [path, path.strip_prefix("/v1").unwrap_or(path)] {
            Endpoint::of(method, path, false).unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        }
    }
    let error = Endpoint::of("GET", "/zzzzz", false).unwrap_err();
    let (_, known) = error.message.split_once("expected ").unwrap();
    for path in known.split([',', ' ']).filter(|word| word.starts_with('/')) {
        assert!(said.iter().any(|(_, said)| *said == path), "{path} is not said");
    }
}

#[test]
fn errors_are_those_of_the_code() {
    let rows = table("| kind | status | OpenAI `type` | OpenAI `code` | Anthropic `type` | when |");
    let row = |kind: Kind| {
        let error = Error::new(kind, "");
        let code = |text: &str| format!("`{text}`");
        vec![
            code(kind.name()),
            error.status().to_string(),
            code(error.openai_type()),
            error.openai_code().map(code).unwrap_or_default(),
            code(error.anthropic_type()),
        ]
    };
    let known: BTreeSet<Vec<String>> = Kind::ALL.into_iter().map(row).collect();
    assert_eq!(rows.iter().map(|row| row[..5].to_vec()).collect::<BTreeSet<_>>(), known);
    assert!(rows.is_sorted_by_key(|row| row[1].clone()));
}

#[test]
fn metrics_are_those_of_the_code() {
    let rows = table("| metric | kind | labels | |");
    let said: BTreeSet<[String; 3]> =
        rows.iter().map(|row| [words(&row[0])[0].to_owned(), row[1].clone(), row[2].clone()]).collect();
    let known = metrics::TABLE
        .iter()
        .map(|metric| [metric.name.to_owned(), format!("{:?}", metric.kind).to_lowercase(), metric.labels.join(", ")]);
    assert_eq!(said, known.collect());

    let config = config();
    let mut results = BTreeSet::new();
    for status in [None, Some(200), Some(302), Some(429), Some(503), Some(504)] {
        for error in [None, Some(Kind::Internal)] {
            for ended in [false, true] {
                let mut note = Note::new(&config, &config.upstreams[0], "", String::new(), None, Vec::new(), 0);
                note.status = status;
                (note.meter.error, note.meter.ended) = (error, ended);
                results.insert(note.result());
            }
        }
    }
    let attempts = rows.iter().find(|row| row[0] == "`dragoman_attempts_total`").unwrap();
    assert_eq!(words(&attempts[3]).into_iter().collect::<BTreeSet<_>>(), results);
}

/// The README's configuration.
fn config() -> Config {
    let document: serde_json::Value = serde_yaml_ng::from_str(&blocks("yaml")[0]).unwrap();
    let mut document = document;
    document["keys"][0]["tags"] = serde_json::json!(["prod"]);
    Config::parse(document.to_string().as_bytes(), &|_| Some("sk-provider".to_owned())).unwrap()
}

/// A call of which all is known, at its end.
fn ended_call(config: &Config) -> Record {
    let ask = Ask { model: "smart".to_owned(), ..Ask::default() };
    let (model, dropped) = ("claude-haiku-5-5".to_owned(), vec!["seed".to_owned()]);
    let mut note = Note::new(config, &config.upstreams[1], &ask.model, model, None, dropped, 0);
    note.status = Some(200);
    note.request_id = Some(b"req_1".to_vec());
    note.meter = Meter {
        usage: Some(Usage { input: 3, output: 4, ..Usage::default() }),
        finish: Some("stop"),
        error: Some(Kind::Overloaded),
        ended: true,
        ..Meter::default()
    };
    let hops = vec![Hop { from: 0, reason: Kind::ContextWindow }];
    let record = Record::new(Operation::Generate, Format::Chat, ask, 0, Headers::default());
    Record { attempts: vec![note], hops, ..record }
}

#[derive(Default)]
struct States(BTreeMap<&'static str, String>);

impl Ledger for States {
    fn sample(&mut self, _: &'static Metric, _: &[&str], _: u64) {}

    fn state(&mut self, name: &'static str, value: &str) {
        self.0.insert(name, value.to_owned());
    }
}

#[test]
fn filter_state_and_answer_headers_are_those_of_the_code() {
    let config = Rc::new(config());
    let record = ended_call(&config);
    let mut gateway = Gateway::new(Rc::clone(&config), 0);
    let mut headers = Headers::default();
    for (name, value) in [(":method", "POST"), (":path", "/v1/chat/completions"), ("authorization", "Bearer sk-demo")] {
        headers.set(name, value);
    }
    assert_eq!(gateway.head(&headers, &Facts::default()), Ok(Next::Body));
    let mut states = States::default();
    gateway.introduce(&mut states);
    gateway.account(Some(&record), Some(200), 1, &mut states);
    let said = table("| filter state | |");
    let known: BTreeSet<String> = states.0.keys().map(|name| format!("wasm.{name}")).collect();
    assert_eq!(said.iter().map(|row| words(&row[0])[0].to_owned()).collect::<BTreeSet<_>>(), known);

    let mut known: BTreeSet<&str> = answer_headers(&record).into_iter().map(|(name, _)| name).collect();
    // On counts of tokens alone.
    known.insert("x-dragoman-estimated");
    let window = Some(Window { limit: 1, left: 1, taken: 0, resets: None });
    let limits = standing::headers(&[Standing { requests: window, tokens: window, ..Standing::default() }]);
    known.extend(limits.iter().map(|(name, _)| *name));
    let said = table("| answer header | |");
    let of_limits =
        ["limit", "remaining", "reset"].map(|what| ["requests", "tokens"].map(|of| format!("x-ratelimit-{what}-{of}")));
    let said = said.iter().flat_map(|row| match words(&row[0])[0] {
        "x-ratelimit-{limit,remaining,reset}-{requests,tokens}" => of_limits.concat(),
        name => vec![name.to_owned()],
    });
    assert_eq!(said.collect::<BTreeSet<_>>(), known.into_iter().map(str::to_owned).collect());

    for name in words(&paragraph("Not let through: ")) {
        assert!(attempt::hidden(&name.replace('*', "limit-requests")), "{name}");
    }
}

#[test]
fn request_headers_go_where_the_readme_says() {
    let rows = table("| request header | what becomes of it |");
    let keys: Vec<&str> = words(&rows[0][0]).into_iter().map(|name| name.trim_end_matches(": Bearer")).collect();
    assert_eq!(keys, KEY_HEADERS);
    assert_eq!(words(&rows[1][0]).into_iter().collect::<BTreeSet<_>>(), FORWARDED.iter().copied().collect());

    let config = config();
    let doc = Doc::strict(br#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"#).unwrap();
    let mut headers = Headers::default();
    let sent = |name: &str, format: Format, upstream: usize, headers: &mut Headers| {
        headers.set(name, "told");
        let ask = client::of(format).ask(doc.root(), 0).unwrap();
        let secret = config.upstreams[upstream].credentials.stand_in();
        let inbound = Inbound {
            operation: Operation::Generate,
            format,
            headers,
            doc: &doc,
            ask: &ask,
            model: "m",
            secret: secret.as_ref(),
            now: 1,
        };
        let outbound = attempt::request(&config, &config.upstreams[upstream], inbound).unwrap();
        outbound.headers.get(name) == Some(b"told")
    };
    let (openai_upstream, claude) = (0, 1);
    for name in words(&rows[1][0]) {
        assert!(sent(name, Format::Chat, claude, &mut headers), "{name}");
    }
    let kept = &rows[2][0];
    let (_, hidden) = kept.split_once("(not ").unwrap();
    let hidden = words(hidden.split(')').next().unwrap());
    for name in words(kept) {
        let openai = name.starts_with("openai");
        let (own, at) = if openai { (Format::Chat, openai_upstream) } else { (Format::Messages, claude) };
        let other = if openai { Format::Messages } else { Format::Chat };
        let header = name.replace('*', "beta");
        assert_eq!(sent(&header, own, at, &mut headers), !hidden.contains(&name), "{name}");
        assert!(!sent(&header, other, at, &mut headers), "{name}");
    }
    for name in ["cookie", "x-custom", "x-api-key", "api-key"] {
        assert!(!sent(name, Format::Chat, openai_upstream, &mut headers), "{name}");
    }
}

/// What is reported as dropped from a call that is translated for an upstream of the README's configuration.
fn dropped(format: Format, upstream: usize, body: &str) -> Result<BTreeSet<String>, Error> {
    let config = config();
    let doc = Doc::strict(body.as_bytes()).unwrap();
    let ask = client::of(format).ask(doc.root(), 0)?;
    let headers = &Headers::default();
    let model = ["gpt-5.4-mini", "claude-haiku-5-5"][upstream];
    let secret = config.upstreams[upstream].credentials.stand_in();
    let inbound = Inbound {
        operation: Operation::Generate,
        format,
        headers,
        doc: &doc,
        ask: &ask,
        model,
        secret: secret.as_ref(),
        now: 1,
    };
    attempt::request(&config, &config.upstreams[upstream], inbound).map(|sent| sent.dropped.into_iter().collect())
}

#[test]
fn what_is_dropped_is_said() {
    let rows = table("| | OpenAI's format to Anthropic | Anthropic's format to OpenAI and its followers |");
    let row = |name: &str| rows.iter().find(|row| row[0] == name).unwrap();
    let said =
        |column: usize| words(&row("**dropped**")[column]).into_iter().map(ToOwned::to_owned).collect::<BTreeSet<_>>();

    let chat = r#"{"model":"m","seed":1,"frequency_penalty":1,"presence_penalty":1,"logit_bias":{"1":1},"logprobs":true,
        "top_logprobs":2,"verbosity":"low","metadata":{"a":"b"},"messages":[{"role":"user","name":"Ann","content":[
        {"type":"image_url","image_url":{"url":"https://a.example/b.png","detail":"high"}}]}]"#;
    assert_eq!(dropped(Format::Chat, 1, &format!("{chat}}}")), Ok(said(1)));
    assert!(dropped(Format::Chat, 1, &format!(r#"{chat},"prediction":{{}}}}"#)).unwrap().contains("prediction"));
    let thought = r#"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b",
        "thinking_blocks":[{"type":"thinking","thinking":"c"}]},{"role":"user","content":"d"}],
        "tools":[{"type":"web_search"}]}"#;
    let known = ["reasoning", "tools.web_search"].map(ToOwned::to_owned);
    assert_eq!(dropped(Format::Chat, 1, thought), Ok(known.into_iter().collect()));
    for refused in [
        r#"{"model":"m","n":2,"messages":[{"role":"user","content":"a"}]}"#,
        r#"{"model":"m","messages":[{"role":"user","content":[
            {"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}"#,
        r#"{"model":"m","messages":[{"role":"user","content":[
            {"type":"file","file":{"file_data":"data:application/zip;base64,AAAA"}}]}]}"#,
        r#"{"model":"m","messages":[{"role":"user","content":[
            {"type":"image_url","image_url":{"url":"data:image/tiff;base64,AAAA"}}]}]}"#,
    ] {
        assert_eq!(dropped(Format::Chat, 1, refused).unwrap_err().kind, Kind::InvalidRequest, "{refused}");
    }

    let messages = r#"{"model":"m","max_tokens":9,"top_k":4,"context_management":{"edits":[]},"tools":[
        {"type":"web_search_20250305","name":"web_search"}],"messages":[{"role":"user","content":[{"type":"document",
        "source":{"type":"text","media_type":"text/plain","data":"a"},"citations":{"enabled":true}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"b","signature":"c"},{"type":"text","text":"d"}]},
        {"role":"user","content":"e"}]}"#;
    let mut known: BTreeSet<String> = said(2);
    let others = ["content.document.citations", "context_management", "reasoning", "tools.web_search_20250305"];
    known.extend(others.map(ToOwned::to_owned));
    assert_eq!(dropped(Format::Messages, 0, messages), Ok(known));
    for refused in [
        r#"{"type":"document","source":{"type":"url","url":"https://a.example/b.pdf"}}"#,
        r#"{"type":"image","source":{"type":"file","file_id":"f"}}"#,
        r#"{"type":"zzzzz"}"#,
    ] {
        let body = format!(r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{refused}]}}]}}"#);
        assert_eq!(dropped(Format::Messages, 0, &body).unwrap_err().kind, Kind::InvalidRequest, "{refused}");
    }
}

// Moving over

#[test]
fn what_litellm_does_is_told() {
    let keys: Vec<String> =
        table("| key | value | default | meaning |").iter().map(|row| words(&row[0])[0].to_owned()).collect();
    let is_key = |word: &str| {
        keys.iter()
            .any(|key| key.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
    };
    let rows = table("| LiteLLM's proxy | | how |");
    assert!(rows.len() > 30, "{rows:?}");
    for row in &rows {
        let [what, who, how] = row.as_slice() else { panic!("{row:?}") };
        assert!(["here", "the host", "not"].contains(&who.as_str()), "{what}: {who}");
        assert!(who == "not" || !how.is_empty(), "{what}: it does not say how");
        for word in words(how).into_iter().filter(|word| who == "here" || word.contains("[]")) {
            let is_key = word.starts_with("/v1") || how.contains("[Providers]") || is_key(word);
            assert!(is_key, "{what}: there is no `{word}`");
        }
    }
}
