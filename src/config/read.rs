//! Reading values of the document. A value knows its place; what is wrong with it is noted and reading goes on, so that
//! people see every fault at once.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;

use super::{Fault, suggest};
use crate::error::shorten;
use crate::json::{Kind, Node};

/// How many faults and how many warnings are kept; more help nobody.
const MOST: usize = 100;

/// What was noticed in a document.
#[derive(Default)]
pub(super) struct Report {
    faults: Notes,
    warnings: Notes,
}

impl Report {
    /// Warnings, or all faults if there is one, in the order of the document.
    pub(super) fn finish(self) -> Result<Vec<String>, Vec<Fault>> {
        let faults = self.faults.finish();
        if faults.is_empty() { Ok(self.warnings.finish().iter().map(Fault::to_string).collect()) } else { Err(faults) }
    }
}

/// Faults or warnings, each with the byte at which its value starts.
#[derive(Default)]
struct Notes {
    kept: RefCell<Vec<(usize, Fault)>>,
    more: Cell<usize>,
}

impl Notes {
    fn full(&self) -> bool {
        self.kept.borrow().len() >= MOST
    }

    fn push(&self, offset: usize, fault: Fault) {
        if self.full() {
            self.more.set(self.more.get().saturating_add(1));
        } else {
            self.kept.borrow_mut().push((offset, fault));
        }
    }

    fn finish(self) -> Vec<Fault> {
        let mut notes = self.kept.into_inner();
        notes.sort_by_key(|(offset, _)| *offset);
        let more = self.more.get();
        let rest = (more > 0).then(|| Fault { place: String::new(), message: format!("and {more} more") });
        notes.into_iter().map(|(_, fault)| fault).chain(rest).collect()
    }
}

/// A value of the document.
#[derive(Clone)]
pub(super) struct Value<'d> {
    node: Node<'d>,
    place: String,
    report: &'d Report,
}

impl<'d> Value<'d> {
    /// The document itself.
    pub(super) fn root(node: Node<'d>, report: &'d Report) -> Self {
        Self { node, place: String::new(), report }
    }

    /// Its place, such as `models[1].upstreams[0]`.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Its kind.
    pub(super) fn kind(&self) -> Kind {
        self.node.kind()
    }

    /// The value as it stands in the document.
    pub(super) fn raw(&self) -> &'d str {
        self.node.raw()
    }

    /// Notes that the value is wrong.
    pub(super) fn fault(&self, message: impl Into<String>) {
        self.fault_at(self.place.clone(), message);
    }

    /// Notes that a member of the object is wrong or not there.
    pub(super) fn fault_in(&self, member: &str, message: impl Into<String>) {
        self.fault_at(self.inside(member), message);
    }

    fn fault_at(&self, place: String, message: impl Into<String>) {
        self.report.faults.push(self.node.span().start, Fault { place, message: message.into() });
    }

    /// Notes that the value is allowed and probably not meant.
    pub(super) fn warn(&self, message: impl Into<String>) {
        let fault = Fault { place: self.place.clone(), message: message.into() };
        self.report.warnings.push(self.node.span().start, fault);
    }

    /// Notes that a member of the object is allowed and probably not meant.
    pub(super) fn warn_in(&self, member: &str, message: impl Into<String>) {
        Self { place: self.inside(member), ..self.clone() }.warn(message);
    }

    /// Whether more warnings would be seen by anybody.
    pub(super) fn may_warn(&self) -> bool {
        !self.report.warnings.full()
    }

    /// Notes that nothing is called `name`, with the known name that is probably meant, or else with what `allowed` says.
    pub(super) fn unknown<'k>(&self, what: &str, name: &str, known: impl IntoIterator<Item = &'k str>, allowed: &str) {
        let close = self.closest(name, known).map(shorten);
        let name = shorten(name);
        match close {
            Some(close) => self.fault(format!("unknown {what} `{name}`; did you mean `{close}`?")),
            None => self.fault(format!("unknown {what} `{name}`; {allowed}")),
        }
    }

    /// The known name that is probably meant; none where no more faults are kept, since looking for it takes time.
    fn closest<'k>(&self, name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
        if self.report.faults.full() { None } else { suggest::closest(name, known) }
    }

    /// Notes that the value is of a wrong kind. Never shows the value.
    pub(super) fn expected(&self, what: &str) {
        self.fault(format!("expected {what}, got {}", self.kind().describe()));
    }

    /// A string.
    pub(super) fn text(&self) -> Option<Cow<'d, str>> {
        self.text_or("a string")
    }

    /// A string; what else stands there is answered with what is expected.
    pub(super) fn text_or(&self, expected: &str) -> Option<Cow<'d, str>> {
        self.node.text().or_else(|| {
            self.expected(expected);
            None
        })
    }

    /// A string of 1 to `longest` characters, all of them ASCII letters, digits or in `others`.
    pub(super) fn word(&self, longest: usize, others: &str) -> Option<String> {
        let text = self.text()?;
        let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c));
        if fits && (1..=longest).contains(&text.len()) {
            return Some(text.into_owned());
        }
        let others = others.chars().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(" ");
        self.fault(format!("`{}` must be 1 to {longest} letters, digits and {others}", shorten(&text)));
        None
    }

    /// A boolean.
    pub(super) fn bool(&self) -> Option<bool> {
        self.node.bool().or_else(|| {
            self.expected("`true` or `false`");
            None
        })
    }

    /// A whole number.
    pub(super) fn whole(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let (low, high) = (range.start(), range.end());
        if self.kind() != Kind::Number {
            self.expected(&format!("a whole number from {low} to {high}"));
            return None;
        }
        let number = self.node.u64().filter(|number| range.contains(number));
        if number.is_none() {
            self.fault(format!("expected a whole number from {low} to {high}, got `{}`", shorten(self.raw())));
        }
        number
    }

    /// One of several words.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words = words.iter().map(|(word, _)| *word);
            self.unknown("value", &text, words.clone(), &format!("expected {}", either(words)));
        }
        found
    }

    /// The values of an array.
    pub(super) fn list(&self, most: usize) -> Option<Vec<Value<'d>>> {
        if self.kind() != Kind::Array {
            self.expected("a list");
            return None;
        }
        let value = |(i, node)| Value { node, place: format!("{}[{i}]", self.place), report: self.report };
        let values: Vec<_> = self.node.items().enumerate().map(value).collect();
        self.limited(values, most)
    }

    /// The values of an array, each read by `read`; all of them are, so that all faults are noted.
    pub(super) fn each<T>(&self, most: usize, read: impl FnMut(&Value<'d>) -> Option<T>) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = self.list(most)?.iter().map(read).collect();
        read.into_iter().collect()
    }

    /// The members of an object whose names are people's own.
    pub(super) fn map(&self, most: usize) -> Option<Vec<(Cow<'d, str>, Value<'d>)>> {
        if self.kind() != Kind::Object {
            self.expected("an object");
            return None;
        }
        let value = |(name, node): (Cow<'d, str>, Node<'d>)| {
            let place = self.inside(&name);
            (name, Value { node, place, report: self.report })
        };
        self.limited(self.node.members().map(value).collect(), most)
    }

    /// The members of an object whose names are fixed.
    pub(super) fn fields(&self) -> Option<Fields<'d>> {
        let rest = self.map(usize::MAX)?;
        Some(Fields { object: self.clone(), rest, known: Vec::new() })
    }

    fn limited<T>(&self, values: Vec<T>, most: usize) -> Option<Vec<T>> {
        if values.len() > most {
            self.fault(format!("has {} entries; at most {most} are allowed", values.len()));
            return None;
        }
        Some(values)
    }

    fn inside(&self, member: &str) -> String {
        let member = shorten(member);
        if self.place.is_empty() { member } else { format!("{}.{member}", self.place) }
    }
}

