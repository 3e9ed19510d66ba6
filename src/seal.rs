//! Ids of what an upstream keeps, in the hands of clients.
//!
//! A client gets `ID-TAGMAC`: the provider's id, eight hexadecimal digits that say which upstream made it, and the first 12
//! bytes of an [HMAC](https://www.rfc-editor.org/rfc/rfc2104) over caller, upstream and id. So a call with such an id finds
//! its upstream without a store, and nobody uses another one's. All gateways that share a secret read each other's ids.

use sha2::{Digest, Sha256};

use crate::auth::sigv4::{hex, hmac};
use crate::config::{ClientAuth, Config, Credentials, Upstream};

/// The hexadecimal digits of the upstream, and those after it that prove the id.
const TAG: usize = 8;
const MAC: usize = 24;

/// Seals the ids of one caller at one upstream.
#[derive(Clone, PartialEq, Eq)]
pub struct Seal {
    /// What all ids of the two are proven with.
    key: Vec<u8>,
    tag: String,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Seal {
    /// For the key of that id, empty if callers are not known; nothing if there is no secret to seal with.
    pub fn new(config: &Config, upstream: &Upstream, caller: &str) -> Option<Self> {
        let secret = match (&config.id_secret, &upstream.credentials) {
            (Some(secret), _) => secret.reveal(),
            (None, Credentials::ApiKey(keys)) => keys.first()?.key.reveal(),
            (None, Credentials::Aws(keys)) => keys.secret_access_key.reveal(),
            // Everybody may use everything.
            (None, _) if config.client_auth == ClientAuth::Open => "",
            (None, _) => return None,
        };
        let key = hmac(format!("dragoman ids\n{secret}").as_bytes(), &format!("{caller}\n{}", upstream.name));
        Some(Self { key, tag: tag(&upstream.name) })
    }

    /// The client's form of a provider's id.
    pub fn close(&self, id: &str) -> String {
        format!("{id}-{}{}", self.tag, self.mac(id))
    }

    /// The provider's id, if it was sealed for this caller and upstream.
    pub fn open<'s>(&self, sealed: &'s str) -> Option<&'s str> {
        let (id, tag, mac) = parts(sealed)?;
        // All of it is looked at, so that no time tells how much of a guess is right.
        let proof = self.mac(id);
        let differs = proof.bytes().zip(mac.bytes()).fold(0, |found, (a, b)| found | (a ^ b));
        (tag == self.tag && differs == 0).then_some(id)
    }

    fn mac(&self, id: &str) -> String {
        hex(&hmac(&self.key, id)).chars().take(MAC).collect()
    }
}

/// The place of the upstream that made an id. The id is not proven.
pub fn upstream(config: &Config, sealed: &str) -> Option<usize> {
    let (_, wanted, _) = parts(sealed)?;
    config.upstreams.iter().position(|upstream| tag(&upstream.name) == wanted)
}

fn parts(sealed: &str) -> Option<(&str, &str, &str)> {
    let (id, rest) = sealed.rsplit_once('-')?;
    let (tag, mac) = rest.split_at_checked(TAG)?;
    (mac.len() == MAC && !id.is_empty()).then_some((id, tag, mac))
}

fn tag(name: &str) -> String {
    hex(&Sha256::digest(name)).chars().take(TAG).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn config(client_auth: &str, credentials: &str, secret: Option<&str>) -> Config {
        let upstream =
            |key: &str| format!(r#"{{"provider":"openai","credentials":{}}}"#, credentials.replace("KEY", key));
        let json = format!(
            r#"{{"client_auth":"{client_auth}","upstreams":{{"one":{},"two":{}}}}}"#,
            upstream("a"),
            upstream("a")
        );
        let env = |name: &str| secret.filter(|_| name == "DRAGOMAN_ID_SECRET").map(str::to_owned);
        Config::parse(json.as_bytes(), &env).unwrap()
    }

    const KEY: &str = r#"{"api_key":{"value":"KEY"}}"#;

    #[test]
    fn ids_open_for_their_caller_at_their_upstream_alone() {
        let config = config("keys", KEY, None);
        let seal = |upstream: usize, caller| Seal::new(&config, &config.upstreams[upstream], caller).unwrap();
        let sealed = seal(1, "me").close("resp_a-b");
        assert_eq!(seal(1, "me").open(&sealed), Some("resp_a-b"));
        assert_eq!(seal(1, "you").open(&sealed), None);
        assert_eq!(seal(0, "me").open(&sealed), None);
        assert_eq!(upstream(&config, &sealed), Some(1));
        assert!(sealed.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'), "{sealed}");
        for at in 0..sealed.len() {
            let mut other = sealed.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(seal(1, "me").open(&other), None, "{other}");
        }
        for odd in [
            "",
            "-",
            "resp_a",
            "resp_a-",
            "resp_é-0123456789abcdef0123456789abcdef",
            sealed.get(1..).unwrap(),
            sealed.get(..40).unwrap(),
        ] {
            assert_eq!(seal(1, "me").open(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_secret_is_configured_or_the_accounts() {
        let sealed = |config: &Config| Seal::new(config, &config.upstreams[0], "me").map(|seal| seal.close("resp_1"));
        let own = sealed(&config("keys", KEY, None));
        assert!(own.is_some());
        let given = sealed(&config("keys", KEY, Some("s")));
        assert!(given.is_some() && given != own);
        assert_eq!(sealed(&config("keys", r#""none""#, Some("s"))), given);
        assert_eq!(sealed(&config("keys", r#""none""#, None)), None);
        assert!(sealed(&config("open", r#""none""#, None)).is_some());
        assert_eq!(
            format!("{:?}", Seal::new(&config("keys", KEY, None), &config("keys", KEY, None).upstreams[0], "")),
            "Some(***)"
        );
    }
}
