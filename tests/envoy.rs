//! `dragoman envoy`: what it writes for a document, and what it refuses. That Envoy takes what it writes is tested in
//! `tests/e2e`.
#![cfg(feature = "cli")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const STANDALONE: &str = r#"
client_auth: keys
upstreams:
  openai: { provider: openai, credentials: { api_key: [{ env: OPENAI_KEY_B }, { env: OPENAI_KEY_A }] } }
  local: { provider: openai_compatible, base_url: "http://10.0.0.7:8000/v1", credentials: none }
models:
  - { name: gpt-4.1, upstreams: [openai] }
  - { name: "local/*", upstreams: [local] }
keys:
  - { id: "on", hash: "sha256:f77894fdfa58e447c57e077eaa9708e8e009c84dc6aba2db80461275e9b85be7" }
"#;

const GATEWAY: &str = r#"
role: gateway
client_auth: header:X-Caller
upstreams:
  claude: { provider: anthropic, credentials: { api_key: { env: CLAUDE_KEY } } }
  openai: { provider: openai, credentials: { api_key: { env: OPENAI_KEY_A } } }
  local: { provider: openai_compatible, base_url: "http://vllm:8000/v1", credentials: none }
  address: { provider: openai_compatible, base_url: "https://[::1]:8443", credentials: host }
models:
  - { name: smart, upstreams: [claude, openai, local, address], retries: 5, timeouts: { total: 20m } }
  - { name: spread, upstreams: [{ name: claude, weight: 3 }, openai], balance: weighted }
  - { name: "anthropic/*", upstreams: [claude] }
keys: [{ id: alice, team: t }]
teams: [{ id: t }]
"#;

/// The output, the messages, and whether it went well.
fn run(document: &str, arguments: &[&str]) -> (String, String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dragoman"))
        .args(["envoy", "-"])
        .args(arguments)
        .env_clear()
        .envs(["OPENAI_KEY_A", "OPENAI_KEY_B", "CLAUDE_KEY", "DRAGOMAN_ID_SECRET"].map(|name| (name, "sk-never-shown")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have refused its arguments and gone.
    let _ = command.stdin.take().unwrap().write_all(document.as_bytes());
    let done = command.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(done.stdout), text(done.stderr), done.status.success())
}

fn written(document: &str, arguments: &[&str]) -> Value {
    let (output, messages, well) = run(document, arguments);
    assert!(well, "{messages}");
    assert_eq!(messages, "");
    assert!(!output.contains(['«', '»']) && !output.contains("sk-never-shown"), "{output}");
    serde_yaml_ng::from_str(&output).unwrap()
}

fn manager(bootstrap: &Value) -> &Value {
    &bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
}

fn cluster<'b>(bootstrap: &'b Value, name: &str) -> &'b Value {
    let clusters = bootstrap["static_resources"]["clusters"].as_array().unwrap();
    clusters.iter().find(|cluster| cluster["name"] == name).unwrap()
}

fn routes(bootstrap: &Value) -> &Vec<Value> {
    manager(bootstrap)["route_config"]["virtual_hosts"][0]["routes"].as_array().unwrap()
}

fn plugin(filter: &Value) -> &Value {
    &filter["typed_config"]["config"]
}

fn protocol(cluster: &Value) -> &Value {
    &cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
}

fn address(endpoint: &Value) -> Value {
    let address = &endpoint["lb_endpoints"][0]["endpoint"]["address"]["socket_address"];
    json!([address["address"], address["port_value"]])
}

#[test]
fn equal_documents_give_equal_bytes() {
    for document in [STANDALONE, GATEWAY] {
        let first = run(document, &[]);
        for _ in 0..4 {
            assert_eq!(run(document, &[]), first);
        }
    }
}

