//! What calls cost.
//!
//! [`Rates`] are the prices of a model; [`cost`] is what a [`Usage`](crate::usage::Usage) costs at them, exactly; [`most`] is
//! the most that a call may come to. [`lookup`] finds the rates of a provider's model in the [table] that is shipped. What
//! an operator writes (`price` of a model, `prices`) goes before it, and [`Config::rates`](crate::config::Config::rates)
//! knows all three. An unknown price is `None` everywhere, never zero.

mod name;
mod rates;
pub mod table;

#[cfg(test)]
mod tests;

pub use rates::{Class, Part, Price, Rates, cost, most};

use std::collections::HashMap;

use crate::provider::Provider;

/// The rates of a provider's model in the shipped table.
pub fn lookup(provider: &Provider, model: &str) -> Option<Rates> {
    let mut key = String::with_capacity(96);
    name::first(provider.id, model, &mut |provider, model| {
        key.clear();
        key.extend([provider, "/", model]);
        table::find(&key)
    })
}

/// How many tokens of input a provider's model takes, where the shipped table knows.
pub fn window(provider: &Provider, model: &str) -> Option<u64> {
    let mut key = String::with_capacity(96);
    name::first(provider.id, model, &mut |provider, model| {
        key.clear();
        key.extend([provider, "/", model]);
        table::window(&key)
    })
}

/// The rates of a provider's model in `prices`, whose names are those of models, or `PROVIDER/MODEL`.
pub fn lookup_in(prices: &HashMap<String, Rates>, provider: &Provider, model: &str) -> Option<Rates> {
    if prices.is_empty() {
        return None;
    }
    name::first(provider.id, model, &mut |provider, model| {
        prices.get(&format!("{provider}/{model}")).or_else(|| prices.get(model)).cloned()
    })
}

/// Nanodollars as a decimal number of dollars, without zeros at the end: `0.0001`.
pub fn dollars(nanodollars: u64) -> String {
    const NANO: u64 = 1_000_000_000;
    let (whole, rest) = (nanodollars / NANO, nanodollars % NANO);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:09}").trim_end_matches('0').to_owned()
}

/// A decimal number such as `0.15` or `1.5e-7` times ten to the `places`, exactly; `None` if it is none, is negative, too
/// large, or finer than that.
pub fn decimal(text: &str, places: u32) -> Option<u64> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let mantissa = digits.trim_end_matches('0');
    if mantissa.is_empty() {
        return Some(0);
    }
    let zeros = i64::try_from(digits.len().checked_sub(mantissa.len())?).ok()?;
    let fraction = i64::try_from(fraction.len()).ok()?;
    let shift = i64::from(exponent).checked_add(zeros)?.checked_sub(fraction)?.checked_add(i64::from(places))?;
    mantissa.parse::<u64>().ok()?.checked_mul(10_u64.checked_pow(u32::try_from(shift).ok()?)?)
}
