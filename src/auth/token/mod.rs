//! Tokens: credentials that an issuer gives for others and that end after a while.
//!
//! This part knows what to ask for and how to read the answer; it asks nobody. The host's part sends [`Source::request`],
//! hands what comes back to [`Source::read`], and keeps the outcome in an [`Entry`], which says when to ask again.
//!
//! Every issuer follows [RFC 6749](https://www.rfc-editor.org/rfc/rfc6749): a form is sent, JSON comes back. The files
//! below hold what differs, each in the same order: where the issuer is, who asks, the form.

pub mod azure_ad;
mod entry;
pub mod gcp;
pub mod ibm_iam;
pub mod sign;

#[cfg(test)]
mod tests;

pub use entry::{Entry, LEASE};

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::auth::sigv4::{encode, hex};
use crate::config::Secret;
use crate::http::Headers;
use crate::json::{Doc, Node};

/// Who gives tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// Microsoft Entra ID, once Azure Active Directory.
    AzureAd,
    /// Google Cloud.
    Gcp,
    /// IBM Cloud's Identity and Access Management.
    IbmIam,
}

/// Who asks for a token, and with what.
#[derive(Debug)]
pub enum Grant {
    /// An application of Microsoft Entra ID.
    AzureAd(azure_ad::Application),
    /// A service account of Google Cloud.
    Gcp(gcp::ServiceAccount),
    /// A key of IBM Cloud.
    IbmIam(Secret),
}

/// Where a token is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether it is reached over TLS.
    pub tls: bool,
    /// Host and port, in lower case.
    pub authority: String,
    /// The path.
    pub path: String,
}

/// Where tokens come from.
#[derive(Debug)]
pub struct Source {
    /// Who asks.
    pub grant: Grant,
    /// Whom.
    pub endpoint: Endpoint,
    /// The host's cluster that leads there.
    pub cluster: String,
    /// The same for all that would get the same token, and for no others. Tells nothing of what it is made from.
    pub id: String,
}

/// A request for a token.
pub struct Request {
    /// All of its headers.
    pub headers: Headers,
    /// A form that holds secrets.
    pub body: Vec<u8>,
}

/// A fetched token. Times are in milliseconds from when it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What goes behind `authorization: Bearer`.
    pub secret: Secret,
    /// How long it lives.
    pub lifetime: u64,
    /// When the issuer wants to be asked for the next, if it says so.
    pub refresh: Option<u64>,
}

/// Signs with a private key in PEM: RSASSA-PKCS1-v1_5 over SHA-256. `None` if the host cannot, or not with this key.
pub type Sign<'s> = dyn Fn(&Secret, &[u8]) -> Option<Vec<u8>> + 's;

/// How long a token lives whose issuer does not say, in seconds.
const LIFETIME: u64 = 300;

/// The longest token.
const LONGEST: usize = 16 * 1024;

impl Issuer {
    /// Its name under `credentials`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AzureAd => "azure_ad",
            Self::Gcp => "gcp",
            Self::IbmIam => "ibm_iam",
        }
    }
}

impl Endpoint {
    /// Its URL.
    pub fn url(&self) -> String {
        format!("{}://{}{}", if self.tls { "https" } else { "http" }, self.authority, self.path)
    }

    /// The name of the cluster that leads there, unless another is configured.
    pub fn cluster(&self) -> String {
        let name = self.authority.replace(['[', ']'], "").replace(':', "_");
        format!("dragoman_token_{name}")
    }
}

impl Grant {
    fn issuer(&self) -> Issuer {
        match self {
            Self::AzureAd(_) => Issuer::AzureAd,
            Self::Gcp(_) => Issuer::Gcp,
            Self::IbmIam(_) => Issuer::IbmIam,
        }
    }

    /// What must never be seen of it.
    fn secret(&self) -> &Secret {
        match self {
            Self::AzureAd(application) => &application.client_secret,
            Self::Gcp(account) => &account.private_key,
            Self::IbmIam(key) => key,
        }
    }

