//! `limits` and `budget`: what may be used.

use super::Allowed;
use super::model::Models;
use super::pattern;
use super::read::{Fields, Value};
use crate::cost::decimal;
use crate::error::shorten;
use crate::json::Kind;
use crate::limit::{Budget, Limits, Period};

/// The highest limit.
const HIGHEST: u64 = 1_000_000_000_000_000;

/// Reads the members `limits` and `budget` of a key or a team. `models` are what clients may ask for, if that is known.
pub(super) fn with_budget(fields: &mut Fields<'_>, models: Option<&Models>) -> Option<Allowed> {
    let allowed = fields.or_default("limits", |value| allowed(value, models));
    let budget = fields.maybe("budget", budget);
    let mut allowed = allowed?;
    allowed.limits.budget = budget?;
    Some(allowed)
}

/// Reads `limits`.
pub(super) fn limits(value: &Value<'_>) -> Option<Limits> {
    let mut fields = value.fields()?;
    let limits = counts(&mut fields);
    fields.finish();
    limits
}

/// Reads `limits` of a key or a team, and those that it has for some models: names and patterns, the longest pattern last.
fn allowed(value: &Value<'_>, models: Option<&Models>) -> Option<Allowed> {
    let mut fields = value.fields()?;
    let own = counts(&mut fields);
    let each = fields.or_default("models", |value| {
        let mut each: Vec<(String, Limits)> = Vec::new();
        for (name, value) in value.map(10_000)? {
            let limits = limits(&value);
            if !pattern::check(&value, &name) {
                continue;
            }
            // An alias is another word for the model: calls under either count together.
            let name = models.and_then(|models| models.name_of(&name)).unwrap_or(&name).to_owned();
            if models.is_some_and(|models| !models.knows(&name)) && value.may_warn() {
                value.warn(format!("no model is called `{}`", shorten(&name)));
            }
            if each.iter().any(|(other, _)| *other == name) {
                value.fault(format!("`{}` has limits here already", shorten(&name)));
            }
            each.extend(limits.map(|limits| (name, limits)));
        }
        each.sort_by_key(|(name, _)| pattern::sides(name).map(|(before, after)| pattern::rank(before, after)));
        Some(each)
    });
    fields.finish();
    Some(Allowed { limits: own?, models: each? })
}

fn counts(fields: &mut Fields<'_>) -> Option<Limits> {
    let mut count = |name| fields.maybe(name, |value| value.whole(0..=HIGHEST));
    let (rpm, tpm, input_tpm, parallel) = (count("rpm"), count("tpm"), count("input_tpm"), count("parallel"));
    Some(Limits { rpm: rpm?, tpm: tpm?, input_tpm: input_tpm?, parallel: parallel?, budget: None })
}

/// Reads `budget`.
pub(super) fn budget(value: &Value<'_>) -> Option<Budget> {
    let mut fields = value.fields()?;
    let limit = fields.need("usd", "say how much may be spent").and_then(|value| dollars(&value));
    let per = fields.need("per", "say in what time").and_then(|value| value.one_of(&Period::ALL));
    let spent = fields.maybe("spent", dollars);
    fields.finish();
    Some(Budget { limit: limit?, per: per?, spent: spent?.unwrap_or(0) })
}

/// USD as nanodollars, from the digits as they stand.
fn dollars(value: &Value<'_>) -> Option<u64> {
    if value.kind() != Kind::Number {
        value.expected("a number, in USD");
        return None;
    }
    let nanodollars = decimal(value.raw(), 9);
    if nanodollars.is_none() {
        value.fault("expected USD, from 0 to 18000000000, with at most 9 decimals");
    }
    nanodollars
}
