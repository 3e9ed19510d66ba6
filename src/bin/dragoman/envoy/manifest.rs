//! Manifests for control planes that write Envoy's configuration themselves: what they are to add to it.

use clap::ValueEnum;

use super::shared::Shared;
use super::yaml::{fill, items, scalar};
use super::{Options, Plan, STATS, cluster, listener};

/// Who runs Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// The team itself.
    Envoy,
    /// [Istio](https://istio.io/latest/docs/reference/config/networking/envoy-filter/)
    Istio,
    /// [Envoy Gateway](https://gateway.envoyproxy.io/docs/api/extension_types/#envoypatchpolicy)
    EnvoyGateway,
}

const NEEDS: &str = "
#
# Envoy's container needs the filter at «wasm», from a volume of an image or of its own«variables».
";

const ISTIO: &str = "
«head»
# Clients come in on port «port», which the gateway's service must have.
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: dragoman, namespace: «namespace» }
spec:
  workloadSelector: { labels: { istio: «name» } }
  configPatches:
    - applyTo: LISTENER
      match: { context: GATEWAY }
      patch:
        operation: ADD
        value:
          «listener»
    «clusters»
    - applyTo: BOOTSTRAP # read when a pod starts
      patch:
        operation: MERGE
        value:
          «stats»
";

const ISTIO_CLUSTER: &str = "
- applyTo: CLUSTER
  match: { context: GATEWAY }
  patch:
    operation: ADD
    value:
      «cluster»
";

const ENVOY_GATEWAY: &str = "
«head»
# Clients come in on the listener `«listener_name»` of the gateway `«name»`, over HTTP, whatever routes are attached to it. Envoy Gateway must
# be told to allow patches (`extensionApis.enableEnvoyPatchPolicy`), and the gateway names the `EnvoyProxy` below in its
# `infrastructure.parametersRef`.
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata: { name: dragoman, namespace: «namespace» }
spec:
  targetRef: { group: gateway.networking.k8s.io, kind: Gateway, name: «name» }
  type: JSONPatch
  jsonPatches:
    - type: type.googleapis.com/envoy.config.listener.v3.Listener
      name: «listener»
      operation:
        op: add
        path: /default_filter_chain
        value:
          «chain»
    «clusters»
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: { name: dragoman, namespace: «namespace» }
spec:
  bootstrap:
    type: Merge
    value: |
      «stats»
";

const ENVOY_GATEWAY_CLUSTER: &str = r#"
- type: type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: «name»
  operation:
    op: add
    path: ""
    value:
      «cluster»
"#;

/// The listener of a gateway to which clients come.
const LISTENER: &str = "http";

/// A manifest.
pub fn write(plan: &Plan<'_>, options: &Options, head: &str, shared: &mut Shared) -> String {
    let names = plan.embedded.variables.join(", ");
    let variables = if names.is_empty() { String::new() } else { format!(", and the variables {names}") };
    let needs = fill(NEEDS.trim(), &[("wasm", &options.wasm), ("variables", &variables)]);
    let head = format!("{head}{needs}");
    let ours = if options.platform == Platform::Istio { "istio-system/ingressgateway" } else { "default/eg" };
    let gateway = options.gateway.as_deref().unwrap_or(ours);
    let (namespace, name) = gateway.split_once('/').unwrap_or(("default", gateway));
    let (namespace, name) = (scalar(namespace), scalar(name));
    let mut values = vec![("head", head.as_str()), ("namespace", &namespace), ("name", &name), ("stats", STATS)];
    if options.platform == Platform::Istio {
        let listener: String = items(&listener::listeners(plan, shared)).concat();
        let each = |cluster: &String| fill(ISTIO_CLUSTER.trim_start(), &[("cluster", cluster)]);
        let clusters: String = items(&cluster::clusters(plan, shared)).iter().map(each).collect();
        let port = plan.port.to_string();
        values.extend([("listener", listener.as_str()), ("clusters", &clusters), ("port", &port)]);
        return fill(ISTIO.trim(), &values);
    }
    let chain = listener::chain(plan, shared);
    let each = |cluster: &String| {
        let name = cluster.lines().find_map(|line| line.strip_prefix("name: ")).unwrap_or_default();
        fill(ENVOY_GATEWAY_CLUSTER.trim_start(), &[("name", name), ("cluster", cluster)])
    };
    let clusters: String = items(&cluster::clusters(plan, shared)).iter().map(each).collect();
    let listener = scalar(&format!("{namespace}/{name}/{LISTENER}"));
    values.extend([("chain", chain.as_str()), ("clusters", &clusters)]);
    values.extend([("listener", listener.as_str()), ("listener_name", LISTENER)]);
    fill(ENVOY_GATEWAY.trim(), &values)
}
