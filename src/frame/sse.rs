//! [Server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).

use std::borrow::Cow;

use super::{Fault, Frame, LONGEST};

/// Cuts a stream into events. Where the stream's own chunks end makes no difference.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The start of an event whose end has not come.
    held: Vec<u8>,
    at: Place,
}

/// How far an event that is not complete has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Where its last line starts.
    line: usize,
    /// Up to where that line is known to have no end.
    searched: usize,
}

impl Decoder {
    /// Takes the next bytes and gives each event that is complete.
    pub fn push(&mut self, chunk: &[u8], each: &mut dyn FnMut(Frame<'_>)) -> Result<(), Fault> {
        if self.held.is_empty() {
            // Whole events are read where they are; only a rest is kept.
            let (rest, at) = cut(chunk, Place::default(), each);
            self.keep(rest, at)
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(chunk);
            let (rest, at) = cut(&held, self.at, each);
            if rest.len() == held.len() {
                if rest.len() > LONGEST {
                    return Err(Fault::TooLong);
                }
                (self.held, self.at) = (held, at);
                return Ok(());
            }
            self.keep(rest, at)
        }
    }

    /// The stream has ended: gives a last event that no empty line ended, with that line.
    pub fn end(&mut self, each: &mut dyn FnMut(Frame<'_>)) {
        let mut held = std::mem::take(&mut self.held);
        self.at = Place::default();
        if !held.is_empty() {
            held.extend_from_slice(if held.ends_with(b"\n") { b"\n" } else { b"\n\n" });
            each(parse(&held));
        }
    }

    /// The bytes of an event whose end has not come.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    fn keep(&mut self, rest: &[u8], at: Place) -> Result<(), Fault> {
        if rest.len() > LONGEST {
            return Err(Fault::TooLong);
        }
        self.held.clear();
        self.held.extend_from_slice(rest);
        self.at = at;
        Ok(())
    }
}

/// Gives each complete event of `bytes`, which is read up to `at`; returns the rest and how far that is read.
fn cut<'b>(bytes: &'b [u8], at: Place, each: &mut dyn FnMut(Frame<'_>)) -> (&'b [u8], Place) {
    let mut rest = bytes;
    let mut at = at;
    while let Some((end, next)) = line_end(rest, at.searched) {
        if end == at.line {
            let (event, tail) = rest.split_at_checked(next).unwrap_or((rest, &[]));
            each(parse(event));
            (rest, at) = (tail, Place::default());
        } else {
            at = Place { line: next, searched: next };
        }
    }
    // The half of an ending is looked at again.
    at.searched = rest.len().saturating_sub(usize::from(rest.ends_with(b"\r"))).max(at.line);
    (rest, at)
}

/// The end of the first line that ends at or after `from`, and the start of the next one. A carriage return as the last
/// byte may be half of an ending.
fn line_end(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let end = from.checked_add(memchr::memchr2(b'\n', b'\r', bytes.get(from..)?)?)?;
    let after = end.checked_add(1)?;
    match (bytes.get(end), bytes.get(after)) {
        (Some(b'\r'), None) => None,
        (Some(b'\r'), Some(b'\n')) => Some((end, after.checked_add(1)?)),
        _ => Some((end, after)),
    }
}

fn parse(raw: &[u8]) -> Frame<'_> {
    let mut frame = Frame { raw, event: "", failed: false, data: Cow::Borrowed(&[]) };
    let mut first = true;
    let mut rest = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    while !rest.is_empty() {
        let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        // The second half of an ending is an empty line, which holds nothing.
        rest = tail.get(1..).unwrap_or_default();
        if let Some(value) = field(line, b"data") {
            if first {
                (frame.data, first) = (Cow::Borrowed(value), false);
            } else {
                let data = frame.data.to_mut();
                data.push(b'\n');
                data.extend_from_slice(value);
            }
        } else if let Some(value) = field(line, b"event") {
            frame.event = std::str::from_utf8(value).unwrap_or_default();
        }
    }
    frame
}

