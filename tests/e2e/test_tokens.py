"""Credentials that are fetched: tokens of Google, Microsoft and IBM, from mock endpoints that check what they are sent."""

import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from accounts import account, pem, private_key
from calls import HEADERS, PATHS, body, call, error
from conftest import HTTP, Envoy, Providers, Starter
from documents import KEYS, MOCK_OPENAI, gateway_role, patient, render, standalone

SECRETS = {"AZURE_CLIENT_SECRET": "azure-secret-value", "IBM_API_KEY": "ibm-secret-value"}
PATH = {"google": "/token", "azure": "/contoso.example/oauth2/v2.0/token", "ibm": "/identity/token"}
UNFETCHED = "has no token yet, or no more: it could not be fetched"


@pytest.fixture(scope="module")
def env(providers: Providers) -> dict[str, str]:
    """The environment, with all secrets."""
    return KEYS | SECRETS | {"GCP_SERVICE_ACCOUNT": json.dumps(account(providers), indent=2)}


@pytest.fixture
def upstreams(providers: Providers) -> dict[str, dict]:
    """One for each issuer."""
    azure = {
        "tenant_id": "contoso.example",
        "client_id": "00001111-aaaa-2222-bbbb-3333cccc4444",
        "client_secret": {"env": "AZURE_CLIENT_SECRET"},
        "authority": providers.url,
    }
    credentials = {
        "google": {"gcp": {"service_account": {"env": "GCP_SERVICE_ACCOUNT"}}},
        "azure": {"azure_ad": azure},
        "ibm": {"ibm_iam": {"api_key": {"env": "IBM_API_KEY"}, "authority": providers.url}},
    }
    compatible = {"provider": "openai_compatible", "base_url": f"{providers.url}/v1"}
    provider = {"google": compatible, "azure": {"provider": "azure_ai", "base_url": providers.url}, "ibm": compatible}
    return {name: provider[name] | {"credentials": credentials[name]} for name in credentials}


@pytest.fixture(autouse=True)
def tokens(providers: Providers) -> Iterator[Callable[[str], None]]:
    """Has the endpoints do what directives say."""
    providers.forget()

    def do(directives: str) -> None:
        assert HTTP.put(f"{providers.url}/mock/tokens", content=directives).status_code == 200

    do("")
    yield do
    do("")


def model(name: str, upstreams: list[str], **more) -> dict:
    return {"name": name, "upstreams": upstreams, "upstream_models": dict.fromkeys(upstreams, "gpt-4.1")} | more


def until(envoy: Envoy, model: str, status: int, seconds: float = 10) -> httpx.Response:
    """Calls until the answer has that status."""
    deadline = time.monotonic() + seconds
    while (answer := call(envoy, "chat", model)).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    return answer


def asked(providers: Providers, path: str) -> list[dict]:
    return [request for request in providers.received() if request["path"] == path]


def keys(providers: Providers) -> list[str]:
    """What calls were paid with."""
    calls = [request for request in providers.received() if request["path"].endswith(PATHS["chat"])]
    return [sent["headers"]["authorization"] for sent in calls]


KINDS = {"standalone": standalone, "gateway": gateway_role}


@pytest.mark.parametrize("issuer", PATH)
@pytest.mark.parametrize("kind", KINDS)
def test_a_token_is_fetched_and_used(gateway: Starter, providers, upstreams, env, kind, issuer):
    document = KINDS[kind]({issuer: upstreams[issuer]}, [model("m", [issuer])])
    envoy = gateway(render(document, env=env), env=env)
    until(envoy, "m", 200, 3)
    for client in ["chat", "messages"]:
        answer = call(envoy, client, "m")
        assert (answer.status_code, answer.headers["x-dragoman-attempts"]) == (200, "1"), answer.text
    assert set(keys(providers)) == {f"Bearer mock-token-{issuer}-{number(providers, issuer)}"}
    (request,) = asked(providers, PATH[issuer])
    assert request["status"] == 200
    assert request["headers"]["content-type"] == "application/x-www-form-urlencoded"


def number(providers: Providers, issuer: str) -> str:
    return keys(providers)[0].rsplit("-", 1)[1]


