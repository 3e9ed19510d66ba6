//! IBM Cloud's, for API keys.
//!
//! <https://cloud.ibm.com/apidocs/iam-identity-token-api#gettoken-apikey>

use serde_json::{Value, json};

use super::{Answer, Form, unix_seconds};
use crate::mock::http::Request;
use crate::mock::log::Log;

pub fn issue(_: &Request, form: &Form, _: &Log) -> Answer {
    if form.get("grant_type") != "urn:ibm:params:oauth:grant-type:apikey" {
        return Err(refused("BXNIM0120E", "Property missing or empty: grant_type"));
    }
    if let Some(name) = form.unknown(&["apikey", "grant_type", "response_type"]) {
        return Err(refused("BXNIM0109E", &format!("mock: unknown field {name}")));
    }
    let key = form.get("apikey");
    if key.is_empty() {
        return Err(refused("BXNIM0109E", "Property missing or empty: apikey"));
    }
    if key.starts_with("bad") {
        return Err(refused("BXNIM0415E", "Provided API key could not be found."));
    }
    Ok((
        "ibm",
        json!({
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expiration": unix_seconds() + 3600,
            "scope": "ibm openid",
        }),
    ))
}

fn refused(code: &str, message: &str) -> (u16, Value) {
    let context = json!({"requestId": "bW9jaw-1", "url": "https://iam.cloud.ibm.com", "instanceId": "iamid-mock"});
    (400, json!({"errorCode": code, "errorMessage": message, "context": context}))
}
