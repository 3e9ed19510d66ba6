//! `litellm_params`, with what a named credential adds.

use serde_json::Value;

use crate::import::report::{Level, Report};
use crate::import::source::{Source, Written, written};

/// Parameters of calls, which stay what they are.
const DEFAULTS: &[&str] = &[
    "audio",
    "dimensions",
    "encoding_format",
    "frequency_penalty",
    "keep_alive",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "modalities",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "safe_prompt",
    "safety_settings",
    "seed",
    "service_tier",
    "stop",
    "store",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

use Level::{Approximate, Exact, Unsupported};

/// What becomes of the others.
const KNOWN: &[(&str, Level, &str)] = &[
    ("allow_client_keepalive_override", Unsupported, "Envoy's `stream_idle_timeout` bounds silence"),
    ("auto_router_config", Unsupported, "clients name the model"),
    ("auto_router_config_path", Unsupported, "clients name the model"),
    ("auto_router_default_model", Unsupported, "clients name the model"),
    ("auto_router_embedding_model", Unsupported, "clients name the model"),
    ("aws_session_name", Unsupported, "sign in Envoy: `credentials: host` and `aws_request_signing`"),
    ("budget_duration", Unsupported, "budgets are of keys and teams"),
    ("cache_control_injection_points", Unsupported, "clients mark what to cache"),
    ("complexity_router_config", Unsupported, "clients name the model"),
    ("complexity_router_default_model", Unsupported, "clients name the model"),
    ("configurable_clientside_auth_params", Unsupported, "clients cannot choose accounts; see `credentials: client`"),
    ("cooldown_time", Unsupported, "Envoy's `outlier_detection` rests endpoints that fail: `base_ejection_time`"),
    ("daily_reset_time", Unsupported, "windows are minutes"),
    ("default_api_key_rpm_limit", Unsupported, "write `keys[].limits.models` of each key"),
    ("default_api_key_tpm_limit", Unsupported, "write `keys[].limits.models` of each key"),
    ("drop_params", Approximate, "`unsupported_params` is one for all upstreams"),
    ("itpm", Unsupported, "an upstream's limits are `rpm` and `tpm`"),
    ("keepalive_seconds", Unsupported, "Envoy's `stream_idle_timeout` bounds silence"),
    ("litellm_trace_id", Unsupported, "traces are Envoy's"),
    ("max_budget", Unsupported, "budgets are of keys and teams"),
    ("max_file_size_mb", Unsupported, "Envoy bounds bodies: `request_body_buffer_limit` of the route"),
    ("max_parallel_requests", Unsupported, "Envoy's `circuit_breakers` of the cluster: `max_requests`"),
    ("merge_reasoning_content_in_choices", Unsupported, "reasoning stays in `reasoning_content`"),
    ("mock_response", Unsupported, "`dragoman mock` serves tests"),
    ("otpm", Unsupported, "an upstream's limits are `rpm` and `tpm`"),
    ("rpd", Unsupported, "windows are minutes; days have budgets"),
    ("stream_timeout_by_service_tier", Unsupported, "timeouts are of models"),
    ("tag_regex", Unsupported, "Envoy's routes can match headers"),
    ("tags", Unsupported, "a model of its own, in the lists of keys that may use it"),
    ("thought_signature_in_tool_call_id", Exact, "always so"),
    ("timeout_by_service_tier", Unsupported, "timeouts are of models"),
    ("tpd", Unsupported, "windows are minutes; days have budgets"),
    ("use_chat_completions_api", Exact, "calls are translated to what the provider speaks"),
    ("use_in_pass_through", Unsupported, "routes of Envoy's own pass calls through"),
    ("use_litellm_proxy", Unsupported, "name the provider `litellm_proxy`"),
    ("vector_store_ids", Unsupported, "there are no vector stores"),
];

/// What becomes of settings in `model_info`.
const INFO: &[(&str, Level, &str)] = &[
    ("access_windows", Unsupported, "keys have no times of day"),
    ("blocked", Unsupported, "leave the entry out to pause it"),
    ("db_model", Exact, "for LiteLLM's database alone"),
    ("description", Exact, "for people"),
    ("disable_background_health_check", Exact, "there are no health checks that cost calls"),
    ("health_check_model", Exact, "there are no health checks that cost calls"),
    ("health_check_timeout", Exact, "there are no health checks that cost calls"),
    ("id", Exact, "upstreams have names"),
    ("max_input_tokens", Unsupported, "the provider says when a call is too long"),
    ("max_output_tokens", Unsupported, "the provider says when an answer is too long"),
    ("max_tokens", Unsupported, "`params.default.max_tokens` of the upstream sets one for calls without"),
    ("mode", Exact, "the path of a call says what it is"),
    ("team_id", Unsupported, "name the model in `keys[].models` of the team's keys alone"),
    ("team_public_model_name", Unsupported, "write it under `aliases` of the model"),
    ("tier", Unsupported, "keys list what they may use"),
    ("version", Exact, "for people"),
];

/// Settings with their places.
pub struct Params {
    members: Vec<(String, Value, String)>,
    /// The name of the credential that is used.
    pub credential: Option<String>,
}

impl Params {
    /// Reads the parameters of an entry of `model_list`.
    pub fn read(source: &Source<'_>, place: &str, entry: &Value, report: &mut Report) -> Self {
        let place = format!("{place}.litellm_params");
        let own = entry.get("litellm_params").and_then(Value::as_object).into_iter().flatten();
        let mut members: Vec<(String, Value, String)> = Vec::new();
        for (name, value) in own {
            let from = format!("{place}.{name}");
            match value {
                Value::Null => report.needless(from, "nothing"),
                _ => members.push((name.clone(), value.clone(), from)),
            }
        }
        let mut params = Self { members, credential: None };
        if let Some((name, from)) = params.take("litellm_credential_name") {
            params.credential = source.resolve(&name);
            params.add_credential(source, from, report);
        }
        params
    }

    /// Adds what the credential says and the entry does not.
    fn add_credential(&mut self, source: &Source<'_>, from: String, report: &mut Report) {
        let list = source.section("credential_list").and_then(Value::as_array).into_iter().flatten().enumerate();
        let named = |value: &Value| value.get("credential_name").and_then(Value::as_str) == self.credential.as_deref();
        let Some((at, credential)) = list.into_iter().find(|(_, value)| named(value)) else {
            report.unsupported(from, "there is no such credential in `credential_list`");
            self.credential = None;
            return;
        };
        let place = format!("credential_list[{at}]");
        report.exact(from, "upstreams");
        report.exact(format!("{place}.credential_name"), "upstreams");
        for (name, value) in credential.get("credential_values").and_then(Value::as_object).into_iter().flatten() {
            if !self.members.iter().any(|(known, _, _)| known == name) {
                self.members.push((name.clone(), value.clone(), format!("{place}.credential_values.{name}")));
            }
        }
    }

    /// A setting with its place.
    pub fn take(&mut self, name: &str) -> Option<(Value, String)> {
        let place = self.members.iter().position(|(known, _, _)| known == name)?;
        let (_, value, from) = self.members.remove(place);
        Some((value, from))
    }

    /// Whether a setting is there.
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(known, _, _)| known == name)
    }

    /// The first of some settings.
    pub fn take_any(&mut self, names: &[&str]) -> Option<(Value, String)> {
        names.iter().find_map(|name| self.take(name))
    }

    /// The parameters of calls.
    pub fn take_defaults(&mut self) -> Vec<(String, Value, String)> {
        self.take_where(|name| DEFAULTS.contains(&name))
    }

    /// The settings with such names.
    pub fn take_where(&mut self, is_one: impl Fn(&str) -> bool) -> Vec<(String, Value, String)> {
        self.members.extract_if(.., |(name, _, _)| is_one(name)).collect()
    }

    /// All that is left.
    pub fn take_all(&mut self) -> Vec<(String, Value, String)> {
        std::mem::take(&mut self.members)
    }

    /// Whether an address is configured that is not OpenAI's.
    pub fn is_elsewhere(&self, source: &Source<'_>) -> bool {
        let address = self.members.iter().find(|(name, _, _)| matches!(name.as_str(), "api_base" | "base_url"));
        address.is_some_and(|(_, value, _)| {
            source.resolve(value).is_none_or(|url| !url.contains("://api.openai.com") && !url.contains(".openai.com/"))
        })
    }
}

