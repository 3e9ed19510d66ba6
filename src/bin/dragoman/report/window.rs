//! Points in time as logs write them, and where the windows of budgets begin: in UTC, weeks on Mondays.

/// A point in time: `2026-11-25T09:00:00`, in UTC. Their order is that of their text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(String);

impl Moment {
    /// Reads `2026-11-25T09:00:00.123Z`, as Envoy's `%START_TIME%` has it.
    pub fn parse(text: &str) -> Option<Self> {
        let whole = text.get(..19).filter(|_| text.ends_with('Z'))?;
        let fits = |(byte, shape): (u8, u8)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
        whole.bytes().zip(*b"0000-00-00T00:00:00").all(fits).then(|| Self(whole.to_owned()))
    }

    /// The day.
    pub fn day(&self) -> &str {
        self.0.get(..10).unwrap_or_default()
    }
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// When the window of a budget began in which `now`, in unix seconds, is; `None` for a word that is no window. A total has
/// no beginning.
pub fn start(per: &str, now: u64) -> Option<Moment> {
    let days = now / DAY;
    // The first day of 1970 was a Thursday.
    let weekday = days.saturating_add(3) % 7;
    let (year, month, _) = date(days);
    Some(match per {
        "hour" => moment(days, now % DAY / HOUR),
        "day" => moment(days, 0),
        "week" => moment(days.saturating_sub(weekday), 0),
        "month" => Moment(format!("{year:04}-{month:02}-01T00:00:00")),
        "total" => Moment(String::new()),
        _ => return None,
    })
}

fn moment(days: u64, hour: u64) -> Moment {
    let (year, month, day) = date(days);
    Moment(format!("{year:04}-{month:02}-{day:02}T{hour:02}:00:00"))
}

/// Year, month and day of so many days after 1 January 1970.
fn date(mut days: u64) -> (u64, u64, u64) {
    let mut year: u64 = 1970;
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let length = |year| if leap(year) { 366 } else { 365 };
    while days >= length(year) && year < 9999 {
        days = days.saturating_sub(length(year));
        year = year.saturating_add(1);
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days = days.saturating_sub(length);
        month = u64::saturating_add(month, 1);
    }
    (year, month, days.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_in_utc() {
        // Wednesday, 25 November 2026, 09:30:15.
        let now = 1_795_599_015;
        for (per, begins) in [
            ("hour", "2026-11-25T09:00:00"),
            ("day", "2026-11-25T00:00:00"),
            ("week", "2026-11-23T00:00:00"),
            ("month", "2026-11-01T00:00:00"),
            ("total", ""),
        ] {
            assert_eq!(start(per, now), Some(Moment(begins.to_owned())), "{per}");
        }
        assert_eq!(start("year", now), None);
        // 29 February 2028, 23:59:59; a Tuesday.
        assert_eq!(start("day", 1_835_481_599), Some(Moment("2028-02-29T00:00:00".to_owned())));
        assert_eq!(start("week", 1_835_481_599), Some(Moment("2028-02-28T00:00:00".to_owned())));
        assert_eq!(start("week", 0), Some(Moment("1970-01-01T00:00:00".to_owned())));
    }

    #[test]
    fn moments_are_read_and_ordered() {
        let moment = |text| Moment::parse(text).unwrap();
        assert!(moment("2026-11-25T09:00:00.123Z") > moment("2026-11-25T08:59:59Z"));
        assert_eq!(moment("2026-11-25T09:00:00.123Z").day(), "2026-11-25");
        for text in [
            "",
            "2026-11-25",
            "2026-11-25T09:00:00",
            "2026-11-25 09:00:00Z",
            "x026-11-25T09:00:00Z",
            "é026-11-25T09:00:00Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
