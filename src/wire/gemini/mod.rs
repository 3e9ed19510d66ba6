//! [`Gemini`]: Google's [generateContent](https://ai.google.dev/api/generate-content), as the Gemini API (`v1beta`) and
//! [Google Cloud](https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference) (`v1`) speak it.
//!
//! Checked against Google's discovery document of November 2026 and its Python library, `google-genai` 3.6. What does not
//! map:
//!
//! - Signatures: Google wants those of calls back. They travel as [`replay`](crate::replay) says. A call of another
//!   model's, or whose signature is lost, goes with Google's word for one that is not checked.
//! - System messages all stand before the conversation.
//! - Results of tools hold text, and on newer models pictures and PDFs; other parts follow in the user's next turn.
//! - A schema of the answer, or JSON as such, becomes an instruction where older models would refuse it beside tools.
//! - Addresses are fetched by Google if they start with `https` or `gs`; others, and ids of files, are refused.
//! - Sound in answers, and what tools that Google runs say, have no place in any other format.

mod content;
mod embeddings;
mod error;
mod extra;
mod media;
mod messages;
mod models;
mod params;
mod reply;
mod request;
mod schema;
#[cfg(test)]
mod tests;
mod thinking;
mod tools;

pub use content::UNSIGNED;

use super::{Dropped, Encoded, Reader, Target, Wire};
use crate::call::Call;
use crate::error::{Error, Kind};
use crate::format::Format;

/// The wire, in the manner of [`Format::Gemini`] or [`Format::Vertex`].
pub struct Gemini(pub Format);

impl Wire for Gemini {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        match call {
            Call::CountTokens(call) => request::encode(call, false, self.0, target, dropped),
            Call::Generate(call) => request::encode(call, true, self.0, target, dropped),
            Call::Image(call) => media::image(call, self.0, dropped),
            Call::Speak(call) => media::speech(call, self.0, dropped),
            _ => Err(Error::new(Kind::NotImplemented, "the upstream only generates this way")),
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(reply::Reply::new(self.0, request::names()))
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}

/// The wire of embeddings, in the manner of one of the formats for them.
pub struct Embeddings(pub Format);

impl Wire for Embeddings {
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error> {
        match call {
            Call::Embed(call) => embeddings::encode(call, self.0, target, dropped),
            _ => Err(Error::new(Kind::NotImplemented, "the upstream only makes embeddings")),
        }
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(embeddings::Reply)
    }

    fn error(&self, status: u16, body: &[u8]) -> Error {
        error::read(status, body)
    }
}
