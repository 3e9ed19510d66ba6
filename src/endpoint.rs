//! What a path asks for.

use crate::config::is_segment;
use crate::error::{Error, Kind};
use crate::format::{Format, Operation};
use crate::http::Headers;

/// Something that clients can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A call for a model, in a client format.
    Call(Operation, Format),
    /// Whether the filter is ready.
    Health,
    /// The caller's own key.
    Key,
    /// One model that the caller may use.
    Model(String),
    /// The models that the caller may use.
    Models,
    /// A response that a provider keeps.
    Response(Kept),
    /// What an upstream understands in its own words.
    Upstream(Passed),
}

/// A request that is passed on to an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The upstream's name.
    pub name: String,
    /// The path there, from its slash on, without a query.
    pub path: String,
}

/// Where requests begin that are passed on, before the name of an upstream.
const UPSTREAMS: &str = "/upstream/";

/// Something that a provider keeps, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its id, as clients have it.
    pub id: String,
    /// The path after it.
    pub action: &'static str,
    /// Whether its events are asked for.
    pub streams: bool,
}

impl Endpoint {
    /// Reads method and path. With `anywhere` what stands before the known end of the path does not matter: a team's own
    /// route has chosen it.
    pub fn of(method: &str, path: &str, anywhere: bool) -> Result<Self, Error> {
        let (path, query) = path.split_once(['?', '#']).unwrap_or((path, ""));
        if let Some(rest) = path.strip_prefix(UPSTREAMS) {
            let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
            let path = path.strip_suffix('/').unwrap_or(path);
            if !path.split('/').all(is_segment) {
                let message = "expected segments of letters, digits and `-._~:@!$&'()+,;=*`, none of them `.` or `..`, none empty, nothing encoded";
                return Err(Error::invalid(format!("a path that is passed on must be plain: {message}")));
            }
            return Ok(Self::Upstream(Passed { name: name.to_owned(), path: format!("/{path}") }));
        }
        let (wanted, mut endpoint) = find(path, anywhere).ok_or_else(|| {
            let calls = "/v1/audio/speech, /v1/audio/transcriptions, /v1/audio/translations, /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/images/edits, /v1/images/generations, /v1/messages, /v1/messages/count_tokens, /v1/moderations, /v1/rerank, /v1/responses, /v1beta/models/MODEL:generateContent";
            Error::new(Kind::NotFound, format!("no such path; expected {calls}, /v1/models, /v1/key or /health"))
        })?;
        if let Endpoint::Response(kept) = &mut endpoint {
            kept.streams = query.split('&').any(|pair| pair == "stream=true");
        }
        if endpoint == Endpoint::Call(Operation::Generate, Format::Gemini)
            && streams(path)
            && !query.split('&').any(|pair| pair == "alt=sse")
        {
            return Err(Error::invalid("expected `alt=sse`: streams are events here, not an array"));
        }
        if wanted.split(" or ").any(|wanted| wanted == method) || (wanted == "GET" && method == "HEAD") {
            Ok(endpoint)
        } else {
            Err(Error::new(Kind::MethodNotAllowed, format!("this path takes {wanted} only")))
        }
    }

    /// Whether its body may be a form, and if so, whether all of it must be read.
    pub fn form(&self) -> Option<bool> {
        match self {
            Self::Call(Operation::EditImages, _) => Some(true),
            Self::Call(Operation::Transcribe | Operation::Translate, _) => Some(false),
            _ => None,
        }
    }

