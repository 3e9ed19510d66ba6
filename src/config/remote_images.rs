//! Where images may be fetched from, for upstreams that take only bytes.

use super::read::Value;
use super::time;
use crate::error::shorten;

/// How images at an address are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteImages {
    /// The cluster of the host that reaches their servers.
    pub cluster: String,
    /// Hosts in lower case: a name, or `*.` and the end of names.
    hosts: Vec<String>,
    /// The most bytes of one image.
    pub max_bytes: usize,
    /// The most milliseconds for one image.
    pub timeout: u64,
}

impl RemoteImages {
    /// The cluster that is meant if none is named; the command `envoy` writes it.
    pub const CLUSTER: &str = "dragoman_remote_images";

    /// Whether images are fetched from `host`, in lower case.
    pub fn allows(&self, host: &str) -> bool {
        self.hosts.iter().any(|allowed| match allowed.strip_prefix('*') {
            Some(end) => host.len() > end.len() && host.ends_with(end),
            None => host == allowed,
        })
    }
}

/// Reads `remote_images`.
pub(super) fn read(value: &Value<'_>) -> Option<RemoteImages> {
    let mut fields = value.fields()?;
    let hosts = fields
        .need("hosts", "list the hosts that images may come from, such as `images.example.com` or `*.example.com`");
    let hosts = hosts.and_then(|value| value.list(1000)).map(|list| list.iter().map(host).collect::<Option<Vec<_>>>());
    if let Some(Some(hosts)) = &hosts
        && hosts.is_empty()
    {
        value.fault_in("hosts", "none listed; leave `remote_images` out to fetch nothing");
    }
    let cluster =
        fields.take("cluster").map_or(Some(RemoteImages::CLUSTER.to_owned()), |value| value.word(128, "-_.|:"));
    let max_bytes = fields.take("max_bytes").map_or(Some(5 << 20), |value| value.whole(1024..=20 << 20));
    let timeout = fields.take("timeout").map_or(Some(10_000), |value| time::duration(&value));
    fields.finish();
    let max_bytes = usize::try_from(max_bytes?).ok()?;
    Some(RemoteImages { cluster: cluster?, hosts: hosts??, max_bytes, timeout: timeout? })
}

fn host(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let host = text.to_ascii_lowercase();
    let name = host.strip_prefix("*.").unwrap_or(&host);
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if number || name.len() > 253 || !name.contains('.') || !name.split('.').all(label) {
        value.fault(format!(
            "`{}` must be the name of a host, such as `images.example.com` or `*.example.com`",
            shorten(&text)
        ));
        return None;
    }
    Some(host)
}
