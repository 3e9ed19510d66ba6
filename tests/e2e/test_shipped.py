"""What every shipped configuration must hold."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from conftest import ENVOY, ROOT, release

FILES = sorted((ROOT / "envoy").rglob("*.yaml"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]


def plugins(node: object) -> Iterator[dict]:
    """The wasm plugins in a document, wherever they stand."""
    if isinstance(node, dict):
        if "vm_config" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from plugins(child)


def documents(path: Path) -> list:
    return list(yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_plugins_fail_closed_and_share_one_vm(path: Path):
    for plugin in plugins(documents(path)):
        # Failing open would send clients' keys to providers.
        assert plugin["failure_policy"] == "FAIL_RELOAD"
        # Without it Envoy stops more than the headers, and a held call hangs.
        assert plugin["allow_on_headers_stop_iteration"] is True
        assert plugin["vm_config"]["vm_id"] == "dragoman"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_envoy_takes_the_file(path: Path):
    if "envoy.filters.http.gcp_authn" in path.read_text() and release() < (1, 40):
        pytest.skip("the tokens of a machine need Envoy 1.40")
    if not any("static_resources" in (document or {}) for document in documents(path)):
        pytest.skip("no Envoy bootstrap")
    # Validation compiles the module and has it read its configuration.
    command = [ENVOY, "--mode", "validate", "--use-dynamic-base-id", "--log-level", "warning", "-c", path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
