//! What goes wrong, in one shape for every client format.

use std::borrow::Cow;

/// What went wrong. Each kind has one row in [`Kind::row`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The caller is not known.
    Authentication,
    /// The upstream's answer cannot be read.
    BadAnswer,
    /// The provider does not want what the conversation is about.
    ContentPolicy,
    /// The conversation is longer than the model's context.
    ContextWindow,
    /// Something else broke at the provider.
    Internal,
    /// The request is wrong. The client's fault.
    InvalidRequest,
    /// The HTTP method is not the path's.
    MethodNotAllowed,
    /// No such path or model.
    NotFound,
    /// The host or the filter cannot do this.
    NotImplemented,
    /// The provider has too much to do.
    Overloaded,
    /// The caller may not do this.
    Permission,
    /// Too many requests or tokens.
    RateLimit,
    /// The request does not end, or the answer does not come.
    Timeout,
    /// The body is larger than it may be.
    TooLarge,
    /// No upstream can take the call now.
    Unavailable,
    /// The provider refuses our credentials for it.
    UpstreamAuthentication,
    /// The body is in an encoding or of a type that nobody reads.
    UnsupportedMedia,
}

// Whoever adds a kind is told that it has no place in the list.
const _: () = assert!(Kind::ALL.len() == Kind::UnsupportedMedia as usize + 1);

/// How a kind looks from outside.
struct Row {
    status: u16,
    /// `error.type` in OpenAI's format.
    openai: &'static str,
    /// `error.code` in OpenAI's format where the error brings none.
    code: Option<&'static str>,
    /// `error.type` in [Anthropic's format](https://platform.claude.com/docs/en/api/errors).
    anthropic: &'static str,
}

impl Kind {
    /// All of them, in their order.
    pub const ALL: [Self; 17] = [
        Self::Authentication,
        Self::BadAnswer,
        Self::ContentPolicy,
        Self::ContextWindow,
        Self::Internal,
        Self::InvalidRequest,
        Self::MethodNotAllowed,
        Self::NotFound,
        Self::NotImplemented,
        Self::Overloaded,
        Self::Permission,
        Self::RateLimit,
        Self::Timeout,
        Self::TooLarge,
        Self::Unavailable,
        Self::UpstreamAuthentication,
        Self::UnsupportedMedia,
    ];

    fn row(self) -> Row {
        let row = |status, openai, code, anthropic| Row { status, openai, code, anthropic };
        match self {
            Self::Authentication => row(401, "authentication_error", Some("invalid_api_key"), "authentication_error"),
            Self::BadAnswer => row(502, "upstream_error", Some("bad_upstream_answer"), "api_error"),
            Self::ContentPolicy => {
                row(400, "invalid_request_error", Some("content_policy_violation"), "invalid_request_error")
            }
            Self::ContextWindow => {
                row(400, "invalid_request_error", Some("context_length_exceeded"), "invalid_request_error")
            }
            Self::Internal => row(500, "server_error", None, "api_error"),
            Self::InvalidRequest => row(400, "invalid_request_error", None, "invalid_request_error"),
            Self::MethodNotAllowed => {
                row(405, "invalid_request_error", Some("method_not_allowed"), "invalid_request_error")
            }
            Self::NotFound => row(404, "invalid_request_error", Some("not_found"), "not_found_error"),
            Self::NotImplemented => row(501, "invalid_request_error", Some("not_implemented"), "invalid_request_error"),
            Self::Overloaded => row(529, "server_error", Some("overloaded"), "overloaded_error"),
            Self::Permission => row(403, "permission_error", None, "permission_error"),
            Self::RateLimit => row(429, "rate_limit_error", Some("rate_limit_exceeded"), "rate_limit_error"),
            Self::Timeout => row(504, "timeout_error", Some("timeout"), "timeout_error"),
            Self::TooLarge => row(413, "invalid_request_error", Some("request_too_large"), "request_too_large"),
            Self::Unavailable => row(503, "server_error", Some("no_upstream"), "api_error"),
            Self::UpstreamAuthentication => row(502, "upstream_error", Some("upstream_authentication"), "api_error"),
            Self::UnsupportedMedia => {
                row(415, "invalid_request_error", Some("unsupported_media_type"), "invalid_request_error")
            }
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// The word in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::BadAnswer => "bad_answer",
            Self::ContentPolicy => "content_policy",
            Self::ContextWindow => "context_window",
            Self::Internal => "internal",
            Self::InvalidRequest => "invalid_request",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotFound => "not_found",
            Self::NotImplemented => "not_implemented",
            Self::Overloaded => "overloaded",
            Self::Permission => "permission",
            Self::RateLimit => "rate_limit",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::Unavailable => "unavailable",
            Self::UpstreamAuthentication => "upstream_authentication",
            Self::UnsupportedMedia => "unsupported_media",
        }
    }

