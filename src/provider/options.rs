//! Options: what an upstream says of itself beside its address and key, such as a region, and the texts that hold them.

use std::fmt::Write;

/// An option of a provider.
#[derive(Debug)]
pub struct Setting {
    /// Its name under `options`.
    pub name: &'static str,
    /// Its value where none is configured; without one it must be.
    pub default: Option<&'static str>,
}

/// A text that holds options in braces: `/v1/projects/{project}`. In `{+name}` the slashes of a value stay what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template(pub &'static str);

impl Template {
    /// The text with the value of each option in its place, as `write` writes it.
    pub fn fill<'v>(self, value: impl Fn(&str) -> Option<&'v str>, write: impl Fn(&str, &mut String)) -> String {
        let mut out = String::with_capacity(self.0.len().saturating_add(64));
        let mut rest = self.0;
        while let Some((before, name, after)) = next(rest) {
            out.push_str(before);
            let text = value(name).unwrap_or_default();
            if name.starts_with('+') {
                for (at, part) in text.split('/').enumerate() {
                    out.push_str(if at > 0 { "/" } else { "" });
                    write(part, &mut out);
                }
            } else {
                write(text, &mut out);
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// The names of the options in it.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (_, name, after) = next(rest)?;
            rest = after;
            Some(name)
        })
    }
}

fn next(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    // A brace of JSON is no option's.
    name.bytes().all(|b| b.is_ascii_lowercase() || b"_+".contains(&b)).then_some((before, name, after))
}

/// Writes a value as one segment of a path: percent-encoded but for letters, digits and `-` `.` `_` `~`.
pub fn segment(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
