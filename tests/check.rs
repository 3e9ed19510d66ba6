//! `dragoman check`: what it tells beside faults, which have tests of their own.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::io::Write;
use std::process::{Command, Stdio};

/// What is printed of a document.
fn check(document: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dragoman"))
        .args(["check", "-"])
        .env_clear()
        .env("SECRET", "sk-never-shown")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    command.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let done = command.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn it_tells_where_tokens_come_from() {
    let document = r#"
client_auth: open
upstreams:
  ibm:
    provider: openai_compatible
    base_url: https://llm.example.com/v1
    credentials: { ibm_iam: { api_key: { env: SECRET } } }
  azure:
    provider: azure_ai
    base_url: https://contoso.services.ai.azure.com/openai/v1
    credentials: { azure_ad: { tenant_id: t, client_id: c, client_secret: { env: SECRET }, cluster: sso } }
"#;
    assert_eq!(
        check(document),
        "-: ok: 2 upstreams, 0 models, 0 keys\n\
         -: upstreams.ibm: fetches tokens from https://iam.cloud.ibm.com/identity/token by the host's cluster \
         `dragoman_token_iam.cloud.ibm.com`\n\
         -: upstreams.azure: fetches tokens from https://login.microsoftonline.com/t/oauth2/v2.0/token by the host's cluster \
         `sso`\n"
    );
}
