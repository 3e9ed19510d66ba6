//! Amazon's event stream encoding, written from [its
//! description](https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html): fixtures are lists of
//! messages that people can read.
//!
//! A message is `{"event": NAME, "payload": …}`, `{"exception": NAME, "payload": …}`, `{"chunk": …}`, the event of another
//! format that comes wrapped, or `{"piece": "…"}`, bytes as they are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc::{CRC_32_ISO_HDLC, Crc};
use serde_json::{Value, json};

/// The bytes of a list of messages.
pub fn encode(fixture: &[u8]) -> Vec<u8> {
    let messages: Vec<Value> = serde_json::from_slice(fixture).unwrap();
    messages.iter().flat_map(message).collect()
}

fn message(message: &Value) -> Vec<u8> {
    let payload = match message.get("chunk") {
        Some(event) => json!({ "bytes": STANDARD.encode(event.to_string()) }),
        None => message["payload"].clone(),
    };
    let payload = message["piece"].as_str().map_or_else(|| payload.to_string(), str::to_owned);
    let (kind, key, name) = match (message["event"].as_str(), message["exception"].as_str()) {
        (Some(name), _) => ("event", ":event-type", name),
        (_, Some(name)) => ("exception", ":exception-type", name),
        _ if message.get("piece").is_some() => ("event", ":event-type", "PayloadPart"),
        _ => ("event", ":event-type", "chunk"),
    };
    let mut headers = Vec::new();
    for (name, value) in [(key, name), (":content-type", "application/json"), (":message-type", kind)] {
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let mut bytes = Vec::new();
    let total = 12 + headers.len() + payload.len() + 4;
    bytes.extend(u32::try_from(total).unwrap().to_be_bytes());
    bytes.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    checksum(&mut bytes);
    bytes.extend(headers);
    bytes.extend(payload.as_bytes());
    checksum(&mut bytes);
    bytes
}

fn checksum(bytes: &mut Vec<u8>) {
    let sum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(bytes);
    bytes.extend(sum.to_be_bytes());
}
