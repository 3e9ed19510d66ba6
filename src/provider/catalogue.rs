//! The rows, sorted by id.
//!
//! A provider that speaks OpenAI's chat format is one row over `CHAT`; its address and environment variable are its
//! own. A field is listed as dropped, or a number as clamped, only where the provider's documents say that it is refused
//! or has no effect: elsewhere the provider's own error tells more than a silent repair. The output limit goes under its
//! old name wherever the new one is not known to be read, as a limit that is ignored costs money.

use super::{
    Address::*, Auth, CallIds, Effort, Envelope, Feature, Provider, Quirks, Setting, Surface, Task, Template, Thought,
    Vectors, Wrapping,
};
use crate::auth::token::Issuer;
use crate::format::{Format, Operation};

/// OpenAI's renaming of the output limit, undone for those who know the old name alone.
const MAX_TOKENS: &[(&str, &str)] = &[("max_completion_tokens", "max_tokens")];

/// What clients know from elsewhere, and what answers from elsewhere gave them to send back: marks of what to cache, and
/// thought under its names.
const FOREIGN: &[&str] = &["cache_control", "reasoning", "reasoning_content", "reasoning_details", "thinking_blocks"];

/// The same for those who take thought back as `reasoning`.
const OTHERS: &[&str] = &["cache_control", "reasoning_content", "reasoning_details", "thinking_blocks"];
/// Where everything of a project at Google Cloud is.
macro_rules! vertex {
    () => {
        "/v1/projects/{project}/locations/{region}/"
    };
}

