"""Agents of LangChain, LlamaIndex and the Vercel AI SDK, each with two tools, over models of Anthropic's and of Gemini's."""

import json
import subprocess
from pathlib import Path

import pytest
from calls import KEY
from conftest import Envoy, Starter
from documents import KEYS, gateway_role, render, standalone
from test_gemini import UPSTREAMS

ROOT = Path(__file__).resolve().parents[2]
AGENTS = Path(__file__).parent / "agents"
PYTHON = ROOT / "target/agents/bin/python"
MODELS = {"claude": ("claude", "claude-sonnet-4-5"), "gemini": ("gemini", "gemini-3.8-flash"), "gpt": ("openai", "gpt-4o")}
COMMANDS = {
    "langchain": [PYTHON, AGENTS / "langchain_agent.py"],
    "llamaindex": [PYTHON, AGENTS / "llamaindex_agent.py"],
    # Node looks for packages beside the script: it is linked there.
    "vercel": ["node", "--preserve-symlinks-main", ROOT / "target/tools/agents/vercel.mjs"],
}
# How often each does the same: streamed and not, by chat completions and by Responses.
WAYS = {"langchain": 4, "llamaindex": 2, "vercel": 4}


@pytest.fixture(scope="module", params=[gateway_role, standalone])
def envoy(request: pytest.FixtureRequest, shared_gateway: Starter) -> Envoy:
    models = [
        {"name": name, "upstreams": [upstream], "upstream_models": {upstream: model}, "retries": 0}
        for name, (upstream, model) in MODELS.items()
    ]
    return shared_gateway(render(request.param(UPSTREAMS, models)), env=KEYS)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("agent", COMMANDS)
def test_an_agent_uses_its_tools(envoy: Envoy, agent: str, model: str):
    link = ROOT / "target/tools/agents/vercel.mjs"
    if not link.is_symlink():
        link.symlink_to(AGENTS / "vercel.mjs")
    command = [*COMMANDS[agent], f"{envoy.url}/v1", KEY, model]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads(done.stdout)
    assert len(results) == WAYS[agent]
    for result in results:
        # Both at once, then the first.
        assert [name for name, _ in result["called"]] == ["get_weather", "get_time", "get_weather"]
        said = " ".join(result["says"])
        assert "sunny" in said and "noon" in said
