//! What is asked, in words that every format shares.
//!
//! A client format reads a request into a [`Call`]; a wire writes a call in its provider's format. What only one format
//! knows travels as `Native`, and is written by a wire of that format alone. Strings keep their escapes ([`Str`]), numbers
//! and schemas stay raw JSON text, so nothing is rounded or reordered on the way.

use std::borrow::Cow;
use std::ops::Range;

use crate::format::Format;
use crate::json::Str;

/// A call, by operation.
#[derive(Clone, Debug)]
pub enum Call<'a> {
    /// The input tokens of a conversation.
    CountTokens(Generate<'a>),
    /// Vectors that stand for texts.
    Embed(Embed<'a>),
    /// The next turn of a conversation.
    Generate(Generate<'a>),
    /// Pictures of what is told.
    Image(Image<'a>),
    /// Documents in the order of how well they answer a query.
    Rank(Rank<'a>),
    /// A text read aloud.
    Speak(Speech<'a>),
    /// What is said in a recording.
    Transcribe(Transcribe<'a>),
}

impl Call<'_> {
    /// Fields deep in the request that have no place here, each once: whoever has the call written notes them as dropped.
    pub fn unread(&self) -> &[String] {
        match self {
            Self::CountTokens(call) | Self::Generate(call) => &call.unread,
            Self::Embed(_) | Self::Image(_) | Self::Rank(_) | Self::Speak(_) | Self::Transcribe(_) => &[],
        }
    }
}

/// Texts to be stood for by vectors.
#[derive(Clone, Debug, Default)]
pub struct Embed<'a> {
    /// The texts, in the order of the vectors.
    pub input: Vec<Input<'a>>,
    /// How long the vectors shall be.
    pub dimensions: Option<u64>,
    /// Whether the client takes vectors in base64, of little-endian 32-bit floats.
    pub base64: bool,
    /// What the texts are for, in the client's words: `search_document`, `search_query`, `classification`, …
    pub input_type: Option<Str<'a>>,
    /// The end user, for the provider's abuse checks.
    pub user: Option<Str<'a>>,
    /// Top-level fields that only the client's format knows: name and raw value.
    pub native: Vec<(Cow<'a, str>, &'a str)>,
    /// The format that `native` fields are of.
    pub format: Option<Format>,
}

/// Documents to be put in the order of how well they answer a query.
#[derive(Clone, Debug, Default)]
pub struct Rank<'a> {
    /// The query.
    pub query: Str<'a>,
    /// The documents.
    pub documents: Vec<Str<'a>>,
    /// How many of the best are wanted; all, if it is not said.
    pub top: Option<u64>,
    /// Whether the documents shall come back with their places.
    pub returned: bool,
    /// Other top-level fields: name and raw value.
    pub native: Vec<(Cow<'a, str>, &'a str)>,
}

/// Pictures to be made.
#[derive(Clone, Debug, Default)]
pub struct Image<'a> {
    /// What they show.
    pub prompt: Str<'a>,
    /// How many; absent is one.
    pub count: Option<u64>,
    /// Width and height, in pixels.
    pub size: Option<(u64, u64)>,
    /// `standard`, `hd`, `low`, `medium`, `high`, …
    pub quality: Option<Str<'a>>,
    /// `png`, `jpeg`, `webp`.
    pub format: Option<Str<'a>>,
    /// Whether the client wants addresses and not bytes.
    pub addresses: bool,
    /// The end user, for the provider's abuse checks.
    pub user: Option<Str<'a>>,
    /// Other top-level fields: name and raw value.
    pub native: Vec<(Cow<'a, str>, &'a str)>,
}

/// A text to be read aloud.
#[derive(Clone, Debug, Default)]
pub struct Speech<'a> {
    /// The text.
    pub input: Str<'a>,
    /// Who reads it, by the provider's name.
    pub voice: Option<Str<'a>>,
    /// How it is read.
    pub instructions: Option<Str<'a>>,
    /// `mp3`, `opus`, `aac`, `flac`, `wav`, `pcm`; absent is the first.
    pub format: Option<Str<'a>>,
    /// How fast: 1 is as usual.
    pub speed: Option<&'a str>,
    /// Whether it comes as events, and not as bytes.
    pub stream: bool,
    /// Other top-level fields: name and raw value.
    pub native: Vec<(Cow<'a, str>, &'a str)>,
}

/// A recording to be written down. The recording itself stays where it came in.
#[derive(Clone, Debug, Default)]
pub struct Transcribe<'a> {
    /// Where the recording is in the form that came in.
    pub file: Range<usize>,
    /// The name of its file.
    pub name: Option<Str<'a>>,
    /// Its type, such as `audio/mpeg`.
    pub media_type: Str<'a>,
    /// What is spoken, by its ISO 639-1 code.
    pub language: Option<Str<'a>>,
    /// `json`, `verbose_json`, `text`, `srt`, `vtt`; absent is the first.
    pub format: Option<Str<'a>>,
    /// Whether the times of words are wanted.
    pub words: bool,
    /// The fields of the form as they came: name and text.
    pub native: Vec<(Cow<'a, str>, Str<'a>)>,
}

