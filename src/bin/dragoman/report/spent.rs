//! What keys and teams have spent in the current windows of their budgets, written into their configuration.
//!
//! The text is edited where it stands, so that comments stay. An edited text is only printed if it reads as exactly the
//! document that it should be; else that document is written anew, without comments, and a message says so.

use dragoman::cost::dollars;
use serde_yaml_ng::Value;

use super::Line;
use super::window::{self, Moment};
use crate::document;

/// The budgets of a configuration.
pub struct Budgets {
    text: String,
    list: Vec<Budget>,
}

/// The budget of a key or of a team.
struct Budget {
    /// `keys` or `teams`.
    group: &'static str,
    /// Its place there.
    place: usize,
    id: String,
    start: Moment,
    nanodollars: u64,
}

impl Budgets {
    /// Reads them from a file.
    pub fn load(path: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Self::read(text, document::now()).map_err(|fault| format!("{path}: {fault}"))
    }

    fn read(text: String, now: u64) -> Result<Self, String> {
        let document: Value = serde_yaml_ng::from_str(&text).map_err(|error| error.to_string())?;
        let mut list = Vec::new();
        for group in ["keys", "teams"] {
            let entries = document.get(group).and_then(Value::as_sequence).into_iter().flatten();
            for (place, entry) in entries.enumerate() {
                let Some(budget) = entry.get("budget") else { continue };
                let word = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
                let per = word(budget.get("per"));
                let start = window::start(&per, now).ok_or_else(|| {
                    format!(
                        "{group}[{place}].budget.per: `{per}` is none of `hour`, `day`, `week`, `month` and `total`"
                    )
                })?;
                list.push(Budget { group, place, id: word(entry.get("id")), start, nanodollars: 0 });
            }
        }
        Ok(Self { text, list })
    }

    /// Adds a call to those that it belongs to.
    pub fn add(&mut self, line: &Line) {
        for budget in &mut self.list {
            let id = if budget.group == "keys" { &line.key } else { &line.team };
            if id.as_ref() == Some(&budget.id) && line.time >= budget.start {
                budget.nanodollars = budget.nanodollars.saturating_add(line.sum.nanodollars);
            }
        }
    }

    /// The configuration with what is spent.
    pub fn document(&self) -> Result<String, String> {
        let fault = |error: serde_yaml_ng::Error| error.to_string();
        let mut wanted: Value = serde_yaml_ng::from_str(&self.text).map_err(fault)?;
        for budget in &self.list {
            let entry = wanted.get_mut(budget.group).and_then(|group| group.get_mut(budget.place));
            if let Some(Value::Mapping(budget_of)) = entry.and_then(|entry| entry.get_mut("budget")) {
                let spent = serde_yaml_ng::from_str(&dollars(budget.nanodollars)).map_err(fault)?;
                budget_of.insert("spent".into(), spent);
            }
        }
        let edited = self.edited();
        if serde_yaml_ng::from_str::<Value>(&edited).is_ok_and(|document| document == wanted) {
            return Ok(edited);
        }
        eprintln!("dragoman: the configuration is written anew, and its comments are lost");
        serde_yaml_ng::to_string(&wanted).map_err(fault)
    }

    /// The text with each budget edited, supposing that each stands on lines of its own.
    fn edited(&self) -> String {
        // In the order of the text.
        let first = |group: &str| self.text.lines().position(|line| line.starts_with(&format!("{group}:")));
        let mut budgets: Vec<&Budget> = self.list.iter().collect();
        budgets.sort_by_key(|budget| (first(budget.group), budget.place));
        let mut budgets = budgets.into_iter();
        let mut out = String::with_capacity(self.text.len());
        // The indentation of a budget whose members stand below it, and whether they may still hold what was spent.
        let mut block: Option<usize> = None;
        for line in self.text.split_inclusive('\n') {
            let indent = line.len().saturating_sub(line.trim_start_matches([' ', '-']).len());
            let content = line.trim();
            if block.is_some_and(|budget| indent <= budget) && !content.is_empty() && !content.starts_with('#') {
                block = None;
            }
            if block.is_some() && content.starts_with("spent:") {
                continue;
            }
            match key_at(line, "budget").filter(|_| !content.starts_with('#')) {
                None => out.push_str(line),
                Some(end) => {
                    let spent = budgets.next().map(|budget| dollars(budget.nanodollars)).unwrap_or_default();
                    let (before, after) = line.split_at(end);
                    if after.trim_start().starts_with('{') {
                        out.push_str(before);
                        out.push_str(&in_flow(after, &spent));
                    } else {
                        out.push_str(line);
                        out.push_str(&format!("{:width$}spent: {spent}\n", "", width = indent.saturating_add(2)));
                        block = Some(indent);
                    }
                }
            }
        }
        out
    }
}

