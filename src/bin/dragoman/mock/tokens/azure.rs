//! Microsoft Entra ID's, for client credentials.
//!
//! <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow>, errors:
//! <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>.

use serde_json::{Value, json};

use super::{Answer, Form};
use crate::mock::http::Request;
use crate::mock::log::Log;

pub fn issue(request: &Request, form: &Form, _: &Log) -> Answer {
    let tenant = request.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    if let Some(name) = form.unknown(&["client_id", "client_secret", "grant_type", "scope"]) {
        return Err(refused(400, "invalid_request", 90014, &format!("mock: unknown field '{name}'.")));
    }
    if form.get("grant_type") != "client_credentials" {
        return Err(refused(
            400,
            "unsupported_grant_type",
            70003,
            &format!("The app requested an unsupported grant type '{}'.", form.get("grant_type")),
        ));
    }
    for name in ["client_id", "client_secret"] {
        if form.get(name).is_empty() {
            let message = format!("The request body must contain the following parameter: '{name}'.");
            return Err(refused(400, "invalid_request", 900_144, &message));
        }
    }
    if tenant.is_empty() || tenant.starts_with("missing") {
        let message = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        return Err(refused(400, "invalid_request", 90002, &message));
    }
    if form.get("client_secret").starts_with("bad") {
        let message = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
            form.get("client_id")
        );
        return Err(refused(401, "invalid_client", 7_000_215, &message));
    }
    if !form.get("scope").ends_with("/.default") {
        let message = format!("The provided value for scope {} is not valid.", form.get("scope"));
        return Err(refused(400, "invalid_scope", 1_002_012, &message));
    }
    Ok(("azure", json!({"token_type": "Bearer", "ext_expires_in": 3599})))
}

fn refused(status: u16, error: &str, code: u32, message: &str) -> (u16, Value) {
    let description = format!(
        "AADSTS{code}: {message} Trace ID: 255d1aef-8c98-452f-ac51-23d051240864 Correlation ID: fb3d2015-bc17-4bb9-bb85-30c5cf1aaaa7 Timestamp: 2026-01-09 02:02:12Z"
    );
    (status, json!({"error": error, "error_description": description, "error_codes": [code]}))
}
