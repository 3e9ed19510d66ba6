//! Dragoman: a proxy-wasm filter that turns the gateway a team already runs into an LLM gateway.

pub mod provider;
