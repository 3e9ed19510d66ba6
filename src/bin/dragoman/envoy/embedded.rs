//! The Dragoman document inside of the host's.

use serde_json::{Map, Value};

use super::yaml;

/// A configuration as it was written, for a filter's copies of it.
pub struct Embedded {
    members: Map<String, Value>,
    /// The variables that it names, sorted.
    pub variables: Vec<String>,
    /// Where it holds a secret itself.
    pub secrets: Vec<String>,
}

/// Where a copy stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// In a cluster.
    Cluster,
    /// In the listener.
    Listener,
}

impl Embedded {
    /// Takes a checked document.
    pub fn new(json: &str) -> Result<Self, String> {
        let members: Map<String, Value> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut found = Self { members, variables: Vec::new(), secrets: Vec::new() };
        let upstreams = found.members.get("upstreams").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, upstream) in &upstreams {
            if let Some(credentials) = upstream.get("credentials") {
                found.look_for_secrets(credentials, &format!("upstreams.{name}.credentials"));
            }
        }
        found.variables.sort();
        found.variables.dedup();
        Ok(found)
    }

    fn look_for_secrets(&mut self, value: &Value, place: &str) {
        match value {
            Value::Array(items) => {
                let places = items.iter().enumerate();
                places.for_each(|(at, item)| self.look_for_secrets(item, &format!("{place}[{at}]")));
            }
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value) {
                        ("env", Value::String(variable)) => self.variables.push(variable.clone()),
                        ("value", Value::String(_)) => self.secrets.push(place.to_owned()),
                        _ => self.look_for_secrets(value, &format!("{place}.{name}")),
                    }
                }
            }
            _ => {}
        }
    }

    /// The plugin's `configuration`. `shared` tells that the listener's copy names its parts for a cluster's.
    pub fn configuration(&self, position: Position, role: &str, shared: bool) -> String {
        const TYPE: &str = "\"@type\": type.googleapis.com/google.protobuf.";
        let copy = self.copy(position, role);
        if !self.members.values().all(survives_yaml) {
            let json = yaml::json(&Value::Object(copy), 2);
            let value = yaml::fill("value: |\n  «json»\n", &[("json", &json)]);
            let why = "# In JSON: Envoy makes strings of what other numbers than small whole ones are in YAML.";
            return format!("{TYPE}StringValue\n{why}\n{value}");
        }
        let members = copy.iter().map(|(name, value)| {
            let anchor = if shared && SHARED.contains(&name.as_str()) { format!(" &{name}") } else { String::new() };
            yaml::member(name, &anchor, value, matches!(name.as_str(), "keys" | "models" | "teams" | "upstreams"))
        });
        if shared && position == Position::Cluster {
            let members = copy.iter().map(|(name, value)| match name.as_str() {
                name if SHARED.contains(&name) => format!("{name}: *{name}"),
                name => format!("{}: {}", yaml::scalar(name), yaml::flow(value)),
            });
            return format!("{TYPE}Struct\nvalue: {{ {} }}\n", members.collect::<Vec<_>>().join(", "));
        }
        let value = yaml::fill("value:\n  «value»\n", &[("value", &members.collect::<Vec<_>>().join("\n"))]);
        format!("{TYPE}Struct\n{value}")
    }

    /// What the filter in this position is to know, its role first. Who calls is the listener's business.
    fn copy(&self, position: Position, role: &str) -> Map<String, Value> {
        const CALLERS: &[&str] = &["client_auth", "keys", "teams"];
        let mut copy = Map::new();
        copy.insert("role".to_owned(), role.into());
        let known = |name: &str| name != "role" && (position == Position::Listener || !CALLERS.contains(&name));
        copy.extend(self.members.iter().filter(|(name, _)| known(name)).map(|(n, v)| (n.clone(), v.clone())));
        copy
    }
}

/// Members that both filters have.
const SHARED: &[&str] = &["models", "upstreams"];

/// Whether Envoy reads the value from YAML as it is. Of numbers outside of any message it takes those of 32 bits for
/// numbers and all else for strings.
fn survives_yaml(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Value::Array(items) => items.iter().all(survives_yaml),
        Value::Object(members) => members.values().all(survives_yaml),
        Value::Bool(_) | Value::Null | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_variables_and_secrets() {
        let document = r#"{"upstreams": {
            "b": {"credentials": {"api_key": [{"env": "B"}, {"value": "sk"}, {"env": "A"}]}},
            "a": {"credentials": {"api_key": {"env": "B"}}, "params": {"default": {"env": "NO", "value": "no"}}},
            "c": {"credentials": "none"}
        }}"#;
        let embedded = Embedded::new(document).unwrap();
        assert_eq!(embedded.variables, ["A", "B"]);
        assert_eq!(embedded.secrets, ["upstreams.b.credentials.api_key[1]"]);
    }

    #[test]
    fn callers_stay_in_the_listener() {
        let document = r#"{"client_auth": "keys", "role": "gateway", "upstreams": {"u": {}}, "keys": [], "teams": [],
            "models": [], "unsupported_params": "reject"}"#;
        let embedded = Embedded::new(document).unwrap();
        let names = |copy: Map<String, Value>| copy.keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(embedded.copy(Position::Listener, "gateway")),
            ["role", "client_auth", "upstreams", "keys", "teams", "models", "unsupported_params"]
        );
        let cluster = embedded.copy(Position::Cluster, "upstream");
        assert_eq!(names(cluster.clone()), ["role", "upstreams", "models", "unsupported_params"]);
        assert_eq!(cluster["role"], "upstream");
    }

    #[test]
    fn numbers_that_yaml_would_spoil_go_in_json() {
        for (number, kind) in
            [("60", "Struct"), ("-1", "Struct"), ("0.7", "StringValue"), ("3000000000", "StringValue")]
        {
            let document = format!(r#"{{"upstreams": {{"u": {{"params": {{"force": {{"x": {number}}}}}}}}}}}"#);
            let written = Embedded::new(&document).unwrap().configuration(Position::Listener, "standalone", false);
            assert!(written.contains(&format!("google.protobuf.{kind}\n")), "{written}");
            assert!(written.contains(number), "{written}");
        }
    }
}
