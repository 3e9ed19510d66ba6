//! Rates, and what a use of tokens costs at them.
//!
//! Money is exact. A rate is a whole number of picodollars per million tokens, images, requests, characters or seconds, so a price in USD per
//! million may have twelve decimals; a call's parts are summed in 128 bits and rounded once, half up, to nanodollars.

use std::sync::Arc;

use crate::usage::Usage;

/// The prices of a model. Cheap to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// The name under which they were found: the price table's or the configuration's.
    pub name: Arc<str>,
    /// By part, class and tier, sorted.
    prices: Arc<[Price]>,
}

/// One price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price {
    /// Of what.
    pub part: Part,
    /// In which class of service.
    pub class: Class,
    /// It holds for calls with more input tokens than this; 0 is for all.
    pub above: u64,
    /// Picodollars per million.
    pub amount: u64,
}

/// What is paid for. The packed table has them by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Input tokens.
    Input,
    /// Output tokens.
    Output,
    /// Input tokens that were read from a cache.
    CacheRead,
    /// Input tokens that were written to a cache.
    CacheWrite,
    /// Input tokens that were written to a cache for an hour.
    CacheWrite1h,
    /// Output tokens of thought.
    Reasoning,
    /// Input tokens of sound.
    InputAudio,
    /// Output tokens of sound.
    OutputAudio,
    /// Input tokens of images.
    InputImage,
    /// Output tokens of images.
    OutputImage,
    /// Images that are made, by the piece.
    Image,
    /// The call itself.
    Request,
    /// Characters that are read aloud.
    Character,
    /// Seconds of a recording.
    Second,
}

impl Part {
    /// All, with their names in configurations and in `prices.tsv`.
    pub const ALL: [(&str, Self); 14] = [
        ("input", Self::Input),
        ("output", Self::Output),
        ("cache_read", Self::CacheRead),
        ("cache_write", Self::CacheWrite),
        ("cache_write_1h", Self::CacheWrite1h),
        ("reasoning", Self::Reasoning),
        ("input_audio", Self::InputAudio),
        ("output_audio", Self::OutputAudio),
        ("input_image", Self::InputImage),
        ("output_image", Self::OutputImage),
        ("image", Self::Image),
        ("request", Self::Request),
        ("character", Self::Character),
        ("second", Self::Second),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, part)| *part == self).map_or("", |(name, _)| name)
    }

    /// The part whose price holds where this one has none.
    fn instead(self) -> Option<Self> {
        match self {
            Self::CacheWrite1h => Some(Self::CacheWrite),
            Self::CacheRead | Self::CacheWrite | Self::InputAudio | Self::InputImage => Some(Self::Input),
            Self::OutputAudio | Self::OutputImage | Self::Reasoning => Some(Self::Output),
            Self::Character | Self::Image | Self::Input | Self::Output | Self::Request | Self::Second => None,
        }
    }

    /// Whether it is paid by the piece.
    fn is_piece(self) -> bool {
        matches!(self, Self::Character | Self::Image | Self::Request | Self::Second)
    }
}

/// A class of service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// What is given if nothing else is asked for.
    #[default]
    Standard,
    /// Answered within a day.
    Batch,
    /// Anthropic's and OpenAI's fastest.
    Fast,
    /// Answered when there is time.
    Flex,
    /// Answered before others.
    Priority,
}

impl Class {
    /// All, with their names in configurations; the first has none in `prices.tsv`.
    pub const ALL: [(&str, Self); 5] = [
        ("standard", Self::Standard),
        ("batch", Self::Batch),
        ("fast", Self::Fast),
        ("flex", Self::Flex),
        ("priority", Self::Priority),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, class)| *class == self).map_or("standard", |(name, _)| name)
    }

    /// The class that a provider says it has given. What is paid for in advance (`scale`, `provisioned`) has no price of
    /// its own.
    pub fn of(service_tier: &str) -> Self {
        match service_tier {
            "batch" => Self::Batch,
            "fast" | "ultrafast" => Self::Fast,
            "flex" => Self::Flex,
            "priority" => Self::Priority,
            _ => Self::Standard,
        }
    }
}

/// Picodollars per million that make a nanodollar.
const NANODOLLAR: u128 = 1_000_000_000;

impl Rates {
    /// Rates of these prices.
    pub fn new(name: impl Into<Arc<str>>, mut prices: Vec<Price>) -> Self {
        // Those of the shipped table are sorted already.
        if !prices.is_sorted() {
            prices.sort_unstable();
        }
        Self { name: name.into(), prices: prices.into() }
    }

    /// The prices, sorted.
    pub fn prices(&self) -> &[Price] {
        &self.prices
    }