    /// The name in headers and metrics: OpenTelemetry's where it has one.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call(Operation::CountTokens, _) => "count_tokens",
            Self::Call(Operation::Embed, _) => "embeddings",
            Self::Call(Operation::EditImages | Operation::Image, _) => "images",
            Self::Call(Operation::Moderate, _) => "moderations",
            Self::Call(Operation::Speak, _) => "speech",
            Self::Call(Operation::Transcribe, _) => "transcriptions",
            Self::Call(Operation::Translate, _) => "translations",
            Self::Call(Operation::Rank, _) => "rerank",
            Self::Call(Operation::Generate, Format::Completions) => "completions",
            Self::Call(Operation::Generate, Format::Gemini) => "generate_content",
            Self::Call(Operation::Generate, Format::Messages) => "messages",
            Self::Call(Operation::Generate, Format::Responses) | Self::Response(_) => "responses",
            Self::Call(Operation::Generate | Operation::Pass | Operation::Resource, _) => "chat",
            Self::Upstream(_) => "upstream",
            Self::Health => "health",
            Self::Key => "key",
            Self::Model(_) | Self::Models => "models",
        }
    }
}

/// Ends of paths, without `/v1`: longer ones before those that they end with.
const CALLS: &[(&str, Operation, Format)] = &[
    ("/audio/speech", Operation::Speak, Format::Speech),
    ("/audio/transcriptions", Operation::Transcribe, Format::Transcriptions),
    ("/audio/translations", Operation::Translate, Format::Transcriptions),
    ("/chat/completions", Operation::Generate, Format::Chat),
    ("/completions", Operation::Generate, Format::Completions),
    ("/embeddings", Operation::Embed, Format::Embeddings),
    ("/images/edits", Operation::EditImages, Format::Images),
    ("/images/generations", Operation::Image, Format::Images),
    ("/messages/count_tokens", Operation::CountTokens, Format::Messages),
    ("/messages", Operation::Generate, Format::Messages),
    ("/moderations", Operation::Moderate, Format::Moderations),
    ("/rerank", Operation::Rank, Format::Rerank),
    // Where Cohere's own client looks for it.
    ("/v2/rerank", Operation::Rank, Format::Rerank),
    ("/responses", Operation::Generate, Format::Responses),
];

/// How the paths of Google's API begin.
const GOOGLE: &str = "/v1beta/";

/// How Azure's paths begin, before the name of a model.
const DEPLOYMENTS: &str = "/openai/deployments/";

/// Where Google's paths name a model, and what may be asked of it.
const MODELS: &str = "/models/";
const VERBS: &[(&str, Operation)] =
    &[("countTokens", Operation::CountTokens), ("generateContent", Operation::Generate), (STREAM, Operation::Generate)];

/// Google's word for a streamed answer.
const STREAM: &str = "streamGenerateContent";

/// What a path says that bodies of other calls say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The model. The body may name another one or none.
    pub model: String,
    /// Whether the answer shall be streamed, where the body does not say.
    pub streams: bool,
}

/// What a path names, as Azure's and Google's do.
pub fn named(path: &str) -> Option<Named> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if let Some((name, _)) = google(path) {
        return Some(Named { model: decoded(name), streams: streams(path) });
    }
    // A team's own route may have a path of its own in front.
    let (_, rest) = path.split_once(DEPLOYMENTS)?;
    rest.split_once('/').map(|(name, _)| Named { model: decoded(name), streams: false })
}

/// Model and verb of one of Google's paths.
fn google(path: &str) -> Option<(&str, Operation)> {
    let (named, verb) = path.rsplit_once(':')?;
    let (_, operation) = VERBS.iter().find(|(known, _)| *known == verb)?;
    let (_, name) = named.split_once(MODELS)?;
    (!name.is_empty()).then_some((name, *operation))
}

fn streams(path: &str) -> bool {
    path.ends_with(STREAM)
}

/// The format of errors on a path that may be wrong, and of what is the same for all clients.
pub fn format_hint(path: &str, headers: &Headers) -> Format {
    match find(path.split('?').next().unwrap_or_default(), true) {
        Some((_, Endpoint::Call(_, format))) => format,
        Some((_, Endpoint::Response(_))) => Format::Responses,
        _ if path.starts_with(GOOGLE) || headers.has("x-goog-api-key") => Format::Gemini,
        _ if headers.has("anthropic-version") => Format::Messages,
        _ => Format::Chat,
    }
}

