//! Where an upstream's tokens come from. As in [`super::credentials`], no message repeats what could be a secret.

use std::sync::Arc;

use super::address::BaseUrl;
use super::credentials::{Found, Source, secret, secret_like};
use super::read::{Fields, Value};
use super::{Credentials, PLACEHOLDER, Secret};
use crate::auth::token::{self, Endpoint, Grant, Issuer, azure_ad, gcp, ibm_iam};
use crate::json::Kind;
use crate::provider::Provider;

/// Reads what stands under the issuer's name.
pub(super) fn read(issuer: Issuer, value: &Value<'_>, provider: &Provider, source: &Source<'_>) -> Option<Credentials> {
    if !provider.tokens.contains(&issuer) {
        let whose = match issuer {
            Issuer::AzureAd => "Microsoft Entra ID's",
            Issuer::Gcp => "Google Cloud's",
            Issuer::IbmIam => "IBM Cloud's",
        };
        value.fault(format!("`{}` takes no tokens of {whose}", provider.id));
        return None;
    }
    let mut fields = value.fields()?;
    match issuer {
        Issuer::AzureAd => azure(fields, source),
        Issuer::Gcp => google(fields, source),
        Issuer::IbmIam => {
            let key = fields.need("api_key", "it is exchanged for tokens");
            let endpoint = authority(&mut fields, ibm_iam::AUTHORITY, ibm_iam::PATH);
            let cluster = cluster(&mut fields);
            fields.finish();
            let key = key.and_then(|key| secret(&key, source));
            Some(unless_unset([key?], |[key]| token(Grant::IbmIam(key), endpoint?, cluster?))?)
        }
    }
}

/// A key of IBM's that stands where other providers' keys do.
pub(super) fn ibm_key(value: &Value<'_>, source: &Source<'_>) -> Option<Credentials> {
    if value.kind() == Kind::Array {
        value.fault("expected one key: it is exchanged for tokens");
        return None;
    }
    let key = secret(value, source)?;
    let endpoint = endpoint(value, &format!("{}{}", ibm_iam::AUTHORITY, ibm_iam::PATH))?;
    unless_unset([key], |[key]| token(Grant::IbmIam(key), endpoint, None))
}

fn azure(mut fields: Fields<'_>, source: &Source<'_>) -> Option<Credentials> {
    let id = |value: Option<Value<'_>>| value.and_then(|value| id(&value, source));
    let tenant = id(fields.need("tenant_id", "the directory in which the application is"));
    let client_id = id(fields.need("client_id", "the application's id"));
    let client_secret = fields.need("client_secret", "the application's secret");
    let client_secret = client_secret.and_then(|value| secret(&value, source));
    let scope = scope(&mut fields, azure_ad::SCOPE);
    let authority = fields.take("authority");
    let cluster = cluster(&mut fields);
    let object = fields.object.clone();
    fields.finish();
    let (scope, cluster) = (scope?, cluster?);
    unless_unset([tenant?, client_id?, client_secret?], |[tenant, client_id, client_secret]| {
        let path = azure_ad::path(tenant.reveal());
        let endpoint = at(&object, authority.as_ref(), azure_ad::AUTHORITY, &path)?;
        let client_id = client_id.reveal().to_owned();
        token(Grant::AzureAd(azure_ad::Application { client_id, client_secret, scope }), endpoint, cluster)
    })
}

fn google(mut fields: Fields<'_>, source: &Source<'_>) -> Option<Credentials> {
    let written = fields.need("service_account", "its JSON, such as `{ env: GCP_SERVICE_ACCOUNT_JSON }`");
    let scope = scope(&mut fields, gcp::SCOPE);
    let cluster = cluster(&mut fields);
    fields.finish();
    let written = written?;
    let json = secret_like(&written, source, document);
    let (scope, cluster) = (scope?, cluster?);
    unless_unset([json?], |[json]| {
        let (account, url) = if json.reveal() == PLACEHOLDER {
            (gcp::ServiceAccount::stand_in(scope), gcp::ENDPOINT.to_owned())
        } else {
            gcp::ServiceAccount::parse(json.reveal(), scope).map_err(|fault| written.fault(fault)).ok()?
        };
        let endpoint = endpoint(&written, &url)?;
        token(Grant::Gcp(account), endpoint, cluster)
    })
}