    /// The price of the highest tier that so much input reaches, and where the tier begins.
    fn exact(&self, part: Part, class: Class, input: u64) -> Option<(u64, u64)> {
        let of = |price: &&Price| price.part == part && price.class == class;
        let reached = |price: &&Price| price.above == 0 || input > price.above;
        self.prices.iter().filter(of).rfind(reached).map(|price| (price.above, price.amount))
    }

    /// The price of a part. What a class has no price for costs what it costs otherwise; where only the standard class has
    /// a price for so much input, the dearer of the two holds.
    fn price(&self, part: Part, class: Class, input: u64) -> Option<u64> {
        let standard = self.exact(part, Class::Standard, input);
        let own = if class == Class::Standard { None } else { self.exact(part, class, input) };
        match (own, standard) {
            (Some((above, amount)), Some((tier, standard))) if tier > above => Some(amount.max(standard)),
            (Some((_, amount)), _) | (None, Some((_, amount))) => Some(amount),
            (None, None) => part.instead().and_then(|part| self.price(part, class, input)),
        }
    }

    /// Whether calls are paid by the piece, and their tokens are not.
    fn by_piece(&self) -> bool {
        let token = |price: &Price| !price.part.is_piece();
        !self.prices.is_empty() && !self.prices.iter().any(token)
    }
}

/// What a call has cost, in nanodollars. `None` where something that it used has no price.
pub fn cost(rates: &Rates, usage: &Usage, class: Class) -> Option<u64> {
    let mut sum: u128 = 0;
    let mut add = |part, count: u64| {
        if count == 0 {
            return Some(());
        }
        let amount = match rates.price(part, class, usage.input) {
            Some(amount) => amount,
            // What is also counted in tokens is paid by them.
            None if part.is_piece() && (part == Part::Request || usage.total() > 0) => 0,
            None if !part.is_piece() && rates.by_piece() => 0,
            None => return None,
        };
        let paid = u128::from(count).saturating_mul(u128::from(amount));
        sum = sum.saturating_add(if part == Part::Second { paid / 1000 } else { paid });
        Some(())
    };
    // Parts are parts of the whole: whatever a provider says, no token is paid twice.
    let mut rest = usage.input;
    let mut part_of_input = |count: u64| {
        let count = count.min(rest);
        rest = rest.saturating_sub(count);
        count
    };
    let read = part_of_input(usage.cache_read);
    let written = part_of_input(usage.cache_write);
    let hour = usage.cache_write_1h.min(written);
    let (audio, image) = (part_of_input(usage.input_audio), part_of_input(usage.input_image));
    add(Part::Input, rest)?;
    add(Part::CacheRead, read)?;
    add(Part::CacheWrite, written.saturating_sub(hour))?;
    add(Part::CacheWrite1h, hour)?;
    add(Part::InputAudio, audio)?;
    add(Part::InputImage, image)?;

    let mut rest = usage.output;
    let mut part_of_output = |count: u64| {
        let count = count.min(rest);
        rest = rest.saturating_sub(count);
        count
    };
    let thought = part_of_output(usage.reasoning);
    let (audio, image) = (part_of_output(usage.output_audio), part_of_output(usage.output_image));
    add(Part::Output, rest)?;
    add(Part::Reasoning, thought)?;
    add(Part::OutputAudio, audio)?;
    add(Part::OutputImage, image)?;

    add(Part::Image, usage.images)?;
    add(Part::Character, usage.characters)?;
    // In milliseconds.
    add(Part::Second, usage.milliseconds)?;
    add(Part::Request, usage.requests.max(1))?;
    Some(round(sum))
}

/// The most that a call of at most so much input and output can cost, in nanodollars, whatever is cached, whatever kind its
/// tokens are and whatever class is given: what a budget must hold for it. Images by the piece are not counted. `None` where
/// there is no price.
pub fn most(rates: &Rates, input: u64, output: u64) -> Option<u64> {
    let dearest = |fits: &dyn Fn(Part) -> bool| {
        let reached = |price: &&Price| fits(price.part) && (price.above == 0 || input > price.above);
        rates.prices.iter().filter(reached).map(|price| price.amount).max()
    };
    let tokens =
        |part: Part, base: Part| part == base || part.instead().is_some_and(|p| p == base || p.instead() == Some(base));
    let mut sum = u128::from(dearest(&|part| part == Part::Request).unwrap_or(0));
    for (base, count) in [(Part::Input, input), (Part::Output, output)] {
        let amount = match dearest(&|part| tokens(part, base)) {
            Some(amount) => amount,
            None if count == 0 || rates.by_piece() => 0,
            None => return None,
        };
        sum = sum.saturating_add(u128::from(count).saturating_mul(u128::from(amount)));
    }
    Some(round(sum))
}

/// Half up.
fn round(sum: u128) -> u64 {
    u64::try_from(sum.saturating_add(NANODOLLAR / 2) / NANODOLLAR).unwrap_or(u64::MAX)
}
