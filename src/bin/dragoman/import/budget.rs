//! Budgets: how much may be spent in which time.

use serde_json::{Map, Value, json};

use super::decimal::Decimal;
use super::report::Report;

/// A row's columns about a budget, with their places.
pub struct Budget<'r> {
    /// The row's place.
    pub place: &'r str,
    /// The key's or team's place in the new document.
    pub to: &'r str,
    /// Unix seconds.
    pub now: u64,
}

impl Budget<'_> {
    /// Reads `max_budget`, `budget_duration`, `budget_reset_at` and `spend`.
    pub fn read(&self, row: &Map<String, Value>, report: &mut Report) -> Option<Value> {
        let Self { place, to, now } = *self;
        let column = |name: &str| row.get(name).filter(|value| !value.is_null());
        let spend = column("spend").and_then(Decimal::of).filter(|spend| !spend.is_zero());
        let Some(limit) = column("max_budget").and_then(Decimal::of) else {
            if spend.is_some() {
                report
                    .unsupported(format!("{place}.spend"), "without a budget; the history stays in LiteLLM's database");
            }
            for name in ["budget_duration", "budget_reset_at"].into_iter().filter(|name| column(name).is_some()) {
                report.needless(format!("{place}.{name}"), "there is no budget");
            }
            if column("max_budget").is_some() {
                report.unsupported(format!("{place}.max_budget"), "expected a number of USD");
                report.step(format!("`{to}` has no `budget`: theirs cannot be read"));
            }
            return None;
        };
        report.exact(format!("{place}.max_budget"), format!("{to}.budget.usd"));
        let duration = column("budget_duration").and_then(Value::as_str);
        let (per, note) = duration.map_or(("total", None), period);
        if duration.is_some() {
            let (from, to) = (format!("{place}.budget_duration"), format!("{to}.budget.per"));
            match note {
                Some(note) => report.approximate(from, to, note),
                None => report.exact(from, to),
            }
        }
        let mut budget = json!({"usd": limit.json(), "per": per});
        let reset = column("budget_reset_at").and_then(Value::as_str).and_then(super::keys::timestamp);
        if column("budget_reset_at").is_some() {
            report.needless(format!("{place}.budget_reset_at"), "the calendar says it, in UTC");
        }
        if let Some(spend) = spend {
            let from = format!("{place}.spend");
            if duration.is_some() && reset.is_some_and(|reset| is_past(&reset, now)) {
                report.needless(from, "it was spent before the budget's last reset");
            } else {
                report.exact(from, format!("{to}.budget.spent"));
                if let Some(budget) = budget.as_object_mut() {
                    budget.insert("spent".to_owned(), spend.json());
                }
            }
        }
        Some(budget)
    }
}

/// Whether a time in UTC is not after `now`.
fn is_past(time: &str, now: u64) -> bool {
    let (date, clock) = dragoman::time::basic(now);
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    time.ends_with('Z') && digits <= format!("{date}{clock}")
}

/// Our period for LiteLLM's, and what differs: never one that lets more be spent. LiteLLM resets `1d`, `7d` and `30d` by the
/// calendar as we do.
fn period(duration: &str) -> (&'static str, Option<&'static str>) {
    const LONGER: &str = "the next longer period there is";
    let duration = match duration.trim().to_ascii_lowercase().as_str() {
        "hourly" => "1h".to_owned(),
        "daily" => "1d".to_owned(),
        "weekly" => "7d".to_owned(),
        "monthly" => "1mo".to_owned(),
        other => other.to_owned(),
    };
    let digits = duration.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = duration.split_at_checked(digits).unwrap_or(("", ""));
    let number: u64 = number.parse().unwrap_or_default();
    let hours = match unit {
        "s" => number.div_ceil(3600),
        "m" => number.div_ceil(60),
        "h" => number,
        "d" => number.saturating_mul(24),
        "w" => number.saturating_mul(7 * 24),
        "mo" if number == 1 => 30 * 24,
        _ => u64::MAX,
    };
    match (hours, unit) {
        (1, "h") => ("hour", None),
        (24, _) => ("day", None),
        (168, "d" | "w") => ("week", None),
        (720, "d" | "mo") => ("month", None),
        (0..=1, _) => ("hour", Some(LONGER)),
        (..=24, _) => ("day", Some(LONGER)),
        (..=168, _) => ("week", Some(LONGER)),
        (..=720, _) => ("month", Some(LONGER)),
        _ => ("total", Some("longer than a month: it is never reset, so raise it by hand")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_pass() {
        let now = 1_798_761_600; // 2027-01-01T00:00:00Z
        assert!(is_past("2027-01-01T00:00:00Z", now));
        assert!(!is_past("2027-01-01T00:00:01Z", now));
    }

    #[test]
    fn periods_never_allow_more() {
        for (theirs, ours, exact) in [
            ("1h", "hour", true),
            ("24h", "day", true),
            ("1d", "day", true),
            ("daily", "day", true),
            ("7d", "week", true),
            ("1w", "week", true),
            ("30d", "month", true),
            ("1mo", "month", true),
            ("monthly", "month", true),
            ("30s", "hour", false),
            ("90m", "day", false),
            ("6h", "day", false),
            ("2d", "week", false),
            ("14d", "month", false),
            ("90d", "total", false),
            ("3mo", "total", false),
            ("whenever", "total", false),
        ] {
            let (found, note) = period(theirs);
            assert_eq!((found, note.is_none()), (ours, exact), "{theirs}");
        }
    }
}