#[test]
fn what_is_alike_everywhere_is_as_shipped() {
    for (document, shipped) in [(STANDALONE, "standalone.yaml"), (GATEWAY, "gateway.yaml")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy").join(shipped);
        let shipped: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let written = written(document, &[]);
        assert_eq!(written["admin"], shipped["admin"]);
        assert_eq!(written["stats_config"], shipped["stats_config"]);
        assert_eq!(manager(&written)["access_log"], manager(&shipped)["access_log"]);
        for fixed in ["request_body_buffer_limit", "request_headers_to_remove"] {
            let host = |bootstrap| manager(bootstrap)["route_config"]["virtual_hosts"][0][fixed].clone();
            assert_eq!(host(&written), host(&shipped));
        }
    }
}

#[test]
fn standalone() {
    let written = written(
        STANDALONE,
        &["--port", "8080", "--address", "::1", "--admin-port", "8081", "--wasm", "/w/d.wasm", "--ca", "/c.pem"],
    );
    assert_eq!(written["admin"]["address"]["socket_address"], json!({"address": "127.0.0.1", "port_value": 8081}));
    assert_eq!(
        written["static_resources"]["listeners"][0]["address"]["socket_address"],
        json!({"address": "::1", "port_value": 8080})
    );
    assert!(manager(&written).get("early_header_mutation_extensions").is_none());
    let config = plugin(&manager(&written)["http_filters"][0]);
    assert_eq!(config["failure_policy"], "FAIL_RELOAD");
    assert_eq!(config["allow_on_headers_stop_iteration"], true);
    assert_eq!(
        config["vm_config"],
        json!({
            "vm_id": "dragoman",
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": "/w/d.wasm"}},
            "environment_variables": {"host_env_keys": ["OPENAI_KEY_A", "OPENAI_KEY_B", "DRAGOMAN_ID_SECRET"]},
        })
    );
    let document = &config["configuration"]["value"];
    assert_eq!(document["role"], "standalone");
    assert_eq!(document["keys"][0]["id"], "on");
    let found: Vec<Value> = routes(&written)
        .iter()
        .map(|route| json!([route["match"]["headers"][0]["string_match"]["exact"], route["route"]["cluster"]]))
        .collect();
    assert_eq!(found, [json!(["openai", "openai"]), json!(["local", "local"]), json!([null, null])]);

    let openai = cluster(&written, "openai");
    assert_eq!((&openai["type"], &openai["dns_lookup_family"]), (&json!("STRICT_DNS"), &json!("V4_PREFERRED")));
    assert_eq!(address(&openai["load_assignment"]["endpoints"][0]), json!(["api.openai.com", 443]));
    let context = &openai["transport_socket"]["typed_config"];
    assert_eq!((&context["sni"], &context["auto_sni_san_validation"]), (&json!("api.openai.com"), &json!(true)));
    assert_eq!(context["common_tls_context"]["validation_context"]["trusted_ca"], json!({"filename": "/c.pem"}));
    assert!(protocol(openai).get("auto_config").is_some());
    assert!(protocol(openai).get("http_filters").is_none());

    let local = cluster(&written, "local");
    assert_eq!(local["type"], "STATIC");
    assert_eq!(address(&local["load_assignment"]["endpoints"][0]), json!(["10.0.0.7", 8000]));
    assert!(local.get("transport_socket").is_none());
}