fn token(grant: Grant, endpoint: Endpoint, cluster: Option<String>) -> Option<Credentials> {
    Some(Credentials::Token(Arc::new(token::Source::new(grant, endpoint, cluster))))
}

/// Credentials of secrets that are all there.
fn unless_unset<const N: usize>(
    found: [Found; N],
    make: impl FnOnce([Secret; N]) -> Option<Credentials>,
) -> Option<Credentials> {
    let mut reasons = Vec::new();
    let secrets = found.map(|found| match found {
        Found::Secret(secret) => secret,
        Found::Unset(reason) => {
            reasons.push(reason);
            Secret::new("")
        }
    });
    if reasons.is_empty() { make(secrets) } else { Some(Credentials::Unset(reasons.join("; "))) }
}

/// What names a tenant or an application: no secret, but some keep it with those.
fn id(value: &Value<'_>, source: &Source<'_>) -> Option<Found> {
    let found = match value.kind() {
        Kind::String => Found::Secret(Secret::new(value.text()?)),
        _ => secret(value, source)?,
    };
    if let Found::Secret(id) = &found {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if !(1..=128).contains(&id.reveal().len()) || !id.reveal().chars().all(plain) {
            value.fault("expected 1 to 128 letters, digits and `-` `.` `_`");
            return None;
        }
    }
    Some(found)
}

fn scope(fields: &mut Fields<'_>, default: &str) -> Option<String> {
    let scope = fields.maybe("scope", |value| {
        let text = value.text()?;
        if !(1..=1024).contains(&text.len()) || !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
            value.fault("expected 1 to 1024 characters of ASCII");
            return None;
        }
        Some(text.into_owned())
    });
    Some(scope?.unwrap_or_else(|| default.to_owned()))
}

fn cluster(fields: &mut Fields<'_>) -> Option<Option<String>> {
    fields.maybe("cluster", |value| {
        let text = value.text()?;
        if !(1..=128).contains(&text.len()) || text.chars().any(char::is_control) {
            value.fault("the name of a cluster has 1 to 128 bytes and no control characters");
            return None;
        }
        Some(text.into_owned())
    })
}

/// The endpoint at the issuer's usual address, or at the one that is configured.
fn authority(fields: &mut Fields<'_>, default: &str, path: &str) -> Option<Endpoint> {
    let written = fields.take("authority");
    at(&fields.object, written.as_ref(), default, path)
}

fn at(object: &Value<'_>, written: Option<&Value<'_>>, default: &str, path: &str) -> Option<Endpoint> {
    match written {
        Some(value) => endpoint(value, &format!("{}{path}", value.text()?.trim_end_matches('/'))),
        None => endpoint(object, &format!("{default}{path}")),
    }
}

/// The endpoint of a URL that stands at `value`, or in what it is read from.
fn endpoint(value: &Value<'_>, url: &str) -> Option<Endpoint> {
    let url = BaseUrl::parse(url).map_err(|fault| value.fault(format!("the address of the token {fault}"))).ok()?;
    if !url.tls && !url.is_private() {
        value.warn("secrets go over the network in the clear to fetch a token; use `https://`");
    }
    Some(Endpoint { tls: url.tls, authority: url.authority, path: url.prefix })
}

/// A document in a variable, which may be of several lines.
fn document(value: &Value<'_>, text: &str) -> Option<Secret> {
    const LONGEST: usize = 64 * 1024;
    if text.len() > LONGEST {
        value.fault("longer than 64 KiB");
        return None;
    }
    Some(Secret::new(text))
}
