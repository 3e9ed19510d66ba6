//! Why a provider would not answer, where its status does not tell: the conversation does not fit the model or its content is
//! not wanted, so that another model might answer; or the account has no money left, so that another account might.
//!
//! Each provider has words of its own for that. Codes are surer; most providers have none.

use crate::error::{Error, Kind};

/// Codes of conversations that are longer than the model's context: OpenAI's, Perplexity's, llama.cpp's.
const TOO_LONG_CODES: &[&str] = &["context_length_exceeded", "exceed_context_size_error", "string_above_max_length"];

/// What is said of them, in lower case.
const TOO_LONG: &[&str] = &[
    // OpenAI and most of those who follow it, vLLM among them.
    "maximum context length",
    "context length exceeded",
    "context window",
    "context limit",
    "exceeds the context",
    "reduce the length of the messages",
    // llama.cpp
    "available context size",
    // Anthropic, Fireworks, Bedrock
    "prompt is too long",
    "input is too long",
    "too many input tokens",
    // Google
    "input token count",
    "exceeds the maximum number of tokens",
    // Cohere
    "number of tokens in the prompt cannot exceed",
    // Text Generation Inference, Together
    "`inputs` tokens + `max_new_tokens` must be",
    "`inputs` must have less than",
    // watsonx
    "cannot exceed the total tokens limit",
    // xAI
    "maximum prompt length",
    // Zhipu
    "prompt exceeds max length",
];

/// Codes of content that is not wanted: OpenAI's, Azure's, Alibaba's.
const UNWANTED_CODES: &[&str] = &[
    "content_filter",
    "content_policy_violation",
    "data_inspection_failed",
    "datainspectionfailed",
    "invalid_prompt",
    "moderation_blocked",
    "responsibleaipolicyviolation",
];

/// What is said of it, in lower case.
const UNWANTED: &[&str] = &[
    // OpenAI
    "content policy",
    "our safety system",
    "usage policy",
    // Azure
    "content management policy",
    // Anthropic
    "content filtering policy",
    // xAI
    "content violates usage guidelines",
    // DeepSeek
    "content exists risk",
    // Alibaba
    "may contain inappropriate content",
    // Moonshot
    "considered high risk",
    // OpenRouter
    "input was flagged",
];

/// Codes of accounts that have nothing left: OpenAI's, Zhipu's, Alibaba's.
const NO_MONEY_CODES: &[&str] = &[
    "1113",
    "arrearage",
    "billing_hard_limit_reached",
    "billing_not_active",
    "insufficient_balance",
    "insufficient_quota",
];

/// What is said of them, in lower case: by Anthropic, DeepSeek, OpenRouter.
const NO_MONEY: &[&str] = &["credit balance is too low", "insufficient balance", "insufficient credits"];

impl Error {
    /// The same error of a provider's, of the kind that its words tell.
    pub fn classified(mut self) -> Self {
        let code = self.code.as_deref().unwrap_or_default().to_ascii_lowercase();
        let message = self.message.to_ascii_lowercase();
        let is = |codes: &[&str], phrases: &[&str]| {
            codes.contains(&code.as_str()) || phrases.iter().any(|phrase| message.contains(phrase))
        };
        // What a server says that broke, or a cloud that does not let us in, is the same under other statuses.
        let of_call = matches!(self.kind, Kind::InvalidRequest | Kind::Internal | Kind::Permission | Kind::TooLarge);
        if of_call && is(TOO_LONG_CODES, TOO_LONG) {
            self.kind = Kind::ContextWindow;
        } else if of_call && is(UNWANTED_CODES, UNWANTED) {
            self.kind = Kind::ContentPolicy;
        } else if (of_call || self.kind == Kind::RateLimit) && is(NO_MONEY_CODES, NO_MONEY) {
            // The client cannot mend that.
            self.kind = Kind::Authentication;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn kind(status: u16, message: &str) -> Kind {
        Error::new(Kind::of_status(status), message).with_status(status).classified().kind
    }

    #[test]
    fn each_provider_has_its_own_words() {
        for (status, message) in [
            (400, "This model's maximum context length is 8191 tokens, however you requested 8238 tokens."),
            (400, "Your input exceeds the context window of this model. Please adjust your input and try again."),
            (400, "prompt is too long: 210000 tokens > 200000 maximum"),
            (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
            (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
            (400, "Input is too long for requested model."),
            (
                400,
                "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            ),
            (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000"),
            (400, "the request exceeds the available context size. try increasing the context size"),
            (400, "This model's maximum prompt length is 131072 but the request contains 140000 tokens."),
            (500, "This model's maximum context length is 4096 tokens."),
        ] {
            assert_eq!(kind(status, message), Kind::ContextWindow, "{message}");
        }
        for (status, message) in [
            (400, "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."),
            (400, "Output blocked by content filtering policy"),
            (403, "Content violates usage guidelines. Team: x, Failed check: SAFETY_CHECK_TYPE_BIO"),
            (400, "Content Exists Risk"),
            (400, "Input text data may contain inappropriate content."),
            (400, "Invalid prompt: your prompt was flagged as potentially violating our usage policy."),
        ] {
            assert_eq!(kind(status, message), Kind::ContentPolicy, "{message}");
        }
    }

    #[test]
    fn codes_tell_where_words_do_not() {
        let kind = |code: &'static str| Error::invalid("no").code(code).classified().kind;
        assert_eq!(kind("context_length_exceeded"), Kind::ContextWindow);
        assert_eq!(kind("content_filter"), Kind::ContentPolicy);
        assert_eq!(kind("invalid_value"), Kind::InvalidRequest);
    }

    #[test]
    fn an_account_without_money_is_no_fault_of_the_clients() {
        let anthropic = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.";
        assert_eq!(kind(400, anthropic), Kind::Authentication);
        let openai = Error::new(Kind::RateLimit, "You exceeded your current quota.").code("insufficient_quota");
        assert_eq!(openai.classified().kind, Kind::Authentication);
        // Google says so of any limit.
        assert_eq!(kind(429, "You exceeded your current quota, please check your plan."), Kind::RateLimit);
    }

    #[test]
    fn other_errors_are_what_they_are() {
        assert_eq!(kind(400, "max_tokens: must be at most 8192"), Kind::InvalidRequest);
        assert_eq!(kind(401, "maximum context length"), Kind::Authentication);
        assert_eq!(kind(429, "Rate limit reached: too many input tokens per minute"), Kind::RateLimit);
        assert_eq!(kind(500, "broken"), Kind::Internal);
    }
}
