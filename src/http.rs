//! Headers as data.

use std::borrow::Cow;

/// Headers in order, names in lower case, pseudo headers (`:path`) among them. Values are bytes: not all are UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Name and value.
    pub list: Vec<(String, Vec<u8>)>,
}

impl Headers {
    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.list.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_slice())
    }

    /// The first value of `name`, with what is not UTF-8 replaced; empty if absent.
    pub fn text(&self, name: &str) -> Cow<'_, str> {
        String::from_utf8_lossy(self.get(name).unwrap_or_default())
    }

    /// Whether `name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Puts one value in the place of all others of `name`.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.remove(name);
        self.list.push((name.to_owned(), value.into()));
    }

    /// Takes all values of `name` out.
    pub fn remove(&mut self, name: &str) {
        self.list.retain(|(n, _)| n != name);
    }

    /// The media type of the body in lower case, without its parameters.
    pub fn media_type(&self) -> String {
        let value = self.text("content-type");
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

impl FromIterator<(String, Vec<u8>)> for Headers {
    fn from_iter<T: IntoIterator<Item = (String, Vec<u8>)>>(list: T) -> Self {
        Self { list: list.into_iter().collect() }
    }
}
