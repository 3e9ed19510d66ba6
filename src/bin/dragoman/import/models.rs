//! `model_list`: what clients may ask for, each with its deployments.

use serde_json::Value;

use super::deployment::{self, Deployment};
use super::draft::Draft;
use super::providers;
use super::report::Report;
use super::source::{Source, Written, written};

/// Deployments with one name.
pub struct Group {
    /// What clients ask for.
    pub name: String,
    /// In the order of the document.
    pub deployments: Vec<Deployment>,
}

/// Names that any model of a provider has, for a proxy that passes every name through.
const EVERYTHING: &[(&str, &str)] = &[
    ("openai/*", "openai/*"),
    ("gpt-*", "openai/gpt-*"),
    ("anthropic/*", "anthropic/*"),
    ("claude-*", "anthropic/claude-*"),
];

/// Reads all models.
pub fn read(source: &Source<'_>, draft: &mut Draft, report: &mut Report) -> Vec<Group> {
    variables(&source.document, draft);
    draft.variables.extend(usual(source));
    let mut groups: Vec<Group> = Vec::new();
    let list = source.section("model_list").and_then(Value::as_array).into_iter().flatten();
    for (at, entry) in list.enumerate() {
        let place = format!("model_list[{at}]");
        let is_everything = |name| entry.pointer(name).and_then(Value::as_str) == Some("*");
        if is_everything("/litellm_params/model") && is_everything("/model_name") {
            report.approximate(
                format!("{place}.model_name"),
                "models",
                "a name alone does not say whose it is: patterns for OpenAI and Anthropic are written; add other providers'",
            );
            report.step("write a model such as `groq/*` for each further provider that clients reach by a bare `*`");
            for (name, model) in EVERYTHING {
                let mut entry = entry.clone();
                set(&mut entry, "/model_name", name);
                set(&mut entry, "/litellm_params/model", model);
                add(deployment::read(source, &place, &entry, draft, report), &mut groups);
            }
            continue;
        }
        add(deployment::read(source, &place, entry, draft, report), &mut groups);
    }
    groups
}

fn set(entry: &mut Value, at: &str, text: &str) {
    if let Some(value) = entry.pointer_mut(at) {
        *value = text.into();
    }
}

fn add(deployment: Option<Deployment>, groups: &mut Vec<Group>) {
    let Some(deployment) = deployment else { return };
    match groups.iter_mut().find(|group| group.name == deployment.group) {
        Some(group) => group.deployments.push(deployment),
        None => groups.push(Group { name: deployment.group.clone(), deployments: vec![deployment] }),
    }
}

/// The names of variables that the document uses without a word: those that it sets, and those of keys that it does not name.
fn usual(source: &Source<'_>) -> Vec<String> {
    let set = source.settings("environment_variables").into_iter().flat_map(|members| members.keys().cloned());
    let list = source.section("model_list").and_then(Value::as_array).into_iter().flatten();
    let says_nothing =
        |params: &&Value| ["api_key", "litellm_credential_name"].iter().all(|name| params.get(name).is_none());
    let keyless = list.filter_map(|entry| entry.get("litellm_params")).filter(says_nothing);
    let env = |params: &Value| {
        let model = source.resolve(params.get("model")?)?;
        let named = params.get("custom_llm_provider").and_then(Value::as_str);
        Some(providers::identify(&model, named, false).ok()?.env.to_owned())
    };
    set.chain(keyless.filter_map(env)).collect()
}

/// Notes the names of variables that the document names.
fn variables(value: &Value, draft: &mut Draft) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| variables(item, draft)),
        Value::Object(members) => members.values().for_each(|member| variables(member, draft)),
        _ => {
            if let Some(Written::Variable(name)) = written(value) {
                draft.variables.insert(name);
            }
        }
    }
}
