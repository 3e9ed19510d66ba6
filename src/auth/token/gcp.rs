//! Tokens of Google Cloud for a service account: a statement that the account signs is exchanged for one.
//!
//! [The flow](https://developers.google.com/identity/protocols/oauth2/service-account#httprest),
//! [the account's file](https://cloud.google.com/iam/docs/keys-create-delete).

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use super::{Sign, form};
use crate::config::Secret;
use crate::json::{Body, Doc, Node, Writer};

/// Where it is, if the account's file does not say.
pub const ENDPOINT: &str = "https://oauth2.googleapis.com/token";

/// What a token is for where nothing else is configured: all that the account may do.
pub const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// How long a statement may be exchanged, in seconds: the longest that Google takes.
const VALID: u64 = 3600;

/// An account with its private key.
#[derive(Debug)]
pub struct ServiceAccount {
    /// Its name.
    pub client_email: String,
    /// Which of its keys this is; may be empty.
    pub private_key_id: String,
    /// The key, in PEM.
    pub private_key: Secret,
    /// What the token is for.
    pub scope: String,
}

impl ServiceAccount {
    /// Reads the account's file, and the URL in it. A fault repeats nothing of what it holds.
    pub fn parse(json: &str, scope: String) -> Result<(Self, String), String> {
        let doc = Doc::lenient(json.as_bytes()).map_err(|_| "expected a service account's JSON".to_owned())?;
        let text = |name: &str| doc.root().get(name).and_then(Node::text).filter(|text| !text.is_empty());
        let need = |name: &str| text(name).ok_or_else(|| format!("the service account's JSON has no `{name}`"));
        match &*need("type")? {
            "service_account" => {}
            kind @ ("authorized_user" | "external_account" | "impersonated_service_account") => {
                return Err(format!("the JSON is of the type `{kind}`; expected one of the type `service_account`"));
            }
            _ => return Err("expected JSON of the type `service_account`".to_owned()),
        }
        let private_key = need("private_key")?;
        if !private_key.contains("-----BEGIN ") || !private_key.contains("PRIVATE KEY-----") {
            return Err("the `private_key` of the service account's JSON is not in PEM".to_owned());
        }
        let account = Self {
            client_email: need("client_email")?.into_owned(),
            private_key_id: text("private_key_id").unwrap_or_default().into_owned(),
            private_key: Secret::new(private_key),
            scope,
        };
        Ok((account, text("token_uri").map_or_else(|| ENDPOINT.to_owned(), |uri| uri.into_owned())))
    }

    /// What stands for an account that is not there when nothing is sent.
    pub fn stand_in(scope: String) -> Self {
        let (client_email, private_key_id) = (String::new(), String::new());
        Self { client_email, private_key_id, private_key: Secret::new(""), scope }
    }

    pub(super) fn form(&self, now: u64, sign: &Sign<'_>) -> Option<String> {
        let statement = self.statement(now);
        let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(&self.private_key, statement.as_bytes())?);
        Some(form(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", &format!("{statement}.{signature}")),
        ]))
    }

    /// Head and claims of a [JWT](https://www.rfc-editor.org/rfc/rfc7519), as they are signed.
    fn statement(&self, now: u64) -> String {
        let head = part(|w| {
            w.key("alg").text("RS256");
            w.key("typ").text("JWT");
            if !self.private_key_id.is_empty() {
                w.key("kid").text(&self.private_key_id);
            }
        });
        let claims = part(|w| {
            w.key("iss").text(&self.client_email);
            w.key("scope").text(&self.scope);
            // Whoever is asked.
            w.key("aud").text(ENDPOINT);
            w.key("iat").u64(now);
            w.key("exp").u64(now.saturating_add(VALID));
        });
        format!("{head}.{claims}")
    }
}

fn part(fill: impl FnOnce(&mut Writer<'_, '_>)) -> String {
    let mut body = Body::default();
    Writer::new(&mut body).object(fill);
    BASE64_URL_SAFE_NO_PAD.encode(body.into_bytes())
}
