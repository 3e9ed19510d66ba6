//! The catalogue: what Dragoman knows of each provider, as data.
//!
//! A provider is a row of [`catalogue`]. A row says where the provider is, how it takes its key, which [`Surface`]
//! answers which operation, and in what its format differs from the one it follows ([`Quirks`]).

mod catalogue;

pub use catalogue::PROVIDERS;

use crate::format::{Format, Operation};

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
    /// How its key is sent.
    pub auth: Auth,
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
}

/// The header in which a provider takes its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer KEY`.
    Bearer,
    /// The named header, holding the key alone.
    Header(&'static str),
}

/// How a provider answers one operation.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    /// The operation.
    pub operation: Operation,
    /// The path after the address.
    pub path: &'static str,
    /// The format of request and answer.
    pub format: Format,
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
    /// How ids of calls must look.
    pub call_ids: CallIds,
    /// Whether thought in the conversation is refused unless the provider has signed it.
    pub signed_thought: bool,
    /// Members that other providers know in messages, parts and tools, and that this one refuses: removed, and reported.
    pub foreign: &'static [&'static str],
}

/// How ids of calls must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallIds {
    /// In any way.
    Any,
    /// So many letters and digits.
    Exactly(usize),
    /// At most so many characters.
    UpTo(usize),
}

impl Quirks {
    /// None.
    pub const NONE: Self = Self {
        drop: &[],
        rename: &[],
        clamp: &[],
        stream_options: true,
        developer_role: true,
        reasoning_field: None,
        call_ids: CallIds::Any,
        signed_thought: false,
        foreign: &[],
    };
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// The fields of a chat request that a quirk may name, ours among them.
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
        "thinking",
        "top_k",
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

    /// The names that [OpenTelemetry](https://github.com/open-telemetry/semantic-conventions-genai) has for providers.
    const CONVENTIONS: &[&str] = &[
        "anthropic",
        "aws.bedrock",
        "azure.ai.inference",
        "azure.ai.openai",
        "cohere",
        "deepseek",
        "gcp.gemini",
        "gcp.vertex_ai",
        "groq",
        "ibm.watsonx.ai",
        "mistral_ai",
        "openai",
        "perplexity",
        "x_ai",
    ];

    #[test]
    fn names_in_telemetry_are_the_conventions_or_our_own() {
        for Provider { id, otel, .. } in PROVIDERS {
            assert!(CONVENTIONS.contains(otel) || otel == id, "{id}: {otel}");
        }
        for (id, otel) in [("azure_ai", "azure.ai.inference"), ("mistral", "mistral_ai"), ("xai", "x_ai")] {
            assert_eq!(find(id).map(|provider| provider.otel), Some(otel));
        }
    }

    #[test]
    fn every_operation_has_one_surface_in_a_format() {
        for Provider { id, surfaces, .. } in PROVIDERS {
            assert!(!surfaces.is_empty(), "{id}");
            for Surface { operation, path, format } in *surfaces {
                let same = surfaces.iter().filter(|s| (s.operation, s.format) == (*operation, *format)).count();
                assert_eq!(same, 1, "{id}: {operation:?} in {format:?} twice");
                assert!(path.starts_with('/') && !path.contains(['?', '#', ' ']), "{id}: {path}");
                // Tokens are counted for calls that are answered too.
                let answered = surfaces.iter().any(|s| (s.operation, s.format) == (Operation::Generate, *format));
                assert!(*operation != Operation::CountTokens || answered, "{id}: {format:?}");
            }
        }
    }

    #[test]
    fn headers_can_be_sent() {
        let name = |name: &str| !name.is_empty() && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        for Provider { id, auth, headers, .. } in PROVIDERS {
            let key = match *auth {
                Auth::Bearer => "authorization",
                Auth::Header(key) => key,
            };
            assert!(name(key), "{id}: {key}");
            for (header, value) in *headers {
                assert!(name(header) && *header != key, "{id}: {header}");
                assert!(!value.is_empty() && value.bytes().all(|b| matches!(b, b' '..=b'~')), "{id}: {value}");
            }
        }
    }

    #[test]
    fn addresses_are_complete() {
        for Provider { id, address, env, .. } in PROVIDERS {
            if let Address::Fixed(address) = address {
                assert!(address.starts_with("https://") && !address.ends_with('/'), "{id}: {address}");
                assert!(!address.ends_with("/completions"), "{id}: {address}");
                assert!(!env.is_empty(), "{id}");
            }
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
            assert!(
                quirks.clamp.iter().all(|(_, low, high)| low <= high && low.is_finite() && high.is_finite()),
                "{id}"
            );
            // A field that is clamped is not renamed as well, nor is one that is dropped clamped.
            let renamed = |field: &str| quirks.rename.iter().any(|(ours, theirs)| [*ours, *theirs].contains(&field));
            for (field, ..) in quirks.clamp {
                assert!(!renamed(field) && !quirks.drop.contains(field), "{id}: {field}");
            }
            assert!(quirks.rename.iter().all(|(_, theirs)| !quirks.drop.contains(theirs)), "{id}");
            let once = |names: Vec<&str>| (1..names.len()).all(|at| !names[at..].contains(&names[at - 1]));
            assert!(once(quirks.rename.iter().map(|(ours, _)| *ours).collect()), "{id}");
            assert!(once(quirks.rename.iter().map(|(_, theirs)| *theirs).collect()), "{id}");
            assert!(once(quirks.clamp.iter().map(|(field, ..)| *field).collect()), "{id}");
        }
    }
}
