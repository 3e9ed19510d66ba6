//! JSON that is nearly right: a document whose values are taken away, doubled, replaced and cut.
//!
//! What a change is told apart by are numbers, so that a property test can shrink them and a fuzzer mutate them.

use dragoman::json::{Doc, Kind, Node};

/// A document as text in pieces, so that numbers, escapes and names that stand twice stay as they are written.
#[derive(Clone, Debug)]
pub enum Tree {
    /// Raw.
    Leaf(String),
    List(Vec<Tree>),
    /// Raw names and values.
    Object(Vec<(String, Tree)>),
}

/// One change.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// Which value, counted from the root.
    pub place: usize,
    /// What becomes of it.
    pub kind: u8,
    /// Which of the values or names that it may become.
    pub choice: usize,
}

impl Tree {
    /// Reads a document.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self::of(Doc::lenient(bytes).ok()?.root()))
    }

    fn of(node: Node<'_>) -> Self {
        match node.kind() {
            Kind::Array => Self::List(node.items().map(Self::of).collect()),
            Kind::Object => {
                let members = node.members().named();
                Self::Object(members.map(|(name, value)| (name.raw().to_owned(), Self::of(value))).collect())
            }
            _ => Self::Leaf(node.raw().to_owned()),
        }
    }

    /// Writes it.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Leaf(raw) => out.push_str(raw),
            Self::List(values) => {
                out.push('[');
                for (at, value) in values.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    value.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    out.push_str(name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    fn count(&self) -> usize {
        1 + match self {
            Self::Leaf(_) => 0,
            Self::List(values) => values.iter().map(Self::count).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| value.count()).sum(),
        }
    }

    /// The value at a place, which is counted down.
    fn at(&mut self, place: &mut usize) -> Option<&mut Self> {
        if *place == 0 {
            return Some(self);
        }
        *place -= 1;
        match self {
            Self::Leaf(_) => None,
            Self::List(values) => values.iter_mut().find_map(|value| value.at(place)),
            Self::Object(members) => members.iter_mut().find_map(|(_, value)| value.at(place)),
        }
    }

    /// Puts `value` in a place.
    pub fn replace(&mut self, place: usize, value: Self) {
        let count = self.count();
        if let Some(old) = self.at(&mut (place % count)) {
            *old = value;
        }
    }

    /// Changes it.
    pub fn mutate(&mut self, mutation: Mutation) {
        let count = self.count();
        let other = self.clone().at(&mut (mutation.choice % count)).cloned();
        let Some(value) = self.at(&mut (mutation.place % count)) else { return };
        let word = |list: &[&str]| list[mutation.choice % list.len()].to_owned();
        match (mutation.kind % 10, value) {
            // Another value of the document.
            (0, value) => *value = other.unwrap_or(Self::Leaf("null".into())),
            (1, Self::List(values)) if !values.is_empty() => drop(values.remove(mutation.choice % values.len())),
            (1, Self::Object(members)) if !members.is_empty() => drop(members.remove(mutation.choice % members.len())),
            // Twice.
            (2, Self::List(values)) if !values.is_empty() => {
                values.push(values[mutation.choice % values.len()].clone())
            }
            (2, Self::Object(members)) if !members.is_empty() => {
                members.push(members[mutation.choice % members.len()].clone());
            }
            // Another name.
            (3, Self::Object(members)) if !members.is_empty() => {
                let at = mutation.choice % members.len();
                members[at].0 = word(NAMES);
            }
            (4, Self::Object(members)) => members.push((word(NAMES), Self::Leaf("1".into()))),
            (4, Self::List(values)) => values.push(Self::Leaf(word(VALUES))),
            // A string that is cut, perhaps in an escape.
            (5, Self::Leaf(raw)) if raw.starts_with('"') => {
                let keep = raw.chars().count().saturating_sub(2) * (mutation.choice % 100) / 100;
                let text: String = raw.chars().skip(1).take(keep).collect();
                *raw = format!("\"{text}\"");
            }
            (6, value) => *value = Self::List(vec![value.clone()]),
            (7, value) => *value = Self::Object(vec![("\"type\"".into(), value.clone())]),
            (8, value) => *value = Self::Leaf(word(WORDS)),
            (_, value) => *value = Self::Leaf(word(VALUES)),
        }
    }
}

