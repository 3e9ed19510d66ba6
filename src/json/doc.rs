//! An index over a JSON text: one scan, then every value is found without another.

use std::borrow::Cow;
use std::ops::Range;

use super::Str;
use super::text::{has_control, mark, special};

/// How deep values may nest: more than any real schema, and little enough for recursive readers on a small stack.
const MAX_DEPTH: usize = 128;

/// How many values and names one document may hold: bounds the memory of the index, 16 bytes each in wasm32.
const MAX_ITEMS: usize = 1 << 20;

/// What is wrong with a text that is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The byte at which it was noticed.
    pub offset: usize,
    /// What was noticed, for people.
    pub what: Cow<'static, str>,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.what, self.offset)
    }
}

/// What kind a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `[…]`
    Array,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
    /// Any number.
    Number,
    /// `{…}`
    Object,
    /// `"…"`
    String,
}

impl Kind {
    /// The kind with its article, for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Array => "an array",
            Self::Bool => "a boolean",
            Self::Null => "null",
            Self::Number => "a number",
            Self::Object => "an object",
            Self::String => "a string",
        }
    }
}

/// A value, or the name of a member, which is an item before the member's value.
#[derive(Clone, Copy, Debug)]
struct Item<'a> {
    /// As it stands in the text, quotes and brackets included; of a container that is not closed, the first byte alone.
    raw: &'a str,
    /// The index of the item after this one and all that it holds; of a container that is not closed, that of the
    /// container around it.
    next: u32,
    kind: Kind,
    /// Whether a string holds a backslash.
    escaped: bool,
}

impl<'a> Item<'a> {
    /// What stands between the quotes of a string.
    fn inner(&self) -> &'a str {
        self.raw.get(1..self.raw.len().wrapping_sub(1)).unwrap_or_default()
    }

    /// Whether a string is this text.
    fn is(&self, text: &str) -> bool {
        if self.escaped { Str::from_json(self.inner(), true) == *text } else { self.inner() == text }
    }
}

/// An indexed JSON text.
#[derive(Debug)]
pub struct Doc<'a> {
    text: &'a str,
    items: Vec<Item<'a>>,
}

impl<'a> Doc<'a> {
    /// Indexes what a client sent: a repeated member name is a fault, since two readers could see two values.
    pub fn strict(bytes: &'a [u8]) -> Result<Self, Fault> {
        Self::index(bytes, Vec::new(), true)
    }

    /// Indexes what a provider sent. Of a repeated name [`Node::get`] finds the first.
    pub fn lenient(bytes: &'a [u8]) -> Result<Self, Fault> {
        Self::index(bytes, Vec::new(), false)
    }

    /// As [`Self::lenient`], with the memory of another index.
    pub fn reuse(bytes: &'a [u8], memory: Memory) -> Result<Self, Fault> {
        Self::index(bytes, recycle(memory.0), false)
    }

    /// The memory, for the next text: of an ordinary size, as it may be kept for long.
    pub fn into_memory(self) -> Memory {
        const MOST: usize = 4096;
        if self.items.capacity() > MOST { Memory::default() } else { Memory(recycle(self.items)) }
    }

    fn index(bytes: &'a [u8], items: Vec<Item<'a>>, strict: bool) -> Result<Self, Fault> {
        let text = simdutf8::compat::from_utf8(bytes)
            .map_err(|e| Fault { offset: e.valid_up_to(), what: "invalid UTF-8".into() })?;
        if u32::try_from(text.len()).is_err() {
            return Err(Fault { offset: 0, what: "a text of more than 4 GiB".into() });
        }
        let mut items = items;
        // Most texts hold a value or name per 16 bytes or fewer; a long string more than makes up for it.
        items.reserve((text.len() / 16).clamp(16, 1024));
        let clean = !has_control(bytes);
        let mut scan =
            Scan { bytes: text.as_bytes(), at: 0, doc: Doc { text, items }, strict, clean, open: None, depth: 0 };
        scan.run()?;
        Ok(scan.doc)
    }

