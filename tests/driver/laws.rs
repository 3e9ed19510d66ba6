//! The laws that stand in the documentation of [`dragoman::event`].

use std::collections::{BTreeMap, BTreeSet};

use dragoman::event::Event;
use dragoman::frame::{Decoder, Frame, Framing};
use dragoman::json::Doc;
use dragoman::wire::Reader;

/// Takes the events of one answer, and panics at one that breaks a law.
#[derive(Default)]
pub struct Laws {
    started: bool,
    over: bool,
    /// Per choice: blocks begun, those that are open, whether it is finished.
    choices: BTreeMap<u32, (u32, BTreeSet<u32>, bool)>,
}

impl Laws {
    /// The next event.
    pub fn check(&mut self, event: &Event<'_>) {
        assert!(!self.over, "after the end: {event:?}");
        match event {
            Event::Start { .. } => {
                assert!(!self.started, "a second start");
                self.started = true;
            }
            Event::BlockStart { choice, block, .. } => {
                let (begun, open, finished) = self.choices.entry(*choice).or_default();
                assert!(self.started && !*finished && *block == *begun, "out of order: {event:?}");
                *begun += 1;
                open.insert(*block);
            }
            Event::BlockDelta { choice, block, .. } => {
                let open = self.choices.get(choice).is_some_and(|(_, open, _)| open.contains(block));
                assert!(open, "outside its block: {event:?}");
            }
            Event::BlockStop { choice, block } => {
                let open = self.choices.get_mut(choice).is_some_and(|(_, open, _)| open.remove(block));
                assert!(open, "not open: {event:?}");
            }
            Event::Finish { choice, .. } => {
                let (_, open, finished) = self.choices.entry(*choice).or_default();
                assert!(self.started && open.is_empty() && !*finished, "too early, or twice: {event:?}");
                *finished = true;
            }
            Event::End => {
                assert!(self.started, "an end without a start");
                self.over = true;
            }
            Event::Error(_) => self.over = true,
            Event::Usage { .. } => assert!(self.started, "usage before the start"),
            Event::Embedding { .. }
            | Event::Ping
            | Event::Ranked(_)
            | Event::Sound { .. }
            | Event::Transcript(_)
            | Event::Unknown => {}
        }
    }
}

/// Holds a reader to the laws over a stream of any bytes.
pub fn check_stream(reader: &mut dyn Reader, framing: Framing, stream: &[u8]) {
    let mut laws = Laws::default();
    let mut decoder = Decoder::new(framing);
    let mut each = |frame: Frame<'_>| {
        if frame.failed {
            reader.end(&mut |event| laws.check(&event));
        } else if frame.data.as_ref() == b"[DONE]" {
            reader.end(&mut |event| laws.check(&event));
        } else if let Ok(doc) = Doc::lenient(&frame.data) {
            reader.event(frame.event, doc.root(), &mut |event| laws.check(&event));
        }
    };
    // Bytes that are no stream end it.
    let _ = decoder.push(stream, &mut each).and_then(|()| decoder.end(&mut each));
    reader.end(&mut |event| laws.check(&event));
    assert!(laws.over, "the events have no end");
}

/// Holds a reader to the laws over a whole answer of any bytes.
pub fn check_whole(reader: &mut dyn Reader, body: &[u8]) {
    let Ok(doc) = Doc::lenient(body) else { return };
    let mut laws = Laws::default();
    reader.answer(doc.root(), &mut |event| laws.check(&event));
    assert!(laws.over, "the events have no end");
}
