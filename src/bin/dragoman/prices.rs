//! `dragoman prices`: the shipped price table.

use std::process::ExitCode;

use clap::Args;
use dragoman::cost::{Class, Part, Price, table};
use serde_json::{Map, Number, Value};

/// How it is shown.
#[derive(Args)]
pub struct Options {
    /// A configuration's `prices`, as JSON: for another Dragoman, with newer prices than its own.
    #[arg(long)]
    json: bool,
    /// Only names that hold this.
    #[arg(default_value = "")]
    name: String,
}

/// Prints the table, or what of it has a name.
pub fn run(options: Options) -> Result<ExitCode, String> {
    let found = table::all().filter(|(name, _)| name.contains(&options.name));
    let text = if options.json {
        let prices: Map<String, Value> =
            found.map(|(name, prices)| Ok((name, document(&prices)?))).collect::<Result<_, String>>()?;
        let document = Map::from_iter([("prices".to_owned(), Value::Object(prices))]);
        serde_json::to_string(&document).map_err(|error| error.to_string())? + "\n"
    } else {
        let head = format!("{:64} USD per million tokens, images or requests\n", "PROVIDER/MODEL");
        std::iter::once(head).chain(found.map(|(name, prices)| format!("{name:64} {}\n", line(&prices)))).collect()
    };
    crate::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The prices as a configuration has them.
fn document(prices: &[Price]) -> Result<Value, String> {
    let mut document = Map::new();
    for price in prices {
        let piece = matches!(price.part, Part::Image | Part::Request);
        let amount = usd(price.amount, if piece { 18 } else { 12 });
        let amount: Number = serde_json::from_str(&amount).map_err(|error| error.to_string())?;
        let mut place = &mut document;
        if price.class != Class::Standard {
            place = object(place, price.class.name())?;
        }
        if price.above > 0 {
            place = object(object(place, "above")?, &tier(price.above))?;
        }
        place.insert(price.part.name().to_owned(), amount.into());
    }
    Ok(document.into())
}

fn object<'m>(parent: &'m mut Map<String, Value>, name: &str) -> Result<&'m mut Map<String, Value>, String> {
    let child = parent.entry(name).or_insert_with(|| Map::new().into());
    child.as_object_mut().ok_or_else(|| format!("`{name}` is no object"))
}

/// The prices as `prices.tsv` has them.
fn line(prices: &[Price]) -> String {
    let one = |price: &Price| {
        let class = if price.class == Class::Standard { String::new() } else { format!(".{}", price.class.name()) };
        let above = if price.above == 0 { String::new() } else { format!(">{}", tier(price.above)) };
        format!("{}{class}{above}={}", price.part.name(), usd(price.amount, 12))
    };
    prices.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn tier(above: u64) -> String {
    if above.is_multiple_of(1000) { format!("{}k", above / 1000) } else { above.to_string() }
}

/// A whole number of the `places`th decimal, as a decimal number.
fn usd(amount: u64, places: usize) -> String {
    let digits = format!("{amount:0>width$}", width = places.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}
