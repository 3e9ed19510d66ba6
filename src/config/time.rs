//! Durations and timestamps.

use super::read::Value;
use crate::error::shorten;
use crate::time;

/// The longest duration.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A duration in milliseconds.
pub(super) fn duration(value: &Value<'_>) -> Option<u64> {
    const EXPECTED: &str = "a duration such as `500ms`, `10s`, `5m` or `1h`";
    let text = value.text_or(EXPECTED)?;
    match parse_duration(&text) {
        Some(0) => value.fault("must be longer than nothing; to have no limit, remove it"),
        Some(millis) if millis > DAY => value.fault(format!("`{}` is longer than `24h`", shorten(&text))),
        Some(millis) => return Some(millis),
        None => value.fault(format!("`{}` is not {EXPECTED}", shorten(&text))),
    }
    None
}

/// A point in time, in unix seconds.
pub(super) fn timestamp(value: &Value<'_>) -> Option<u64> {
    const EXPECTED: &str = "a time such as `2027-01-01T00:00:00Z`, from 1970 on";
    let text = value.text_or(EXPECTED)?;
    let seconds = time::timestamp(&text);
    if seconds.is_none() {
        value.fault(format!("`{}` is not {EXPECTED}", shorten(&text)));
    }
    seconds
}

fn parse_duration(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(number.parse::<u64>().ok()?.saturating_mul(millis))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("10m", Some(600_000)),
            ("1h", Some(3_600_000)),
            ("0s", Some(0)),
            ("18446744073709551615h", Some(u64::MAX)),
            ("18446744073709551616s", None),
            ("", None),
            ("10", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("1 s", None),
            ("1s ", None),
            ("1d", None),
            ("1é", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }
}
