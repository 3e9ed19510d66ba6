//! LiteLLM's names of providers, and ours.

use dragoman::provider::{self, Provider};

/// LiteLLM's prefixes that are called otherwise here.
const RENAMED: &[(&str, &str)] = &[
    ("ai21_chat", "ai21"),
    ("aiohttp_openai", "openai_compatible"),
    ("azure_text", "azure"),
    ("bigmodel", "zhipuai"),
    ("cohere_chat", "cohere"),
    ("custom", "openai_compatible"),
    ("custom_openai", "openai_compatible"),
    ("ollama_chat", "ollama"),
    ("openai_like", "openai_compatible"),
    ("text-completion-codestral", "codestral"),
    ("text-completion-inception", "inception"),
    ("text-completion-openai", "openai"),
    ("vertex_ai", "vertex"),
    ("vertex_ai_beta", "vertex"),
    ("vllm", "hosted_vllm"),
    ("watsonx_text", "watsonx"),
];

/// Prefixes of providers in OpenAI's format that are no rows of ours: (prefix, address, variable of the key).
const ADDRESSES: &[(&str, &str, &str)] = &[
    ("aiand", "https://api.aiand.com/v1", "AIAND_API_KEY"),
    ("anyscale", "https://api.endpoints.anyscale.com/v1", "ANYSCALE_API_KEY"),
    ("coralbricks", "https://inference.coralbricks.ai/v1", "CORALBRICKS_API_KEY"),
    ("hostinger_router", "https://router.hostinger.com/v1", "HOSTINGER_ROUTER_API_KEY"),
    ("inferenceapis", "https://api.inferenceapis.com/v1", "INFERENCEAPIS_API_KEY"),
    ("kyma", "https://kymaapi.com/v1", "KYMA_API_KEY"),
    ("lambda_ai", "https://api.lambda.ai/v1", "LAMBDA_API_KEY"),
    ("meta_llama", "https://api.llama.com/compat/v1", "LLAMA_API_KEY"),
    ("openinfer", "https://api.openinfer.ai/v1", "OPENINFER_API_KEY"),
    ("refuseless", "https://api.refuseless.com/v1", "REFUSELESS_API_KEY"),
    ("wally", "https://inference.runanywhere.ai/v1", "WALLY_API_KEY"),
    ("zerogpu", "https://api.zerogpu.ai/v1", "ZEROGPU_API_KEY"),
];

/// Prefixes of providers that are not reached here, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("auto_router", "a model that chooses models; clients name the model"),
    ("chatgpt", "it signs in as a person"),
    ("github_copilot", "it signs in as a person"),
    ("gigachat", "it signs in with tokens of its own"),
    ("litellm_agent", "an agent of LiteLLM's"),
    ("oci", "it signs requests in Oracle's way"),
    ("sagemaker", "its endpoints have formats of their own; `sagemaker_chat` reaches those with OpenAI's"),
    ("sap", "it signs in with tokens of its own"),
];

