//! The listener: where clients come in, and the filter that knows callers and models.

use dragoman::config::{ClientAuth, Config, Role};
use dragoman::gateway::UPSTREAM;

use super::embedded::Position;
use super::host;
use super::routes::{self, longest, seconds};
use super::shared::Shared;
use super::xds::File;
use super::yaml::{fill, scalar};
use super::{Plan, cluster};

const LISTENER: &str = r#"
- name: llm
  address: { socket_address: { address: «address», port_value: «port» } }
  filter_chains:
    - «chain»
"#;

const CHAIN: &str = r#"
filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: llm
      # Models may think for minutes before the first byte.
      stream_idle_timeout: «idle»
      upgrade_configs: [{ upgrade_type: websocket }] # passed on where `upstreams.NAME.pass` allows it, else refused by the filter
      «early»
      «access_log»
      «tracing»
      http_filters:
        «callers»
        - name: dragoman
          «filter»
        «host»
        - name: envoy.filters.http.router
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
            suppress_envoy_headers: true
      «routes»
"#;

/// The filter that knows callers and models.
const FILTER: &str = r#"
"@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
config:
  name: dragoman
  allow_on_headers_stop_iteration: true
  # Fail-open would send clients' keys to providers, untranslated.
  failure_policy: FAIL_RELOAD
  «one_vm»
  «vm»
  configuration:
    «configuration»
"#;

const EARLY: &str = r#"
# Who calls and where to is not for clients to say: their own headers of these names go before a filter or route sees them.
early_header_mutation_extensions:
  - name: envoy.http.early_header_mutation.header_mutation
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
      mutations: [«removals»]
"#;

const ACCESS_LOG: &str = include_str!("access_log.yaml");

const TRACING: &str = include_str!("tracing.yaml");

const ONE_LINE: &str = "
# A call that goes around to another model has its line at the end of its way.
filter: { status_code_filter: { comparison: { op: NE, value: { default_value: 307, runtime_key: dragoman.around } } } }
";

const ONE_VM: &str = "# The same for both filters: so they share one VM, and with it their knowledge of a call.\n";

/// The list of the one listener.
pub fn listeners(plan: &Plan<'_>, shared: &mut Shared) -> String {
    fill(
        LISTENER.trim_start(),
        &[
            ("address", &scalar(&plan.address.to_string())),
            ("port", &plan.port.to_string()),
            ("chain", &chain(plan, shared)),
        ],
    )
}

/// Its one filter chain.
pub fn chain(plan: &Plan<'_>, shared: &mut Shared) -> String {
    let config = plan.config;
    let filter = match plan.xds {
        Some(xds) => xds.discovery(File::Gateway),
        None => fill("typed_config:\n  «filter»\n", &[("filter", &filter(plan, shared))]),
    };
    let routes = match plan.xds {
        Some(xds) => {
            let source = xds.source(File::Routes);
            fill("rds: { route_config_name: llm, config_source: { «source» } }\n", &[("source", &source)])
        }
        None => fill("route_config:\n  «routes»\n", &[("routes", &routes::routes(plan, shared))]),
    };
    let tracing = plan.traces.map(|traces| fill(TRACING, &[("traces", traces), ("cluster", cluster::TRACES)]));
    let tracing = tracing.unwrap_or_default();
    let one_line = if routes::stands_in(config) { ONE_LINE.trim() } else { "" };
    fill(
        CHAIN.trim_start(),
        &[
            ("idle", &seconds(longest(config).max(900_000))),
            ("early", &early(config)),
            ("access_log", &fill(ACCESS_LOG, &[("filter", one_line)])),
            ("tracing", &tracing),
            ("callers", &callers(&config.client_auth)),
            ("filter", &filter),
            ("host", &host::in_listener(config)),
            ("routes", &routes),
        ],
    )
}

/// The filter, as the host's `typed_config`.
pub fn filter(plan: &Plan<'_>, shared: &mut Shared) -> String {
    let (role, one_vm) = match plan.config.role {
        Role::Gateway => ("gateway", ONE_VM),
        Role::Standalone | Role::Upstream => ("standalone", ""),
    };
    let names = plan.whole && plan.config.role == Role::Gateway;
    let configuration = plan.embedded.configuration(Position::Listener, role, names);
    let vm = shared.member("vm_config", "vm", &plan.vm);
    fill(FILTER.trim_start(), &[("one_vm", one_vm), ("vm", &vm), ("configuration", &configuration)])
}

/// What is done about headers by which clients could pass for others, or call past the routes of their own paths.
fn early(config: &Config) -> String {
    let caller = match &config.client_auth {
        ClientAuth::Header(name) => Some(name.as_str()),
        _ => None,
    };
    let own_routes = config.role != Role::Gateway && config.models.is_empty() && config.upstreams.len() > 1;
    let names = caller.into_iter().chain(own_routes.then_some(UPSTREAM));
    let removals: Vec<_> = names.map(|name| format!("{{ remove: {} }}", scalar(name))).collect();
    if removals.is_empty() {
        return String::new();
    }
    fill(EARLY.trim(), &[("removals", &removals.join(", "))])
}

/// Where the host's filter goes that knows who calls.
fn callers(auth: &ClientAuth) -> String {
    let what = match auth {
        ClientAuth::FilterState(name) => format!("writes the caller's key id to the filter state `{name}`"),
        ClientAuth::Header(name) => format!("writes the caller's key id to the header `{name}`"),
        ClientAuth::Metadata { namespace, key } => {
            format!("writes the caller's key id to the metadata `{namespace}`, `{key}`")
        }
        ClientAuth::Keys | ClientAuth::Open => return String::new(),
    };
    format!("# The filter that {what} goes here.\n")
}
