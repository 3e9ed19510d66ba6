//! The golden tree and the two ends of a call, for all tests that translate.
//!
//! [`Tree`] holds the cases of `tests/golden`, [`Route`] sends a client's request the way of one upstream, [`answer`]
//! feeds what comes back. [`golden`] says what a case must give, [`laws`] what a reader must, [`checks`] what must hold
//! of any request and of any answer, [`configs`] of any configuration; [`mutate`] makes inputs that are nearly right.

pub mod checks;
pub mod configs;
pub mod eventstream;
pub mod golden;
pub mod laws;
pub mod mutate;

use std::borrow::Cow;
use std::collections::BTreeMap;

use dragoman::attempt::{self, Inbound, Outbound};
use dragoman::client;
use dragoman::config::{Config, Upstream};
use dragoman::endpoint::{self, Endpoint};
use dragoman::error::Error;
use dragoman::format::{Format, Operation};
use dragoman::http::Headers;
use dragoman::json::Doc;
use dragoman::meter::Meter;
use dragoman::reply::{EVENT_STREAM, Plan, Reply};
use serde_json::{Value, json};

/// The time at which calls come, in unix seconds, and answers, in unix milliseconds.
pub const NOW: u64 = 1_700_000_000;

/// The cases of `tests/golden`, and the configuration that they share.
pub struct Tree {
    pub config: Config,
    pub cases: Vec<Case>,
}

/// One case.
pub struct Case {
    /// `CLIENT-UPSTREAM/NAME`
    pub name: String,
    /// Its files by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What `case.json` says.
    pub settings: Value,
}

impl Tree {
    /// The tree of these files, each with its path in it.
    pub fn new(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut config = None;
        let mut cases: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        for (path, bytes) in files {
            match path.rsplit_once('/') {
                Some((case, file)) => drop(cases.entry(case.to_owned()).or_default().insert(file.to_owned(), bytes)),
                None => config = Some(bytes),
            }
        }
        let config = config.expect("the tree has a configuration");
        let config = Config::parse_upstreams(&config, &|_| None).unwrap();
        let case = |(name, files): (String, BTreeMap<String, Vec<u8>>)| {
            let settings = files.get("case.json").map_or(json!({}), |file| serde_json::from_slice(file).unwrap());
            Case { name, files, settings }
        };
        Self { config, cases: cases.into_iter().map(case).collect() }
    }

    /// The tree as it is on disk.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn load() -> Self {
        fn walk(folder: &std::path::Path, files: &mut Vec<(String, Vec<u8>)>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, files);
                } else {
                    let place = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                    files.push((place, std::fs::read(&path).unwrap()));
                }
            }
        }
        let mut files = Vec::new();
        walk(&root(), &mut files);
        Self::new(files)
    }
}

/// Where the tree is.
#[cfg(not(target_arch = "wasm32"))]
pub fn root() -> std::path::PathBuf {
    // The fuzz targets, which are a crate of their own, share this file.
    let tests = std::path::Path::new(file!()).parent().unwrap().parent().unwrap();
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(tests).join("golden")
}

impl Case {
    /// The way its request goes.
    pub fn route<'c>(&self, config: &'c Config) -> Route<'c> {
        let (pair, _) = self.name.split_once('/').unwrap();
        let (client, upstream) = pair.split_once('-').unwrap();
        let path = self.settings["path"].as_str().unwrap_or(match client {
            "chat" => "/v1/chat/completions",
            "completions" => "/v1/completions",
            "gemini" => "/v1beta/models/smart:generateContent",
            "embeddings" => "/v1/embeddings",
            "images" => "/v1/images/generations",
            "moderations" => "/v1/moderations",
            "speech" => "/v1/audio/speech",
            "transcriptions" => "/v1/audio/transcriptions",
            "rerank" => "/v1/rerank",
            "messages" => "/v1/messages",
            "responses" => "/v1/responses",
            other => panic!("no client format {other}"),
        });
        let headers = headers(&self.settings["headers"]);
        let now = self.settings["now"].as_u64().unwrap_or(NOW);
        Route { headers, now, ..Route::new(config, upstream, path) }
    }

    /// What the client sends.
    pub fn request(&self) -> &[u8] {
        self.files.get("request.json").unwrap_or_else(|| panic!("{}: no request.json", self.name))
    }

    /// What the upstream answers: the kind of the file, the head of the answer, and its body.
    pub fn responses(&self) -> impl Iterator<Item = (&'static str, Head, Cow<'_, [u8]>)> {
        const KINDS: [(&str, &str); 7] = [
            ("json", "application/json"),
            ("sse", "text/event-stream; charset=utf-8"),
            ("ndjson", "application/x-ndjson"),
            ("eventstream.json", "application/vnd.amazon.eventstream"),
            ("html", "text/html"),
            ("mp3", "audio/mpeg"),
            ("txt", "text/plain"),
        ];
        KINDS.into_iter().filter_map(|(kind, media_type)| {
            let body = self.files.get(&format!("response.{kind}"))?;
            let status = self.settings["status"].as_u64().unwrap_or(200) as u16;
            let mut headers = headers(&self.settings["response_headers"]);
            if !headers.has("content-type") {
                headers.set("content-type", media_type);
            }
            let body = match kind {
                "eventstream.json" => Cow::Owned(eventstream::encode(body)),
                _ => Cow::Borrowed(body.as_slice()),
            };
            Some((kind, Head { status, headers }, body))
        })
    }
}

