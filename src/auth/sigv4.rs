//! AWS [Signature Version 4](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html):
//! a request whose headers prove that it comes from the holder of a secret key.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::config::Secret;
use crate::http::Headers;
use crate::time;

/// The keys of an account, or of a session of one.
#[derive(Clone, Debug)]
pub struct Keys {
    /// `AKIA…`, or `ASIA…` of a session.
    pub access_key_id: Secret,
    /// What signs.
    pub secret_access_key: Secret,
    /// The proof of a session.
    pub session_token: Option<Secret>,
}

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'s> {
    /// Such as `eu-central-1`.
    pub region: &'s str,
    /// Such as `bedrock`.
    pub service: &'s str,
    /// In unix seconds.
    pub now: u64,
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Adds the headers that sign a request. `headers` hold method, path and authority, which is sent as `host`; `body` is in
/// parts. Signed are the host, the type of the body and Amazon's own headers: proxies on the way may add and change others.
pub fn sign<'b>(headers: &mut Headers, body: impl Iterator<Item = &'b [u8]>, keys: &Keys, scope: Scope<'_>) {
    let (date, time) = time::basic(scope.now);
    let moment = format!("{date}T{time}Z");
    headers.set("x-amz-date", &moment);
    match &keys.session_token {
        Some(token) => headers.set("x-amz-security-token", token.reveal()),
        None => headers.remove("x-amz-security-token"),
    }
    let mut hash = Sha256::new();
    body.for_each(|part| hash.update(part));
    let (request, signed) = canonical(headers, &hash.finalize());
    let place = format!("{date}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!("{ALGORITHM}\n{moment}\n{place}\n{}", hex(&Sha256::digest(request)));
    let mut key = hmac(format!("AWS4{}", keys.secret_access_key.reveal()).as_bytes(), &date);
    for part in [scope.region, scope.service, "aws4_request", &text] {
        key = hmac(&key, part);
    }
    let id = keys.access_key_id.reveal();
    headers.set(
        "authorization",
        format!("{ALGORITHM} Credential={id}/{place}, SignedHeaders={signed}, Signature={}", hex(&key)),
    );
}

/// The request in the form that is signed, and the names of the headers in it.
fn canonical(headers: &Headers, body: &[u8]) -> (String, String) {
    let target = headers.text(":path");
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut list: Vec<(&str, String)> = headers
        .iter()
        .filter(|(name, _)| *name == "content-type" || name.starts_with("x-amz-"))
        .map(|(name, value)| (name, collapse(&String::from_utf8_lossy(value))))
        .collect();
    list.push(("host", headers.text(":authority").into_owned()));
    list.sort_unstable();
    let names: Vec<&str> = list.iter().map(|(name, _)| *name).collect();
    let signed = names.join(";");
    let mut query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    // The path is sent encoded once, and signed encoded twice.
    let mut request = format!("{}\n{}\n{}\n", headers.text(":method"), encode(path, b"/"), query.join("&"));
    for (name, value) in &list {
        request.push_str(name);
        request.push(':');
        request.push_str(value);
        request.push('\n');
    }
    request.push_str(&format!("\n{signed}\n{}", hex(body)));
    (request, signed)
}

/// Spaces in a row count as one.
fn collapse(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Percent-encodes all but letters, digits, `-` `.` `_` `~` and `also`.
pub fn encode(text: &str, also: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// HMAC-SHA256.
pub(crate) fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // Any length will do for a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Keys, time and place of [Amazon's test vectors](https://docs.aws.amazon.com/IAM/latest/UserGuide/signing-elements.html).
    fn signed(method: &str, path: &str, content_type: Option<&str>, parts: &[&[u8]], token: Option<&str>) -> Headers {
        let keys = Keys {
            access_key_id: Secret::new("AKIDEXAMPLE"),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: token.map(Secret::new),
        };
        let mut headers: Headers =
            [(":method", method), (":path", path), (":authority", "example.amazonaws.com")].into_iter().collect();
        // Not signed: proxies change them.
        headers.set("user-agent", "any");
        content_type.into_iter().for_each(|kind| headers.set("content-type", kind));
        let scope = Scope { region: "us-east-1", service: "service", now: 1_440_938_160 };
        sign(&mut headers, parts.iter().copied(), &keys, scope);
        headers
    }

    #[test]
    fn amazons_vectors() {
        const FORM: &str = "application/x-www-form-urlencoded";
        for (method, path, kind, body, signature) in [
            ("GET", "/", None, "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "/", None, "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                "GET",
                "/?Param2=value2&Param1=value1",
                None,
                "",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "POST",
                "/",
                Some(FORM),
                "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            let headers = signed(method, path, kind, &[body.as_bytes()], None);
            assert_eq!(headers.text("x-amz-date"), "20150830T123600Z");
            let names = if kind.is_some() { "content-type;host;x-amz-date" } else { "host;x-amz-date" };
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, \
                 Signature={signature}"
            );
            assert_eq!(headers.text("authorization"), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_body_is_signed_in_whatever_parts_it_comes() {
        let whole = signed("POST", "/a", None, &[b"Param1=value1"], None);
        assert_eq!(signed("POST", "/a", None, &[b"Param1", b"", b"=value1"], None), whole);
        assert_ne!(signed("POST", "/a", None, &[b"Param1=value2"], None), whole);
    }

    #[test]
    fn the_proof_of_a_session_is_signed_too() {
        let headers = signed("POST", "/", None, &[], Some("session"));
        assert_eq!(headers.text("x-amz-security-token"), "session");
        assert!(headers.text("authorization").contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"));
    }
}
