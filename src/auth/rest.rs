//! Keys that take turns, and keys and upstreams that rest.
//!
//! A key that a provider refuses rests, so that others take its turn; where an upstream has no keys of which to choose, it
//! rests itself, so that other upstreams do. A rest is a preference and no wall: when all rest,
//! the one whose rest ends first is used, and the provider's own answer tells the client what it needs to know. The
//! filter cannot tell what a limit is about, and to refuse calls in the provider's place would refuse some that it takes.

use crate::config::ApiKey;
use crate::http::Headers;
use crate::time;

/// The rests of an upstream and of its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rests(Vec<Rest>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rest {
    /// What rests: a key, or a key as far as one model goes.
    scope: u64,
    /// In unix milliseconds.
    until: u64,
}

/// Why and how long a key rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// How long, in milliseconds.
    pub lasts: u64,
    /// Whether it is about one model.
    model: bool,
}

/// How long rests the key that the provider does not know, or that has no money.
const REFUSED: u64 = 5 * 60_000;

/// How long it rests after it was not allowed something.
const FORBIDDEN: u64 = 30_000;

/// How long it rests after too much was asked of it, if the provider does not say.
const LIMITED: u64 = 10_000;

/// The longest rest, whatever the provider says.
const LONGEST: u64 = 60 * 60_000;

/// What stands for the upstream itself among the prints of its keys.
pub const UPSTREAM: u64 = 0;

/// How many rests are kept.
const MOST: usize = 256;

impl Reason {
    /// Whether and why a key or an upstream rests after an answer that came at `now`, in unix milliseconds.
    pub fn of(status: u16, headers: &Headers, now: u64) -> Option<Self> {
        let (lasts, model) = match status {
            401 | 402 => (REFUSED, false),
            403 => (FORBIDDEN, true),
            429 => (told(headers, now).unwrap_or(LIMITED).min(LONGEST), true),
            _ => return None,
        };
        (lasts > 0).then_some(Self { lasts, model })
    }
}

impl Rests {
    /// Lets the key of a print, or the upstream, rest that was used for `model`. Whether it was up until now.
    pub fn begin(&mut self, print: u64, model: &str, reason: Reason, now: u64) -> bool {
        let was_up = self.until(print, model) <= now;
        let scope = if reason.model { scope(print, model) } else { print };
        let until = now.saturating_add(reason.lasts);
        self.0.retain(|rest| rest.until > now && rest.scope != scope);
        if self.0.len() < MOST {
            self.0.push(Rest { scope, until });
        }
        was_up
    }

    /// Until when the key of a print, or the upstream, rests as far as `model` goes, in unix milliseconds.
    pub fn until(&self, print: u64, model: &str) -> u64 {
        let scopes = [print, scope(print, model)];
        let rests = self.0.iter().filter(|rest| scopes.contains(&rest.scope));
        rests.map(|rest| rest.until).max().unwrap_or(0)
    }

    /// Whether all keys rest as far as `model` goes.
    pub fn all(&self, keys: &[ApiKey], model: &str, now: u64) -> bool {
        keys.iter().all(|key| self.until(key.print, model) > now)
    }

    /// The rests as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let pairs = self.0.iter().flat_map(|rest| [rest.scope, rest.until]);
        pairs.flat_map(u64::to_le_bytes).collect()
    }

    /// Rests from their bytes; none if they are something else.
    pub fn decode(bytes: &[u8]) -> Self {
        let (pairs, _) = bytes.as_chunks::<16>();
        let rest = |[scope, until]: [u64; 2]| Rest { scope, until };
        let numbers = |pair: &[u8; 16]| {
            let (scope, until) = pair.split_first_chunk::<8>()?;
            Some([u64::from_le_bytes(*scope), u64::from_le_bytes(until.try_into().ok()?)])
        };
        Self(pairs.iter().filter_map(numbers).map(rest).take(MOST).collect())
    }
}

/// The key whose turn it is for `model`, by its place: not one that rests, nor, if there are others, one that this call
/// has `tried`; of those the one that was used the longest ago, where `used` counts on. If all rest, the one whose rest
/// ends first.
pub fn choose(keys: &[ApiKey], rests: &Rests, model: &str, tried: &[usize], used: &[u64], now: u64) -> Option<usize> {
    (0..keys.len()).min_by_key(|place| {
        let until = keys.get(*place).map_or(u64::MAX, |key| rests.until(key.print, model));
        let rests = if until > now { until } else { 0 };
        (rests, tried.contains(place), used.get(*place).copied().unwrap_or(0))
    })
}

