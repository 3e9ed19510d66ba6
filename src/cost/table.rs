//! The price table that is shipped: `prices.tsv`, packed by `build.rs`.
//!
//! Numbers are little-endian varints unless said otherwise. In order:
//!
//! - `u32` place of the names, `u32` place of the index, in bytes from the start;
//! - the tiers: one byte how many, then each in thousands of tokens;
//! - context windows: how many, then each in tokens; the first is 0, for those that are not known;
//! - sets of prices, each once: how many, then for each price `part | class << 4 | tier << 7` and
//!   `mantissa << 4 | zeros`, the picodollars per million in decimal;
//! - names `provider/model`, sorted by their bytes: how many bytes are those of the name before, how many follow, these, and
//!   the place of the prices, and the number of the context window. Every 16th shares none and begins a block;
//! - the index: the place of each block as `u32`.
//!
//! Nothing is unpacked but what is looked up, and no bytes whatever make the reader panic or search without end.

use std::cmp::Ordering;

use super::rates::{Class, Part, Price, Rates};

/// The packed table.
static SHIPPED: Table<'static> = Table(include_bytes!(concat!(env!("OUT_DIR"), "/prices.bin")));

/// Names in a block.
const BLOCK: usize = 16;
/// More prices than any model has.
const MOST: u64 = 256;

/// The prices of a name such as `openai/gpt-4o`, if the shipped table has that very name.
pub fn find(name: &str) -> Option<Rates> {
    SHIPPED.find(name)
}

/// How many tokens of input the model of a name such as `openai/gpt-4o` takes, if the shipped table knows.
pub fn window(name: &str) -> Option<u64> {
    SHIPPED.window(SHIPPED.entry(name.as_bytes())?.window)
}

/// All of the shipped table, in order: names such as `openai/gpt-4o` and their prices.
pub fn all() -> impl Iterator<Item = (String, Vec<Price>)> {
    SHIPPED.all()
}

/// A packed table.
#[derive(Clone, Copy)]
struct Table<'t>(&'t [u8]);

/// A place in the bytes.
struct Cursor<'t> {
    bytes: &'t [u8],
    at: usize,
}

/// A name as it is packed.
struct Entry<'t> {
    same: usize,
    rest: &'t [u8],
    prices: usize,
    window: usize,
}

impl<'t> Table<'t> {
    fn find(self, name: &str) -> Option<Rates> {
        let entry = self.entry(name.as_bytes())?;
        let model = name.find('/').and_then(|at| name.get(at.saturating_add(1)..)).unwrap_or(name);
        Some(Rates::new(model, self.prices(entry.prices)?))
    }

