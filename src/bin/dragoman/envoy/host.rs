//! Filters of the host's that put credentials in, for upstreams with `credentials: host`.
//!
//! Which one follows from the provider: Amazon's get a signer, Google's the tokens of the machine's own service account,
//! all others a secret from a file. Where several upstreams share a cluster,
//! each is wrapped, so that it acts on its own upstream alone: Dragoman names that in filter state at every attempt.

use dragoman::auth::token::Issuer;
use dragoman::config::{Config, Credentials, Role, Upstream};
use dragoman::provider::Auth;

use super::Plan;
use super::yaml::{fill, scalar};

/// What puts the credentials of an upstream in.
enum Kind {
    /// A secret in a file.
    File,
    /// The metadata server of the machine, by a filter of the listener's.
    Google,
    /// A signature for this service.
    Sign(&'static str),
}

const SIGN: &str = r#"
# With the keys that Envoy finds as Amazon's own tools do.
name: envoy.filters.http.aws_request_signing
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.aws_request_signing.v3.AwsRequestSigning
  service_name: «service»
  «region»
  # What proxies on the way may change.
  match_excluded_headers: [{ prefix: x-envoy- }, { prefix: x-forwarded- }, { exact: traceparent }, { exact: tracestate }, { exact: x-request-id }]
"#;

const FILE: &str = r#"
# The secret is in a file; envoy/secrets/ has one to start from.
name: envoy.filters.http.credential_injector
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector
  overwrite: true
  credential:
    name: envoy.http.injected_credentials.generic
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic
      credential:
        name: «upstream»
        # A new file that is moved over the old one is read at once.
        sds_config: { path_config_source: { path: «path», watched_directory: { path: «directory» } } }
      header: «header»
      «prefix»
"#;

const GOOGLE: &str = r#"
# The token that a filter of the listener's got.
name: envoy.filters.http.header_mutation
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
  mutations:
    request_mutations:
      - append:
          header: { key: authorization, value: "Bearer %DYNAMIC_METADATA(envoy.filters.http.gcp_authn:token)%" }
          append_action: OVERWRITE_IF_EXISTS_OR_ADD
"#;

const GOOGLE_LISTENER: &str = r#"
name: envoy.filters.http.gcp_authn
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.gcp_authn.v3.GcpAuthnFilterConfig
  cluster: gce_metadata
  timeout: 2s
  cache_config: { cache_size: 1 }
  audience: { access_token: {} }
  token_metadata_key: token
"#;

/// The wrapper's name is the one under which the token is found.
const GOOGLE_NAME: &str = "envoy.filters.http.gcp_authn";

const GOOGLE_CLUSTER: &str = "
# Gives tokens of the machine's own service account.
- name: gce_metadata
  type: STRICT_DNS
  dns_lookup_family: V4_ONLY
  connect_timeout: 2s
  load_assignment:
    cluster_name: gce_metadata
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: metadata.google.internal, port_value: 80 } } } }] }]
";

const WRAPPER: &str = r#"
- name: «name»
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher
    extension_config:
      «filter»
    xds_matcher:
      matcher_list:
        matchers:
          - predicate:
              not_matcher:
                «predicate»
            on_match:
              action:
                name: skip
                typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter }
"#;

/// One upstream of a cluster.
const OF_UPSTREAM: &str = r#"
single_predicate:
  input:
    name: upstream
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.FilterStateInput
      key: wasm.dragoman_upstream
  value_match: { exact: «upstream» }
"#;

/// One model.
const OF_MODEL: &str = r#"
single_predicate:
  input:
    name: model
    typed_config:
      "@type": type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput
      header_name: x-dragoman-model
  value_match: { exact: «model» }
"#;

/// The filters of a cluster for these upstreams, as items of a list.
pub fn in_cluster(plan: &Plan<'_>, upstreams: &[&Upstream]) -> String {
    let mut list = String::new();
    for upstream in upstreams.iter().filter(|upstream| is_hosts(upstream)) {
        let filter = match kind(upstream) {
            Kind::File => file(plan, upstream),
            Kind::Google => GOOGLE.trim_start().to_owned(),
            Kind::Sign(service) => sign(upstream, service),
        };
        let name = scalar(&upstream.name);
        list.push_str(&if upstreams.len() > 1 {
            let predicate = fill(OF_UPSTREAM.trim_start(), &[("upstream", &name)]);
            wrap(&format!("credentials of {}", upstream.name), &filter, &predicate)
        } else {
            fill("- «filter»\n", &[("filter", &filter)])
        });
    }
    list
}

