//! The rows, sorted by id.
//!
//! A provider that speaks OpenAI's chat format is one row over `CHAT`; its address and environment variable are its
//! own. A field is listed as dropped, or a number as clamped, only where the provider's documents say that it is refused
//! or has no effect: elsewhere the provider's own error tells more than a silent repair. The output limit goes under its
//! old name wherever the new one is not known to be read, as a limit that is ignored costs money.

use super::{Address::*, Auth, Provider, Quirks, Setting, Surface, Template};
use crate::auth::token::Issuer;
use crate::format::{Format, Operation};

/// OpenAI's renaming of the output limit, undone for those who know the old name alone.
const MAX_TOKENS: &[(&str, &str)] = &[("max_completion_tokens", "max_tokens")];

/// No more than one answer to a call.
const ONE_CHOICE: &[(&str, f64, f64)] = &[("n", 1.0, 1.0)];

/// What providers in OpenAI's chat format have in common.
const CHAT: Provider = Provider {
    id: "",
    name: "",
    otel: "",
    address: Configured,
    options: &[],
    auth: Auth::Bearer,
    signs: None,
    tokens: &[],
    headers: &[],
    surfaces: &[Surface::new(Operation::Generate, "/chat/completions", Format::Chat)],
    quirks: Quirks { developer_role: false, ..Quirks::NONE },
    env: "",
    docs: "",
};

/// The output limit under its old name, and nothing else.
const OLD_LIMIT: Quirks = Quirks { rename: MAX_TOKENS, ..CHAT.quirks };

/// Mistral's schema has names of its own and refuses what it does not know; usage ends a stream unasked.
const MISTRAL: Quirks = Quirks {
    drop: &["logit_bias", "logprobs", "service_tier", "store", "top_logprobs", "user"],
    rename: &[("max_completion_tokens", "max_tokens"), ("seed", "random_seed")],
    stream_options: false,
    ..CHAT.quirks
};