    /// The text.
    pub fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_> {
        Node { doc: self, index: 0 }
    }
}

/// The emptied memory of an index.
#[derive(Debug, Default)]
pub struct Memory(Vec<Item<'static>>);

/// The same allocation for items of another text: the library collects in place.
fn recycle<'b>(items: Vec<Item<'_>>) -> Vec<Item<'b>> {
    items.into_iter().map_while(|_| None).collect()
}

/// A value of a document.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    doc: &'d Doc<'d>,
    index: usize,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

impl<'d> Node<'d> {
    fn item(self) -> Item<'d> {
        const NOTHING: Item<'_> = Item { raw: "", next: 0, kind: Kind::Null, escaped: false };
        self.doc.items.get(self.index).copied().unwrap_or(NOTHING)
    }

    /// The kind of the value.
    pub fn kind(self) -> Kind {
        self.item().kind
    }

    /// Whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The bytes of the text that are the value.
    pub fn span(self) -> Range<usize> {
        let raw = self.raw();
        let start = raw.as_ptr().addr().wrapping_sub(self.doc.text.as_ptr().addr());
        start..start.saturating_add(raw.len())
    }

    /// The value as it stands in the text.
    pub fn raw(self) -> &'d str {
        self.item().raw
    }

    /// The string, in its escapes.
    pub fn str(self) -> Option<Str<'d>> {
        let item = self.item();
        if item.kind != Kind::String {
            return None;
        }
        Some(Str::from_json(item.inner(), item.escaped))
    }

    /// The string, decoded.
    pub fn text(self) -> Option<Cow<'d, str>> {
        self.str().map(Str::decode)
    }

    /// The boolean.
    pub fn bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// The number, if it is a whole one from 0 up.
    pub fn u64(self) -> Option<u64> {
        if self.kind() != Kind::Number {
            return None;
        }
        let raw = self.raw();
        raw.parse().ok().or_else(|| whole(raw.parse().ok()?))
    }

    /// The number, rounded to what 64 bits hold: for comparisons, never to be sent on.
    pub fn f64(self) -> Option<f64> {
        if self.kind() != Kind::Number {
            return None;
        }
        self.raw().parse().ok()
    }

    /// The members of an object, in order; nothing for other kinds.
    pub fn members(self) -> Members<'d> {
        Members(self.contents(Kind::Object))
    }

    /// The values of an array, in order; nothing for other kinds.
    pub fn items(self) -> Items<'d> {
        self.contents(Kind::Array)
    }

    /// The value of a member, unless it is `null` or absent.
    pub fn get(self, name: &str) -> Option<Node<'d>> {
        self.members().named().find(|(n, v)| n.item().is(name) && !v.is_null()).map(|(_, v)| v)
    }

    fn contents(self, kind: Kind) -> Items<'d> {
        let item = self.item();
        let first = self.index.saturating_add(1);
        let end = if item.kind == kind { item.next as usize } else { first };
        Items { doc: self.doc, next: first, end }
    }
}

/// A float that is a whole number a u64 holds exactly, such as `1e3` or `5.0`.
fn whole(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
}

/// The values of an array.
#[derive(Clone, Debug)]
pub struct Items<'d> {
    doc: &'d Doc<'d>,
    next: usize,
    end: usize,
}

impl<'d> Iterator for Items<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node { doc: self.doc, index: self.next };
        self.next = node.item().next as usize;
        Some(node)
    }
}

/// The members of an object: decoded name and value.
#[derive(Clone, Debug)]
pub struct Members<'d>(Items<'d>);

impl<'d> Iterator for Members<'d> {
    type Item = (Cow<'d, str>, Node<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.0.next()?.item();
        let text = if name.escaped { Str::from_json(name.inner(), true).decode() } else { name.inner().into() };
        Some((text, self.0.next()?))
    }
}

