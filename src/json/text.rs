//! Strings on their way from one JSON document to another.

use std::borrow::Cow;

/// A string that stays in its JSON escapes until somebody must read it.
///
/// Text between two providers is only copied; decoding it and escaping it again would cost two passes and could change
/// it (`\/`, `\u00e9`, a lone surrogate).
#[derive(Clone)]
pub struct Str<'a> {
    text: Cow<'a, str>,
    form: Form,
}

/// What the text of a [`Str`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The text itself, and what stands between the quotes of its JSON as well: there is nothing to escape in it.
    Both,
    /// What stands between the quotes of a valid JSON string, perhaps with escapes.
    Json,
    /// The text itself, perhaps with characters that JSON must escape.
    Plain,
}

impl<'a> Str<'a> {
    /// What stood between the quotes of a valid JSON string; `escaped` if a backslash is in it.
    pub(super) fn from_json(inner: &'a str, escaped: bool) -> Self {
        Self { text: Cow::Borrowed(inner), form: if escaped { Form::Json } else { Form::Both } }
    }

    /// Plain text.
    pub fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), form: Form::Plain }
    }

    /// Its length in bytes, as it is held: with the escapes that it came with.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether nothing but white space is in it.
    pub fn is_blank(&self) -> bool {
        let mut rest = self.text.trim_start();
        while self.form == Form::Json
            && let Some(escape) = rest.strip_prefix('\\')
        {
            let (character, length) = match escape.bytes().next() {
                Some(b'f' | b'n' | b'r' | b't') => (' ', 1),
                Some(b'u') => unicode(escape),
                _ => return false,
            };
            if !character.is_whitespace() {
                return false;
            }
            rest = escape.get(length..).unwrap_or_default().trim_start();
        }
        rest.is_empty()
    }

    /// The text.
    pub fn decode(self) -> Cow<'a, str> {
        if self.is_text() { self.text } else { Cow::Owned(unescape(&self.text)) }
    }

    /// The text, borrowed from this value where no escape stands in it.
    pub fn to_text(&self) -> Cow<'_, str> {
        if self.is_text() { Cow::Borrowed(&self.text) } else { Cow::Owned(unescape(&self.text)) }
    }

    /// Whether what is held is the text itself.
    fn is_text(&self) -> bool {
        self.form != Form::Json || !self.text.contains('\\')
    }

    /// What follows `prefix`, if the string starts with it. `prefix` must need no escapes.
    pub fn strip_prefix(&self, prefix: &str) -> Option<Str<'_>> {
        self.text.strip_prefix(prefix).map(|rest| Str { text: Cow::Borrowed(rest), form: self.form })
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Str<'static> {
        Str { text: Cow::Owned(self.text.into_owned()), form: self.form }
    }

    /// The same string with this value as its owner.
    pub fn reborrow(&self) -> Str<'_> {
        Str { text: Cow::Borrowed(&self.text), form: self.form }
    }

    /// Appends the string, in escapes, to a string in escapes.
    pub fn escape_into(&self, out: &mut String) {
        match self.verbatim() {
            Some(text) => out.push_str(text),
            None => escape(&self.text, &mut |piece| out.push_str(piece)),
        }
    }

    /// The string as JSON, quotes included.
    pub fn to_json(&self) -> String {
        let mut json = String::from("\"");
        self.escape_into(&mut json);
        json.push('"');
        json
    }

    /// A string that was put together by [`Self::escape_into`].
    pub fn escaped(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), form: Form::Json }
    }

    /// The text if it can be written between quotes as it is.
    pub(super) fn verbatim(&self) -> Option<&str> {
        (self.form != Form::Plain).then_some(&*self.text)
    }

    /// The text, escaped or not.
    pub(super) fn inner(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for Str<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.to_text())
    }
}

impl Default for Str<'_> {
    fn default() -> Self {
        Self::plain("")
    }
}

impl PartialEq<str> for Str<'_> {
    fn eq(&self, other: &str) -> bool {
        self.to_text() == other
    }
}

impl PartialEq<&str> for Str<'_> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialEq for Str<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.to_text() == other.to_text()
    }
}

impl<'a> From<&'a str> for Str<'a> {
    fn from(text: &'a str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Str<'_> {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

/// Where the first quote, backslash or control character stands: what a JSON string cannot hold as it is.
pub(super) fn special(bytes: &[u8]) -> Option<usize> {
    // Not further than needed: a text may have many control characters and no quote.
    let mut size = 64_usize;
    let mut start = 0_usize;
    while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
        let window = rest.get(..size).unwrap_or(rest);
        let mark = mark(window);
        let before = window.get(..mark.unwrap_or(window.len())).unwrap_or_default();
        let found = if has_control(before) { before.iter().position(|&b| b < 0x20) } else { mark };
        if let Some(at) = found {
            return start.checked_add(at);
        }
        start = start.saturating_add(window.len());
        size = size.saturating_mul(2);
    }
    None
}

/// Where the first quote or backslash stands.
pub(super) fn mark(bytes: &[u8]) -> Option<usize> {
    memchr::memchr2(b'"', b'\\', bytes)
}

/// Whether a control character stands anywhere.
pub(super) fn has_control(bytes: &[u8]) -> bool {
    // No early exit, so that the loop becomes vector code.
    bytes.iter().fold(false, |found, &b| found | (b < 0x20))
}

/// Gives `piece` the parts of `text` as a JSON string holds them.
pub(super) fn escape(text: &str, piece: &mut dyn FnMut(&str)) {
    let mut rest = text;
    while let Some(at) = special(rest.as_bytes()) {
        let Some((plain, tail)) = rest.split_at_checked(at) else { break };
        piece(plain);
        // What was found is one byte of ASCII.
        let Some((special, tail)) = tail.split_at_checked(1) else { break };
        match special {
            "\"" => piece("\\\""),
            "\\" => piece("\\\\"),
            "\n" => piece("\\n"),
            "\r" => piece("\\r"),
            "\t" => piece("\\t"),
            other => {
                for byte in other.bytes() {
                    piece(&format!("\\u{byte:04x}"));
                }
            }
        }
        rest = tail;
    }
    piece(rest);
}

/// Decodes what stands between the quotes of a valid JSON string. A lone surrogate becomes U+FFFD.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, tail)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let (character, length) = unicode(tail);
                out.push(character);
                rest = tail.get(length..).unwrap_or_default();
                continue;
            }
            Some(other) => out.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// The character of `uXXXX` or of the pair `uXXXX\uXXXX`, and the length of what was read.
fn unicode(text: &str) -> (char, usize) {
    let unit = |from: usize, to: usize| text.get(from..to).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let first = unit(1, 5).unwrap_or(0xfffd);
    let second = text.get(5..7).filter(|mark| *mark == "\\u").and_then(|_| unit(7, 11));
    let mut decoded = char::decode_utf16([first].into_iter().chain(second));
    match decoded.next() {
        Some(Ok(character)) if character.len_utf16() == 2 => (character, 11),
        Some(Ok(character)) => (character, 5),
        _ => (char::REPLACEMENT_CHARACTER, 5),
    }
}