#[test]
fn gateway() {
    let written = written(GATEWAY, &[]);
    let early = &manager(&written)["early_header_mutation_extensions"][0]["typed_config"];
    assert_eq!(early["mutations"], json!([{"remove": "x-caller"}]));
    assert_eq!(manager(&written)["stream_idle_timeout"], "1200s");

    let listener = plugin(&manager(&written)["http_filters"][0]);
    let smart = cluster(&written, "smart");
    let upstream = plugin(&protocol(smart)["http_filters"][0]);
    assert_eq!(upstream["vm_config"], listener["vm_config"]);
    assert_ne!(upstream["name"], listener["name"]);
    let (inner, outer) = (&upstream["configuration"]["value"], &listener["configuration"]["value"]);
    assert_eq!((&outer["role"], &inner["role"]), (&json!("gateway"), &json!("upstream")));
    for same in ["upstreams", "models"] {
        assert_eq!(inner[same], outer[same]);
    }
    for callers in ["client_auth", "keys", "teams"] {
        assert!(outer.get(callers).is_some() && inner.get(callers).is_none(), "{callers}");
    }

    let endpoints = smart["load_assignment"]["endpoints"].as_array().unwrap();
    let found: Vec<Value> = endpoints.iter().map(|e| json!([e["priority"], address(e)])).collect();
    assert_eq!(
        found,
        [
            json!([0, ["api.anthropic.com", 443]]),
            json!([1, ["api.openai.com", 443]]),
            json!([2, ["vllm", 8000]]),
            json!([3, ["::1", 8443]]),
        ]
    );
    let metadata = |place: usize| &endpoints[place]["lb_endpoints"][0]["metadata"]["filter_metadata"];
    assert_eq!(*metadata(0), json!({"dragoman": {"upstream": "claude"}}));
    let own = json!({"dragoman": {"upstream": "local"}, "envoy.transport_socket_match": {"upstream": "local"}});
    assert_eq!(*metadata(2), own);
    let context = &smart["transport_socket"]["typed_config"];
    assert_eq!((&context["auto_host_sni"], &context["auto_sni_san_validation"]), (&json!(true), &json!(true)));
    let matches = smart["transport_socket_matches"].as_array().unwrap();
    let names: Vec<Value> =
        matches.iter().map(|m| json!([m["match"]["upstream"], m["transport_socket"]["name"]])).collect();
    assert_eq!(
        names,
        [json!(["local", "envoy.transport_sockets.raw_buffer"]), json!(["address", "envoy.transport_sockets.tls"])]
    );
    let checked = &matches[1]["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"];
    assert_eq!(
        checked["match_typed_subject_alt_names"],
        json!([{"san_type": "IP_ADDRESS", "matcher": {"exact": "::1"}}])
    );
    // HTTP/2 is agreed on by TLS, which one of the endpoints does not have.
    assert!(protocol(smart).get("auto_config").is_none());

    // Whichever the filter chooses comes first, and the others follow in their order.
    let order = |name: &str| -> Vec<Value> {
        let endpoints = cluster(&written, name)["load_assignment"]["endpoints"].as_array().unwrap();
        let upstream = |e: &Value| e["lb_endpoints"][0]["metadata"]["filter_metadata"]["dragoman"]["upstream"].clone();
        endpoints
            .iter()
            .enumerate()
            .inspect(|(place, e)| assert_eq!(e["priority"], *place))
            .map(|(_, e)| upstream(e))
            .collect()
    };
    assert_eq!(order("smart@local"), ["local", "claude", "openai", "address"]);
    assert_eq!(order("spread"), ["claude", "openai"]);
    assert_eq!(order("spread@openai"), ["openai", "claude"]);

    let policies: Vec<Value> = routes(&written)
        .iter()
        .map(|route| {
            let policy = &route["route"]["retry_policy"];
            let wanted = |place: usize| &route["match"]["headers"][place]["string_match"]["exact"];
            json!([
                [wanted(0), wanted(1)],
                route["route"]["cluster"],
                route["route"]["timeout"],
                policy["num_retries"],
                policy["retry_priority"]["name"],
            ])
        })
        .collect();
    let next = "envoy.retry_priorities.previous_priorities";
    assert_eq!(
        policies,
        [
            json!([["smart", "openai"], "smart@openai", "1200s", 5, next]),
            json!([["smart", "local"], "smart@local", "1200s", 5, next]),
            json!([["smart", "address"], "smart@address", "1200s", 5, next]),
            json!([["smart", null], "smart", "1200s", 5, next]),
            json!([["spread", "openai"], "spread@openai", "600s", 2, next]),
            json!([["spread", null], "spread", "600s", 2, next]),
            json!([["anthropic/*", null], "anthropic/*", "600s", 2, null]),
            json!([[null, null], null, null, null, null]),
        ]
    );
    let wildcard = &routes(&written)[6];
    assert_eq!(wildcard["match"]["headers"][0]["string_match"]["exact"], "anthropic/*");
    assert_eq!(wildcard["route"]["cluster"], cluster(&written, "anthropic/*")["name"]);
}

