//! Bytes of a stream, cut anywhere, into frames.

pub mod sse;
