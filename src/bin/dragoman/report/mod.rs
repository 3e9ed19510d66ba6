//! `dragoman report`: spend and tokens, from the JSON access log that `dragoman envoy` has Envoy write.

mod spent;
mod window;

use std::collections::BTreeMap;
use std::io::BufRead;
use std::process::ExitCode;

use clap::Args;
use dragoman::cost::dollars;
use serde_json::{Map, Value, json};

use window::Moment;

/// What is made of the log.
#[derive(Args)]
pub struct Options {
    /// All of it as JSON.
    #[arg(long, conflicts_with = "spent")]
    json: bool,
    /// Prints this configuration with what keys and teams have spent in the current windows of their budgets. The log must
    /// reach back to where the windows began.
    #[arg(long, value_name = "CONFIG")]
    spent: Option<String>,
}

/// What some calls used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sum {
    calls: u64,
    /// Calls that used tokens of an unknown price.
    unpriced: u64,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    reasoning: u64,
    nanodollars: u64,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    time: Moment,
    key: Option<String>,
    team: Option<String>,
    model: Option<String>,
    sum: Sum,
}

/// What the log tells.
#[derive(Debug, Default)]
struct Report {
    total: Sum,
    keys: BTreeMap<String, Sum>,
    teams: BTreeMap<String, Sum>,
    models: BTreeMap<String, Sum>,
    days: BTreeMap<String, Sum>,
    bad: u64,
}

