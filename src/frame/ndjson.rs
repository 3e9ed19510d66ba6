//! [NDJSON](https://github.com/ndjson/ndjson-spec): a JSON text per line.

use std::borrow::Cow;

use super::{Fault, Frame, LONGEST};

/// Cuts a stream into lines. Where the stream's own chunks end makes no difference.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The start of a line whose end has not come.
    held: Vec<u8>,
}

impl Decoder {
    /// Takes the next bytes and gives each line that is complete.
    pub fn push(&mut self, chunk: &[u8], each: &mut dyn FnMut(Frame<'_>)) -> Result<(), Fault> {
        let mut rest = chunk;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, tail) = rest.split_at_checked(at.saturating_add(1)).unwrap_or((rest, &[]));
            rest = tail;
            if self.held.is_empty() {
                give(line, each);
            } else {
                self.hold(line)?;
                give(&std::mem::take(&mut self.held), each);
            }
        }
        self.hold(rest)
    }

    /// The stream has ended: gives a last line that no line feed ended.
    pub fn end(&mut self, each: &mut dyn FnMut(Frame<'_>)) {
        give(&std::mem::take(&mut self.held), each);
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.held.len().saturating_add(bytes.len()) > LONGEST {
            return Err(Fault::TooLong);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }
}

fn give(line: &[u8], each: &mut dyn FnMut(Frame<'_>)) {
    let data = line.trim_ascii();
    if !data.is_empty() {
        each(Frame { raw: line, event: "", failed: false, data: Cow::Borrowed(data) });
    }
}
