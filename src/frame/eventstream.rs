//! [Amazon's event stream encoding](https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html): binary
//! messages of headers and a payload, each with two checksums.
//!
//! A message is
//!
//! | bytes | what |
//! |---|---|
//! | 4 | the length of the message |
//! | 4 | the length of its headers |
//! | 4 | the CRC-32 of the eight bytes before |
//! | … | headers: name, kind and value of each |
//! | … | the payload |
//! | 4 | the CRC-32 of all bytes before |

use std::borrow::Cow;

use crc::{CRC_32_ISO_HDLC, Crc, Table};

use super::{Fault, Frame, LONGEST};
use crate::json::{Body, Writer};

// Speed matters less than the size of the tables.
const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// The bytes before the headers.
const PRELUDE: usize = 12;
/// The bytes after the payload.
const CHECKSUM: usize = 4;

/// Cuts a stream into messages. Where the stream's own chunks end makes no difference.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The start of a message whose end has not come.
    held: Vec<u8>,
}

impl Decoder {
    /// Takes the next bytes and gives each message that is complete.
    pub fn push(&mut self, chunk: &[u8], each: &mut dyn FnMut(Frame<'_>)) -> Result<(), Fault> {
        self.held.extend_from_slice(chunk);
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_slice();
        while let Some(length) = length(rest)? {
            let Some((message, tail)) = rest.split_at_checked(length) else { break };
            rest = tail;
            each(read(message).ok_or(Fault::Corrupt("a message of the event stream that is damaged"))?);
        }
        self.held = if rest.len() == held.len() { held } else { rest.to_vec() };
        Ok(())
    }

    /// The stream has ended.
    pub fn end(&mut self) -> Result<(), Fault> {
        if self.held.is_empty() { Ok(()) } else { Err(Fault::Corrupt("an event stream that ends inside a message")) }
    }
}

/// The length of the message that starts here, once its prelude is there.
fn length(bytes: &[u8]) -> Result<Option<usize>, Fault> {
    let Some(prelude) = bytes.get(..PRELUDE) else { return Ok(None) };
    let (covered, checksum) = prelude.split_at_checked(8).unwrap_or_default();
    let length = number(prelude, 0).unwrap_or(0) as usize;
    let headers = number(prelude, 4).unwrap_or(0) as usize;
    let least = PRELUDE.saturating_add(headers).saturating_add(CHECKSUM);
    if Some(CRC.checksum(covered)) != number(checksum, 0) || length < least {
        return Err(Fault::Corrupt("a message of the event stream whose prelude is damaged"));
    }
    if length > LONGEST { Err(Fault::TooLong) } else { Ok(Some(length)) }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// Headers that say what a message is.
#[derive(Default)]
struct Kind<'m> {
    message: &'m str,
    event: &'m str,
    exception: &'m str,
    code: &'m str,
    text: &'m str,
}

/// An event goes by its type, an exception by its own; an error, which has no payload, becomes one.
fn read(message: &[u8]) -> Option<Frame<'_>> {
    let body = message.len().checked_sub(CHECKSUM)?;
    let (covered, checksum) = message.split_at_checked(body)?;
    if CRC.checksum(covered) != number(checksum, 0)? {
        return None;
    }
    let headers = number(message, 4)? as usize;
    let (headers, payload) = covered.get(PRELUDE..)?.split_at_checked(headers)?;
    let kind = kind(headers)?;
    Some(match kind.message {
        "exception" => Frame { raw: message, event: kind.exception, failed: true, data: Cow::Borrowed(payload) },
        "error" => {
            let mut body = Body::default();
            Writer::new(&mut body).object(|w| w.key("message").text(kind.text));
            Frame { raw: message, event: kind.code, failed: true, data: Cow::Owned(body.into_bytes()) }
        }
        _ => Frame { raw: message, event: kind.event, failed: false, data: Cow::Borrowed(payload) },
    })
}

fn kind(mut headers: &[u8]) -> Option<Kind<'_>> {
    let mut kind = Kind::default();
    while let Some((length, rest)) = headers.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (value, rest) = value(rest)?;
        headers = rest;
        let text = std::str::from_utf8(value).unwrap_or_default();
        match name {
            b":message-type" => kind.message = text,
            b":event-type" => kind.event = text,
            b":exception-type" => kind.exception = text,
            b":error-code" => kind.code = text,
            b":error-message" => kind.text = text,
            _ => {}
        }
    }
    Some(kind)
}

/// The bytes of a header's value, and what follows.
fn value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (length, rest) = match kind {
        // true, false
        0 | 1 => (0, rest),
        2 => (1, rest),
        3 => (2, rest),
        4 => (4, rest),
        // A whole number, a timestamp.
        5 | 8 => (8, rest),
        // Bytes, a string.
        6 | 7 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        // A UUID.
        9 => (16, rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// A message of [Amazon's own test suite](https://github.com/awslabs/aws-c-event-stream/tree/main/tests): headers and
    /// payload as they are given there.
    const MESSAGE: &[u8] = &[
        0, 0, 0, 61, 0, 0, 0, 32, 7, 253, 131, 150, 12, b'c', b'o', b'n', b't', b'e', b'n', b't', b'-', b't', b'y',
        b'p', b'e', 7, 0, 16, b'a', b'p', b'p', b'l', b'i', b'c', b'a', b't', b'i', b'o', b'n', b'/', b'j', b's', b'o',
        b'n', b'{', b'\'', b'f', b'o', b'o', b'\'', b':', b'\'', b'b', b'a', b'r', b'\'', b'}', 141, 156, 8, 177,
    ];

    fn cut(parts: &[&[u8]]) -> Result<Vec<Vec<u8>>, Fault> {
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for part in parts {
            decoder.push(part, &mut |frame| found.push(frame.data.into_owned()))?;
        }
        decoder.end().map(|()| found)
    }

    #[test]
    fn a_published_message_is_read_however_it_is_cut() {
        let twice = [MESSAGE, MESSAGE].concat();
        for at in 0..=twice.len() {
            let (first, second) = twice.split_at(at);
            assert_eq!(cut(&[first, second]), Ok(vec![b"{'foo':'bar'}".to_vec(); 2]), "{at}");
        }
    }

    #[test]
    fn every_damaged_bit_is_noticed() {
        for at in 0..MESSAGE.len() {
            let mut damaged = MESSAGE.to_vec();
            damaged[at] ^= 1;
            assert!(cut(&[&damaged]).is_err(), "{at}");
            assert!(at == 0 || cut(&[&MESSAGE[..at]]).is_err(), "{at}");
        }
    }
}
