"""A service account of Google Cloud that the mock knows."""

import base64

from conftest import HTTP, Providers
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

NAME = "llm@my-project.iam.gserviceaccount.com"


def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    """A key as Google's console hands it out."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def number(value: int) -> str:
    """A number as a JSON Web Key has it."""
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).decode().rstrip("=")


def account(providers: Providers) -> dict[str, str]:
    """A new key of the account, in the file that Google's console hands out."""
    key = private_key()
    public = key.public_key().public_numbers()
    known = {"client_email": NAME, "private_key_id": "k1", "n": number(public.n), "e": number(public.e)}
    assert HTTP.put(f"{providers.url}/mock/accounts", json=known).status_code == 200
    return {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "k1",
        "private_key": pem(key),
        "client_email": NAME,
        "client_id": "103",
        "token_uri": f"{providers.url}/token",
        "universe_domain": "googleapis.com",
    }
