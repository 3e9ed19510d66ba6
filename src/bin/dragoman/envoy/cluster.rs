//! Clusters: where calls go.

use std::collections::HashSet;

use dragoman::auth::token::Source;
use dragoman::config::{Balance, Config, Credentials, Model, RemoteImages, Role, Upstream};
use dragoman::cost::{Class, cost};
use dragoman::usage::Usage;

use super::Plan;
use super::embedded::Position;
use super::host;
use super::routes;
use super::shared::{Shared, Use};
use super::tls::{self, Address, Transport};
use super::xds::File;
use super::yaml::{fill, scalar};

const CLUSTER: &str = r#"
- name: «name»
  «stat_name»
  «discovery»
  connect_timeout: 5s
  «breakers»
  «outliers»
  load_assignment:
    cluster_name: «name»
    endpoints:
      «endpoints»
  «sockets»
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      «protocol»
      «filters»
"#;

const STAT_NAME: &str = "alt_stat_name: «name» # dots would cut the name in stats\n";

const STATIC: &str = "type: STATIC\n";

const DNS: &str = "
type: STRICT_DNS
dns_lookup_family: V4_PREFERRED
";

const BREAKERS: &str = "
# The defaults are low: 1024 calls, and the fourth retry at a time is refused.
thresholds: [{ max_connections: 10000, max_pending_requests: 10000, max_requests: 10000, max_retries: 1000 }]
";

const OUTLIERS: &str = "
# One that fails so often in a row is left alone, for longer each time: calls start with the next. If all are, all are tried.
consecutive_5xx: 5
base_ejection_time: 10s
max_ejection_time: 60s
max_ejection_percent: 100
";

const PRIORITY: &str = r#"
- priority: «priority»
  lb_endpoints:
    - endpoint: { address: { socket_address: { address: «host», port_value: «port» } } }
      metadata: { filter_metadata: { «metadata» } }
"#;

const ALONE: &str = r#"
- lb_endpoints:
    - endpoint: { address: { socket_address: { address: «host», port_value: «port» } } }
      «metadata»
"#;

const ALPN: &str = "
# HTTP/2 if the provider's ALPN says so, else HTTP/1.1.
auto_config: { http_protocol_options: {}, http2_protocol_options: {} }
";

const HTTP1: &str = "explicit_http_config: { http_protocol_options: {} }\n";

const UPSTREAM_FILTERS: &str = r#"
http_filters:
  «dragoman»
  «host»
  - name: envoy.filters.http.upstream_codec
    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec }
"#;

/// The filter that translates.
const DRAGOMAN: &str = r#"
"@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
config:
  name: dragoman-upstream
  allow_on_headers_stop_iteration: true
  failure_policy: FAIL_RELOAD
  «vm»
  configuration:
    «configuration»
"#;

const REMOTE_IMAGES: &str = r#"
# The filter fetches images here: from the hosts that its configuration lists.
- name: «name»
  connect_timeout: 5s
  lb_policy: CLUSTER_PROVIDED
  cluster_type:
    name: envoy.clusters.dynamic_forward_proxy
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig
      dns_cache_config: { name: «name», dns_lookup_family: V4_PREFERRED, max_hosts: 1024 }
  transport_socket:
    «socket»
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      upstream_http_protocol_options: { auto_sni: true, auto_san_validation: true }
      «protocol»
"#;

/// The list of clusters.
pub fn clusters(plan: &Plan<'_>, shared: &mut Shared) -> String {
    let config = plan.config;
    let mut list: String = if config.role == Role::Gateway && !config.models.is_empty() {
        let models: String = config.models.iter().map(|model| of_model(plan, model, shared)).collect();
        let passed = routes::passing(config).map(|upstream| of_upstream(plan, upstream, shared));
        models + &passed.collect::<String>()
    } else {
        config.upstreams.iter().map(|upstream| of_upstream(plan, upstream, shared)).collect()
    };
    let mut written: Vec<&str> = Vec::new();
    for source in sources(config) {
        if !written.contains(&source.cluster.as_str()) {
            written.push(&source.cluster);
            let address = Address::of(&source.endpoint.authority, source.endpoint.tls);
            list.push_str(&of_other(plan, &source.cluster, address, "The filter fetches tokens here.", shared));
        }
    }
    // Another name is that of a cluster of the user's own.
    if config.remote_images.as_ref().is_some_and(|images| images.cluster == RemoteImages::CLUSTER) {
        let values = [("name", RemoteImages::CLUSTER), ("socket", &tls::any_name(plan.ca)), ("protocol", HTTP1)];
        list.push_str(&fill(REMOTE_IMAGES.trim_start(), &values));
    }
    if let Some(traces) = plan.traces {
        list.push_str(&of_other(plan, TRACES, Address::of(traces, false), "Spans go here.", shared));
    }
    list.push_str(host::clusters(config));
    list
}

