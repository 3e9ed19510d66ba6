//! Parts that stand in several places: written once and named by a YAML anchor, and referred to afterwards.

use std::collections::HashMap;

/// What has been written so far. A document is written twice, the first time to count which parts need a name.
#[derive(Default)]
pub struct Shared {
    counts: HashMap<(String, String), usize>,
    anchors: HashMap<(String, String), String>,
}

/// How a part is used.
pub enum Use {
    /// Here it is written, under this anchor if there is one.
    First(Option<String>),
    /// It is under this anchor.
    Again(String),
}

impl Shared {
    /// What the second writing needs to know of the first.
    pub fn counted(self) -> Self {
        Self { counts: self.counts, anchors: HashMap::new() }
    }

    /// Uses a part: what kind it is of, and its text.
    pub fn share(&mut self, kind: &str, text: &str) -> Use {
        let part = (kind.to_owned(), text.to_owned());
        if let Some(anchor) = self.anchors.get(&part) {
            let count = self.counts.entry(part).or_default();
            *count = count.saturating_add(1);
            return Use::Again(anchor.clone());
        }
        let again = |part| self.counts.get(part).is_some_and(|count| *count > 0);
        let others = self.anchors.keys().filter(|other| other.0 == kind && again(other)).count();
        let anchor = if others == 0 { kind.to_owned() } else { format!("{kind}-{}", others.saturating_add(1)) };
        let again = again(&part);
        self.counts.entry(part.clone()).or_default();
        self.anchors.insert(part, anchor.clone());
        Use::First(again.then_some(anchor))
    }

    /// A member of an object whose value takes lines of its own.
    pub fn member(&mut self, name: &str, kind: &str, text: &str) -> String {
        match self.share(kind, text) {
            Use::First(anchor) => {
                let anchor = anchor.map(|anchor| format!(" &{anchor}")).unwrap_or_default();
                super::yaml::fill("«name»:«anchor»\n  «text»\n", &[("name", name), ("anchor", &anchor), ("text", text)])
            }
            Use::Again(anchor) => format!("{name}: *{anchor}\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_used_again_has_an_anchor() {
        let write = |shared: &mut Shared| {
            ["x: 1", "y: 2", "x: 1", "z: 3", "z: 3"].map(|text| shared.member("a", "k", text)).concat()
        };
        let mut counting = Shared::default();
        write(&mut counting);
        let written = write(&mut counting.counted());
        assert_eq!(written, "a: &k\n  x: 1\na:\n  y: 2\na: *k\na: &k-2\n  z: 3\na: *k-2\n");
    }
}
