//! Prices: USD per token there, USD per million tokens here.

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::deployment::Params;
use super::report::Report;

/// LiteLLM's names and ours.
const NAMES: &[(&str, &str)] = &[
    ("input_cost_per_token", "input"),
    ("output_cost_per_token", "output"),
    ("cache_read_input_token_cost", "cache_read"),
    ("cache_creation_input_token_cost", "cache_write"),
];

/// How many places a price per million tokens is from one per token.
const MILLION: i32 = 6;

/// The prices that an entry of `model_list` sets for its model; those beside how to call it count before those in
/// `model_info`.
pub fn read(params: &mut Params, place: &str, entry: &Value, model: &str, report: &mut Report) -> Map<String, Value> {
    let mut prices = Map::new();
    let info = entry.get("model_info").and_then(Value::as_object).into_iter().flatten();
    let info = info.map(|(name, value)| (name.clone(), value.clone(), format!("{place}.model_info.{name}")));
    let mut written = params.take_where(is_price);
    written.extend(info.filter(|(name, value, _)| is_price(name) && !value.is_null()));
    for (name, value, from) in written {
        let Some((_, ours)) = NAMES.iter().find(|(theirs, _)| *theirs == name) else {
            report.unsupported(from, "`price` has input, output, cache_read and cache_write");
            continue;
        };
        let to = format!("{model}.price.{ours}");
        match Decimal::of(&value).and_then(|price| price.shifted(MILLION)) {
            None => report.unsupported(from, "expected a number of USD per token"),
            Some(_) if prices.contains_key(*ours) => report.needless(from, "the one in `litellm_params` counts"),
            Some(price) => {
                report.exact(from, to);
                prices.insert((*ours).to_owned(), price.json());
            }
        }
    }
    // In one order, whatever theirs was.
    let ordered = NAMES.iter().filter_map(|(_, ours)| Some(((*ours).to_owned(), prices.get(*ours)?.clone())));
    ordered.collect()
}

fn is_price(name: &str) -> bool {
    name.contains("_cost") || name.starts_with("cost_per_")
}