/// The value of a line, if it is of that field.
fn field<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let rest = line.strip_prefix(name)?;
    if rest.is_empty() {
        return Some(rest);
    }
    let value = rest.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Name and data of each event, and what is held at the end.
    fn events(chunks: &[&[u8]]) -> (Vec<(String, String)>, Vec<u8>) {
        let mut found = Vec::new();
        let mut each = |frame: Frame<'_>| {
            found.push((frame.event.to_owned(), String::from_utf8_lossy(&frame.data).into_owned()));
        };
        let mut decoder = Decoder::default();
        chunks.iter().for_each(|chunk| decoder.push(chunk, &mut each).unwrap());
        let held = decoder.held().to_vec();
        decoder.end(&mut each);
        (found, held)
    }

    #[track_caller]
    fn check(stream: &str, expected: &[(&str, &str)], held: &str) {
        let expected: Vec<_> = expected.iter().map(|(name, data)| ((*name).to_owned(), (*data).to_owned())).collect();
        let stream = stream.as_bytes();
        let whole = (expected, held.as_bytes().to_vec());
        assert_eq!(events(&[stream]), whole);
        for at in 0..=stream.len() {
            let (start, end) = stream.split_at(at);
            assert_eq!(events(&[start, end]), whole, "cut at {at}");
        }
        assert_eq!(events(&stream.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    }

    #[test]
    fn every_ending_of_a_line_is_one() {
        for end in ["\n", "\r\n", "\r"] {
            let held = if end == "\r" { "data: c\r\r" } else { "" };
            let stream = "data: a;;event: x;data:b;data;;data: c;;".replace(';', end);
            check(&stream, &[("", "a"), ("x", "b\n"), ("", "c")], held);
        }
        check("data: a\r\ndata: b\n\r\ndata: c\r\n\n", &[("", "a\nb"), ("", "c")], "");
    }

    #[test]
    fn fields_are_read_by_the_standard() {
        check("data:  a\n\n", &[("", " a")], "");
        check("data:a: b\n\n", &[("", "a: b")], "");
        check("event: x\nevent: y\nid: 1\nretry: 2\n\n", &[("y", "")], "");
        check(": ping\n\n", &[("", "")], "");
        check("datas: a\n data: b\nDATA: c\ndata\n\n", &[("", "")], "");
        check("data: é世🦊\n\n", &[("", "é世🦊")], "");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_name() {
        check("\u{feff}data: a\n\n", &[("", "a")], "");
    }

    #[test]
    fn the_end_of_the_stream_ends_an_event() {
        for (stream, raw) in [("data: a", "data: a\n\n"), ("data: a\n", "data: a\n\n"), ("data: a\r", "data: a\r\n\n")]
        {
            check(stream, &[("", "a")], stream);
            let mut decoder = Decoder::default();
            decoder.push(stream.as_bytes(), &mut |_| panic!("not yet")).unwrap();
            let mut given = Vec::new();
            decoder.end(&mut |frame| given.extend_from_slice(frame.raw));
            assert_eq!(String::from_utf8(given).unwrap(), raw);
            decoder.end(&mut |_| panic!("given already"));
        }
    }

    #[test]
    fn lines_of_every_length_are_found() {
        for length in 0..200 {
            let data = "x".repeat(length);
            check(&format!("data: {data}\n\ndata: y\n\n"), &[("", &data), ("", "y")], "");
        }
    }

    #[test]
    fn an_event_is_not_longer_than_any_real_one() {
        let most = vec![b'x'; LONGEST];
        for size in [LONGEST, 1 << 16, 1000] {
            let mut decoder = Decoder::default();
            for chunk in most.chunks(size) {
                decoder.push(chunk, &mut |_| ()).unwrap();
            }
            assert_eq!(decoder.push(b"x", &mut |_| ()), Err(Fault::TooLong));
            assert_eq!(decoder.held(), b"");
        }
        assert_eq!(Decoder::default().push(&[b'x'; LONGEST + 1], &mut |_| ()), Err(Fault::TooLong));
    }
}
