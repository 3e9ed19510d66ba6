//! Mock providers in their native formats, for demos and tests.

use std::process::ExitCode;

/// Where the mock providers listen.
#[derive(clap::Args)]
pub struct Options {
    /// The port.
    #[arg(long, default_value_t = 9900)]
    port: u16,
}

/// Serves until it is stopped.
pub fn run(_options: Options) -> Result<ExitCode, String> {
    Err("not built yet".into())
}
