//! A complete configuration of Envoy, made from one of Dragoman.
//!
//! The output is of the kind of the files under `envoy/`: to be read, kept in a repository, and changed by hand. It
//! depends on the document and the options alone.

mod cluster;
mod embedded;
mod host;
mod listener;
mod manifest;
mod routes;
mod shared;
mod tls;
mod xds;
pub mod yaml;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use dragoman::config::{Config, ID_SECRET, Role};

use self::embedded::Embedded;
use self::manifest::Platform;
use self::shared::Shared;
use self::xds::{File, Xds};
use self::yaml::{fill, scalar};
use crate::document;

/// What is written.
#[derive(clap::Args)]
pub struct Options {
    /// The Dragoman configuration, in YAML or JSON; `-` is standard input.
    config: String,
    /// The port for clients.
    #[arg(long, default_value_t = 10000, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// The address for clients; 127.0.0.1 is this machine alone.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::UNSPECIFIED))]
    address: IpAddr,
    /// The release of Envoy that reads the output: 1.37, 1.38, 1.39 or 1.40.
    #[arg(long, default_value = "1.40", value_name = "VERSION", value_parser = version)]
    envoy: String,
    /// Where Envoy finds the filter.
    #[arg(long, default_value = "target/dragoman.wasm", value_name = "PATH")]
    wasm: String,
    /// The port of Envoy's administration, on this machine alone.
    #[arg(long, default_value_t = 9901, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    admin_port: u16,
    /// The authorities that providers' certificates are checked against.
    #[arg(long, default_value = "/etc/ssl/certs/ca-certificates.crt", value_name = "PATH")]
    ca: String,
    /// Where the files are that hold the secrets of upstreams with `credentials: host`.
    #[arg(long, default_value = "/etc/envoy/secrets", value_name = "DIR")]
    secrets: String,
    /// Where spans of calls go, in OTLP over HTTP.
    #[arg(long, value_name = "HOST:PORT")]
    traces: Option<String>,
    /// One part, to be put into a configuration of your own.
    #[arg(long)]
    only: Option<Part>,
    /// Who runs Envoy: a control plane takes a manifest.
    #[arg(long = "for", value_enum, default_value_t = Platform::Envoy, value_name = "PLATFORM", conflicts_with_all = ["only", "xds_dir"])]
    platform: Platform,
    /// The gateway that the manifest is for; `istio-system/ingressgateway` (the value of its label `istio`), or `default/eg`.
    #[arg(long, value_name = "NAMESPACE/NAME", requires = "platform")]
    gateway: Option<String>,
    /// Writes listener, routes, clusters and filters into files there, of which a running Envoy takes up what changes; standard
    /// output gets what it starts with.
    #[arg(long, value_name = "DIR", conflicts_with = "only")]
    xds_dir: Option<PathBuf>,
}

/// A part of the output.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The listener with the filter and the routes.
    Listener,
    /// The route configuration.
    Routes,
    /// The clusters.
    Clusters,
}

/// Writes the configuration to standard output.
pub fn run(options: Options) -> Result<ExitCode, String> {
    let name = &options.config;
    let json = match document::load(name) {
        Ok(json) => json,
        Err(fault) => {
            eprintln!("{fault}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let config = match Config::check(json.as_bytes(), &|name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{name}: {fault}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    if config.role == Role::Upstream {
        eprintln!("{name}: role: write `gateway`, from which both filters are made, or `standalone`");
        return Ok(ExitCode::FAILURE);
    }
    if let Some(name_of_two) = cluster::clash(&config) {
        eprintln!(
            "{name}: models: two clusters would be called `{name_of_two}`, one of a model that starts with an upstream"
        );
        return Ok(ExitCode::FAILURE);
    }
    if let Some(source) = cluster::sources(&config).find(|source| cluster::is_taken(&config, &source.cluster)) {
        eprintln!("{name}: the cluster `{}` cannot lead to tokens: calls go there", source.cluster);
        return Ok(ExitCode::FAILURE);
    }
    if let Some(upstream) = host::unsupported(&config, &options.envoy) {
        eprintln!("{name}: upstreams.{}.credentials: Envoy fetches the machine's tokens from 1.40 on", upstream.name);
        return Ok(ExitCode::FAILURE);
    }
    let embedded = Embedded::new(&json)?;
    config.warnings.iter().for_each(|warning| eprintln!("{name}: warning: {warning}"));
    for place in &embedded.secrets {
        eprintln!("{name}: warning: {place}: the secret itself is in the output; write `{{ env: NAME }}`");
    }
    crate::print(&render(&config, &embedded, &options)?)?;
    Ok(ExitCode::SUCCESS)
}

fn version(text: &str) -> Result<String, String> {
    const KNOWN: [&str; 4] = ["1.37", "1.38", "1.39", "1.40"];
    let mut parts = text.splitn(3, '.');
    let minor = [parts.next(), parts.next()].map(Option::unwrap_or_default).join(".");
    let patch = parts.next().is_none_or(|patch| patch.parse::<u16>().is_ok());
    if KNOWN.contains(&minor.as_str()) && patch {
        Ok(text.to_owned())
    } else {
        Err(format!("expected {}", KNOWN.join(", ")))
    }
}

/// What the parts are made from.
struct Plan<'p> {
    config: &'p Config,
    embedded: &'p Embedded,
    address: IpAddr,
    port: u16,
    ca: &'p str,
    secrets: &'p str,
    /// The inside of `vm_config`.
    vm: String,
    /// Whether listener and clusters stand in one document.
    whole: bool,
    /// Where spans go.
    traces: Option<&'p str>,
    /// Where they stand in files of their own.
    xds: Option<Xds<'p>>,
}

impl Plan<'_> {
    /// Whether there is a filter in clusters that translates.
    fn translates(&self) -> bool {
        self.config.role == Role::Gateway
    }
}

