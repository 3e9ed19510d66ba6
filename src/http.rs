//! Headers as data.

use std::borrow::Cow;
use std::ops::Range;

/// Headers in order, names in lower case, pseudo headers (`:path`) among them. Values are bytes: not all are UTF-8.
///
/// All of them share two buffers: a map is read, copied and changed several times a call, and memory in small pieces
/// is what that would cost most.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    names: String,
    values: Vec<u8>,
    /// Where name and value of each stand.
    list: Vec<(Range<usize>, Range<usize>)>,
}

impl Headers {
    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.list.iter().map(|(name, value)| {
            (self.names.get(name.clone()).unwrap_or_default(), self.values.get(value.clone()).unwrap_or_default())
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// None yet, with memory for as many as most calls have.
    pub fn new() -> Self {
        Self { names: String::with_capacity(512), values: Vec::with_capacity(1024), list: Vec::with_capacity(32) }
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.list.iter().find(|(n, _)| self.is(n, name))?;
        self.values.get(value.clone())
    }

    fn is(&self, place: &Range<usize>, name: &str) -> bool {
        place.len() == name.len() && self.names.as_bytes().get(place.clone()) == Some(name.as_bytes())
    }

    /// The first value of `name`, with what is not UTF-8 replaced; empty if absent.
    pub fn text(&self, name: &str) -> Cow<'_, str> {
        String::from_utf8_lossy(self.get(name).unwrap_or_default())
    }

    /// Whether `name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds a value behind all others.
    pub fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let (name_start, value_start) = (self.names.len(), self.values.len());
        self.names.push_str(name);
        self.values.extend_from_slice(value.as_ref());
        self.list.push((name_start..self.names.len(), value_start..self.values.len()));
    }

    /// Puts one value in the place of all others of `name`.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.remove(name);
        self.add(name, value);
    }

    /// Takes all values of `name` out.
    pub fn remove(&mut self, name: &str) {
        if self.has(name) {
            self.retain(|n, _| n != name);
        }
    }

    /// Takes out what `keep` is false for.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        let (names, values) = (&self.names, &self.values);
        self.list.retain(|(name, value)| {
            keep(names.get(name.clone()).unwrap_or_default(), values.get(value.clone()).unwrap_or_default())
        });
    }

    /// The media type of the body in lower case, without its parameters.
    pub fn media_type(&self) -> String {
        let value = self.text("content-type");
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(list: T) -> Self {
        let mut headers = Self::new();
        list.into_iter().for_each(|(name, value)| headers.add(name.as_ref(), value));
        headers
    }
}