def test_two_workers_fetch_one_token(gateway: Starter, providers, upstreams, env, tokens):
    # While one waits, all others have time to ask as well.
    tokens("slow-start=800 expires-in=5")
    document = gateway_role({"google": upstreams["google"]}, [model("m", ["google"])])
    envoy = gateway(render(document, env=env), env=env, workers=2)
    until(envoy, "m", 200)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        # Over a connection of its own, which either worker may take.
        answer = httpx.post(envoy.url + PATHS["chat"], json=body("chat", "m"), headers=HEADERS["chat"])
        assert answer.status_code == 200, answer.text
        time.sleep(0.05)  # The mock remembers 200 requests.
    requests, used = len(asked(providers, PATH["google"])), len(set(keys(providers)))
    assert used >= 2 and requests in (used, used + 1)


def test_a_token_is_renewed_before_it_ends(gateway: Starter, providers, upstreams, env, tokens):
    tokens("expires-in=4")
    document = gateway_role({"azure": upstreams["azure"]}, [model("m", ["azure"], retries=0)])
    envoy = gateway(render(document, env=env), env=env)
    until(envoy, "m", 200)
    end = time.monotonic() + 9
    while time.monotonic() < end:
        # The mock refuses a token that has ended.
        answer = call(envoy, "chat", "m")
        assert answer.status_code == 200, answer.text
        time.sleep(0.05)
    used = list(dict.fromkeys(keys(providers)))
    assert len(used) >= 3 and len(asked(providers, PATH["azure"])) in (len(used), len(used) + 1)


@pytest.mark.parametrize("trouble", ["status=503", "drop", "malformed", "redirect"])
def test_an_endpoint_that_fails_is_asked_again(gateway: Starter, providers, upstreams, env, tokens, trouble):
    tokens(trouble)
    document = gateway_role({"ibm": upstreams["ibm"]}, [model("m", ["ibm"])])
    envoy = gateway(render(document, env=env), env=env)
    until(envoy, "m", 503, 3)
    for client, kind in [("chat", "server_error"), ("messages", "api_error")]:
        answer = call(envoy, client, "m")
        assert answer.status_code == 503
        told = error(answer, client)
        assert told["type"] == kind
        assert told["message"] == f"no upstream of the model `m` can take the call: the upstream `ibm` {UNFETCHED}"
    time.sleep(1.2)
    assert 2 <= len(asked(providers, PATH["ibm"])) <= 5, "with pauses between"
    assert keys(providers) == []
    tokens("")
    until(envoy, "m", 200)
    log = envoy.output()
    assert f"no token from {providers.url}/identity/token by the cluster `dragoman_token_127.0.0.1_{providers.port}`" in log
    assert "got a token from" in log and "wasm_fail" not in log


def test_an_old_token_serves_until_it_ends(gateway: Starter, providers, upstreams, env, tokens):
    tokens("expires-in=4")
    document = gateway_role({"google": upstreams["google"]}, [model("m", ["google"])])
    envoy = gateway(render(document, env=env), env=env)
    until(envoy, "m", 200)
    tokens("status=503")
    began = time.monotonic()
    until(envoy, "m", 503)
    assert time.monotonic() - began > 2, "it went before its time"
    assert any(request["status"] == 503 for request in asked(providers, PATH["google"]))
    tokens("")
    until(envoy, "m", 200, 5)


