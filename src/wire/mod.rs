//! The formats that upstreams speak, one file or folder each.
//!
//! A [`Wire`] writes a [`Call`] in its provider's format and gives the [`Reader`] of what comes back. Wires know no
//! addresses, keys or paths (those are [`provider`](crate::provider)'s), and no client format.

use std::borrow::Cow;

use crate::call::Call;
use crate::error::Error;
use crate::event::Event;
use crate::format::Format;
use crate::http::Headers;
use crate::json::{Body, Node};
use crate::piece::Piece;
use crate::provider::Vectors;

pub mod anthropic;
pub mod aws;
pub mod bedrock;
pub mod cohere;
pub mod gemini;
pub mod images;
pub mod moderations;
pub mod names;
pub mod ollama;
pub mod openai;
pub mod plain;
pub mod replicate;
pub mod rerank;
pub mod responses;
pub mod speech;
pub mod transcriptions;
pub mod vertex_rank;

/// The wire that speaks `format`.
pub fn of(format: Format) -> &'static dyn Wire {
    match format {
        Format::Bedrock => &bedrock::Bedrock,
        Format::BedrockEmbeddings => &bedrock::Embeddings,
        Format::Chat => &openai::Openai,
        Format::Cohere => &cohere::Cohere,
        Format::Completions => &openai::Completions,
        Format::BedrockImages => &images::Images(Format::BedrockImages),
        Format::DeepgramListen => &transcriptions::Transcriptions(Format::DeepgramListen),
        Format::DeepgramSpeak => &speech::Speech(Format::DeepgramSpeak),
        Format::ElevenLabsSpeech => &speech::Speech(Format::ElevenLabsSpeech),
        Format::ElevenLabsTranscripts => &transcriptions::Transcriptions(Format::ElevenLabsTranscripts),
        Format::FireworksImages => &images::Images(Format::FireworksImages),
        Format::Images => &images::Images(Format::Images),
        Format::Imagen => &images::Images(Format::Imagen),
        Format::Speech => &speech::Speech(Format::Speech),
        Format::Transcriptions => &transcriptions::Transcriptions(Format::Transcriptions),
        Format::Embeddings => &openai::Embeddings,
        Format::Gemini => &gemini::Gemini(Format::Gemini),
        Format::GeminiEmbeddings => &gemini::Embeddings(Format::GeminiEmbeddings),
        Format::Messages => &anthropic::Anthropic,
        Format::Moderations => &moderations::Moderations,
        Format::Ollama => &ollama::Ollama,
        Format::Replicate => &replicate::Replicate,
        Format::Rerank => &rerank::Rerank,
        Format::Responses => &responses::Responses,
        Format::Vertex => &gemini::Gemini(Format::Vertex),
        Format::VertexEmbeddings => &gemini::Embeddings(Format::VertexEmbeddings),
        Format::VertexPredict => &gemini::Embeddings(Format::VertexPredict),
        Format::VertexRank => &vertex_rank::VertexRank,
    }
}

/// A format that upstreams speak. Stateless: what a call must remember lives in its [`Reader`].
pub trait Wire: Sync {
    /// Writes the call. What the format cannot say is noted in `dropped`, or refused if that is the policy.
    fn encode<'a>(&self, call: &'a Call<'a>, target: &Target<'_>, dropped: &mut Dropped) -> Result<Encoded<'a>, Error>;

    /// A reader for answers to a request that was not written here: the splice path's observer.
    fn reader(&self) -> Box<dyn Reader>;

    /// Reads an error answer. The status is kept in [`Error::status`]. `body` may be anything, a page of HTML included.
    fn error(&self, status: u16, body: &[u8]) -> Error;
}

/// Reads one answer into events, by the laws of [`crate::event`]. Framing and JSON are done before.
pub trait Reader {
    /// The answer's headers, before anything else.
    fn head(&mut self, _headers: &Headers) {}