/// The filters of the listener that those of clusters need, as items of a list.
pub fn in_listener(config: &Config) -> String {
    if !needs_google(config) {
        return String::new();
    }
    let by_google = |place: usize| {
        let upstream = config.upstreams.get(place);
        upstream.is_some_and(|upstream| is_hosts(upstream) && matches!(kind(upstream), Kind::Google))
    };
    let predicates: Vec<String> = match config.role {
        Role::Gateway => {
            let models = config.models.iter();
            let of = models.filter(|model| model.upstreams.iter().any(|choice| by_google(choice.upstream)));
            of.map(|model| fill(OF_MODEL.trim_start(), &[("model", &scalar(&model.name))])).collect()
        }
        Role::Standalone | Role::Upstream => {
            let of = config.upstreams.iter().enumerate().filter(|(place, _)| by_google(*place));
            of.map(|(_, it)| fill(OF_UPSTREAM.trim_start(), &[("upstream", &scalar(&it.name))])).collect()
        }
    };
    let filter = GOOGLE_LISTENER.trim_start();
    match predicates.as_slice() {
        // Routes choose, of which nothing is known here.
        [] => fill("- «filter»\n", &[("filter", filter)]),
        [one] => wrap(GOOGLE_NAME, filter, one),
        several => {
            let several: String = several.iter().map(|one| fill("- «one»\n", &[("one", one)])).collect();
            let any = fill("or_matcher:\n  predicate:\n    «several»\n", &[("several", &several)]);
            wrap(GOOGLE_NAME, filter, &any)
        }
    }
}

/// The clusters that the filters call.
pub fn clusters(config: &Config) -> &'static str {
    if needs_google(config) { GOOGLE_CLUSTER.trim_start() } else { "" }
}

/// What the bootstrap says of the host itself: without it secrets are not read from files.
pub fn node(config: &Config) -> &'static str {
    let file = |upstream: &Upstream| is_hosts(upstream) && matches!(kind(upstream), Kind::File);
    if config.upstreams.iter().any(file) { "node: { id: dragoman, cluster: dragoman }\n" } else { "" }
}

/// The upstream whose tokens only a later release than `envoy` gets.
pub fn unsupported<'c>(config: &'c Config, envoy: &str) -> Option<&'c Upstream> {
    let by_google = |upstream: &&Upstream| is_hosts(upstream) && matches!(kind(upstream), Kind::Google);
    config.upstreams.iter().find(by_google).filter(|_| !envoy.starts_with("1.40"))
}

fn is_hosts(upstream: &Upstream) -> bool {
    matches!(upstream.credentials, Credentials::Host)
}

fn kind(upstream: &Upstream) -> Kind {
    let google = match upstream.provider.tokens {
        [Issuer::Gcp] => true,
        several => several.contains(&Issuer::Gcp) && upstream.authority.ends_with(".googleapis.com"),
    };
    match upstream.provider.signs {
        Some(service) => Kind::Sign(service),
        None if google => Kind::Google,
        None => Kind::File,
    }
}

fn needs_google(config: &Config) -> bool {
    config.upstreams.iter().any(|upstream| is_hosts(upstream) && matches!(kind(upstream), Kind::Google))
}

fn file(plan: &Plan<'_>, upstream: &Upstream) -> String {
    let (header, prefix) = match upstream.provider.auth {
        Auth::Bearer | Auth::IbmIam => ("authorization", "header_value_prefix: \"Bearer \""),
        Auth::Header(name) | Auth::Headers(name, _) => (name, ""),
        Auth::Token => ("authorization", "header_value_prefix: \"Token \""),
    };
    fill(
        FILE.trim_start(),
        &[
            ("upstream", &scalar(&upstream.name)),
            ("path", &scalar(&format!("{}/{}.yaml", plan.secrets, upstream.name))),
            ("directory", &scalar(plan.secrets)),
            ("header", header),
            ("prefix", prefix),
        ],
    )
}

fn sign(upstream: &Upstream, service: &str) -> String {
    let region = upstream.option("region").map(|region| format!("region: {}", scalar(region))).unwrap_or_default();
    fill(SIGN.trim_start(), &[("service", service), ("region", &region)])
}

fn wrap(name: &str, filter: &str, predicate: &str) -> String {
    fill(WRAPPER.trim_start(), &[("name", &scalar(name)), ("filter", filter), ("predicate", predicate)])
}
