//! `price` of a model, and `prices`: what calls cost, over the shipped table.

use std::collections::HashMap;

use super::read::{Fields, Value};
use crate::cost::{Class, Part, Price, Rates, decimal};
use crate::json::Kind;

/// Reads `prices`: names of models, or `PROVIDER/MODEL`, and their prices.
pub(super) fn table(value: &Value<'_>) -> Option<HashMap<String, Rates>> {
    let prices = value.map(100_000)?.into_iter().map(|(name, value)| {
        if name.is_empty() {
            value.fault("expected the name of a model");
            return None;
        }
        read(&value, &name).map(|rates| (name.into_owned(), rates))
    });
    // All are read, so that all faults are noted.
    prices.collect::<Vec<_>>().into_iter().collect()
}

/// Reads the prices of one model.
pub(super) fn read(value: &Value<'_>, name: &str) -> Option<Rates> {
    let mut fields = value.fields()?;
    let mut prices = Vec::new();
    let mut good = class(&mut fields, Class::Standard, &mut prices);
    for (word, kind) in Class::ALL.into_iter().skip(1) {
        if let Some(value) = fields.take(word) {
            let read = value.fields().map(|mut fields| {
                let good = class(&mut fields, kind, &mut prices);
                fields.finish();
                good
            });
            good &= read.unwrap_or(false);
        }
    }
    fields.finish();
    let based = |price: &Price| {
        let base = matches!(price.part, Part::Image | Part::Input | Part::Output | Part::Request);
        base && price.class == Class::Standard && price.above == 0
    };
    if good && !prices.iter().any(based) {
        value.fault("names no price; expected at least one of `input`, `output`, `image` and `request`");
        return None;
    }
    good.then(|| Rates::new(name, prices))
}

/// The prices of a class, and those above some number of input tokens. Whether all are good.
fn class(fields: &mut Fields<'_>, class: Class, prices: &mut Vec<Price>) -> bool {
    let mut good = parts(fields, class, 0, prices);
    let Some(value) = fields.take("above") else { return good };
    let Some(tiers) = value.map(16) else { return false };
    for (threshold, value) in tiers {
        match (tokens(&threshold), value.fields()) {
            (Some(above), Some(mut fields)) => {
                good &= parts(&mut fields, class, above, prices);
                fields.finish();
            }
            (None, _) => {
                value.fault("expected a number of tokens such as `200k` or `200000`");
                good = false;
            }
            (_, None) => good = false,
        }
    }
    good
}

/// Whether all are good.
fn parts(fields: &mut Fields<'_>, class: Class, above: u64, prices: &mut Vec<Price>) -> bool {
    let mut good = true;
    for (name, part) in Part::ALL {
        if let Some(value) = fields.take(name) {
            match amount(&value, matches!(part, Part::Image | Part::Request)) {
                Some(amount) => prices.push(Price { part, class, above, amount }),
                None => good = false,
            }
        }
    }
    good
}

/// USD per million tokens, or for one image or call, as picodollars per million. Read from the digits as they stand.
fn amount(value: &Value<'_>, piece: bool) -> Option<u64> {
    let (unit, decimals) = if piece { ("USD", 18) } else { ("USD per million tokens", 12) };
    if value.kind() != Kind::Number {
        value.expected(&format!("a number, the price in {unit}"));
        return None;
    }
    let amount = decimal(value.raw(), decimals);
    if amount.is_none() {
        let most = if piece { 18 } else { 18_000_000 };
        value.fault(format!("expected a price in {unit}, from 0 to {most}, with at most {decimals} decimals"));
    }
    amount
}

/// `200k` or `200000`.
fn tokens(text: &str) -> Option<u64> {
    let (digits, factor) = text.strip_suffix('k').map_or((text, 1), |digits| (digits, 1000));
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok())??;
    number.checked_mul(factor).filter(|tokens| (1..=100_000_000).contains(tokens))
}
