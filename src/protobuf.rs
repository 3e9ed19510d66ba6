//! Protobuf's [encoding](https://protobuf.dev/programming-guides/encoding/), as far as messages of the host's need it.

/// A field of a message.
pub enum Field<'b> {
    /// Eight bytes, such as a double.
    Fixed([u8; 8]),
    /// A string or a message.
    Bytes(&'b [u8]),
    /// A number.
    Varint(u64),
}

/// Takes the number and the content of the next field off `bytes`. `None` if there is none or it is of no kind that is
/// known here.
pub fn field<'b>(bytes: &mut &'b [u8]) -> Option<(u64, Field<'b>)> {
    let tag = varint(bytes)?;
    let content = match tag & 7 {
        0 => Field::Varint(varint(bytes)?),
        1 => {
            let (fixed, rest) = bytes.split_first_chunk::<8>()?;
            *bytes = rest;
            Field::Fixed(*fixed)
        }
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            let (content, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            Field::Bytes(content)
        }
        _ => return None,
    };
    Some((tag >> 3, content))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Adds a string or a message as the field of that number, below 16.
pub fn push(out: &mut Vec<u8>, number: u8, content: &[u8]) {
    out.push(number << 3 | 2);
    let mut length = content.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 300, 20_000] {
            let mut message = Vec::new();
            push(&mut message, 4, &vec![7; length]);
            message.extend_from_slice(b"\x08\x96\x01");
            let mut rest = &message[..];
            assert!(matches!(field(&mut rest), Some((4, Field::Bytes(content))) if content == vec![7; length]));
            assert!(matches!(field(&mut rest), Some((1, Field::Varint(150)))));
            assert!(field(&mut rest).is_none());
        }
    }
}
