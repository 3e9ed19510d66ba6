//! Routes: which cluster a call goes to once the filter has chosen.

use dragoman::config::{Config, Model, Role, Upstream};

use super::Plan;
use super::cluster::starts;
use super::shared::Shared;
use super::yaml::{fill, scalar};

/// The longest that a call may take where the configuration does not say, in milliseconds: Envoy's 15 s is too short.
const TIMEOUT: u64 = 600_000;

/// How often a call is tried again where the configuration does not say.
const RETRIES: u32 = 2;

const ROUTES: &str = r#"
name: llm
virtual_hosts:
  - name: llm
    domains: ["*"]
    # Images and documents come inside of requests; the default is 1 MiB.
    request_body_buffer_limit: 67108864
    «private»
    # Envoy's own timeout of 15 s is too short for an answer. `models[].timeouts` are finer.
    routes:
      «routes»
      # «last»: the header is never there, which is a 503.
      # Under a direct response the limit on bodies would not hold.
      - match: { prefix: / }
        route: { cluster_header: x-dragoman-nowhere }
"#;

/// The filter in the cluster sends nothing on that a client or another filter has set; the one in the listener needs
/// these until the route is known.
const PRIVATE: &str = "
# What only the routes read.
request_headers_to_remove: [x-dragoman-upstream, x-forwarded-proto]
";

const BY_HEADER: &str = r#"
- match: { prefix: /, headers: [{ name: «header», string_match: { exact: «value» } }] }
  route:
    cluster: «value»
    timeout: «timeout»
    «retries»
    «around»
"#;

const BY_START: &str = r#"
# Calls for which the filter has chosen another upstream than the first.
- match:
    prefix: /
    headers:
      - { name: x-dragoman-model, string_match: { exact: «model» } }
      - { name: x-dragoman-upstream, string_match: { exact: «start» } }
  route:
    cluster: «cluster»
    timeout: «timeout»
    «retries»
    «around»
"#;

const PASSED: &str = r#"
# What is passed on to an upstream in its own words (`upstreams.NAME.pass`): once, and for as long as either end likes.
- match:
    prefix: /
    headers:
      - { name: x-dragoman-endpoint, string_match: { exact: upstream } }
      - { name: x-dragoman-upstream, string_match: { exact: «upstream» } }
  route:
    cluster: «cluster»
    timeout: 0s
"#;

const BY_PATH: &str = r#"
- match: { path_separated_prefix: /«upstream» }
  route:
    cluster: «upstream»
    timeout: «timeout»
    «retries»
  metadata: { filter_metadata: { dragoman: { upstream: «upstream» } } }
"#;

const ANY: &str = r#"
- match: { prefix: / }
  route:
    cluster: «upstream»
    timeout: «timeout»
    «retries»
"#;

const OWN_ROUTES: &str = "
# The configuration lists no models, so the path as it comes says who answers: /«upstream»/v1/chat/completions.
# Change these matches, or add more: what counts is the metadata.
";

/// Retries to one upstream: nothing that it refuses because of the call itself, and not at once.
const SAME: &str = "
# To the same upstream: the filter has translated for it. `models[].retries` says how often.
retry_on: gateway-error,connect-failure,refused-stream,reset-before-request
num_retries: «count»
retry_back_off: { base_interval: 0.5s, max_interval: 10s }
";

/// Retries that are translated anew.
const FALLBACK: &str = "
retry_on: 5xx,reset,connect-failure,refused-stream,retriable-status-codes
retriable_status_codes: [408, 409, 429]
num_retries: «count»
«idle»
«next»
";

/// How a call gets to a model that stands in for another.
const AROUND: &str = "
# The filter sends a call around to a model that stands in (`models[].fallbacks`); a provider's own redirect is an error.
max_internal_redirects: 5
redirect_response_codes: [307]
allow_cross_scheme_redirect: true
";

const NEXT_PRIORITY: &str = r#"
# Each retry goes to endpoints of the next priority.
retry_priority:
  name: envoy.retry_priorities.previous_priorities
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig
    update_frequency: 1
"#;

/// Where there is no other.
const BACK_OFF: &str = "retry_back_off: { base_interval: 0.5s, max_interval: 10s }";

/// The route configuration.
pub fn routes(plan: &Plan<'_>, shared: &mut Shared) -> String {
    let config = plan.config;
    let private = match config.role {
        Role::Gateway => "",
        Role::Standalone | Role::Upstream => PRIVATE.trim(),
    };
    let (last, list) = match config.role {
        Role::Gateway if config.models.is_empty() => match config.upstreams.as_slice() {
            [only] => ("Never reached", to_upstream(ANY, &only.name, shared, config)),
            several => {
                ("No upstream", own_routes(several.iter().map(|upstream| upstream.name.as_str()), shared, config))
            }
        },
        Role::Gateway => (
            "Before the filter has chosen, and if it chose a model that has no route",
            config.models.iter().map(|model| to_model(config, model, shared)).collect(),
        ),
        Role::Standalone | Role::Upstream => {
            let names = || config.upstreams.iter().map(|upstream| upstream.name.as_str());
            let mut list: String = names().map(|name| to_upstream(BY_HEADER, name, shared, config)).collect();
            if config.models.is_empty() && config.upstreams.len() > 1 {
                list.push_str(&own_routes(names(), shared, config));
            }
            ("Before the filter has chosen, and if it chose an upstream that has no route", list)
        }
    };
    // Elsewhere routes know upstreams anyway, and the filter's headers say the rest.
    let passed = passing(config).filter(|_| config.role == Role::Gateway);
    let list = passed.map(|upstream| to_passing(upstream, config)).collect::<String>() + &list;
    fill(ROUTES.trim_start(), &[("private", private), ("routes", &list), ("last", last)])
}