#[test]
fn the_place_of_the_hosts_filter_is_told() {
    let (output, ..) = run(GATEWAY, &[]);
    assert!(output.contains("# The filter that writes the caller's key id to the header `x-caller` goes here."));
}

/// The filters of a cluster before the last, by name and what is inside of a wrapper.
fn host_filters(cluster: &Value) -> Vec<(String, Value)> {
    let filters = protocol(cluster)["http_filters"].as_array().unwrap();
    let inside = |filter: &Value| match filter["typed_config"].get("extension_config") {
        Some(inner) => inner.clone(),
        None => filter.clone(),
    };
    let own = filters.iter().filter(|f| f["name"] != "dragoman" && f["name"] != "envoy.filters.http.upstream_codec");
    own.map(|filter| (filter["name"].as_str().unwrap().to_owned(), inside(filter))).collect()
}

const HOSTED: &str = r#"
client_auth: open
upstreams:
  bedrock: { provider: bedrock_mantle, options: { region: eu-west-1 }, credentials: host }
  claude: { provider: anthropic, credentials: host }
  other: { provider: openai_compatible, base_url: "https://llm.example.com/v1", credentials: host }
  vertex: { provider: openai_compatible, base_url: "https://aiplatform.googleapis.com/v1", credentials: host }
"#;

#[test]
fn filters_of_the_hosts_pay_for_their_own_upstream() {
    let models =
        "models: [{ name: all, upstreams: [bedrock, claude, other, vertex] }, { name: one, upstreams: [claude] }]";
    let bootstrap = written(&format!("role: gateway\n{HOSTED}{models}"), &["--secrets", "/s/"]);
    let all = cluster(&bootstrap, "all");
    let filters = host_filters(all);
    let names: Vec<&str> = filters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["credentials of bedrock", "credentials of claude", "credentials of other", "credentials of vertex"]
    );
    for (filter, upstream) in
        protocol(all)["http_filters"].as_array().unwrap()[1..].iter().zip(["bedrock", "claude", "other", "vertex"])
    {
        let matcher = &filter["typed_config"]["xds_matcher"]["matcher_list"]["matchers"][0];
        let single = &matcher["predicate"]["not_matcher"]["single_predicate"];
        assert_eq!(single["input"]["typed_config"]["key"], "wasm.dragoman_upstream");
        assert_eq!(single["value_match"]["exact"], upstream);
        assert_eq!(matcher["on_match"]["action"]["name"], "skip");
    }
    let signer = &filters[0].1["typed_config"];
    assert_eq!((&signer["service_name"], &signer["region"]), (&json!("bedrock-mantle"), &json!("eu-west-1")));
    for (place, header, prefix) in [(1, "x-api-key", Value::Null), (2, "authorization", json!("Bearer "))] {
        let generic = &filters[place].1["typed_config"]["credential"]["typed_config"];
        assert_eq!((&generic["header"], &generic["header_value_prefix"]), (&json!(header), &prefix));
        let upstream = ["", "claude", "other"][place];
        assert_eq!(generic["credential"]["name"], upstream);
        let source = &generic["credential"]["sds_config"]["path_config_source"];
        assert_eq!(source["path"], format!("/s/{upstream}.yaml"));
        assert_eq!(source["watched_directory"]["path"], "/s");
    }
    assert_eq!(filters[3].1["name"], "envoy.filters.http.header_mutation");
    assert_eq!(bootstrap["node"], json!({"id": "dragoman", "cluster": "dragoman"}));

    let alone = host_filters(cluster(&bootstrap, "one"));
    assert_eq!(alone[0].0, "envoy.filters.http.credential_injector", "nothing to keep it from");

    let google = &manager(&bootstrap)["http_filters"][1];
    assert_eq!(google["name"], "envoy.filters.http.gcp_authn");
    let matcher = &google["typed_config"]["xds_matcher"]["matcher_list"]["matchers"][0]["predicate"]["not_matcher"];
    assert_eq!(matcher["single_predicate"]["input"]["typed_config"]["header_name"], "x-dragoman-model");
    assert_eq!(matcher["single_predicate"]["value_match"]["exact"], "all");
    cluster(&bootstrap, "gce_metadata");
}

