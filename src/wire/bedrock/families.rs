//! What each maker's models take beyond what Converse says of all, as data.
//!
//! From the pages on [models and their features](https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html),
//! [prompt caching](https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html) and [structured
//! outputs](https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html), and from what Bedrock answers to
//! more, read in November 2026.

use crate::wire::anthropic::models::{self, Model, Sampling};
use crate::wire::aws;

/// How far a model can be told to call tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Forced {
    /// It calls as it likes.
    Never,
    /// It must call some tool.
    Any,
    /// It must call a certain one.
    Named,
}

/// Where a model takes marks of what to cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cached {
    /// Nowhere.
    Never,
    /// In what is said, but for results of tools.
    Said,
    /// Everywhere. `hour`: they may last for an hour.
    All { hour: bool },
}

/// How a model is told how much to think.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effort {
    /// As it was said: of the model nothing is known.
    AsSaid,
    /// In Anthropic's words.
    Claude(&'static Model),
    /// By a word under `reasoning_effort`, out of three.
    Flat,
    /// It cannot be told.
    Never,
    /// By a word under `reasoning.effort`.
    Nested,
    /// By a word under `reasoningConfig`, out of three.
    Nova,
}

/// What the models of a family take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    /// What their names hold.
    key: &'static str,
    pub forced: Forced,
    pub cached: Cached,
    pub effort: Effort,
    /// Whether `outputConfig` holds them to a schema.
    pub schemas: bool,
    /// Whether tools can be `strict`.
    pub strict: bool,
    /// Whether a result can be marked as an error.
    pub status: bool,
    /// Whether they take `temperature` and `topP`.
    pub sampling: bool,
    /// The member of `additionalModelRequestFields` for `top_k`, with the object that it stands in.
    pub top_k: Option<(Option<&'static str>, &'static str)>,
    /// Whether they take stop sequences.
    pub stops: bool,
    /// The letters and digits of a call's id, where they must be so many.
    pub call_id: Option<usize>,
}

/// A family of which nothing more is known.
const PLAIN: Family = Family {
    key: "",
    forced: Forced::Never,
    cached: Cached::Never,
    effort: Effort::Never,
    schemas: false,
    strict: false,
    status: false,
    sampling: true,
    top_k: None,
    stops: true,
    call_id: None,
};

/// Amazon's own.
const NOVA: Family = Family {
    key: "nova",
    forced: Forced::Named,
    cached: Cached::Said,
    status: true,
    top_k: Some((Some("inferenceConfig"), "topK")),
    ..PLAIN
};

/// Open weights that are held to schemas, and can be made to call.
const OPEN: Family = Family { forced: Forced::Any, schemas: true, ..PLAIN };

/// OpenAI's.
const GPT: Family = Family { key: "openai.", effort: Effort::Nested, sampling: false, stops: false, ..OPEN };

const MISTRAL: Family = Family { call_id: Some(9), schemas: true, ..PLAIN };

/// What names of Claude hold.
const CLAUDE: &str = "claude";

/// The first row whose key a name holds is the name's.
static FAMILIES: &[Family] = &[
    Family { key: "nova-2", effort: Effort::Nova, ..NOVA },
    NOVA,
    Family { key: "gpt-oss", effort: Effort::Flat, sampling: true, ..GPT },
    GPT,
    Family { key: "deepseek.r1", schemas: false, forced: Forced::Never, ..OPEN },
    Family { key: "deepseek", effort: Effort::Flat, ..OPEN },
    Family { key: "mistral-large-24", forced: Forced::Any, schemas: false, ..MISTRAL },
    Family { key: "pixtral", forced: Forced::Any, schemas: false, ..MISTRAL },
    Family { key: "mistral", ..MISTRAL },
    Family { key: "qwen", ..OPEN },
    Family { key: "moonshot", ..OPEN },
    Family { key: "minimax", ..OPEN },
    Family { key: "zai.", ..OPEN },
    Family { key: "nemotron", ..OPEN },
    Family { key: "gemma", schemas: true, ..PLAIN },
    Family { key: "llama", ..PLAIN },
    Family { key: "cohere", ..PLAIN },
    Family { key: "ai21", ..PLAIN },
    Family { key: "palmyra", ..PLAIN },
    Family { key: "titan", ..PLAIN },
];