/// The members of an object whose names are fixed. What is never asked for is unknown.
pub(super) struct Fields<'d> {
    /// The object.
    pub(super) object: Value<'d>,
    rest: Vec<(Cow<'d, str>, Value<'d>)>,
    known: Vec<&'static str>,
}

impl<'d> Fields<'d> {
    /// A member that may be absent.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value<'d>> {
        self.known.push(name);
        let at = self.rest.iter().position(|(n, _)| n == name)?;
        Some(self.rest.swap_remove(at).1)
    }

    /// A member that may be absent, read by `read`.
    pub(super) fn maybe<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value<'d>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.take(name).map_or(Some(None), |value| read(&value).map(Some))
    }

    /// A member that may be absent and has a default, read by `read`.
    pub(super) fn or_default<T: Default>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value<'d>) -> Option<T>,
    ) -> Option<T> {
        self.take(name).map_or_else(|| Some(T::default()), |value| read(&value))
    }

    /// A member that must be there; `hint` says what to write.
    pub(super) fn need(&mut self, name: &'static str, hint: &str) -> Option<Value<'d>> {
        let value = self.take(name);
        if value.is_none() {
            self.object.fault_in(name, format!("missing; {hint}"));
        }
        value
    }

    /// Notes what nobody asked for.
    pub(super) fn finish(self) {
        for (name, value) in &self.rest {
            match value.closest(name, self.known.iter().copied()) {
                Some(close) => value.fault(format!("unknown key; did you mean `{close}`?")),
                None => value.fault(format!("unknown key; known here: {}", all(self.known.iter().copied()))),
            }
        }
    }

    /// As [`Self::finish`], for objects in which a secret may stand by mistake: a name is shown only where it is close
    /// to a known one. Whether nothing was unknown.
    pub(super) fn finish_secret(self, expected: &str) -> bool {
        for (name, value) in &self.rest {
            match value.closest(name, self.known.iter().copied()) {
                Some(close) => value.fault(format!("unknown key; did you mean `{close}`?")),
                None => self.object.fault(format!("unknown key; expected {expected}")),
            }
        }
        self.rest.is_empty()
    }
}

/// `` `a`, `b` ``
fn all<'w>(words: impl Iterator<Item = &'w str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// `` `a`, `b` or `c` ``
fn either<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut words: Vec<_> = words.map(|word| format!("`{word}`")).collect();
    match (words.pop(), words.is_empty()) {
        (Some(last), false) => format!("{} or {last}", words.join(", ")),
        (last, _) => last.unwrap_or_default(),
    }
}
