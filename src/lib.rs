//! Dragoman: a proxy-wasm filter that turns the gateway a team already runs into an LLM gateway.

pub mod answer;
pub mod attempt;
pub mod auth;
pub mod call;
pub mod client;
pub mod config;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod format;
pub mod frame;
pub mod gateway;
pub mod http;
pub mod json;
pub mod meter;
pub mod metrics;
pub mod patch;
pub mod protobuf;
pub mod provider;
pub mod record;
pub mod reply;
pub mod time;
pub mod usage;
pub mod wire;

#[cfg(all(target_arch = "wasm32", feature = "host"))]
mod host;
