//! Names of tools and ids of their calls, in the letters that a provider takes.
//!
//! Clients of one format may use names that another format refuses. Such a name goes out in a readable form that ends in
//! a digest of the original, and comes back as the client wrote it; a name that may stand as it is, stays. The digest
//! depends on the name alone, so a conversation keeps its names, and its cached prompt, from turn to turn.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::json::Str;

/// The hexadecimal digits that end a changed name.
const NAME_DIGITS: usize = 8;

/// The hexadecimal digits that end a changed id: more than a name's, as nobody sees whether two ids became one.
const ID_DIGITS: usize = 16;

/// Tool names as a provider takes them: up to a number of ASCII letters, digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    limit: usize,
    /// Whether a name must be an identifier: no `-`, and no digit in front.
    identifiers: bool,
    /// What is sent for which name. Names that stay are here only if they look like changed ones.
    sent: BTreeMap<String, String>,
    /// Which name stands behind what is sent.
    originals: BTreeMap<String, String>,
}

impl Names {
    /// Names of at most `limit` letters.
    pub fn new(limit: usize) -> Self {
        Self { limit, identifiers: false, sent: BTreeMap::new(), originals: BTreeMap::new() }
    }

    /// Names of at most `limit` letters, digits and `_`, of which no digit stands in front.
    pub fn identifiers(limit: usize) -> Self {
        Self { identifiers: true, ..Self::new(limit) }
    }

    /// What is sent for `name`. The same name is always sent the same way, another in another way.
    pub fn encode<'n>(&mut self, name: &'n Str<'_>) -> Str<'n> {
        let text = name.to_text();
        let fits = fits(&text, self.limit) && (!self.identifiers || is_identifier(&text));
        if fits && !looks_changed(&text) {
            return name.reborrow();
        }
        if let Some(sent) = self.sent.get(&*text) {
            return Str::plain(sent.clone());
        }
        let mut sent = if fits { text.clone().into_owned() } else { self.change(&text, &text) };
        let mut salted = text.clone().into_owned();
        while self.originals.contains_key(&sent) {
            salted.push('+');
            sent = self.change(&text, &salted);
        }
        self.originals.insert(sent.clone(), text.clone().into_owned());
        self.sent.insert(text.into_owned(), sent.clone());
        Str::plain(sent)
    }

    fn change(&self, text: &str, digested: &str) -> String {
        let changed = change(text, digested, self.limit, NAME_DIGITS);
        if !self.identifiers || is_identifier(&changed) {
            return changed;
        }
        // The digit in front goes too: what is left of a name still ends in its digest.
        changed
            .char_indices()
            .map(|(at, c)| if c == '-' || (at == 0 && c.is_ascii_digit()) { '_' } else { c })
            .collect()
    }

