//! The VM's environment variables and randomness, through WASI calls that every proxy-wasm host offers.
//!
//! Secrets come this way because a host shows configurations to its administrators, but not the environment.

use std::collections::HashMap;

use super::abi;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn environ_get(places: *mut u32, texts: *mut u8) -> u32;
    fn environ_sizes_get(count: *mut u32, size: *mut u32) -> u32;
    fn random_get(bytes: *mut u8, size: usize) -> u32;
}

/// All variables that are UTF-8.
pub fn read() -> HashMap<String, String> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: the pointers are valid for the call.
    if unsafe { environ_sizes_get(&mut count, &mut size) } != 0 {
        return HashMap::new();
    }
    let mut places = vec![0u32; count as usize];
    let mut texts = vec![0u8; size as usize];
    // SAFETY: the host writes as many places and bytes as it has just said.
    if unsafe { environ_get(places.as_mut_ptr(), texts.as_mut_ptr()) } != 0 {
        return HashMap::new();
    }
    let variables = texts.split(|byte| *byte == 0).filter_map(|text| std::str::from_utf8(text).ok());
    variables.filter_map(|text| text.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A random number; where the host gives none, the time.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: the pointer is valid for the call, and for so many bytes.
    match unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) } {
        0 => u64::from_le_bytes(bytes),
        _ => abi::now(),
    }
}
