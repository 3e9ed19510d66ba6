//! Names of models, and patterns: names with one `*`, which stands for one character or more.

use super::ModelMap;
use super::read::Value;

/// The longest name, in bytes.
const LONGEST: usize = 256;

impl ModelMap {
    /// What `name` becomes; `None` if nothing is said about it.
    pub fn get(&self, name: &str) -> Option<String> {
        if let Some(value) = self.exact.get(name) {
            return Some(value.clone());
        }
        let mut matches =
            self.patterns.iter().filter_map(|(before, after, value)| Some((star(before, after, name)?, value)));
        matches.next().map(|(star, value)| value.replacen('*', star, 1))
    }

    /// Puts the longest pattern first.
    pub(super) fn sort(&mut self) {
        self.patterns.sort_by_key(|(before, after, _)| rank(before, after));
    }
}

/// Whether `name` can be the name of a model.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && !name.chars().any(char::is_control)
}

/// The sides of the `*`; `None` for a plain name.
pub(super) fn sides(pattern: &str) -> Option<(&str, &str)> {
    pattern.split_once('*')
}

/// What the `*` between `before` and `after` stands for in `name`; `None` if the pattern does not match.
pub(super) fn star<'n>(before: &str, after: &str, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(before)?.strip_suffix(after).filter(|star| !star.is_empty())
}

/// Whether a name or pattern matches `name`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    match sides(pattern) {
        Some((before, after)) => star(before, after, name).is_some(),
        None => pattern == name,
    }
}

/// Whether some name matches both patterns.
pub(super) fn overlap((before, after): (&str, &str), (other_before, other_after): (&str, &str)) -> bool {
    (before.starts_with(other_before) || other_before.starts_with(before))
        && (after.ends_with(other_after) || other_after.ends_with(after))
}

/// Sorts the longest pattern first; of two as long, the one with more before its `*`.
pub(super) fn rank(before: &str, after: &str) -> impl Ord + use<> {
    std::cmp::Reverse((before.len().saturating_add(after.len()), before.len()))
}

/// A name or a pattern.
pub(super) fn read(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    check(value, &text).then(|| text.into_owned())
}

/// A name, not a pattern.
pub(super) fn read_plain(value: &Value<'_>, reason: &str) -> Option<String> {
    let name = read(value)?;
    if sides(&name).is_some() {
        value.fault(reason);
        return None;
    }
    Some(name)
}

/// Notes what is wrong with `text` as a name or pattern, which stands at `value` as itself or as the name of a member.
pub(super) fn check(value: &Value<'_>, text: &str) -> bool {
    if !is_name(text) {
        value.fault(format!("the name of a model has 1 to {LONGEST} bytes and no control characters"));
        return false;
    }
    if text.matches('*').nth(1).is_some() {
        value.fault("a pattern has one `*`, not more");
        return false;
    }
    true
}

/// A map of names and patterns to names.
pub(super) fn read_map(value: &Value<'_>) -> Option<ModelMap> {
    let mut map = ModelMap::default();
    for (name, value) in value.map(10_000)? {
        if !check(&value, &name) {
            continue;
        }
        match (sides(&name), read(&value)) {
            (_, None) => {}
            (Some((before, after)), Some(to)) => map.patterns.push((before.into(), after.into(), to)),
            (None, Some(to)) if sides(&to).is_some() => {
                value.fault("a `*` stands for what the `*` of the name matched; this name has none");
            }
            (None, Some(to)) => {
                map.exact.insert(name.into_owned(), to);
            }
        }
    }
    map.sort();
    Some(map)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_star_stands_for_at_least_one_character() {
        assert_eq!(star("a/", "", "a/b/c"), Some("b/c"));
        assert_eq!(star("a/", "-x", "a/b-x"), Some("b"));
        assert_eq!(star("a/", "", "a/"), None);
        assert_eq!(star("aba", "aba", "aba"), None);
        assert_eq!(star("ab", "ba", "aba"), None);
        assert_eq!(star("", "", "*"), Some("*"));
    }

    #[test]
    fn matches_names_and_patterns() {
        assert!(matches("smart", "smart"));
        assert!(!matches("smart", "smarter"));
        assert!(matches("smart*", "smarter"));
        assert!(!matches("smart*", "smart"));
        assert!(matches("*", "anything"));
    }

    #[test]
    fn overlaps() {
        assert!(overlap(("a/", ""), ("", "")));
        assert!(overlap(("a/", "-x"), ("a/b", "x")));
        assert!(!overlap(("a/", ""), ("b/", "")));
        assert!(!overlap(("a/", "-x"), ("a/", "-y")));
    }

    #[test]
    fn maps_exact_names_first_then_the_longest_pattern() {
        let pattern = |before: &str, after: &str, to: &str| (before.to_owned(), after.to_owned(), to.to_owned());
        let mut map = ModelMap {
            exact: [("gpt-4o".to_owned(), "mine".to_owned())].into(),
            patterns: vec![
                pattern("", "", "any/*"),
                pattern("gpt-", "", "gpt/*/v1"),
                pattern("", "mini", "small"),
                pattern("gpt-4", "", "four*"),
            ],
        };
        map.sort();
        for (name, expected) in [
            ("gpt-4o", "mine"),
            ("gpt-4.1", "four.1"),
            ("gpt-3", "gpt/3/v1"),
            ("gpt-mini", "gpt/mini/v1"),
            ("o3-mini", "small"),
            ("o3", "any/o3"),
            ("a*b", "any/a*b"),
        ] {
            assert_eq!(map.get(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(ModelMap::default().get("gpt-4o"), None);
    }
}
