//! Decimal numbers as they are written: amounts of money never pass through floating point.

use std::fmt;

use serde_json::Value;

use super::source;

/// The most digits on either side of the point.
const MOST: u32 = 30;

/// `digits` times ten to the power of `-places`, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: u128,
    places: u32,
}

impl Decimal {
    /// Reads `0.000003`, `3e-06` or `3`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let number = number.strip_prefix('+').unwrap_or(number);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let trimmed = digits.trim_end_matches('0');
        let zeros = i32::try_from(digits.len().checked_sub(trimmed.len())?).ok()?;
        if trimmed.is_empty() {
            return Some(Self { digits: 0, places: 0 });
        }
        let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?.checked_sub(zeros)?;
        Self { digits: trimmed.parse().ok()?, places: 0 }.shifted(places.checked_neg()?)
    }

    /// A number or a text that holds one.
    pub fn of(value: &Value) -> Option<Self> {
        if value.is_boolean() { None } else { Self::parse(&source::text(value)?) }
    }

    /// The number times ten to the power of `by`.
    pub fn shifted(self, by: i32) -> Option<Self> {
        let places = i32::try_from(self.places).ok()?.checked_sub(by)?;
        if places >= 0 {
            let places = u32::try_from(places).ok().filter(|places| *places <= MOST)?;
            return Some(Self { places, ..self });
        }
        let power = places.unsigned_abs();
        let digits = self.digits.checked_mul(10_u128.checked_pow(power)?)?;
        (power <= MOST).then_some(Self { digits, places: 0 })
    }

    /// The nearest number with so many decimals at most, half up.
    pub fn rounded(self, decimals: u32) -> Self {
        let nearest = || {
            let power = 10_u128.checked_pow(self.places.checked_sub(decimals)?)?;
            let digits = self.digits.checked_add(power / 2)?.checked_div(power)?;
            Self { digits, places: 0 }.shifted(i32::try_from(decimals).ok()?.checked_neg()?)
        };
        if self.places > decimals { nearest().unwrap_or(self) } else { self }
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// A whole number; `None` if it is none.
    pub fn whole(self) -> Option<u64> {
        if self.places == 0 { u64::try_from(self.digits).ok() } else { None }
    }

    /// The whole number that is at least as large.
    pub fn ceiling(self) -> Option<u64> {
        u64::try_from(self.digits.div_ceil(10_u128.checked_pow(self.places)?)).ok()
    }

    /// As JSON, without an exponent.
    pub fn json(self) -> Value {
        serde_json::from_str(&self.to_string()).unwrap_or_default()
    }

    /// The smallest whole numbers that are to each other as `all`.
    pub fn ratio(all: &[Self]) -> Option<Vec<u128>> {
        let most = all.iter().map(|number| number.places).max()?;
        let scaled = |number: &Self| {
            let power = most.checked_sub(number.places)?;
            number.digits.checked_mul(10_u128.checked_pow(power)?)
        };
        let scaled: Vec<u128> = all.iter().map(scaled).collect::<Option<_>>()?;
        let divisor = scaled.iter().copied().fold(0, gcd);
        scaled.iter().map(|number| number.checked_div(divisor)).collect()
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::try_from(self.places).unwrap_or_default();
        let digits = format!("{:0>width$}", self.digits, width = places.saturating_add(1));
        let (whole, fraction) = digits.split_at_checked(digits.len().saturating_sub(places)).unwrap_or_default();
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { f.write_str(whole) } else { write!(f, "{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_per_token_become_prices_per_million() {
        for (per_token, per_million) in [
            ("0.000003", "3"),
            ("3e-06", "3"),
            ("3e-6", "3"),
            ("1.25E-06", "1.25"),
            ("0.00000375", "3.75"),
            ("3.0000000000000004e-07", "0.30000000000000004"),
            ("0.0000000001", "0.0001"),
            ("0", "0"),
            ("0.0", "0"),
            ("1", "1000000"),
            ("+2.50e-6", "2.5"),
        ] {
            let found = Decimal::parse(per_token).and_then(|price| price.shifted(6));
            assert_eq!(found.map(|price| price.to_string()).as_deref(), Some(per_million), "{per_token}");
        }
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["", "-1", "1,5", "free", ".", "1e", "e5", "1e99", "1e-99", "NaN", "0x1", "1e2147483648"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_rounded() {
        for (number, decimals, expected) in
            [("0.30000000000000004", 12, "0.3"), ("0.125", 2, "0.13"), ("0.124", 2, "0.12"), ("2.5", 3, "2.5")]
        {
            assert_eq!(Decimal::parse(number).unwrap().rounded(decimals).to_string(), expected, "{number}");
        }
    }

    #[test]
    fn shares_are_reduced() {
        let ratio = |all: &[&str]| {
            let all: Option<Vec<Decimal>> = all.iter().map(|text| Decimal::parse(text)).collect();
            Decimal::ratio(&all.unwrap())
        };
        assert_eq!(ratio(&["0.9", "0.1"]), Some(vec![9, 1]));
        assert_eq!(ratio(&["600", "300", "0"]), Some(vec![2, 1, 0]));
        assert_eq!(ratio(&["1"]), Some(vec![1]));
        assert_eq!(ratio(&["0", "0"]), None);
        assert_eq!(ratio(&[]), None);
    }

    #[test]
    fn numbers_are_rounded_up() {
        assert_eq!(Decimal::parse("0.5").and_then(Decimal::ceiling), Some(1));
        assert_eq!(Decimal::parse("60.0").and_then(Decimal::whole), Some(60));
        assert_eq!(Decimal::parse("60.5").and_then(Decimal::whole), None);
    }
}
