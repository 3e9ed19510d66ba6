//! Small things over bytes: base64, a hash for ids that repeat, and what kind of image some bytes are.

/// Standard base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain([0, 0].iter()).take(3).fold(0u32, |group, byte| group << 8 | u32::from(*byte));
        for place in 0..4 {
            let digit = (group >> (18 - 6 * place)) as usize & 63;
            let digit = ALPHABET.get(digit).copied().filter(|_| place <= chunk.len());
            out.push(char::from(digit.unwrap_or(b'=')));
        }
    }
    out
}

/// The bytes behind standard, padded base64; `None` when it is not that.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if text.is_empty() || !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in digits.as_bytes().chunks(4) {
        let mut group = 0u32;
        for place in 0..4 {
            let digit = match chunk.get(place) {
                Some(digit) => value(*digit)?,
                None => 0,
            };
            group = group << 6 | digit;
        }
        let [_, first, second, third] = group.to_be_bytes();
        out.extend([first, second, third].iter().take(chunk.len() * 6 / 8));
    }
    Some(out)
}

/// FNV-1a.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// An id of `length` letters and digits that follows from the seed.
pub fn id(prefix: &str, seed: u64, length: usize) -> String {
    let mut state = seed;
    let digits = (0..length).map(|_| {
        state = hash(&state.to_le_bytes());
        let digit = ALPHABET.get((state >> 32) as usize % 62);
        char::from(digit.copied().unwrap_or(b'0'))
    });
    prefix.chars().chain(digits).collect()
}

/// The media type that the first bytes show.
pub fn image_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Some("image/gif");
    }
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    webp.then_some("image/webp")
}

fn value(digit: u8) -> Option<u32> {
    let place = ALPHABET.iter().position(|other| *other == digit)?;
    u32::try_from(place).ok()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A picture of one pixel, in base64.
pub const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_both_ways() {
        for (bytes, text) in [(&b"a"[..], "YQ=="), (b"ab", "YWI="), (b"abc", "YWJj"), (b"abcd", "YWJjZA==")] {
            assert_eq!(base64(bytes), text);
            assert_eq!(from_base64(text).as_deref(), Some(bytes));
        }
        for wrong in ["", "YQ", "YQ=", "Y===", "YQ-_", "Y Q="] {
            assert_eq!(from_base64(wrong), None, "{wrong}");
        }
    }
}
