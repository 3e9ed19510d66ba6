//! Where an upstream is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A checked `base_url`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BaseUrl {
    /// Whether it is reached over TLS.
    pub(super) tls: bool,
    /// Host and port, in lower case.
    pub(super) authority: String,
    /// The path, without a slash at its end.
    pub(super) prefix: String,
}

impl BaseUrl {
    /// Checks a URL. The fault does not repeat it: people put keys in URLs.
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or("must start with `https://` or `http://`")?;
        let tls = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ => return Err("must start with `https://` or `http://`"),
        };
        if rest.contains(['?', '#']) {
            return Err("must have no query and no fragment");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("must hold no user and no password; use `credentials`");
        }
        let (host, port) = split_port(authority);
        if !is_host(host) {
            return Err("must name a host, such as `https://llm.example.com/v1`");
        }
        if !port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+')) {
            return Err("must have a port from 1 to 65535, or none");
        }
        let prefix = path.trim_end_matches('/');
        let mut segments = prefix.split('/').skip(1);
        if segments.any(|s| matches!(s, "" | "." | ".."))
            || !prefix.bytes().all(|b| matches!(b, 0x21..=0x7e) && b != b'\\')
        {
            return Err("must have a plain path: visible ASCII, no empty, `.` or `..` segments");
        }
        Ok(Self { tls, authority: authority.to_ascii_lowercase(), prefix: prefix.to_owned() })
    }

    /// Whether the host is in this machine, cluster or private network, as far as its name tells.
    pub(super) fn is_private(&self) -> bool {
        let (host, _) = split_port(&self.authority);
        match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(IpAddr::V4(ip)) => is_private_v4(ip),
            Ok(IpAddr::V6(ip)) => is_private_v6(ip),
            Err(_) => {
                const ENDS: &[&str] =
                    &[".cluster.local", ".home.arpa", ".internal", ".lan", ".local", ".localhost", ".svc", ".test"];
                !host.contains('.') || ENDS.iter().any(|end| host.ends_with(end))
            }
        }
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    // 100.64.0.0/10 is shared address space, which overlay networks use.
    let shared = matches!(ip.octets(), [100, 64..=127, ..]);
    ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified() || shared
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified()
}

/// Host, with the brackets of an IPv6 address, and port.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(ip) = host.strip_prefix('[') {
        return ip.strip_suffix(']').is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::provider::{Address, PROVIDERS};

    #[test]
    fn reads_addresses() {
        for (url, tls, authority, prefix) in [
            ("https://api.example.com", true, "api.example.com", ""),
            ("https://api.example.com/", true, "api.example.com", ""),
            ("HTTPS://API.example.com:8443/v1//", true, "api.example.com:8443", "/v1"),
            ("http://vllm:8000/v1/openai", false, "vllm:8000", "/v1/openai"),
            ("http://[::1]:8000", false, "[::1]:8000", ""),
            ("http://[::1]/a", false, "[::1]", "/a"),
            ("http://10.0.0.1/a%20b", false, "10.0.0.1", "/a%20b"),
        ] {
            let expected = BaseUrl { tls, authority: authority.into(), prefix: prefix.into() };
            assert_eq!(BaseUrl::parse(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn refuses_what_is_no_address() {
        for (url, fault) in [
            ("", "must start with"),
            ("api.example.com", "must start with"),
            ("ftp://api.example.com", "must start with"),
            ("https://", "must name a host"),
            ("https:///v1", "must name a host"),
            ("https://a..b", "must name a host"),
            ("https://a b", "must name a host"),
            ("https://é.example", "must name a host"),
            ("https://[::g]", "must name a host"),
            ("https://::1", "must name a host"),
            ("https://a:", "must have a port"),
            ("https://a:0", "must have a port"),
            ("https://a:+80", "must have a port"),
            ("https://a:65536", "must have a port"),
            ("https://user:pass@a", "must hold no user"),
            ("https://a/v1?key=x", "must have no query"),
            ("https://a#x", "must have no query"),
            ("https://a/../b", "must have a plain path"),
            ("https://a//b", "must have a plain path"),
            ("https://a/b c", "must have a plain path"),
            ("https://a/é", "must have a plain path"),
        ] {
            let found = BaseUrl::parse(url).unwrap_err();
            assert!(found.starts_with(fault), "{url}: {found}");
        }
    }

    #[test]
    fn tells_private_hosts() {
        for (url, private) in [
            ("http://localhost:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:1", true),
            ("http://[fd00::1]", true),
            ("http://10.1.2.3", true),
            ("http://172.16.0.1:80", true),
            ("http://192.168.1.1", true),
            ("http://100.100.1.1", true),
            ("http://vllm:8000", true),
            ("http://vllm.default.svc:8000", true),
            ("http://vllm.default.svc.cluster.local", true),
            ("http://host.docker.internal", true),
            ("http://api.example.com", false),
            ("http://8.8.8.8", false),
            ("http://172.32.0.1", false),
            ("http://[2001:db8::1]", false),
            ("http://notlocal.example", false),
        ] {
            assert_eq!(BaseUrl::parse(url).unwrap().is_private(), private, "{url}");
        }
    }

    #[test]
    fn every_provider_has_a_valid_address() {
        for provider in PROVIDERS {
            if let Address::Fixed(url) = provider.address {
                assert!(BaseUrl::parse(url).is_ok_and(|url| url.tls), "{}", provider.id);
            }
        }
    }
}