/// Whether calls go to the cluster of that name.
pub fn is_taken(config: &Config, name: &str) -> bool {
    config.upstreams.iter().any(|upstream| upstream.name == name) || of_models(config).any(|taken| taken == name)
}

/// The name that two clusters of models would have.
pub fn clash(config: &Config) -> Option<String> {
    let mut names = HashSet::new();
    of_models(config).find(|name| !names.insert(name.clone()))
}

fn of_models(config: &Config) -> impl Iterator<Item = String> {
    let passed = routes::passing(config).map(|upstream| routes::passing_cluster(upstream, config));
    config.models.iter().flat_map(|model| starts(config, model)).map(|(name, _)| name).chain(passed)
}

/// Where tokens come from.
pub fn sources(config: &Config) -> impl Iterator<Item = &Source> {
    config.upstreams.iter().filter_map(|upstream| match &upstream.credentials {
        Credentials::Token(source) => Some(&**source),
        _ => None,
    })
}

/// One upstream; the filter in it, if there is one, knows it by its endpoint.
fn of_upstream(plan: &Plan<'_>, upstream: &Upstream, shared: &mut Shared) -> String {
    let address = address(upstream);
    let metadata = match plan.config.role {
        Role::Gateway => format!("metadata: {{ filter_metadata: {{ {} }} }}", metadata(upstream, false)),
        Role::Standalone | Role::Upstream => String::new(),
    };
    let endpoints = fill(
        ALONE.trim_start(),
        &[("host", &scalar(address.host)), ("port", &address.port.to_string()), ("metadata", &metadata)],
    );
    let filters = filters(plan, &[upstream], shared);
    let name = routes::passing_cluster(upstream, plan.config);
    write(plan, &name, addresses(&[upstream]), &endpoints, &filters, shared)
}

/// A model's clusters: one for each upstream with which calls may start.
fn of_model(plan: &Plan<'_>, model: &Model, shared: &mut Shared) -> String {
    starts(plan.config, model).into_iter().map(|(name, order)| of_start(plan, &name, &order, shared)).collect()
}

/// Upstreams that calls try in this order.
fn of_start(plan: &Plan<'_>, name: &str, order: &[&Upstream], shared: &mut Shared) -> String {
    let transport = tls::transport(&addresses(order), plan.ca);
    let mut endpoints = String::new();
    for (place, (upstream, named)) in order.iter().zip(&transport.named).enumerate() {
        let address = address(upstream);
        endpoints.push_str(&fill(
            PRIORITY.trim_start(),
            &[
                ("priority", &place.to_string()),
                ("host", &scalar(address.host)),
                ("port", &address.port.to_string()),
                ("metadata", &metadata(upstream, *named)),
            ],
        ));
    }
    let filters = filters(plan, order, shared);
    write(plan, name, addresses(order), &endpoints, &filters, shared)
}

/// With which upstream calls for a model may start, and in which order they go on: the cluster's name and its upstreams.
/// The first is called like the model, and starts with its first upstream.
pub fn starts<'c>(config: &'c Config, model: &Model) -> Vec<(String, Vec<&'c Upstream>)> {
    let all = upstreams(config, model);
    let start = |(place, first): (usize, &&Upstream)| {
        let name = if place == 0 { model.name.clone() } else { format!("{}@{}", model.name, first.name) };
        let others = all.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, other)| *other);
        (name, all.get(place).copied().into_iter().chain(others).collect())
    };
    all.iter().enumerate().map(start).collect()
}

/// The upstreams of a model: in its order, or where it is balanced by cost, the cheapest first.
pub fn upstreams<'c>(config: &'c Config, model: &Model) -> Vec<&'c Upstream> {
    let mut places: Vec<usize> = model.upstreams.iter().map(|choice| choice.upstream).collect();
    if model.balance == Balance::Cost {
        // Of a call that is like many.
        let usage = Usage { input: 1000, output: 300, ..Usage::default() };
        let price = |place: &usize| {
            let upstream = config.upstreams.get(*place)?;
            cost(&config.rates(&model.name, upstream, &config.name_at(&model.name, *place))?, &usage, Class::default())
        };
        places.sort_by_cached_key(|place| price(place).unwrap_or(u64::MAX));
    }
    places.into_iter().filter_map(|place| config.upstreams.get(place)).collect()
}

