//! What the models accept, read from their names.
//!
//! Thinking: <https://platform.claude.com/docs/en/build-with-claude/thinking#configuring-thinking>. Effort:
//! <https://platform.claude.com/docs/en/build-with-claude/effort>. What each model dropped is in its "what's new" page,
//! <https://platform.claude.com/docs/en/models/sonnet-5-5/whats-new-sonnet-5-5> and the like.

/// A model's family and version.
pub struct Model {
    name: String,
    family: Family,
    version: (u32, u32),
}

#[derive(PartialEq, Eq)]
enum Family {
    /// Fable and Mythos.
    Fable,
    Haiku,
    Opus,
    /// A name that says nothing is held to the newest rules.
    Other,
    Sonnet,
}

impl Model {
    /// Reads a name such as `claude-sonnet-4-5-20250929` or `claude-3-5-haiku-latest`.
    pub fn new(name: &str) -> Model {
        let parts = name.split('-').collect::<Vec<_>>();
        let family = match () {
            () if parts.contains(&"opus") => Family::Opus,
            () if parts.contains(&"sonnet") => Family::Sonnet,
            () if parts.contains(&"haiku") => Family::Haiku,
            () if parts.contains(&"fable") || parts.contains(&"mythos") => Family::Fable,
            () => Family::Other,
        };
        // Dates are longer than version numbers.
        let mut numbers = parts.iter().filter(|part| part.len() < 3).filter_map(|part| part.parse().ok());
        let version = match numbers.next() {
            Some(major) if family != Family::Other => (major, numbers.next().unwrap_or(0)),
            _ => (5, 5),
        };
        Model { name: name.to_owned(), family, version }
    }

    /// The name that answers carry: older aliases stand for dated models.
    pub fn answered(&self) -> &str {
        match self.name.as_str() {
            "claude-haiku-4-5" => "claude-haiku-4-5-20251001",
            "claude-opus-4-5" => "claude-opus-4-5-20251101",
            "claude-sonnet-4-5" => "claude-sonnet-4-5-20250929",
            name => name,
        }
    }

    pub fn max_tokens(&self) -> i64 {
        match self.version {
            (..=3, _) => 8_192,
            (4, ..=5) => 64_000,
            _ => 128_000,
        }
    }

    /// `temperature`, `top_p` and `top_k`, with the version of the API that has them.
    pub fn samples(&self) -> bool {
        !self.at_least(4, 7)
    }

    /// Whether `temperature` and `top_p` exclude each other.
    pub fn samples_one_way(&self) -> bool {
        self.version >= (4, 5) || self.version == (4, 1)
    }

    pub fn prefills(&self) -> bool {
        !self.at_least(4, 6)
    }

    pub fn budgets(&self) -> bool {
        !self.at_least(4, 7) && self.version >= (3, 7)
    }

    pub fn adapts(&self) -> bool {
        self.at_least(4, 6)
    }

    /// Whether thinking is hidden unless the request asks for it.
    pub fn hides_thinking(&self) -> bool {
        self.at_least(4, 7)
    }

    pub fn always_thinks(&self) -> bool {
        match self.family {
            Family::Fable => true,
            Family::Opus | Family::Other => self.version >= (5, 5),
            Family::Haiku | Family::Sonnet => false,
        }
    }

    /// Whether `between_tools` replaces `disabled`.
    pub fn thinks_between_tools(&self) -> bool {
        self.family == Family::Sonnet && self.version >= (5, 5)
    }

    pub fn can_be_forced(&self) -> bool {
        match self.family {
            Family::Fable => self.version < (5, 1),
            Family::Haiku => true,
            Family::Opus | Family::Other | Family::Sonnet => self.version < (5, 5),
        }
    }

    /// Whether system messages may stand in the middle of a conversation.
    pub fn takes_system_turns(&self) -> bool {
        match self.family {
            Family::Fable => true,
            Family::Opus => self.version >= (4, 8),
            Family::Haiku | Family::Other | Family::Sonnet => self.version >= (5, 5),
        }
    }

    /// The efforts, in the order of the provider's message; none for models without.
    pub fn efforts(&self) -> &'static [&'static str] {
        let first = match self.family {
            Family::Opus => (4, 5),
            Family::Sonnet => (4, 6),
            Family::Fable | Family::Haiku | Family::Other => (5, 0),
        };
        if self.version < first {
            return &[];
        }
        match self.version {
            (4, 5) => &["high", "low", "medium"],
            (4, 6) => &["high", "low", "max", "medium"],
            _ => &["high", "low", "max", "medium", "xhigh"],
        }
    }

    /// JSON output formats.
    pub fn formats(&self) -> bool {
        self.at_least(4, 5)
    }

    fn at_least(&self, major: u32, minor: u32) -> bool {
        self.family == Family::Fable || self.version >= (major, minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let version = |name| Model::new(name).version;
        assert_eq!(version("claude-sonnet-4-5-20250929"), (4, 5));
        assert_eq!(version("claude-3-5-haiku-latest"), (3, 5));
        assert_eq!(version("claude-sonnet-4-20250514"), (4, 0));
        assert_eq!(version("claude-opus-5"), (5, 0));
        assert_eq!(version("claude-mock"), (5, 5));
        assert!(Model::new("claude-haiku-4-5").budgets() && Model::new("claude-haiku-4-5").prefills());
        assert!(!Model::new("claude-mythos-preview").samples());
    }
}
