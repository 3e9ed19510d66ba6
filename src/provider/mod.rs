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
    /// What differs from OpenAI's embeddings where it makes any; without differences they are spliced.
    pub vectors: Option<&'static Vectors>,
    /// What none of its models takes: the gateway goes elsewhere with such a call if it can.
    pub lacks: &'static [Feature],
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
    /// `authorization: Token KEY`.
    Token,
    /// Two such headers: one for each format that is spoken there.
    Headers(&'static str, &'static str),
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
    /// The option that must have a value for it: (option, value).
    pub when: Option<(&'static str, &'static str)>,
    /// The path after the address, and perhaps a query. It may hold `{model}`, options and what a wire says of a call.
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
        Self { operation, models: "", when: None, path: Template(path), stream_path: None, format, envelope }
    }
}

/// What a provider wants around a body in another's format, applied after all else.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// Top-level fields that are not sent, such as a model that the path names.
    pub remove: &'static [&'static str],
    /// Top-level fields that it refuses: removed, and reported.
    pub drop: &'static [&'static str],
    /// A field of a size such as `1024x1024`, and the two for its numbers.
    pub split: Option<(&'static str, &'static str, &'static str)>,
    /// Words that it calls otherwise: (field, ours, theirs).
    pub words: &'static [(&'static str, &'static str, &'static str)],
    /// Top-level fields that go by another name: (ours, theirs).
    pub rename: &'static [(&'static str, &'static str)],
    /// Top-level fields that are added: name and raw JSON, which may hold options. One whose option is empty is not.
    pub set: &'static [(&'static str, Template)],
    /// Headers that it wants beside the provider's.
    pub headers: &'static [(&'static str, &'static str)],
    /// A header that is sent as an array in the body: (header, field).
    pub header: Option<(&'static str, &'static str)>,
    /// How a stream comes.
    pub wrapping: Wrapping,
}

/// How a stream of a format comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// As it is.
    Bare,
    /// Each event in base64, as the member `bytes` of an object that is the payload of one of Amazon's messages.
    Events,
    /// As server-sent events, cut anywhere into the payloads of Amazon's messages.
    Pieces,
}

impl Envelope {
    /// None.
    pub const NONE: Self = Self {
        remove: &[],
        drop: &[],
        split: None,
        words: &[],
        rename: &[],
        set: &[],
        headers: &[],
        header: None,
        wrapping: Wrapping::Bare,
    };
}

/// Differences from a format, applied to the finished body. A field that is named here and absent from a body is no error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quirks {
    /// Top-level fields that the provider refuses or ignores: removed, and reported.
    pub drop: &'static [&'static str],
    /// Top-level fields that the provider knows by another name: (ours, theirs). Both present: theirs stays.
    pub rename: &'static [(&'static str, &'static str)],
    /// Fields that the provider knows by another name where their value is one word: (ours, theirs).
    pub words: &'static [(&'static str, &'static str)],
    /// Number fields with the range that the provider takes: clamped into it, and reported.
    pub clamp: &'static [(&'static str, f64, f64)],
    /// Fields that must be arrays: a string becomes one.
    pub lists: &'static [&'static str],
    /// Fields that it is sent unless they are there: name and raw JSON.
    pub set: &'static [(&'static str, &'static str)],
    /// Whether `stream_options` may ask for usage at the end of a stream.
    pub stream_options: bool,
    /// Whether the role `developer` is known; where not it is sent as `system`.
    pub developer_role: bool,
    /// How it is told how much to think.
    pub effort: Effort,
    /// Where it says what it thought, and takes it back.
    pub thought: Thought,
    /// The flag on a last message of the assistant's by which the provider continues it. Without the flag it refuses one.
    pub prefill: Option<&'static str>,
    /// How ids of calls must look.
    pub call_ids: CallIds,
    /// Whether thought in a conversation of Anthropic's format is refused unless the provider has signed it.
    pub signed_thought: bool,
    /// Members that other providers know in messages, parts and tools, and that this one refuses: removed, and reported.
    pub foreign: &'static [&'static str],
}

impl Thought {
    /// Whether it is taken back.
    pub fn is_taken(self) -> bool {
        !matches!(self, Self::Hidden | Self::Parts { takes: false })
    }
}

impl Quirks {
    /// None.
    pub const NONE: Self = Self {
        drop: &[],
        rename: &[],
        words: &[],
        clamp: &[],
        lists: &[],
        set: &[],
        stream_options: true,
        developer_role: true,
        effort: Effort::Known,
        thought: Thought::Hidden,
        prefill: None,
        call_ids: CallIds::Any,
        signed_thought: false,
        foreign: &[],
    };
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

/// How a provider in OpenAI's format is told how much to think: what `reasoning_effort` becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// `reasoning_effort`, sent as it comes; of other formats' amounts only where the model is known to take one.
    Known,
    /// A field of its own says whether to think, and `reasoning_effort` how much.
    Switch {
        /// The field.
        field: &'static str,
        /// Its value, raw, if there shall be thought.
        on: &'static str,
        /// Its value, raw, if there shall be none.
        off: &'static str,
        /// The words for how much; none is as it comes.
        words: &'static [&'static str],
    },
    /// `reasoning_effort` in these words; another word becomes the nearest.
    Words(&'static [&'static str]),
}

