//! However a stream is cut into chunks, its events are the same, and hold all of its bytes. The first byte is the size of a
//! chunk.
#![no_main]

use dragoman::frame::Frame;
use dragoman::frame::sse::Decoder;
use libfuzzer_sys::fuzz_target;

type Event = (Vec<u8>, String, Vec<u8>);

fuzz_target!(|input: &[u8]| {
    let (size, stream) = input.split_first().unwrap_or((&1, input));
    let whole = events(stream.chunks(stream.len().max(1)));
    assert_eq!(whole, events(stream.chunks(usize::from(*size).max(1))));
    let given: Vec<u8> = whole.iter().flat_map(|(raw, ..)| raw).copied().collect();
    // The last event is given with the end that it lacks.
    let added = given.strip_prefix(stream).expect("all that came");
    assert!(added.iter().all(|byte| *byte == b'\n') && added.len() <= 2);
});

fn events<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut found = Vec::new();
    let mut each = |frame: Frame<'_>| found.push((frame.raw.to_vec(), frame.event.to_owned(), frame.data.to_vec()));
    let mut decoder = Decoder::default();
    for chunk in chunks {
        decoder.push(chunk, &mut each).expect("no event of this length");
    }
    decoder.end(&mut each);
    found
}
