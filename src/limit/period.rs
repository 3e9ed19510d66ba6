//! The windows of budgets, by the calendar in UTC.

use crate::time;

/// How long a budget lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// For ever.
    Total,
}

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// From Monday to the first day of 1970, a Thursday.
const THURSDAY: u64 = 3 * DAY;

impl Period {
    /// All, with their names in configurations.
    pub const ALL: [(&str, Self); 5] = [
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("total", Self::Total),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, period)| *period == self).map_or("", |(name, _)| name)
    }

    /// The number of the window at `now`, in unix seconds. One follows upon the other.
    pub(super) fn window(self, now: u64) -> u64 {
        match self {
            Self::Hour => now / HOUR,
            Self::Day => now / DAY,
            Self::Week => now.saturating_add(THURSDAY) / WEEK,
            Self::Month => time::month(now),
            Self::Total => 0,
        }
    }

    /// When a window begins, in unix seconds; for ever is not followed by any.
    pub(super) fn begins(self, window: u64) -> Option<u64> {
        match self {
            Self::Hour => Some(window.saturating_mul(HOUR)),
            Self::Day => Some(window.saturating_mul(DAY)),
            Self::Week => Some(window.saturating_mul(WEEK).saturating_sub(THURSDAY)),
            Self::Month => Some(time::begin_of_month(window)),
            Self::Total => None,
        }
    }

    /// A number for it that stays: entries hold it.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Hour => 1,
            Self::Day => 2,
            Self::Week => 3,
            Self::Month => 4,
            Self::Total => 5,
        }
    }
}
