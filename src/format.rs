//! The formats of request and answer that stand at either end of a call.

/// A format. A client speaks one, a [surface](crate::provider::Surface) of a provider speaks one; where both are the
/// same the bytes are spliced, not translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// [Amazon Bedrock's Converse](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
    Bedrock,
    /// [Amazon Bedrock's InvokeModel](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html) of
    /// models for embeddings, each maker's in a format of its own.
    BedrockEmbeddings,
    /// [OpenAI's chat completions](https://platform.openai.com/docs/api-reference/chat).
    Chat,
    /// [OpenAI's completions](https://platform.openai.com/docs/api-reference/completions), the old ones, of a text.
    Completions,
    /// [Deepgram's listen](https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded).
    DeepgramListen,
    /// [Deepgram's speak](https://developers.deepgram.com/reference/text-to-speech/speak-request).
    DeepgramSpeak,
    /// [ElevenLabs' text to speech](https://elevenlabs.io/docs/api-reference/text-to-speech/convert).
    ElevenLabsSpeech,
    /// [ElevenLabs' speech to text](https://elevenlabs.io/docs/api-reference/speech-to-text/convert).
    ElevenLabsTranscripts,
    /// [Cohere's chat](https://docs.cohere.com/v2/reference/chat).
    Cohere,
    /// [OpenAI's embeddings](https://platform.openai.com/docs/api-reference/embeddings).
    Embeddings,
    /// [Gemini's generateContent](https://ai.google.dev/api/generate-content).
    Gemini,
    /// [Gemini's batchEmbedContents](https://ai.google.dev/api/embeddings).
    GeminiEmbeddings,
    /// [Amazon Bedrock's InvokeModel](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html) of models that make
    /// images, each maker's in a format of its own.
    BedrockImages,
    /// [Fireworks' text to image](https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt).
    FireworksImages,
    /// [OpenAI's images](https://platform.openai.com/docs/api-reference/images).
    Images,
    /// [predict](https://ai.google.dev/gemini-api/docs/imagen) of Google's Imagen.
    Imagen,
    /// [Anthropic's Messages](https://platform.claude.com/docs/en/api/messages).
    Messages,
    /// [OpenAI's moderations](https://platform.openai.com/docs/api-reference/moderations).
    Moderations,
    /// [OpenAI's speech](https://platform.openai.com/docs/api-reference/audio/createSpeech).
    Speech,
    /// [OpenAI's transcriptions](https://platform.openai.com/docs/api-reference/audio/createTranscription) and translations.
    Transcriptions,
    /// [Ollama's chat](https://docs.ollama.com/api/chat).
    Ollama,
    /// [Cohere's rerank](https://docs.cohere.com/v2/reference/rerank), which many follow.
    Rerank,
    /// [Replicate's predictions](https://replicate.com/docs/reference/http#predictions.create).
    Replicate,
    /// [OpenAI's Responses](https://platform.openai.com/docs/api-reference/responses).
    Responses,
    /// [generateContent](https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference) as Google
    /// Cloud has it: a few fields differ from Gemini's own, and neither can read what the other has signed.
    Vertex,
    /// [batchEmbedContents](https://docs.cloud.google.com/vertex-ai/docs/reference/rest) as Google Cloud has it.
    VertexEmbeddings,
    /// [predict](https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api) of Google
    /// Cloud's older models for embeddings.
    VertexPredict,
    /// [rank](https://docs.cloud.google.com/generative-ai-app-builder/docs/reference/rest/v1/projects.locations.rankingConfigs/rank)
    /// of Google Cloud's ranking models.
    VertexRank,
}

impl Format {
    /// Whether what a client says in this format can be passed on as it is to a surface of `other`.
    pub fn is_taken_by(self, other: Self) -> bool {
        self == other || (self == Self::Gemini && other == Self::Vertex)
    }
}

/// What a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// How many input tokens a conversation would cost.
    CountTokens,
    /// Vectors that stand for texts.
    Embed,
    /// The next turn of a conversation.
    Generate,
    /// Pictures that are changed.
    EditImages,
    /// Pictures of what is told.
    Image,
    /// Whether something is harmful.
    Moderate,
    /// Whatever the provider understands, in its own words.
    Pass,
    /// Documents in the order of how well they answer a query.
    Rank,
    /// What the provider keeps under an id.
    Resource,
    /// A text read aloud.
    Speak,
    /// What is said in a recording, written down.
    Transcribe,
    /// The same in English.
    Translate,
}
