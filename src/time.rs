//! The calendar.

/// Date (`20260131`) and time (`235959`) of a point in unix seconds, in [ISO 8601](https://en.wikipedia.org/wiki/ISO_8601)'s
/// basic format.
pub fn basic(now: u64) -> (String, String) {
    const DAY: u64 = 24 * 60 * 60;
    // The end of the year 9999: the format has four digits, and no clock shall make us count for long.
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
    let day = days.saturating_add(1);
    (
        format!("{year:04}{month:02}{day:02}"),
        format!("{:02}{:02}{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    )
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
    use super::basic;

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
}