impl<'d> Members<'d> {
    /// With each member's name as a value, for its place in the text.
    pub fn named(mut self) -> impl Iterator<Item = (Node<'d>, Node<'d>)> {
        std::iter::from_fn(move || Some((self.0.next()?, self.0.next()?)))
    }
}

/// The scanner: no recursion, so depth costs no stack.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    doc: Doc<'a>,
    strict: bool,
    /// Whether no control character is in the text, so that none need be looked for in strings.
    clean: bool,
    /// The innermost container that is not closed: its index and kind.
    open: Option<(usize, Kind)>,
    /// How many containers are not closed.
    depth: usize,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        'value: loop {
            self.space();
            let start = self.at;
            let kind = match self.peek() {
                Some(b'{') => {
                    self.begin(Kind::Object)?;
                    if self.peek() != Some(b'}') {
                        self.name()?;
                        continue 'value;
                    }
                    Kind::Object
                }
                Some(b'[') => {
                    self.begin(Kind::Array)?;
                    if self.peek() != Some(b']') {
                        continue 'value;
                    }
                    Kind::Array
                }
                Some(b'"') => {
                    self.string()?;
                    Kind::String
                }
                Some(b'-' | b'0'..=b'9') => {
                    self.number()?;
                    self.leaf(start, Kind::Number)?
                }
                Some(b't') => self.literal(b"true", Kind::Bool)?,
                Some(b'f') => self.literal(b"false", Kind::Bool)?,
                Some(b'n') => self.literal(b"null", Kind::Null)?,
                Some(_) => return Err(self.fault("expected a value")),
                None => return Err(self.fault("the text ends where a value is expected")),
            };
            // An empty container is closed below, like one whose last value has just ended.
            let mut fresh = matches!(kind, Kind::Array | Kind::Object);
            loop {
                let Some((container, kind)) = self.open else {
                    self.space();
                    return if self.at == self.bytes.len() {
                        Ok(())
                    } else {
                        Err(self.fault("more text after the value"))
                    };
                };
                let object = kind == Kind::Object;
                self.space();
                match self.peek() {
                    Some(b',') if !fresh => {
                        self.bump();
                        if object {
                            self.space();
                            self.name()?;
                        }
                        continue 'value;
                    }
                    Some(b'}') if object => self.end(container)?,
                    Some(b']') if !object => self.end(container)?,
                    Some(_) if object => return Err(self.fault("expected `,` or `}`")),
                    Some(_) => return Err(self.fault("expected `,` or `]`")),
                    None => return Err(self.fault("the text ends inside a value")),
                }
                fresh = false;
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn bump(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn fault(&self, what: &'static str) -> Fault {
        Fault { offset: self.at, what: what.into() }
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.bump();
        }
    }

    /// Goes into a container, up to its first value.
    fn begin(&mut self, kind: Kind) -> Result<(), Fault> {
        let start = self.at;
        self.bump();
        let index = self.push(start, kind)?;
        if let Some(item) = self.doc.items.get_mut(index) {
            item.next = self.open.map_or(0, |(around, _)| around as u32);
        }
        self.open = Some((index, kind));
        self.depth = self.depth.saturating_add(1);
        self.space();
        if self.depth > MAX_DEPTH && !matches!(self.peek(), Some(b'}' | b']')) {
            return Err(self.fault("values nest too deep (at most 128 levels)"));
        }
        Ok(())
    }

    fn push(&mut self, start: usize, kind: Kind) -> Result<usize, Fault> {
        let index = self.doc.items.len();
        if index >= MAX_ITEMS {
            return Err(self.fault("too many values (at most 1048576)"));
        }
        let raw = self.doc.text.get(start..self.at).unwrap_or_default();
        // `Doc::index` has seen that offsets fit.
        let next = (index as u32).saturating_add(1);
        self.doc.items.push(Item { raw, next, kind, escaped: false });
        Ok(index)
    }

    fn leaf(&mut self, start: usize, kind: Kind) -> Result<Kind, Fault> {
        self.push(start, kind)?;
        Ok(kind)
    }

    /// Comes out of a container.
    fn end(&mut self, container: usize) -> Result<(), Fault> {
        self.bump();
        let next = self.doc.items.len() as u32;
        let around = self.doc.items.get(container).map_or(0, |item| item.next as usize);
        let start = Node { doc: &self.doc, index: container }.span().start;
        let raw = self.doc.text.get(start..self.at).unwrap_or_default();
        let Some(item) = self.doc.items.get_mut(container) else { return Ok(()) };
        (item.raw, item.next) = (raw, next);
        let kind = item.kind;
        self.depth = self.depth.saturating_sub(1);
        self.open = if self.depth == 0 { None } else { self.doc.items.get(around).map(|item| (around, item.kind)) };
        if self.strict && kind == Kind::Object { self.unique(container) } else { Ok(()) }
    }

    /// Refuses an object in which a name stands twice.
    fn unique(&self, object: usize) -> Result<(), Fault> {
        // Few names are compared where they stand.
        const FEW: usize = 8;
        let node = Node { doc: &self.doc, index: object };
        let names = || node.members().named().map(|(name, _)| name);
        if names().nth(FEW).is_none() && !names().any(|name| name.item().escaped) {
            for (name, next) in names().zip(1..) {
                if let Some(other) = names().skip(next).find(|other| other.raw() == name.raw()) {
                    return Err(second(&name.text().unwrap_or_default(), other.span().start));
                }
            }
            return Ok(());
        }
        let mut names: Vec<(Cow<'_, str>, usize)> =
            node.members().named().map(|(n, _)| (n.text().unwrap_or_default(), n.span().start)).collect();
        names.sort_unstable();
        for pair in names.windows(2) {
            if let [(a, _), (b, offset)] = pair
                && a == b
            {
                return Err(second(a, *offset));
            }
        }
        Ok(())
    }

    /// The name of a member and the colon after it.
    fn name(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a member name in quotes"));
        }
        self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.fault("expected `:`"));
        }
        self.bump();
        Ok(())
    }

    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.bump();
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(length) = (if self.clean { mark(rest) } else { special(rest) }) else {
                self.at = self.bytes.len();
                return Err(self.fault("the text ends inside a string"));
            };
            self.at = self.at.saturating_add(length);
            match rest.get(length) {
                Some(b'"') => break self.bump(),
                Some(b'\\') => {}
                _ => return Err(self.fault("a control character in a string")),
            }
            escaped = true;
            self.bump();
            match self.peek() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.bump(),
                Some(b'u') => {
                    self.bump();
                    for _ in 0..4 {
                        if !self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                            return Err(self.fault("expected four hexadecimal digits"));
                        }
                        self.bump();
                    }
                }
                _ => return Err(self.fault("an unknown escape in a string")),
            }
        }
        let index = self.push(start, Kind::String)?;
        if let Some(item) = self.doc.items.get_mut(index) {
            item.escaped = escaped;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.bump();
        }
        match self.peek() {
            Some(b'0') => self.bump(),
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.fault("expected a digit")),
        }
        if self.peek() == Some(b'.') {
            self.bump();
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.bump();
            if let Some(b'+' | b'-') = self.peek() {
                self.bump();
            }
            self.some_digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.bump();
        }
    }

    fn some_digits(&mut self) -> Result<(), Fault> {
        let before = self.at;
        self.digits();
        if self.at == before { Err(self.fault("expected a digit")) } else { Ok(()) }
    }

    fn literal(&mut self, word: &'static [u8], kind: Kind) -> Result<Kind, Fault> {
        let start = self.at;
        if !self.bytes.get(start..).unwrap_or_default().starts_with(word) {
            return Err(self.fault("expected a value"));
        }
        self.at = start.saturating_add(word.len());
        self.leaf(start, kind)
    }
}

fn second(name: &str, offset: usize) -> Fault {
    let shown: String = name.chars().take(64).collect();
    Fault { offset, what: format!("a second member `{shown}` in one object").into() }
}
