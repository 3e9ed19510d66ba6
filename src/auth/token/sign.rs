//! The messages of Envoy's foreign function `sign` (1.37 and later), which signs with a private key.
//!
//! [Their definition](https://github.com/envoyproxy/envoy/blob/main/source/extensions/common/wasm/ext/sign.proto).

use crate::config::Secret;
use crate::protobuf::{Field, field, push};

/// The function's name.
pub const FUNCTION: &str = "sign";

/// What it is given: `hash_function = 1`, `text = 3`, `private_key_pem = 4`.
pub fn arguments(key: &Secret, text: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    push(&mut message, 1, b"sha256");
    push(&mut message, 3, text);
    push(&mut message, 4, key.reveal().as_bytes());
    message
}

/// The signature in what it gives: `result = 1`, `signature = 2`.
pub fn signature(mut message: &[u8]) -> Option<Vec<u8>> {
    let (mut good, mut signature) = (false, None);
    while !message.is_empty() {
        match field(&mut message)? {
            (1, Field::Varint(result)) => good = result != 0,
            (2, Field::Bytes(bytes)) => signature = Some(bytes.to_vec()),
            _ => {}
        }
    }
    signature.filter(|_| good)
}