#[test]
fn filters_of_the_hosts_stand_in_single_clusters_too() {
    let bootstrap = written(HOSTED, &[]);
    for (upstream, filter) in [
        ("bedrock", "envoy.filters.http.aws_request_signing"),
        ("claude", "envoy.filters.http.credential_injector"),
        ("vertex", "envoy.filters.http.header_mutation"),
    ] {
        assert_eq!(host_filters(cluster(&bootstrap, upstream))[0].0, filter);
    }
    let google = &manager(&bootstrap)["http_filters"][1]["typed_config"];
    let matcher = &google["xds_matcher"]["matcher_list"]["matchers"][0]["predicate"]["not_matcher"]["single_predicate"];
    assert_eq!(matcher["value_match"]["exact"], "vertex");
    let (output, messages, well) = run(HOSTED, &["--envoy", "1.39"]);
    assert!(!well && output.is_empty());
    assert_eq!(messages, "-: upstreams.vertex.credentials: Envoy fetches the machine's tokens from 1.40 on\n");
}

const TOKENS: &str = r#"
client_auth: open
upstreams:
  ibm: { provider: openai_compatible, base_url: "https://a.example.com/v1", credentials: { ibm_iam: { api_key: { env: CLAUDE_KEY } } } }
  again: { provider: openai_compatible, base_url: "https://b.example.com/v1", credentials: { ibm_iam: { api_key: { env: OPENAI_KEY_A } } } }
  azure:
    provider: azure_ai
    base_url: https://c.example.com/openai/v1
    credentials:
      azure_ad: { tenant_id: t, client_id: c, client_secret: { env: OPENAI_KEY_B }, authority: "http://10.0.0.1:8080", cluster: sso }
"#;

#[test]
fn clusters_lead_to_tokens() {
    for (role, models) in [("standalone", "[]"), ("gateway", "[{ name: m, upstreams: [ibm, again, azure] }]")] {
        let document = format!("role: {role}\n{TOKENS}models: {models}");
        for arguments in [&[][..], &["--only", "clusters"]] {
            let bootstrap = written(&document, arguments);
            let clusters = bootstrap["static_resources"]["clusters"].as_array().unwrap();
            let names = clusters.iter().map(|cluster| cluster["name"].as_str().unwrap());
            let names: Vec<&str> = names.filter(|name| name.starts_with("dragoman_token") || *name == "sso").collect();
            assert_eq!(names, ["dragoman_token_iam.cloud.ibm.com", "sso"]);
            let ibm = cluster(&bootstrap, "dragoman_token_iam.cloud.ibm.com");
            assert_eq!(address(&ibm["load_assignment"]["endpoints"][0]), json!(["iam.cloud.ibm.com", 443]));
            assert_eq!(ibm["transport_socket"]["typed_config"]["sni"], "iam.cloud.ibm.com");
            assert_eq!(ibm["alt_stat_name"], "dragoman_token_iam_cloud_ibm_com");
            assert!(protocol(ibm).get("http_filters").is_none(), "no call is translated on its way there");
            let sso = cluster(&bootstrap, "sso");
            assert_eq!(address(&sso["load_assignment"]["endpoints"][0]), json!(["10.0.0.1", 8080]));
            assert!(sso.get("transport_socket").is_none());
        }
        let config = plugin(&manager(&written(&document, &[]))["http_filters"][0]).clone();
        let variables = &config["vm_config"]["environment_variables"]["host_env_keys"];
        assert_eq!(*variables, json!(["CLAUDE_KEY", "OPENAI_KEY_A", "OPENAI_KEY_B", "DRAGOMAN_ID_SECRET"]));
    }
    let (output, messages, well) = run(&TOKENS.replace("cluster: sso", "cluster: ibm"), &[]);
    assert!(!well && output.is_empty());
    assert_eq!(messages, "-: the cluster `ibm` cannot lead to tokens: calls go there\n");
}

