//! Prices: USD per token there, USD per million tokens here.

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::deployment::Params;
use super::report::Report;

/// LiteLLM's names and ours, and how many places the one is from the other.
const PARTS: &[(&str, &str, i32)] = &[
    ("input_cost_per_token", "input", 6),
    ("output_cost_per_token", "output", 6),
    ("cache_read_input_token_cost", "cache_read", 6),
    ("cache_creation_input_token_cost", "cache_write", 6),
    ("cache_creation_input_token_cost_above_1hr", "cache_write_1h", 6),
    ("output_cost_per_reasoning_token", "reasoning", 6),
    ("input_cost_per_audio_token", "input_audio", 6),
    ("output_cost_per_audio_token", "output_audio", 6),
    ("input_cost_per_image_token", "input_image", 6),
    ("output_cost_per_image_token", "output_image", 6),
    ("output_cost_per_image", "image", 0),
    ("input_cost_per_request", "request", 0),
];

/// What names of prices in a class of service end with, and the class.
const CLASSES: &[(&str, &str)] = &[("_batches", "batch"), ("_flex", "flex"), ("_priority", "priority")];

/// The most decimals of a price here.
const DECIMALS: u32 = 12;

/// The prices that an entry of `model_list` sets for its model; those beside how to call it count before those in
/// `model_info`.
pub fn read(params: &mut Params, place: &str, entry: &Value, model: &str, report: &mut Report) -> Map<String, Value> {
    let info = entry.get("model_info").and_then(Value::as_object).into_iter().flatten();
    let info = info.map(|(name, value)| (name.clone(), value.clone(), format!("{place}.model_info.{name}")));
    let mut written = params.take_where(is_price);
    written.extend(info.filter(|(name, value, _)| is_price(name) && !value.is_null()));
    // In one order, whatever theirs was.
    written.sort_by_key(|(name, _, _)| rank(name));
    let mut prices = Map::new();
    for (name, value, from) in written {
        let Some((path, places)) = path(&name) else {
            report.unsupported(from, "prices are of tokens, images and calls");
            continue;
        };
        let to = format!("{model}.price.{}", path.join("."));
        let Some(price) = Decimal::of(&value).and_then(|price| price.shifted(places)) else {
            report.unsupported(from, "expected a number of USD");
            continue;
        };
        let rounded = price.rounded(DECIMALS);
        if !insert(&mut prices, &path, rounded.json()) {
            report.needless(from, "the one in `litellm_params` counts");
        } else if rounded == price {
            report.exact(from, to);
        } else {
            report.approximate(from, to, format!("to {DECIMALS} decimals"));
        }
    }
    prices
}

fn is_price(name: &str) -> bool {
    name.contains("_cost") || name.starts_with("cost_per_")
}

/// Where a price goes, and how many places it is from there.
fn path(name: &str) -> Option<(Vec<&str>, i32)> {
    let class = CLASSES.iter().find_map(|(end, class)| Some((name.strip_suffix(end)?, *class)));
    let (name, class) = class.map_or((name, None), |(name, class)| (name, Some(class)));
    let tier = name.strip_suffix("_tokens").and_then(|name| name.rsplit_once("_above_"));
    let (name, above) = tier.map_or((name, None), |(name, above)| (name, Some(above)));
    let (_, part, places) = PARTS.iter().find(|(theirs, _, _)| *theirs == name)?;
    let above = above.map(|above| ["above", above]).into_iter().flatten();
    Some((class.into_iter().chain(above).chain([*part]).collect(), *places))
}

/// Parts before tiers before classes.
fn rank(name: &str) -> Option<(usize, Option<usize>, usize)> {
    let (path, _) = path(name)?;
    let part = path.last().and_then(|part| PARTS.iter().position(|(_, ours, _)| ours == part))?;
    let class = path.first().and_then(|first| CLASSES.iter().position(|(_, class)| class == first));
    Some((path.len(), class, part))
}

/// Puts a price in its place, unless there is one.
fn insert(prices: &mut Map<String, Value>, path: &[&str], price: Value) -> bool {
    match path {
        [] => false,
        [part] if prices.contains_key(*part) => false,
        [part] => prices.insert((*part).to_owned(), price).is_none(),
        [outer, inner @ ..] => {
            let inside = prices.entry((*outer).to_owned()).or_insert_with(|| Map::new().into());
            inside.as_object_mut().is_some_and(|prices| insert(prices, inner, price))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_places() {
        for (name, expected) in [
            ("input_cost_per_token", Some("input")),
            ("input_cost_per_token_above_200k_tokens", Some("above.200k.input")),
            ("output_cost_per_token_batches", Some("batch.output")),
            ("cache_read_input_token_cost_above_272k_tokens_priority", Some("priority.above.272k.cache_read")),
            ("cache_creation_input_token_cost_above_1hr", Some("cache_write_1h")),
            ("cache_creation_input_token_cost_above_1hr_above_200k_tokens", Some("above.200k.cache_write_1h")),
            ("output_cost_per_image", Some("image")),
            ("input_cost_per_second", None),
            ("input_cost_per_token_ultrafast", None),
            ("input_cost_per_character", None),
        ] {
            assert_eq!(path(name).map(|(path, _)| path.join(".")).as_deref(), expected, "{name}");
        }
    }
}
