//! What became of each setting.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Value, json};

/// How well a setting is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It means the same.
    Exact,
    /// It means nearly the same; the note says what differs.
    Approximate,
    /// It is not kept; the note says why and what there is instead.
    Unsupported,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What became of one setting.
#[derive(Clone, Debug)]
struct Entry {
    /// Its place, such as `model_list[0].litellm_params.rpm`; what stands inside is meant as well.
    from: String,
    level: Level,
    /// Where it went.
    to: Vec<String>,
    note: String,
}

/// What became of all settings, and what is left for people to do.
#[derive(Default)]
pub struct Report {
    entries: Vec<Entry>,
    /// The places in `entries` by setting.
    places: HashMap<String, usize>,
    steps: Vec<String>,
}

impl Report {
    /// It means the same at `to`.
    pub fn exact(&mut self, from: impl Into<String>, to: impl Into<String>) {
        self.add(from.into(), Level::Exact, vec![to.into()], String::new());
    }

    /// It is done without a setting, or needs none.
    pub fn needless(&mut self, from: impl Into<String>, note: impl Into<String>) {
        self.add(from.into(), Level::Exact, Vec::new(), note.into());
    }

    /// It means nearly the same at `to`.
    pub fn approximate(&mut self, from: impl Into<String>, to: impl Into<String>, note: impl Into<String>) {
        self.add(from.into(), Level::Approximate, vec![to.into()], note.into());
    }

    /// It is lost.
    pub fn unsupported(&mut self, from: impl Into<String>, note: impl Into<String>) {
        self.add(from.into(), Level::Unsupported, Vec::new(), note.into());
    }

    /// A setting with a level that is known by its name.
    pub fn known(&mut self, from: impl Into<String>, level: Level, note: impl Into<String>) {
        self.add(from.into(), level, Vec::new(), note.into());
    }

    /// What people have to do before the document serves. Once is enough.
    pub fn step(&mut self, step: impl Into<String>) {
        let step = line(&step.into());
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }

    /// What people have to do.
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    fn add(&mut self, from: String, level: Level, to: Vec<String>, note: String) {
        let place = *self.places.entry(from.clone()).or_insert(self.entries.len());
        match self.entries.get_mut(place) {
            Some(entry) => {
                entry.level = if entry.level == level { level } else { Level::Approximate };
                let new = to.into_iter().filter(|to| !entry.to.contains(to)).collect::<Vec<_>>();
                entry.to.extend(new);
                entry.remark(&note);
            }
            None => self.entries.push(Entry { from, level, to, note }),
        }
    }

    /// Whether something was said of this very place.
    pub fn says(&self, place: &str) -> bool {
        self.places.contains_key(place)
    }

    /// Whether something was said of a place, or of something around it.
    pub fn speaks_of(&self, place: &str) -> bool {
        self.entries.iter().any(|entry| holds(&entry.from, place))
    }

    /// What stood at these places is no more; each with the reason.
    pub fn withdraw(&mut self, gone: &HashMap<String, String>) {
        for entry in &mut self.entries {
            let (lost, kept) = std::mem::take(&mut entry.to).into_iter().partition(|to| reason(gone, to).is_some());
            entry.to = kept;
            let notes: Vec<&String> = Vec::from_iter(lost.iter().filter_map(|to: &String| reason(gone, to)));
            if !notes.is_empty() {
                entry.level = if entry.to.is_empty() { Level::Unsupported } else { Level::Approximate };
                notes.into_iter().for_each(|note| entry.remark(note));
            }
        }
    }

    /// Something else stands at `place` than what was said.
    pub fn replace(&mut self, place: &str, other: &str) {
        for entry in self.entries.iter_mut().filter(|entry| entry.to.iter().any(|to| holds(place, to))) {
            entry.level = Level::Approximate;
            entry.remark(other);
        }
    }

    /// What was to go to `place` went to `other`.
    pub fn redirect(&mut self, place: &str, other: &str, note: &str) {
        for entry in &mut self.entries {
            let mut moved = false;
            for to in entry.to.iter_mut().filter(|to| holds(place, to)) {
                *to = format!("{other}{}", to.get(place.len()..).unwrap_or_default());
                moved = true;
            }
            if moved && !note.is_empty() {
                entry.level = Level::Approximate;
                entry.remark(note);
            }
        }
    }

