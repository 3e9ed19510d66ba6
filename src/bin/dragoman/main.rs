//! The command line: the filter's code for people, scripts and CI.

mod mock;

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
    /// Mock providers in their native formats, for demos and tests.
    Mock(mock::Options),
}

fn main() -> std::process::ExitCode {
    let result = match Arguments::parse().command {
        Command::Mock(options) => mock::run(options),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("dragoman: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}
