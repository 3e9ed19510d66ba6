//! How an account is paid. No secret of the document goes anywhere: one that stands in it goes to a variable by hand.

use dragoman::provider::Provider;
use serde_json::{Value, json};

use super::Reading;
use crate::import::providers;
use crate::import::source::{Written, written};

/// What people write where a server wants no key.
const PLACEHOLDERS: &[&str] = &[
    "",
    "anything",
    "dummy",
    "empty",
    "fake",
    "fake-api-key",
    "fake-key",
    "fake_key",
    "no-key",
    "none",
    "not-needed",
    "null",
];

/// Where a secret is kept in LiteLLM, what it is called here, and the variable that people keep it in.
type Part = (&'static [&'static str], &'static str, &'static str);

const AWS: &[Part] = &[
    (&["aws_access_key_id"], "access_key_id", "AWS_ACCESS_KEY_ID"),
    (&["aws_secret_access_key"], "secret_access_key", "AWS_SECRET_ACCESS_KEY"),
    (&["aws_session_token"], "session_token", "AWS_SESSION_TOKEN"),
];

const AZURE_AD: &[Part] = &[
    (&["tenant_id"], "tenant_id", "AZURE_TENANT_ID"),
    (&["client_id"], "client_id", "AZURE_CLIENT_ID"),
    (&["client_secret"], "client_secret", "AZURE_CLIENT_SECRET"),
];

impl Reading<'_, '_> {
    /// The credentials; `env` is the variable of the key, which `keyed` says is wanted.
    pub(super) fn credentials(&mut self, provider: &Provider, env: &str, keyed: bool) -> Value {
        match provider.id {
            "azure" if self.params.has("client_secret") => json!({"azure_ad": self.parts(AZURE_AD)}),
            "azure" if self.params.has("azure_ad_token") => self.host("azure_ad_token", "Envoy has it put in"),
            "bedrock" | "sagemaker_chat" if self.params.has("aws_role_name") => {
                self.host("aws_role_name", "Envoy's `aws_request_signing` takes the role on")
            }
            "bedrock" | "sagemaker_chat" if self.params.has("aws_profile_name") => {
                self.host("aws_profile_name", "Envoy's `aws_request_signing` reads profiles")
            }
            "bedrock" | "sagemaker_chat" if !self.params.has("api_key") => json!({"aws": self.parts(AWS)}),
            "vertex" if !self.params.has("api_key") => self.google(),
            _ => self.api_key(provider, env, keyed),
        }
    }

    fn api_key(&mut self, provider: &Provider, env: &str, keyed: bool) -> Value {
        let to = format!("{}.credentials", self.upstream);
        let Some((value, from)) = self.params.take("api_key") else {
            let keyless = !keyed && providers::is_keyless(provider) && self.source.variable(env).is_none();
            if env.is_empty() || keyless {
                return "none".into();
            }
            return json!({"api_key": {"env": env}});
        };
        let placeholder =
            matches!(written(&value), Some(Written::Here(text)) if PLACEHOLDERS.contains(&&*text.to_ascii_lowercase()));
        if placeholder && (providers::is_keyless(provider) || env.is_empty()) {
            self.report.exact(from, to);
            return "none".into();
        }
        let own = if env.is_empty() { own_variable(provider.id) } else { env.to_owned() };
        json!({"api_key": self.secret(&value, from, &own, &to)})
    }

    /// The credentials are the host's to put in.
    fn host(&mut self, setting: &str, how: &str) -> Value {
        if let Some((_, from)) = self.params.take(setting) {
            self.report.approximate(from, format!("{}.credentials", self.upstream), how);
        }
        self.report.step(format!("have Envoy put in the credentials of `{}`: {how}", self.model));
        "host".into()
    }

    /// Several secrets; those that are not written are in the usual variables.
    fn parts(&mut self, parts: &[Part]) -> Value {
        let any = parts.iter().any(|(names, _, _)| names.iter().any(|name| self.params.has(name)));
        let mut all = serde_json::Map::new();
        for (names, ours, env) in parts {
            let to = format!("{}.credentials", self.upstream);
            match self.params.take_any(names) {
                Some((value, from)) => drop(all.insert((*ours).to_owned(), self.secret(&value, from, env, &to))),
                // A session's token is there only where a session is.
                None if any && *ours == "session_token" => {}
                None => drop(all.insert((*ours).to_owned(), json!({"env": env}))),
            }
        }
        all.into()
    }

    fn google(&mut self) -> Value {
        const ENV: &str = "GCP_SERVICE_ACCOUNT_JSON";
        let to = format!("{}.credentials", self.upstream);
        if let Some((value, from)) = self.params.take("vertex_credentials") {
            if let Some(Written::Variable(name)) = written(&value) {
                self.report.approximate(from, to, "the variable holds the account's JSON, not the path of a file");
                return json!({"gcp": {"service_account": {"env": name}}});
            }
            self.report.approximate(from, to, format!("the account's JSON is in the variable `{ENV}`"));
        }
        self.report.step(format!("set {ENV} to the JSON of the service account"));
        json!({"gcp": {"service_account": {"env": ENV}}})
    }

    /// A secret, in an environment variable.
    fn secret(&mut self, value: &Value, from: String, wanted: &str, to: &str) -> Value {
        match written(value) {
            Some(Written::Variable(name)) if is_variable(&name) => {
                self.report.exact(from, to);
                json!({"env": name})
            }
            Some(Written::Variable(_)) => {
                let name = self.draft.free_variable(wanted);
                self.report.step(format!("set {name} to what the variable of `{from}` holds"));
                self.report.approximate(from, to, format!("in the variable `{name}`: its own name cannot be one here"));
                json!({"env": name})
            }
            Some(Written::Here(text)) => {
                let known = self.draft.secrets.get(&text).cloned();
                let name = known.unwrap_or_else(|| {
                    let name = self.draft.free_variable(wanted);
                    self.draft.secrets.insert(text, name.clone());
                    self.report.step(format!("set {name} to the secret at `{from}`"));
                    name
                });
                self.report.approximate(from, to, format!("the secret is not copied: set the variable `{name}`"));
                json!({"env": name})
            }
            None => {
                self.report.unsupported(from, "expected a text");
                json!({"env": wanted})
            }
        }
    }
}

/// A variable for the key of a provider that has none.
fn own_variable(provider: &str) -> String {
    let name = provider.to_ascii_uppercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("{name}_API_KEY")
}

/// Whether the filter takes it for the name of a variable.
fn is_variable(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