/// The version of Anthropic's format, which Google Cloud wants in the body.
const VERTEX_CLAUDE: &[(&str, Template)] = &[("anthropic_version", Template(r#""vertex-2023-10-16""#))];

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
    surfaces: &[CHAT_COMPLETIONS],
    quirks: Quirks { developer_role: false, ..Quirks::NONE },
    vectors: Some(&FLOATS),
    lacks: &[],
    env: "",
    docs: "",
};

/// The output limit under its old name, and nothing else.
const OLD_LIMIT: Quirks = Quirks { rename: MAX_TOKENS, ..CHAT.quirks };

/// Mistral's schema has names of its own and refuses what it does not know; usage ends a stream unasked.
const MISTRAL: Quirks = Quirks {
    drop: &[
        "audio",
        "logit_bias",
        "modalities",
        "safety_identifier",
        "store",
        "user",
        "verbosity",
        "web_search_options",
    ],
    rename: &[("max_completion_tokens", "max_tokens"), ("seed", "random_seed")],
    stream_options: false,
    thought: Thought::Parts { takes: true },
    prefill: Some("prefix"),
    call_ids: CallIds::Exactly(9),
    foreign: FOREIGN,
    ..CHAT.quirks
};

/// Moonshot's models sample as they are made to, from 0 to 1 where they can be told.
const KIMI: Quirks = Quirks {
    clamp: &[("temperature", 0.0, 1.0)],
    effort: thinking(&["low", "high", "max"]),
    thought: REASONING_CONTENT,
    prefill: Some("partial"),
    ..CHAT.quirks
};

/// MiniMax refuses a temperature of 0, and tells its thought apart from its answer only if it is asked to.
const MINIMAX: Quirks = Quirks {
    drop: &["frequency_penalty", "logit_bias", "presence_penalty"],
    clamp: &[("n", 1.0, 1.0), ("temperature", 0.01, 1.0)],
    set: &[("reasoning_split", "true")],
    thought: REASONING_CONTENT,
    ..CHAT.quirks
};

/// Z.ai's and Zhipu's.
const GLM: Quirks = Quirks {
    drop: &[
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "top_logprobs",
    ],
    rename: &[("max_completion_tokens", "max_tokens"), ("user", "user_id")],
    clamp: &[("temperature", 0.0, 1.0), ("top_p", 0.01, 1.0)],
    effort: thinking(&[]),
    thought: REASONING_CONTENT,
    ..CHAT.quirks
};

/// Alibaba's.
const QWEN: Quirks = Quirks { effort: ENABLE_THINKING, prefill: Some("partial"), ..OLD_LIMIT };

/// Thought in a member that clients do not know.
const REASONING: Thought = Thought::Field { says: "reasoning", takes: "reasoning" };

/// Thought in the member that clients know, and back in it.
const REASONING_CONTENT: Thought = Thought::Field { says: "reasoning_content", takes: "reasoning_content" };

/// OpenAI's words for how much to think.
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// A switch of thought, as Alibaba has it.
const ENABLE_THINKING: Effort = Effort::Switch { field: "enable_thinking", on: "true", off: "false", words: &[] };

/// A switch of thought, as DeepSeek has it, beside an effort in these words.
const fn thinking(words: &'static [&'static str]) -> Effort {
    let (on, off) = (r#"{"type":"enabled"}"#, r#"{"type":"disabled"}"#);
    Effort::Switch { field: "thinking", on, off, words }
}

/// Surfaces at the paths and in the formats of OpenAI, without the part of the path that an address has.
const CHAT_COMPLETIONS: Surface = Surface::new(Operation::Generate, "/chat/completions", Format::Chat);
const COMPLETIONS: Surface = Surface::new(Operation::Generate, "/completions", Format::Completions);
const EMBEDDINGS: Surface = Surface::new(Operation::Embed, "/embeddings", Format::Embeddings);
const MODERATIONS: Surface = Surface::new(Operation::Moderate, "/moderations", Format::Moderations);
const RESPONSES: Surface = Surface::new(Operation::Generate, "/responses", Format::Responses);

const IMAGES: Surface = Surface::new(Operation::Image, "/images/generations", Format::Images);
const IMAGE_EDITS: Surface = Surface::new(Operation::EditImages, "/images/edits", Format::Images);
const SPEECH: Surface = Surface::new(Operation::Speak, "/audio/speech", Format::Speech);
const TRANSCRIPTIONS: Surface = Surface::new(Operation::Transcribe, "/audio/transcriptions", Format::Transcriptions);
const TRANSLATIONS: Surface = Surface::new(Operation::Translate, "/audio/translations", Format::Transcriptions);

/// Rankings in Cohere's format.
const RERANK: Surface = Surface::new(Operation::Rank, "/rerank", Format::Rerank);

/// Chat and embeddings, both in OpenAI's format.
const CHAT_AND_EMBEDDINGS: &[Surface] = &[CHAT_COMPLETIONS, EMBEDDINGS];

/// What servers of open models have: the old completions among it.
const SERVER: &[Surface] = &[CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS];

/// Embeddings in OpenAI's format by those who are not known to have vectors in base64, which OpenAI's own clients ask for
/// without being told to.
const FLOATS: Vectors = Vectors {
    input: "input",
    tokens: true,
    dimensions: Some("dimensions"),
    base64: None,
    task: None,
    user: true,
    own: None,
    set: &[],
};

/// OpenAI's way to ask for base64.
const BASE64: Option<(&str, &str)> = Some(("encoding_format", "\"base64\""));

/// What texts are for, to NVIDIA's models, most of which must be told.
const PASSAGES: Task =
    Task { field: "input_type", words: &[("document", "passage"), ("query", "query")], default: Some("passage") };

/// Ollama's own formats, which say more than those of others that it follows.
const OLLAMA: &[Surface] = &[
    Surface::new(Operation::Generate, "/api/chat", Format::Ollama),
    Surface::new(Operation::Embed, "/api/embed", Format::Embeddings),
];

/// Ollama's embeddings.
const OLLAMA_VECTORS: Vectors =
    Vectors { tokens: false, user: false, own: Some(&["keep_alive", "options", "truncate"]), ..FLOATS };

/// What watsonx wants around a body.
const WATSONX_ENVELOPE: Envelope = Envelope {
    rename: &[("model", "model_id")],
    set: &[("project_id", Template("\"{project}\"")), ("space_id", Template("\"{space}\""))],
    ..Envelope::NONE
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
        quirks: Quirks {
            drop: &[
                "frequency_penalty",
                "logit_bias",
                "logprobs",
                "parallel_tool_calls",
                "presence_penalty",
                "seed",
                "top_logprobs",
            ],
            rename: MAX_TOKENS,
            stream_options: false,
            ..CHAT.quirks
        },
        lacks: &[Feature::Audio, Feature::Documents, Feature::Images],
        env: "AI21_API_KEY",
        docs: "https://docs.ai21.com/reference/jamba-1-6-api-ref",
        ..CHAT
    },
    Provider {
        id: "aihubmix",
        name: "AIHubMix",
        otel: "aihubmix",
        address: Fixed("https://aihubmix.com/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "AIHUBMIX_API_KEY",
        docs: "https://docs.aihubmix.com/",
        ..CHAT
    },
    Provider {
        id: "aiml",
        name: "AI/ML API",
        otel: "aiml",
        address: Fixed("https://api.aimlapi.com/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
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
        quirks: Quirks { signed_thought: true, ..Quirks::NONE },
        lacks: &[Feature::Audio],
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
    // `base_url` is the resource. The model is the name of a deployment; with the version `v1` it stands in the body.
    Provider {
        id: "azure",
        name: "Azure OpenAI",
        otel: "azure.ai.openai",
        options: &[Setting { name: "api_version", default: Some("2024-10-21") }],
        auth: Auth::Header("api-key"),
        surfaces: &[
            Surface {
                when: Some(("api_version", "v1")),
                ..Surface::new(Operation::Generate, "/openai/v1/chat/completions", Format::Chat)
            },
            Surface {
                when: Some(("api_version", "v1")),
                ..Surface::new(Operation::Generate, "/openai/v1/responses", Format::Responses)
            },
            Surface {
                when: Some(("api_version", "v1")),
                ..Surface::new(Operation::Embed, "/openai/v1/embeddings", Format::Embeddings)
            },
            Surface { when: Some(("api_version", "v1")), path: Template("/openai/v1/images/generations"), ..IMAGES },
            Surface { when: Some(("api_version", "v1")), path: Template("/openai/v1/images/edits"), ..IMAGE_EDITS },
            Surface { when: Some(("api_version", "v1")), path: Template("/openai/v1/audio/speech"), ..SPEECH },
            Surface {
                when: Some(("api_version", "v1")),
                path: Template("/openai/v1/audio/transcriptions"),
                ..TRANSCRIPTIONS
            },
            Surface {
                when: Some(("api_version", "v1")),
                path: Template("/openai/v1/audio/translations"),
                ..TRANSLATIONS
            },
            Surface::new(
                Operation::Generate,
                "/openai/deployments/{model}/chat/completions?api-version={api_version}",
                Format::Chat,
            ),
            Surface {
                models: "instruct",
                path: Template("/openai/deployments/{model}/completions?api-version={api_version}"),
                ..COMPLETIONS
            },
            Surface::new(
                Operation::Embed,
                "/openai/deployments/{model}/embeddings?api-version={api_version}",
                Format::Embeddings,
            ),
            Surface {
                path: Template("/openai/deployments/{model}/images/generations?api-version={api_version}"),
                ..IMAGES
            },
            Surface {
                path: Template("/openai/deployments/{model}/images/edits?api-version={api_version}"),
                ..IMAGE_EDITS
            },
            Surface { path: Template("/openai/deployments/{model}/audio/speech?api-version={api_version}"), ..SPEECH },
            Surface {
                path: Template("/openai/deployments/{model}/audio/transcriptions?api-version={api_version}"),
                ..TRANSCRIPTIONS
            },
            Surface {
                path: Template("/openai/deployments/{model}/audio/translations?api-version={api_version}"),
                ..TRANSLATIONS
            },
        ],
        quirks: Quirks::NONE,
        vectors: None,
        tokens: &[Issuer::AzureAd],
        env: "AZURE_API_KEY",
        docs: "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference",
        ..CHAT
    },
    // A Foundry resource: models in the formats of OpenAI, and Claude in its own. Each takes the key in another header.
    Provider {
        id: "azure_ai",
        name: "Azure AI Foundry",
        otel: "azure.ai.inference",
        auth: Auth::Headers("api-key", "x-api-key"),
        surfaces: &[
            Surface {
                models: "claude",
                envelope: Envelope { headers: &[("anthropic-version", "2023-06-01")], ..Envelope::NONE },
                ..Surface::new(Operation::Generate, "/anthropic/v1/messages", Format::Messages)
            },
            Surface::new(Operation::Generate, "/openai/v1/chat/completions", Format::Chat),
            Surface::new(Operation::Generate, "/openai/v1/responses", Format::Responses),
            Surface::new(Operation::Embed, "/openai/v1/embeddings", Format::Embeddings),
        ],
        quirks: Quirks::NONE,
        vectors: None,
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
    // Claude is spoken to in its own format, so that clients of that format keep everything; the others by Converse.
    Provider {
        id: "bedrock",
        name: "Amazon Bedrock",
        otel: "aws.bedrock",
        address: Of(
            Template("https://bedrock-runtime.{region}.amazonaws.com"),
            &[
                ("region", "cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
                ("region", "cn-northwest-1", "https://bedrock-runtime.cn-northwest-1.amazonaws.com.cn"),
            ],
        ),
        options: &[Setting { name: "region", default: None }],
        signs: Some("bedrock"),
        surfaces: &[
            Surface {
                models: "anthropic.claude",
                stream_path: Some(Template("/model/{model}/invoke-with-response-stream")),
                envelope: Envelope {
                    remove: &["model", "stream"],
                    set: &[("anthropic_version", Template(r#""bedrock-2023-05-31""#))],
                    header: Some(("anthropic-beta", "anthropic_beta")),
                    wrapping: Wrapping::Events,
                    ..Envelope::NONE
                },
                ..Surface::new(Operation::Generate, "/model/{model}/invoke", Format::Messages)
            },
            Surface {
                stream_path: Some(Template("/model/{model}/converse-stream")),
                ..Surface::new(Operation::Generate, "/model/{model}/converse", Format::Bedrock)
            },
            Surface::new(Operation::Embed, "/model/{model}/invoke", Format::BedrockEmbeddings),
            Surface::new(Operation::Image, "/model/{model}/invoke", Format::BedrockImages),
            Surface {
                models: "cohere.rerank",
                envelope: Envelope { remove: &["model"], set: &[("api_version", Template("2"))], ..Envelope::NONE },
                ..Surface::new(Operation::Rank, "/model/{model}/invoke", Format::Rerank)
            },
            Surface {
                models: "amazon.rerank",
                envelope: Envelope { remove: &["model"], ..Envelope::NONE },
                ..Surface::new(Operation::Rank, "/model/{model}/invoke", Format::Rerank)
            },
        ],
        quirks: Quirks { signed_thought: true, ..Quirks::NONE },
        vectors: None,
        lacks: &[Feature::Audio, Feature::ImageUrls],
        env: "AWS_BEARER_TOKEN_BEDROCK",
        docs: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
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
    Provider {
        id: "berget",
        name: "Berget AI",
        otel: "berget",
        address: Fixed("https://api.berget.ai/v1"),
        env: "BERGET_API_KEY",
        docs: "https://api.berget.ai",
        ..CHAT
    },
    // `logit_bias` is read and never applied.
    Provider {
        id: "cerebras",
        name: "Cerebras",
        otel: "cerebras",
        address: Fixed("https://api.cerebras.ai/v1"),
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS],
        quirks: Quirks { drop: &["logit_bias"], thought: REASONING, foreign: OTHERS, ..CHAT.quirks },
        lacks: &[Feature::Audio, Feature::Documents],
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
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "CLARIFAI_PAT",
        docs: "https://docs.clarifai.com/compute/inference/open-ai/",
        ..CHAT
    },
    Provider {
        id: "cloudflare",
        name: "Cloudflare Workers AI",
        otel: "cloudflare",
        address: Of(Template("https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1"), &[]),
        options: &[Setting { name: "account", default: None }],
        surfaces: CHAT_AND_EMBEDDINGS,
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
        lacks: &[Feature::Audio, Feature::Documents, Feature::Images],
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
        id: "cohere",
        name: "Cohere",
        otel: "cohere",
        address: Fixed("https://api.cohere.com"),
        surfaces: &[
            Surface::new(Operation::Generate, "/v2/chat", Format::Cohere),
            Surface::new(Operation::Embed, "/v2/embed", Format::Embeddings),
            Surface::new(Operation::Rank, "/v2/rerank", Format::Rerank),
        ],
        quirks: Quirks::NONE,
        vectors: Some(&Vectors {
            input: "texts",
            tokens: false,
            dimensions: Some("output_dimension"),
            task: Some(Task {
                field: "input_type",
                words: &[
                    ("classification", "classification"),
                    ("clustering", "clustering"),
                    ("document", "search_document"),
                    ("query", "search_query"),
                ],
                default: Some("search_document"),
            }),
            user: false,
            own: Some(&["max_tokens", "priority", "truncate"]),
            set: &[("embedding_types", r#"["float"]"#)],
            ..FLOATS
        }),
        lacks: &[Feature::Audio, Feature::Documents],
        env: "COHERE_API_KEY",
        docs: "https://docs.cohere.com/v2/reference/chat",
        ..CHAT
    },
    Provider {
        id: "cometapi",
        name: "CometAPI",
        otel: "cometapi",
        address: Fixed("https://api.cometapi.com/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
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
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: QWEN,
        vectors: Some(&Vectors { tokens: false, user: false, ..FLOATS }),
        env: "DASHSCOPE_API_KEY",
        docs: "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        ..CHAT
    },
    // The workspace's `/serving-endpoints`, with a personal access token.
    Provider {
        id: "databricks",
        name: "Databricks",
        otel: "databricks",
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: Quirks { thought: Thought::Parts { takes: false }, ..CHAT.quirks },
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
        id: "deepgram",
        name: "Deepgram",
        otel: "deepgram",
        address: Fixed("https://api.deepgram.com"),
        auth: Auth::Token,
        surfaces: &[
            Surface::new(
                Operation::Transcribe,
                "/v1/listen?model={model}&language={language}&punctuate=true&smart_format=true",
                Format::DeepgramListen,
            ),
            Surface::new(
                Operation::Speak,
                "/v1/speak?model={model}&encoding={encoding}&container={container}",
                Format::DeepgramSpeak,
            ),
        ],
        quirks: Quirks::NONE,
        env: "DEEPGRAM_API_KEY",
        docs: "https://developers.deepgram.com/reference",
        ..CHAT
    },
    Provider {
        id: "deepinfra",
        name: "DeepInfra",
        otel: "deepinfra",
        address: Fixed("https://api.deepinfra.com/v1/openai"),
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS, IMAGES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS],
        quirks: OLD_LIMIT,
        vectors: Some(&Vectors { tokens: false, user: false, ..FLOATS }),
        env: "DEEPINFRA_API_KEY",
        docs: "https://docs.deepinfra.com/chat/overview",
        ..CHAT
    },
    // A call of a tool without the thought before it is refused: https://api-docs.deepseek.com/guides/thinking_mode.
    Provider {
        id: "deepseek",
        name: "DeepSeek",
        otel: "deepseek",
        address: Fixed("https://api.deepseek.com"),
        surfaces: &[
            CHAT_COMPLETIONS,
            Surface { path: Template("/beta/completions"), ..COMPLETIONS },
            Surface::new(Operation::Generate, "/anthropic/v1/messages", Format::Messages),
        ],
        quirks: Quirks { effort: thinking(&[]), thought: REASONING_CONTENT, ..OLD_LIMIT },
        lacks: &[Feature::Audio, Feature::Documents, Feature::Images],
        env: "DEEPSEEK_API_KEY",
        docs: "https://api-docs.deepseek.com/api/create-chat-completion",
        ..CHAT
    },
    Provider {
        id: "docker_model_runner",
        name: "Docker Model Runner",
        otel: "docker_model_runner",
        surfaces: SERVER,
        quirks: OLD_LIMIT,
        docs: "https://docs.docker.com/ai/model-runner/api-reference/",
        ..CHAT
    },
    Provider {
        id: "edenai",
        name: "Eden AI",
        otel: "edenai",
        address: Fixed("https://api.edenai.run/v3"),
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "EDENAI_API_KEY",
        docs: "https://www.edenai.co/docs",
        ..CHAT
    },
    Provider {
        id: "elevenlabs",
        name: "ElevenLabs",
        otel: "elevenlabs",
        address: Fixed("https://api.elevenlabs.io"),
        auth: Auth::Header("xi-api-key"),
        surfaces: &[
            Surface::new(
                Operation::Speak,
                "/v1/text-to-speech/{voice}?output_format={format}",
                Format::ElevenLabsSpeech,
            ),
            Surface::new(Operation::Transcribe, "/v1/speech-to-text", Format::ElevenLabsTranscripts),
        ],
        quirks: Quirks::NONE,
        env: "ELEVENLABS_API_KEY",
        docs: "https://elevenlabs.io/docs/api-reference",
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
        id: "evroc",
        name: "evroc",
        otel: "evroc",
        address: Fixed("https://models.think.evroc.com/v1"),
        env: "EVROC_API_KEY",
        docs: "https://docs.evroc.com/products/think/overview.html",
        ..CHAT
    },
    Provider {
        id: "featherless_ai",
        name: "Featherless AI",
        otel: "featherless_ai",
        address: Fixed("https://api.featherless.ai/v1"),
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS],
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
        surfaces: &[
            CHAT_COMPLETIONS,
            COMPLETIONS,
            RESPONSES,
            EMBEDDINGS,
            // Other models are asked for again until they are done, or are no longer served.
            Surface {
                models: "flux-1-",
                ..Surface::new(Operation::Image, "/workflows/{+model}/text_to_image", Format::FireworksImages)
            },
        ],
        quirks: Quirks { thought: REASONING_CONTENT, ..CHAT.quirks },
        lacks: &[Feature::Audio, Feature::Documents],
        env: "FIREWORKS_AI_API_KEY",
        docs: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        ..CHAT
    },
    // `whisper-v3-turbo` is at https://audio-turbo.api.fireworks.ai/v1.
    Provider {
        id: "fireworks_audio",
        name: "Fireworks AI's audio",
        otel: "fireworks_ai",
        address: Fixed("https://audio-prod.api.fireworks.ai/v1"),
        surfaces: &[TRANSCRIPTIONS, TRANSLATIONS],
        quirks: Quirks::NONE,
        env: "FIREWORKS_AI_API_KEY",
        docs: "https://docs.fireworks.ai/guides/querying-asr-models",
        ..CHAT
    },
    Provider {
        id: "friendliai",
        name: "FriendliAI",
        otel: "friendliai",
        address: Fixed("https://api.friendli.ai/serverless/v1"),
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS],
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
        id: "gemini",
        name: "Google Gemini",
        otel: "gcp.gemini",
        address: Fixed("https://generativelanguage.googleapis.com"),
        auth: Auth::Header("x-goog-api-key"),
        surfaces: &[
            Surface {
                stream_path: Some(Template("/v1beta/models/{model}:streamGenerateContent?alt=sse")),
                ..Surface::new(Operation::Generate, "/v1beta/models/{model}:generateContent", Format::Gemini)
            },
            Surface::new(Operation::CountTokens, "/v1beta/models/{model}:countTokens", Format::Gemini),
            Surface {
                models: "imagen",
                ..Surface::new(Operation::Image, "/v1beta/models/{model}:predict", Format::Imagen)
            },
            Surface::new(Operation::Image, "/v1beta/models/{model}:generateContent", Format::Gemini),
            Surface::new(Operation::Speak, "/v1beta/models/{model}:generateContent", Format::Gemini),
            Surface::new(Operation::Embed, "/v1beta/models/{model}:batchEmbedContents", Format::GeminiEmbeddings),
        ],
        quirks: Quirks::NONE,
        env: "GEMINI_API_KEY",
        docs: "https://ai.google.dev/api/generate-content",
        ..CHAT
    },
    Provider {
        id: "github",
        name: "GitHub Models",
        otel: "github",
        address: Fixed("https://models.github.ai/inference"),
        headers: &[("x-github-api-version", "2022-11-28")],
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: Quirks::NONE,
        vectors: None,
        env: "GITHUB_TOKEN",
        docs: "https://docs.github.com/en/rest/models/inference",
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
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "GRADIENT_AI_API_KEY",
        docs: "https://docs.digitalocean.com/products/gradient-ai-platform/how-to/use-serverless-inference/",
        ..CHAT
    },
    Provider {
        id: "groq",
        name: "Groq",
        otel: "groq",
        address: Fixed("https://api.groq.com/openai/v1"),
        surfaces: &[CHAT_COMPLETIONS, RESPONSES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS],
        quirks: Quirks {
            drop: &["logit_bias", "logprobs", "metadata", "store", "top_logprobs"],
            clamp: ONE_CHOICE,
            thought: REASONING,
            foreign: OTHERS,
            ..CHAT.quirks
        },
        lacks: &[Feature::Audio, Feature::Documents],
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
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "HEROKU_API_KEY",
        docs: "https://devcenter.heroku.com/articles/heroku-inference-api-v1-chat-completions",
        ..CHAT
    },
    Provider {
        id: "hosted_vllm",
        name: "vLLM",
        otel: "hosted_vllm",
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS, RERANK, TRANSCRIPTIONS, TRANSLATIONS],
        quirks: Quirks { thought: Thought::Field { says: "reasoning", takes: "reasoning_content" }, ..CHAT.quirks },
        vectors: None,
        env: "HOSTED_VLLM_API_KEY",
        docs: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        ..CHAT
    },
    // Chat goes to the router, embeddings to the feature extraction of its own machines.
    Provider {
        id: "huggingface",
        name: "Hugging Face Inference Providers",
        otel: "huggingface",
        address: Fixed("https://router.huggingface.co"),
        surfaces: &[
            Surface::new(Operation::Generate, "/v1/chat/completions", Format::Chat),
            Surface {
                envelope: Envelope { remove: &["model"], ..Envelope::NONE },
                ..Surface::new(
                    Operation::Embed,
                    "/hf-inference/models/{+model}/pipeline/feature-extraction",
                    Format::Embeddings,
                )
            },
        ],
        vectors: Some(&Vectors {
            input: "inputs",
            tokens: false,
            dimensions: None,
            user: false,
            own: Some(&["normalize", "prompt_name", "truncate", "truncation_direction"]),
            ..FLOATS
        }),
        env: "HF_TOKEN",
        docs: "https://huggingface.co/docs/inference-providers/tasks/chat-completion",
        ..CHAT
    },
    Provider {
        id: "hyperbolic",
        name: "Hyperbolic",
        otel: "hyperbolic",
        address: Fixed("https://api.hyperbolic.xyz/v1"),
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS],
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
        id: "inference_net",
        name: "Inference.net",
        otel: "inference_net",
        address: Fixed("https://api.inference.net/v1"),
        env: "INFERENCE_API_KEY",
        docs: "https://docs.inference.net/quickstart",
        ..CHAT
    },
    // A server of one's own for embeddings.
    Provider {
        id: "infinity",
        name: "Infinity",
        otel: "infinity",
        surfaces: &[EMBEDDINGS, RERANK],
        quirks: Quirks::NONE,
        env: "INFINITY_API_KEY",
        docs: "https://michaelfeil.eu/infinity/",
        ..CHAT
    },
    Provider {
        id: "io_net",
        name: "IO Intelligence",
        otel: "io_net",
        address: Fixed("https://api.intelligence.io.solutions/api/v1"),
        env: "IOINTELLIGENCE_API_KEY",
        docs: "https://io.net/docs/guides/intelligence/io-intelligence",
        ..CHAT
    },
    Provider {
        id: "jina_ai",
        name: "Jina AI",
        otel: "jina_ai",
        address: Fixed("https://api.jina.ai/v1"),
        surfaces: &[
            EMBEDDINGS,
            Surface {
                // It sends them back unless it is told not to.
                envelope: Envelope { set: &[("return_documents", Template("false"))], ..Envelope::NONE },
                ..RERANK
            },
        ],
        quirks: Quirks::NONE,
        vectors: Some(&Vectors {
            tokens: false,
            base64: Some(("embedding_type", "\"base64\"")),
            task: Some(Task {
                field: "task",
                words: &[
                    ("classification", "classification"),
                    ("clustering", "separation"),
                    ("code", "code.query"),
                    ("code", "code.passage"),
                    ("document", "retrieval.passage"),
                    ("query", "retrieval.query"),
                    ("similarity", "text-matching"),
                ],
                default: None,
            }),
            user: false,
            own: Some(&["late_chunking", "normalized", "truncate"]),
            ..FLOATS
        }),
        env: "JINA_AI_API_KEY",
        docs: "https://jina.ai/embeddings/",
        ..CHAT
    },
    Provider {
        id: "lemonade",
        name: "Lemonade",
        otel: "lemonade",
        surfaces: SERVER,
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
        surfaces: &[
            CHAT_COMPLETIONS,
            COMPLETIONS,
            RESPONSES,
            EMBEDDINGS,
            MODERATIONS,
            RERANK,
            IMAGES,
            IMAGE_EDITS,
            SPEECH,
            TRANSCRIPTIONS,
            TRANSLATIONS,
        ],
        env: "LITELLM_PROXY_API_KEY",
        docs: "https://docs.litellm.ai/docs/proxy/user_keys",
        ..CHAT
    },
    Provider {
        id: "llama_cpp",
        name: "llama.cpp",
        otel: "llama_cpp",
        surfaces: SERVER,
        env: "LLAMA_CPP_API_KEY",
        docs: "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        ..CHAT
    },
    Provider {
        id: "llamafile",
        name: "llamafile",
        otel: "llamafile",
        surfaces: SERVER,
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
        id: "llmgateway",
        name: "LLM Gateway",
        otel: "llmgateway",
        address: Fixed("https://api.llmgateway.io/v1"),
        env: "LLMGATEWAY_API_KEY",
        docs: "https://docs.llmgateway.io",
        ..CHAT
    },
    Provider {
        id: "lm_studio",
        name: "LM Studio",
        otel: "lm_studio",
        surfaces: SERVER,
        lacks: &[Feature::ImageUrls],
        env: "LM_STUDIO_API_KEY",
        docs: "https://lmstudio.ai/docs/developer/openai-compat",
        ..CHAT
    },
    Provider {
        id: "localai",
        name: "LocalAI",
        otel: "localai",
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS, RERANK, IMAGES, SPEECH, TRANSCRIPTIONS],
        quirks: OLD_LIMIT,
        env: "LOCALAI_API_KEY",
        docs: "https://localai.io/features/text-generation/",
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
    Provider {
        id: "minimax",
        name: "MiniMax",
        otel: "minimax",
        address: Fixed("https://api.minimax.io/v1"),
        quirks: MINIMAX,
        lacks: &[Feature::Audio, Feature::Documents],
        env: "MINIMAX_API_KEY",
        docs: "https://platform.minimax.io/docs/api-reference/text-openai-api",
        ..CHAT
    },
    Provider {
        id: "minimax_cn",
        name: "MiniMax (China)",
        otel: "minimax",
        address: Fixed("https://api.minimaxi.com/v1"),
        quirks: MINIMAX,
        lacks: &[Feature::Audio, Feature::Documents],
        env: "MINIMAX_API_KEY",
        docs: "https://platform.minimaxi.com/docs/guides/quickstart",
        ..CHAT
    },
    Provider {
        id: "mistral",
        name: "Mistral AI",
        otel: "mistral_ai",
        address: Fixed("https://api.mistral.ai/v1"),
        surfaces: &[CHAT_COMPLETIONS, EMBEDDINGS, MODERATIONS, TRANSCRIPTIONS],
        quirks: MISTRAL,
        vectors: Some(&Vectors {
            tokens: false,
            dimensions: Some("output_dimension"),
            base64: BASE64,
            user: false,
            own: Some(&["metadata", "output_dtype"]),
            ..FLOATS
        }),
        lacks: &[Feature::Documents],
        env: "MISTRAL_API_KEY",
        docs: "https://docs.mistral.ai/api/endpoint/chat",
        ..CHAT
    },
    Provider {
        id: "modelscope",
        name: "ModelScope",
        otel: "modelscope",
        address: Fixed("https://api-inference.modelscope.cn/v1"),
        quirks: Quirks { effort: ENABLE_THINKING, ..CHAT.quirks },
        env: "MODELSCOPE_API_KEY",
        docs: "https://modelscope.cn/docs/model-service/API-Inference/intro",
        ..CHAT
    },
    Provider {
        id: "moonshot",
        name: "Moonshot AI",
        otel: "moonshot",
        address: Fixed("https://api.moonshot.ai/v1"),
        quirks: KIMI,
        lacks: &[Feature::Audio, Feature::Documents],
        env: "MOONSHOT_API_KEY",
        docs: "https://platform.kimi.ai/docs/guide/migrating-from-openai-to-kimi",
        ..CHAT
    },
    Provider {
        id: "moonshot_cn",
        name: "Moonshot AI (China)",
        otel: "moonshot",
        address: Fixed("https://api.moonshot.cn/v1"),
        quirks: KIMI,
        lacks: &[Feature::Audio, Feature::Documents],
        env: "MOONSHOT_API_KEY",
        docs: "https://platform.moonshot.cn/docs/api/chat",
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
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: OLD_LIMIT,
        env: "NANOGPT_API_KEY",
        docs: "https://docs.nano-gpt.com/",
        ..CHAT
    },
    Provider {
        id: "nearai",
        name: "NEAR AI Cloud",
        otel: "nearai",
        address: Fixed("https://cloud-api.near.ai/v1"),
        env: "NEARAI_API_KEY",
        docs: "https://docs.near.ai",
        ..CHAT
    },
    Provider {
        id: "nebius",
        name: "Nebius Token Factory",
        otel: "nebius",
        address: Fixed("https://api.tokenfactory.nebius.com/v1"),
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS, IMAGES],
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
        surfaces: SERVER,
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
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: OLD_LIMIT,
        vectors: Some(&Vectors { base64: BASE64, task: Some(PASSAGES), own: Some(&["truncate"]), ..FLOATS }),
        env: "NVIDIA_NIM_API_KEY",
        docs: "https://docs.api.nvidia.com/nim/reference/llm-apis",
        ..CHAT
    },
    Provider {
        id: "ollama",
        name: "Ollama",
        otel: "ollama",
        surfaces: OLLAMA,
        quirks: Quirks::NONE,
        vectors: Some(&OLLAMA_VECTORS),
        lacks: &[Feature::Audio, Feature::Documents, Feature::ImageUrls],
        env: "OLLAMA_API_KEY",
        docs: "https://docs.ollama.com/api/chat",
        ..CHAT
    },
    Provider {
        id: "ollama_cloud",
        name: "Ollama Cloud",
        otel: "ollama_cloud",
        address: Fixed("https://ollama.com"),
        surfaces: OLLAMA,
        quirks: Quirks::NONE,
        vectors: Some(&OLLAMA_VECTORS),
        lacks: &[Feature::Audio, Feature::Documents, Feature::ImageUrls],
        env: "OLLAMA_API_KEY",
        docs: "https://docs.ollama.com/cloud",
        ..CHAT
    },
    Provider {
        id: "oobabooga",
        name: "Text generation web UI",
        otel: "oobabooga",
        surfaces: SERVER,
        docs: "https://github.com/oobabooga/text-generation-webui/wiki/12-%E2%80%90-OpenAI-API",
        ..CHAT
    },
    Provider {
        id: "openai",
        name: "OpenAI",
        otel: "openai",
        address: Fixed("https://api.openai.com/v1"),
        surfaces: &[
            CHAT_COMPLETIONS,
            RESPONSES,
            // The models that chat have none.
            Surface { models: "instruct", ..COMPLETIONS },
            Surface { models: "babbage-002", ..COMPLETIONS },
            Surface { models: "davinci-002", ..COMPLETIONS },
            EMBEDDINGS,
            MODERATIONS,
            IMAGES,
            IMAGE_EDITS,
            SPEECH,
            TRANSCRIPTIONS,
            TRANSLATIONS,
        ],
        quirks: Quirks { drop: &["thinking", "top_k"], call_ids: CallIds::UpTo(40), foreign: FOREIGN, ..Quirks::NONE },
        vectors: None,
        env: "OPENAI_API_KEY",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        ..CHAT
    },
    Provider {
        id: "openai_compatible",
        name: "Any server in OpenAI's format",
        otel: "openai_compatible",
        surfaces: &[
            CHAT_COMPLETIONS,
            COMPLETIONS,
            EMBEDDINGS,
            RERANK,
            IMAGES,
            IMAGE_EDITS,
            SPEECH,
            TRANSCRIPTIONS,
            TRANSLATIONS,
        ],
        quirks: OLD_LIMIT,
        tokens: &[Issuer::AzureAd, Issuer::Gcp, Issuer::IbmIam],
        docs: "https://platform.openai.com/docs/api-reference/chat",
        ..CHAT
    },
    Provider {
        id: "openrouter",
        name: "OpenRouter",
        otel: "openrouter",
        address: Fixed("https://openrouter.ai/api/v1"),
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS, RESPONSES, EMBEDDINGS],
        quirks: Quirks { effort: Effort::Words(EFFORTS), thought: REASONING, ..CHAT.quirks },
        vectors: Some(&Vectors { base64: BASE64, ..FLOATS }),
        env: "OPENROUTER_API_KEY",
        docs: "https://openrouter.ai/docs/api-reference/overview",
        ..CHAT
    },
    Provider {
        id: "ovhcloud",
        name: "OVHcloud AI Endpoints",
        otel: "ovhcloud",
        address: Fixed("https://oai.endpoints.kepler.ai.cloud.ovh.net/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "OVHCLOUD_API_KEY",
        docs: "https://www.ovhcloud.com/en/public-cloud/ai-endpoints/catalog/",
        ..CHAT
    },
    Provider {
        id: "parasail",
        name: "Parasail",
        otel: "parasail",
        address: Fixed("https://api.parasail.io/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "PARASAIL_API_KEY",
        docs: "https://docs.parasail.io/parasail-docs/cookbooks/chat-completions",
        ..CHAT
    },
    // What was read for an answer is listed beside its choices.
    Provider {
        id: "perplexity",
        name: "Perplexity",
        otel: "perplexity",
        address: Fixed("https://api.perplexity.ai"),
        quirks: Quirks {
            drop: &["logit_bias", "metadata", "seed", "service_tier", "store", "user"],
            rename: MAX_TOKENS,
            stream_options: false,
            ..CHAT.quirks
        },
        lacks: &[Feature::Audio],
        env: "PERPLEXITY_API_KEY",
        docs: "https://docs.perplexity.ai/docs/sonar/openai-compatibility",
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
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: QWEN,
        vectors: Some(&Vectors { tokens: false, user: false, ..FLOATS }),
        env: "QWEN_AI_PLATFORM_API_KEY",
        docs: "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        ..CHAT
    },
    Provider {
        id: "qwencloud",
        name: "Qwen Cloud",
        otel: "qwencloud",
        address: Fixed("https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: QWEN,
        vectors: Some(&Vectors { tokens: false, user: false, ..FLOATS }),
        env: "QWENCLOUD_API_KEY",
        docs: "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        ..CHAT
    },
    Provider {
        id: "regolo",
        name: "Regolo AI",
        otel: "regolo",
        address: Fixed("https://api.regolo.ai/v1"),
        env: "REGOLO_API_KEY",
        docs: "https://docs.regolo.ai",
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
        id: "replicate",
        name: "Replicate",
        otel: "replicate",
        address: Fixed("https://api.replicate.com"),
        surfaces: &[Surface::new(Operation::Generate, "/v1/predictions", Format::Replicate)],
        quirks: Quirks::NONE,
        lacks: &[Feature::Audio, Feature::Documents, Feature::Images, Feature::JsonSchema, Feature::Tools],
        env: "REPLICATE_API_TOKEN",
        docs: "https://replicate.com/docs/reference/http",
        ..CHAT
    },
    Provider {
        id: "requesty",
        name: "Requesty",
        otel: "requesty",
        address: Fixed("https://router.requesty.ai/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "REQUESTY_API_KEY",
        docs: "https://docs.requesty.ai/",
        ..CHAT
    },
    // Containers with OpenAI's chat, such as those of vLLM; the path names the endpoint.
    Provider {
        id: "sagemaker_chat",
        name: "Amazon SageMaker",
        otel: "sagemaker_chat",
        address: Of(Template("https://runtime.sagemaker.{region}.amazonaws.com"), &[]),
        options: &[Setting { name: "region", default: None }],
        signs: Some("sagemaker"),
        surfaces: &[Surface {
            stream_path: Some(Template("/endpoints/{model}/invocations-response-stream")),
            envelope: Envelope { wrapping: Wrapping::Pieces, ..Envelope::NONE },
            ..Surface::new(Operation::Generate, "/endpoints/{model}/invocations", Format::Chat)
        }],
        env: "AWS_SECRET_ACCESS_KEY",
        docs: "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html",
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
        surfaces: &[CHAT_COMPLETIONS, EMBEDDINGS, TRANSCRIPTIONS],
        quirks: Quirks {
            drop: &["frequency_penalty", "logit_bias", "parallel_tool_calls", "presence_penalty"],
            thought: REASONING,
            ..CHAT.quirks
        },
        lacks: &[Feature::Audio, Feature::Documents],
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
        surfaces: &[CHAT_COMPLETIONS, EMBEDDINGS, TRANSCRIPTIONS],
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
        id: "sglang",
        name: "SGLang",
        otel: "sglang",
        surfaces: SERVER,
        env: "SGLANG_API_KEY",
        docs: "https://docs.sglang.ai/basic_usage/openai_api.html",
        ..CHAT
    },
    Provider {
        id: "siliconflow",
        name: "SiliconFlow",
        otel: "siliconflow",
        address: Fixed("https://api.siliconflow.com/v1"),
        surfaces: &[CHAT_COMPLETIONS, EMBEDDINGS, RERANK, SPEECH, TRANSCRIPTIONS],
        quirks: Quirks { effort: ENABLE_THINKING, ..CHAT.quirks },
        vectors: Some(&Vectors { base64: BASE64, ..FLOATS }),
        env: "SILICONFLOW_API_KEY",
        docs: "https://docs.siliconflow.com/en/api-reference/chat-completions/chat-completions",
        ..CHAT
    },
    Provider {
        id: "siliconflow_cn",
        name: "SiliconFlow (China)",
        otel: "siliconflow",
        address: Fixed("https://api.siliconflow.cn/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: Quirks { effort: ENABLE_THINKING, ..CHAT.quirks },
        vectors: Some(&Vectors { base64: BASE64, ..FLOATS }),
        env: "SILICONFLOW_CN_API_KEY",
        docs: "https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions",
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
        id: "stackit",
        name: "STACKIT AI Model Serving",
        otel: "stackit",
        address: Fixed("https://api.openai-compat.model-serving.eu01.onstackit.cloud/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "STACKIT_API_KEY",
        docs: "https://docs.stackit.cloud/products/data-and-ai/ai-model-serving/basics/available-shared-models",
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
    // A server of one's own for embeddings, with `/v1`; for rankings without.
    Provider {
        id: "tei",
        name: "Text Embeddings Inference",
        otel: "tei",
        surfaces: &[
            EMBEDDINGS,
            Surface {
                envelope: Envelope { remove: &["model", "top_n"], rename: &[("documents", "texts")], ..Envelope::NONE },
                ..RERANK
            },
        ],
        quirks: Quirks::NONE,
        env: "TEI_API_KEY",
        docs: "https://huggingface.co/docs/text-embeddings-inference/quick_tour",
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
        id: "tinfoil",
        name: "Tinfoil",
        otel: "tinfoil",
        address: Fixed("https://inference.tinfoil.sh/v1"),
        env: "TINFOIL_API_KEY",
        docs: "https://docs.tinfoil.sh",
        ..CHAT
    },
    Provider {
        id: "together_ai",
        name: "Together AI",
        otel: "together_ai",
        address: Fixed("https://api.together.ai/v1"),
        surfaces: &[
            CHAT_COMPLETIONS,
            COMPLETIONS,
            EMBEDDINGS,
            RERANK,
            Surface {
                envelope: Envelope {
                    drop: &["background", "moderation", "output_compression", "quality", "style", "user"],
                    split: Some(("size", "width", "height")),
                    words: &[("response_format", "b64_json", "base64")],
                    ..Envelope::NONE
                },
                ..IMAGES
            },
            SPEECH,
            TRANSCRIPTIONS,
            TRANSLATIONS,
        ],
        quirks: Quirks { rename: MAX_TOKENS, thought: REASONING, ..CHAT.quirks },
        vectors: Some(&Vectors { tokens: false, dimensions: None, user: false, ..FLOATS }),
        lacks: &[Feature::Audio, Feature::Documents],
        env: "TOGETHERAI_API_KEY",
        docs: "https://docs.together.ai/docs/inference/openai-compatibility",
        ..CHAT
    },
    Provider {
        id: "upstage",
        name: "Upstage",
        otel: "upstage",
        address: Fixed("https://api.upstage.ai/v1"),
        surfaces: CHAT_AND_EMBEDDINGS,
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
        surfaces: CHAT_AND_EMBEDDINGS,
        env: "VENICE_AI_API_KEY",
        docs: "https://docs.venice.ai/api-reference/endpoint/chat/completions",
        ..CHAT
    },
    Provider {
        id: "vercel_ai_gateway",
        name: "Vercel AI Gateway",
        otel: "vercel_ai_gateway",
        address: Fixed("https://ai-gateway.vercel.sh/v1"),
        surfaces: &[CHAT_COMPLETIONS, RESPONSES, EMBEDDINGS],
        quirks: Quirks { thought: REASONING, ..CHAT.quirks },
        env: "VERCEL_AI_GATEWAY_API_KEY",
        docs: "https://vercel.com/docs/ai-gateway/sdks-and-apis/openai-chat-completions",
        ..CHAT
    },
    Provider {
        id: "vertex",
        name: "Google Cloud Vertex AI",
        otel: "gcp.vertex_ai",
        address: Of(
            Template("https://{region}-aiplatform.googleapis.com"),
            &[
                ("region", "eu", "https://aiplatform.eu.rep.googleapis.com"),
                ("region", "global", "https://aiplatform.googleapis.com"),
                ("region", "us", "https://aiplatform.us.rep.googleapis.com"),
            ],
        ),
        options: &[Setting { name: "project", default: None }, Setting { name: "region", default: Some("global") }],
        auth: Auth::Header("x-goog-api-key"),
        // Claude is served in an envelope, other makers' models in OpenAI's format, under names with their maker's.
        surfaces: &[
            Surface {
                models: "claude",
                stream_path: Some(Template(concat!(vertex!(), "publishers/anthropic/models/{model}:streamRawPredict"))),
                envelope: Envelope { remove: &["model"], set: VERTEX_CLAUDE, ..Envelope::NONE },
                ..Surface::new(
                    Operation::Generate,
                    concat!(vertex!(), "publishers/anthropic/models/{model}:rawPredict"),
                    Format::Messages,
                )
            },
            Surface {
                models: "claude",
                envelope: Envelope { set: VERTEX_CLAUDE, ..Envelope::NONE },
                ..Surface::new(
                    Operation::CountTokens,
                    concat!(vertex!(), "publishers/anthropic/models/count-tokens:rawPredict"),
                    Format::Messages,
                )
            },
            Surface {
                models: "/",
                ..Surface::new(
                    Operation::Generate,
                    concat!(vertex!(), "endpoints/openapi/chat/completions"),
                    Format::Chat,
                )
            },
            Surface {
                stream_path: Some(Template(concat!(
                    vertex!(),
                    "publishers/google/models/{model}:streamGenerateContent?alt=sse"
                ))),
                ..Surface::new(
                    Operation::Generate,
                    concat!(vertex!(), "publishers/google/models/{model}:generateContent"),
                    Format::Vertex,
                )
            },
            Surface {
                models: "gemini",
                ..Surface::new(
                    Operation::CountTokens,
                    concat!(vertex!(), "publishers/google/models/{model}:countTokens"),
                    Format::Vertex,
                )
            },
            Surface {
                models: "gemini",
                ..Surface::new(
                    Operation::Embed,
                    concat!(vertex!(), "publishers/google/models/{model}:batchEmbedContents"),
                    Format::VertexEmbeddings,
                )
            },
            Surface::new(
                Operation::Embed,
                concat!(vertex!(), "publishers/google/models/{model}:predict"),
                Format::VertexPredict,
            ),
            Surface {
                models: "imagen",
                ..Surface::new(
                    Operation::Image,
                    concat!(vertex!(), "publishers/google/models/{model}:predict"),
                    Format::Imagen,
                )
            },
            Surface::new(
                Operation::Image,
                concat!(vertex!(), "publishers/google/models/{model}:generateContent"),
                Format::Vertex,
            ),
            Surface::new(
                Operation::Speak,
                concat!(vertex!(), "publishers/google/models/{model}:generateContent"),
                Format::Vertex,
            ),
        ],
        quirks: Quirks::NONE,
        tokens: &[Issuer::Gcp],
        env: "VERTEX_API_KEY",
        docs: "https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
        ..CHAT
    },
    // A key without a project: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/overview
    Provider {
        id: "vertex_express",
        name: "Google Cloud Vertex AI in express mode",
        otel: "gcp.vertex_ai",
        address: Fixed("https://aiplatform.googleapis.com"),
        auth: Auth::Header("x-goog-api-key"),
        surfaces: &[
            Surface {
                stream_path: Some(Template("/v1/publishers/google/models/{model}:streamGenerateContent?alt=sse")),
                ..Surface::new(
                    Operation::Generate,
                    "/v1/publishers/google/models/{model}:generateContent",
                    Format::Vertex,
                )
            },
            Surface::new(Operation::CountTokens, "/v1/publishers/google/models/{model}:countTokens", Format::Vertex),
            Surface::new(Operation::Embed, "/v1/publishers/google/models/{model}:predict", Format::VertexPredict),
        ],
        quirks: Quirks::NONE,
        env: "VERTEX_API_KEY",
        docs: "https://docs.cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/vertex-ai-express-mode-api-reference",
        ..CHAT
    },
    Provider {
        id: "vertex_ranking",
        name: "Google Cloud's ranking",
        otel: "gcp.vertex_ai",
        address: Fixed("https://discoveryengine.googleapis.com"),
        options: &[Setting { name: "project", default: None }],
        surfaces: &[Surface::new(
            Operation::Rank,
            "/v1/projects/{project}/locations/global/rankingConfigs/default_ranking_config:rank",
            Format::VertexRank,
        )],
        quirks: Quirks::NONE,
        tokens: &[Issuer::Gcp],
        env: "VERTEX_ACCESS_TOKEN",
        docs: "https://docs.cloud.google.com/generative-ai-app-builder/docs/ranking",
        ..CHAT
    },
    Provider {
        id: "volcengine",
        name: "Volcengine Ark",
        otel: "volcengine",
        address: Fixed("https://ark.cn-beijing.volces.com/api/v3"),
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: Quirks { effort: thinking(&["minimal", "low", "medium", "high"]), ..CHAT.quirks },
        vectors: Some(&Vectors { base64: BASE64, ..FLOATS }),
        env: "VOLCENGINE_API_KEY",
        docs: "https://www.volcengine.com/docs/82379/1494384",
        ..CHAT
    },
    Provider {
        id: "voyage",
        name: "Voyage AI",
        otel: "voyage",
        address: Fixed("https://api.voyageai.com/v1"),
        surfaces: &[
            EMBEDDINGS,
            Surface { envelope: Envelope { rename: &[("top_n", "top_k")], ..Envelope::NONE }, ..RERANK },
        ],
        quirks: Quirks::NONE,
        vectors: Some(&Vectors {
            tokens: false,
            dimensions: Some("output_dimension"),
            base64: BASE64,
            task: Some(Task {
                field: "input_type",
                words: &[("document", "document"), ("query", "query")],
                default: None,
            }),
            user: false,
            own: Some(&["output_dtype", "truncation"]),
            ..FLOATS
        }),
        env: "VOYAGE_API_KEY",
        docs: "https://docs.voyageai.com/reference/embeddings-api",
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
    // A call is for a project or a space. The key is exchanged for tokens of IBM's identity service, which live for an hour.
    Provider {
        id: "watsonx",
        name: "IBM watsonx.ai",
        otel: "ibm.watsonx.ai",
        address: Of(Template("https://{region}.ml.cloud.ibm.com"), &[]),
        options: &[
            Setting { name: "project", default: Some("") },
            Setting { name: "region", default: Some("us-south") },
            Setting { name: "space", default: Some("") },
            Setting { name: "version", default: Some("2025-10-01") },
        ],
        auth: Auth::IbmIam,
        tokens: &[Issuer::IbmIam],
        surfaces: &[
            Surface {
                stream_path: Some(Template("/ml/v1/text/chat_stream?version={version}")),
                envelope: Envelope { remove: &["stream"], ..WATSONX_ENVELOPE },
                ..Surface::new(Operation::Generate, "/ml/v1/text/chat?version={version}", Format::Chat)
            },
            Surface {
                envelope: WATSONX_ENVELOPE,
                ..Surface::new(Operation::Embed, "/ml/v1/text/embeddings?version={version}", Format::Embeddings)
            },
        ],
        quirks: Quirks {
            drop: &[
                "metadata",
                "modalities",
                "parallel_tool_calls",
                "prediction",
                "safety_identifier",
                "service_tier",
                "store",
                "user",
                "verbosity",
            ],
            words: &[("tool_choice", "tool_choice_option")],
            lists: &["stop"],
            stream_options: false,
            effort: Effort::Words(&["low", "medium", "high"]),
            ..CHAT.quirks
        },
        vectors: Some(&Vectors {
            input: "inputs",
            tokens: false,
            dimensions: None,
            user: false,
            own: Some(&["parameters"]),
            ..FLOATS
        }),
        lacks: &[Feature::Audio, Feature::Documents],
        env: "WATSONX_API_KEY",
        docs: "https://cloud.ibm.com/apidocs/watsonx-ai",
        ..CHAT
    },
    Provider {
        id: "xai",
        name: "xAI",
        otel: "x_ai",
        address: Fixed("https://api.x.ai/v1"),
        surfaces: &[
            CHAT_COMPLETIONS,
            RESPONSES,
            Surface { envelope: Envelope { drop: &["quality", "size", "style"], ..Envelope::NONE }, ..IMAGES },
        ],
        lacks: &[Feature::Audio, Feature::Documents],
        env: "XAI_API_KEY",
        docs: "https://docs.x.ai/developers/rest-api-reference/inference/chat",
        ..CHAT
    },
    Provider {
        id: "xiaomi_mimo",
        name: "Xiaomi MiMo",
        otel: "xiaomi_mimo",
        address: Fixed("https://api.xiaomimimo.com/v1"),
        quirks: Quirks { effort: thinking(&[]), ..CHAT.quirks },
        env: "XIAOMI_MIMO_API_KEY",
        docs: "https://platform.xiaomimimo.com/#/docs",
        ..CHAT
    },
    Provider {
        id: "xinference",
        name: "Xinference",
        otel: "xinference",
        surfaces: &[CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS, RERANK],
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
        quirks: GLM,
        lacks: &[Feature::Audio, Feature::Documents],
        env: "ZAI_API_KEY",
        docs: "https://docs.z.ai/api-reference/llm/chat-completion",
        ..CHAT
    },
    Provider {
        id: "zenmux",
        name: "ZenMux",
        otel: "zenmux",
        address: Fixed("https://zenmux.ai/api/v1"),
        env: "ZENMUX_API_KEY",
        docs: "https://docs.zenmux.ai",
        ..CHAT
    },
    Provider {
        id: "zhipuai",
        name: "Zhipu AI",
        otel: "zhipuai",
        address: Fixed("https://open.bigmodel.cn/api/paas/v4"),
        surfaces: CHAT_AND_EMBEDDINGS,
        quirks: GLM,
        vectors: Some(&Vectors { tokens: false, user: false, ..FLOATS }),
        lacks: &[Feature::Audio, Feature::Documents],
        env: "ZHIPU_API_KEY",
        docs: "https://docs.bigmodel.cn/cn/guide/develop/openai/introduction",
        ..CHAT
    },
];