fn find(path: &str, anywhere: bool) -> Option<(&'static str, Endpoint)> {
    if path == "/health" {
        return Some(("GET", Endpoint::Health));
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    if let Some((_, operation)) = google(path) {
        return Some(("POST", Endpoint::Call(operation, Format::Gemini)));
    }
    let version = |version| path.strip_prefix(version).filter(|rest| rest.starts_with('/'));
    let google = version("/v1beta").filter(|rest| rest.starts_with("/models") && !rest.contains(':'));
    let bare = version("/v1").or(google).unwrap_or(path);
    for (end, operation, format) in CALLS {
        if bare == *end || (anywhere && bare.ends_with(end)) {
            return Some(("POST", Endpoint::Call(*operation, *format)));
        }
    }
    if let Some(rest) = path.strip_prefix(DEPLOYMENTS)
        && let Some((_, end)) = rest.split_once('/')
        && let Some((_, operation, format)) = CALLS.iter().find(|(path, _, format)| {
            !matches!(format, Format::Messages | Format::Moderations | Format::Rerank | Format::Responses)
                && path.strip_prefix('/') == Some(end)
        })
    {
        return Some(("POST", Endpoint::Call(*operation, *format)));
    }
    if bare == "/key" || (anywhere && bare.ends_with("/key")) {
        return Some(("GET", Endpoint::Key));
    }
    if bare == "/models" || (anywhere && bare.ends_with("/models")) {
        return Some(("GET", Endpoint::Models));
    }
    if let Some((_, rest)) = bare.split_once("/responses/").filter(|(before, _)| before.is_empty() || anywhere) {
        let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
        let (wanted, action) = match action {
            "" => ("GET or DELETE", ""),
            "cancel" => ("POST", "/cancel"),
            "input_items" => ("GET", "/input_items"),
            _ => return None,
        };
        return (!id.is_empty())
            .then(|| (wanted, Endpoint::Response(Kept { id: decoded(id), action, streams: false })));
    }
    let (before, id) = bare.split_once("/models/").filter(|(_, id)| !id.is_empty())?;
    (before.is_empty() || anywhere).then(|| ("GET", Endpoint::Model(decoded(id))))
}

/// A part of a path with its percent signs read; as it is, if they make no text.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let code = digit(0).zip(digit(1)).filter(|_| first == b'%');
        let byte = code.and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const CHAT: Endpoint = Endpoint::Call(Operation::Generate, Format::Chat);
    const COMPLETIONS: Endpoint = Endpoint::Call(Operation::Generate, Format::Completions);
    const GEMINI: Endpoint = Endpoint::Call(Operation::Generate, Format::Gemini);
    const MESSAGES: Endpoint = Endpoint::Call(Operation::Generate, Format::Messages);
    const COUNT: Endpoint = Endpoint::Call(Operation::CountTokens, Format::Messages);

    #[test]
    fn paths_name_calls() {
        for (path, expected) in [
            ("/v1/chat/completions", Some(CHAT)),
            ("/chat/completions/?x=1#y", Some(CHAT)),
            ("/openai/deployments/gpt-4o/chat/completions?api-version=1", Some(CHAT)),
            ("/v1/messages?beta=true", Some(MESSAGES)),
            ("/messages", Some(MESSAGES)),
            ("/v1/messages/count_tokens", Some(COUNT)),
            ("/v1beta/models/a:b/c:generateContent", Some(GEMINI)),
            ("/v1/models/smart:streamGenerateContent?x=1&alt=sse", Some(GEMINI)),
            ("/v1/models/smart:streamGenerateContent", None),
            ("/v1/projects/p/locations/l/publishers/google/models/smart:generateContent", Some(GEMINI)),
            ("/v1beta/models/smart:countTokens", Some(Endpoint::Call(Operation::CountTokens, Format::Gemini))),
            ("/v1beta/models/smart:embedContent", None),
            ("/v1beta/models/:generateContent", None),
            ("/v1beta/chat/completions", None),
            ("/v1/rerank", Some(Endpoint::Call(Operation::Rank, Format::Rerank))),
            ("/v2/rerank", Some(Endpoint::Call(Operation::Rank, Format::Rerank))),
            ("/v1/completions", Some(COMPLETIONS)),
            ("/openai/deployments/instruct/completions?api-version=1", Some(COMPLETIONS)),
            ("/v2/chat/completions", None),
            ("/v1/messages/batches", None),
            ("/v1chat/completions", None),
            ("/v1/v1/messages", None),
            ("/team/v1/messages", None),
            ("/openai/deployments/a/b/chat/completions", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(Endpoint::of("POST", path, false).ok(), expected, "{path}");
        }
        assert_eq!(Endpoint::of("POST", "/team/v1/messages", true), Ok(MESSAGES));
        assert_eq!(Endpoint::of("GET", "/team/models", true), Ok(Endpoint::Models));
        assert!(Endpoint::of("GET", "/team/health", true).is_err());
    }

    #[test]
    fn a_path_has_its_method() {
        for (method, path) in
            [("GET", "/v1/messages"), ("POST", "/v1/models"), ("DELETE", "/health"), ("", "/v1/messages")]
        {
            let error = Endpoint::of(method, path, false).unwrap_err();
            assert_eq!(error.kind, Kind::MethodNotAllowed, "{method} {path}");
        }
        assert_eq!(Endpoint::of("HEAD", "/health", false), Ok(Endpoint::Health));
    }

    #[test]
    fn paths_name_models() {
        let endpoint = |path| Endpoint::of("GET", path, false).unwrap();
        for (path, id) in [
            ("/v1/models/gpt-4.1", "gpt-4.1"),
            ("/models/openai/gpt-4.1", "openai/gpt-4.1"),
            ("/v1/models/openai%2Fgpt-4.1?x=%2F", "openai/gpt-4.1"),
            ("/v1/models/caf%c3%A9", "café"),
            ("/v1/models/100%", "100%"),
            ("/v1/models/%2", "%2"),
            ("/v1/models/%+1", "%+1"),
            ("/v1/models/%ff", "%ff"),
        ] {
            assert_eq!(endpoint(path), Endpoint::Model(id.into()), "{path}");
        }
        let path = "/openai/deployments/my%2D4o/chat/completions?api-version=2025-04-01-preview";
        assert_eq!(Endpoint::of("POST", path, false), Ok(Endpoint::Call(Operation::Generate, Format::Chat)));
        assert_eq!(named(path), Some(Named { model: "my-4o".into(), streams: false }));
        for (path, model, streams) in [
            ("/v1beta/models/a:b/c:generateContent", "a:b/c", false),
            ("/v1/models/a%2Fb:streamGenerateContent?alt=sse", "a/b", true),
        ] {
            assert_eq!(named(path), Some(Named { model: model.into(), streams }), "{path}");
        }
        assert_eq!(named("/v1/chat/completions"), None);
        assert_eq!(named(&format!("/team{path}")), Some(Named { model: "my-4o".into(), streams: false }));
        for (method, path, action) in [
            ("GET", "/v1/responses/resp_1?include[]=x&stream=true", ""),
            ("DELETE", "/responses/resp_1", ""),
            ("POST", "/v1/responses/resp%5F1/cancel", "/cancel"),
            ("GET", "/v1/responses/resp_1/input_items", "/input_items"),
        ] {
            let kept = Kept { id: "resp_1".into(), action, streams: path.contains("stream=true") };
            assert_eq!(Endpoint::of(method, path, false), Ok(Endpoint::Response(kept)), "{method} {path}");
        }
        assert!(Endpoint::of("POST", "/v1/responses/resp_1", false).is_err());
        assert!(Endpoint::of("GET", "/v1/responses/resp_1/other", false).is_err());
        let team = "/team/v1/models/team/models/x";
        assert_eq!(Endpoint::of("GET", team, true), Ok(Endpoint::Model("team/models/x".into())));
        assert!(Endpoint::of("GET", team, false).is_err());
    }
}