    /// The client's name for what was `sent`, if it is another.
    pub fn decode(&self, sent: &Str<'_>) -> Option<Str<'_>> {
        if self.originals.is_empty() {
            return None;
        }
        let text = sent.to_text();
        let original = self.originals.get(&*text)?;
        (*original != text).then(|| Str::plain(original.as_str()))
    }
}

/// A call's id in at most `limit` ASCII letters, digits, `_` and `-`: the same for the call and its result.
pub fn tool_id<'i>(id: &'i Str<'_>, limit: usize) -> Str<'i> {
    let text = id.to_text();
    if fits(&text, limit) { id.reborrow() } else { Str::plain(change(&text, &text, limit, ID_DIGITS)) }
}

/// A call's id in exactly `length` ASCII letters and digits: the same for the call and its result.
pub fn exact_id<'i>(id: &'i Str<'_>, length: usize) -> Str<'i> {
    let text = id.to_text();
    let fits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { id.reborrow() } else { Str::plain(digest(&text, length)) }
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn fits(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.len() <= limit && text.chars().all(allowed)
}

fn is_identifier(text: &str) -> bool {
    !text.contains('-') && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a name that stays could be another one's changed form.
fn looks_changed(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(_, end)| end.len() == NAME_DIGITS && end.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// As much of `text` as may stand, and the digest of `digested`.
fn change(text: &str, digested: &str, limit: usize, digits: usize) -> String {
    let room = limit.saturating_sub(digits).saturating_sub(1);
    let mut changed: String = text.chars().take(room).map(|c| if allowed(c) { c } else { '_' }).collect();
    changed.push('_');
    changed.push_str(&digest(digested, digits));
    changed
}

/// So many hexadecimal digits, 64 at most, that depend on all of `text`.
pub fn digest(text: &str, digits: usize) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|n| char::from_digit(n.into(), 16));
    hex.take(digits).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn encode(names: &mut Names, name: &str) -> String {
        names.encode(&Str::plain(name.to_owned())).decode().into_owned()
    }

    #[test]
    fn a_name_that_fits_stays() {
        let mut names = Names::new(64);
        for name in ["get_weather", "mcp__files__read", "a", &"x".repeat(64), "commit_deadbeef"] {
            assert_eq!(encode(&mut names, name), name);
            assert_eq!(names.decode(&Str::plain(name)), None);
        }
    }

    #[test]
    fn a_name_that_does_not_fit_comes_back() {
        let mut names = Names::new(64);
        let long = "long".repeat(20);
        for name in ["files.read", "files/read", "wetter_für_köln", "", &long] {
            let sent = encode(&mut names, name);
            assert!(fits(&sent, 64), "{sent}");
            assert_eq!(encode(&mut names, name), sent);
            assert!(names.decode(&Str::plain(sent)).is_some_and(|back| back == name));
        }
        assert_eq!(encode(&mut names, "files.read"), "files_read_601e4eb6");
        assert_eq!(encode(&mut names, &long).len(), 64);
    }

    #[test]
    fn an_identifier_has_no_dash_and_no_digit_in_front() {
        let mut names = Names::identifiers(64);
        for (name, sent) in [("get_weather", "get_weather"), ("get-weather", "get_weather_"), ("2fa", "_fa_")] {
            let changed = encode(&mut names, name);
            assert!(changed.starts_with(sent) && is_identifier(&changed), "{changed}");
            let back = Str::plain(changed.clone());
            assert_eq!(names.decode(&back).map_or(changed, |name| name.decode().into_owned()), name);
        }
    }

    #[test]
    fn two_names_are_never_sent_as_one() {
        let (changed, real) = ("files.read", "files_read_601e4eb6");
        for order in [[changed, real], [real, changed]] {
            let mut names = Names::new(64);
            let sent = order.map(|name| encode(&mut names, name));
            assert_ne!(sent[0], sent[1]);
            for (sent, name) in sent.iter().zip(order) {
                let sent = Str::plain(sent.as_str());
                assert_eq!(names.decode(&sent).unwrap_or(sent.clone()), Str::plain(name));
            }
        }
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(Names::new(64).encode(&Str::escaped("re\\u0061d")), "read");
    }

    #[test]
    fn an_id_changes_only_where_it_must() {
        let id = |id: &str, limit| tool_id(&Str::plain(id.to_owned()), limit).decode().into_owned();
        assert_eq!(id("toolu_01A-b", 64), "toolu_01A-b");
        assert_eq!(id("functions.bash:0", 64), "functions_bash_0_8497fe9cce69aff0");
        assert_eq!(id("", 64).len(), 17);
        assert_eq!(id(&"a".repeat(65), 64).len(), 64);
        assert_ne!(id(&"a".repeat(65), 64), id(&"a".repeat(66), 64));
    }

    #[test]
    fn an_id_of_exactly_so_many_letters() {
        let id = |id: &str| exact_id(&Str::plain(id.to_owned()), 9).decode().into_owned();
        assert_eq!(id("D681PevKs"), "D681PevKs");
        for other in ["", "call_0fyp", "0fypS1hV", "toolu_01A09q90qw90lq917835lq9"] {
            assert!(id(other).len() == 9 && id(other).bytes().all(|byte| byte.is_ascii_alphanumeric()), "{other}");
            assert_eq!(id(&id(other)), id(other));
        }
    }
}
