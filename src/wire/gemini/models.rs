//! What each model takes, as data.
//!
//! From Google's pages on [thinking](https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/thinking) and the
//! guides to each generation, such as <https://ai.google.dev/gemini-api/docs/generate-content/whats-new-gemini-3.7> and
//! <https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/guides/gemini-4-argon>, read in November 2026.

/// How a model thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Up to a number of tokens within these bounds. `off`: none is allowed too.
    Budget { least: u64, most: u64, off: bool },
    /// At one of these levels, from the least on. None of them is none.
    Levels(&'static [&'static str]),
    /// It does not, or cannot be told.
    Never,
}

/// What a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    /// How it thinks.
    pub mode: Mode,
    /// Whether `temperature`, `topP` and `topK` change anything.
    pub sampling: bool,
    /// Whether it knows penalties.
    pub penalties: bool,
    /// Whether it gives more than one answer to a call.
    pub several: bool,
    /// Whether it is of the third generation or later: it names its calls, signs them, sees pictures in results, and holds
    /// to a format of the answer beside tools.
    pub signs: bool,
    /// Whether it knows system instructions.
    pub system: bool,
}

/// The levels of thought, from the least on.
pub(super) const LEVELS: &[&str] = &["minimal", "low", "medium", "high", "xhigh"];

const FROM_LOW: Mode = Mode::Levels(&["low", "medium", "high"]);

/// Models before 2.5, and others that do not think.
const PLAIN: Model =
    Model { mode: Mode::Never, sampling: true, penalties: true, several: true, signs: false, system: true };

/// The third generation.
const THREE: Model = Model { mode: FROM_LOW, penalties: false, signs: true, ..PLAIN };

/// Names without a number, such as `gemini-flash-latest`: what the newest models have in common.
const NEWEST: Model = Model { sampling: false, ..THREE };

/// What the model of that name takes.
pub(super) fn of(name: &str) -> Model {
    let name = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    if let Some(rest) = name.strip_prefix("gemma-") {
        return Model { system: !rest.starts_with(['1', '2', '3']), ..PLAIN };
    }
    let Some((version, variant)) = name.strip_prefix("gemini-").and_then(version) else { return NEWEST };
    let is = |word: &str| variant.contains(word);
    // These draw and speak.
    let media = is("image") || is("tts") || is("audio");
    let model = match version {
        (..=1, _) | (2, ..=4) => PLAIN,
        (2, _) if is("pro") => Model { mode: Mode::Budget { least: 128, most: 32_768, off: false }, ..PLAIN },
        (2, _) if is("lite") => Model { mode: Mode::Budget { least: 512, most: 24_576, off: true }, ..PLAIN },
        (2, _) => Model { mode: Mode::Budget { least: 1, most: 24_576, off: true }, ..PLAIN },
        (3, 0) if is("pro") => Model { mode: Mode::Levels(&["low", "high"]), ..THREE },
        (3, ..=6) if !is("pro") => {
            let sampling = version < (3, 5) || version == (3, 5) && !is("lite");
            Model { mode: Mode::Levels(&["minimal", "low", "medium", "high"]), sampling, ..THREE }
        }
        (3, minor) => Model { sampling: minor < 6, ..THREE },
        _ if is("argon") || is("carbon") => Model { several: false, ..NEWEST },
        _ => Model { mode: Mode::Levels(&["low", "medium", "high", "xhigh"]), several: false, ..NEWEST },
    };
    if media { Model { mode: Mode::Never, ..model } } else { model }
}

/// The version at the start of `2.5-flash-lite`, and the rest.
fn version(text: &str) -> Option<((u32, u32), &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, variant) = text.split_at_checked(end)?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some(((major.parse().ok()?, minor.parse().ok()?), variant))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn how_models_think() {
        let levels = |name| match of(name).mode {
            Mode::Levels(levels) => levels.join(" "),
            mode => format!("{mode:?}"),
        };
        assert_eq!(levels("gemini-3-pro-preview"), "low high");
        assert_eq!(levels("gemini-3.1-pro-preview-customtools"), "low medium high");
        assert_eq!(levels("google/gemini-3.5-flash"), "minimal low medium high");
        assert_eq!(levels("gemini-3.1-flash-lite"), "minimal low medium high");
        assert_eq!(levels("gemini-3.8-flash"), "low medium high");
        assert_eq!(levels("gemini-4-argon-cyber-permissive"), "low medium high");
        assert_eq!(levels("gemini-4-neon"), "low medium high xhigh");
        assert_eq!(levels("gemini-flash-latest"), "low medium high");
        assert_eq!(of("gemini-2.5-pro").mode, Mode::Budget { least: 128, most: 32_768, off: false });
        assert_eq!(
            of("gemini-2.5-flash-lite-preview-09-2025").mode,
            Mode::Budget { least: 512, most: 24_576, off: true }
        );
        assert_eq!(of("gemini-2.5-flash").mode, Mode::Budget { least: 1, most: 24_576, off: true });
        for name in ["gemini-2.0-flash", "gemini-2.5-flash-image", "gemini-3.8-flash-tts", "gemma-4-31b-it"] {
            assert_eq!(of(name).mode, Mode::Never, "{name}");
        }
    }

    #[test]
    fn what_models_sample_with() {
        for (name, sampling) in [
            ("gemini-2.5-pro", true),
            ("gemini-3.1-pro-preview", true),
            ("gemini-3.5-flash", true),
            ("gemini-3.5-flash-lite", false),
            ("gemini-3.6-flash", false),
            ("gemini-4-hydrogen", false),
        ] {
            assert_eq!(of(name).sampling, sampling, "{name}");
        }
        assert!(!of("gemini-4-neon").several && of("gemini-3.8-flash").several);
        assert!(!of("gemma-3-27b-it").system && of("gemma-4-31b-it").system);
    }
}
