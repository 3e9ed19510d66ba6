//! How the endpoints of a cluster are spoken to.

use std::net::IpAddr;

use super::yaml::{fill, scalar};

/// Where an upstream is, or an endpoint that gives tokens.
pub struct Address<'u> {
    /// A name or an IP address, without brackets.
    pub host: &'u str,
    /// The port.
    pub port: u16,
    /// The host as an IP address.
    pub ip: Option<IpAddr>,
    /// Whether it is reached over TLS.
    pub tls: bool,
}

impl<'u> Address<'u> {
    /// Splits an authority.
    pub fn of(authority: &'u str, tls: bool) -> Self {
        let default = if tls { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or(default)),
            _ => (authority, default),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Self { host, port, ip: host.parse().ok(), tls }
    }
}

/// What a cluster says about TLS.
#[derive(Default)]
pub struct Transport {
    /// `transport_socket`; empty where nothing is said of it.
    pub socket: String,
    /// `transport_socket_matches`: the endpoints that have another.
    pub matches: String,
    /// For each address, whether its endpoint must name itself for `transport_socket_matches`.
    pub named: Vec<bool>,
    /// Whether all endpoints can be asked for HTTP/2.
    pub alpn: bool,
}

const CONTEXT: &str = r#"
name: envoy.transport_sockets.tls
typed_config:
  "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
  «names»
  common_tls_context:
    «peer»
"#;

const ONE_NAME: &str = "
sni: «host»
auto_sni_san_validation: true # the certificate must be of that name
";

const ANY_NAME: &str = "
# Each endpoint's own host name goes into the SNI, and its certificate must be of that name.
auto_host_sni: true
auto_sni_san_validation: true
";

const NO_NAME: &str = "
validation_context:
  trusted_ca: { filename: «ca» }
  # The certificate must be of that address.
  match_typed_subject_alt_names: [{ san_type: IP_ADDRESS, matcher: { exact: «host» } }]
";

const MATCH: &str = "
- name: «upstream»
  match: { upstream: «upstream» }
  transport_socket:
    «socket»
";

/// A transport socket, without its key.
enum Socket<'u> {
    /// TLS to whatever host an endpoint has.
    AnyName,
    /// TLS to the host that the request names.
    Dynamic,
    /// TLS to an IP address.
    Ip(&'u str),
    /// TLS to a host.
    Name(&'u str),
    /// No TLS.
    Plain,
}

impl Socket<'_> {
    fn write(&self, ca: &str) -> String {
        let peer = fill("validation_context: { trusted_ca: { filename: «ca» } }", &[("ca", &scalar(ca))]);
        let context = |names: &str, peer: &str| {
            let context = fill(CONTEXT.trim_start(), &[("names", names), ("peer", peer)]);
            context.trim_end().to_owned()
        };
        match self {
            Self::Dynamic => context("", &peer),
            Self::AnyName => context(ANY_NAME.trim(), &peer),
            Self::Ip(host) => context("", &fill(NO_NAME.trim(), &[("ca", &scalar(ca)), ("host", &scalar(host))])),
            Self::Name(host) => context(fill(ONE_NAME.trim(), &[("host", &scalar(host))]).trim_end(), &peer),
            Self::Plain => PLAIN.trim().to_owned(),
        }
    }
}

const PLAIN: &str = r#"
name: envoy.transport_sockets.raw_buffer
typed_config: { "@type": type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer }
"#;

/// The socket of a cluster whose hosts are known by name with each request.
pub fn any_name(ca: &str) -> String {
    Socket::Dynamic.write(ca)
}

/// The TLS of a cluster with these endpoints: (upstream, address).
pub fn transport(endpoints: &[(&str, Address<'_>)], ca: &str) -> Transport {
    let named = |address: &&Address<'_>| address.tls && address.ip.is_none();
    let addresses = || endpoints.iter().map(|(_, address)| address);
    let Some(first) = addresses().find(named).or_else(|| addresses().find(|address| address.tls)) else {
        return Transport { named: vec![false; endpoints.len()], ..Transport::default() };
    };
    let usual = match first.ip {
        Some(_) => Socket::Ip(first.host),
        None if addresses().filter(named).all(|other| other.host == first.host) => Socket::Name(first.host),
        None => Socket::AnyName,
    };
    let is_usual = |address: &Address<'_>| match first.ip {
        Some(_) => address.tls && address.ip == first.ip,
        None => named(&address),
    };
    let mut matches = String::new();
    for (upstream, address) in endpoints.iter().filter(|(_, address)| !is_usual(address)) {
        let socket = if address.tls { Socket::Ip(address.host) } else { Socket::Plain };
        matches.push_str(&fill(MATCH.trim_start(), &[("upstream", &scalar(upstream)), ("socket", &socket.write(ca))]));
    }
    Transport {
        socket: usual.write(ca),
        matches: matches.trim_end().to_owned(),
        named: addresses().map(|address| !is_usual(address)).collect(),
        alpn: addresses().all(|address| address.tls),
    }
}
