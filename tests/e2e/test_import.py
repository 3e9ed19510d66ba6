"""`dragoman import litellm`: a proxy's users call on with the keys that they have, and get the answers they got."""

import csv
import hashlib
import io
import os
import subprocess
from pathlib import Path

import anthropic
import httpx
import openai
import pytest
import yaml
from calls import content
from conftest import COMMAND, PROVIDERS, Envoy, Providers, Starter, free_port
from documents import render

ANTHROPIC = {"api_base": "os.environ/MOCK", "api_key": "os.environ/ANTHROPIC_API_KEY"}
OPENAI = {"api_base": "os.environ/MOCK_OPENAI", "api_key": "os.environ/OPENAI_API_KEY"}


def config() -> dict:
    dead = {"model": "openai/gpt-4.1", "api_base": f"http://127.0.0.1:{free_port()}/v1", "api_key": "none"}
    return {
        "model_list": [
            {"model_name": "chat", "litellm_params": {"model": "openai/gpt-4.1", "max_tokens": 77, **OPENAI}},
            {"model_name": "claude", "litellm_params": {"model": "claude-sonnet-4-5", **ANTHROPIC}},
            {"model_name": "dead", "litellm_params": dead},
            {"model_name": "shared", "litellm_params": {"model": "openai/gpt-4.1", "weight": 0.5, **OPENAI}},
            {"model_name": "shared", "litellm_params": {"model": "claude-haiku-4-5", "weight": 0.5, **ANTHROPIC}},
            {"model_name": "anthropic/*", "litellm_params": {"model": "anthropic/*", **ANTHROPIC}},
        ],
        "router_settings": {"model_group_alias": {"gpt-4o": "chat"}, "fallbacks": [{"dead": ["claude"]}], "timeout": 30},
        "litellm_settings": {"drop_params": True},
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }


# A key's secret, and its row in the proxy's database.
ROWS = {
    "sk-alice": {"key_alias": "alice", "models": "{chat,anthropic/*}", "team_id": "t1"},
    "sk-gone": {"key_alias": "gone", "models": "{}", "expires": "2020-01-01 00:00:00"},
    "sk-blocked": {"key_alias": "blocked", "models": "{}", "blocked": "t"},
}
MASTER = "sk-master-0123456789abcdef"
ENVIRONMENT = {"LITELLM_MASTER_KEY": MASTER, "OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-ant"}


def dump() -> str:
    columns = ["token", "key_alias", "models", "team_id", "expires", "blocked"]
    text = io.StringIO()
    rows = csv.DictWriter(text, columns)
    rows.writeheader()
    for secret, row in ROWS.items():
        rows.writerow({"token": hashlib.sha256(secret.encode()).hexdigest()} | row)
    return text.getvalue()


@pytest.fixture(scope="module")
def envoy(shared_gateway: Starter, tmp_path_factory: pytest.TempPathFactory) -> Envoy:
    folder: Path = tmp_path_factory.mktemp("litellm")
    (folder / "config.yaml").write_text(yaml.safe_dump(config()))
    (folder / "keys.csv").write_text(dump())
    mock = f"http://127.0.0.1:{PROVIDERS}"
    command = [COMMAND, "import", "litellm", folder / "config.yaml", "--keys", folder / "keys.csv"]
    environment = os.environ | ENVIRONMENT | {"MOCK": mock, "MOCK_OPENAI": f"{mock}/v1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert MASTER not in done.stdout + done.stderr
    return shared_gateway(render(yaml.safe_load(done.stdout)), env=ENVIRONMENT)


def call(envoy: Envoy, model: str, secret: str = MASTER) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    headers = {"authorization": f"Bearer {secret}"}
    return httpx.post(f"{envoy.url}/v1/chat/completions", json=body, headers=headers)


@pytest.mark.parametrize(
    ("model", "provider", "asked"),
    [
        ("chat", "openai_compatible", "gpt-4.1"),
        ("gpt-4o", "openai_compatible", "gpt-4.1"),
        ("claude", "anthropic", "claude-sonnet-4-5"),
        ("dead", "anthropic", "claude-sonnet-4-5"),
        ("anthropic/claude-opus-4-5", "anthropic", "claude-opus-4-5"),
    ],
)
def test_models_are_where_they_were(envoy: Envoy, model: str, provider: str, asked: str):
    answer = call(envoy, model)
    assert answer.status_code == 200, answer.text
    assert content(answer, "chat")
    assert answer.headers["x-dragoman-provider"] == provider
    assert answer.headers["x-dragoman-upstream-model"] == asked


def test_parameters_are_those_of_the_proxy(envoy: Envoy, providers: Providers):
    providers.forget()
    assert call(envoy, "chat").status_code == 200
    assert providers.received()[-1]["body"]["max_tokens"] == 77


def test_deployments_share_calls(envoy: Envoy):
    answered = {call(envoy, "shared").headers["x-dragoman-provider"] for _ in range(40)}
    assert answered == {"openai_compatible", "anthropic"}


@pytest.mark.parametrize(
    ("secret", "model", "status"),
    [
        ("sk-alice", "chat", 200),
        ("sk-alice", "anthropic/claude-opus-4-5", 200),
        ("sk-alice", "claude", 403),
        ("sk-gone", "chat", 401),
        ("sk-blocked", "chat", 401),
        ("sk-other", "chat", 401),
    ],
)
def test_keys_may_do_what_they_might(envoy: Envoy, secret: str, model: str, status: int):
    assert call(envoy, model, secret).status_code == status


def test_clients_stay_as_they_are(envoy: Envoy):
    client = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="sk-alice", max_retries=0)
    assert {model.id for model in client.models.list()} == {"chat", "gpt-4o"}
    chunks = list(client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hi"}], stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"
    claude = anthropic.Anthropic(base_url=envoy.url, api_key="sk-alice", max_retries=0)
    answer = claude.messages.create(model="chat", max_tokens=50, messages=[{"role": "user", "content": "Hi"}])
    assert answer.content[0].text