fn headers(value: &Value) -> Headers {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
}

/// The way of calls to one upstream.
#[derive(Clone)]
pub struct Route<'c> {
    pub config: &'c Config,
    pub upstream: usize,
    pub operation: Operation,
    pub format: Format,
    /// What the path names.
    pub named: Option<endpoint::Named>,
    /// The client's.
    pub headers: Headers,
    /// In unix seconds.
    pub now: u64,
}

impl<'c> Route<'c> {
    /// The way of calls on `path` to the upstream of that name.
    pub fn new(config: &'c Config, upstream: &str, path: &str) -> Self {
        let Ok(Endpoint::Call(operation, format)) = Endpoint::of("POST", path, false) else { panic!("path {path}") };
        let place = config.upstreams.iter().position(|u| u.name == upstream);
        let upstream = place.unwrap_or_else(|| panic!("no upstream {upstream}"));
        let named = endpoint::named(path);
        Self { config, upstream, operation, format, named, headers: Headers::default(), now: NOW }
    }

    /// The upstream.
    pub fn upstream(&self) -> &'c Upstream {
        &self.config.upstreams[self.upstream]
    }

    /// Translates a request, as the gateway and the upstream's filter do.
    pub fn send(&self, body: &[u8]) -> Result<Outbound, Error> {
        let doc = Doc::strict(body).map_err(|fault| Error::invalid(fault.to_string()))?;
        let ask = client::ask(self.format, self.named.clone(), doc.root(), self.now)?;
        let model = self.config.name_at(&ask.model, self.upstream);
        let mut headers = self.headers.clone();
        headers.set(":method", "POST");
        let secret = self.upstream().credentials.stand_in();
        let inbound = Inbound {
            operation: self.operation,
            format: self.format,
            headers: &headers,
            doc: &doc,
            ask: &ask,
            model: &model,
            secret: secret.as_ref(),
            now: self.now,
        };
        attempt::request(self.config, self.upstream(), inbound)
    }
}

impl std::fmt::Debug for Route<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { config, operation, format, headers, .. } = self;
        let policy = config.unsupported_params;
        write!(f, "{format:?} {operation:?} to {}, {policy:?}, {headers:?}", self.upstream().name)
    }
}

/// Status and headers of an answer.
#[derive(Clone, Debug)]
pub struct Head {
    pub status: u16,
    pub headers: Headers,
}

/// What an upstream's answer becomes.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub plan: Plan,
    pub status: u16,
    pub body: Vec<u8>,
    pub content_type: String,
    pub meter: Meter,
}

/// Feeds an answer in parts.
pub fn answer<'p>(reply: &mut Reply, head: &Head, parts: impl IntoIterator<Item = &'p [u8]>) -> Outcome {
    let mut meter = Meter::default();
    let now = NOW * 1000;
    let plan = reply.head(head.status, &head.headers);
    match plan {
        Plan::Pass => {
            let all = parts.into_iter().collect::<Vec<_>>().concat();
            reply.pass(true, &mut meter, now);
            let content_type = head.headers.text("content-type").into_owned();
            Outcome { plan, status: head.status, body: all, content_type, meter }
        }
        Plan::Stream => {
            let mut body = Vec::new();
            parts.into_iter().for_each(|part| reply.chunk(part, &mut meter, now, &mut body));
            reply.end(&mut meter, now, &mut body);
            Outcome { plan, status: head.status, body, content_type: EVENT_STREAM.into(), meter }
        }
        Plan::Whole => {
            let all = parts.into_iter().collect::<Vec<_>>().concat();
            let finished = reply.whole(&all, &mut meter, now);
            let body = finished.body.unwrap_or(all);
            Outcome { plan, status: finished.status, body, content_type: finished.content_type.into(), meter }
        }
    }
}
