//! Settings that are no model's, route's or key's: most of them are the host's to do, or of things that do not exist here.

use serde_json::Value;

use super::decimal::Decimal;
use super::draft::Draft;
use super::report::Level::{self, Approximate, Exact, Unsupported};
use super::report::Report;
use super::source::{Source, truth};

const SINKS: &str =
    "Envoy's access log, traces and metrics tell of each call; their sinks take them where they are wanted";
const STORE: &str = "there is no database: the document says it all";
const CACHE: &str = "there is no cache of answers";
const GUARD: &str = "an `ext_proc` or another filter of Envoy's before this one can look at calls";
const ADMIN: &str = "there is no API to administer and no page: keys and models stand in the document";
const SIGN_IN: &str = "there is no page to sign in to";
const HEALTH: &str = "Envoy's `health_check` of the cluster, which costs no calls";
const REST: &str = "Envoy's `outlier_detection` of the cluster rests endpoints that fail";
const LOGS: &str = "logs are Envoy's, and hold no prompts";
const EACH: &str = "write `keys[].limits` and `keys[].budget` of each key";
const CHOOSES: &str = "clients name the model";

/// A setting with what becomes of it.
type Known = (&'static str, Level, &'static str);

const ROUTER: &[Known] = &[
    (
        "allowed_fails",
        Approximate,
        "Envoy leaves an upstream alone that failed five times in a row: `outlier_detection` of the cluster",
    ),
    ("allowed_fails_policy", Unsupported, "Envoy's `outlier_detection` of the cluster: `consecutive_5xx`"),
    ("assistants_config", Unsupported, "there are no assistants"),
    ("background_health_check_model_groups", Unsupported, HEALTH),
    ("cache_kwargs", Unsupported, CACHE),
    ("cache_responses", Unsupported, CACHE),
    ("caching_groups", Unsupported, CACHE),
    ("client_ttl", Exact, "connections are Envoy's"),
    (
        "cooldown_time",
        Approximate,
        "ten to sixty seconds, in `outlier_detection` of the cluster; what a provider turns away rests as long as it says",
    ),
    ("debug_level", Unsupported, LOGS),
    ("default_litellm_params", Unsupported, "`params.default` of each upstream"),
    ("default_max_parallel_requests", Unsupported, "Envoy's `circuit_breakers` of the cluster: `max_requests`"),
    ("default_priority", Unsupported, "there are no queues"),
    ("deployment_affinity_ttl_seconds", Unsupported, "`balance: sticky` keeps a caller at an upstream"),
    ("disable_cooldowns", Unsupported, REST),
    ("enable_health_check_routing", Unsupported, HEALTH),
    (
        "enable_mid_stream_fallback_continuation",
        Unsupported,
        "once a client has seen a byte of an answer nothing else answers",
    ),
    (
        "enable_pre_call_checks",
        Approximate,
        "always: upstreams whose context is too small are passed over, by an estimate of the tokens",
    ),
    ("enable_tag_filtering", Unsupported, "a model of its own for each tag, in the lists of keys that may use it"),
    ("enable_weighted_failover", Exact, "further attempts go to other upstreams of the model"),
    ("fallback_on_unsupported_params", Approximate, "upstreams that cannot take a call are passed over"),
    ("guardrail_list", Unsupported, GUARD),
    ("health_check_ignore_transient_errors", Unsupported, HEALTH),
    ("health_check_staleness_threshold", Unsupported, HEALTH),
    ("ignore_invalid_deployments", Exact, "an upstream without credentials answers 503, the others serve"),
    ("max_fallbacks", Approximate, "`retries` bounds all attempts"),
    ("max_retries", Unsupported, "`num_retries` is read"),
    ("model_group_affinity_config", Unsupported, "`balance: sticky` keeps a caller at an upstream"),
    ("model_group_retry_policy", Unsupported, "`models[].retries`; what is tried again depends on the status"),
    (
        "optional_pre_call_checks",
        Unsupported,
        "limits of upstreams steer, and prompt caches are kept by `balance: sticky`",
    ),
    ("polling_interval", Exact, "there are no queues"),
    ("provider_budget_config", Unsupported, "budgets are of keys and teams"),
    ("redis_db", Unsupported, "limits and routing are in Envoy's memory"),
    ("redis_host", Unsupported, "limits and routing are in Envoy's memory"),
    ("redis_password", Unsupported, "limits and routing are in Envoy's memory"),
    ("redis_port", Unsupported, "limits and routing are in Envoy's memory"),
    ("redis_url", Unsupported, "limits and routing are in Envoy's memory"),
    ("retry_after", Unsupported, "Envoy's `retry_back_off` of the route"),
    ("retry_policy", Unsupported, "`models[].retries`; what is tried again depends on the status"),
    ("routing_groups", Unsupported, "`balance` of each model"),
    ("routing_strategy_args", Unsupported, "balances have no settings"),
    ("search_tools", Unsupported, "clients run tools"),
    ("session_affinity_repin_on_failover", Unsupported, "`balance: sticky` keeps a caller at an upstream"),
    ("set_verbose", Exact, LOGS),
    ("tag_filtering_match_any", Unsupported, "a model of its own for each tag"),
    ("tag_routing_prefix", Unsupported, "a model of its own for each tag"),
    ("weights", Unsupported, "`weight` of each upstream of a model"),
];

