//! Virtual keys.

use std::process::ExitCode;

use clap::Subcommand;
use dragoman::config::is_key_id;
use sha2::{Digest, Sha256};

/// What is done.
#[derive(Subcommand)]
pub enum Action {
    /// Makes a key: prints its secret, this once, and its entry for `keys`.
    New(New),
}

/// What the key is for.
#[derive(clap::Args)]
pub struct New {
    /// Its id: in logs and metrics.
    #[arg(long)]
    id: String,
    /// Its team.
    #[arg(long)]
    team: Option<String>,
}

/// Does what is asked.
pub fn run(action: Action) -> Result<ExitCode, String> {
    let Action::New(New { id, team }) = action;
    for (name, id) in [("--id", Some(&id)), ("--team", team.as_ref())] {
        if id.is_some_and(|id| !is_key_id(id)) {
            return Err(format!("{name}: must be 1 to 128 letters, digits and `_` `.` `:` `@` `/` `-`"));
        }
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| format!("no randomness: {error}"))?;
    let secret = format!("sk-{}", hex(&random));
    println!("{secret}\n\n{}", entry(&id, team.as_deref(), &secret));
    Ok(ExitCode::SUCCESS)
}

/// The key as an entry of `keys`.
fn entry(id: &str, team: Option<&str>, secret: &str) -> String {
    let hash = hex(&Sha256::digest(secret.as_bytes()));
    let team = team.map(|team| format!("\n    team: \"{team}\"")).unwrap_or_default();
    format!("keys:\n  - id: \"{id}\"\n    hash: \"sha256:{hash}\"{team}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_holds_the_hash() {
        let expected = "keys:\n  - id: \"a\"\n    \
            hash: \"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"";
        assert_eq!(entry("a", None, "test"), expected);
        assert_eq!(entry("a", Some("t"), "test"), format!("{expected}\n    team: \"t\""));
    }
}
