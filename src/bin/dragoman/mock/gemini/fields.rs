//! The messages of Google's two interfaces, as their JSON readers know them.
//!
//! Gemini API: <https://ai.google.dev/api/generate-content>, <https://ai.google.dev/api/caching#Content>,
//! <https://ai.google.dev/api/embeddings>. Google Cloud:
//! <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference>. As in google-genai 3.6.
//! What stands inside of the tools that Google runs is not looked at.

use super::Door;

/// An object with known members.
pub struct Message {
    pub name: &'static str,
    pub fields: &'static [Field],
}

/// A member, which may be spelled `likeThis` or `like_this`.
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub many: bool,
    /// Known at this door only.
    pub door: Option<Door>,
    /// Of those that share such a name only one may be set.
    pub union: Option<&'static str>,
}

/// What a value must be.
pub enum Kind {
    Any,
    Bool,
    Bytes,
    /// Name and words.
    Enum(&'static str, &'static [&'static str]),
    Float,
    Int,
    /// An object whose members have any names and are texts.
    Labels,
    Message(&'static Message),
    /// An object with any members.
    Struct,
    Text,
}

const fn one(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, many: false, door: None, union: None }
}

const fn many(name: &'static str, kind: Kind) -> Field {
    Field { many: true, ..one(name, kind) }
}

impl Field {
    const fn at(self, door: Door) -> Field {
        Field { door: Some(door), ..self }
    }

    const fn of(self, union: &'static str) -> Field {
        Field { union: Some(union), ..self }
    }
}

use Door::{Cloud, Studio};
use Kind::{Any, Bool, Bytes, Enum, Float, Int, Labels, Struct, Text};

pub static GENERATE: Message = Message {
    name: "GenerateContentRequest",
    fields: &[
        one("model", Text),
        many("contents", Kind::Message(&CONTENT)),
        one("systemInstruction", Kind::Message(&CONTENT)),
        many("tools", Kind::Message(&TOOL)),
        one("toolConfig", Kind::Message(&TOOL_CONFIG)),
        many("safetySettings", Kind::Message(&SAFETY_SETTING)),
        one("generationConfig", Kind::Message(&GENERATION_CONFIG)),
        one("cachedContent", Text),
        one("serviceTier", Enum("ServiceTier", &["UNSPECIFIED", "STANDARD", "FLEX", "PRIORITY"])).at(Studio),
        one("store", Bool).at(Studio),
        one("labels", Labels).at(Cloud),
        one("modelArmorConfig", Kind::Message(&MODEL_ARMOR_CONFIG)).at(Cloud),
    ],
};

pub static COUNT: Message = Message {
    name: "CountTokensRequest",
    fields: &[
        one("model", Text),
        many("contents", Kind::Message(&CONTENT)),
        one("generateContentRequest", Kind::Message(&GENERATE)).at(Studio),
        one("systemInstruction", Kind::Message(&CONTENT)).at(Cloud),
        many("tools", Kind::Message(&TOOL)).at(Cloud),
        one("generationConfig", Kind::Message(&GENERATION_CONFIG)).at(Cloud),
        many("instances", Any).at(Cloud),
    ],
};

pub static BATCH_EMBED: Message =
    Message { name: "BatchEmbedContentsRequest", fields: &[many("requests", Kind::Message(&EMBED))] };

pub static EMBED: Message = Message {
    name: "EmbedContentRequest",
    fields: &[
        one("model", Text),
        one("content", Kind::Message(&CONTENT)),
        one("taskType", TASK).at(Studio),
        one("title", Text).at(Studio),
        one("outputDimensionality", Int).at(Studio),
        one("embedContentConfig", Kind::Message(&EMBED_CONFIG)),
    ],
};

static EMBED_CONFIG: Message = Message {
    name: "EmbedContentConfig",
    fields: &[
        one("taskType", TASK),
        one("title", Text),
        one("outputDimensionality", Int),
        one("autoTruncate", Bool),
        one("documentOcr", Bool),
        one("audioTrackExtraction", Bool),
    ],
};

const TASK: Kind = Enum(
    "TaskType",
    &[
        "RETRIEVAL_QUERY",
        "RETRIEVAL_DOCUMENT",
        "SEMANTIC_SIMILARITY",
        "CLASSIFICATION",
        "CLUSTERING",
        "QUESTION_ANSWERING",
        "FACT_VERIFICATION",
        "CODE_RETRIEVAL_QUERY",
    ],
);

pub static PREDICT: Message = Message {
    name: "PredictRequest",
    fields: &[many("instances", Kind::Message(&INSTANCE)), one("parameters", Kind::Message(&PARAMETERS))],
};

static INSTANCE: Message =
    Message { name: "Instance", fields: &[one("content", Text), one("taskType", TASK), one("title", Text)] };

static PARAMETERS: Message =
    Message { name: "Parameters", fields: &[one("autoTruncate", Bool), one("outputDimensionality", Int)] };

static CONTENT: Message =
    Message { name: "Content", fields: &[many("parts", Kind::Message(&PART)), one("role", Text)] };

static PART: Message = Message {
    name: "Part",
    fields: &[
        one("text", Text).of("data"),
        one("inlineData", Kind::Message(&BLOB)).of("data"),
        one("fileData", Kind::Message(&FILE_DATA)).of("data"),
        one("functionCall", Kind::Message(&FUNCTION_CALL)).of("data"),
        one("functionResponse", Kind::Message(&FUNCTION_RESPONSE)).of("data"),
        one("executableCode", Struct).of("data"),
        one("codeExecutionResult", Struct).of("data"),
        one("toolCall", Struct).of("data").at(Studio),
        one("toolResponse", Struct).of("data").at(Studio),
        one("videoMetadata", Struct),
        one("mediaResolution", Struct),
        one("partMetadata", Struct).at(Studio),
        one("thought", Bool),
        one("thoughtSignature", Bytes),
    ],
};

static BLOB: Message =
    Message { name: "Blob", fields: &[one("mimeType", Text), one("data", Bytes), one("displayName", Text).at(Cloud)] };

static FILE_DATA: Message = Message {
    name: "FileData",
    fields: &[one("mimeType", Text), one("fileUri", Text), one("displayName", Text).at(Cloud)],
};

static FUNCTION_CALL: Message =
    Message { name: "FunctionCall", fields: &[one("id", Text), one("name", Text), one("args", Struct)] };

static FUNCTION_RESPONSE: Message = Message {
    name: "FunctionResponse",
    fields: &[
        one("id", Text),
        one("name", Text),
        one("response", Struct),
        many("parts", Kind::Message(&FUNCTION_RESPONSE_PART)),
        one("willContinue", Bool).at(Studio),
        one("scheduling", Text).at(Studio),
    ],
};

static FUNCTION_RESPONSE_PART: Message = Message {
    name: "FunctionResponsePart",
    fields: &[
        one("inlineData", Kind::Message(&FUNCTION_RESPONSE_BLOB)).of("data"),
        one("fileData", Kind::Message(&FILE_DATA)).of("data").at(Cloud),
    ],
};

static FUNCTION_RESPONSE_BLOB: Message = Message {
    name: "FunctionResponseBlob",
    fields: &[one("mimeType", Text), one("data", Bytes), one("displayName", Text)],
};

static TOOL: Message = Message {
    name: "Tool",
    fields: &[
        many("functionDeclarations", Kind::Message(&FUNCTION_DECLARATION)),
        one("googleSearch", Struct),
        one("googleSearchRetrieval", Struct),
        one("googleMaps", Struct),
        one("codeExecution", Struct),
        one("urlContext", Struct),
        one("computerUse", Struct),
        one("fileSearch", Struct).at(Studio),
        many("mcpServers", Struct).at(Studio),
        one("retrieval", Struct).at(Cloud),
        one("enterpriseWebSearch", Struct).at(Cloud),
    ],
};

static FUNCTION_DECLARATION: Message = Message {
    name: "FunctionDeclaration",
    fields: &[
        one("name", Text),
        one("description", Text),
        one("parameters", Kind::Message(&SCHEMA)),
        one("parametersJsonSchema", Any),
        one("response", Kind::Message(&SCHEMA)),
        one("responseJsonSchema", Any),
        one("behavior", Text).at(Studio),
    ],
};

/// The members of `properties` are read by [`super::proto`].
static SCHEMA: Message = Message {
    name: "Schema",
    fields: &[
        one("type", Enum("Type", &["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"])),
        one("format", Text),
        one("title", Text),
        one("description", Text),
        one("nullable", Bool),
        many("enum", Text),
        one("maxItems", Int),
        one("minItems", Int),
        one("properties", Struct),
        many("required", Text),
        one("minProperties", Int),
        one("maxProperties", Int),
        one("minLength", Int),
        one("maxLength", Int),
        one("pattern", Text),
        one("example", Any),
        many("anyOf", Kind::Message(&SCHEMA)),
        many("propertyOrdering", Text),
        one("default", Any),
        one("items", Kind::Message(&SCHEMA)),
        one("minimum", Float),
        one("maximum", Float),
        one("additionalProperties", Any).at(Cloud),
        one("ref", Text).at(Cloud),
        one("defs", Struct).at(Cloud),
    ],
};

static TOOL_CONFIG: Message = Message {
    name: "ToolConfig",
    fields: &[
        one("functionCallingConfig", Kind::Message(&FUNCTION_CALLING_CONFIG)),
        one("retrievalConfig", Struct),
        one("includeServerSideToolInvocations", Bool).at(Studio),
    ],
};

static FUNCTION_CALLING_CONFIG: Message = Message {
    name: "FunctionCallingConfig",
    fields: &[
        one("mode", Enum("Mode", &["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"])),
        many("allowedFunctionNames", Text),
        one("streamFunctionCallArguments", Bool).at(Cloud),
    ],
};

static SAFETY_SETTING: Message = Message {
    name: "SafetySetting",
    fields: &[
        one(
            "category",
            Enum(
                "HarmCategory",
                &[
                    "HARM_CATEGORY_HARASSMENT",
                    "HARM_CATEGORY_HATE_SPEECH",
                    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
                    "HARM_CATEGORY_DANGEROUS_CONTENT",
                    "HARM_CATEGORY_CIVIC_INTEGRITY",
                    "HARM_CATEGORY_JAILBREAK",
                ],
            ),
        ),
        one(
            "threshold",
            Enum(
                "HarmBlockThreshold",
                &["BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"],
            ),
        ),
        one("method", Enum("HarmBlockMethod", &["SEVERITY", "PROBABILITY"])).at(Cloud),
    ],
};

static GENERATION_CONFIG: Message = Message {
    name: "GenerationConfig",
    fields: &[
        many("stopSequences", Text),
        one("responseMimeType", Text),
        one("responseSchema", Kind::Message(&SCHEMA)),
        one("responseJsonSchema", Any),
        many("responseModalities", Enum("Modality", &["TEXT", "IMAGE", "AUDIO", "VIDEO"])),
        one("candidateCount", Int),
        one("maxOutputTokens", Int),
        one("temperature", Float),
        one("topP", Float),
        one("topK", Float),
        one("seed", Int),
        one("presencePenalty", Float),
        one("frequencyPenalty", Float),
        one("responseLogprobs", Bool),
        one("logprobs", Int),
        one("enableEnhancedCivicAnswers", Bool).at(Studio),
        one("speechConfig", Struct),
        one("thinkingConfig", Kind::Message(&THINKING_CONFIG)),
        one("imageConfig", Struct),
        one(
            "mediaResolution",
            Enum("MediaResolution", &["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH"]),
        ),
        one("audioTimestamp", Bool).at(Cloud),
        one("routingConfig", Struct).at(Cloud),
        one("modelSelectionConfig", Struct).at(Cloud),
    ],
};

static THINKING_CONFIG: Message = Message {
    name: "ThinkingConfig",
    fields: &[
        one("includeThoughts", Bool),
        one("thinkingBudget", Int),
        one(
            "thinkingLevel",
            Enum("ThinkingLevel", &["THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"]),
        ),
    ],
};

static MODEL_ARMOR_CONFIG: Message =
    Message { name: "ModelArmorConfig", fields: &[one("promptTemplateName", Text), one("responseTemplateName", Text)] };