#[test]
fn without_models_paths_choose() {
    let document = STANDALONE.split_once("models:").unwrap().0.replace("keys", "open");
    let written = written(&document, &[]);
    let by_path: Vec<Value> = routes(&written)
        .iter()
        .filter(|route| route.get("metadata").is_some())
        .map(|route| {
            let upstream = &route["metadata"]["filter_metadata"]["dragoman"]["upstream"];
            json!([route["match"]["path_separated_prefix"], upstream, route["route"]["cluster"]])
        })
        .collect();
    assert_eq!(by_path, [json!(["/openai", "openai", "openai"]), json!(["/local", "local", "local"])]);
    // The path alone: no client's header that the filter's own routes match.
    let early = &manager(&written)["early_header_mutation_extensions"][0]["typed_config"];
    assert_eq!(early["mutations"], json!([{"remove": "x-dragoman-upstream"}]));
}

#[test]
fn parts_are_the_same_as_in_the_whole() {
    for document in [STANDALONE, GATEWAY] {
        let whole = written(document, &[]);
        let part = |name: &str| written(document, &["--only", name]);
        let resources = &whole["static_resources"];
        assert_eq!(part("listener"), json!({"static_resources": {"listeners": resources["listeners"]}}));
        assert_eq!(part("clusters"), json!({"static_resources": {"clusters": resources["clusters"]}}));
        assert_eq!(part("routes"), manager(&whole)["route_config"]);
    }
}

#[test]
fn faults_are_told_and_nothing_is_written() {
    for (document, fault) in [
        (STANDALONE.replace("OPENAI_KEY_A", "GONE"), "the environment variable `GONE` is not set"),
        (STANDALONE.replace("provider: openai,", "provider: opnai,"), "did you mean `openai`?"),
        (format!("role: upstream\n{STANDALONE}"), "role: write `gateway`"),
        ("a: [".to_owned(), "-: "),
    ] {
        let (output, messages, well) = run(&document, &[]);
        assert!(!well && output.is_empty() && messages.contains(fault), "{fault}: {messages}");
    }
    for arguments in [
        &["--envoy", "1.36"][..],
        &["--envoy", "1.41"],
        &["--envoy", "1.40.x"],
        &["--for", "istio", "--only", "routes"],
        &["--for", "nginx"],
        &["--xds-dir", "x", "--only", "routes"],
        &["--only", "tls"],
        &["--port", "0"],
    ] {
        let (output, _, well) = run(STANDALONE, arguments);
        assert!(!well && output.is_empty(), "{arguments:?}");
    }
    for version in ["1.37", "1.38.3", "1.39", "1.40.0"] {
        assert!(run(STANDALONE, &["--envoy", version]).2, "{version}");
    }
}

#[test]
fn secrets_in_the_document_are_warned_of() {
    let document = STANDALONE.replace("{ env: OPENAI_KEY_A }", "{ value: sk-inline }");
    let (output, messages, well) = run(&document, &[]);
    assert!(well && output.contains("{ value: sk-inline }"));
    assert!(messages.contains("warning: upstreams.openai.credentials.api_key[1]: the secret itself is in the output"));
    assert!(!messages.contains("sk-inline"), "{messages}");
}

#[test]
fn names_are_quoted_where_they_must_be() {
    let name = "é: \"q\" #1 {x} «host»";
    let document = json!({
        "role": "gateway",
        "client_auth": "open",
        "upstreams": {"on": {"provider": "openai", "credentials": "none"}},
        "models": [{"name": name, "upstreams": ["on"]}, {"name": "1e3", "upstreams": ["on"]}],
    });
    let (output, _, well) = run(&document.to_string(), &[]);
    assert!(well);
    let written: Value = serde_yaml_ng::from_str(&output).unwrap();
    for name in [name, "1e3"] {
        assert_eq!(cluster(&written, name)["load_assignment"]["cluster_name"], name);
    }
    assert_eq!(plugin(&manager(&written)["http_filters"][0])["configuration"]["value"], document);
}
