//! The catalogue: what Dragoman knows of each provider, as data.
//!
//! A provider is a row of [`catalogue`]. A row says where the provider is, how it takes its key, which [`Surface`]
//! answers which operation, and in what its format differs from the one it follows ([`Quirks`]).

mod catalogue;
mod options;

pub use catalogue::PROVIDERS;

use crate::auth::token::Issuer;
use crate::format::{Format, Operation};

pub use options::{Setting, Template, segment};

/// The provider of that id.
pub fn find(id: &str) -> Option<&'static Provider> {
    PROVIDERS.binary_search_by(|provider| provider.id.cmp(id)).ok().and_then(|at| PROVIDERS.get(at))
}

/// A named service that answers LLM calls.
#[derive(Debug)]
pub struct Provider {
    /// The name in configurations: lower case, digits, `_` and `-`.
    pub id: &'static str,
    /// The name as its maker writes it.
    pub name: &'static str,
    /// `gen_ai.provider.name` of OpenTelemetry's conventions; the id where they have none.
    pub otel: &'static str,
    /// Where it is.
    pub address: Address,
    /// What an upstream of it may or must say of itself.
    pub options: &'static [Setting],
    /// How its key is sent.
    pub auth: Auth,
    /// The service of Amazon's that requests are signed for, where they can be.
    pub signs: Option<&'static str>,
    /// Whose tokens it takes, as `authorization: Bearer`.
    pub tokens: &'static [Issuer],
    /// Headers that it wants on every call.
    pub headers: &'static [(&'static str, &'static str)],
    /// How it answers each operation.
    pub surfaces: &'static [Surface],
    /// What differs from the format that its surfaces follow.
    pub quirks: Quirks,
    /// The environment variable in which people keep its key; empty where it takes none.
    pub env: &'static str,
    /// Its documentation of the API described here.
    pub docs: &'static str,
}

/// Where a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// The account's or machine's own: `base_url` must be configured.
    Configured,
    /// Scheme, authority and path prefix, without a slash at the end.
    Fixed(&'static str),
    /// The same with options in it; where one has such a value, another address.
    Of(Template, &'static [(&'static str, &'static str, &'static str)]),
}

/// The header in which a provider takes its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer KEY`.
    Bearer,
    /// The named header, holding the key alone.
    Header(&'static str),
    /// None: the key is exchanged for a token of IBM's, which is sent as `authorization: Bearer`.
    IbmIam,
}

/// How a provider answers one operation.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    /// The operation.
    pub operation: Operation,
    /// What a name of a model that it is for holds; empty is all. The first that fits counts.
    pub models: &'static str,
    /// The path after the address, and perhaps a query. It may hold `{model}` and options.
    pub path: Template,
    /// The path for a stream, where it is another.
    pub stream_path: Option<Template>,
    /// The format of request and answer.
    pub format: Format,
    /// What is around a body of that format here.
    pub envelope: Envelope,
}

impl Surface {
    /// One for all models at one path, with nothing around the body.
    pub const fn new(operation: Operation, path: &'static str, format: Format) -> Self {
        let envelope = Envelope::NONE;
        Self { operation, models: "", path: Template(path), stream_path: None, format, envelope }
    }
}

/// What a provider wants around a body in another's format, applied after all else.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// Top-level fields that are not sent, such as a model that the path names.
    pub remove: &'static [&'static str],
    /// Top-level fields that go by another name: (ours, theirs).
    pub rename: &'static [(&'static str, &'static str)],
    /// Top-level fields that are added: name and raw JSON, which may hold options.
    pub set: &'static [(&'static str, Template)],
    /// A header that is sent as an array in the body: (header, field).
    pub header: Option<(&'static str, &'static str)>,
    /// Whether the events of a stream come wrapped: each in base64, as the member `bytes` of an object.
    pub wrapped: bool,
}

impl Envelope {
    /// None.
    pub const NONE: Self = Self { remove: &[], rename: &[], set: &[], header: None, wrapped: false };
}