/// Reads the log on standard input.
pub fn run(options: Options) -> Result<ExitCode, String> {
    let mut report = Report::default();
    let mut budgets = options.spent.as_deref().map(spent::Budgets::load).transpose()?;
    let mut input = std::io::stdin().lock();
    let mut bytes = Vec::new();
    while input.read_until(b'\n', &mut bytes).map_err(|error| format!("standard input: {error}"))? > 0 {
        if !bytes.trim_ascii().is_empty() {
            let line = Line::read(&bytes);
            if let (Some(line), Some(budgets)) = (&line, &mut budgets) {
                budgets.add(line);
            }
            report.add(line);
        }
        bytes.clear();
    }
    if report.bad > 0 {
        let (lines, are) = if report.bad == 1 { ("line", "is") } else { ("lines", "are") };
        eprintln!("dragoman: {} {lines} of the log {are} no access log in JSON and not counted", report.bad);
    }
    let text = match budgets {
        Some(budgets) => budgets.document()?,
        None if options.json => serde_json::to_string_pretty(&report.json()).map_err(|error| error.to_string())? + "\n",
        None => report.tables(),
    };
    crate::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

impl Line {
    /// Reads a line, unless it is something else: hosts write more than access logs to the same place.
    fn read(bytes: &[u8]) -> Option<Self> {
        let Ok(Value::Object(line)) = serde_json::from_slice(bytes) else { return None };
        let time = Moment::parse(line.get("time")?.as_str()?)?;
        let usage = match line.get("usage") {
            Some(Value::String(json)) => serde_json::from_str(json).unwrap_or_default(),
            Some(Value::Object(usage)) => usage.clone(),
            _ => Map::new(),
        };
        let text = |name| line.get(name).or_else(|| usage.get(name)).and_then(Value::as_str).map(str::to_owned);
        // The usage of a call is exact where other fields may be left out of a log.
        let count = |name| usage.get(name).and_then(number).or_else(|| line.get(name).and_then(number));
        let (input, output, cost) = (count("input_tokens"), count("output_tokens"), count("cost_nanousd"));
        let used = input.unwrap_or(0) > 0 || output.unwrap_or(0) > 0;
        let sum = Sum {
            calls: 1,
            unpriced: u64::from(used && cost.is_none()),
            input: input.unwrap_or(0),
            output: output.unwrap_or(0),
            cache_read: count("cache_read_tokens").unwrap_or(0),
            cache_write: count("cache_write_tokens").unwrap_or(0),
            reasoning: count("reasoning_tokens").unwrap_or(0),
            nanodollars: cost.unwrap_or(0),
        };
        Some(Self { time, key: text("key"), team: text("team"), model: text("model"), sum })
    }
}

/// A count, be it a number or, as Envoy writes filter state, a string.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

impl Sum {
    fn add(&mut self, other: &Self) {
        let fields = [
            (&mut self.calls, other.calls),
            (&mut self.unpriced, other.unpriced),
            (&mut self.input, other.input),
            (&mut self.output, other.output),
            (&mut self.cache_read, other.cache_read),
            (&mut self.cache_write, other.cache_write),
            (&mut self.reasoning, other.reasoning),
            (&mut self.nanodollars, other.nanodollars),
        ];
        fields.into_iter().for_each(|(sum, more)| *sum = sum.saturating_add(more));
    }

    fn json(&self) -> Value {
        json!({
            "calls": self.calls,
            "unpriced_calls": self.unpriced,
            "input_tokens": self.input,
            "output_tokens": self.output,
            "cache_read_tokens": self.cache_read,
            "cache_write_tokens": self.cache_write,
            "reasoning_tokens": self.reasoning,
            "cost_nanousd": self.nanodollars,
        })
    }
}

/// What stands for calls without a key, team or model.
const NONE: &str = "-";

impl Report {
    fn add(&mut self, line: Option<Line>) {
        let Some(Line { time, key, team, model, sum }) = line else {
            self.bad = self.bad.saturating_add(1);
            return;
        };
        self.total.add(&sum);
        let groups = [(&mut self.keys, key), (&mut self.teams, team), (&mut self.models, model)];
        for (group, name) in groups {
            group.entry(name.unwrap_or_else(|| NONE.to_owned())).or_default().add(&sum);
        }
        self.days.entry(time.day().to_owned()).or_default().add(&sum);
    }

    fn groups(&self) -> [(&'static str, &BTreeMap<String, Sum>); 4] {
        [("keys", &self.keys), ("teams", &self.teams), ("models", &self.models), ("days", &self.days)]
    }

    fn json(&self) -> Value {
        let mut all = Map::new();
        all.insert("total".to_owned(), self.total.json());
        for (name, group) in self.groups() {
            let rows: Map<String, Value> = group.iter().map(|(name, sum)| (name.clone(), sum.json())).collect();
            all.insert(name.to_owned(), rows.into());
        }
        all.insert("bad_lines".to_owned(), self.bad.into());
        all.into()
    }

    fn tables(&self) -> String {
        let total = BTreeMap::from([("total".to_owned(), self.total.clone())]);
        let tables = self.groups().into_iter().chain([("", &total)]).map(|(name, group)| table(name, group));
        tables.collect::<Vec<_>>().join("\n")
    }
}

fn table(title: &str, group: &BTreeMap<String, Sum>) -> String {
    let head = [title.to_uppercase(), "CALLS".into(), "INPUT".into(), "OUTPUT".into(), "USD".into(), "UNPRICED".into()];
    let row = |(name, sum): (&String, &Sum)| {
        let counts = [sum.calls, sum.input, sum.output].map(|count| count.to_string());
        let [calls, input, output] = counts;
        [name.clone(), calls, input, output, dollars(sum.nanodollars), sum.unpriced.to_string()]
    };
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(group.iter().map(row)).collect();
    let mut widths = [0_usize; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |[name, counts @ ..]: &[String; 6]| {
        let [first, rest @ ..] = widths;
        let counts: String = counts.iter().zip(rest).map(|(cell, width)| format!("  {cell:>width$}")).collect();
        format!("{name:first$}{counts}\n")
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: &str, rest: &str) -> String {
        format!(r#"{{"time":"{time}","status":200{rest}}}"#)
    }

    fn report(lines: &[String]) -> Report {
        let mut report = Report::default();
        lines.iter().for_each(|text| report.add(Line::read(text.as_bytes())));
        report
    }

    #[test]
    fn sums_by_key_team_model_and_day() {
        let usage = r#""usage":"{\"cache_read_tokens\":60,\"reasoning_tokens\":5,\"cost_nanousd\":1500000,\"input_tokens\":100,\"output_tokens\":50}""#;
        let lines = [
            line("2026-11-24T23:59:59.999Z", &format!(r#","key":"a","team":"t","model":"m",{usage}"#)),
            // As Envoy writes filter state: strings. And nothing but these.
            line(
                "2026-11-25T00:00:00.000Z",
                r#","key":"a","team":"t","model":"n","input_tokens":"7","output_tokens":"3","cost_nanousd":"20""#,
            ),
            // Tokens of an unknown price.
            line(
                "2026-11-25T01:00:00Z",
                r#","key":"b","team":null,"model":"m","input_tokens":1,"output_tokens":2,"cost_nanousd":null"#,
            ),
            // A refused call.
            line("2026-11-25T02:00:00Z", r#","key":null,"usage":null"#),
            "[2026-11-25 09:00:00.000][1][warning] not a log line".to_owned(),
            r#"{"no":"time"}"#.to_owned(),
            r#"{"time":"yesterday"}"#.to_owned(),
        ];
        let report = report(&lines);
        assert_eq!(report.bad, 3);
        let sum = |calls, unpriced, input, output, nanodollars| Sum {
            calls,
            unpriced,
            input,
            output,
            nanodollars,
            ..Sum::default()
        };
        let first = Sum { cache_read: 60, reasoning: 5, ..sum(1, 0, 100, 50, 1_500_000) };
        assert_eq!(report.keys["a"], Sum { cache_read: 60, reasoning: 5, ..sum(2, 0, 107, 53, 1_500_020) });
        assert_eq!(report.keys["b"], sum(1, 1, 1, 2, 0));
        assert_eq!(report.keys["-"], sum(1, 0, 0, 0, 0));
        assert_eq!(report.teams["t"], report.keys["a"]);
        assert_eq!(report.models["n"], sum(1, 0, 7, 3, 20));
        assert_eq!(report.days["2026-11-24"], first);
        assert_eq!(report.days["2026-11-25"], sum(3, 1, 8, 5, 20));
        assert_eq!(report.total.calls, 4);
        assert_eq!(report.json()["keys"]["a"]["cost_nanousd"], 1_500_020);
        assert!(report.tables().contains("a         2    107      53  0.00150002         0\n"), "{}", report.tables());
    }
}