    /// A whole answer, not streamed.
    fn answer(&mut self, root: Node<'_>, out: &mut dyn FnMut(Event<'_>));

    /// One event of a stream: the SSE event's name, which may be empty, and its data.
    fn event(&mut self, name: &str, root: Node<'_>, out: &mut dyn FnMut(Event<'_>));

    /// The stream has ended, or said so (`[DONE]`); may be called twice. A stream that ends without a finish is an
    /// [`Event::Error`].
    fn end(&mut self, out: &mut dyn FnMut(Event<'_>));

    /// Whether an answer of this type is what the client gets, byte by byte, such as sound.
    fn passes(&self, _media_type: &str) -> bool {
        false
    }

    /// Whether any answer is, whatever its status, unless our credentials are refused.
    fn passes_all(&self) -> bool {
        false
    }

    /// What such an answer has used, before it comes.
    fn passed(&mut self, _out: &mut dyn FnMut(Event<'_>)) {}

    /// How many bytes of the stream it has kept so far because of what may follow. What it keeps beside them has a bound.
    fn kept(&self) -> usize {
        0
    }
}

/// Reads nothing: what comes back is the client's affair.
pub struct Passing;

impl Reader for Passing {
    fn answer(&mut self, _root: Node<'_>, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::End);
    }

    fn event(&mut self, _name: &str, _root: Node<'_>, _out: &mut dyn FnMut(Event<'_>)) {}

    fn end(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        out(Event::End);
    }

    fn passes_all(&self) -> bool {
        true
    }
}

/// What a wire is told about the upstream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target<'t> {
    /// The provider's name of the model.
    pub model: &'t str,
    /// The configured limit on output for calls that bring none.
    pub max_tokens: Option<u64>,
    /// Whether the provider can be told how much to think, whichever the model: OpenAI's own must be known to think.
    pub takes_effort: bool,
    /// Whether the provider takes its thought back, which OpenAI's format has no place for.
    pub takes_thought: bool,
    /// A number that nobody can guess before the call is sent.
    pub random: u64,
    /// How the provider's embeddings differ from OpenAI's.
    pub vectors: Option<&'static Vectors>,
}

/// A call in a provider's format.
pub struct Encoded<'a> {
    /// The body, if it is JSON.
    pub body: Body<'a>,
    /// Else its parts.
    pub form: Option<Vec<Piece>>,
    /// What the path of this call holds beside model and options.
    pub values: Vec<(&'static str, String)>,
    /// Headers that this call needs beside the provider's usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// The reader of the answer.
    pub reader: Box<dyn Reader>,
}

impl<'a> Encoded<'a> {
    /// A body of JSON, and what reads the answer to it.
    pub fn new(body: Body<'a>, reader: Box<dyn Reader>) -> Self {
        Self { body, form: None, values: Vec::new(), headers: Vec::new(), reader }
    }
}

/// Parameters that a provider cannot take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Whether such a parameter refuses the call.
    pub reject: bool,
    /// What was left out, each once.
    pub names: Vec<Cow<'static, str>>,
}

impl Dropped {
    /// Leaves out `name`, or refuses the call.
    pub fn note(&mut self, name: impl Into<Cow<'static, str>>) -> Result<(), Error> {
        let name = name.into();
        if self.reject {
            return Err(Error::invalid("the upstream does not support this parameter")
                .code("unsupported_parameter")
                .at(&name));
        }
        self.forget(name);
        Ok(())
    }

    /// Leaves out what no client could know to leave out, such as another provider's proof of a thought: reported, and
    /// never a reason to refuse the call.
    pub fn forget(&mut self, name: impl Into<Cow<'static, str>>) {
        // Names may be the client's own, and go into a header.
        const MOST: usize = 32;
        const LONGEST: usize = 64;
        let mut name = name.into();
        let plain = |c: char| c.is_ascii_graphic() && c != ',';
        if name.len() > LONGEST || !name.chars().all(plain) {
            name = name.chars().take(LONGEST).map(|c| if plain(c) { c } else { '_' }).collect::<String>().into();
        }
        if self.names.len() < MOST && !self.names.contains(&name) {
            self.names.push(name);
        }
    }
}
