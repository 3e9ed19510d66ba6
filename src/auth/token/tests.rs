//! Requests and answers as the issuers' documents have them.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const ACCOUNT: &str = r#"{
  "type": "service_account",
  "project_id": "my-project",
  "private_key_id": "c5b84a",
  "private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
  "client_email": "llm@my-project.iam.gserviceaccount.com",
  "client_id": "103",
  "auth_uri": "https://accounts.google.com/o/oauth2/auth",
  "token_uri": "https://oauth2.googleapis.com/token",
  "universe_domain": "googleapis.com"
}"#;

fn endpoint(url: &str) -> Endpoint {
    let (authority, path) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).unwrap();
    Endpoint { tls: true, authority: authority.into(), path: format!("/{path}") }
}

fn azure() -> Source {
    let application = azure_ad::Application {
        client_id: "00001111-aaaa-2222-bbbb-3333cccc4444".into(),
        client_secret: Secret::new("qWgdYAmab0YSkuL1qKv5bPX+/ ="),
        scope: azure_ad::SCOPE.into(),
    };
    let url = format!("{}{}", azure_ad::AUTHORITY, azure_ad::path("contoso.onmicrosoft.com"));
    Source::new(Grant::AzureAd(application), endpoint(&url), None)
}

fn google() -> Source {
    let (account, url) = gcp::ServiceAccount::parse(ACCOUNT, gcp::SCOPE.into()).unwrap();
    Source::new(Grant::Gcp(account), endpoint(&url), None)
}

fn ibm() -> Source {
    let url = format!("{}{}", ibm_iam::AUTHORITY, ibm_iam::PATH);
    Source::new(Grant::IbmIam(Secret::new("MY_APIKEY")), endpoint(&url), None)
}

fn sent(source: &Source, sign: &Sign<'_>) -> (String, String) {
    let request = source.request(1_328_550_785, sign).unwrap();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "https"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
    ] {
        assert_eq!(request.headers.text(name), value);
    }
    let url = format!("{}{}", request.headers.text(":authority"), request.headers.text(":path"));
    (url, String::from_utf8(request.body).unwrap())
}

const NOBODY: &Sign<'static> = &|_, _| None;

#[test]
fn azure_is_asked_with_a_client_secret() {
    let (url, body) = sent(&azure(), NOBODY);
    assert_eq!(url, "login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!(
        body,
        "client_id=00001111-aaaa-2222-bbbb-3333cccc4444&client_secret=qWgdYAmab0YSkuL1qKv5bPX%2B%2F%20%3D\
         &grant_type=client_credentials&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
    );
}

#[test]
fn ibm_is_asked_with_an_api_key() {
    let (url, body) = sent(&ibm(), NOBODY);
    assert_eq!(url, "iam.cloud.ibm.com/identity/token");
    assert_eq!(body, "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=MY_APIKEY");
}