/// Whether what is called so may be a secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace("tokens", "");
    ["auth", "cookie", "credential", "key", "password", "secret", "token"].iter().any(|word| name.contains(word))
}

/// Whether something inside a value may be a secret.
pub fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_secret),
        Value::Object(members) => members.iter().any(|(name, value)| is_secret(name) || holds_secret(value)),
        _ => false,
    }
}

/// Whether a value, or one inside it, is in the environment.
pub fn holds_variable(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_variable),
        Value::Object(members) => members.values().any(holds_variable),
        _ => matches!(written(value), Some(Written::Variable(_))),
    }
}

/// Reports a setting that goes nowhere.
pub fn report(name: &str, from: String, report: &mut Report) {
    find(KNOWN, name, from, report);
}

/// The same for `model_info`.
pub fn report_info(name: &str, from: String, report: &mut Report) {
    if name.starts_with("supports_") || name.starts_with("supported_") {
        return report.needless(from, "calls are not refused beforehand for what a model lacks");
    }
    find(INFO, name, from, report);
}

fn find(table: &[(&str, Level, &str)], name: &str, from: String, report: &mut Report) {
    match table.iter().find(|(known, _, _)| *known == name) {
        Some((_, level, note)) => report.known(from, *level, *note),
        None => report.unsupported(from, "the importer does not know it"),
    }
}
