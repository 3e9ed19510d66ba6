//! Packs `prices.tsv` for the filter; `table.rs` reads what comes of it and says how it is laid out.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a build may fail"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

const SOURCE: &str = "src/cost/prices.tsv";

/// The orders of `Part` and `Class` in `rates.rs`.
const PARTS: [&str; 14] = [
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "input_audio",
    "output_audio",
    "input_image",
    "output_image",
    "image",
    "request",
    "character",
    "second",
];
const CLASSES: [&str; 5] = ["", "batch", "fast", "flex", "priority"];

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=src/cost/build.rs");
    let text = fs::read_to_string(SOURCE).expect(SOURCE);
    let out = Path::new(&env::var_os("OUT_DIR").expect("OUT_DIR")).join("prices.bin");
    fs::write(out, pack(&text)).expect("prices.bin");
}

/// A price: its part, its class, the thousands of tokens above which it holds, picodollars per million.
type Price = (usize, usize, u64, u64);

fn pack(text: &str) -> Vec<u8> {
    let rows: BTreeMap<String, (Vec<Price>, u64)> =
        text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(row).collect();
    let prices = || rows.values().flat_map(|(prices, _)| prices);
    let tiers: Vec<u64> = prices().map(|price| price.2).collect::<BTreeSet<_>>().into_iter().collect();
    let mut bytes = vec![0; 8];
    bytes.push(u8::try_from(tiers.len()).expect("few tiers"));
    tiers.iter().for_each(|tier| varint(&mut bytes, *tier));
    // The more often a size is used, the shorter is its number; the first says that none is known.
    let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
    rows.values().for_each(|(_, window)| *sizes.entry(*window).or_default() += 1);
    let mut sizes: Vec<(u64, usize)> = sizes.into_iter().filter(|(window, _)| *window > 0).collect();
    sizes.sort_by_key(|(_, uses)| std::cmp::Reverse(*uses));
    let windows: Vec<u64> = std::iter::once(0).chain(sizes.into_iter().map(|(window, _)| window)).collect();
    varint(&mut bytes, windows.len() as u64);
    windows.iter().for_each(|window| varint(&mut bytes, *window));

    // The more often a set of prices is used, the shorter is the way to it.
    let mut uses: BTreeMap<&[Price], usize> = BTreeMap::new();
    rows.values().for_each(|(prices, _)| *uses.entry(prices).or_default() += 1);
    let mut sets: Vec<_> = uses.into_iter().collect();
    sets.sort_by_key(|(_, uses)| std::cmp::Reverse(*uses));
    let mut places: BTreeMap<&[Price], usize> = BTreeMap::new();
    for (prices, _) in sets {
        places.insert(prices, bytes.len());
        varint(&mut bytes, prices.len() as u64);
        for (part, class, above, amount) in prices {
            let tier = tiers.iter().position(|tier| tier == above).expect("a tier");
            varint(&mut bytes, (part | (class << 4) | (tier << 7)) as u64);
            let zeros = (0..12).take_while(|n| amount % 10_u64.pow(n + 1) == 0 && *amount > 0).count() as u32;
            varint(&mut bytes, ((amount / 10_u64.pow(zeros)) << 4) | u64::from(zeros));
        }
    }

    let names = bytes.len();
    let mut index = Vec::new();
    let mut previous = "";
    for (at, (name, (prices, window))) in rows.iter().enumerate() {
        let first = at % 16 == 0;
        if first {
            index.push(bytes.len());
        }
        let same = previous.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
        let same = if first { 0 } else { same };
        varint(&mut bytes, same as u64);
        varint(&mut bytes, (name.len() - same) as u64);
        bytes.extend_from_slice(&name.as_bytes()[same..]);
        varint(&mut bytes, places[prices.as_slice()] as u64);
        varint(&mut bytes, windows.iter().position(|known| known == window).expect("a window") as u64);
        previous = name;
    }
    let end = bytes.len();
    for place in index {
        bytes.extend_from_slice(&u32::try_from(place).unwrap().to_le_bytes());
    }
    bytes[0..4].copy_from_slice(&u32::try_from(names).unwrap().to_le_bytes());
    bytes[4..8].copy_from_slice(&u32::try_from(end).unwrap().to_le_bytes());
    bytes
}

fn row(line: &str) -> (String, (Vec<Price>, u64)) {
    let mut columns = line.split('\t');
    let mut column = || columns.next().expect("three columns");
    let (provider, model, prices) = (column(), column(), column());
    let window = columns.next().map_or(0, |tokens| tokens.parse().expect("a number of tokens"));
    let mut prices: Vec<Price> = prices.split(' ').map(price).collect();
    prices.sort_unstable();
    (format!("{provider}/{model}"), (prices, window))
}

fn price(text: &str) -> Price {
    let (name, amount) = text.split_once('=').expect("PART=PRICE");
    let (name, above) = name.split_once('>').unwrap_or((name, "0k"));
    let (part, class) = name.split_once('.').unwrap_or((name, ""));
    let find = |list: &[&str], word| list.iter().position(|known| *known == word).unwrap_or_else(|| panic!("{text}"));
    let above = above.strip_suffix('k').and_then(|thousands| thousands.parse().ok()).expect("thousands of tokens");
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = format!("{whole}{fraction:0<12}");
    assert_eq!(digits.len(), whole.len() + 12, "more than 12 decimals: {text}");
    (find(&PARTS, part), find(&CLASSES, class), above, digits.parse().expect("a price"))
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