/// What the names of models without a prefix begin with.
const NAMES: &[(&str, &str)] = &[
    ("chatgpt-", "openai"),
    ("claude-", "anthropic"),
    ("codex-", "openai"),
    ("command-", "cohere"),
    ("computer-use-", "openai"),
    ("dall-e-", "openai"),
    ("embed-", "cohere"),
    ("ft:gpt-", "openai"),
    ("gemini-", "vertex_ai"),
    ("gpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("omni-moderation-", "openai"),
    ("rerank-", "cohere"),
    ("sora-", "openai"),
    ("text-embedding-", "openai"),
    ("text-moderation-", "openai"),
    ("tts-", "openai"),
    ("whisper-", "openai"),
];

/// Parts between a prefix and a model's name that choose an API of the provider's and are no part of the name.
const APIS: &[(&str, &[&str])] = &[
    ("azure", &["gpt5_series", "o_series", "responses"]),
    ("azure_ai", &["agents", "flux"]),
    ("bedrock", &["converse", "converse_like", "invoke"]),
    ("openai", &["chat", "responses"]),
    ("xai", &["responses"]),
];

/// Servers of one's own, which often want no key.
const KEYLESS: &[&str] = &[
    "docker_model_runner",
    "hosted_vllm",
    "infinity",
    "lemonade",
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

/// A model at a provider.
#[derive(Debug)]
pub struct Identity {
    /// The row of the catalogue.
    pub provider: &'static Provider,
    /// The model's name there.
    pub model: String,
    /// Where it is, if the row does not say.
    pub address: Option<&'static str>,
    /// The variable in which its key is kept.
    pub env: &'static str,
}

/// What LiteLLM takes `model` for; or why it cannot be reached. `named` is `custom_llm_provider`; `elsewhere` is whether an
/// address is configured that is not OpenAI's own.
pub fn identify(model: &str, named: Option<&str>, elsewhere: bool) -> Result<Identity, String> {
    let (prefix, rest) = match (named, model.split_once('/')) {
        (Some(named), Some((prefix, rest))) if prefix == named => (named, rest),
        (Some(named), _) => (named, model),
        (None, Some((prefix, rest))) if is_prefix(prefix) => (prefix, rest),
        (None, _) => (by_name(model).ok_or("its provider is unknown: the model has no prefix")?, model),
    };
    if let Some((_, reason)) = ELSEWHERE.iter().find(|(known, _)| *known == prefix) {
        return Err(format!("`{prefix}`: {reason}"));
    }
    if let Some((_, address, env)) = ADDRESSES.iter().find(|(known, _, _)| *known == prefix) {
        let provider = provider::find("openai_compatible").ok_or("`openai_compatible` is not in the catalogue")?;
        return Ok(Identity { provider, model: rest.to_owned(), address: Some(address), env });
    }
    let id = RENAMED.iter().find(|(theirs, _)| *theirs == prefix).map_or(prefix, |(_, ours)| ours);
    // A server that only speaks OpenAI's format is not OpenAI.
    let id = if id == "openai" && elsewhere { "openai_compatible" } else { id };
    let provider = provider::find(id).ok_or_else(|| {
        format!("`{prefix}` is not in the catalogue; `openai_compatible` reaches any server in OpenAI's format")
    })?;
    Ok(Identity { provider, model: name_there(id, rest), address: None, env: provider.env })
}

/// Whether a server of that kind often wants no key.
pub fn is_keyless(provider: &Provider) -> bool {
    KEYLESS.contains(&provider.id)
}

fn is_prefix(prefix: &str) -> bool {
    provider::find(prefix).is_some()
        || RENAMED.iter().any(|(theirs, _)| *theirs == prefix)
        || ADDRESSES.iter().any(|(theirs, _, _)| *theirs == prefix)
        || ELSEWHERE.iter().any(|(theirs, _)| *theirs == prefix)
        || matches!(prefix, "bedrock" | "gemini")
}

fn by_name(model: &str) -> Option<&'static str> {
    let known = NAMES.iter().find(|(start, _)| model.starts_with(start)).map(|(_, provider)| *provider);
    let amazon = ["amazon.", "anthropic.", "cohere.", "meta.", "mistral."];
    let region = |model: &str| model.split_once('.').map(|(_, rest)| rest.to_owned());
    let is_amazon = |model: &str| amazon.iter().any(|maker| model.starts_with(maker));
    known.or_else(|| (is_amazon(model) || region(model).is_some_and(|rest| is_amazon(&rest))).then_some("bedrock"))
}

/// The model's name as the provider has it.
fn name_there(id: &str, model: &str) -> String {
    let mut name = model;
    let apis = APIS.iter().find(|(known, _)| *known == id).map(|(_, apis)| *apis).unwrap_or_default();
    while let Some((api, rest)) = name.split_once('/').filter(|(api, _)| apis.contains(api)) {
        debug_assert!(!api.is_empty());
        name = rest;
    }
    match id {
        "fireworks_ai" if !name.starts_with("accounts/") && !name.contains('*') => {
            format!("accounts/fireworks/models/{name}")
        }
        // The router of Hugging Face takes the inference provider behind the name.
        "huggingface" => match name.split_once('/') {
            Some((behind, rest)) if rest.contains('/') => format!("{rest}:{behind}"),
            _ => name.to_owned(),
        },
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(model: &str, named: Option<&str>, elsewhere: bool) -> Result<(&'static str, String), String> {
        identify(model, named, elsewhere).map(|found| (found.provider.id, found.model))
    }

    #[test]
    fn models_are_found_by_prefix_or_name() {
        for (model, provider, name) in [
            ("gpt-4o", "openai", "gpt-4o"),
            ("openai/gpt-4o", "openai", "gpt-4o"),
            ("openai/responses/o3", "openai", "o3"),
            ("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
            ("anthropic/*", "anthropic", "*"),
            ("azure/my/deployment", "azure", "my/deployment"),
            ("azure/o_series/mine", "azure", "mine"),
            ("openrouter/anthropic/claude-3", "openrouter", "anthropic/claude-3"),
            ("cohere_chat/command-r", "cohere", "command-r"),
            ("ollama_chat/llama3", "ollama", "llama3"),
            ("fireworks_ai/kimi-k2", "fireworks_ai", "accounts/fireworks/models/kimi-k2"),
            ("fireworks_ai/accounts/me/models/x", "fireworks_ai", "accounts/me/models/x"),
            ("huggingface/together/deepseek-ai/DeepSeek-R1", "huggingface", "deepseek-ai/DeepSeek-R1:together"),
            ("huggingface/meta-llama/Llama-3", "huggingface", "meta-llama/Llama-3"),
            ("meta_llama/Llama-4", "openai_compatible", "Llama-4"),
            ("nvidia_nim/meta/llama3", "nvidia_nim", "meta/llama3"),
        ] {
            assert_eq!(found(model, None, false), Ok((provider, name.to_owned())), "{model}");
        }
    }

    #[test]
    fn another_server_is_not_openai() {
        assert_eq!(found("openai/llama", None, true), Ok(("openai_compatible", "llama".to_owned())));
        assert_eq!(found("llama", Some("openai"), true), Ok(("openai_compatible", "llama".to_owned())));
        assert_eq!(found("groq/llama", Some("groq"), true), Ok(("groq", "llama".to_owned())));
    }

    #[test]
    fn what_cannot_be_reached_says_why() {
        for (model, reason) in [
            ("my-model", "its provider is unknown"),
            ("github_copilot/gpt-4o", "`github_copilot`: it signs in as a person"),
            ("oci/xai.grok", "`oci`: it signs"),
        ] {
            assert!(found(model, None, false).is_err_and(|found| found.starts_with(reason)), "{model}");
        }
    }

    #[test]
    fn names_lead_to_rows() {
        for (theirs, ours) in RENAMED {
            assert!(provider::find(ours).is_some(), "{theirs}");
            assert!(provider::find(theirs).is_none(), "{theirs}");
        }
        for (theirs, _, _) in ADDRESSES {
            assert!(provider::find(theirs).is_none(), "{theirs}");
        }
        for id in KEYLESS {
            assert!(provider::find(id).is_some(), "{id}");
        }
    }
}