/// Where a provider in OpenAI's format says what it thought, and takes it back. Clients know `reasoning_content`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thought {
    /// In a member of a message.
    Field {
        /// The member's name in answers.
        says: &'static str,
        /// Its name in requests.
        takes: &'static str,
    },
    /// Where clients read it, or not at all; and takes nothing back.
    Hidden,
    /// In parts of a message's content.
    Parts {
        /// Whether it takes them back, in Mistral's form.
        takes: bool,
    },
}

/// Differences from OpenAI's embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vectors {
    /// The field of the texts.
    pub input: &'static str,
    /// Whether tokens may stand for texts.
    pub tokens: bool,
    /// The field of the length of vectors, if it can be said.
    pub dimensions: Option<&'static str>,
    /// The field and value that ask for vectors in base64, where there are any: (field, raw JSON).
    pub base64: Option<(&'static str, &'static str)>,
    /// How it is told what texts are for.
    pub task: Option<Task>,
    /// Whether it takes `user`.
    pub user: bool,
    /// The fields beside OpenAI's that it takes; nothing is any.
    pub own: Option<&'static [&'static str]>,
    /// Top-level fields that it must have: name and raw JSON.
    pub set: &'static [(&'static str, &'static str)],
}

/// How a provider of embeddings is told what texts are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// The field.
    pub field: &'static str,
    /// Its words: (ours, theirs). Ours are `classification`, `clustering`, `code`, `document`, `query` and `similarity`.
    pub words: &'static [(&'static str, &'static str)],
    /// Their word for calls that say nothing, where one must be said.
    pub default: Option<&'static str>,
}

/// Something in a call that not every provider takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feature {
    /// Sound to hear.
    Audio,
    /// Documents other than plain text.
    Documents,
    /// Images at an address.
    ImageUrls,
    /// Images to see.
    Images,
    /// A schema that the answer must follow.
    JsonSchema,
    /// What only those have who speak the format of Responses themselves, such as responses that they keep. No row lists it:
    /// surfaces tell.
    Responses,
    /// Tools to call.
    Tools,
}

impl Feature {
    /// The name in listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Documents => "documents",
            Self::ImageUrls => "image_urls",
            Self::Images => "images",
            Self::JsonSchema => "json_schema",
            Self::Responses => "responses",
            Self::Tools => "tools",
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// The fields of a chat request that a quirk may name, ours among them.
    const FIELDS: &[&str] = &[
        "audio",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "temperature",
        "thinking",
        "tool_choice",
        "top_k",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ];

    #[test]
    fn rows_are_sorted_and_unique() {
        assert!(PROVIDERS.len() >= 120, "{} rows", PROVIDERS.len());
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
            // A provider's other addresses share its name.
            assert!(CONVENTIONS.contains(otel) || find(otel).is_some(), "{id}: {otel}");
        }
        for (id, otel) in [("azure_ai", "azure.ai.inference"), ("mistral", "mistral_ai"), ("xai", "x_ai")] {
            assert_eq!(find(id).map(|provider| provider.otel), Some(otel));
        }
    }

    #[test]
    fn every_operation_has_one_surface_in_a_format() {
        for Provider { id, surfaces, .. } in PROVIDERS {
            assert!(!surfaces.is_empty(), "{id}");
            for Surface { operation, models, when, path, format, .. } in *surfaces {
                let one = (*operation, *format, *models, *when);
                let same = surfaces.iter().filter(|s| (s.operation, s.format, s.models, s.when) == one).count();
                assert_eq!(same, 1, "{id}: {operation:?} in {format:?} twice");
                assert!(path.0.starts_with('/') && !path.0.contains(['#', ' ']), "{id}: {}", path.0);
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
            let keys = match *auth {
                Auth::Bearer | Auth::IbmIam | Auth::Token => vec!["authorization"],
                Auth::Header(key) => vec![key],
                Auth::Headers(one, other) => vec![one, other],
            };
            assert!(keys.iter().all(|key| name(key)), "{id}: {keys:?}");
            for (header, value) in *headers {
                assert!(name(header) && !keys.contains(header), "{id}: {header}");
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
            "azure",
            "azure_ai",
            "docker_model_runner",
            "hosted_vllm",
            "infinity",
            "lemonade",
            "litellm_proxy",
            "llama_cpp",
            "llamafile",
            "lm_studio",
            "localai",
            "ollama",
            "oobabooga",
            "openai_compatible",
            "sglang",
            "tei",
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
            let words = quirks.words.iter().map(|(ours, _)| *ours).chain(quirks.lists.iter().copied());
            for field in quirks.drop.iter().copied().chain(renamed).chain(clamped).chain(words) {
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

    /// What paths hold that is no option.
    const SAID: &[&str] = &["+model", "container", "encoding", "format", "language", "model", "voice"];

    #[test]
    fn texts_name_options_of_their_own() {
        for Provider { id, address, options, surfaces, .. } in PROVIDERS {
            let known = |name: &str| options.iter().any(|setting| setting.name == name);
            if let Address::Of(template, _) = address {
                assert!(template.names().all(known), "{id}");
            }
            for surface in *surfaces {
                assert!(surface.when.is_none_or(|(name, _)| known(name)), "{id}");
                let set = surface.envelope.set.iter().map(|(_, json)| *json);
                for template in set.chain(surface.stream_path).chain([surface.path]) {
                    let named = template.names().all(|name| known(name) || SAID.contains(&name));
                    assert!(named, "{id}: {}", template.0);
                }
            }
        }
    }

    #[test]
    fn what_is_lacking_is_listed_once() {
        for Provider { id, lacks, .. } in PROVIDERS {
            assert!(lacks.is_sorted_by(|one, next| one < next), "{id}");
        }
    }
}
