//! Dragoman: a proxy-wasm filter that turns the gateway a team already runs into an LLM gateway.

pub mod answer;
pub mod call;
pub mod client;
pub mod config;
pub mod error;
pub mod event;
pub mod format;
pub mod frame;
pub mod json;
pub mod provider;
pub mod usage;
pub mod wire;
