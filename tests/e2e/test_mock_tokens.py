"""The mock's token endpoints: Google's own library gets a token, and what the issuers would refuse is refused."""

import time

import httpx
import pytest
from accounts import NAME, account, pem, private_key
from calls import PATHS, body
from conftest import HTTP, Providers
from google.auth import crypt, exceptions, jwt
from google.auth.transport.requests import Request
from google.oauth2 import service_account

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GOOGLE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
IBM = "urn:ibm:params:oauth:grant-type:apikey"


@pytest.fixture(scope="module")
def info(providers: Providers) -> dict[str, str]:
    return account(providers)


def post(providers: Providers, path: str, form: dict[str, str]) -> httpx.Response:
    return HTTP.post(providers.url + path, data=form)


def test_googles_library_gets_a_token(providers: Providers, info):
    credentials = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])
    credentials.refresh(Request())
    assert credentials.valid
    headers = {"authorization": f"Bearer {credentials.token}"}
    assert HTTP.post(providers.url + PATHS["chat"], json=body("chat", "gpt-4.1"), headers=headers).status_code == 200
    other = service_account.Credentials.from_service_account_info(info | {"private_key": pem(private_key())}, scopes=[SCOPE])
    with pytest.raises(exceptions.RefreshError, match="Invalid JWT Signature."):
        other.refresh(Request())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"iss": "nobody@my-project.iam.gserviceaccount.com"}, "account not found"),
        ({"aud": "https://accounts.example.com/token"}, "Failed audience check."),
        ({"exp": 7200}, "must be a short-lived token"),
        ({"iat": -7200, "exp": -3600}, "must be a short-lived token"),
        ({"scope": "email"}, "Invalid OAuth scope"),
    ],
)
def test_google_checks_the_claims(providers: Providers, info, change, told):
    now = int(time.time())
    claims = {"iss": NAME, "scope": SCOPE, "aud": "https://oauth2.googleapis.com/token", "iat": 0, "exp": 3600} | change
    claims |= {name: claims[name] + now for name in ["iat", "exp"]}
    assertion = jwt.encode(crypt.RSASigner.from_service_account_info(info), claims).decode()
    answer = post(providers, "/token", {"grant_type": GOOGLE, "assertion": assertion})
    assert answer.status_code == 400 and told in answer.json()["error_description"], answer.text


AZURE_FORM = {"grant_type": "client_credentials", "client_id": "c", "client_secret": "s", "scope": "https://x/.default"}


@pytest.mark.parametrize(
    ("path", "form", "told"),
    [
        ("/token", {"grant_type": "password"}, "unsupported_grant_type"),
        ("/token", {"grant_type": GOOGLE, "assertion": "a.b.c"}, "invalid_grant"),
        ("/t/oauth2/v2.0/token", AZURE_FORM | {"grant_type": "password"}, "AADSTS70003"),
        ("/t/oauth2/v2.0/token", AZURE_FORM | {"client_secret": ""}, "AADSTS900144"),
        ("/t/oauth2/v2.0/token", AZURE_FORM | {"client_secret": "bad"}, "AADSTS7000215"),
        ("/t/oauth2/v2.0/token", AZURE_FORM | {"scope": "https://x"}, "AADSTS1002012"),
        ("/t/oauth2/v2.0/token", AZURE_FORM | {"more": "1"}, "unknown field 'more'"),
        ("/missing/oauth2/v2.0/token", AZURE_FORM, "AADSTS90002"),
        ("/identity/token", {"grant_type": "password", "apikey": "k"}, "BXNIM0120E"),
        ("/identity/token", {"grant_type": IBM}, "BXNIM0109E"),
        ("/identity/token", {"grant_type": IBM, "apikey": "bad"}, "BXNIM0415E"),
    ],
)
def test_wrong_forms_are_refused(providers: Providers, path, form, told):
    answer = post(providers, path, form)
    assert answer.status_code in (400, 401) and told in answer.text, answer.text


@pytest.mark.parametrize(
    ("path", "form"),
    [("/t/oauth2/v2.0/token", AZURE_FORM), ("/identity/token", {"grant_type": IBM, "apikey": "k"})],
)
def test_a_token_ends(providers: Providers, path, form):
    assert HTTP.put(f"{providers.url}/mock/tokens", content="expires-in=1").status_code == 200
    try:
        token = post(providers, path, form).json()
    finally:
        HTTP.put(f"{providers.url}/mock/tokens", content="")
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 1)
    headers = {"authorization": f"Bearer {token['access_token']}"}

    def call() -> int:
        return HTTP.post(providers.url + PATHS["chat"], json=body("chat", "gpt-4.1"), headers=headers).status_code

    assert call() == 200
    time.sleep(1.1)
    assert call() == 401
