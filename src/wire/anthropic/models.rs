//! What each model takes that speaks the format, as data.
//!
//! From the pages under <https://platform.claude.com/docs/en/models>, read in November 2026: each model's limits and the
//! breaking changes of its migration guide. The Models API tells the same at run time, but costs a call.

/// Every effort, from the least.
const ALL: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// How a model thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wire) enum Mode {
    /// As much as it likes, steered by one of `efforts`. `off` is the word that stops it, where one does.
    Adaptive { efforts: &'static [&'static str], off: Option<&'static str> },
    /// Up to a number of tokens.
    Budget,
    /// It does not.
    Never,
}

/// Which of `temperature` and `top_p` a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wire) enum Sampling {
    /// Both at once.
    Both,
    /// None of them, and no `top_k`.
    None,
    /// Either.
    One,
}

/// What a model takes.
#[derive(Clone, Copy, Debug)]
pub(in crate::wire) struct Model {
    /// What names of the model hold, whoever serves it.
    pub key: &'static str,
    /// The most tokens that it writes.
    pub max_output: u64,
    /// How it thinks.
    pub mode: Mode,
    /// What it takes of the sampling parameters.
    pub sampling: Sampling,
    /// Whether `output_config.format` and `strict` tools hold it to a schema.
    pub schemas: bool,
    /// Whether `tool_choice` may force it.
    pub forced_tools: bool,
    /// Whether system messages may stand between turns.
    pub system_turns: bool,
}

/// The Claude 5 family; also the guess for names of Claude models that are newer than this table, so that what newer
/// models have refused is left out.
const FIVE: Model = Model {
    key: "claude",
    max_output: 64_000,
    mode: Mode::Adaptive { efforts: ALL, off: None },
    sampling: Sampling::None,
    schemas: true,
    forced_tools: false,
    system_turns: false,
};

/// Claude 4.5.
const FOUR: Model = Model {
    key: "4-5",
    max_output: 64_000,
    mode: Mode::Budget,
    sampling: Sampling::One,
    schemas: true,
    forced_tools: true,
    system_turns: false,
};

/// Servers of other makers that follow the format as it was first documented.
const OTHER: Model = Model { key: "", max_output: 4096, sampling: Sampling::Both, schemas: false, ..FOUR };

const fn five(key: &'static str, off: Option<&'static str>, forced_tools: bool, system_turns: bool) -> Model {
    let mode = Mode::Adaptive { efforts: ALL, off };
    Model { key, max_output: 128_000, mode, forced_tools, system_turns, ..FIVE }
}

const fn four_six(key: &'static str) -> Model {
    let mode = Mode::Adaptive { efforts: &["low", "medium", "high", "max"], off: Some("disabled") };
    Model { key, max_output: 128_000, mode, ..FOUR }
}

/// The first row whose key a name holds is the name's.
static MODELS: &[Model] = &[
    five("fable-5-1", None, false, true),
    five("fable-5-2", None, false, true),
    five("fable-5", None, true, true),
    five("mythos-5-1", None, false, true),
    five("mythos-5-2", None, false, true),
    five("mythos-5", None, true, true),
    five("mythos-preview", None, true, false),
    five("opus-5-5", None, false, true),
    five("opus-5", Some("disabled"), true, true),
    five("sonnet-5-5", Some("between_tools"), false, true),
    five("sonnet-5", Some("disabled"), true, false),
    five("haiku-5-5", Some("disabled"), true, true),
    five("opus-4-8", Some("disabled"), true, true),
    five("opus-4-7", Some("disabled"), true, false),
    four_six("opus-4-6"),
    four_six("sonnet-4-6"),
    Model { key: "opus-4-5", ..FOUR },
    Model { key: "sonnet-4-5", ..FOUR },
    Model { key: "haiku-4-5", ..FOUR },
    Model { key: "opus-4-1", max_output: 32_000, ..FOUR },
    Model { key: "opus-4", max_output: 32_000, schemas: false, ..FOUR },
    Model { key: "sonnet-4", schemas: false, ..FOUR },
    Model { key: "claude-3-7", max_output: 64_000, ..OTHER },
    Model { key: "claude-3-5", max_output: 8192, mode: Mode::Never, ..OTHER },
    Model { key: "claude-3", mode: Mode::Never, ..OTHER },
    FIVE,
];

/// What the model of that name takes, whatever stands around its name where it is served.
pub(in crate::wire) fn of(name: &str) -> &'static Model {
    let name: String = name.chars().map(|c| if c == '.' { '-' } else { c.to_ascii_lowercase() }).collect();
    // Where each word starts, with all that follows it.
    let marks = name.match_indices(|c: char| !c.is_ascii_alphanumeric());
    let starts = std::iter::once(0).chain(marks.map(|(at, mark)| at.saturating_add(mark.len())));
    let tails: Vec<&str> = starts.filter_map(|at| name.get(at..)).collect();
    let holds = |key: &str| tails.iter().any(|tail| tail.starts_with(key) && ends(tail, key.len()));
    MODELS.iter().find(|model| holds(model.key)).unwrap_or(&OTHER)
}

/// Whether a model's number is complete at that place: no digit follows and no number of a release, though a date may.
fn ends(name: &str, at: usize) -> bool {
    let rest = name.get(at..).unwrap_or_default();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    match rest.strip_prefix('-') {
        Some(number) => number.starts_with('0') || !matches!(digits(number), 1 | 2),
        None => digits(rest) == 0,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn key(name: &str) -> &'static str {
        of(name).key
    }

    #[test]
    fn names_find_their_row() {
        assert_eq!(key("claude-sonnet-4-5-20250929"), "sonnet-4-5");
        assert_eq!(key("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), "sonnet-4-5");
        assert_eq!(key("claude-opus-4@20250514"), "opus-4");
        assert_eq!(key("claude-opus-4-20250514"), "opus-4");
        assert_eq!(key("claude-opus-4-0"), "opus-4");
        assert_eq!(key("anthropic/claude-opus-4.8"), "opus-4-8");
        assert_eq!(key("claude-opus-5-5"), "opus-5-5");
        assert_eq!(key("claude-opus-5-20260701"), "opus-5");
        assert_eq!(key("claude-3-7-sonnet-latest"), "claude-3-7");
        assert_eq!(key("claude-3-haiku-20240307"), "claude-3");
    }

    #[test]
    fn newer_models_and_strangers_have_a_guess() {
        assert_eq!(key("claude-opus-7"), "claude");
        assert_eq!(key("claude-opus-4-10"), "claude");
        assert_eq!(key("claude-sonnet-5-7-20270101"), "claude");
        assert_eq!(key("deepseek-chat"), "");
        assert_eq!(of("deepseek-chat").max_output, 4096);
    }
}
