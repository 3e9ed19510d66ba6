//! The command line: the filter's code for people, scripts and CI.

mod check;
mod document;
mod envoy;
mod import;
mod key;
mod mock;
mod prices;
mod providers;
mod report;
mod translate;

use std::io::Write;

use clap::{Parser, Subcommand};

/// The LLM gateway filter, on the command line.
#[derive(Parser)]
#[command(name = "dragoman", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks a configuration: every fault with its place; exit 1 if there is one.
    Check(check::Options),
    /// Writes a complete configuration of Envoy.
    Envoy(envoy::Options),
    /// A configuration made from another gateway's, and a report of what became of each setting.
    #[command(subcommand)]
    Import(import::Gateway),
    /// Virtual keys.
    #[command(subcommand)]
    Key(key::Action),
    /// Mock providers in their native formats, for demos and tests.
    Mock(mock::Options),
    /// The price table.
    Prices(prices::Options),
    /// The catalogue: the providers that a configuration may name.
    Providers(providers::Options),
    /// Spend and tokens by key, team, model and day, from an access log on standard input.
    Report(report::Options),
    /// What the filter would send to an upstream, and what it would make of an answer.
    #[command(subcommand)]
    Translate(translate::Direction),
}

fn main() -> std::process::ExitCode {
    let result = match Arguments::parse().command {
        Command::Check(options) => check::run(options),
        Command::Envoy(options) => envoy::run(options),
        Command::Import(gateway) => import::run(gateway),
        Command::Key(action) => key::run(action),
        Command::Mock(options) => mock::run(options),
        Command::Prices(options) => prices::run(options),
        Command::Providers(options) => providers::run(options),
        Command::Report(options) => report::run(options),
        Command::Translate(direction) => translate::run(direction),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("dragoman: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// Prints a long text. A reader such as `head` may have seen enough of it before its end.
fn print(text: &str) -> Result<(), String> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("cannot write: {error}")),
        _ => Ok(()),
    }
}