    /// What stands under a name.
    fn entry(self, name: &[u8]) -> Option<Entry<'t>> {
        let (start, _) = self.index()?;
        // The last block whose first name is not behind the wanted one.
        let (mut low, mut high) = (0, self.blocks()?);
        while low < high {
            let middle = low.saturating_add(high) / 2;
            let first = self.at(self.block(middle)?).entry()?;
            match first.rest.cmp(name) {
                Ordering::Greater => high = middle,
                Ordering::Equal | Ordering::Less => low = middle.saturating_add(1),
            }
        }
        let mut cursor = self.at(self.block(low.checked_sub(1)?)?);
        // How much of the wanted name the latest one begins with. It stays before the wanted one as long as that holds.
        let mut matched = 0;
        for _ in 0..BLOCK {
            if cursor.at >= start {
                return None;
            }
            let entry = cursor.entry()?;
            let Entry { same, rest, .. } = entry;
            match same.cmp(&matched) {
                Ordering::Greater => continue,
                Ordering::Less => return None,
                Ordering::Equal => {}
            }
            let wanted = name.get(matched..)?;
            let more = wanted.iter().zip(rest).take_while(|(a, b)| a == b).count();
            matched = matched.saturating_add(more);
            match (wanted.get(more), rest.get(more)) {
                (None, None) => return Some(entry),
                (wanted, found) if wanted < found => return None,
                _ => {}
            }
        }
        None
    }

    fn all(self) -> impl Iterator<Item = (String, Vec<Price>)> + use<'t> {
        let names = self.u32(0).unwrap_or(usize::MAX);
        let end = self.index().map_or(0, |(end, _)| end);
        let mut cursor = self.at(names);
        let mut name = Vec::new();
        std::iter::from_fn(move || {
            if cursor.at >= end {
                return None;
            }
            let entry = cursor.entry()?;
            name.truncate(entry.same);
            name.extend_from_slice(entry.rest);
            Some((String::from_utf8(name.clone()).ok()?, self.prices(entry.prices)?))
        })
    }

    fn u32(self, at: usize) -> Option<usize> {
        let bytes = self.0.get(at..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    }

    /// The place of the index, and its length in bytes.
    fn index(self) -> Option<(usize, usize)> {
        let start = self.u32(4)?;
        Some((start, self.0.len().checked_sub(start)?))
    }

    fn blocks(self) -> Option<usize> {
        Some(self.index()?.1 / 4)
    }

    fn block(self, number: usize) -> Option<usize> {
        self.u32(self.index()?.0.checked_add(number.checked_mul(4)?)?)
    }

    fn at(self, at: usize) -> Cursor<'t> {
        Cursor { bytes: self.0, at }
    }

    fn prices(self, at: usize) -> Option<Vec<Price>> {
        let mut cursor = self.at(at);
        let count = cursor.varint().filter(|count| *count <= MOST)?;
        (0..count).map(|_| self.price(&mut cursor)).collect()
    }

    fn price(self, cursor: &mut Cursor<'_>) -> Option<Price> {
        let key = cursor.varint()?;
        let (_, part) = *Part::ALL.get(usize::try_from(key & 15).ok()?)?;
        let (_, class) = *Class::ALL.get(usize::try_from(key >> 4 & 7).ok()?)?;
        let above = self.tier(key >> 7)?.checked_mul(1000)?;
        let amount = cursor.varint()?;
        let zeros = 10_u64.checked_pow(u32::try_from(amount & 15).ok()?)?;
        Some(Price { part, class, above, amount: (amount >> 4).checked_mul(zeros)? })
    }

    /// How many tokens of input a model takes; `None` where that is not known.
    fn window(self, number: usize) -> Option<u64> {
        let mut cursor = self.at(9);
        for _ in 0..*self.0.get(8)? {
            cursor.varint()?;
        }
        if number >= cursor.size()? {
            return None;
        }
        for _ in 0..number {
            cursor.varint()?;
        }
        cursor.varint().filter(|tokens| *tokens > 0)
    }

    fn tier(self, number: u64) -> Option<u64> {
        let mut cursor = self.at(9);
        if number >= u64::from(*self.0.get(8)?) {
            return None;
        }
        for _ in 0..number {
            cursor.varint()?;
        }
        cursor.varint()
    }
}

impl<'t> Cursor<'t> {
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at = self.at.saturating_add(1);
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    fn entry(&mut self) -> Option<Entry<'t>> {
        let (same, length) = (self.size()?, self.size()?);
        let end = self.at.checked_add(length)?;
        let rest = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(Entry { same, rest, prices: self.size()?, window: self.size()? })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn any_bytes_can_be_read() {
        let read = |bytes: &[u8]| {
            let table = Table(bytes);
            for name in ["", "openai/gpt-4o", "zai/glm", "\u{10ffff}"] {
                table.find(name);
                table.entry(name.as_bytes()).and_then(|entry| table.window(entry.window));
            }
            table.all().take(10_000).count()
        };
        for length in 0..300 {
            read(&SHIPPED.0[..length]);
        }
        // The shipped table with bytes changed, the same ones on every run.
        let mut seed: u64 = 1;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap()
        };
        for _ in 0..40 {
            let mut bytes = SHIPPED.0.to_vec();
            for _ in 0..20 {
                let at = random() % bytes.len();
                bytes[at] = random().to_le_bytes()[0];
            }
            // And its head, which leads everywhere.
            let at = random() % 16;
            bytes[at] = random().to_le_bytes()[0];
            read(&bytes);
        }
        for _ in 0..2000 {
            let bytes: Vec<u8> = (0..random() % 64).map(|_| random().to_le_bytes()[0] & 0x1f).collect();
            read(&bytes);
        }
    }

    #[test]
    fn the_shipped_table_is_small() {
        assert!(SHIPPED.0.len() < 100_000, "{} bytes", SHIPPED.0.len());
    }
}