/// Models that nobody here knows, such as imported ones: Bedrock says what they do not take.
const UNKNOWN: Family = Family {
    forced: Forced::Named,
    cached: Cached::All { hour: true },
    effort: Effort::AsSaid,
    schemas: true,
    status: true,
    ..PLAIN
};

/// What the model of that name takes; `asked` is the client's name for it.
pub(super) fn of(name: &str, asked: &str) -> Family {
    let name = if aws::hides_model(name) { asked } else { name };
    let name = name.to_ascii_lowercase();
    if name.contains(CLAUDE) {
        return claude(&name);
    }
    FAMILIES.iter().find(|family| name.contains(family.key)).copied().unwrap_or(UNKNOWN)
}

fn claude(name: &str) -> Family {
    let model = models::of(name);
    // Those of which Bedrock has learned to hold them to a schema; of the later ones it knows it where no tool will do.
    let known = model.schemas && model.sampling == Sampling::One;
    let uncached = ["claude-3-haiku", "claude-3-opus", "claude-3-sonnet", "20240620", "claude-v", "claude-instant"];
    Family {
        key: CLAUDE,
        forced: if model.forced_tools { Forced::Named } else { Forced::Never },
        cached: match uncached.iter().any(|old| name.contains(old)) {
            true => Cached::Never,
            false => Cached::All { hour: model.schemas && model.key != "opus-4-1" },
        },
        effort: Effort::Claude(model),
        schemas: known || (model.schemas && !model.forced_tools),
        strict: known,
        status: true,
        top_k: Some((None, "top_k")),
        ..PLAIN
    }
}

impl Family {
    /// The row of Claude's table, if it is one.
    pub fn claude(&self) -> Option<&'static Model> {
        match self.effort {
            Effort::Claude(model) => Some(model),
            _ => None,
        }
    }

    /// Whether Amazon searches the web for it.
    pub fn searches(&self) -> bool {
        self.key.starts_with(NOVA.key)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn key(name: &str) -> &'static str {
        of(name, "").key
    }

    #[test]
    fn names_find_their_family() {
        for (name, expected) in [
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", CLAUDE),
            ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", CLAUDE),
            ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0", "nova"),
            ("eu.amazon.nova-2-lite-v1:0", "nova-2"),
            ("openai.gpt-oss-120b-1:0", "gpt-oss"),
            ("us.openai.gpt-6-sol", "openai."),
            ("us.deepseek.r1-v1:0", "deepseek.r1"),
            ("deepseek.v3.2", "deepseek"),
            ("mistral.mistral-large-2407-v1:0", "mistral-large-24"),
            ("mistral.ministral-3-8b-instruct", "mistral"),
            ("us.mistral.pixtral-large-2502-v1:0", "pixtral"),
            ("us.meta.llama4-scout-17b-instruct-v1:0", "llama"),
            ("qwen.qwen3-32b-v1:0", "qwen"),
            ("cohere.command-r-plus-v1:0", "cohere"),
            ("arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl", ""),
        ] {
            assert_eq!(key(name), expected, "{name}");
        }
    }

    #[test]
    fn the_clients_name_tells_what_an_address_hides() {
        let profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6";
        assert_eq!(of(profile, "claude-sonnet-4-5").key, CLAUDE);
        assert_eq!(of(profile, "smart").key, "");
        assert_eq!(of("amazon.nova-pro-v1:0", "claude-sonnet-4-5").key, "nova");
    }

    #[test]
    fn what_each_claude_takes() {
        let told = |name: &str| {
            let Family { forced, cached, schemas, strict, .. } = of(name, "");
            (forced, cached, schemas, strict)
        };
        let all = |hour| Cached::All { hour };
        assert_eq!(told("anthropic.claude-3-haiku-20240307-v1:0"), (Forced::Named, Cached::Never, false, false));
        assert_eq!(told("anthropic.claude-3-7-sonnet-20250219-v1:0"), (Forced::Named, all(false), false, false));
        assert_eq!(told("anthropic.claude-opus-4-1-20250805-v1:0"), (Forced::Named, all(false), true, true));
        assert_eq!(told("anthropic.claude-haiku-4-5-20251001-v1:0"), (Forced::Named, all(true), true, true));
        assert_eq!(told("anthropic.claude-opus-4-6-v1"), (Forced::Named, all(true), true, true));
        assert_eq!(told("anthropic.claude-opus-4-8"), (Forced::Named, all(true), false, false));
        assert_eq!(told("anthropic.claude-opus-5-5"), (Forced::Never, all(true), true, false));
    }
}
