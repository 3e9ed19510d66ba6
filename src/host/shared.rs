//! Values that all workers and both roles of the filter share.

use super::abi;

/// How often a change is tried: another worker that comes in between makes it fail.
const TRIES: usize = 100;

/// Reads the value under `key`, lets `change` change it, and writes it if that says so; again from the start if another
/// worker came first. The value as it is then; `None` if the host keeps no values.
pub fn change<T>(
    key: &str,
    decode: impl Fn(&[u8]) -> T,
    encode: impl Fn(&T) -> Vec<u8>,
    mut change: impl FnMut(&mut T) -> bool,
) -> Option<T> {
    for _ in 0..TRIES {
        let (bytes, version) = abi::shared(key).ok()?;
        let mut value = decode(&bytes);
        if !change(&mut value) || abi::set_shared(key, &encode(&value), version).ok()? {
            return Some(value);
        }
    }
    None
}
