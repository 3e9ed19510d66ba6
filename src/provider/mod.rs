//! The catalogue: what Dragoman knows of each provider, as data.
//!
//! A provider is a row of [`catalogue`]. A row says where the provider is, how it takes its key, which [`Surface`]
//! answers which operation, and in what its format differs from the one it follows ([`Quirks`]).

mod catalogue;

pub use catalogue::PROVIDERS;

use crate::format::{Format, Operation};

/// A named service that answers LLM calls.
#[derive(Debug)]
pub struct Provider {
    /// The name in configurations: lower case, digits, `_` and `-`.
    pub id: &'static str,
    /// The name as its maker writes it.
    pub name: &'static str,
    /// `gen_ai.provider.name` of OpenTelemetry's conventions; the id where they have none.
    pub otel: &'static str,
    /// Where it is.
    pub address: Address,
    /// How its key is sent.
    pub auth: Auth,
    /// Headers that it wants on every call.
    pub headers: &'static [(&'static str, &'static str)],
    /// How it answers each operation.
    pub surfaces: &'static [Surface],
    /// What differs from the format that its surfaces follow.
    pub quirks: Quirks,
    /// The environment variable in which people keep its key; empty where it takes none.
    pub env: &'static str,
    /// Its documentation of the API described here.
    pub docs: &'static str,
}

/// Where a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// The account's or machine's own: `base_url` must be configured.
    Configured,
    /// Scheme, authority and path prefix, without a slash at the end.
    Fixed(&'static str),
}

/// The header in which a provider takes its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer KEY`.
    Bearer,
    /// The named header, holding the key alone.
    Header(&'static str),
}

/// How a provider answers one operation.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    /// The operation.
    pub operation: Operation,
    /// The path after the address.
    pub path: &'static str,
    /// The format of request and answer.
    pub format: Format,
}

/// Differences from a format, applied to the finished body. A field that is named here and absent from a body is no error.
#[derive(Clone, Copy, Debug)]
pub struct Quirks {
    /// Top-level fields that the provider refuses or ignores: removed, and reported.
    pub drop: &'static [&'static str],
    /// Top-level fields that the provider knows by another name: (ours, theirs). Both present: theirs stays.
    pub rename: &'static [(&'static str, &'static str)],
    /// Number fields with the range that the provider takes: clamped into it, and reported.
    pub clamp: &'static [(&'static str, f64, f64)],
    /// Whether `stream_options` may ask for usage at the end of a stream.
    pub stream_options: bool,
    /// Whether the role `developer` is known; where not it is sent as `system`.
    pub developer_role: bool,
}

impl Quirks {
    /// None.
    pub const NONE: Self = Self { drop: &[], rename: &[], clamp: &[], stream_options: true, developer_role: true };
}
