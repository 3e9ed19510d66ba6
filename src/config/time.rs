//! Durations and timestamps.

use super::read::Value;
use crate::error::shorten;
use crate::time::{days_in, days_of};

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
    let seconds = parse_timestamp(&text);
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

/// A timestamp of [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339#section-5.6). Parts of a second are cut off.
fn parse_timestamp(text: &str) -> Option<u64> {
    let number = |text: &str, from: usize, to: usize, range: std::ops::RangeInclusive<u64>| {
        let digits = text.get(from..to).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u64>().ok().filter(|number| range.contains(number))
    };
    let mark =
        |text: &str, at: usize, marks: &[u8]| text.as_bytes().get(at).filter(|byte| marks.contains(byte)).map(|_| ());
    let year = number(text, 0, 4, 1970..=9999)?;
    mark(text, 4, b"-")?;
    let month = number(text, 5, 7, 1..=12)?;
    mark(text, 7, b"-")?;
    let day = number(text, 8, 10, 1..=days_of(year, month))?;
    mark(text, 10, b"Tt ")?;
    let hour = number(text, 11, 13, 0..=23)?;
    mark(text, 13, b":")?;
    let minute = number(text, 14, 16, 0..=59)?;
    mark(text, 16, b":")?;
    let second = number(text, 17, 19, 0..=59)?;
    let mut zone = text.get(19..)?;
    if let Some(fraction) = zone.strip_prefix('.') {
        zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if zone.len() == fraction.len() {
            return None;
        }
    }
    let months = (1..month).map(|month| days_of(year, month)).sum::<u64>();
    let years = (1970..year).map(days_in).sum::<u64>();
    let days = years.saturating_add(months).saturating_add(day.saturating_sub(1));
    let minutes = days.saturating_mul(24).saturating_add(hour).saturating_mul(60).saturating_add(minute);
    let seconds = minutes.saturating_mul(60).saturating_add(second);
    if matches!(zone, "Z" | "z") {
        return Some(seconds);
    }
    let hours = number(zone, 1, 3, 0..=23)?;
    mark(zone, 3, b":")?;
    let offset = hours.saturating_mul(60).saturating_add(number(zone, 4, 6, 0..=59)?).saturating_mul(60);
    match zone.as_bytes().first() {
        _ if zone.len() != 6 => None,
        Some(b'+') => seconds.checked_sub(offset),
        Some(b'-') => Some(seconds.saturating_add(offset)),
        _ => None,
    }
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

    #[test]
    fn timestamps() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2027-01-01T00:00:00Z", Some(1_798_761_600)),
            ("2027-01-01t01:00:00.999z", Some(1_798_765_200)),
            ("2027-01-01 02:00:00+02:00", Some(1_798_761_600)),
            ("2026-12-31T18:30:00-05:30", Some(1_798_761_600)),
            ("2024-02-29T12:34:56Z", Some(1_709_210_096)),
            ("9999-12-31T23:59:59Z", Some(253_402_300_799)),
            ("1970-01-01T00:00:00+01:00", None),
            ("1969-12-31T23:59:59Z", None),
            ("2023-02-29T00:00:00Z", None),
            ("2100-02-29T00:00:00Z", None),
            ("2027-13-01T00:00:00Z", None),
            ("2027-00-01T00:00:00Z", None),
            ("2027-01-00T00:00:00Z", None),
            ("2027-01-01T24:00:00Z", None),
            ("2027-01-01T00:60:00Z", None),
            ("2027-01-01T00:00:60Z", None),
            ("2027-01-01T00:00:00", None),
            ("2027-01-01T00:00:00.Z", None),
            ("2027-01-01T00:00:00+0200", None),
            ("2027-01-01T00:00:00+02:00Z", None),
            ("2027-01-01T00:00:00é02:0", None),
            ("2027-01-01", None),
            ("+027-01-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(parse_timestamp(text), expected, "{text}");
        }
    }
}
