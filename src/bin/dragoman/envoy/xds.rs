//! The configuration in files that a running Envoy reads again when they change ([file-based
//! discovery](https://www.envoyproxy.io/docs/envoy/latest/start/quick-start/configuration-dynamic-filesystem)): what changes
//! often stands apart from what cuts connections when it changes. A new key or price is a new filter, which new calls get; a new
//! model is a new cluster and a new route. The listener stays as it is.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::shared::Shared;
use super::yaml::{fill, items, scalar};
use super::{Plan, cluster, listener, routes};

/// The directory.
#[derive(Clone, Copy)]
pub struct Xds<'d>(pub &'d Path);

/// A file in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// Clusters, which come before the routes that lead to them.
    Clusters,
    /// The filter in the clusters.
    Upstream,
    /// Routes.
    Routes,
    /// The filter in the listener, which chooses among the routes.
    Gateway,
    /// The listener.
    Listeners,
}

impl File {
    /// All, in the order in which a running Envoy is to learn of them.
    const ALL: [Self; 5] = [Self::Clusters, Self::Upstream, Self::Routes, Self::Gateway, Self::Listeners];

    fn name(self) -> &'static str {
        match self {
            Self::Clusters => "clusters.yaml",
            Self::Upstream => "filter-upstream.yaml",
            Self::Routes => "routes.yaml",
            Self::Gateway => "filter-gateway.yaml",
            Self::Listeners => "listeners.yaml",
        }
    }
}

const SOURCE: &str =
    "resource_api_version: V3, path_config_source: { path: «path», watched_directory: { path: «directory» } }";

const DISCOVERY: &str = r#"
config_discovery:
  config_source: { «source» }
  type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]
"#;

const EXTENSION: &str = r#"
resources:
  - "@type": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig
    name: dragoman
    typed_config:
      «filter»
"#;

impl Xds<'_> {
    fn path(self, file: File) -> PathBuf {
        self.0.join(file.name())
    }

    /// The members of a `config_source` that leads to the file.
    pub fn source(self, file: File) -> String {
        let text = |path: &Path| scalar(&path.to_string_lossy());
        let line = fill(SOURCE, &[("path", &text(&self.path(file))), ("directory", &text(self.0))]);
        line.trim_end().to_owned()
    }

    /// What stands in the place of a filter's `typed_config`.
    pub fn discovery(self, file: File) -> String {
        fill(DISCOVERY.trim_start(), &[("source", &self.source(file))])
    }

    /// Writes the files whose content is another than it was, each at once: Envoy never reads half of one. Which these were.
    pub fn write(self, plan: &Plan<'_>, head: &str) -> Result<Vec<PathBuf>, String> {
        fs::create_dir_all(self.0).map_err(|error| format!("{}: {error}", self.0.display()))?;
        let mut written = Vec::new();
        for file in File::ALL {
            // A file has no other to share anything with.
            let shared = &mut Shared::default();
            content(plan, file, shared);
            let text = content(plan, file, &mut std::mem::take(shared).counted());
            if let Some(text) = text {
                let path = self.path(file);
                if replace(&path, &format!("{head}{text}")).map_err(|error| format!("{}: {error}", path.display()))? {
                    written.push(path);
                }
            }
        }
        Ok(written)
    }
}

/// What a file holds, if there is one.
fn content(plan: &Plan<'_>, file: File, shared: &mut Shared) -> Option<String> {
    let typed = |kind: &str, list: &str| {
        let typed = |item: &String| {
            fill("- \"@type\": type.googleapis.com/«kind»\n  «item»\n", &[("kind", kind), ("item", item)])
        };
        let list: String = items(list).iter().map(typed).collect();
        fill("resources:\n  «list»\n", &[("list", &list)])
    };
    Some(match file {
        File::Clusters => typed("envoy.config.cluster.v3.Cluster", &cluster::clusters(plan, shared)),
        File::Listeners => typed("envoy.config.listener.v3.Listener", &listener::listeners(plan, shared)),
        File::Routes => fill(
            "resources:\n  - \"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration\n    «routes»\n",
            &[("routes", &routes::routes(plan, shared))],
        ),
        File::Gateway => fill(EXTENSION.trim_start(), &[("filter", &listener::filter(plan, shared))]),
        File::Upstream if !plan.translates() => return None,
        File::Upstream => fill(EXTENSION.trim_start(), &[("filter", &cluster::filter(plan, shared))]),
    })
}

/// Puts a file with this content in the place of the one that is there. Whether it had another.
fn replace(path: &Path, content: &str) -> std::io::Result<bool> {
    match fs::read(path) {
        Ok(old) if old == content.as_bytes() => return Ok(false),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let new = path.with_extension("yaml.new");
    let mut file = fs::File::create(&new)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(new, path)?;
    Ok(true)
}
