//! The calendar.

const DAY: u64 = 24 * 60 * 60;

/// Date (`20260131`) and time (`235959`) of a point in unix seconds, in [ISO 8601](https://en.wikipedia.org/wiki/ISO_8601)'s
/// basic format.
pub fn basic(now: u64) -> (String, String) {
    let ([year, month, day], [hour, minute, second]) = date(now);
    (format!("{year:04}{month:02}{day:02}"), format!("{hour:02}{minute:02}{second:02}"))
}

/// A point in unix seconds as [`timestamp`] reads it.
pub fn extended(now: u64) -> String {
    let ([year, month, day], [hour, minute, second]) = date(now);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// How many months have ended since 1970, at a point in unix seconds.
pub fn month(now: u64) -> u64 {
    let ([year, month, _], _) = date(now);
    year.saturating_sub(1970).saturating_mul(12).saturating_add(month.saturating_sub(1))
}

/// When the month begins that so many others went before, in unix seconds.
pub fn begin_of_month(months: u64) -> u64 {
    let (year, month) = ((months / 12).saturating_add(1970).min(LAST_YEAR), (months % 12).saturating_add(1));
    let days = (1970..year).map(days_in).chain((1..month).map(|month| days_of(year, month))).sum::<u64>();
    days.saturating_mul(DAY)
}

/// The formats have four digits, and no clock shall make us count for long.
const LAST_YEAR: u64 = 9999;

/// Year, month and day, and hour, minute and second, of a point in unix seconds.
fn date(now: u64) -> ([u64; 3], [u64; 3]) {
    const LAST: u64 = 253_402_300_799;
    let now = now.min(LAST);
    let (mut days, seconds) = (now / DAY, now % DAY);
    let mut year = 1970;
    while days >= days_in(year) {
        days = days.saturating_sub(days_in(year));
        year = year.saturating_add(1);
    }
    let mut month = 1;
    while days >= days_of(year, month) {
        days = days.saturating_sub(days_of(year, month));
        month = month.saturating_add(1);
    }
    ([year, month, days.saturating_add(1)], [seconds / 3600, seconds / 60 % 60, seconds % 60])
}

/// A timestamp of [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339#section-5.6), such as `2027-01-01T00:00:00Z`, in unix
/// seconds: from 1970 on, parts of a second cut off.
pub fn timestamp(text: &str) -> Option<u64> {
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

/// A date of HTTP in [the form that is sent](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7), such as
/// `Fri, 01 Jan 2027 00:00:00 GMT`, in unix seconds.
pub fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)?.checked_add(1)?;
    timestamp(&format!("{year}-{month:02}-{day}T{time}Z")).filter(|_| parts.eq(["GMT"]))
}

/// The days of a year.
pub fn days_in(year: u64) -> u64 {
    if leap(year) { 366 } else { 365 }
}

/// The days of a month, from 1 on.
pub fn days_of(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_point_in_time_has_a_date() {
        for (now, date, time) in [
            (0, "19700101", "000000"),
            (1_440_938_160, "20150830", "123600"),
            (1_709_210_096, "20240229", "123456"),
            (4_107_542_399, "21000228", "235959"),
        ] {
            assert_eq!(basic(now), (date.to_owned(), time.to_owned()));
        }
    }

    #[test]
    fn months_are_counted() {
        for (text, month) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-12-31T23:59:59Z", 11),
            ("2024-02-29T12:34:56Z", 649),
            ("2027-01-01T00:00:00Z", 684),
        ] {
            let now = timestamp(text).unwrap();
            assert_eq!((extended(now).as_str(), super::month(now)), (text, month));
        }
        for months in 0..2000 {
            let begin = begin_of_month(months);
            assert_eq!(super::month(begin), months);
            assert!(begin == 0 || super::month(begin - 1) == months - 1);
        }
    }

    #[test]
    fn timestamps_are_read() {
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
            assert_eq!(timestamp(text), expected, "{text}");
        }
    }

    #[test]
    fn dates_of_http_are_read() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Fri, 01 Jan 2027 00:00:00 GMT", Some(1_798_761_600)),
            ("Fri, 01 Jan 2027 00:00:00", None),
            ("Fri, 01 Jan 2027 00:00:00 GMT ", None),
            ("Fri, 1 Jan 2027 00:00:00 GMT", None),
            ("Fri, 01 Xan 2027 00:00:00 GMT", None),
            ("01 Jan 2027 00:00:00 GMT", None),
            ("", None),
        ] {
            assert_eq!(http_date(text), expected, "{text}");
        }
    }
}
