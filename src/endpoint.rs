//! What a path asks for.

use crate::error::{Error, Kind};
use crate::format::{Format, Operation};

/// Something that clients can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A call for a model, in a client format.
    Call(Operation, Format),
    /// Whether the filter is ready.
    Health,
    /// One model that the caller may use.
    Model(String),
    /// The models that the caller may use.
    Models,
}

impl Endpoint {
    /// Reads method and path. With `anywhere` what stands before the known end of the path does not matter: a team's own
    /// route has chosen it.
    pub fn of(method: &str, path: &str, anywhere: bool) -> Result<Self, Error> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let (wanted, endpoint) = find(path, anywhere).ok_or_else(|| {
            let known =
                "/v1/chat/completions, /v1/embeddings, /v1/messages, /v1/messages/count_tokens, /v1/models or /health";
            Error::new(Kind::NotFound, format!("no such path; expected {known}"))
        })?;
        if method == wanted || (wanted == "GET" && method == "HEAD") {
            Ok(endpoint)
        } else {
            Err(Error::new(Kind::MethodNotAllowed, format!("this path takes {wanted} only")))
        }
    }

    /// The name in headers and metrics: OpenTelemetry's where it has one.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call(Operation::CountTokens, _) => "count_tokens",
            Self::Call(Operation::Embed, _) => "embeddings",
            Self::Call(Operation::Generate, Format::Messages) => "messages",
            Self::Call(Operation::Generate, _) => "chat",
            Self::Health => "health",
            Self::Model(_) | Self::Models => "models",
        }
    }
}

/// Ends of paths, without `/v1`: longer ones before those that they end with.
const CALLS: &[(&str, Operation, Format)] = &[
    ("/chat/completions", Operation::Generate, Format::Chat),
    ("/embeddings", Operation::Embed, Format::Embeddings),
    ("/messages/count_tokens", Operation::CountTokens, Format::Messages),
    ("/messages", Operation::Generate, Format::Messages),
];

/// The format of errors on a path that may be wrong.
pub fn format_hint(path: &str, anthropic_version: bool) -> Format {
    match find(path.split('?').next().unwrap_or_default(), true) {
        Some((_, Endpoint::Call(_, format))) => format,
        _ if anthropic_version => Format::Messages,
        _ => Format::Chat,
    }
}

fn find(path: &str, anywhere: bool) -> Option<(&'static str, Endpoint)> {
    if path == "/health" {
        return Some(("GET", Endpoint::Health));
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let bare = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    for (end, operation, format) in CALLS {
        if bare == *end || (anywhere && bare.ends_with(end)) {
            return Some(("POST", Endpoint::Call(*operation, *format)));
        }
    }
    // Azure's clients name the deployment in the path and again in the body, where it is read.
    if let Some(rest) = path.strip_prefix("/openai/deployments/")
        && let Some((_, end)) = rest.split_once('/')
        && let Some((_, operation, format)) = CALLS.iter().find(|(path, _, format)| {
            matches!(format, Format::Chat | Format::Embeddings) && path.strip_prefix('/') == Some(end)
        })
    {
        return Some(("POST", Endpoint::Call(*operation, *format)));
    }
    if bare == "/models" || (anywhere && bare.ends_with("/models")) {
        return Some(("GET", Endpoint::Models));
    }
    let id = bare.strip_prefix("/models/").filter(|id| !id.is_empty())?;
    Some(("GET", Endpoint::Model(id.to_owned())))
}
