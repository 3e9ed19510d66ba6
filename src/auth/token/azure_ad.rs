//! Tokens of Microsoft Entra ID for an application with a client secret.
//!
//! [The flow](https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow),
//! [the national clouds](https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud).

use super::form;
use crate::config::Secret;

/// Where it is, outside of national clouds.
pub const AUTHORITY: &str = "https://login.microsoftonline.com";

/// What a token is for where nothing else is configured: all that Azure's AI services offer the application.
pub const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

/// An application that asks in its own name.
#[derive(Debug)]
pub struct Application {
    /// Its id.
    pub client_id: String,
    /// Its password.
    pub client_secret: Secret,
    /// What the token is for.
    pub scope: String,
}

/// The path of a tenant's endpoint.
pub fn path(tenant: &str) -> String {
    format!("/{tenant}/oauth2/v2.0/token")
}

impl Application {
    pub(super) fn form(&self) -> String {
        form(&[
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.reveal()),
            ("grant_type", "client_credentials"),
            ("scope", &self.scope),
        ])
    }
}
