//! [Server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).

use std::borrow::Cow;

use super::{Fault, Frame, LONGEST};

/// Cuts a stream into events. Where the stream's own chunks end makes no difference.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The start of an event whose end has not come.
    held: Vec<u8>,
    /// How much of `held` is known to hold no end of an event: always the start of a line.
    searched: usize,
}

impl Decoder {
    /// Takes the next bytes and gives each event that is complete.
    pub fn push(&mut self, chunk: &[u8], each: &mut dyn FnMut(Frame<'_>)) -> Result<(), Fault> {
        if self.held.is_empty() {
            // Whole events are read where they are; only a rest is kept.
            let rest = cut(chunk, 0, each);
            self.keep(rest.0, rest.1)
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(chunk);
            let (rest, searched) = cut(&held, self.searched, each);
            if rest.len() == held.len() {
                if rest.len() > LONGEST {
                    return Err(Fault::TooLong);
                }
                self.searched = searched;
                self.held = held;
                return Ok(());
            }
            self.keep(rest, searched)
        }
    }

    /// The stream has ended: gives a last event that no empty line ended.
    pub fn end(&mut self, each: &mut dyn FnMut(Frame<'_>)) {
        let held = std::mem::take(&mut self.held);
        self.searched = 0;
        if !held.is_empty() {
            each(parse(&held));
        }
    }

    /// The bytes of an event whose end has not come.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    fn keep(&mut self, rest: &[u8], searched: usize) -> Result<(), Fault> {
        if rest.len() > LONGEST {
            return Err(Fault::TooLong);
        }
        self.held.clear();
        self.held.extend_from_slice(rest);
        self.searched = searched;
        Ok(())
    }
}

/// Gives each complete event of `bytes`; returns the rest and how much of it need not be searched again.
fn cut<'b>(bytes: &'b [u8], searched: usize, each: &mut dyn FnMut(Frame<'_>)) -> (&'b [u8], usize) {
    let mut rest = bytes;
    let mut line = searched;
    while let Some((length, next)) = line_at(rest, line) {
        if length == 0 {
            let (event, tail) = rest.split_at_checked(next).unwrap_or((rest, &[]));
            each(parse(event));
            (rest, line) = (tail, 0);
        } else {
            line = next;
        }
    }
    (rest, line)
}

/// The length of the line that starts at `start` and the start of the next one, if the line is complete. A carriage
/// return as the last byte may be half of an ending.
fn line_at(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let rest = bytes.get(start..)?;
    let length = memchr::memchr2(b'\n', b'\r', rest)?;
    let ending = match (rest.get(length), rest.get(length.saturating_add(1))) {
        (Some(b'\n'), _) => 1,
        (_, Some(b'\n')) => 2,
        (_, Some(_)) => 1,
        (_, None) => return None,
    };
    Some((length, start.saturating_add(length).saturating_add(ending)))
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