    /// The kind that a provider's status tells, for errors that say no more.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Authentication,
            402 | 403 => Self::Permission,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            415 => Self::UnsupportedMedia,
            429 => Self::RateLimit,
            400..=499 => Self::InvalidRequest,
            503 | 529 => Self::Overloaded,
            502 => Self::BadAnswer,
            _ => Self::Internal,
        }
    }

    /// The kind that a type of Anthropic's error object tells.
    pub fn of_anthropic(name: &str) -> Option<Self> {
        Some(match name {
            "api_error" => Self::Internal,
            "authentication_error" => Self::Authentication,
            "billing_error" | "permission_error" => Self::Permission,
            "invalid_request_error" => Self::InvalidRequest,
            "not_found_error" => Self::NotFound,
            "overloaded_error" => Self::Overloaded,
            "rate_limit_error" => Self::RateLimit,
            "request_too_large" => Self::TooLarge,
            "timeout_error" => Self::Timeout,
            _ => return None,
        })
    }
}

/// What went wrong, and for whom to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of thing.
    pub kind: Kind,
    /// What, where and what is allowed, for people: lower case, no final stop, user text in backticks and short.
    pub message: String,
    /// The place in the request, such as `messages[2].content`.
    pub param: Option<String>,
    /// A word for programs; the kind's own where absent.
    pub code: Option<Cow<'static, str>>,
    /// A provider's own status, which clients see as it is.
    pub status: Option<u16>,
    /// In how many seconds a provider wants to be asked again, where it says so in the body.
    pub retry_after: Option<u64>,
}

impl Error {
    /// An error of `kind`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), param: None, code: None, status: None, retry_after: None }
    }

    /// A wrong request.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, message)
    }

    /// With a word for programs.
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With a provider's own status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// With the place, inside out: `at("content")`, then `at_index(2)`, then `at("messages")`.
    pub fn at(mut self, name: &str) -> Self {
        let name = shorten(name);
        self.param = Some(match self.param {
            None => name,
            Some(inner) if inner.starts_with('[') => format!("{name}{inner}"),
            Some(inner) => format!("{name}.{inner}"),
        });
        self
    }

    /// With the place in an array.
    pub fn at_index(mut self, index: usize) -> Self {
        self.param = Some(match self.param {
            None => format!("[{index}]"),
            Some(inner) if inner.starts_with('[') => format!("[{index}]{inner}"),
            Some(inner) => format!("[{index}].{inner}"),
        });
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.kind.status())
    }

    /// The message with its place in front.
    pub fn text(&self) -> String {
        match &self.param {
            Some(param) => format!("`{param}`: {}", self.message),
            None => self.message.clone(),
        }
    }

    /// `error.type` in OpenAI's format.
    pub fn openai_type(&self) -> &'static str {
        self.kind.row().openai
    }

    /// `error.code` in OpenAI's format.
    pub fn openai_code(&self) -> Option<&str> {
        self.code.as_deref().or(self.kind.row().code)
    }

    /// `error.type` in Anthropic's format.
    pub fn anthropic_type(&self) -> &'static str {
        self.kind.row().anthropic
    }
}

/// Text from outside, short enough for a message.
pub fn shorten(text: &str) -> String {
    const LONGEST: usize = 64;
    let mut short: String = text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
