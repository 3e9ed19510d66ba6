//! Tokens of IBM Cloud for an API key.
//!
//! [The flow](https://cloud.ibm.com/apidocs/iam-identity-token-api#gettoken-apikey).

use crate::config::Secret;

/// Where it is, outside of private networks.
pub const AUTHORITY: &str = "https://iam.cloud.ibm.com";

/// The path of its endpoint.
pub const PATH: &str = "/identity/token";

pub(super) fn form(key: &Secret) -> String {
    super::form(&[("grant_type", "urn:ibm:params:oauth:grant-type:apikey"), ("apikey", key.reveal())])
}
