//! The formats of request and answer that stand at either end of a call.

/// A format. A client speaks one, a [surface](crate::provider::Surface) of a provider speaks one; where both are the
/// same the bytes are spliced, not translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// [OpenAI's chat completions](https://platform.openai.com/docs/api-reference/chat).
    Chat,
    /// [OpenAI's embeddings](https://platform.openai.com/docs/api-reference/embeddings).
    Embeddings,
    /// [Anthropic's Messages](https://platform.claude.com/docs/en/api/messages).
    Messages,
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
}
