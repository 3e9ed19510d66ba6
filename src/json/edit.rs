//! Changing a document in place: what is not named stays byte for byte.

use std::ops::Range;

use super::{Body, Doc, Kind, Node, Str};

/// What becomes of a member of an object.
#[derive(Clone, Debug)]
pub enum Change<'c> {
    /// It goes.
    Remove,
    /// Its name becomes another; its value stays.
    Rename(&'c str),
    /// Its value becomes this raw JSON; an absent member is added in front.
    Set(&'c str),
}

/// Changes to one document, in any order. A change inside of what another one takes away goes with it; otherwise they must
/// not overlap.
#[derive(Debug, Default)]
pub struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts raw JSON where `node` stands.
    pub fn replace(&mut self, node: Node<'_>, json: impl Into<String>) {
        self.0.push((node.span(), json.into()));
    }

    /// Changes members of `object`, all that are to change at once; of another value nothing.
    pub fn members(&mut self, object: Node<'_>, changes: &[(&str, Change<'_>)]) {
        if object.kind() != Kind::Object {
            return;
        }
        let inside = object.span().start.saturating_add(1);
        let mut added = String::new();
        for (name, change) in changes {
            if let Change::Set(json) = change
                && !object.members().any(|(n, _)| n == *name)
            {
                added.push_str(&format!("{}:{json},", Str::plain(*name).to_json()));
            }
        }
        // The end of the last member that stays, and whether members after it went.
        let mut kept = inside;
        let mut gone: Option<Range<usize>> = None;
        let mut any = false;
        for (name, value) in object.members().named() {
            let change = changes.iter().find(|(n, _)| name.str().is_some_and(|s| s == *n)).map(|(_, change)| change);
            if let Some(Change::Remove) = change {
                let from = gone.map_or(name.span().start, |g| g.start);
                gone = Some(from..value.span().end);
                continue;
            }
            if let Some(gone) = gone.take() {
                self.0.push((gone.start..name.span().start, String::new()));
            }
            match change {
                Some(Change::Rename(to)) => self.replace(name, Str::plain(*to).to_json()),
                Some(Change::Set(json)) => self.replace(value, *json),
                Some(Change::Remove) | None => {}
            }
            (kept, any) = (value.span().end, true);
        }
        if let Some(gone) = gone {
            self.0.push((kept..gone.end, String::new()));
        }
        if !any {
            added.pop();
        }
        if !added.is_empty() {
            self.0.push((inside..inside, added));
        }
    }

    /// Takes items out of `array`.
    pub fn remove_items(&mut self, array: Node<'_>, gone: impl Fn(Node<'_>) -> bool) {
        let mut kept = array.span().start.saturating_add(1);
        let mut removed: Option<Range<usize>> = None;
        for item in array.items() {
            let span = item.span();
            if gone(item) {
                removed = Some(removed.map_or(span.start, |range| range.start)..span.end);
                continue;
            }
            if let Some(range) = removed.take() {
                self.0.push((range.start..span.start, String::new()));
            }
            kept = span.end;
        }
        if let Some(range) = removed {
            self.0.push((kept..range.end, String::new()));
        }
    }

    /// The changed text; what stays is borrowed.
    pub fn apply<'a>(self, doc: &Doc<'a>) -> Body<'a> {
        let mut body = Body::default();
        let end = self.write(doc, &mut body);
        body.share(doc.bytes().get(end..).unwrap_or_default());
        body
    }

    /// The changed text up to the last change, and the length of what it replaces.
    pub fn prefix(self, doc: &Doc<'_>) -> (usize, Vec<u8>) {
        let mut body = Body::default();
        let end = self.write(doc, &mut body);
        (end, body.into_bytes())
    }

    fn write<'a>(mut self, doc: &Doc<'a>, body: &mut Body<'a>) -> usize {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut done = 0;
        for (range, json) in self.0 {
            if range.start < done {
                continue;
            }
            body.share(doc.bytes().get(done..range.start).unwrap_or_default());
            body.copy(json.as_bytes());
            done = range.end;
        }
        done
    }
}
