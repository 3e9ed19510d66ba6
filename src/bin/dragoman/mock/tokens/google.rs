//! Google's, for the signed statement of a service account.
//!
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>, errors:
//! <https://developers.google.com/identity/protocols/oauth2/service-account#error-codes>.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use super::{Answer, Form, unix_seconds};
use crate::mock::http::{Reply, Request};
use crate::mock::log::Log;

/// A service account's public key.
#[derive(Clone)]
pub struct Account {
    key_id: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Takes note of an account: `{"client_email", "private_key_id", "n", "e"}`, the last two as in a JSON Web Key.
pub fn learn(request: &Request, log: &Log) -> Reply {
    let account = || {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let number = |name| BASE64_URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let key_id = text("private_key_id")?.to_owned();
        Some((text("client_email")?.to_owned(), Account { key_id, modulus: number("n")?, exponent: number("e")? }))
    };
    match account() {
        Some((name, account)) => {
            log.issuers.state().accounts.insert(name, account);
            Reply::json(200, "{}".into())
        }
        None => Reply::json(400, json!({"error": "mock: no account"}).to_string()),
    }
}

pub fn issue(_: &Request, form: &Form, log: &Log) -> Answer {
    if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
        let message = format!("Invalid grant_type: {}", form.get("grant_type"));
        return Err(refused("unsupported_grant_type", &message));
    }
    if let Some(name) = form.unknown(&["assertion", "grant_type"]) {
        return Err(refused("invalid_request", &format!("mock: unknown field {name}")));
    }
    let parts: Vec<&str> = form.get("assertion").split('.').collect();
    let &[head, claims, signature] = parts.as_slice() else {
        return Err(invalid("Bad Request"));
    };
    let decoded =
        |part: &str| -> Option<Value> { serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let (Some(header), Some(values)) = (decoded(head), decoded(claims)) else {
        return Err(invalid("Bad Request"));
    };
    let text = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default();
    let account = log.issuers.state().accounts.get(text("iss")).cloned();
    let account = account.ok_or_else(|| invalid("Invalid grant: account not found"))?;
    if header != json!({"alg": "RS256", "typ": "JWT", "kid": account.key_id}) {
        return Err(invalid("mock: unexpected head of the JWT"));
    }
    let key = RsaPublicKeyComponents { n: &account.modulus, e: &account.exponent };
    let signed = format!("{head}.{claims}");
    let genuine = BASE64_URL_SAFE_NO_PAD
        .decode(signature)
        .is_ok_and(|signature| key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok());
    if !genuine {
        return Err(invalid("Invalid JWT Signature."));
    }
    if text("aud") != "https://oauth2.googleapis.com/token" {
        return Err(invalid("Invalid JWT: Failed audience check."));
    }
    let seconds = |name: &str| values.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (issued, expires, now) = (seconds("iat"), seconds("exp"), unix_seconds());
    if issued.abs_diff(now) > 60 || expires <= now || expires.saturating_sub(issued) > 3600 {
        return Err(invalid(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
        ));
    }
    if !text("scope").split(' ').any(|scope| scope == "https://www.googleapis.com/auth/cloud-platform") {
        return Err(refused("invalid_scope", "Invalid OAuth scope or ID token audience provided."));
    }
    Ok(("google", json!({"token_type": "Bearer"})))
}

fn invalid(message: &str) -> (u16, Value) {
    refused("invalid_grant", message)
}

fn refused(error: &str, message: &str) -> (u16, Value) {
    (400, json!({"error": error, "error_description": message}))
}