/// A text to be stood for by a vector.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The text.
    Text(Str<'a>),
    /// Its tokens, as the model counts them: a raw array of numbers.
    Tokens(&'a str),
}

/// A conversation, and how its next turn shall be made.
#[derive(Clone, Debug, Default)]
pub struct Generate<'a> {
    /// The model that the client named. A wire is told the provider's name for it separately.
    pub model: Cow<'a, str>,
    /// Whether the answer comes as events.
    pub stream: bool,
    /// The conversation so far, in the client's order. Roles may repeat; merging is the wire's matter.
    pub messages: Vec<Message<'a>>,
    /// Tools that the model may call.
    pub tools: Vec<Tool<'a>>,
    /// Which of them it must or may call.
    pub tool_choice: Option<ToolChoice<'a>>,
    /// Whether it may call several at once.
    pub parallel_tool_calls: Option<bool>,
    /// What the text of the answer must be.
    pub output: OutputFormat<'a>,
    /// The most tokens that it may write, reasoning included.
    pub max_output_tokens: Option<u64>,
    /// A number: 0 to 2 in OpenAI's scale, which Gemini shares; others clamp.
    pub temperature: Option<&'a str>,
    /// A number from 0 to 1.
    pub top_p: Option<&'a str>,
    /// A whole number.
    pub top_k: Option<&'a str>,
    /// A number from -2 to 2.
    pub frequency_penalty: Option<&'a str>,
    /// A number from -2 to 2.
    pub presence_penalty: Option<&'a str>,
    /// A whole number.
    pub seed: Option<&'a str>,
    /// An object from token ids to biases.
    pub logit_bias: Option<&'a str>,
    /// Whether to answer with the probabilities of tokens.
    pub logprobs: Option<bool>,
    /// How many alternatives of each token.
    pub top_logprobs: Option<u64>,
    /// How many answers; absent is one.
    pub choices: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<Str<'a>>,
    /// How much to think before the answer.
    pub reasoning: Option<Reasoning<'a>>,
    /// How long the text shall be: `low`, `medium`, `high`.
    pub verbosity: Option<Str<'a>>,
    /// The class of service, in the client's words.
    pub service_tier: Option<Str<'a>>,
    /// The end user, for the provider's abuse checks.
    pub user: Option<Str<'a>>,
    /// Labels that the provider keeps with the call: an object of strings.
    pub metadata: Option<&'a str>,
    /// Top-level fields that only the client's format knows: name and raw value.
    pub native: Vec<(Cow<'a, str>, &'a str)>,
    /// The format that `native` fields are of.
    pub format: Option<Format>,
    /// Fields deep in the request that have no place here, such as `tools[].defer_loading`, each once: whoever has the
    /// call written notes them as dropped.
    pub unread: Vec<String>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The model.
    Assistant,
    /// The operator, between system and user. Where unknown it is sent as system.
    Developer,
    /// The operator.
    System,
    /// The end user, and results of tools.
    User,
}

/// One turn, or a part of one.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// The speaker's name.
    pub name: Option<Str<'a>>,
    /// What is said.
    pub parts: Vec<Part<'a>>,
}

/// A part of a message.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What it is.
    pub content: Content<'a>,
    /// Whether the prompt up to here shall be cached: the raw `cache_control` object.
    pub cache: Option<&'a str>,
}

impl<'a> From<Content<'a>> for Part<'a> {
    fn from(content: Content<'a>) -> Self {
        Self { content, cache: None }
    }
}