/// Differences from a format, applied to the finished body. A field that is named here and absent from a body is no error.
#[derive(Clone, Copy, Debug)]
pub struct Quirks {
    /// Top-level fields that the provider refuses or ignores: removed, and reported.
    pub drop: &'static [&'static str],
    /// Top-level fields that the provider knows by another name: (ours, theirs). Both present: theirs stays.
    pub rename: &'static [(&'static str, &'static str)],
    /// Number fields with the range that the provider takes: clamped into it, and reported.
    pub clamp: &'static [(&'static str, f64, f64)],
    /// Whether `stream_options` may ask for usage at the end of a stream.
    pub stream_options: bool,
    /// Whether the role `developer` is known; where not it is sent as `system`.
    pub developer_role: bool,
    /// The field of an assistant's message in which the provider wants its thought back. The wire writes it.
    pub reasoning_field: Option<&'static str>,
}

impl Quirks {
    /// None.
    pub const NONE: Self =
        Self { drop: &[], rename: &[], clamp: &[], stream_options: true, developer_role: true, reasoning_field: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of a chat request that a quirk may name.
    const FIELDS: &[&str] = &[
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "seed",
        "service_tier",
        "store",
        "temperature",
        "top_logprobs",
        "top_p",
        "user",
    ];

    #[test]
    fn rows_are_sorted_and_unique() {
        assert!(PROVIDERS.len() >= 100, "{} rows", PROVIDERS.len());
        assert!(PROVIDERS.is_sorted_by(|one, next| one.id < next.id));
    }

    #[test]
    fn every_row_is_found_by_its_id() {
        for provider in PROVIDERS {
            assert!(find(provider.id).is_some_and(|found| std::ptr::eq(found, provider)), "{}", provider.id);
        }
        for id in ["", "Groq", "nobody", "zzz"] {
            assert!(find(id).is_none(), "{id}");
        }
    }

    #[test]
    fn names_are_well_formed() {
        for Provider { id, name, otel, .. } in PROVIDERS {
            assert!(!id.is_empty() && !name.is_empty() && !otel.is_empty(), "{id}");
            assert!(id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')), "{id}");
            assert!(otel.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.')), "{id}: {otel}");
        }
    }

    #[test]
    fn addresses_are_complete() {
        for Provider { id, address, env, surfaces, .. } in PROVIDERS {
            if let Address::Fixed(address) = address {
                assert!(address.starts_with("https://") && !address.ends_with('/'), "{id}: {address}");
                assert!(!address.ends_with("/completions"), "{id}: {address}");
                assert!(!env.is_empty(), "{id}");
            }
            assert!(!surfaces.is_empty(), "{id}");
            assert!(surfaces.iter().all(|surface| surface.path.0.starts_with('/')), "{id}");
            assert!(env.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_')), "{id}: {env}");
        }
    }

    #[test]
    fn nobody_else_is_sent_to_openai() {
        for Provider { id, address, .. } in PROVIDERS {
            let theirs = matches!(address, Address::Fixed(address) if address.contains("api.openai.com"));
            assert_eq!(theirs, *id == "openai", "{id}");
        }
    }

    #[test]
    fn servers_of_ones_own_have_no_address() {
        let ids = [
            "azure_ai",
            "docker_model_runner",
            "hosted_vllm",
            "lemonade",
            "litellm_proxy",
            "llamafile",
            "lm_studio",
            "oobabooga",
            "openai_compatible",
            "xinference",
        ];
        for id in ids {
            assert!(find(id).is_some_and(|provider| provider.address == Address::Configured), "{id}");
        }
    }

    #[test]
    fn every_row_names_its_documents() {
        for Provider { id, docs, .. } in PROVIDERS {
            assert!(docs.starts_with("https://") && docs.len() > "https://".len(), "{id}: {docs}");
        }
    }

    #[test]
    fn quirks_name_fields_of_a_chat_request() {
        for Provider { id, quirks, .. } in PROVIDERS {
            let renamed = quirks.rename.iter().map(|(ours, _)| *ours);
            let clamped = quirks.clamp.iter().map(|(field, _, _)| *field);
            for field in quirks.drop.iter().copied().chain(renamed).chain(clamped) {
                assert!(FIELDS.contains(&field), "{id}: {field}");
            }
            assert!(quirks.drop.is_sorted_by(|one, next| one < next), "{id}");
            assert!(quirks.rename.iter().all(|(ours, theirs)| ours != theirs), "{id}");
            assert!(quirks.rename.iter().all(|(ours, _)| !quirks.drop.contains(ours)), "{id}");
            assert!(quirks.clamp.iter().all(|(_, low, high)| low <= high), "{id}");
        }
    }
}
