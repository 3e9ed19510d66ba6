//! Configurations of other gateways, made into Dragoman's.
//!
//! A document is read whole ([`source`]), its models, settings and keys are taken over one by one into a [`Draft`], and
//! what the filter's own reader refuses of it goes again ([`settle`]). Each step tells the [`report`] what became of each
//! setting; what nobody spoke of is reported as lost. No secret is written anywhere.

mod budget;
mod decimal;
mod deployment;
mod draft;
mod dump;
mod keys;
mod models;
mod prices;
mod providers;
mod report;
mod router;
mod settings;
mod settle;
mod source;

use std::process::ExitCode;

use clap::Subcommand;

use self::draft::Draft;
use self::report::Report;
use self::source::Source;

/// Whose configuration it is.
#[derive(Subcommand)]
pub enum Gateway {
    /// LiteLLM's proxy.
    Litellm(Options),
}

/// What is imported.
#[derive(clap::Args)]
pub struct Options {
    /// The proxy's configuration, in YAML; `-` is standard input.
    config: String,
    /// Keys, teams and budgets: tables LiteLLM_VerificationToken, LiteLLM_TeamTable and LiteLLM_BudgetTable of the proxy's
    /// database, as CSV with a head or as JSON. May be given again.
    #[arg(long, value_name = "DUMP")]
    keys: Vec<String>,
    /// Where the report goes instead of standard error, which then has its summary alone.
    #[arg(long, value_name = "FILE")]
    report: Option<String>,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
}

/// Writes the configuration to standard output and the report where it is wanted.
pub fn run(gateway: Gateway) -> Result<ExitCode, String> {
    let Gateway::Litellm(options) = gateway;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let source = Source::load(&options.config, &variable)?;
    let dump = dump::load(&options.keys)?;
    let (document, report) = import(&source, &dump);
    let text = if options.json { report.json()? } else { report.text() };
    match &options.report {
        None => eprint!("{text}"),
        Some(path) => {
            std::fs::write(path, text).map_err(|error| format!("{path}: {error}"))?;
            eprint!("{}", report.summary());
        }
    }
    let document = document.ok_or_else(|| format!("{}: no model of it can be reached", options.config))?;
    crate::print(&document)?;
    Ok(ExitCode::SUCCESS)
}

/// The document and the report. Without models there is none: it would let callers ask for any.
fn import(source: &Source<'_>, dump: &dump::Dump) -> (Option<String>, Report) {
    let mut report = Report::default();
    let mut draft = Draft::default();
    let groups = models::read(source, &mut draft, &mut report);
    router::read(source, groups, &mut draft, &mut report);
    settings::read(source, &mut draft, &mut report);
    keys::read(source, dump, &mut draft, &mut report);
    settle::settle(&mut draft, &mut report);
    report.complete(&source.document);
    let serves = draft.document.get("models").and_then(|models| models.get(0)).is_some();
    (serves.then(|| draft.write(&source.name, &report)), report)
}