const LITELLM: &[Known] = &[
    (
        "allowed_fails",
        Approximate,
        "Envoy leaves an upstream alone that failed five times in a row: `outlier_detection` of the cluster",
    ),
    ("cache", Unsupported, CACHE),
    ("cache_params", Unsupported, CACHE),
    ("callback_settings", Unsupported, SINKS),
    ("callbacks", Approximate, SINKS),
    (
        "cooldown_time",
        Approximate,
        "ten to sixty seconds, in `outlier_detection` of the cluster; what a provider turns away rests as long as it says",
    ),
    ("cost_margin_config", Unsupported, "costs are what the provider takes"),
    ("custom_provider_map", Unsupported, "`openai_compatible` reaches any server in OpenAI's format"),
    ("default_internal_user_params", Unsupported, SIGN_IN),
    ("default_key_generate_params", Unsupported, EACH),
    ("default_team_params", Unsupported, "write `limits` and `budget` of each team"),
    ("default_team_settings", Unsupported, SINKS),
    ("disable_copilot_system_to_assistant", Unsupported, "there is no Copilot"),
    ("enable_json_schema_validation", Unsupported, "the answer goes to the client as it is"),
    ("enable_preview_features", Exact, "there are none"),
    ("failure_callback", Approximate, SINKS),
    ("force_ipv4", Unsupported, "Envoy's `dns_lookup_family` of the cluster"),
    ("forward_traceparent_to_llm_provider", Exact, "trace headers go to providers"),
    ("guardrails", Unsupported, GUARD),
    ("json_logs", Exact, "the access log that `dragoman envoy` writes is JSON"),
    ("key_generation_settings", Unsupported, ADMIN),
    ("langfuse_default_tags", Unsupported, SINKS),
    ("log_raw_request_response", Unsupported, LOGS),
    ("max_budget", Unsupported, "budgets are of keys and teams"),
    ("budget_duration", Unsupported, "budgets are of keys and teams"),
    ("max_internal_user_budget", Unsupported, SIGN_IN),
    ("max_user_budget", Unsupported, SIGN_IN),
    ("mcp_aliases", Unsupported, "there are no MCP servers"),
    ("modify_params", Approximate, "requests are made fit for providers, and what is dropped is reported"),
    ("module_level_aclient", Exact, "connections are Envoy's"),
    ("post_call_rules", Unsupported, GUARD),
    ("pre_call_rules", Unsupported, GUARD),
    ("public_model_groups", Unsupported, "`/v1/models` shows what a key may use"),
    ("redact_messages_in_exceptions", Exact, LOGS),
    ("redact_user_api_key_info", Unsupported, "`metrics.key_label: off` keeps keys out of metrics"),
    ("service_callback", Approximate, SINKS),
    ("set_verbose", Exact, LOGS),
    ("ssl_certificate", Unsupported, "Envoy's TLS settings of the cluster"),
    ("ssl_verify", Unsupported, "`dragoman envoy --ca` names the authorities; checks cannot be turned off"),
    ("store_audit_logs", Unsupported, ADMIN),
    ("success_callback", Approximate, SINKS),
    ("telemetry", Exact, "nothing is reported to anybody"),
    ("turn_off_message_logging", Exact, LOGS),
    ("upperbound_key_generate_params", Unsupported, ADMIN),
    ("use_aiohttp_transport", Exact, "connections are Envoy's"),
];