/// Where the value of a member of this name begins.
fn key_at(line: &str, name: &str) -> Option<usize> {
    let at = line.find(name)?;
    let end = at.saturating_add(name.len());
    let (before, after) = (line.get(..at)?, line.get(end..)?);
    let quoted = before.ends_with('"') && after.starts_with('"');
    let after = if quoted { after.get(1..)? } else { after };
    let starts = quoted || before.is_empty() || before.ends_with([' ', '{', ',']);
    let value = after.strip_prefix(':').filter(|_| starts)?;
    line.len().checked_sub(value.len())
}

/// `{ usd: 25, per: day }` with what was spent, in place of what stood there.
fn in_flow(text: &str, spent: &str) -> String {
    if let Some(start) = key_at(text, "spent") {
        let (before, after) = text.split_at(start);
        let length = after.find([',', '}', '\n']).unwrap_or(after.len());
        let (old, rest) = after.split_at(length);
        let space = old.get(old.trim_end().len()..).unwrap_or_default();
        return format!("{before} {spent}{space}{rest}");
    }
    let Some((before, after)) = text.split_once('}') else { return text.to_owned() };
    let quote = if before.contains('"') { "\"" } else { "" };
    let space = before.get(before.trim_end().len()..).unwrap_or_default();
    format!("{}, {quote}spent{quote}: {spent}{space}}}{after}", before.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 25 November 2026, 09:30:15.
    const NOW: u64 = 1_795_599_015;

    fn document(text: &str) -> String {
        let mut budgets = Budgets::read(text.to_owned(), NOW).unwrap();
        let line = |time: &str, key: &str, team: &str, cost: u64| {
            let json = format!(r#"{{"time":"{time}","key":"{key}","team":"{team}","cost_nanousd":{cost}}}"#);
            Line::read(json.as_bytes()).unwrap()
        };
        for (time, key, team, cost) in [
            ("2026-10-31T23:59:59Z", "a", "t", 1_000_000_000),
            ("2026-11-01T00:00:00Z", "a", "t", 2_000_000_000),
            ("2026-11-25T00:00:00Z", "a", "t", 500_000_000),
            ("2026-11-25T09:00:00Z", "b", "t", 70_000_000),
        ] {
            budgets.add(&line(time, key, team, cost));
        }
        budgets.document().unwrap()
    }

    #[test]
    fn spend_is_written_and_comments_stay() {
        let text = "\
# Ours.
keys:
  - id: a # the first
    budget: { usd: 25, per: day, spent: 3.2 } # a day's
    tags: [budget]
  - { id: b, budget: { usd: 1, per: hour } }
  - id: c
teams:
  - id: t
    budget:
      usd: 400
      # Of the calendar.
      per: month
      spent: 7
    tags: []
  - id: u
    budget:
      per: total
      usd: 1
";
        let expected = "\
# Ours.
keys:
  - id: a # the first
    budget: { usd: 25, per: day, spent: 0.5 } # a day's
    tags: [budget]
  - { id: b, budget: { usd: 1, per: hour, spent: 0.07 } }
  - id: c
teams:
  - id: t
    budget:
      spent: 2.57
      usd: 400
      # Of the calendar.
      per: month
    tags: []
  - id: u
    budget:
      spent: 0
      per: total
      usd: 1
";
        assert_eq!(document(text), expected);
    }

    #[test]
    fn json_stays_json() {
        let text = "{\"keys\": [{\"id\": \"a\",\n  \"budget\": {\"usd\": 25, \"per\": \"total\"}}]}\n";
        let expected =
            "{\"keys\": [{\"id\": \"a\",\n  \"budget\": {\"usd\": 25, \"per\": \"total\", \"spent\": 3.5}}]}\n";
        assert_eq!(document(text), expected);
    }

    #[test]
    fn what_cannot_be_edited_is_written_anew() {
        let text = "keys: [{ id: a, budget: { usd: 1, per: day } }, { id: b, budget: { usd: 2, per: day } }]\n";
        let written: Value = serde_yaml_ng::from_str(&document(text)).unwrap();
        assert_eq!(written["keys"][0]["budget"]["spent"], Value::from(0.5));
        assert_eq!(written["keys"][1]["budget"]["spent"], Value::from(0.07));
    }

    #[test]
    fn unknown_windows_are_told() {
        let fault = Budgets::read("teams: [{ id: t, budget: { usd: 1, per: year } }]".to_owned(), NOW).err();
        assert!(fault.is_some_and(|fault| fault.starts_with("teams[0].budget.per: `year` is none of")));
    }
}
