//! "Did you mean": the known name that is closest to a wrong one.

/// Longer names are not compared: nobody mistypes them, and the work grows with the square.
const LONGEST: usize = 64;

/// How many names are compared.
const MOST: usize = 1000;

/// The known name closest to `wrong`, if one is close enough to be meant. Of several the first.
pub(super) fn closest<'k>(wrong: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let wrong = letters(wrong)?;
    let allowed = (wrong.len() / 3).min(3);
    let near = known.into_iter().take(MOST).filter_map(|name| {
        let letters = letters(name).filter(|l| l.len().abs_diff(wrong.len()) <= allowed)?;
        Some((distance(&wrong, &letters), name))
    });
    near.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// What is compared: a capital or an underscore for a hyphen is no mistake in meaning.
fn letters(name: &str) -> Option<Vec<char>> {
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    Some(name.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect())
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour to make `b` of `a`.
fn distance(a: &[char], b: &[char]) -> usize {
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX);
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut above = None;
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i.saturating_add(1)];
        let mut left = None;
        for (j, &y) in b.iter().enumerate() {
            let next = j.saturating_add(1);
            let replaced = at(&last, j).saturating_add(usize::from(x != y));
            let removed = at(&last, next).saturating_add(1);
            let added = at(&row, j).saturating_add(1);
            let swapped = match j.checked_sub(1) {
                Some(two) if above == Some(y) && left == Some(x) => at(&before, two).saturating_add(1),
                _ => usize::MAX,
            };
            row.push(replaced.min(removed).min(added).min(swapped));
            left = Some(y);
        }
        before = std::mem::replace(&mut last, row);
        above = Some(x);
    }
    at(&last, b.len())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn check(wrong: &str, known: &[&str], expected: Option<&str>) {
        assert_eq!(closest(wrong, known.iter().copied()), expected, "{wrong}");
    }

    #[test]
    fn counts_edits() {
        let count = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        for (a, b, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("same", "same", 0),
            ("kitten", "sitting", 3),
            ("form", "from", 1),
            ("ca", "abc", 3),
        ] {
            assert_eq!((count(a, b), count(b, a)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn suggests_what_is_close() {
        check("antropic", &["anthropic", "openai"], Some("anthropic"));
        check("OpenAI", &["anthropic", "openai"], Some("openai"));
        check("openai-compatible", &["openai", "openai_compatible"], Some("openai_compatible"));
        check("modles", &["models", "model"], Some("models"));
        check("evn", &["env", "value"], Some("env"));
        check("A", &["b", "a"], Some("a"));
        check("hsot", &["host", "client", "none"], Some("host"));
    }

    #[test]
    fn suggests_nothing_where_nothing_is_close() {
        check("", &["a"], None);
        check("c", &["a", "b"], None);
        check("id", &["on", "it's"], None);
        check("mistral", &["groq", "openai"], None);
        check(&"a".repeat(65), &[&"a".repeat(65)], None);
    }
}
