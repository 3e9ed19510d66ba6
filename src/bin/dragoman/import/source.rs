//! The document that is imported, with the files that it includes, and where its values come from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::document;

/// What starts a value that stands in the environment.
const VARIABLE: &str = "os.environ/";

/// A document.
pub struct Source<'e> {
    /// The file's name.
    pub name: String,
    /// The document, with all that it includes.
    pub document: Value,
    env: &'e dyn Fn(&str) -> Option<String>,
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// In the document.
    Here(String),
    /// In the environment variable of that name.
    Variable(String),
}

impl<'e> Source<'e> {
    /// Reads the file and what it includes.
    pub fn load(path: &str, env: &'e dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let name = Path::new(path).file_name().map_or(path.into(), |name| name.to_string_lossy()).into_owned();
        Ok(Self { name, document: included(path)?, env })
    }

    /// A member of the document.
    pub fn section(&self, name: &str) -> Option<&Value> {
        self.document.get(name)
    }

    /// The members of a section.
    pub fn settings(&self, section: &str) -> Option<&Map<String, Value>> {
        self.section(section)?.as_object()
    }

    /// A setting of a section, unless it is null.
    pub fn setting(&self, section: &str, name: &str) -> Option<&Value> {
        self.settings(section)?.get(name).filter(|value| !value.is_null())
    }

    /// The value of an environment variable: the document may set some itself.
    pub fn variable(&self, name: &str) -> Option<String> {
        let written = self.setting("environment_variables", name).and_then(text);
        written.or_else(|| (self.env)(name))
    }

    /// The text that a value stands for; `None` if it is in a variable that is not set.
    pub fn resolve(&self, value: &Value) -> Option<String> {
        match written(value)? {
            Written::Here(text) => Some(text),
            Written::Variable(name) => self.variable(&name),
        }
    }
}

/// A text, number or boolean as text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Array(_) | Value::Null | Value::Object(_) => None,
    }
}

/// Where a value is.
pub fn written(value: &Value) -> Option<Written> {
    let text = text(value)?;
    Some(match text.strip_prefix(VARIABLE) {
        Some(name) => Written::Variable(name.to_owned()),
        None => Written::Here(text),
    })
}

/// A boolean, in the words that Python's YAML takes for one.
pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A document with what it includes, merged as LiteLLM does: lists are joined, of all else the last counts.
fn included(path: &str) -> Result<Value, String> {
    let mut document = read(path)?;
    let mut loaded = BTreeSet::from([whole(Path::new(path))]);
    let mut pending: Vec<(String, PathBuf)> = files(&document, path)?;
    while !pending.is_empty() {
        let (file, beside) = pending.remove(0);
        let next = [beside.as_path(), Path::new(path)].map(|beside| beside.with_file_name(&file));
        let [near, root] = next;
        let file = if !near.exists() && root.exists() { root } else { near };
        // The same file may be named in several ways.
        if !loaded.insert(whole(&file)) {
            continue;
        }
        let name = file.to_string_lossy().into_owned();
        let more = read(&name)?;
        pending.extend(files(&more, &name)?);
        merge(&mut document, more);
    }
    Ok(document.into())
}

fn whole(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn read(path: &str) -> Result<Map<String, Value>, String> {
    let json = document::load(path)?;
    match serde_json::from_str(&json).map_err(|error| format!("{path}: {error}"))? {
        Value::Object(members) => Ok(members),
        _ => Err(format!("{path}: expected a mapping such as `model_list: […]`")),
    }
}

/// The files that a document includes, each with the document's own place.
fn files(document: &Map<String, Value>, path: &str) -> Result<Vec<(String, PathBuf)>, String> {
    let Some(list) = document.get("include") else { return Ok(Vec::new()) };
    let names = list.as_array().and_then(|list| list.iter().map(|name| name.as_str()).collect::<Option<Vec<_>>>());
    let names = names.ok_or_else(|| format!("{path}: include: expected a list of files"))?;
    Ok(names.into_iter().map(|name| (name.to_owned(), PathBuf::from(path))).collect())
}

fn merge(document: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (document.get_mut(&name), value) {
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (_, value) => drop(document.insert(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_where_they_say() {
        let env = |name: &str| (name == "BASE").then(|| "https://a.example".to_owned());
        let document = json!({"environment_variables": {"SET": "here"}});
        let source = Source { name: String::new(), document, env: &env };
        for (value, expected) in [
            (json!("os.environ/BASE"), Some("https://a.example")),
            (json!("os.environ/SET"), Some("here")),
            (json!("os.environ/UNSET"), None),
            (json!("plain"), Some("plain")),
            (json!(7), Some("7")),
            (json!(null), None),
        ] {
            assert_eq!(source.resolve(&value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn truth_has_many_words() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!("Yes"), Some(true)),
            (json!("f"), Some(false)),
            (json!("os.environ/X"), None),
            (json!(1), Some(true)),
            (json!(0), Some(false)),
            (json!([]), None),
        ] {
            assert_eq!(truth(&value), expected, "{value}");
        }
    }
}