    /// What tells it from others of its issuer.
    fn parts(&self) -> Vec<&str> {
        match self {
            Self::AzureAd(it) => vec![&it.client_id, it.client_secret.reveal(), &it.scope],
            Self::Gcp(it) => vec![&it.client_email, &it.private_key_id, it.private_key.reveal(), &it.scope],
            Self::IbmIam(key) => vec![key.reveal()],
        }
    }
}

impl Source {
    /// Tokens for `grant`. `cluster` is the host's way to the endpoint, if it is not the usual one.
    pub fn new(grant: Grant, endpoint: Endpoint, cluster: Option<String>) -> Self {
        let mut hash = Sha256::new();
        let url = endpoint.url();
        for part in [grant.issuer().name(), &url].into_iter().chain(grant.parts()) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let hash = hash.finalize();
        let id = hex(hash.get(..16).unwrap_or_default());
        let cluster = cluster.unwrap_or_else(|| endpoint.cluster());
        Self { grant, endpoint, cluster, id }
    }

    /// The request for a token at `now`, in unix seconds. `None` if it cannot be signed.
    pub fn request(&self, now: u64, sign: &Sign<'_>) -> Option<Request> {
        let form = match &self.grant {
            Grant::AzureAd(application) => application.form(),
            Grant::Gcp(account) => account.form(now, sign)?,
            Grant::IbmIam(key) => ibm_iam::form(key),
        };
        let headers = [
            (":method", "POST"),
            (":scheme", if self.endpoint.tls { "https" } else { "http" }),
            (":authority", self.endpoint.authority.as_str()),
            (":path", self.endpoint.path.as_str()),
            ("accept", "application/json"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        Some(Request { headers: headers.into_iter().collect(), body: form.into_bytes() })
    }

    /// Reads the answer. What went wrong is told in the issuer's words, without secrets.
    pub fn read(&self, status: u16, body: &[u8]) -> Result<Token, String> {
        let doc = Doc::lenient(body);
        let root = doc.as_ref().map(Doc::root);
        if !(200..=299).contains(&status) {
            let said = root.ok().map(|root| self.said(root)).unwrap_or_default();
            return Err(format!("the answer is {status}{said}"));
        }
        let root = root.map_err(|_| "the answer is not JSON".to_owned())?;
        let text = root.get("access_token").and_then(Node::text);
        let text = text.ok_or_else(|| format!("the answer has no `access_token`{}", self.said(root)))?;
        let visible = text.bytes().all(|b| matches!(b, 0x21..=0x7e));
        if !visible || !(1..=LONGEST).contains(&text.len()) {
            return Err("the answer has an `access_token` that cannot stand in a header".to_owned());
        }
        let seconds = |name| root.get(name).and_then(seconds);
        let lifetime = seconds("expires_in").unwrap_or(LIFETIME);
        if lifetime == 0 {
            return Err("the token in the answer has ended already".to_owned());
        }
        Ok(Token {
            secret: Secret::new(text),
            lifetime: lifetime.saturating_mul(1000),
            refresh: seconds("refresh_in").map(|seconds| seconds.saturating_mul(1000)),
        })
    }

    /// The issuer's words for an error: [RFC 6749](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)'s, or IBM's.
    fn said(&self, root: Node<'_>) -> String {
        const LONGEST: usize = 200;
        let mut said = String::new();
        for name in ["error", "error_description", "errorCode", "errorMessage"] {
            if let Some(text) = root.get(name).and_then(Node::text) {
                // Writing to a string cannot fail.
                let _ = write!(said, ": {text}");
            }
        }
        let said = said.replace(self.grant.secret().reveal(), "***");
        said.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

/// A whole number, which some issuers write as a string.
fn seconds(node: Node<'_>) -> Option<u64> {
    node.u64().or_else(|| node.text()?.parse().ok())
}

/// A form as `application/x-www-form-urlencoded`.
fn form(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value, b""))).collect();
    fields.join("&")
}