/// Every provider, sorted by id.
pub static PROVIDERS: &[Provider] = &[
    Provider {
        id: "abliteration",
        name: "abliteration.ai",
        otel: "abliteration",
        address: Fixed("https://api.abliteration.ai/v1"),
        quirks: OLD_LIMIT,
        env: "ABLITERATION_API_KEY",
        docs: "https://docs.abliteration.ai/",
        ..CHAT
    },
    Provider {
        id: "ai21",
        name: "AI21 Labs",
        otel: "ai21",
        address: Fixed("https://api.ai21.com/studio/v1"),
        quirks: OLD_LIMIT,
        env: "AI21_API_KEY",
        docs: "https://docs.ai21.com/reference/jamba-1-6-api-ref",
        ..CHAT
    },
    Provider {
        id: "aihubmix",
        name: "AIHubMix",
        otel: "aihubmix",
        address: Fixed("https://aihubmix.com/v1"),
        env: "AIHUBMIX_API_KEY",
        docs: "https://docs.aihubmix.com/",
        ..CHAT
    },
    Provider {
        id: "aiml",
        name: "AI/ML API",
        otel: "aiml",
        address: Fixed("https://api.aimlapi.com/v1"),
        env: "AIML_API_KEY",
        docs: "https://docs.aimlapi.com/",
        ..CHAT
    },
    Provider {
        id: "amazon_nova",
        name: "Amazon Nova",
        otel: "amazon_nova",
        address: Fixed("https://api.nova.amazon.com/v1"),
        env: "AMAZON_NOVA_API_KEY",
        docs: "https://nova.amazon.com/dev/documentation",
        ..CHAT
    },
    Provider {
        id: "anthropic",
        name: "Anthropic",
        otel: "anthropic",
        address: Fixed("https://api.anthropic.com"),
        auth: Auth::Header("x-api-key"),
        headers: &[("anthropic-version", "2023-06-01")],
        surfaces: &[
            Surface::new(Operation::Generate, "/v1/messages", Format::Messages),
            Surface::new(Operation::CountTokens, "/v1/messages/count_tokens", Format::Messages),
        ],
        quirks: Quirks::NONE,
        env: "ANTHROPIC_API_KEY",
        docs: "https://platform.claude.com/docs/en/api/messages",
        ..CHAT
    },
    Provider {
        id: "apertis",
        name: "Apertis",
        otel: "apertis",
        address: Fixed("https://api.apertis.ai/v1"),
        env: "STIMA_API_KEY",
        docs: "https://docs.apertis.ai/",
        ..CHAT
    },
    // The key stands in the header without `Bearer`.
    Provider {
        id: "assemblyai",
        name: "AssemblyAI LLM Gateway",
        otel: "assemblyai",
        address: Fixed("https://llm-gateway.assemblyai.com/v1"),
        auth: Auth::Header("authorization"),
        env: "ASSEMBLYAI_API_KEY",
        docs: "https://www.assemblyai.com/docs/llm-gateway/quickstart",
        ..CHAT
    },
    Provider {
        id: "atlascloud",
        name: "Atlas Cloud",
        otel: "atlascloud",
        address: Fixed("https://api.atlascloud.ai/v1"),
        env: "ATLASCLOUD_API_KEY",
        docs: "https://www.atlascloud.ai/docs",
        ..CHAT
    },
    // The resource's `/openai/v1`, which takes its key as a bearer too. Deployment paths of Azure OpenAI are another format.
    Provider {
        id: "azure_ai",
        name: "Azure AI Foundry",
        otel: "azure.ai.inference",
        tokens: &[Issuer::AzureAd],
        env: "AZURE_AI_API_KEY",
        docs: "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/latest",
        ..CHAT
    },
    Provider {
        id: "baseten",
        name: "Baseten",
        otel: "baseten",
        address: Fixed("https://inference.baseten.co/v1"),
        quirks: OLD_LIMIT,
        env: "BASETEN_API_KEY",
        docs: "https://docs.baseten.co/inference/model-apis/overview",
        ..CHAT
    },
    Provider {
        id: "bedrock_mantle",
        name: "Amazon Bedrock Mantle",
        otel: "aws.bedrock",
        address: Of(Template("https://bedrock-mantle.{region}.api.aws/v1"), &[]),
        options: &[Setting { name: "region", default: None }],
        signs: Some("bedrock-mantle"),
        env: "AWS_BEARER_TOKEN_BEDROCK",
        docs: "https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html",
        ..CHAT
    },
    // `logit_bias` is read and never applied.
    Provider {
        id: "cerebras",
        name: "Cerebras",
        otel: "cerebras",
        address: Fixed("https://api.cerebras.ai/v1"),
        quirks: Quirks { drop: &["logit_bias"], ..CHAT.quirks },
        env: "CEREBRAS_API_KEY",
        docs: "https://inference-docs.cerebras.ai/api-reference/chat-completions",
        ..CHAT
    },
    Provider {
        id: "charity_engine",
        name: "Charity Engine",
        otel: "charity_engine",
        address: Fixed("https://api.charityengine.services/remotejobs/v2/inference"),
        quirks: OLD_LIMIT,
        env: "CHARITY_ENGINE_API_KEY",
        docs: "https://www.charityengine.com/",
        ..CHAT
    },
    Provider {
        id: "chutes",
        name: "Chutes",
        otel: "chutes",
        address: Fixed("https://llm.chutes.ai/v1"),
        quirks: OLD_LIMIT,
        env: "CHUTES_API_KEY",
        docs: "https://chutes.ai/docs",
        ..CHAT
    },
    Provider {
        id: "clarifai",
        name: "Clarifai",
        otel: "clarifai",
        address: Fixed("https://api.clarifai.com/v2/ext/openai/v1"),
        env: "CLARIFAI_PAT",
        docs: "https://docs.clarifai.com/compute/inference/open-ai/",
        ..CHAT
    },
    // The address holds the account: `https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1`.
    Provider {
        id: "cloudflare",
        name: "Cloudflare Workers AI",
        otel: "cloudflare",
        env: "CLOUDFLARE_API_KEY",
        docs: "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
        ..CHAT
    },
    Provider {
        id: "codestral",
        name: "Codestral",
        otel: "mistral_ai",
        address: Fixed("https://codestral.mistral.ai/v1"),
        quirks: MISTRAL,
        env: "CODESTRAL_API_KEY",
        docs: "https://docs.mistral.ai/api/endpoint/chat",
        ..CHAT
    },
    Provider {
        id: "cognition",
        name: "Cognition",
        otel: "cognition",
        address: Fixed("https://api.cognition.ai/v1"),
        env: "COGNITION_API_KEY",
        docs: "https://docs.devin.ai/",
        ..CHAT
    },
    Provider {
        id: "cometapi",
        name: "CometAPI",
        otel: "cometapi",
        address: Fixed("https://api.cometapi.com/v1"),
        env: "COMETAPI_KEY",
        docs: "https://apidoc.cometapi.com/",
        ..CHAT
    },
    Provider {
        id: "compactifai",
        name: "CompactifAI",
        otel: "compactifai",
        address: Fixed("https://api.compactif.ai/v1"),
        env: "COMPACTIFAI_API_KEY",
        docs: "https://docs.compactif.ai/api_reference/",
        ..CHAT
    },
    Provider {
        id: "cortecs",
        name: "Cortecs",
        otel: "cortecs",
        address: Fixed("https://api.cortecs.ai/v1"),
        env: "CORTECS_API_KEY",
        docs: "https://docs.cortecs.ai/api-overview/chat-completions",
        ..CHAT
    },
    Provider {
        id: "crusoe",
        name: "Crusoe",
        otel: "crusoe",
        address: Fixed("https://api.inference.crusoecloud.com/v1"),
        quirks: OLD_LIMIT,
        env: "CRUSOE_API_KEY",
        docs: "https://docs.crusoecloud.com/",
        ..CHAT
    },
    Provider {
        id: "darkbloom",
        name: "Darkbloom",
        otel: "darkbloom",
        address: Fixed("https://api.darkbloom.dev/v1"),
        quirks: OLD_LIMIT,
        env: "DARKBLOOM_API_KEY",
        docs: "https://github.com/Layr-Labs/d-inference",
        ..CHAT
    },
    Provider {
        id: "dashscope",
        name: "Alibaba Cloud Model Studio (China)",
        otel: "dashscope",
        address: Fixed("https://dashscope.aliyuncs.com/compatible-mode/v1"),
        quirks: OLD_LIMIT,
        env: "DASHSCOPE_API_KEY",
        docs: "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        ..CHAT
    },
    // The workspace's `/serving-endpoints`, with a personal access token.
    Provider {
        id: "databricks",
        name: "Databricks",
        otel: "databricks",
        env: "DATABRICKS_API_KEY",
        docs: "https://docs.databricks.com/aws/en/machine-learning/model-serving/score-foundation-models",
        ..CHAT
    },
    Provider {
        id: "datarobot",
        name: "DataRobot LLM gateway",
        otel: "datarobot",
        address: Fixed("https://app.datarobot.com/api/v2/genai/llmgw"),
        surfaces: &[Surface::new(Operation::Generate, "/chat/completions/", Format::Chat)],
        quirks: OLD_LIMIT,
        env: "DATAROBOT_API_TOKEN",
        docs: "https://docs.datarobot.com/en/docs/gen-ai/index.html",
        ..CHAT
    },
    Provider {
        id: "deepinfra",
        name: "DeepInfra",
        otel: "deepinfra",
        address: Fixed("https://api.deepinfra.com/v1/openai"),
        quirks: OLD_LIMIT,
        env: "DEEPINFRA_API_KEY",
        docs: "https://docs.deepinfra.com/chat/overview",
        ..CHAT
    },
    Provider {
        id: "deepseek",
        name: "DeepSeek",
        otel: "deepseek",
        address: Fixed("https://api.deepseek.com"),
        // https://api-docs.deepseek.com/guides/thinking_mode: a call of a tool without the thought before it is refused.
        quirks: Quirks { reasoning_field: Some("reasoning_content"), ..OLD_LIMIT },
        env: "DEEPSEEK_API_KEY",
        docs: "https://api-docs.deepseek.com/api/create-chat-completion",
        ..CHAT
    },
    Provider {
        id: "docker_model_runner",
        name: "Docker Model Runner",
        otel: "docker_model_runner",
        quirks: OLD_LIMIT,
        docs: "https://docs.docker.com/ai/model-runner/api-reference/",
        ..CHAT
    },
    Provider {
        id: "edenai",
        name: "Eden AI",
        otel: "edenai",
        address: Fixed("https://api.edenai.run/v3"),
        env: "EDENAI_API_KEY",
        docs: "https://www.edenai.co/docs",
        ..CHAT
    },
    Provider {
        id: "empiriolabs",
        name: "EmpirioLabs",
        otel: "empiriolabs",
        address: Fixed("https://api.empiriolabs.ai/v1"),
        quirks: OLD_LIMIT,
        env: "EMPIRIOLABS_API_KEY",
        docs: "https://docs.empiriolabs.ai/",
        ..CHAT
    },
    Provider {
        id: "empower",
        name: "Empower",
        otel: "empower",
        address: Fixed("https://app.empower.dev/api/v1"),
        quirks: OLD_LIMIT,
        env: "EMPOWER_API_KEY",
        docs: "https://docs.empower.dev/",
        ..CHAT
    },
    Provider {
        id: "featherless_ai",
        name: "Featherless AI",
        otel: "featherless_ai",
        address: Fixed("https://api.featherless.ai/v1"),
        quirks: OLD_LIMIT,
        env: "FEATHERLESS_AI_API_KEY",
        docs: "https://featherless.ai/docs/api-overview-and-common-options",
        ..CHAT
    },
    Provider {
        id: "fireworks_ai",
        name: "Fireworks AI",
        otel: "fireworks_ai",
        address: Fixed("https://api.fireworks.ai/inference/v1"),
        env: "FIREWORKS_AI_API_KEY",
        docs: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        ..CHAT
    },
    Provider {
        id: "friendliai",
        name: "FriendliAI",
        otel: "friendliai",
        address: Fixed("https://api.friendli.ai/serverless/v1"),
        quirks: OLD_LIMIT,
        env: "FRIENDLI_TOKEN",
        docs: "https://friendli.ai/docs/guides/serverless_endpoints/introduction",
        ..CHAT
    },
    Provider {
        id: "galadriel",
        name: "Galadriel",
        otel: "galadriel",
        address: Fixed("https://api.galadriel.com/v1"),
        quirks: OLD_LIMIT,
        env: "GALADRIEL_API_KEY",
        docs: "https://docs.galadriel.com/",
        ..CHAT
    },
    Provider {
        id: "gmi",
        name: "GMI Cloud",
        otel: "gmi",
        address: Fixed("https://api.gmi-serving.com/v1"),
        quirks: OLD_LIMIT,
        env: "GMI_API_KEY",
        docs: "https://docs.gmicloud.ai/inference-engine/api-reference/llm-api-reference",
        ..CHAT
    },
    Provider {
        id: "gradient_ai",
        name: "DigitalOcean Gradient AI",
        otel: "gradient_ai",
        address: Fixed("https://inference.do-ai.run/v1"),
        env: "GRADIENT_AI_API_KEY",
        docs: "https://docs.digitalocean.com/products/gradient-ai-platform/how-to/use-serverless-inference/",
        ..CHAT
    },
    Provider {
        id: "groq",
        name: "Groq",
        otel: "groq",
        address: Fixed("https://api.groq.com/openai/v1"),
        quirks: Quirks { drop: &["logit_bias", "logprobs", "top_logprobs"], clamp: ONE_CHOICE, ..CHAT.quirks },
        env: "GROQ_API_KEY",
        docs: "https://console.groq.com/docs/openai",
        ..CHAT
    },
    Provider {
        id: "helicone",
        name: "Helicone AI Gateway",
        otel: "helicone",
        address: Fixed("https://ai-gateway.helicone.ai"),
        env: "HELICONE_API_KEY",
        docs: "https://docs.helicone.ai/gateway/overview",
        ..CHAT
    },
    // `INFERENCE_URL` of the add-on, with `/v1`.
    Provider {
        id: "heroku",
        name: "Heroku Managed Inference",
        otel: "heroku",
        env: "HEROKU_API_KEY",
        docs: "https://devcenter.heroku.com/articles/heroku-inference-api-v1-chat-completions",
        ..CHAT
    },
    Provider {
        id: "hosted_vllm",
        name: "vLLM",
        otel: "hosted_vllm",
        env: "HOSTED_VLLM_API_KEY",
        docs: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        ..CHAT
    },
    Provider {
        id: "huggingface",
        name: "Hugging Face Inference Providers",
        otel: "huggingface",
        address: Fixed("https://router.huggingface.co/v1"),
        env: "HF_TOKEN",
        docs: "https://huggingface.co/docs/inference-providers/tasks/chat-completion",
        ..CHAT
    },
    Provider {
        id: "hyperbolic",
        name: "Hyperbolic",
        otel: "hyperbolic",
        address: Fixed("https://api.hyperbolic.xyz/v1"),
        quirks: OLD_LIMIT,
        env: "HYPERBOLIC_API_KEY",
        docs: "https://docs.hyperbolic.xyz/docs/inference-api",
        ..CHAT
    },
    Provider {
        id: "inception",
        name: "Inception",
        otel: "inception",
        address: Fixed("https://api.inceptionlabs.ai/v1"),
        quirks: OLD_LIMIT,
        env: "INCEPTION_API_KEY",
        docs: "https://docs.inceptionlabs.ai/get-started/models",
        ..CHAT
    },
    Provider {
        id: "lemonade",
        name: "Lemonade",
        otel: "lemonade",
        quirks: OLD_LIMIT,
        env: "LEMONADE_API_KEY",
        docs: "https://lemonade-server.ai/docs/server/server_spec/",
        ..CHAT
    },
    Provider {
        id: "libertai",
        name: "LibertAI",
        otel: "libertai",
        address: Fixed("https://api.libertai.io/v1"),
        quirks: OLD_LIMIT,
        env: "LIBERTAI_API_KEY",
        docs: "https://docs.libertai.io/",
        ..CHAT
    },
    Provider {
        id: "litellm_proxy",
        name: "LiteLLM proxy",
        otel: "litellm_proxy",
        env: "LITELLM_PROXY_API_KEY",
        docs: "https://docs.litellm.ai/docs/proxy/user_keys",
        ..CHAT
    },
    Provider {
        id: "llamafile",
        name: "llamafile",
        otel: "llamafile",
        env: "LLAMAFILE_API_KEY",
        docs: "https://github.com/mozilla-ai/llamafile",
        ..CHAT
    },
    Provider {
        id: "llamagate",
        name: "LlamaGate",
        otel: "llamagate",
        address: Fixed("https://api.llamagate.dev/v1"),
        quirks: OLD_LIMIT,
        env: "LLAMAGATE_API_KEY",
        docs: "https://llamagate.dev/docs",
        ..CHAT
    },
    Provider {
        id: "lm_studio",
        name: "LM Studio",
        otel: "lm_studio",
        env: "LM_STUDIO_API_KEY",
        docs: "https://lmstudio.ai/docs/developer/openai-compat",
        ..CHAT
    },
    Provider {
        id: "maritalk",
        name: "Maritaca AI",
        otel: "maritalk",
        address: Fixed("https://chat.maritaca.ai/api"),
        env: "MARITALK_API_KEY",
        docs: "https://docs.maritaca.ai/",
        ..CHAT
    },
    Provider {
        id: "meta",
        name: "Meta Model API",
        otel: "meta",
        address: Fixed("https://api.meta.ai/v1"),
        env: "META_API_KEY",
        docs: "https://dev.meta.ai/docs/protocols/chat-completions",
        ..CHAT
    },
    // It refuses a temperature of 0.
    Provider {
        id: "minimax",
        name: "MiniMax",
        otel: "minimax",
        address: Fixed("https://api.minimax.io/v1"),
        quirks: Quirks {
            drop: &["frequency_penalty", "logit_bias", "presence_penalty"],
            clamp: &[("n", 1.0, 1.0), ("temperature", 0.01, 1.0)],
            ..CHAT.quirks
        },
        env: "MINIMAX_API_KEY",
        docs: "https://platform.minimax.io/docs/api-reference/text-openai-api",
        ..CHAT
    },
    Provider {
        id: "mistral",
        name: "Mistral AI",
        otel: "mistral_ai",
        address: Fixed("https://api.mistral.ai/v1"),
        quirks: MISTRAL,
        env: "MISTRAL_API_KEY",
        docs: "https://docs.mistral.ai/api/endpoint/chat",
        ..CHAT
    },
    Provider {
        id: "modelscope",
        name: "ModelScope",
        otel: "modelscope",
        address: Fixed("https://api-inference.modelscope.cn/v1"),
        env: "MODELSCOPE_API_KEY",
        docs: "https://modelscope.cn/docs/model-service/API-Inference/intro",
        ..CHAT
    },
    Provider {
        id: "moonshot",
        name: "Moonshot AI",
        otel: "moonshot",
        address: Fixed("https://api.moonshot.ai/v1"),
        quirks: Quirks {
            clamp: &[("temperature", 0.0, 1.0)],
            reasoning_field: Some("reasoning_content"),
            ..CHAT.quirks
        },
        env: "MOONSHOT_API_KEY",
        docs: "https://platform.kimi.ai/docs/guide/migrating-from-openai-to-kimi",
        ..CHAT
    },
    Provider {
        id: "morph",
        name: "Morph",
        otel: "morph",
        address: Fixed("https://api.morphllm.com/v1"),
        env: "MORPH_API_KEY",
        docs: "https://docs.morphllm.com/api-reference/introduction",
        ..CHAT
    },
    Provider {
        id: "nadir",
        name: "Nadir",
        otel: "nadir",
        address: Fixed("https://api.getnadir.com/v1"),
        env: "NADIR_API_KEY",
        docs: "https://getnadir.com/docs",
        ..CHAT
    },
    Provider {
        id: "nano-gpt",
        name: "NanoGPT",
        otel: "nano-gpt",
        address: Fixed("https://nano-gpt.com/api/v1"),
        quirks: OLD_LIMIT,
        env: "NANOGPT_API_KEY",
        docs: "https://docs.nano-gpt.com/",
        ..CHAT
    },
    Provider {
        id: "nebius",
        name: "Nebius Token Factory",
        otel: "nebius",
        address: Fixed("https://api.tokenfactory.nebius.com/v1"),
        quirks: OLD_LIMIT,
        env: "NEBIUS_API_KEY",
        docs: "https://docs.tokenfactory.nebius.com/api-reference/introduction",
        ..CHAT
    },
    Provider {
        id: "neosantara",
        name: "Neosantara",
        otel: "neosantara",
        address: Fixed("https://api.neosantara.xyz/v1"),
        quirks: OLD_LIMIT,
        env: "NEOSANTARA_API_KEY",
        docs: "https://docs.neosantara.xyz/",
        ..CHAT
    },
    Provider {
        id: "novita",
        name: "Novita AI",
        otel: "novita",
        address: Fixed("https://api.novita.ai/openai/v1"),
        quirks: OLD_LIMIT,
        env: "NOVITA_API_KEY",
        docs: "https://novita.ai/docs/guides/llm-api",
        ..CHAT
    },
    Provider {
        id: "nscale",
        name: "Nscale",
        otel: "nscale",
        address: Fixed("https://inference.api.nscale.com/v1"),
        env: "NSCALE_API_KEY",
        docs: "https://docs.nscale.com/",
        ..CHAT
    },
    Provider {
        id: "nvidia_nim",
        name: "NVIDIA NIM",
        otel: "nvidia_nim",
        address: Fixed("https://integrate.api.nvidia.com/v1"),
        quirks: OLD_LIMIT,
        env: "NVIDIA_NIM_API_KEY",
        docs: "https://docs.api.nvidia.com/nim/reference/llm-apis",
        ..CHAT
    },
    Provider {
        id: "oobabooga",
        name: "Text generation web UI",
        otel: "oobabooga",
        docs: "https://github.com/oobabooga/text-generation-webui/wiki/12-%E2%80%90-OpenAI-API",
        ..CHAT
    },
    Provider {
        id: "openai",
        name: "OpenAI",
        otel: "openai",
        address: Fixed("https://api.openai.com/v1"),
        quirks: Quirks::NONE,
        env: "OPENAI_API_KEY",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        ..CHAT
    },
    Provider {
        id: "openai_compatible",
        name: "Any server in OpenAI's format",
        otel: "openai_compatible",
        tokens: &[Issuer::AzureAd, Issuer::Gcp, Issuer::IbmIam],
        docs: "https://platform.openai.com/docs/api-reference/chat",
        ..CHAT
    },
    Provider {
        id: "openrouter",
        name: "OpenRouter",
        otel: "openrouter",
        address: Fixed("https://openrouter.ai/api/v1"),
        env: "OPENROUTER_API_KEY",
        docs: "https://openrouter.ai/docs/api-reference/overview",
        ..CHAT
    },
    Provider {
        id: "ovhcloud",
        name: "OVHcloud AI Endpoints",
        otel: "ovhcloud",
        address: Fixed("https://oai.endpoints.kepler.ai.cloud.ovh.net/v1"),
        env: "OVHCLOUD_API_KEY",
        docs: "https://www.ovhcloud.com/en/public-cloud/ai-endpoints/catalog/",
        ..CHAT
    },
    Provider {
        id: "parasail",
        name: "Parasail",
        otel: "parasail",
        address: Fixed("https://api.parasail.io/v1"),
        env: "PARASAIL_API_KEY",
        docs: "https://docs.parasail.io/parasail-docs/cookbooks/chat-completions",
        ..CHAT
    },
    Provider {
        id: "pinstripes",
        name: "Pinstripes",
        otel: "pinstripes",
        address: Fixed("https://pinstripes.io/v1"),
        quirks: OLD_LIMIT,
        env: "PINSTRIPES_API_KEY",
        docs: "https://pinstripes.io/",
        ..CHAT
    },
    Provider {
        id: "poe",
        name: "Poe",
        otel: "poe",
        address: Fixed("https://api.poe.com/v1"),
        env: "POE_API_KEY",
        docs: "https://creator.poe.com/docs/external-applications/openai-compatible-api",
        ..CHAT
    },
    Provider {
        id: "prism",
        name: "Prism Inference",
        otel: "prism",
        address: Fixed("https://api.prisminference.com/v1"),
        env: "PRISM_API_KEY",
        docs: "https://docs.prisminference.com/",
        ..CHAT
    },
    Provider {
        id: "publicai",
        name: "Public AI",
        otel: "publicai",
        address: Fixed("https://api.publicai.co/v1"),
        quirks: OLD_LIMIT,
        env: "PUBLICAI_API_KEY",
        docs: "https://platform.publicai.co/docs",
        ..CHAT
    },
    Provider {
        id: "qwen_ai_platform",
        name: "Qwen (China)",
        otel: "qwen_ai_platform",
        address: Fixed("https://dashscope.aliyuncs.com/compatible-mode/v1"),
        quirks: OLD_LIMIT,
        env: "QWEN_AI_PLATFORM_API_KEY",
        docs: "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        ..CHAT
    },
    Provider {
        id: "qwencloud",
        name: "Qwen Cloud",
        otel: "qwencloud",
        address: Fixed("https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
        quirks: OLD_LIMIT,
        env: "QWENCLOUD_API_KEY",
        docs: "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        ..CHAT
    },
    Provider {
        id: "reka",
        name: "Reka",
        otel: "reka",
        address: Fixed("https://api.reka.ai/v1"),
        env: "REKA_API_KEY",
        docs: "https://docs.reka.ai/chat/overview",
        ..CHAT
    },
    Provider {
        id: "requesty",
        name: "Requesty",
        otel: "requesty",
        address: Fixed("https://router.requesty.ai/v1"),
        env: "REQUESTY_API_KEY",
        docs: "https://docs.requesty.ai/",
        ..CHAT
    },
    Provider {
        id: "sail",
        name: "Sail Research",
        otel: "sail",
        address: Fixed("https://api.sailresearch.com/v1"),
        env: "SAIL_API_KEY",
        docs: "https://docs.sailresearch.com/",
        ..CHAT
    },
    Provider {
        id: "sambanova",
        name: "SambaNova",
        otel: "sambanova",
        address: Fixed("https://api.sambanova.ai/v1"),
        quirks: Quirks {
            drop: &["frequency_penalty", "logit_bias", "parallel_tool_calls", "presence_penalty"],
            ..CHAT.quirks
        },
        env: "SAMBANOVA_API_KEY",
        docs: "https://docs.sambanova.ai/docs/api-reference/chat-completions/create-chat-based-completion",
        ..CHAT
    },
    Provider {
        id: "sarvam",
        name: "Sarvam AI",
        otel: "sarvam",
        address: Fixed("https://api.sarvam.ai/v1"),
        quirks: OLD_LIMIT,
        env: "SARVAM_API_KEY",
        docs: "https://docs.sarvam.ai/api-reference/chat/chat-completions-v1",
        ..CHAT
    },
    Provider {
        id: "scaleway",
        name: "Scaleway Generative APIs",
        otel: "scaleway",
        address: Fixed("https://api.scaleway.ai/v1"),
        quirks: Quirks {
            drop: &["frequency_penalty", "logit_bias", "n", "top_logprobs", "user"],
            rename: MAX_TOKENS,
            ..CHAT.quirks
        },
        env: "SCW_SECRET_KEY",
        docs: "https://www.scaleway.com/en/docs/generative-apis/api-cli/using-chat-api/",
        ..CHAT
    },
    Provider {
        id: "scx-ai",
        name: "SCX.ai",
        otel: "scx-ai",
        address: Fixed("https://api.scx.ai/v1"),
        quirks: OLD_LIMIT,
        env: "SCX_API_KEY",
        docs: "https://scx.ai/",
        ..CHAT
    },
    Provider {
        id: "siliconflow",
        name: "SiliconFlow",
        otel: "siliconflow",
        address: Fixed("https://api.siliconflow.com/v1"),
        env: "SILICONFLOW_API_KEY",
        docs: "https://docs.siliconflow.com/en/api-reference/chat-completions/chat-completions",
        ..CHAT
    },
    // The account's `/api/v2/cortex/v1`, with a programmatic access token.
    Provider {
        id: "snowflake",
        name: "Snowflake Cortex",
        otel: "snowflake",
        env: "SNOWFLAKE_PAT",
        docs: "https://docs.snowflake.com/en/user-guide/snowflake-cortex/open_ai_sdk",
        ..CHAT
    },
    Provider {
        id: "stepfun",
        name: "StepFun",
        otel: "stepfun",
        address: Fixed("https://api.stepfun.com/v1"),
        env: "STEPFUN_API_KEY",
        docs: "https://platform.stepfun.com/docs/zh/overview/concept",
        ..CHAT
    },
    Provider {
        id: "synthetic",
        name: "Synthetic",
        otel: "synthetic",
        address: Fixed("https://api.synthetic.new/openai/v1"),
        quirks: OLD_LIMIT,
        env: "SYNTHETIC_API_KEY",
        docs: "https://dev.synthetic.new/docs/openai/chat-completions",
        ..CHAT
    },
    Provider {
        id: "tencent",
        name: "Tencent Cloud TokenHub",
        otel: "tencent",
        address: Fixed("https://tokenhub-intl.tencentcloudmaas.com/v1"),
        env: "TENCENT_API_KEY",
        docs: "https://www.tencentcloud.com/document/product/1300",
        ..CHAT
    },
    Provider {
        id: "tensormesh",
        name: "Tensormesh",
        otel: "tensormesh",
        address: Fixed("https://serverless.tensormesh.ai/v1"),
        quirks: OLD_LIMIT,
        env: "TENSORMESH_INFERENCE_API_KEY",
        docs: "https://docs.tensormesh.ai/",
        ..CHAT
    },
    Provider {
        id: "together_ai",
        name: "Together AI",
        otel: "together_ai",
        address: Fixed("https://api.together.ai/v1"),
        env: "TOGETHERAI_API_KEY",
        docs: "https://docs.together.ai/docs/inference/openai-compatibility",
        ..CHAT
    },
    Provider {
        id: "upstage",
        name: "Upstage",
        otel: "upstage",
        address: Fixed("https://api.upstage.ai/v1"),
        env: "UPSTAGE_API_KEY",
        docs: "https://console.upstage.ai/api/chat",
        ..CHAT
    },
    Provider {
        id: "v0",
        name: "v0 by Vercel",
        otel: "v0",
        address: Fixed("https://api.v0.dev/v1"),
        env: "V0_API_KEY",
        docs: "https://v0.app/docs/api/model",
        ..CHAT
    },
    Provider {
        id: "veniceai",
        name: "Venice",
        otel: "veniceai",
        address: Fixed("https://api.venice.ai/api/v1"),
        env: "VENICE_AI_API_KEY",
        docs: "https://docs.venice.ai/api-reference/endpoint/chat/completions",
        ..CHAT
    },
    Provider {
        id: "vercel_ai_gateway",
        name: "Vercel AI Gateway",
        otel: "vercel_ai_gateway",
        address: Fixed("https://ai-gateway.vercel.sh/v1"),
        env: "VERCEL_AI_GATEWAY_API_KEY",
        docs: "https://vercel.com/docs/ai-gateway/sdks-and-apis/openai-chat-completions",
        ..CHAT
    },
    Provider {
        id: "volcengine",
        name: "Volcengine Ark",
        otel: "volcengine",
        address: Fixed("https://ark.cn-beijing.volces.com/api/v3"),
        env: "VOLCENGINE_API_KEY",
        docs: "https://www.volcengine.com/docs/82379/1494384",
        ..CHAT
    },
    Provider {
        id: "vultr",
        name: "Vultr Inference",
        otel: "vultr",
        address: Fixed("https://api.vultrinference.com/v1"),
        env: "VULTR_API_KEY",
        docs: "https://api.vultrinference.com/",
        ..CHAT
    },
    Provider {
        id: "wandb",
        name: "W&B Inference",
        otel: "wandb",
        address: Fixed("https://api.inference.wandb.ai/v1"),
        quirks: OLD_LIMIT,
        env: "WANDB_API_KEY",
        docs: "https://docs.wandb.ai/guides/inference/",
        ..CHAT
    },
    Provider {
        id: "xai",
        name: "xAI",
        otel: "x_ai",
        address: Fixed("https://api.x.ai/v1"),
        env: "XAI_API_KEY",
        docs: "https://docs.x.ai/developers/rest-api-reference/inference/chat",
        ..CHAT
    },
    Provider {
        id: "xiaomi_mimo",
        name: "Xiaomi MiMo",
        otel: "xiaomi_mimo",
        address: Fixed("https://api.xiaomimimo.com/v1"),
        env: "XIAOMI_MIMO_API_KEY",
        docs: "https://platform.xiaomimimo.com/#/docs",
        ..CHAT
    },
    Provider {
        id: "xinference",
        name: "Xinference",
        otel: "xinference",
        quirks: OLD_LIMIT,
        env: "XINFERENCE_API_KEY",
        docs: "https://inference.readthedocs.io/en/latest/",
        ..CHAT
    },
    Provider {
        id: "zai",
        name: "Z.ai",
        otel: "zai",
        address: Fixed("https://api.z.ai/api/paas/v4"),
        quirks: Quirks { rename: MAX_TOKENS, clamp: &[("temperature", 0.0, 1.0), ("top_p", 0.01, 1.0)], ..CHAT.quirks },
        env: "ZAI_API_KEY",
        docs: "https://docs.z.ai/api-reference/llm/chat-completion",
        ..CHAT
    },
];