#[test]
fn google_is_asked_with_a_signed_statement() {
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
    let signed = std::cell::RefCell::new(String::new());
    let (url, body) = sent(&google(), &|key, text| {
        assert_eq!(key.reveal(), "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n");
        signed.replace(String::from_utf8(text.to_vec()).unwrap());
        Some(vec![0xfb, 0xff, 0xfe])
    });
    assert_eq!(url, "oauth2.googleapis.com/token");
    let assertion = body.strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    let (statement, signature) = assertion.unwrap().rsplit_once('.').unwrap();
    assert_eq!((statement, signature), (signed.borrow().as_str(), "-__-"));
    let parts: Vec<String> = statement
        .split('.')
        .map(|part| String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
        .collect();
    let claims = r#"{"iss":"llm@my-project.iam.gserviceaccount.com","scope":"https://www.googleapis.com/auth/cloud-platform","aud":"https://oauth2.googleapis.com/token","iat":1328550785,"exp":1328554385}"#;
    assert_eq!(parts, [r#"{"alg":"RS256","typ":"JWT","kid":"c5b84a"}"#, claims]);
}

#[test]
fn what_cannot_be_signed_is_not_asked_for() {
    assert!(google().request(0, NOBODY).is_none());
}

#[test]
fn the_host_is_asked_to_sign() {
    let arguments = sign::arguments(&Secret::new("PEM"), b"text");
    assert_eq!(arguments, b"\x0a\x06sha256\x1a\x04text\x22\x03PEM");
    assert_eq!(sign::signature(b"\x08\x01\x12\x02ab\x1a\x00"), Some(b"ab".to_vec()));
    for failed in [&b""[..], b"\x12\x02ab", b"\x08\x00\x12\x02ab", b"\x1a\x04oops", b"\x08\x01", b"\x08\x01\x12\xff"] {
        assert_eq!(sign::signature(failed), None, "{failed:?}");
    }
}

#[test]
fn tokens_are_read() {
    let google_says = r#"{"access_token":"1/8xbJqaOZXSUZbHLl5EOtu1pxz3fmmetKx9W8CV4t79M","scope":"https://www.googleapis.com/auth/prediction","token_type":"Bearer","expires_in":3600}"#;
    let azure_says = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0eXAi.x-_","refresh_in":1800}"#;
    let ibm_says = r#"{"access_token":"eyJhbGciOiJI","refresh_token":"not_supported","token_type":"Bearer","expires_in":3600,"expiration":1473188353,"scope":"ibm openid"}"#;
    for (source, answer, token, lifetime, refresh) in [
        (google(), google_says, "1/8xbJqaOZXSUZbHLl5EOtu1pxz3fmmetKx9W8CV4t79M", 3_600_000, None),
        (azure(), azure_says, "eyJ0eXAi.x-_", 3_599_000, Some(1_800_000)),
        (ibm(), ibm_says, "eyJhbGciOiJI", 3_600_000, None),
        // Endpoints of Microsoft's before 2.0 write numbers as strings.
        (azure(), r#"{"access_token":"a","expires_in":"86399"}"#, "a", 86_399_000, None),
        (azure(), r#"{"access_token":"a"}"#, "a", 300_000, None),
    ] {
        let expected = Token { secret: Secret::new(token), lifetime, refresh };
        assert_eq!(source.read(200, answer.as_bytes()), Ok(expected), "{answer}");
    }
}

#[test]
fn refusals_are_told_in_the_issuers_words() {
    let azure_says = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 0000aaaa","error_codes":[7000215]}"#;
    let ibm_says = r#"{"errorCode":"BXNIM0415E","errorMessage":"Provided API key could not be found.","context":{"requestId":"x"}}"#;
    for (source, status, answer, expected) in [
        (
            google(),
            400,
            r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
            "the answer is 400: invalid_grant: Invalid JWT Signature.",
        ),
        (
            azure(),
            401,
            azure_says,
            "the answer is 401: invalid_client: AADSTS7000215: Invalid client secret provided.  Trace ID: 0000aaaa",
        ),
        (ibm(), 400, ibm_says, "the answer is 400: BXNIM0415E: Provided API key could not be found."),
        (ibm(), 400, r#"{"errorMessage":"bad key MY_APIKEY"}"#, "the answer is 400: bad key ***"),
        (azure(), 503, "<html>", "the answer is 503"),
        (azure(), 302, "", "the answer is 302"),
        (google(), 200, "<html>", "the answer is not JSON"),
        (google(), 200, r#"{"id_token":"eyJ"}"#, "the answer has no `access_token`"),
        (google(), 200, r#"{"access_token":""}"#, "the answer has an `access_token` that cannot stand in a header"),
        (google(), 200, r#"{"access_token":"a\nb"}"#, "the answer has an `access_token` that cannot stand in a header"),
        (google(), 200, r#"{"access_token":"a","expires_in":0}"#, "the token in the answer has ended already"),
    ] {
        assert_eq!(source.read(status, answer.as_bytes()), Err(expected.to_owned()), "{answer}");
    }
    let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(1000));
    assert!(azure().read(400, long.as_bytes()).unwrap_err().len() < 300);
}

#[test]
fn a_service_account_needs_its_parts() {
    let without = |from: &str, to: &str| {
        let json = ACCOUNT.replace(from, to);
        assert_ne!(json, ACCOUNT);
        gcp::ServiceAccount::parse(&json, gcp::SCOPE.into()).unwrap_err()
    };
    assert_eq!(without("\"type\"", "\"kind\""), "the service account's JSON has no `type`");
    assert_eq!(without("client_email", "x"), "the service account's JSON has no `client_email`");
    assert_eq!(without("\"private_key\"", "\"x\""), "the service account's JSON has no `private_key`");
    assert_eq!(without("BEGIN PRIVATE", "MIIE"), "the `private_key` of the service account's JSON is not in PEM");
    assert_eq!(
        without("\"service_account\"", "\"external_account\""),
        "the JSON is of the type `external_account`; expected one of the type `service_account`"
    );
    assert_eq!(without("\"service_account\"", "\"sk-secret\""), "expected JSON of the type `service_account`");
    assert_eq!(without("{", ""), "expected a service account's JSON");
    let (account, url) =
        gcp::ServiceAccount::parse(&ACCOUNT.replace("token_uri", "x").replace("private_key_id", "y"), "s".into())
            .unwrap();
    assert_eq!((url.as_str(), account.private_key_id.as_str()), (gcp::ENDPOINT, ""));
}

#[test]
fn a_source_is_its_grant_and_endpoint() {
    assert_eq!(google().id, google().id);
    assert_eq!(google().id.len(), 32);
    let other = |change: fn(&mut azure_ad::Application)| {
        let Grant::AzureAd(mut application) = azure().grant else { panic!() };
        change(&mut application);
        Source::new(Grant::AzureAd(application), azure().endpoint, None)
    };
    assert_eq!(other(|_| ()).id, azure().id);
    assert_ne!(other(|application| application.scope = "x".into()).id, azure().id);
    assert_ne!(other(|application| application.client_secret = Secret::new("x")).id, azure().id);
    assert_ne!(Source::new(azure().grant, endpoint("https://login.microsoftonline.us/a"), None).id, azure().id);
    for source in [google(), azure(), ibm()] {
        let printed = format!("{source:?}");
        assert!(!printed.contains("PRIVATE") && !printed.contains("qWgd") && !printed.contains("APIKEY"), "{printed}");
    }
}

#[test]
fn the_cluster_is_named_after_the_host() {
    assert_eq!(google().cluster, "dragoman_token_oauth2.googleapis.com");
    for (authority, cluster) in [
        ("127.0.0.1:9900", "dragoman_token_127.0.0.1_9900"),
        ("[::1]:8443", "dragoman_token___1_8443"),
        ("localhost", "dragoman_token_localhost"),
    ] {
        let endpoint = Endpoint { tls: false, authority: authority.into(), path: "/token".into() };
        assert_eq!(endpoint.cluster(), cluster);
    }
    let named = Source::new(azure().grant, azure().endpoint, Some("sso".into()));
    assert_eq!((named.cluster.as_str(), &named.id), ("sso", &azure().id));
}

fn token(lifetime: u64, refresh: Option<u64>) -> Token {
    Token { secret: Secret::new("t"), lifetime, refresh }
}

#[test]
fn a_token_is_renewed_well_before_it_ends() {
    let mut entry = Entry::default();
    assert!(entry.is_due(0) && entry.token(0).is_none());
    entry.claim(1_000);
    assert!(!entry.is_due(1_000 + LEASE - 1) && entry.is_due(1_000 + LEASE));
    entry.succeed(token(3_600_000, None), 1_000, 2_000);
    // Its life is counted from when it was asked for, not from when the answer came.
    assert!(!entry.is_due(2_700_999) && entry.is_due(2_701_000));
    assert!(entry.token(3_600_999).is_some() && entry.token(3_601_000).is_none());
    entry.succeed(token(3_600_000, Some(1_800_000)), 0, 0);
    assert!(!entry.is_due(1_799_999) && entry.is_due(1_800_000));
    entry.succeed(token(1, None), 0, 5_000);
    assert!(!entry.is_due(5_499) && entry.is_due(5_500));
    entry.succeed(token(u64::MAX, None), u64::MAX, 0);
    assert!(!entry.is_due(u64::MAX - 1));
}

#[test]
fn failures_make_it_wait_and_keep_the_old_token() {
    let mut entry = Entry::default();
    entry.succeed(token(3_600_000, None), 0, 0);
    let mut waits = Vec::new();
    for _ in 0..20 {
        entry.fail(0, None);
        waits.push((0..=LEASE * 10).find(|now| entry.is_due(*now)).unwrap());
    }
    assert_eq!(waits[..8], [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    assert!(waits[8..].iter().all(|wait| *wait == 60_000));
    assert!(entry.token(3_599_999).is_some());
    entry.succeed(token(3_600_000, None), 0, 0);
    entry.fail(0, Some(7_000));
    assert!(!entry.is_due(6_999) && entry.is_due(7_000));
    entry.fail(0, Some(u64::MAX));
    assert!(entry.is_due(60_000));
}

#[test]
fn a_refused_token_is_renewed_once_in_a_while() {
    let mut entry = Entry::default();
    entry.succeed(token(3_600_000, None), 0, 0);
    assert!(!entry.doubt(59_999) && !entry.is_due(59_999));
    assert!(entry.doubt(60_000) && entry.is_due(60_000));
    assert!(!entry.doubt(60_000), "asked for already");
    entry.claim(60_000);
    assert!(!entry.doubt(60_001) && !entry.is_due(60_001), "somebody asks");
    entry.fail(60_000, None);
    assert!(!entry.doubt(60_001), "failures keep their pace");
}

#[test]
fn entries_are_bytes() {
    let mut entry = Entry::default();
    assert_eq!(Entry::decode(&entry.encode()), entry);
    entry.succeed(token(3_600_000, None), 7, 8);
    entry.fail(9, None);
    assert_eq!(Entry::decode(&entry.encode()), entry);
    for bytes in [&b""[..], b"\x01", b"\x02aaaaaaaabbbbbbbbccccccccdddddddd", &[1; 33]] {
        assert_eq!(Entry::decode(bytes), Entry::default(), "{bytes:?}");
    }
}
