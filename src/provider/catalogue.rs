//! The rows, sorted by id.
//!
//! A provider that speaks OpenAI's chat format is one row over `CHAT`; its address and environment variable are its
//! own. A field is listed as dropped only where the provider's documents say that it is refused or has no effect.

use super::{Address::*, Auth, Provider, Quirks, Surface};
use crate::format::{Format, Operation};

/// OpenAI's renaming of the output limit, undone for those who know the old name alone.
const MAX_TOKENS: &[(&str, &str)] = &[("max_completion_tokens", "max_tokens")];

/// What providers in OpenAI's chat format have in common.
const CHAT: Provider = Provider {
    id: "",
    name: "",
    otel: "",
    address: Configured,
    auth: Auth::Bearer,
    headers: &[],
    surfaces: &[Surface { operation: Operation::Generate, path: "/chat/completions", format: Format::Chat }],
    quirks: Quirks { developer_role: false, ..Quirks::NONE },
    env: "",
    docs: "",
};

/// Every provider, sorted by id.
pub static PROVIDERS: &[Provider] = &[
    Provider {
        id: "anthropic",
        name: "Anthropic",
        otel: "anthropic",
        address: Fixed("https://api.anthropic.com"),
        auth: Auth::Header("x-api-key"),
        headers: &[("anthropic-version", "2023-06-01")],
        surfaces: &[
            Surface { operation: Operation::Generate, path: "/v1/messages", format: Format::Messages },
            Surface { operation: Operation::CountTokens, path: "/v1/messages/count_tokens", format: Format::Messages },
        ],
        quirks: Quirks::NONE,
        env: "ANTHROPIC_API_KEY",
        docs: "https://platform.claude.com/docs/en/api/messages",
    },
    Provider {
        id: "groq",
        name: "Groq",
        otel: "groq",
        address: Fixed("https://api.groq.com/openai/v1"),
        env: "GROQ_API_KEY",
        docs: "https://console.groq.com/docs/openai",
        quirks: Quirks { rename: MAX_TOKENS, ..CHAT.quirks },
        ..CHAT
    },
    Provider {
        id: "openai",
        name: "OpenAI",
        otel: "openai",
        address: Fixed("https://api.openai.com/v1"),
        env: "OPENAI_API_KEY",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        quirks: Quirks::NONE,
        ..CHAT
    },
    Provider {
        id: "openai_compatible",
        name: "Any server in OpenAI's format",
        otel: "openai_compatible",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        ..CHAT
    },
];