/// The upstreams to which requests are passed on in their own words.
pub fn passing(config: &Config) -> impl Iterator<Item = &Upstream> {
    config.upstreams.iter().filter(|upstream| !upstream.pass.is_empty())
}

/// The cluster of what is passed on to an upstream.
pub fn passing_cluster(upstream: &Upstream, config: &Config) -> String {
    // Where clusters are those of models, an upstream has none of its own.
    let own = config.role == Role::Gateway && !config.models.is_empty();
    if own { format!("upstream-{}", upstream.name) } else { upstream.name.clone() }
}

fn to_passing(upstream: &Upstream, config: &Config) -> String {
    let cluster = passing_cluster(upstream, config);
    fill(PASSED.trim_start(), &[("upstream", &scalar(&upstream.name)), ("cluster", &scalar(&cluster))])
}

/// Whether calls go around to models that stand in for others.
pub fn stands_in(config: &Config) -> bool {
    config.role == Role::Gateway && config.models.iter().any(|model| !model.fallbacks.is_empty())
}

/// The longest that any call may take, in milliseconds.
pub fn longest(config: &Config) -> u64 {
    config.models.iter().filter_map(|model| model.timeouts.total).chain([TIMEOUT]).max().unwrap_or(TIMEOUT)
}

/// A duration as Envoy reads it.
pub fn seconds(milliseconds: u64) -> String {
    let (whole, rest) = (milliseconds / 1000, milliseconds % 1000);
    if rest == 0 { format!("{whole}s") } else { format!("{whole}.{rest:03}s") }
}

fn own_routes<'n>(names: impl Iterator<Item = &'n str>, shared: &mut Shared, config: &Config) -> String {
    let mut names = names.peekable();
    let example = names.peek().copied().unwrap_or_default();
    let mut list = fill(OWN_ROUTES.trim(), &[("upstream", example)]);
    list.extend(names.map(|name| to_upstream(BY_PATH, name, shared, config)));
    list
}

fn to_upstream(template: &str, name: &str, shared: &mut Shared, config: &Config) -> String {
    let policy = match config.role {
        Role::Gateway => fill(FALLBACK.trim(), &[("count", &RETRIES.to_string()), ("idle", ""), ("next", BACK_OFF)]),
        Role::Standalone | Role::Upstream => fill(SAME.trim(), &[("count", &RETRIES.to_string())]),
    };
    fill(
        template.trim_start(),
        &[
            ("header", "x-dragoman-upstream"),
            ("value", &scalar(name)),
            ("upstream", &scalar(name)),
            ("timeout", &seconds(longest(config))),
            ("retries", &shared.member("retry_policy", "retries", &policy)),
            ("around", ""),
        ],
    )
}

/// The routes of a model: to the upstream with which the call starts, the first of all last.
fn to_model(config: &Config, model: &Model, shared: &mut Shared) -> String {
    let starts = starts(config, model);
    let next = if starts.len() < 2 { BACK_OFF } else { NEXT_PRIORITY.trim() };
    let count = model.retries.unwrap_or(RETRIES).to_string();
    let idle = model.timeouts.idle.map(|idle| format!("per_try_idle_timeout: {}", seconds(idle))).unwrap_or_default();
    let policy = fill(FALLBACK.trim(), &[("count", &count), ("idle", &idle), ("next", next)]);
    let stands_in = stands_in(config);
    let around = |shared: &mut Shared| {
        if stands_in { shared.member("internal_redirect_policy", "around", AROUND.trim()) } else { String::new() }
    };
    let timeout = seconds(model.timeouts.total.unwrap_or(TIMEOUT));
    let mut list = String::new();
    for (cluster, order) in starts.iter().skip(1) {
        let start = order.first().map_or("", |upstream| &upstream.name);
        list.push_str(&fill(
            BY_START.trim_start(),
            &[
                ("model", &scalar(&model.name)),
                ("start", &scalar(start)),
                ("cluster", &scalar(cluster)),
                ("timeout", &timeout),
                ("retries", &shared.member("retry_policy", "retries", &policy)),
                ("around", &around(shared)),
            ],
        ));
    }
    list.push_str(&fill(
        BY_HEADER.trim_start(),
        &[
            ("header", "x-dragoman-model"),
            ("value", &scalar(&model.name)),
            ("timeout", &timeout),
            ("retries", &shared.member("retry_policy", "retries", &policy)),
            ("around", &around(shared)),
        ],
    ));
    list
}
