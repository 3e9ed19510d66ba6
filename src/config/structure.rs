//! A `google.protobuf.Struct` as the JSON that it stands for: hosts hand a configuration written as a Struct over in
//! protobuf's own encoding.
//!
//! [The message](https://protobuf.dev/reference/protobuf/google.protobuf/#struct).

use crate::json::{Body, Writer};
use crate::protobuf::{Field, field};

/// How deep values may nest.
const MAX_DEPTH: usize = 64;

/// The JSON of an encoded Struct; `None` if the bytes are not one.
pub fn to_json(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Body::default();
    write_struct(bytes, MAX_DEPTH, &mut Writer::new(&mut body))?;
    Some(body.into_bytes())
}

/// `map<string, Value> fields = 1`
fn write_struct(mut bytes: &[u8], depth: usize, w: &mut Writer<'_, '_>) -> Option<()> {
    w.open_object();
    while !bytes.is_empty() {
        let (1, Field::Bytes(mut entry)) = field(&mut bytes)? else { return None };
        let (mut name, mut value) = ("", &b""[..]);
        while !entry.is_empty() {
            match field(&mut entry)? {
                (1, Field::Bytes(text)) => name = std::str::from_utf8(text).ok()?,
                (2, Field::Bytes(message)) => value = message,
                _ => return None,
            }
        }
        w.name(name);
        write_value(value, depth.checked_sub(1)?, w)?;
    }
    w.close_object();
    Some(())
}

/// `oneof { null = 1, number = 2, string = 3, bool = 4, struct = 5, list = 6 }`
fn write_value(mut bytes: &[u8], depth: usize, w: &mut Writer<'_, '_>) -> Option<()> {
    match field(&mut bytes)? {
        (1, Field::Varint(_)) => w.null(),
        // `Display` writes whole numbers without a point or exponent.
        (2, Field::Fixed(double)) => match f64::from_le_bytes(double) {
            number if number.is_finite() => w.raw(&number.to_string()),
            _ => return None,
        },
        (3, Field::Bytes(text)) => w.text(std::str::from_utf8(text).ok()?),
        (4, Field::Varint(flag)) => w.bool(flag != 0),
        (5, Field::Bytes(fields)) => write_struct(fields, depth, w)?,
        (6, Field::Bytes(mut values)) => {
            w.open_array();
            while !values.is_empty() {
                let (1, Field::Bytes(value)) = field(&mut values)? else { return None };
                write_value(value, depth.checked_sub(1)?, w)?;
            }
            w.close_array();
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::to_json;

    #[test]
    fn a_struct_is_its_json() {
        // {"a": {"b": [1.5, 60, true, null, "x\n"]}}
        let list = b"\x0a\x09\x11\x00\x00\x00\x00\x00\x00\xf8\x3f\x0a\x09\x11\x00\x00\x00\x00\x00\x00\x4e\x40\
            \x0a\x02\x20\x01\x0a\x02\x08\x00\x0a\x04\x1a\x02x\n";
        let nest = |number: u8, inner: &[u8]| [&[number << 3 | 2, inner.len() as u8], inner].concat();
        let entry = |name: &[u8], value: &[u8]| nest(1, &[nest(1, name), nest(2, value)].concat());
        let inner = entry(b"b", &nest(6, list));
        let bytes = entry(b"a", &nest(5, &inner));
        assert_eq!(to_json(&bytes).unwrap(), br#"{"a":{"b":[1.5,60,true,null,"x\n"]}}"#);
    }

    #[test]
    fn other_bytes_are_none() {
        for bytes in [&b"{}"[..], b"\x0a\xff", b"\x0a\x02\x0a\x05", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"] {
            assert_eq!(to_json(bytes), None);
        }
    }
}
