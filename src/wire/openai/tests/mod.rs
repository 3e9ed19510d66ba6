//! Tests of the wire.

mod error;
mod reply;
mod request;
