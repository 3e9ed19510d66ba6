//! Fields of Converse's own, where clients of other formats can say them: as members of the request, [as LiteLLM's users
//! do](https://docs.litellm.ai/docs/providers/bedrock).

use crate::call::Generate;
use crate::error::Error;
use crate::json::{Change, Doc, Edits, Kind, Node};
use crate::wire::Dropped;

/// Members of Converse's request.
const TOP: &[&str] =
    &["guardrailConfig", "performanceConfig", "projectIdentifier", "promptVariables", "requestMetadata", "serviceTier"];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Extra<'a> {
    /// Members of the request: name and raw value.
    pub top: Vec<(&'static str, String)>,
    /// `additionalModelRequestFields`: a raw object.
    pub fields: Option<&'a str>,
    /// `additionalModelResponseFieldPaths`: a raw array.
    pub paths: Option<&'a str>,
    /// `anthropic_beta`: a raw array.
    pub beta: Option<&'a str>,
    /// Whether the web shall be searched.
    pub search: bool,
}

/// Reads the fields that only the client's format, or only Converse, knows. `claude`: the model is one. `searches`: it can
/// search the web.
pub(super) fn read<'a>(
    call: &'a Generate<'a>,
    claude: bool,
    searches: bool,
    dropped: &mut Dropped,
) -> Result<Extra<'a>, Error> {
    let mut extra = Extra::default();
    for (name, raw) in &call.native {
        let Ok(doc) = Doc::lenient(raw.as_bytes()) else { continue };
        let kind = doc.root().kind();
        match &**name {
            "additionalModelRequestFields" if kind == Kind::Object => extra.fields = Some(raw),
            "additionalModelResponseFieldPaths" if kind == Kind::Array => extra.paths = Some(raw),
            "anthropic_beta" if claude && kind == Kind::Array => extra.beta = Some(raw),
            "guardrailConfig" if !call.stream => {
                // How a stream is guarded is said of streams alone.
                let mut edits = Edits::default();
                edits.members(doc.root(), &[("streamProcessingMode", Change::Remove)]);
                let json = String::from_utf8(edits.apply(&doc).into_bytes()).unwrap_or_default();
                extra.top.push(("guardrailConfig", json));
            }
            "web_search_options" if searches => {
                extra.search = true;
                for (name, _) in doc.root().members() {
                    dropped.note(format!("web_search_options.{name}"))?;
                }
            }
            name => match TOP.iter().find(|known| **known == name) {
                Some(known) => extra.top.push((known, (*raw).to_owned())),
                None => dropped.note(name.to_owned())?,
            },
        }
    }
    Ok(extra)
}

impl Extra<'_> {
    /// Whether the request has such a member.
    pub fn has(&self, name: &str) -> bool {
        self.top.iter().any(|(n, _)| *n == name)
    }
}

/// The paths of a raw array.
pub(super) fn paths(raw: Option<&str>) -> Vec<String> {
    let doc = raw.and_then(|raw| Doc::lenient(raw.as_bytes()).ok());
    let items = doc.iter().flat_map(|doc| doc.root().items());
    items.filter_map(Node::text).map(|path| path.into_owned()).collect()
}
