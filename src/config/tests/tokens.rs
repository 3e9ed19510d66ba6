//! Credentials that are fetched.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::read::{Report, Value};
use super::*;
use crate::auth::token::{Grant, gcp};
use crate::json::Doc;
use crate::provider::{Auth, Provider};

const ACCOUNT: &str = r#"{"type":"service_account","client_email":"llm@p.iam.gserviceaccount.com","private_key_id":"k",
    "private_key":"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n","token_uri":"TOKEN_URI"}"#;

fn env(name: &str) -> Option<String> {
    match name {
        "GCP" => Some(ACCOUNT.replace("TOKEN_URI", gcp::ENDPOINT)),
        "GCP_ELSEWHERE" => Some(ACCOUNT.replace("TOKEN_URI", "http://sts.example.com:8080/v1/token")),
        "GCP_NOWHERE" => Some(ACCOUNT.replace("TOKEN_URI", "hunter2")),
        "GCP_USER" => Some(ACCOUNT.replace("service_account", "authorized_user")),
        "TENANT" => Some("contoso.example\n".to_owned()),
        name => super::env(name),
    }
}

fn document(provider: &str, credentials: &str) -> String {
    format!(
        r#"{{"client_auth":"open","upstreams":{{"u":{{"provider":"{provider}","base_url":"https://llm.example.com",
           "credentials":{credentials}}}}}}}"#
    )
}

fn read(credentials: &str) -> (Credentials, Vec<String>) {
    let json = document("openai_compatible", credentials);
    let config = Config::parse(json.as_bytes(), &env).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let Config { upstreams, warnings, .. } = config;
    (upstreams.into_iter().next().unwrap().credentials, warnings)
}

fn source(credentials: &str) -> Arc<Source> {
    match read(credentials) {
        (Credentials::Token(source), warnings) if warnings.is_empty() => source,
        other => panic!("{other:?}"),
    }
}

fn check(provider: &str, credentials: &str, expected: &[&str]) {
    let faults = Config::parse(document(provider, credentials).as_bytes(), &env).expect_err(credentials);
    let faults: Vec<_> = faults.iter().map(Fault::to_string).collect();
    assert_eq!(faults, expected, "{credentials}");
    assert!(!faults.concat().contains("hunter2"), "{faults:?}");
}

fn faults(credentials: &str, expected: &[&str]) {
    let expected: Vec<_> = expected.iter().map(|fault| format!("upstreams.u.credentials{fault}")).collect();
    check("openai_compatible", credentials, &expected.iter().map(String::as_str).collect::<Vec<_>>());
}

const AZURE: &str = r#"{"azure_ad":{"tenant_id":"0000-aaaa","client_id":"1111-bbbb","client_secret":{"env":"A_KEY"}}}"#;

