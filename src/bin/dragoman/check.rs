//! Whether a configuration is right.

use std::process::ExitCode;

use dragoman::config::{Config, Credentials};

use crate::document;

/// What is checked.
#[derive(clap::Args)]
pub struct Options {
    /// The configuration, in YAML or JSON; `-` is standard input.
    config: String,
}

/// Prints every fault with its place.
pub fn run(options: Options) -> Result<ExitCode, String> {
    let name = options.config;
    let json = match document::load(&name) {
        Ok(json) => json,
        Err(fault) => {
            eprintln!("{fault}");
            return Ok(ExitCode::FAILURE);
        }
    };
    match Config::check(json.as_bytes(), &|name| std::env::var(name).ok()) {
        Ok(config) => {
            for warning in &config.warnings {
                eprintln!("{name}: warning: {warning}");
            }
            println!("{name}: {}", summary(&config));
            for upstream in &config.upstreams {
                if let Credentials::Token(source) = &upstream.credentials {
                    let (upstream, url, cluster) = (&upstream.name, source.endpoint.url(), &source.cluster);
                    println!(
                        "{name}: upstreams.{upstream}: fetches tokens from {url} by the host's cluster `{cluster}`"
                    );
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => {
            for fault in faults {
                eprintln!("{name}: {fault}");
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

fn summary(config: &Config) -> String {
    let count = |number: usize, one: &str| if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") };
    let (upstreams, models, keys) = (config.upstreams.len(), config.models.len(), config.keys.len());
    format!("ok: {}, {}, {}", count(upstreams, "upstream"), count(models, "model"), count(keys, "key"))
}
