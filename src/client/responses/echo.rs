//! What of a request stands in the answer to it.

use super::tool::is_custom;
use crate::json::{Body, Node, Writer};

/// What of a request its answer depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Echo {
    /// The members that repeat the request: raw JSON on one line, with commas between them.
    pub(super) members: String,
    /// The names of custom tools.
    pub(super) custom: Vec<String>,
}

/// Members that repeat the request, with their value where it says none.
const MEMBERS: &[(&str, &str)] = &[
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("store", "false"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_logprobs", "null"),
    ("top_p", "null"),
    ("user", "null"),
];

/// What is done whatever the request says.
const TRUNCATION: &str = r#","truncation":"disabled""#;

impl Echo {
    /// Of a request.
    pub(super) fn new(root: Node<'_>) -> Self {
        let mut body = Body::default();
        let mut w = Writer::new(&mut body);
        for (name, default) in MEMBERS {
            w.key(name).raw_line(root.get(name).map_or(default, Node::raw));
        }
        let mut members = String::from_utf8(body.into_bytes()).unwrap_or_default();
        members.push_str(TRUNCATION);
        let tools = root.get("tools").into_iter().flat_map(Node::items).filter(|tool| is_custom(*tool));
        let custom = tools.filter_map(|tool| Some(tool.get("name")?.text()?.into_owned())).collect();
        Self { members, custom }
    }
}
