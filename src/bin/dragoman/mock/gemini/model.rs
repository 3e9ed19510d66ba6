//! What a model accepts, read from its name.
//!
//! <https://ai.google.dev/gemini-api/docs/thinking>, <https://ai.google.dev/gemini-api/docs/models>,
//! <https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/guides/gemini-4-argon>.

use std::ops::RangeInclusive;

use super::Door;

/// A model.
pub struct Model {
    name: String,
    /// 0 for Gemma.
    version: (u32, u32),
}

/// How its thinking is set.
pub enum Thinking {
    /// In tokens, and whether none is allowed.
    Budget(RangeInclusive<i64>, bool),
    Levels(&'static [&'static str]),
    None,
}

impl Model {
    /// Nothing if Google serves no such model.
    pub fn new(name: &str) -> Option<Model> {
        let version = match name.strip_prefix("gemini-") {
            Some(rest) => {
                let mut numbers = rest.split(['-', '.']).map_while(|part| part.parse().ok());
                // Names such as `gemini-flash-latest` are of the newest.
                (numbers.next().unwrap_or(3), numbers.next().unwrap_or(if rest.starts_with("flash") { 8 } else { 0 }))
            }
            None => name.starts_with("gemma-").then_some((0, 0))?,
        };
        let known = name.starts_with("gemma-") || (2..=4).contains(&version.0);
        (known && !name.contains("embedding")).then(|| Model { name: name.to_owned(), version })
    }

    /// How it thinks.
    pub fn thinking(&self) -> Thinking {
        let pro = self.is("pro");
        match self.version {
            _ if self.draws() => Thinking::None,
            (2, 5) if pro => Thinking::Budget(128..=32_768, false),
            (2, 5) if self.is("lite") => Thinking::Budget(512..=24_576, true),
            (2, 5) => Thinking::Budget(1..=24_576, true),
            (3, 0) if pro => Thinking::Levels(&["LOW", "HIGH"]),
            (3, 0..=6) if !pro => Thinking::Levels(&["MINIMAL", "LOW", "MEDIUM", "HIGH"]),
            (3, _) => Thinking::Levels(&["LOW", "MEDIUM", "HIGH"]),
            (4, _) if self.is("neon") || self.is("hydrogen") => Thinking::Levels(&["LOW", "MEDIUM", "HIGH", "XHIGH"]),
            (4, _) => Thinking::Levels(&["LOW", "MEDIUM", "HIGH"]),
            _ => Thinking::None,
        }
    }

    /// It gives pictures.
    pub fn draws(&self) -> bool {
        self.is("image")
    }

    /// It signs its calls, names them, and wants both back; it sees pictures in results, and JSON goes with functions.
    pub fn signs(&self) -> bool {
        self.version >= (3, 0)
    }

    /// It lets thinking be set, so it also can sign texts.
    pub fn thinks(&self) -> bool {
        !matches!(self.thinking(), Thinking::None)
    }

    pub fn penalizes(&self, door: Door) -> bool {
        match door {
            Door::Cloud => self.version < (4, 0),
            Door::Studio => self.version < (2, 5),
        }
    }

    /// How many answers it gives.
    pub fn candidates(&self) -> i64 {
        if self.version >= (4, 0) { 1 } else { 8 }
    }

    /// It knows system instructions, functions and JSON.
    pub fn instructs(&self) -> bool {
        !["gemma-1", "gemma-2", "gemma-3"].iter().any(|old| self.name.starts_with(old))
    }

    fn is(&self, word: &str) -> bool {
        self.name.split(['-', '.']).any(|part| part == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let version = |name| Model::new(name).map(|model| model.version);
        assert_eq!(version("gemini-2.5-flash-lite"), Some((2, 5)));
        assert_eq!(version("gemini-3-pro-image"), Some((3, 0)));
        assert_eq!(version("gemini-4-argon"), Some((4, 0)));
        assert_eq!(version("gemini-flash-latest"), Some((3, 8)));
        assert_eq!(version("gemma-3-27b-it"), Some((0, 0)));
        for unknown in ["gemini-0", "gemini-1.5-pro", "gemini-embedding-2", "gpt-4o", "claude-opus-5"] {
            assert_eq!(version(unknown), None, "{unknown}");
        }
    }
}