const GENERAL: &[Known] = &[
    ("alert_to_webhook_url", Unsupported, "alert on Envoy's metrics"),
    ("alert_types", Unsupported, "alert on Envoy's metrics"),
    ("alerting", Unsupported, "alert on Envoy's metrics"),
    ("alerting_args", Unsupported, "alert on Envoy's metrics"),
    ("alerting_threshold", Unsupported, "alert on Envoy's metrics"),
    ("allow_requests_on_db_unavailable", Exact, "there is no database"),
    ("allowed_ips", Unsupported, "Envoy's `rbac` filter"),
    ("allowed_routes", Unsupported, "Envoy's routes say what is served"),
    ("background_health_checks", Unsupported, HEALTH),
    ("cancel_on_disconnect", Exact, "Envoy ends the call upstream when the client goes"),
    ("completion_model", Unsupported, CHOOSES),
    ("control_plane_url", Unsupported, ADMIN),
    ("coordination_redis", Unsupported, "limits and routing are in Envoy's memory"),
    ("custom_auth", Unsupported, "Envoy's `ext_authz`, with `client_auth: metadata:NS.KEY`"),
    ("custom_key_generate", Unsupported, ADMIN),
    ("custom_sso", Unsupported, SIGN_IN),
    ("disable_adding_master_key_hash_to_db", Exact, "there is no database"),
    ("disable_error_logs", Exact, "there is no database"),
    ("disable_spend_logs", Exact, "there is no database"),
    (
        "enable_jwt_auth",
        Unsupported,
        "Envoy's `jwt_authn`, with `client_auth: metadata:envoy.filters.http.jwt_authn.KEY`",
    ),
    ("enforce_user_param", Unsupported, "calls are not refused for want of `user`"),
    ("enforced_params", Unsupported, "calls are not refused for want of parameters"),
    ("fail_closed_rate_limit_enforcement", Exact, "limits are in Envoy's memory, which does not fail alone"),
    ("forward_client_headers_to_llm_api", Unsupported, "name the headers in `headers.forward` of the upstream"),
    ("forward_openai_org_id", Unsupported, "name the header in `headers.forward` of the upstream"),
    ("global_max_parallel_requests", Unsupported, "Envoy's `circuit_breakers` of the cluster: `max_requests`"),
    ("health_check_concurrency", Unsupported, HEALTH),
    ("health_check_details", Unsupported, HEALTH),
    ("health_check_interval", Unsupported, HEALTH),
    ("infer_model_from_keys", Unsupported, "`/v1/models` shows the models of the document"),
    ("key_management_settings", Unsupported, "a secret manager sets Envoy's environment"),
    ("key_management_system", Unsupported, "a secret manager sets Envoy's environment"),
    (
        "litellm_jwtauth",
        Unsupported,
        "Envoy's `jwt_authn`, with `client_auth: metadata:envoy.filters.http.jwt_authn.KEY`",
    ),
    (
        "litellm_key_header_name",
        Unsupported,
        "keys come as `Authorization`, `x-api-key`, `api-key` or `x-goog-api-key`",
    ),
    ("max_in_flight_requests_per_worker", Unsupported, "Envoy's `circuit_breakers` and `overload_manager`"),
    ("max_queued_requests_per_worker", Unsupported, "Envoy's `circuit_breakers`: `max_pending_requests`"),
    ("max_request_size_mb", Unsupported, "Envoy bounds bodies: `request_body_buffer_limit` of the route"),
    ("max_response_size_mb", Unsupported, "answers are not bounded"),
    ("model_list_healthy_only", Unsupported, HEALTH),
    ("otel", Approximate, SINKS),
    (
        "pass_through_endpoints",
        Unsupported,
        "`upstreams.NAME.pass` at the provider whose it is, or routes of Envoy's own",
    ),
    ("public_routes", Unsupported, "routes of Envoy's own, which the filter does not see"),
    ("reject_clientside_metadata_tags", Exact, "tags are a key's own"),
    ("role_permissions", Unsupported, ADMIN),
    ("service_account_settings", Unsupported, "write the settings of each key"),
    ("store_model_in_db", Unsupported, STORE),
    ("store_prompts_in_spend_logs", Unsupported, LOGS),
    ("token_rate_limit_type", Approximate, "`tpm` counts input and output, `input_tpm` input alone"),
    ("ui_access_mode", Unsupported, SIGN_IN),
    ("use_azure_key_vault", Unsupported, "a secret manager sets Envoy's environment"),
    (
        "use_client_credentials_pass_through_routes",
        Unsupported,
        "`credentials: client` lets a caller's own key through",
    ),
    ("use_google_kms", Unsupported, "a secret manager sets Envoy's environment"),
    ("use_shared_health_check", Unsupported, HEALTH),
    ("use_x_forwarded_for", Unsupported, "Envoy's `use_remote_address` and `xff_num_trusted_hops`"),
    ("user_header_mappings", Unsupported, "callers are known by their keys"),
    ("user_header_name", Unsupported, "callers are known by their keys"),
];

/// Starts of names that say what a setting of `general_settings` is about.
const GENERAL_STARTS: &[(&str, &str)] = &[
    ("database_", STORE),
    ("failed_login_", SIGN_IN),
    ("max_failed_login_", SIGN_IN),
    ("maximum_", STORE),
    ("mcp_", "there are no MCP servers"),
    ("password_policy_", SIGN_IN),
    ("proxy_batch_", STORE),
    ("proxy_budget_", STORE),
    ("spend_", STORE),
    ("use_spend_", STORE),
    ("user_api_key_cache_", "keys are in the document"),
];