    /// Reports every value of which nothing was said, and puts all in the order of the document.
    pub fn complete(&mut self, document: &Value) {
        let mut places = Vec::new();
        leaves(document, String::new(), &mut places);
        for place in &places {
            if !self.speaks_of(place) {
                self.unsupported(place.clone(), "the importer does not know it");
            }
        }
        let order = |entry: &Entry| {
            let is_near = |place: &String| holds(&entry.from, place) || holds(place, &entry.from);
            places.iter().position(is_near).unwrap_or(usize::MAX)
        };
        self.entries.sort_by_cached_key(order);
    }

    /// For people.
    pub fn text(&self) -> String {
        let lines = self.entries.iter().map(|entry| format!("{}\n", line(&entry.to_string())));
        lines.chain(std::iter::once(self.summary())).collect()
    }

    /// How many of each, and what is to be done.
    pub fn summary(&self) -> String {
        let count = |level| self.entries.iter().filter(|entry| entry.level == level).count();
        let mut text = format!(
            "{} exact, {} approximate, {} unsupported\n",
            count(Level::Exact),
            count(Level::Approximate),
            count(Level::Unsupported)
        );
        if !self.steps.is_empty() {
            text.push_str("before it serves:\n");
            text.extend(self.steps.iter().map(|step| format!("- {step}\n")));
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Result<String, String> {
        let entry = |entry: &Entry| json!({"setting": entry.from, "result": entry.level.name(), "to": entry.to, "note": entry.note});
        let all = json!({"settings": self.entries.iter().map(entry).collect::<Vec<_>>(), "steps": self.steps});
        serde_json::to_string_pretty(&all).map(|text| text + "\n").map_err(|error| error.to_string())
    }
}

impl Entry {
    /// Adds to the note.
    fn remark(&mut self, text: &str) {
        if self.note.is_empty() {
            self.note = text.to_owned();
        } else if !self.note.contains(text) {
            self.note = format!("{}; {text}", self.note);
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.from, self.level.name())?;
        if !self.to.is_empty() {
            write!(f, " -> {}", self.to.join(", "))?;
        }
        if self.note.is_empty() { Ok(()) } else { write!(f, " ({})", self.note) }
    }
}

/// A text that stays on its line: names may hold line breaks, and what is to be done stands in a comment.
pub fn line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Why what stands at `place` is gone, with itself or with something around it.
fn reason<'g>(gone: &'g HashMap<String, String>, place: &str) -> Option<&'g String> {
    let ends = place.char_indices().filter(|(_, c)| matches!(c, '.' | '[')).map(|(at, _)| at).chain([place.len()]);
    ends.filter_map(|end| place.get(..end)).find_map(|outer| gone.get(outer))
}

/// Whether `place` is `outer` or stands in it.
fn holds(outer: &str, place: &str) -> bool {
    place.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The places of all values. A list of plain values is one.
fn leaves(value: &Value, place: String, out: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                let inside = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                leaves(value, inside, out);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, format!("{place}[{at}]"), out);
            }
        }
        _ => out.push(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_in_silence() {
        let mut report = Report::default();
        report.exact("a.b", "x");
        report.complete(&json!({"c": [{"d": 1}, [2]], "a": {"b": {"e": 3}, "bb": [4, 5]}, "f": {}}));
        let text = report.text();
        let expected = [
            "c[0].d: unsupported (the importer does not know it)",
            "c[1]: unsupported (the importer does not know it)",
            "a.b: exact -> x",
            "a.bb: unsupported (the importer does not know it)",
            "f: unsupported (the importer does not know it)",
            "1 exact, 0 approximate, 4 unsupported",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_refused_is_no_more() {
        let mut report = Report::default();
        report.exact("a", "models[m].limits.rpm");
        report.exact("b", "models[m].balance");
        report.exact("b", "models[n].balance");
        report.exact("c", "models[m].limitsx");
        let gone = [("models[m].limits", "not yet"), ("models[n]", "gone")];
        report.withdraw(&gone.map(|(place, reason)| (place.to_owned(), reason.to_owned())).into());
        report.replace("models[m].balance", "other");
        let expected = "a: unsupported (not yet)\n\
            b: approximate -> models[m].balance (gone; other)\n\
            c: exact -> models[m].limitsx\n\
            1 exact, 1 approximate, 1 unsupported\n";
        assert_eq!(report.text(), expected);
    }
}
