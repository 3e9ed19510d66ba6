//! Vectors as numbers, or as base64 of their 32-bit floats.

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::event::Vector;
use crate::json::{Doc, Node, Writer};

/// Writes a vector in the form that the client wants.
pub(super) fn write(vector: &Vector<'_>, base64: bool, w: &mut Writer<'_, '_>) {
    match (vector, base64) {
        (Vector::Base64(text), true) => w.str(text),
        (Vector::Base64(text), false) => {
            let bytes = BASE64_STANDARD.decode(&*text.to_text()).unwrap_or_default();
            w.array(|w| {
                let (numbers, _) = bytes.as_chunks::<4>();
                numbers.iter().for_each(|number| w.raw(&json(f32::from_le_bytes(*number))));
            });
        }
        (Vector::Numbers(raw), true) => {
            let doc = Doc::lenient(raw.as_bytes());
            let numbers = doc.iter().flat_map(|doc| doc.root().items()).filter_map(Node::f64);
            let bytes: Vec<u8> = numbers.flat_map(|number| (number as f32).to_le_bytes()).collect();
            w.text(&BASE64_STANDARD.encode(bytes));
        }
        (Vector::Numbers(raw), false) => w.raw(raw),
    }
}

/// The shortest number that is read back as the same; `null` for what JSON has no number for.
fn json(number: f32) -> String {
    if number.is_finite() { number.to_string() } else { "null".to_owned() }
}