def test_a_slow_endpoint_stalls_nothing(gateway: Starter, providers, upstreams, env, tokens):
    tokens("slow-start=3000")
    document = gateway_role(
        {"azure": upstreams["azure"], "openai": MOCK_OPENAI | {"base_url": f"{providers.url}/v1"}},
        [model("m", ["azure"]), model("other", ["openai"])],
    )
    envoy = gateway(render(document, env=env), env=env)
    began = time.monotonic()
    for _ in range(20):
        assert call(envoy, "chat", "other").status_code == 200
        assert call(envoy, "chat", "m").status_code == 503
    assert time.monotonic() - began < 2
    until(envoy, "m", 200)
    assert len(asked(providers, PATH["azure"])) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_calls_go_past_an_upstream_without_a_token(gateway: Starter, providers, upstreams, env, tokens, kind):
    tokens("status=503")
    others = {"azure": upstreams["azure"], "openai": MOCK_OPENAI | {"base_url": f"{providers.url}/v1"}}
    document = KINDS[kind](others, [model("m", ["azure", "openai"]), model("once", ["azure"], retries=0)])
    envoy = gateway(patient(render(document, env=env)), env=env)
    for client in ["chat", "messages"]:
        for stream in [False, True]:
            answer = call(envoy, client, "m", stream=stream)
            assert (answer.status_code, answer.headers["x-dragoman-upstream"]) == (200, "openai"), answer.text
            assert answer.headers["x-dragoman-attempts"] == "1"
    assert set(keys(providers)) == {"Bearer sk-openai"}
    assert asked(providers, "/") == []
    # The host may try it all the same when another fails: nothing leaves that it would have to pay for.
    broken = "Hi [mock status=529]"
    for client in ["chat", "messages"] if kind == "gateway" else []:
        for stream in [False, True]:
            assert call(envoy, client, "m", broken, stream=stream).status_code == 529
    for request in asked(providers, "/"):
        assert (request["method"], request["body_bytes"]) == ("GET", 0)
        assert not {"authorization", "content-type", "user-agent"} & request["headers"].keys()
    assert len(asked(providers, "/")) == (4 if kind == "gateway" else 0)
    for client in ["chat", "messages"]:
        for stream in [False, True]:
            answer = call(envoy, client, "once", stream=stream)
            assert answer.status_code == 503
            assert UNFETCHED in error(answer, client)["message"]
    tokens("")
    deadline = time.monotonic() + 10
    while (answer := call(envoy, "chat", "m")).headers["x-dragoman-upstream"] != "azure":
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)


def test_a_wrong_key_is_told_in_the_log(gateway: Starter, providers, upstreams, env):
    wrong = env | {"AZURE_CLIENT_SECRET": "bad-azure-secret"}
    envoy = gateway(
        render(gateway_role({"azure": upstreams["azure"]}, [model("m", ["azure"])]), env=wrong), env=wrong
    )
    until(envoy, "m", 503, 3)
    time.sleep(0.5)
    log = envoy.output()
    assert "the answer is 401: invalid_client: AADSTS7000215: Invalid client secret provided." in log
    assert "bad-azure-secret" not in log


def test_a_key_that_signs_for_nobody_is_told_in_the_log(gateway: Starter, providers, upstreams, env):
    broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    info = json.loads(env["GCP_SERVICE_ACCOUNT"])
    for key, told in [(pem(private_key()), "invalid_grant: Invalid JWT Signature."), (broken, "the host cannot sign with the private key")]:
        wrong = env | {"GCP_SERVICE_ACCOUNT": json.dumps(info | {"private_key": key})}
        document = standalone({"google": upstreams["google"]}, [model("m", ["google"])])
        envoy = gateway(render(document, env=wrong), env=wrong)
        until(envoy, "m", 503, 3)
        time.sleep(0.5)
        assert told in envoy.output()


def test_a_missing_cluster_is_told_and_others_serve(gateway: Starter, providers, upstreams, env):
    others = {"google": upstreams["google"], "openai": MOCK_OPENAI | {"base_url": f"{providers.url}/v1"}}
    config = render(gateway_role(others, [model("m", ["google"]), model("other", ["openai"])]), env=env)
    cluster = f"dragoman_token_127.0.0.1_{providers.port}"
    envoy = gateway(config.replace(cluster, "elsewhere"), env=env)
    until(envoy, "m", 503, 3)
    assert call(envoy, "chat", "other").status_code == 200
    time.sleep(0.5)
    assert f"by the cluster `{cluster}`: the host has no such cluster" in envoy.output()


def test_nothing_secret_is_shown(gateway: Starter, providers, upstreams, env, tokens):
    tokens("expires-in=2")
    document = gateway_role(upstreams, [model(name, [name]) for name in upstreams])
    envoy = gateway(render(document, env=env), env=env)
    for name in upstreams:
        until(envoy, name, 200)
    time.sleep(2)
    tokens("status=400")
    for name in upstreams:
        until(envoy, name, 503)
    shown = envoy.output() + HTTP.get(f"{envoy.admin}/stats").text
    shown += HTTP.get(f"{envoy.admin}/config_dump?include_eds").text + HTTP.get(f"{envoy.admin}/clusters").text
    key = json.loads(env["GCP_SERVICE_ACCOUNT"])["private_key"]
    assert "got a token" in shown and "no token from" in shown
    for secret in [*SECRETS.values(), "mock-token-", "PRIVATE KEY", key.splitlines()[1], "assertion="]:
        assert secret not in shown
