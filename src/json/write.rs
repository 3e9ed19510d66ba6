//! Writing JSON, with large parts borrowed from what was read.

use super::Str;
use super::text::escape;

/// From this length on a part is borrowed: below it a copy is cheaper than one more host call.
const BORROW: usize = 16 * 1024;

/// Bytes to send: some of our own, and between them ranges of what was received, which are not copied.
#[derive(Clone, Debug, Default)]
pub struct Body<'a> {
    own: Vec<u8>,
    /// Where in `own` a borrowed part stands, in order.
    borrowed: Vec<(usize, &'a [u8])>,
}

impl From<Vec<u8>> for Body<'_> {
    /// Goes on after `own`.
    fn from(own: Vec<u8>) -> Self {
        Self { own, borrowed: Vec::new() }
    }
}

impl<'a> Body<'a> {
    /// With the memory of `own`, which is emptied.
    pub fn reuse(mut own: Vec<u8>) -> Self {
        own.clear();
        Self { own, borrowed: Vec::new() }
    }

    /// Appends a copy.
    #[inline(never)]
    pub fn copy(&mut self, bytes: &[u8]) {
        self.own.extend_from_slice(bytes);
    }

    /// Appends a part of what was received; a long one is not copied.
    #[inline(never)]
    pub fn share(&mut self, bytes: &'a [u8]) {
        if bytes.len() < BORROW { self.copy(bytes) } else { self.borrowed.push((self.own.len(), bytes)) }
    }

    /// The whole length.
    pub fn len(&self) -> usize {
        self.borrowed.iter().fold(self.own.len(), |sum, (_, part)| sum.saturating_add(part.len()))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parts, in order; none is empty.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let mut done = 0;
        let between = self.borrowed.iter().flat_map(move |&(at, part)| {
            let own = self.own.get(done..at).unwrap_or_default();
            done = at;
            [own, part]
        });
        let last = self.borrowed.last().map_or(0, |&(at, _)| at);
        between.chain([self.own.get(last..).unwrap_or_default()]).filter(|part| !part.is_empty())
    }

    /// All of it in one piece.
    pub fn into_bytes(self) -> Vec<u8> {
        if self.borrowed.is_empty() {
            return self.own;
        }
        let mut all = Vec::with_capacity(self.len());
        self.parts().for_each(|part| all.extend_from_slice(part));
        all
    }
}

/// Writes one JSON value after another into a [`Body`], with commas where they belong.
///
/// The caller balances the brackets and puts a [`key`](Writer::key) before each value in an object.
///
/// What every wire calls at hundreds of places is not inlined there: that would make the filter a twentieth larger, and
/// hardly faster.
#[derive(Debug)]
pub struct Writer<'w, 'a> {
    body: &'w mut Body<'a>,
    /// Whether a value stands before the next one in the same container.
    comma: bool,
}

impl<'w, 'a> Writer<'w, 'a> {
    /// Writes after what `body` holds.
    pub fn new(body: &'w mut Body<'a>) -> Self {
        Self { body, comma: false }
    }

    fn value(&mut self) {
        if self.comma {
            self.body.own.push(b',');
        }
        self.comma = true;
    }

    #[inline(never)]
    fn open(&mut self, bracket: u8) {
        self.value();
        self.body.own.push(bracket);
        self.comma = false;
    }

    #[inline(never)]
    fn close(&mut self, bracket: u8) {
        self.body.own.push(bracket);
        self.comma = true;
    }

    /// Opens an object.
    pub fn open_object(&mut self) {
        self.open(b'{');
    }

    /// Closes an object.
    pub fn close_object(&mut self) {
        self.close(b'}');
    }

    /// Opens an array.
    pub fn open_array(&mut self) {
        self.open(b'[');
    }

    /// Closes an array.
    pub fn close_array(&mut self) {
        self.close(b']');
    }