/// What a part is.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// Sound. `format` is OpenAI's word: `wav`, `mp3`.
    Audio {
        /// Base64.
        data: Str<'a>,
        /// `wav`, `mp3`, …
        format: Str<'a>,
    },
    /// A text or PDF to read.
    Document(Document<'a>),
    /// A picture.
    Image {
        /// Where it is.
        source: Source<'a>,
        /// OpenAI's `detail`: `auto`, `low`, `high`.
        detail: Option<Str<'a>>,
    },
    /// Something that only `format` knows: the raw object.
    Native {
        /// Whose.
        format: Format,
        /// The raw part.
        raw: &'a str,
    },
    /// Thought that an earlier answer came with. Goes back only to the wire it is of.
    Reasoning {
        /// What may be read of it.
        text: Str<'a>,
        /// The provider's proof of it; without one some providers refuse it.
        signature: Option<Str<'a>>,
        /// Whose signature.
        format: Option<Format>,
    },
    /// Thought that only the provider can read.
    RedactedReasoning {
        /// Sealed by the provider.
        data: Str<'a>,
        /// Whose.
        format: Format,
    },
    /// What the model said instead of an answer.
    Refusal(Str<'a>),
    /// Text.
    Text {
        /// The text.
        text: Str<'a>,
        /// Raw array in the words of `Format::Messages`, where there are any.
        citations: Option<&'a str>,
    },
    /// A call that the model made.
    ToolCall {
        /// Joins call and result.
        id: Str<'a>,
        /// The tool.
        name: Str<'a>,
        /// JSON text, as the model wrote it: an object, if it wrote well.
        arguments: Str<'a>,
    },
    /// What a tool answered.
    ToolResult {
        /// The call's id.
        id: Str<'a>,
        /// Text, images, documents.
        parts: Vec<Part<'a>>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// A moving picture.
    Video(Source<'a>),
}

impl<'a> Content<'a> {
    /// Text without citations.
    pub fn text(text: Str<'a>) -> Self {
        Self::Text { text, citations: None }
    }
}

/// A document to read.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// Where it is.
    pub source: Source<'a>,
    /// Its file name or title.
    pub title: Option<Str<'a>>,
    /// What the model shall know about it and not cite.
    pub context: Option<Str<'a>>,
    /// Whether the answer shall cite it: the raw object.
    pub citations: Option<&'a str>,
}

/// Where an image or document is.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// Inside the request.
    Base64 {
        /// Such as `image/png`.
        media_type: Str<'a>,
        /// The bytes.
        data: Str<'a>,
    },
    /// A file that was uploaded to the provider.
    File(Str<'a>),
    /// Parts that make up a document.
    Parts(Vec<Part<'a>>),
    /// Plain text.
    Text(Str<'a>),
    /// For the provider to fetch.
    Url(Str<'a>),
}

/// A tool.
#[derive(Clone, Debug)]
pub enum Tool<'a> {
    /// A function of the client's.
    Function {
        /// Its name.
        name: Str<'a>,
        /// When to use it.
        description: Option<Str<'a>>,
        /// The raw JSON schema of its arguments; absent is none.
        parameters: Option<Cow<'a, str>>,
        /// Whether arguments must follow the schema.
        strict: Option<bool>,
        /// The raw `cache_control` object.
        cache: Option<&'a str>,
    },
    /// A tool that the provider runs, or a kind that only `format` knows.
    Native {
        /// Whose.
        format: Format,
        /// What it calls itself, for messages.
        kind: Str<'a>,
        /// The raw object.
        raw: &'a str,
    },
}

/// Which tools must or may be called.
#[derive(Clone, Debug)]
pub enum ToolChoice<'a> {
    /// As the model likes.
    Auto,
    /// This one.
    Named(Str<'a>),
    /// None.
    None,
    /// At least one.
    Required,
}

/// What the text of the answer must be.
#[derive(Clone, Debug, Default)]
pub enum OutputFormat<'a> {
    /// Any JSON object.
    JsonObject,
    /// JSON that follows a schema.
    JsonSchema {
        /// A name for it.
        name: Option<Str<'a>>,
        /// What it is for.
        description: Option<Str<'a>>,
        /// The raw schema.
        schema: Cow<'a, str>,
        /// Whether it is followed to the letter.
        strict: Option<bool>,
    },
    /// Anything.
    #[default]
    Text,
}

/// How much to think.
#[derive(Clone, Debug)]
pub struct Reasoning<'a> {
    /// How much.
    pub amount: Thinking<'a>,
    /// Anthropic's `display`: whether the thought is shown (`summarized`) or only signed (`omitted`).
    pub display: Option<Str<'a>>,
}

/// How much to think.
#[derive(Clone, Debug)]
pub enum Thinking<'a> {
    /// As much as the model likes, at the given effort.
    Adaptive {
        /// `low` … `max`.
        effort: Option<Str<'a>>,
    },
    /// At most so many tokens.
    Budget(u64),
    /// OpenAI's scale: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`.
    Effort(Str<'a>),
    /// Not at all.
    Off,
}
