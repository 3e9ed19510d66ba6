//! Tests of the wire, beside the golden cases.

mod embeddings;
mod error;
mod reply;
mod thinking;