const HEAD: &str = "
# «what»
# Written by `dragoman envoy` for Envoy «version».
";

const VM: &str = "
vm_id: dragoman
runtime: envoy.wasm.runtime.v8
code: { local: { filename: «wasm» } }
«variables»
";

const WHOLE: &str = "
«head»
«node»
admin:
  address: { socket_address: { address: 127.0.0.1, port_value: «admin_port» } }

«stats»

static_resources:
  listeners:
    «listeners»
  clusters:
    «clusters»
";

/// Where all else is in files.
const DYNAMIC: &str = "
«head»
«start»
node: { id: dragoman, cluster: dragoman }
admin:
  address: { socket_address: { address: 127.0.0.1, port_value: «admin_port» } }

«stats»

dynamic_resources:
  lds_config: { «lds» }
  cds_config: { «cds» }
";

const STATS: &str = include_str!("stats.yaml");

fn render(config: &Config, embedded: &Embedded, options: &Options) -> Result<String, String> {
    let of_ids = config.id_secret.as_ref().map(|_| ID_SECRET);
    let names: Vec<&str> = embedded.variables.iter().map(String::as_str).chain(of_ids).collect();
    let variables = match names.as_slice() {
        [] => String::new(),
        names => format!("environment_variables: {{ host_env_keys: [{}] }}", names.join(", ")),
    };
    let plan = Plan {
        config,
        embedded,
        address: options.address,
        port: options.port,
        ca: &options.ca,
        secrets: options.secrets.trim_end_matches('/'),
        vm: fill(VM.trim(), &[("wasm", &scalar(&options.wasm)), ("variables", &variables)]),
        whole: options.only.is_none() && options.xds_dir.is_none(),
        traces: options.traces.as_deref(),
        xds: options.xds_dir.as_deref().map(Xds),
    };
    if let Some(xds) = plan.xds {
        let head = head(&plan, options);
        for path in xds.write(&plan, &head)? {
            eprintln!("wrote {}", path.display());
        }
        let sources = [("lds", xds.source(File::Listeners)), ("cds", xds.source(File::Clusters))];
        let sources: Vec<(&str, &str)> = sources.iter().map(|(name, source)| (*name, source.as_str())).collect();
        let start = start(&plan);
        let values = [("head", head.as_str()), ("admin_port", &options.admin_port.to_string()), ("stats", STATS)];
        let values: Vec<(&str, &str)> = values.into_iter().chain(sources).chain([("start", start.as_str())]).collect();
        return Ok(fill(DYNAMIC.trim(), &values));
    }
    let mut counting = Shared::default();
    body(&plan, options, &mut counting);
    Ok(body(&plan, options, &mut counting.counted()))
}

fn body(plan: &Plan<'_>, options: &Options, shared: &mut Shared) -> String {
    let head = head(plan, options);
    if options.platform != Platform::Envoy {
        return manifest::write(plan, options, &head, shared);
    }
    match options.only {
        None => {
            let listeners = listener::listeners(plan, shared);
            let clusters = cluster::clusters(plan, shared);
            fill(
                WHOLE.trim(),
                &[
                    ("head", &head),
                    ("node", host::node(plan.config)),
                    ("admin_port", &options.admin_port.to_string()),
                    ("stats", STATS),
                    ("listeners", &listeners),
                    ("clusters", &clusters),
                ],
            )
        }
        Some(Part::Listener) => {
            let listeners = listener::listeners(plan, shared);
            fill("«head»\nstatic_resources:\n  listeners:\n    «it»\n", &[("head", &head), ("it", &listeners)])
        }
        Some(Part::Clusters) => {
            let clusters = cluster::clusters(plan, shared);
            fill("«head»\nstatic_resources:\n  clusters:\n    «it»\n", &[("head", &head), ("it", &clusters)])
        }
        Some(Part::Routes) => format!("{head}{}", routes::routes(plan, shared)),
    }
}

fn head(plan: &Plan<'_>, options: &Options) -> String {
    let what = match plan.config.role {
        Role::Gateway => {
            "Two filters: one in the listener that knows callers and models, one in the clusters that translates for the\n\
             # endpoint which the host has picked, so a retry of the host's is a fallback to another provider."
        }
        Role::Standalone | Role::Upstream => {
            "One filter in the listener, which translates for the upstream that it chooses; the routes follow its choice."
        }
    };
    let mut head = fill(HEAD.trim(), &[("what", what), ("version", &options.envoy)]);
    if plan.whole && options.platform == Platform::Envoy {
        head.push_str(&start(plan));
    }
    head
}

/// How Envoy is started with it.
fn start(plan: &Plan<'_>) -> String {
    let variables = plan.embedded.variables.iter().map(|name| format!("{name}=… "));
    format!("#\n#   {}envoy -c FILE\n", variables.collect::<String>())
}
