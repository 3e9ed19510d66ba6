//! How credentials become headers of a finished request.

pub mod sigv4;