#[test]
fn each_issuer_is_read() {
    let google = source(r#"{"gcp":{"service_account":{"env":"GCP"}}}"#);
    assert_eq!(
        (google.endpoint.url().as_str(), google.cluster.as_str()),
        (gcp::ENDPOINT, "dragoman_token_oauth2.googleapis.com")
    );
    let Grant::Gcp(account) = &google.grant else { panic!("{google:?}") };
    assert_eq!(account.client_email, "llm@p.iam.gserviceaccount.com");
    assert!(account.private_key.reveal().ends_with("\n-----END PRIVATE KEY-----\n"));
    assert_eq!(account.scope, "https://www.googleapis.com/auth/cloud-platform");

    let azure = source(AZURE);
    assert_eq!(azure.endpoint.url(), "https://login.microsoftonline.com/0000-aaaa/oauth2/v2.0/token");
    let Grant::AzureAd(application) = &azure.grant else { panic!("{azure:?}") };
    assert_eq!((application.client_id.as_str(), application.client_secret.reveal()), ("1111-bbbb", "a-secret"));
    assert_eq!(application.scope, "https://cognitiveservices.azure.com/.default");

    let ibm = source(r#"{"ibm_iam":{"api_key":{"env":"A_KEY"}}}"#);
    assert_eq!(ibm.endpoint.url(), "https://iam.cloud.ibm.com/identity/token");
    assert!(matches!(&ibm.grant, Grant::IbmIam(key) if key.reveal() == "a-secret"));
}

/// What a key is where the provider's are exchanged.
fn exchanged(key: &str, expected: Result<&str, &str>) {
    let provider = Provider { auth: Auth::IbmIam, ..*crate::provider::find("openai").unwrap() };
    let json = format!(r#"{{"api_key":{key}}}"#);
    let doc = Doc::strict(json.as_bytes()).unwrap();
    let report = Report::default();
    let source = credentials::Source { env: &env, purpose: Purpose::Serve, virtual_keys: false };
    let found = credentials::read(&Value::root(doc.root(), &report), &provider, &source);
    match (found, report.finish(), expected) {
        (Some(Credentials::Token(source)), Ok(_), Ok(url)) => assert_eq!(source.endpoint.url(), url),
        (Some(Credentials::Unset(reason)), Ok(_), Err(expected)) => assert_eq!(reason, expected),
        (None, Err(faults), Err(expected)) => assert_eq!(faults[0].to_string(), expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_of_ibms_is_exchanged() {
    exchanged(r#"{"env":"A_KEY"}"#, Ok("https://iam.cloud.ibm.com/identity/token"));
    exchanged(r#"{"env":"NOT_SET"}"#, Err("the environment variable `NOT_SET` is not set"));
    exchanged(r#"[{"env":"A_KEY"}]"#, Err("api_key: expected one key: it is exchanged for tokens"));
}

#[test]
fn what_is_usual_can_be_changed() {
    let azure = source(
        r#"{"azure_ad":{"tenant_id":{"env":"TENANT"},"client_id":{"value":"1111"},"client_secret":{"env":"A_KEY"},
            "scope":"https://ai.azure.com/.default","authority":"https://login.microsoftonline.us/","cluster":"sso"}}"#,
    );
    assert_eq!(azure.endpoint.url(), "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token");
    assert_eq!(azure.cluster, "sso");
    assert!(matches!(&azure.grant, Grant::AzureAd(it) if it.scope == "https://ai.azure.com/.default"));
    let ibm = source(r#"{"ibm_iam":{"api_key":{"env":"A_KEY"},"authority":"https://private.iam.cloud.ibm.com"}}"#);
    assert_eq!(ibm.endpoint.url(), "https://private.iam.cloud.ibm.com/identity/token");

    let (credentials, warnings) = read(r#"{"gcp":{"service_account":{"env":"GCP_ELSEWHERE"},"scope":"a b"}}"#);
    let Credentials::Token(source) = credentials else { panic!("{credentials:?}") };
    assert_eq!(
        (source.endpoint.url().as_str(), source.cluster.as_str()),
        ("http://sts.example.com:8080/v1/token", "dragoman_token_sts.example.com_8080")
    );
    assert_eq!(
        warnings,
        [
            "upstreams.u.credentials.gcp.service_account: secrets go over the network in the clear to fetch a token; use `https://`"
        ]
    );
}

#[test]
fn what_is_not_there_silences_the_upstream_alone() {
    for (credentials, reason) in [
        (r#"{"gcp":{"service_account":{"env":"NOT_SET"}}}"#, "the environment variable `NOT_SET` is not set"),
        (
            r#"{"azure_ad":{"tenant_id":{"env":"NO_TENANT"},"client_id":"1","client_secret":{"env":"NOT_SET"}}}"#,
            "the environment variable `NO_TENANT` is not set; the environment variable `NOT_SET` is not set",
        ),
        (r#"{"ibm_iam":{"api_key":{"env":"NOT_SET"}}}"#, "the environment variable `NOT_SET` is not set"),
    ] {
        let (found, warnings) = read(credentials);
        assert!(matches!(&found, Credentials::Unset(found) if found == reason), "{found:?}");
        assert!(!warnings.is_empty());
        let json = document("openai_compatible", credentials);
        assert!(Config::check(json.as_bytes(), &env).is_err());
        let config = Config::parse_upstreams(json.as_bytes(), &|_| None).unwrap();
        assert_eq!(config.upstreams[0].credentials.stand_in(), Some(Secret::new("unset")));
    }
}

#[test]
fn faults_name_their_place_and_no_secret() {
    check(
        "openai",
        r#"{"gcp":{"service_account":{"env":"GCP"}}}"#,
        &["upstreams.u.credentials.gcp: `openai` takes no tokens of Google Cloud's"],
    );
    check("openai", AZURE, &["upstreams.u.credentials.azure_ad: `openai` takes no tokens of Microsoft Entra ID's"]);
    check(
        "azure_ai",
        r#"{"ibm_iam":{}}"#,
        &["upstreams.u.credentials.ibm_iam: `azure_ai` takes no tokens of IBM Cloud's"],
    );
    faults(r#"{"gcp":{}}"#, &[".gcp.service_account: missing; its JSON, such as `{ env: GCP_SERVICE_ACCOUNT_JSON }`"]);
    faults(
        r#"{"azure_ad":{"tennant_id":"x"}}"#,
        &[
            ".azure_ad.tenant_id: missing; the directory in which the application is",
            ".azure_ad.client_id: missing; the application's id",
            ".azure_ad.client_secret: missing; the application's secret",
            ".azure_ad.tennant_id: unknown key; did you mean `tenant_id`?",
        ],
    );
    faults(r#"{"ibm_iam":{}}"#, &[".ibm_iam.api_key: missing; it is exchanged for tokens"]);
    faults(
        r#"{"azure_ad":{"tenant_id":"a/b hunter2","client_id":"","client_secret":"hunter2","scope":"","authority":"hunter2","cluster":""}}"#,
        &[
            ".azure_ad.tenant_id: expected 1 to 128 letters, digits and `-` `.` `_`",
            ".azure_ad.client_id: expected 1 to 128 letters, digits and `-` `.` `_`",
            ".azure_ad.client_secret: expected `{ env: NAME }` or `{ value: \"…\" }`, got a string",
            ".azure_ad.scope: expected 1 to 1024 characters of ASCII",
            ".azure_ad.cluster: the name of a cluster has 1 to 128 bytes and no control characters",
        ],
    );
    faults(
        r#"{"azure_ad":{"tenant_id":"a","client_id":"b","client_secret":{"env":"A_KEY"},"authority":"ftp://hunter2"}}"#,
        &[".azure_ad.authority: the address of the token must start with `https://` or `http://`"],
    );
    faults(
        r#"{"gcp":{"service_account":{"value":"hunter2"}}}"#,
        &[".gcp.service_account: expected a service account's JSON"],
    );
    faults(
        r#"{"gcp":{"service_account":{"env":"GCP_NOWHERE"}}}"#,
        &[".gcp.service_account: the address of the token must start with `https://` or `http://`"],
    );
    faults(
        r#"{"gcp":{"service_account":{"env":"GCP_USER"}}}"#,
        &[
            ".gcp.service_account: the JSON is of the type `authorized_user`; expected one of the type `service_account`",
        ],
    );
    faults(
        &format!(r#"{{"gcp":{{"service_account":{{"value":"{}"}}}}}}"#, "x".repeat(70_000)),
        &[".gcp.service_account.value: longer than 64 KiB"],
    );
}
