//! The command line: the filter's code for people, scripts and CI.

mod check;
mod document;
mod envoy;
mod key;
mod mock;
mod translate;

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
    /// Virtual keys.
    #[command(subcommand)]
    Key(key::Action),
    /// Mock providers in their native formats, for demos and tests.
    Mock(mock::Options),
    /// What the filter would send to an upstream, and what it would make of an answer.
    #[command(subcommand)]
    Translate(translate::Direction),
}

fn main() -> std::process::ExitCode {
    let result = match Arguments::parse().command {
        Command::Check(options) => check::run(options),
        Command::Envoy(options) => envoy::run(options),
        Command::Key(action) => key::run(action),
        Command::Mock(options) => mock::run(options),
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