/// The cluster to which spans go.
pub const TRACES: &str = "dragoman-traces";

/// An endpoint that is no upstream.
fn of_other(plan: &Plan<'_>, name: &str, address: Address<'_>, what: &str, shared: &mut Shared) -> String {
    let (host, port) = (scalar(address.host), address.port.to_string());
    let endpoints = fill(ALONE.trim_start(), &[("host", &host), ("port", &port), ("metadata", "")]);
    let cluster = write(plan, name, vec![(name, address)], &endpoints, "", shared);
    format!("# {what}\n{cluster}")
}

fn address(upstream: &Upstream) -> Address<'_> {
    Address::of(&upstream.authority, upstream.tls)
}

fn addresses<'c>(upstreams: &[&'c Upstream]) -> Vec<(&'c str, Address<'c>)> {
    upstreams.iter().map(|upstream| (upstream.name.as_str(), address(upstream))).collect()
}

fn metadata(upstream: &Upstream, named: bool) -> String {
    let name = scalar(&upstream.name);
    let own_socket =
        if named { format!(", envoy.transport_socket_match: {{ upstream: {name} }}") } else { String::new() };
    format!("dragoman: {{ upstream: {name} }}{own_socket}")
}

fn write(
    plan: &Plan<'_>,
    name: &str,
    addresses: Vec<(&str, Address<'_>)>,
    endpoints: &str,
    filters: &str,
    shared: &mut Shared,
) -> String {
    let transport = tls::transport(&addresses, plan.ca);
    let literal = addresses.iter().all(|(_, address)| address.ip.is_some());
    let stat_name =
        if name.contains('.') { fill(STAT_NAME, &[("name", &scalar(&name.replace('.', "_")))]) } else { String::new() };
    fill(
        CLUSTER.trim_start(),
        &[
            ("name", &scalar(name)),
            ("stat_name", &stat_name),
            ("discovery", if literal { STATIC } else { DNS.trim() }),
            ("breakers", &shared.member("circuit_breakers", "breakers", BREAKERS.trim())),
            (
                "outliers",
                &if addresses.len() > 1 {
                    shared.member("outlier_detection", "outliers", OUTLIERS.trim())
                } else {
                    String::new()
                },
            ),
            ("endpoints", endpoints),
            ("sockets", &sockets(&transport, shared)),
            ("protocol", if transport.alpn { ALPN.trim() } else { HTTP1 }),
            ("filters", filters),
        ],
    )
}

fn sockets(transport: &Transport, shared: &mut Shared) -> String {
    if transport.socket.is_empty() {
        return String::new();
    }
    let mut members = shared.member("transport_socket", "tls", &transport.socket);
    if !transport.matches.is_empty() {
        members.push_str("# Endpoints that are spoken to in another way; all else gets the above.\n");
        members.push_str(&shared.member("transport_socket_matches", "sockets", &transport.matches));
    }
    members
}

/// The filters that a request passes on its way to the endpoint; nothing where there are none.
fn filters(plan: &Plan<'_>, upstreams: &[&Upstream], shared: &mut Shared) -> String {
    let host = host::in_cluster(plan, upstreams);
    let dragoman = match plan.config.role {
        Role::Gateway => translator(plan, shared),
        Role::Standalone | Role::Upstream if host.is_empty() => return String::new(),
        Role::Standalone | Role::Upstream => String::new(),
    };
    fill(UPSTREAM_FILTERS.trim_start(), &[("dragoman", &dragoman), ("host", &host)])
}

/// The filter that translates: the same in all clusters.
fn translator(plan: &Plan<'_>, shared: &mut Shared) -> String {
    let anchor = match shared.share("translate", "") {
        Use::First(anchor) => anchor,
        Use::Again(anchor) => return format!("- *{anchor}\n"),
    };
    let inside = match plan.xds {
        Some(xds) => xds.discovery(File::Upstream),
        None => fill("typed_config:\n  «filter»\n", &[("filter", &filter(plan, shared))]),
    };
    let filter = format!("name: dragoman\n{inside}");
    fill("- «filter»\n", &[("filter", &anchor.map_or_else(|| filter.clone(), |anchor| format!("&{anchor}\n{filter}")))])
}

/// The filter, as the host's `typed_config`.
pub fn filter(plan: &Plan<'_>, shared: &mut Shared) -> String {
    let configuration = plan.embedded.configuration(Position::Cluster, "upstream", plan.whole);
    let vm = shared.member("vm_config", "vm", &plan.vm);
    fill(DRAGOMAN.trim_start(), &[("vm", &vm), ("configuration", &configuration)])
}