/// A key as far as one model goes.
fn scope(print: u64, model: &str) -> u64 {
    // FNV-1a.
    model.bytes().fold(print, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// How long the provider wants to be left alone, in milliseconds.
fn told(headers: &Headers, now: u64) -> Option<u64> {
    let number = |name: &str| decimal(&headers.text(name));
    number("retry-after-ms")
        .or_else(|| retry_after(headers, now))
        .or_else(|| resets(headers, now))
        .map(|milliseconds| milliseconds.min(LONGEST))
}

/// `retry-after` in milliseconds: [seconds or a date](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
pub fn retry_after(headers: &Headers, now: u64) -> Option<u64> {
    let text = headers.text("retry-after");
    let seconds = decimal(&text).map(|seconds| seconds.saturating_mul(1000));
    seconds.or_else(|| Some(time::http_date(&text)?.saturating_mul(1000).saturating_sub(now)))
}

/// The limits of [OpenAI](https://platform.openai.com/docs/guides/rate-limits) and of those that follow it, of
/// [Anthropic](https://platform.claude.com/docs/en/api/rate-limits), and of those that have but one: what is left of
/// each, and when there will be more.
const LIMITS: &[(&str, &str)] = &[
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
];

/// Until the last of the limits that are used up is reset, in milliseconds.
fn resets(headers: &Headers, now: u64) -> Option<u64> {
    let used_up = LIMITS.iter().filter(|(left, _)| headers.text(left).trim() == "0");
    used_up.filter_map(|(_, reset)| until(&headers.text(reset), now)).max()
}

/// How long it is until a time that is written as a duration (`6m0s`, `20ms`), in seconds, or as a point in time: in
/// unix seconds or milliseconds, or as a timestamp.
fn until(text: &str, now: u64) -> Option<u64> {
    const UNIX: u64 = 1_000_000_000;
    match decimal(text) {
        Some(number) if number >= UNIX.saturating_mul(1000) => Some(number.saturating_sub(now)),
        Some(number) if number >= UNIX => Some(number.saturating_mul(1000).saturating_sub(now)),
        Some(number) => Some(number.saturating_mul(1000)),
        None => match time::timestamp(text) {
            Some(seconds) => Some(seconds.saturating_mul(1000).saturating_sub(now)),
            None => duration(text),
        },
    }
}

/// A number that is not negative, rounded up.
fn decimal(text: &str) -> Option<u64> {
    let text = text.trim();
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(rest) {
        return None;
    }
    let more = u64::from(rest.bytes().any(|b| b != b'0'));
    Some(whole.parse::<u64>().ok()?.saturating_add(more))
}

/// A duration in milliseconds as Go writes it, rounded up: `1h2m3.5s`, `20ms`.
fn duration(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at_checked(rest.find(|c: char| c.is_ascii_alphabetic())?)?;
        let unit = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit)?;
        rest = after;
        let milliseconds = match unit {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1000.0,
            "ms" => 1.0,
            "us" | "ns" => 0.001,
            _ => return None,
        };
        let number: f64 = number.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
        // The cast saturates.
        total = total.saturating_add((number * milliseconds).ceil() as u64);
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::config::Secret;

    fn keys(count: usize) -> Vec<ApiKey> {
        (0..count).map(|place| ApiKey::new(place, Secret::new(format!("key-{place}")))).collect()
    }

    fn reason(status: u16, headers: &[(&str, &str)]) -> Option<Reason> {
        Reason::of(status, &headers.iter().copied().collect(), NOW)
    }

    /// 2027-01-01T00:00:00Z
    const NOW: u64 = 1_798_761_600_000;

    /// The keys that a number of calls use.
    fn calls(keys: &[ApiKey], rests: &Rests, model: &str, now: u64) -> Vec<usize> {
        let mut used = vec![0; keys.len()];
        let call = |turn| {
            let key = choose(keys, rests, model, &[], &used, now).unwrap();
            used[key] = turn;
            key
        };
        (1..=6).map(call).collect()
    }

    #[test]
    fn keys_are_used_in_turn() {
        assert_eq!(calls(&keys(3), &Rests::default(), "m", NOW), [0, 1, 2, 0, 1, 2]);
        assert_eq!(choose(&[], &Rests::default(), "m", &[], &[], NOW), None);
    }

    #[test]
    fn a_resting_key_is_passed_over() {
        let keys = keys(3);
        let mut rests = Rests::default();
        let refused = reason(401, &[]).unwrap();
        assert!(rests.begin(keys[1].print, "m", refused, NOW));
        assert!(!rests.begin(keys[1].print, "m", refused, NOW), "it rests already");
        assert_eq!(calls(&keys, &rests, "m", NOW), [0, 2, 0, 2, 0, 2]);
        assert_eq!(calls(&keys, &rests, "other", NOW), [0, 2, 0, 2, 0, 2], "the key itself is refused");
        assert_eq!(calls(&keys, &rests, "m", NOW + REFUSED), [0, 1, 2, 0, 1, 2]);
        let limited = reason(429, &[("retry-after", "60")]).unwrap();
        assert!(rests.begin(keys[0].print, "m", limited, NOW));
        assert_eq!(calls(&keys, &rests, "m", NOW), [2; 6]);
        assert_eq!(calls(&keys, &rests, "other", NOW), [0, 2, 0, 2, 0, 2], "the limit is a model's");
        assert!(!rests.all(&keys, "m", NOW));
        assert!(rests.begin(keys[2].print, "m", limited, NOW + 1));
        assert!(rests.all(&keys, "m", NOW + 1) && !rests.all(&keys, "other", NOW + 1));
        assert_eq!(calls(&keys, &rests, "m", NOW + 1), [0; 6], "its rest ends first");
    }

    #[test]
    fn a_call_tries_another_key() {
        let keys = keys(3);
        let mut rests = Rests::default();
        assert_eq!(choose(&keys, &rests, "m", &[0], &[0; 3], NOW), Some(1));
        assert_eq!(choose(&keys, &rests, "m", &[0, 1, 2], &[3, 1, 2], NOW), Some(1));
        for key in &keys[1..] {
            rests.begin(key.print, "m", reason(429, &[]).unwrap(), NOW);
        }
        assert_eq!(choose(&keys, &rests, "m", &[0], &[0; 3], NOW), Some(0), "the others rest");
    }

    #[test]
    fn rests_are_bytes_and_few() {
        let keys = keys(1);
        let mut rests = Rests::default();
        for model in 0..1000 {
            rests.begin(keys[0].print, &format!("m{model}"), reason(429, &[]).unwrap(), NOW);
        }
        assert_eq!(rests.0.len(), MOST);
        assert_eq!(Rests::decode(&rests.encode()), rests);
        rests.begin(keys[0].print, "m", reason(429, &[]).unwrap(), NOW + LIMITED);
        assert_eq!(rests.0.len(), 1, "what is over is forgotten");
        assert_eq!(Rests::decode(b"short"), Rests::default());
    }

    #[test]
    fn each_refusal_has_its_rest() {
        let lasts = |status| reason(status, &[]).map(|reason| reason.lasts);
        assert_eq!(
            [200, 400, 401, 402, 403, 404, 429, 500, 503].map(lasts),
            [None, None, Some(REFUSED), Some(REFUSED), Some(FORBIDDEN), None, Some(LIMITED), None, None]
        );
        // Only a limit ends when the provider says.
        assert_eq!(reason(401, &[("retry-after", "1")]).unwrap().lasts, REFUSED);
    }

    #[test]
    fn the_provider_says_how_long() {
        let openai = |left: &'static str, reset| {
            [
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "1s"),
                ("x-ratelimit-remaining-tokens", left),
                ("x-ratelimit-reset-tokens", reset),
            ]
        };
        for (headers, expected) in [
            (&[("retry-after", "20")][..], 20_000),
            (&[("retry-after", "1.5")], 2_000),
            (&[("retry-after", "Fri, 01 Jan 2027 00:00:30 GMT")], 30_000),
            (&[("retry-after", "Thu, 31 Dec 2026 00:00:00 GMT"), ("retry-after-ms", "70")], 70),
            (&[("retry-after", "99999999999999999999")], LIMITED),
            (&[("retry-after", "86400")], LONGEST),
            (&[("retry-after", "soon")], LIMITED),
            (&[("retry-after-ms", "1500.2"), ("retry-after", "9")], 1_501),
            (&openai("0", "6m0s"), 360_000),
            (&openai("5", "6m0s"), 1_000),
            (&openai("0", "2m59.56s"), 179_560),
            (&openai("0", "20ms"), 1_000),
            (
                &[
                    ("anthropic-ratelimit-input-tokens-remaining", "0"),
                    ("anthropic-ratelimit-input-tokens-reset", "2027-01-01T00:01:00Z"),
                ],
                60_000,
            ),
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1798761605000")], 5_000),
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1798761605")], 5_000),
            (&[("ratelimit-remaining", "0"), ("ratelimit-reset", "12")], 12_000),
            (&[("ratelimit-remaining", "0"), ("ratelimit-reset", "never")], LIMITED),
            (&[("ratelimit-remaining", "3"), ("ratelimit-reset", "12")], LIMITED),
        ] {
            assert_eq!(reason(429, headers).unwrap().lasts, expected, "{headers:?}");
        }
        assert_eq!(reason(429, &[("retry-after", "0")]), None, "it may be asked again at once");
        assert_eq!(reason(429, &[("retry-after", "Thu, 31 Dec 2026 00:00:00 GMT")]), None);
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, expected) in [
            ("1h0m5s", Some(3_605_000)),
            ("1.1s", Some(1_100)),
            ("5us", Some(1)),
            ("", None),
            ("5", None),
            ("s", None),
            ("5x", None),
            ("-5s", None),
            ("infs", None),
            ("1e300h", None),
            ("9999999999999999999999h", Some(u64::MAX)),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