/// Whole sections.
const SECTIONS: &[Known] = &[
    ("agent_list", Unsupported, "there are no agents"),
    ("assistant_settings", Unsupported, "there are no assistants"),
    ("callback_settings", Unsupported, SINKS),
    ("files_settings", Unsupported, "there are no files and batches"),
    ("finetune_settings", Unsupported, "there is no fine-tuning"),
    ("guardrails", Unsupported, GUARD),
    ("mcp_servers", Unsupported, "there are no MCP servers"),
    ("mcp_tools", Unsupported, "there are no MCP servers"),
    ("policies", Unsupported, GUARD),
    ("policy_attachments", Unsupported, GUARD),
    ("prompts", Unsupported, "clients bring their prompts"),
    ("search_tools", Unsupported, "clients run tools"),
    ("vector_store_registry", Unsupported, "there are no vector stores"),
    ("worker_registry", Unsupported, "there is one Envoy, or many with one configuration"),
];

/// Reads what is set for all.
pub fn read(source: &Source<'_>, draft: &mut Draft, report: &mut Report) {
    drop_params(source, draft, report);
    parallel(source, draft, report);
    environment(source, report);
    credentials(source, report);
    for (section, level, note) in SECTIONS {
        if source.section(section).is_some() {
            report.known(*section, *level, *note);
        }
    }
    for (section, table, starts) in [
        ("router_settings", ROUTER, &[][..]),
        ("litellm_settings", LITELLM, &[][..]),
        ("general_settings", GENERAL, GENERAL_STARTS),
    ] {
        for (name, value) in source.settings(section).into_iter().flatten() {
            let from = format!("{section}.{name}");
            if value.is_null() {
                report.needless(from, "nothing");
            } else if let Some((_, level, note)) = table.iter().find(|(known, _, _)| known == name) {
                report.known(from, *level, *note);
            } else if let Some((_, note)) = starts.iter().find(|(start, _)| name.starts_with(start)) {
                report.unsupported(from, *note);
            }
        }
    }
}

/// What is done about parameters that an upstream does not know.
fn drop_params(source: &Source<'_>, draft: &mut Draft, report: &mut Report) {
    let Some(value) = source.setting("litellm_settings", "drop_params") else { return };
    let from = "litellm_settings.drop_params";
    match truth(value) {
        Some(drop) => {
            draft.unsupported_params = Some(if drop { "drop" } else { "reject" });
            report.exact(from, "unsupported_params");
        }
        None => report.unsupported(from, "expected `true` or `false`"),
    }
}

/// The most calls at a time of each key.
fn parallel(source: &Source<'_>, draft: &mut Draft, report: &mut Report) {
    let Some(value) = source.setting("general_settings", "max_parallel_requests") else { return };
    let from = "general_settings.max_parallel_requests";
    match Decimal::of(value).and_then(Decimal::whole) {
        Some(most) => {
            draft.parallel = Some(most);
            report.approximate(from, "keys[].limits.parallel", "of keys that `--keys` brings");
        }
        None => report.unsupported(from, "expected a whole number"),
    }
}

/// Variables that LiteLLM sets itself: Envoy's environment has them here.
fn environment(source: &Source<'_>, report: &mut Report) {
    for name in source.settings("environment_variables").into_iter().flatten().map(|(name, _)| name) {
        report.approximate(
            format!("environment_variables.{name}"),
            "Envoy's environment",
            "if an upstream reads it: the value is not copied",
        );
    }
    if let Some(members) = source.settings("environment_variables").filter(|members| !members.is_empty()) {
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        report.step(format!("set in Envoy's environment what upstreams read of {}", names.join(", ")));
    }
    if source.section("include").is_some() {
        report.needless("include", "what it names is part of this document");
    }
}

/// What is said of credentials beside their values.
fn credentials(source: &Source<'_>, report: &mut Report) {
    let list = source.section("credential_list").and_then(Value::as_array).into_iter().flatten();
    for (at, credential) in list.enumerate() {
        let place = format!("credential_list[{at}]");
        if credential.get("credential_info").is_some() {
            report.needless(format!("{place}.credential_info"), "for people");
        }
        if !report.says(&format!("{place}.credential_name")) {
            report.unsupported(&*place, "no model uses it");
            continue;
        }
        for (name, _) in credential.get("credential_values").and_then(Value::as_object).into_iter().flatten() {
            let from = format!("{place}.credential_values.{name}");
            if !report.says(&from) {
                report.unsupported(from, "the model says it itself, or its provider has no such setting");
            }
        }
    }
}
