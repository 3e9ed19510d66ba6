//! [`Moderations`]: OpenAI's [moderations](https://platform.openai.com/docs/api-reference/moderations), as clients speak it. All who have
//! any have them in this format, so calls are passed on and never translated.

use super::chat::Chat;
use super::fields::{optional, required, string};
use super::{Ask, Client};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{Error, Kind};
use crate::format::Operation;
use crate::json::{Change, Edits, Node};

/// The model of calls that name none, as at OpenAI.
const MODEL: &str = "omni-moderation-latest";

/// The format.
pub struct Moderations;

impl Client for Moderations {
    fn ask(&self, root: Node<'_>, now: u64) -> Result<Ask, Error> {
        required(root, "input")?;
        let model = optional(root, "model", string)?.map(|model| model.to_text().into_owned());
        let model = model.filter(|model| !model.is_empty()).unwrap_or_else(|| MODEL.to_owned());
        Ok(Ask { model, now, ..Ask::default() })
    }

    fn read<'a>(&self, _operation: Operation, _root: Node<'a>) -> Result<Call<'a>, Error> {
        Err(Error::new(Kind::NotImplemented, "the upstream has moderations in another format"))
    }

    fn answer(&self, _answer: &Answer, _ask: &Ask) -> Vec<u8> {
        self.error(&Error::new(Kind::NotImplemented, "moderations are not translated"))
    }

    fn splice_answer(&self, root: Node<'_>, ask: &Ask, edits: &mut Edits) {
        Chat.splice_answer(root, ask, edits);
        // Mistral leaves it to the client to look at all categories.
        for result in root.get("results").into_iter().flat_map(Node::items).filter(|r| r.get("flagged").is_none()) {
            let categories = result.get("categories").into_iter().flat_map(Node::members);
            let flagged = categories.into_iter().any(|(_, value)| value.bool() == Some(true));
            edits.members(result, &[("flagged", Change::Set(if flagged { "true" } else { "false" }))]);
        }
    }
}