/// A document after some changes. What is no JSON stays as it is.
pub fn mutated(bytes: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let Some(mut tree) = Tree::read(bytes) else { return bytes.to_owned() };
    mutations.iter().for_each(|mutation| tree.mutate(*mutation));
    let mut text = String::new();
    tree.write(&mut text);
    text.into_bytes()
}

/// Values that are odd wherever they stand.
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1.5",
    "1e2",
    "1e400",
    "-1e400",
    "1e-400",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890.5",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"\\u0020\\u00a0\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud83d\"",
    "\"\\ud83d\\ude00\"",
    "\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
    "\"\u{feff}\u{2028}\u{10ffff}\"",
    "\"data: [DONE]\\n\\n\"",
    "\"data:image/png;base64,AAAA\"",
    "\"data:text/plain;base64,aGk=\"",
    "\"data:;base64,\"",
    "\"{\\\"a\\\":1,\\\"a\\\":2}\"",
    "\"https://example.com/a.pdf\"",
    "[]",
    "[[]]",
    "[null]",
    "{}",
    "{\"\":\"\"}",
    "{\"type\":\"text\",\"text\":\"\"}",
];

/// Words that mean something somewhere.
const WORDS: &[&str] = &[
    "\"adaptive\"",
    "\"any\"",
    "\"assistant\"",
    "\"auto\"",
    "\"base64\"",
    "\"content\"",
    "\"content_block_delta\"",
    "\"content_block_start\"",
    "\"content_block_stop\"",
    "\"developer\"",
    "\"disabled\"",
    "\"document\"",
    "\"enabled\"",
    "\"error\"",
    "\"file\"",
    "\"function\"",
    "\"image\"",
    "\"image_url\"",
    "\"input_audio\"",
    "\"input_json_delta\"",
    "\"length\"",
    "\"message_delta\"",
    "\"message_start\"",
    "\"message_stop\"",
    "\"none\"",
    "\"redacted_thinking\"",
    "\"refusal\"",
    "\"required\"",
    "\"server_tool_use\"",
    "\"signature_delta\"",
    "\"stop\"",
    "\"system\"",
    "\"text\"",
    "\"text_delta\"",
    "\"thinking\"",
    "\"thinking_delta\"",
    "\"tool\"",
    "\"tool_calls\"",
    "\"tool_result\"",
    "\"tool_use\"",
    "\"url\"",
    "\"user\"",
];

/// Names that mean something somewhere, one of them in escapes.
const NAMES: &[&str] = &[
    "\"\"",
    "\"a\\\"b\"",
    "\"cache_control\"",
    "\"choices\"",
    "\"content\"",
    "\"delta\"",
    "\"error\"",
    "\"finish_reason\"",
    "\"function\"",
    "\"function_call\"",
    "\"id\"",
    "\"index\"",
    "\"max_completion_tokens\"",
    "\"max_tokens\"",
    "\"message\"",
    "\"messages\"",
    "\"metadata\"",
    "\"mod\\u0065l\"",
    "\"n\"",
    "\"name\"",
    "\"reasoning_content\"",
    "\"reasoning_effort\"",
    "\"refusal\"",
    "\"seed\"",
    "\"stop\"",
    "\"stop_sequence\"",
    "\"store\"",
    "\"stream\"",
    "\"stream_options\"",
    "\"thinking\"",
    "\"tool_calls\"",
    "\"tool_choice\"",
    "\"tools\"",
    "\"type\"",
    "\"usage\"",
    "\"user\"",
];
