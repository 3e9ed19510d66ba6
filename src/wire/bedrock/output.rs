//! How a model is brought to answer in JSON: by [`outputConfig`](https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html)
//! where it is held to a schema, by a tool that it must call where it can be made to, and else by an instruction.

use super::families::{Family, Forced};
use crate::call::{Generate, OutputFormat};
use crate::json::{Body, Writer};
use crate::wire::anthropic::schema;

/// The tool whose arguments are the answer.
pub(super) const TOOL: &str = "json_answer";

/// What brings a model to the format.
#[derive(Clone, Copy, Debug)]
pub(super) enum Output<'a> {
    /// Nothing must.
    Free,
    /// `outputConfig`, with a schema.
    Held(&'a OutputFormat<'a>),
    /// Words; the schema, if there is one.
    Told(Option<&'a str>),
    /// A tool with a schema.
    Tool(&'a str),
}

/// Chooses. `tools`: the client has some of its own, or the conversation shows some. `thinks`: the model thinks up to a
/// budget, and cannot be made to call a tool then.
pub(super) fn choose<'a>(call: &'a Generate<'a>, family: &Family, tools: bool, thinks: bool) -> Output<'a> {
    match &call.output {
        OutputFormat::Text => Output::Free,
        OutputFormat::JsonObject => Output::Told(None),
        output @ OutputFormat::JsonSchema { schema, .. } => {
            if family.schemas {
                Output::Held(output)
            } else if family.forced >= Forced::Any && !tools && !thinks {
                Output::Tool(schema)
            } else {
                Output::Told(Some(schema))
            }
        }
    }
}

impl Output<'_> {
    /// What the model is told.
    pub fn instruction(self) -> Option<String> {
        match self {
            Self::Told(None) => Some("Answer with one JSON object and nothing else.".into()),
            Self::Told(Some(schema)) => {
                Some(format!("Answer with JSON that follows this JSON schema, and nothing else:\n{schema}"))
            }
            Self::Free | Self::Held(_) | Self::Tool(_) => None,
        }
    }

    /// Writes `outputConfig`.
    pub fn write(self, effort: Option<&str>, w: &mut Writer<'_, '_>) {
        let held = match self {
            Self::Held(OutputFormat::JsonSchema { name, description, schema, .. }) => Some((name, description, schema)),
            _ => None,
        };
        if held.is_none() && effort.is_none() {
            return;
        }
        w.key("outputConfig").object(|w| {
            if let Some(effort) = effort {
                w.key("effort").text(effort);
            }
            let Some((name, description, schema)) = held else { return };
            w.key("textFormat").object(|w| {
                w.key("type").text("json_schema");
                w.key("structure").object(|w| {
                    w.key("jsonSchema").object(|w| {
                        // A string that holds JSON.
                        w.key("schema").text(&line(&schema::held(schema)));
                        for (key, text) in [("name", name), ("description", description)] {
                            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                                w.key(key).str(text);
                            }
                        }
                    });
                });
            });
        });
    }
}

/// A schema on one line.
fn line(schema: &str) -> String {
    let mut body = Body::default();
    Writer::new(&mut body).raw_line(schema);
    String::from_utf8(body.into_bytes()).unwrap_or_default()
}

/// Writes the tool whose arguments are the answer.
pub(super) fn write_tool(schema: &str, w: &mut Writer<'_, '_>) {
    w.object(|w| {
        w.key("toolSpec").object(|w| {
            w.key("name").text(TOOL);
            w.key("description").text("Gives the answer.");
            w.key("inputSchema").object(|w| w.key("json").raw(schema));
        });
    });
}
