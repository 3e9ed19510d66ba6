//! `upstreams.NAME.pass`: what callers may ask of a provider in its own words.

use super::read::Value;
use crate::error::shorten;

/// A method and a path that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// `GET`, `POST`, …; nothing is any.
    method: Option<String>,
    /// The segments of the path: `*` is any one, and `**`, at the end, is one or more.
    segments: Vec<String>,
}

impl Pass {
    /// Whether it allows this. The path starts with a slash and has no query.
    pub fn allows(&self, method: &str, path: &str) -> bool {
        if self.method.as_deref().is_some_and(|own| own != method) {
            return false;
        }
        let mut asked = path.split('/').skip(1);
        for segment in &self.segments {
            match (segment.as_str(), asked.next()) {
                ("**", Some(_)) => return true,
                ("*", Some(part)) if !part.is_empty() => {}
                (own, Some(part)) if own == part => {}
                _ => return false,
            }
        }
        asked.next().is_none()
    }
}

/// Reads the list.
pub(super) fn read(value: &Value<'_>) -> Option<Vec<Pass>> {
    value.each(1000, |value| {
        let text = value.text()?;
        let read = text.split_once(' ').and_then(|(method, path)| {
            let method = match method {
                "*" => None,
                word if !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase()) => Some(word.to_owned()),
                _ => return None,
            };
            let segments: Vec<String> = path.strip_prefix('/')?.split('/').map(str::to_owned).collect();
            let (last, before) = segments.split_last()?;
            let plain = |segment: &String| !segment.contains('*') && is_segment(segment);
            let good = before.iter().all(|segment| segment == "*" || plain(segment))
                && (last == "*" || last == "**" || plain(last));
            good.then_some(Pass { method, segments })
        });
        if read.is_none() {
            let message = "expected a method, or `*`, and a path, such as `GET /files/*` or `* /batches/**`";
            value.fault(format!("{message}; got `{}`", shorten(&text)));
        }
        read
    })
}

/// Whether a segment of a path says what it is: no way up, nothing encoded that could be read in two ways.
pub fn is_segment(segment: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:@!$&'()+,;=*".contains(&b);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn pass(method: Option<&str>, path: &str) -> Pass {
        Pass { method: method.map(str::to_owned), segments: path.split('/').skip(1).map(str::to_owned).collect() }
    }

    #[test]
    fn a_rule_is_for_a_method_and_paths() {
        let files = pass(Some("GET"), "/files/*");
        let batches = pass(None, "/batches/**");
        for (rule, method, path, allowed) in [
            (&files, "GET", "/files/file-1", true),
            (&files, "POST", "/files/file-1", false),
            (&files, "GET", "/files", false),
            (&files, "GET", "/files/", false),
            (&files, "GET", "/files/a/content", false),
            (&files, "GET", "/filesx/a", false),
            (&batches, "DELETE", "/batches/a/b", true),
            (&batches, "GET", "/batches", false),
        ] {
            assert_eq!(rule.allows(method, path), allowed, "{method} {path}");
        }
    }

    #[test]
    fn segments_are_plain() {
        for good in ["files", "file-1_2", "a.b", "models:generate", "~"] {
            assert!(is_segment(good), "{good}");
        }
        for bad in ["", ".", "..", "a%2fb", "%2e%2e", "a\\b", "a b", "é", "a?b", "a#b"] {
            assert!(!is_segment(bad), "{bad}");
        }
    }
}