    /// An object with what `fill` writes.
    pub fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.open_object();
        fill(self);
        self.close_object();
    }

    /// An array with what `fill` writes.
    pub fn array(&mut self, fill: impl FnOnce(&mut Self)) {
        self.open_array();
        fill(self);
        self.close_array();
    }

    /// The name of the next value, which must need no escapes.
    #[inline(never)]
    pub fn key(&mut self, name: &'static str) -> &mut Self {
        self.value();
        self.body.own.push(b'"');
        self.body.copy(name.as_bytes());
        self.body.own.extend_from_slice(b"\":");
        self.comma = false;
        self
    }

    /// As [`Self::key`], for a name from outside.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.text(name);
        self.body.own.push(b':');
        self.comma = false;
        self
    }

    /// A string, copied.
    #[inline(never)]
    pub fn str(&mut self, string: &Str<'_>) {
        match string.verbatim() {
            Some(inner) => {
                self.value();
                self.body.own.push(b'"');
                self.body.copy(inner.as_bytes());
                self.body.own.push(b'"');
            }
            None => self.text(string.inner()),
        }
    }

    /// A string; a long one is not copied where it needs no escapes.
    #[inline(never)]
    pub fn share_str(&mut self, string: &'a Str<'_>) {
        match string.verbatim() {
            Some(inner) if inner.len() >= BORROW => {
                self.value();
                self.body.own.push(b'"');
                self.body.share(inner.as_bytes());
                self.body.own.push(b'"');
            }
            _ => self.str(string),
        }
    }

    /// Plain text as a string.
    #[inline(never)]
    pub fn text(&mut self, text: &str) {
        self.value();
        self.body.own.push(b'"');
        escape(text, &mut |piece| self.body.own.extend_from_slice(piece.as_bytes()));
        self.body.own.push(b'"');
    }

    /// A string put together from what `fill` gives.
    pub fn string(&mut self, fill: impl FnOnce(&mut Pieces<'_, 'a>)) {
        self.value();
        self.body.own.push(b'"');
        fill(&mut Pieces { body: self.body });
        self.body.own.push(b'"');
    }

    /// Plain text as a string, or `null`.
    pub fn text_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    /// Several strings as one.
    #[inline(never)]
    pub fn concat(&mut self, parts: &[Str<'_>]) {
        self.value();
        self.body.own.push(b'"');
        for part in parts {
            match part.verbatim() {
                Some(inner) => self.body.copy(inner.as_bytes()),
                None => escape(part.inner(), &mut |piece| self.body.own.extend_from_slice(piece.as_bytes())),
            }
        }
        self.body.own.push(b'"');
    }

    /// A value that is JSON already, copied.
    #[inline(never)]
    pub fn raw(&mut self, json: &str) {
        self.value();
        self.body.copy(json.as_bytes());
    }

    /// A value that is JSON already; a long one is not copied.
    #[inline(never)]
    pub fn share_raw(&mut self, json: &'a str) {
        self.value();
        self.body.share(json.as_bytes());
    }

    /// A value that is JSON already, on one line: in valid JSON a line break stands between tokens only.
    pub fn raw_line(&mut self, json: &str) {
        self.value();
        for line in json.split(['\n', '\r']) {
            self.body.copy(line.as_bytes());
        }
    }

    /// A whole number.
    pub fn u64(&mut self, number: u64) {
        self.value();
        // Digits from the last to the first; a u64 has at most 20.
        let mut digits = [0; 20];
        let mut rest = number;
        let mut used = 0_usize;
        for digit in digits.iter_mut().rev() {
            *digit = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
            used = used.saturating_add(1);
            if rest == 0 {
                break;
            }
        }
        self.body.copy(digits.get(digits.len().saturating_sub(used)..).unwrap_or_default());
    }

    /// A boolean.
    pub fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// `null`.
    pub fn null(&mut self) {
        self.raw("null");
    }
}

/// The pieces of one string.
#[derive(Debug)]
pub struct Pieces<'w, 'a> {
    body: &'w mut Body<'a>,
}

impl<'a> Pieces<'_, 'a> {
    /// A piece, copied.
    pub fn str(&mut self, piece: &Str<'_>) {
        match piece.verbatim() {
            Some(inner) => self.body.copy(inner.as_bytes()),
            None => self.text(piece.inner()),
        }
    }

    /// A piece; a long one is not copied where it needs no escapes.
    pub fn share(&mut self, piece: &'a Str<'_>) {
        match piece.verbatim() {
            Some(inner) => self.body.share(inner.as_bytes()),
            None => self.text(piece.inner()),
        }
    }

    /// A piece of plain text.
    pub fn text(&mut self, text: &str) {
        escape(text, &mut |piece| self.body.own.extend_from_slice(piece.as_bytes()));
    }
}
