//! How an upstream is paid. No message here repeats what stands in the document, where it could be a secret.

use super::read::Value;
use super::{ApiKey, Credentials, PLACEHOLDER, Purpose, Secret, header, token};
use crate::auth::sigv4::Keys;
use crate::auth::token::Issuer;
use crate::json::Kind;
use crate::provider::{Auth, Provider};

/// Where secrets are found, and what is done about those that are not there.
pub(super) struct Source<'e> {
    /// The environment.
    pub(super) env: &'e dyn Fn(&str) -> Option<String>,
    /// What the configuration is for.
    pub(super) purpose: Purpose,
    /// Whether the caller's virtual key comes where the key for a provider would.
    pub(super) virtual_keys: bool,
}

/// A secret, or why there is none.
pub(super) enum Found {
    /// The secret.
    Secret(Secret),
    /// The reason names no secret.
    Unset(String),
}

/// Reads `upstreams.*.credentials`.
pub(super) fn read(value: &Value<'_>, provider: &Provider, source: &Source<'_>) -> Option<Credentials> {
    const EXPECTED: &str =
        "`{ api_key: … }`, `{ aws: … }`, `{ azure_ad: … }`, `{ gcp: … }`, `{ ibm_iam: … }`, `host`, `client` or `none`";
    match value.kind() {
        Kind::Object => {}
        Kind::String => return word(value, source, EXPECTED),
        _ => {
            value.expected(EXPECTED);
            return None;
        }
    }
    let mut fields = value.fields()?;
    let kinds = ["api_key", "aws", "azure_ad", "gcp", "ibm_iam"];
    let written: Vec<_> = kinds.into_iter().filter_map(|kind| Some((kind, fields.take(kind)?))).collect();
    let known = fields.finish_secret(EXPECTED);
    match written.as_slice() {
        [("api_key", value)] if provider.auth == Auth::IbmIam => token::ibm_key(value, source),
        [("api_key", value)] => api_key(value, source),
        [("aws", value)] => aws(value, provider, source),
        [("azure_ad", value)] => token::read(Issuer::AzureAd, value, provider, source),
        [("gcp", value)] => token::read(Issuer::Gcp, value, provider, source),
        [("ibm_iam", value)] => token::read(Issuer::IbmIam, value, provider, source),
        [] if !known => None,
        _ => {
            value.fault(format!("expected {EXPECTED}"));
            None
        }
    }
}

fn word(value: &Value<'_>, source: &Source<'_>, expected: &str) -> Option<Credentials> {
    match &*value.text()? {
        "client" if source.virtual_keys => {
            value.fault(
                "`client` cannot be used with `client_auth: keys`: the virtual key comes where the provider's would",
            );
            None
        }
        "client" => Some(Credentials::Client),
        "host" => Some(Credentials::Host),
        "none" => Some(Credentials::None),
        _ => {
            value.fault(format!("expected {expected}"));
            None
        }
    }
}

/// The keys of an Amazon account.
fn aws(value: &Value<'_>, provider: &Provider, source: &Source<'_>) -> Option<Credentials> {
    if provider.signs.is_none() {
        value.fault(format!("`{}` takes no signatures of Amazon's", provider.id));
        return None;
    }
    let mut fields = value.fields()?;
    let id = fields.need("access_key_id", "name the key").and_then(|value| secret(&value, source));
    let key = fields.need("secret_access_key", "it signs").and_then(|value| secret(&value, source));
    let token = fields.take("session_token").map(|value| secret(&value, source));
    fields.finish();
    let token = match token {
        Some(found) => Some(found?),
        None => None,
    };
    Some(match (id?, key?, token) {
        (Found::Secret(access_key_id), Found::Secret(secret_access_key), token) => {
            // A session's token is set only where a session is.
            let session_token = match token {
                Some(Found::Secret(token)) => Some(token),
                Some(Found::Unset(_)) | None => None,
            };
            Credentials::Aws(Keys { access_key_id, secret_access_key, session_token })
        }
        (Found::Unset(reason), _, _) | (_, Found::Unset(reason), _) => Credentials::Unset(reason),
    })
}

/// One key or a list.
fn api_key(value: &Value<'_>, source: &Source<'_>) -> Option<Credentials> {
    let found = if value.kind() == Kind::Array {
        value.each(100, |value| secret(value, source))?
    } else {
        vec![secret(value, source)?]
    };
    if found.is_empty() {
        value.fault("expected at least one key");
    }
    let mut keys = Vec::new();
    let mut reasons = Vec::new();
    for (place, found) in found.into_iter().enumerate() {
        match found {
            Found::Secret(secret) => keys.push(ApiKey::new(place, secret)),
            Found::Unset(reason) => reasons.push(reason),
        }
    }
    Some(if keys.is_empty() { Credentials::Unset(reasons.join("; ")) } else { Credentials::ApiKey(keys) })
}

/// `{ env: NAME }` or `{ value: "…" }`.
pub(super) fn secret(value: &Value<'_>, source: &Source<'_>) -> Option<Found> {
    secret_like(value, source, usable)
}

/// A secret that `usable` takes.
pub(super) fn secret_like(
    value: &Value<'_>,
    source: &Source<'_>,
    usable: fn(&Value<'_>, &str) -> Option<Secret>,
) -> Option<Found> {
    const EXPECTED: &str = "`{ env: NAME }` or `{ value: \"…\" }`";
    if value.kind() != Kind::Object {
        value.expected(EXPECTED);
        return None;
    }
    let mut fields = value.fields()?;
    let (env, written) = (fields.take("env"), fields.take("value"));
    let known = fields.finish_secret(EXPECTED);
    match (env, written) {
        (Some(env), None) => variable(&env, source, usable),
        (None, Some(written)) => usable(&written, &written.text()?).map(Found::Secret),
        (None, None) if !known => None,
        _ => {
            value.fault(format!("expected {EXPECTED}"));
            None
        }
    }
}

/// The secret in an environment variable.
fn variable(value: &Value<'_>, source: &Source<'_>, usable: fn(&Value<'_>, &str) -> Option<Secret>) -> Option<Found> {
    let name = value.text()?;
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !first || name.len() > 128 || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        value.fault("expected the name of an environment variable: letters, digits and `_`");
        return None;
    }
    if let Some(secret) = (source.env)(&name).filter(|secret| !secret.is_empty()) {
        return usable(value, &secret).map(Found::Secret);
    }
    // A name in lower case could be a key that was pasted in the wrong place.
    let reason = if name.bytes().any(|b| b.is_ascii_lowercase()) {
        "the environment variable is not set".to_owned()
    } else {
        format!("the environment variable `{name}` is not set")
    };
    match source.purpose {
        Purpose::Check => {
            value.fault(reason);
            None
        }
        Purpose::Serve => {
            value.warn(&*reason);
            Some(Found::Unset(reason))
        }
        Purpose::Translate => Some(Found::Secret(Secret::new(PLACEHOLDER))),
    }
}

/// A secret that can stand in a header. Secrets kept in files often end in a line break.
fn usable(value: &Value<'_>, secret: &str) -> Option<Secret> {
    const LONGEST: usize = 16 * 1024;
    let line = secret.strip_suffix('\n').unwrap_or(secret);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        value.fault("the key is empty");
    } else if line.len() > LONGEST || !header::is_value(line) {
        value.fault(
            "the key cannot stand in a header: it is too long, or holds line breaks, outer spaces or other than ASCII",
        );
    } else {
        return Some(Secret::new(line));
    }
    None
}
