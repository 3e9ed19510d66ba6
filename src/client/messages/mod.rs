//! [`Messages`]: Anthropic's Messages, as clients speak it.

use super::{Ask, Client, StreamWriter};
use crate::answer::Answer;
use crate::call::Generate;
use crate::error::Error;
use crate::json::{Edits, Node};

/// The format.
pub struct Messages;

impl Client for Messages {
    fn ask(&self, _root: Node<'_>, _now: u64) -> Result<Ask, Error> {
        todo!()
    }

    fn read<'a>(&self, _root: Node<'a>) -> Result<Generate<'a>, Error> {
        todo!()
    }

    fn answer(&self, _answer: &Answer, _ask: &Ask) -> Vec<u8> {
        todo!()
    }

    fn stream(&self, _ask: &Ask) -> Box<dyn StreamWriter> {
        todo!()
    }

    fn error(&self, _error: &Error) -> Vec<u8> {
        todo!()
    }

    fn stream_error(&self, _error: &Error, _out: &mut Vec<u8>) {
        todo!()
    }

    fn splice_request(&self, _root: Node<'_>, _ask: &Ask, _model: &str, _edits: &mut Edits) {
        todo!()
    }

    fn splice_answer(&self, _root: Node<'_>, _ask: &Ask, _edits: &mut Edits) {
        todo!()
    }

    fn splice_event(&self, _root: Node<'_>, _ask: &Ask, _edits: &mut Edits) -> bool {
        todo!()
    }
}
