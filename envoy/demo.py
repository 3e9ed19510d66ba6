"""`make demo`: a real Envoy with the filter, and calls through it that show what it does.

Where OPENAI_API_KEY or ANTHROPIC_API_KEY is set, calls for that provider go to the real account; else to `dragoman mock`,
which speaks the provider's own format. ONCE=1 ends after the calls, with a status that says whether all went well.
GATEWAY_PORT, ADMIN_PORT and MOCK_PORT move the three ports. Whatever is written is in target/demo.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import certifi

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "target/demo"
COMMAND = ROOT / "target/release/dragoman"
ENVOY = ROOT / os.environ.get("ENVOY", "target/envoy")
CONFIG = FOLDER / "dragoman.yaml"

PORTS = {
    name: int(os.environ.get(name) or port)
    for name, port in (("GATEWAY_PORT", 10000), ("ADMIN_PORT", 9901), ("MOCK_PORT", 9900))
}
GATEWAY, ADMIN, MOCK = (f"http://127.0.0.1:{port}" for port in PORTS.values())

ONCE = bool(os.environ.get("ONCE"))
KEY = "sk-demo"
KEYS = {"openai": "OPENAI_API_KEY", "claude": "ANTHROPIC_API_KEY"}
REAL = {upstream for upstream, variable in KEYS.items() if os.environ.get(variable)}
GPT, CLAUDE = "gpt-5.4-mini", "claude-haiku-5-5"

DOCUMENT = """\
role: gateway
client_auth: keys
upstreams:
  openai:
    provider: openai«openai»
    credentials: { api_key: { env: OPENAI_API_KEY } }
  claude:
    provider: anthropic«claude»
    credentials: { api_key: { env: ANTHROPIC_API_KEY } }
  down: # a mock that always answers 503
    provider: gemini
    base_url: «mock»
    models: { "*": "*+status=503" }
    credentials: { api_key: { env: MOCK_API_KEY } }
  small: # a mock to which every conversation is too long
    provider: openai
    base_url: «mock»/v1
    models: { "*": "*+too-long" }
    credentials: { api_key: { env: MOCK_API_KEY } }
models:
  - { name: «gpt», upstreams: [openai] }
  - { name: «haiku», upstreams: [claude] }
  - { name: "gpt-*", upstreams: [openai], upstream_models: { openai: "gpt-*" } }
  - { name: "claude-*", upstreams: [claude], upstream_models: { claude: "claude-*" } }
  - name: smart
    upstreams: [down, claude]
    upstream_models: { down: gemini-3.1-flash-lite, claude: «haiku» }
  - name: short
    upstreams: [small]
    upstream_models: { small: «gpt» }
    fallbacks: { context_window: [smart] }
keys:
  - id: demo # the secret is `sk-demo`
    hash: "sha256:f77894fdfa58e447c57e077eaa9708e8e009c84dc6aba2db80461275e9b85be7"
"""


def document() -> str:
    """The configuration, with the mock's address where there is no account."""
    paths = {"openai": "/v1", "claude": ""}
    texts = {name: "" if name in REAL else f"\n    base_url: {MOCK}{path}" for name, path in paths.items()}
    return re.sub("«(.*?)»", lambda place: (texts | {"mock": MOCK, "gpt": GPT, "haiku": CLAUDE})[place[1]], DOCUMENT)


# Output

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
WIDTH = min(shutil.get_terminal_size((110, 24)).columns, 120)
MARGIN = 11


def paint(code: int, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def bold(text: str) -> str:
    return paint(1, text)


def dim(text: str) -> str:
    return paint(2, text)


def say(label: str, text: str) -> None:
    """A label in the margin, and text beside it."""
    for number, line in enumerate(text.splitlines() or [""]):
        print(f"{dim(f'{label:{MARGIN}}') if number == 0 else ' ' * MARGIN}{line}".rstrip(), flush=True)


def mask(text: str) -> str:
    """Without the accounts' keys, whatever a provider or a host may say."""
    for variable in KEYS.values():
        text = text.replace(os.environ.get(variable) or "\0", "***")
    return text


def cut(text: str) -> str:
    room = WIDTH - MARGIN
    return text if len(text) <= room else text[: room - 1] + "…"


def layout(value: object, indent: int = 0) -> str:
    """JSON on as few lines as the width allows."""
    room = WIDTH - MARGIN - 2
    flat = json.dumps(value, ensure_ascii=False)
    if indent + len(flat) <= room or not isinstance(value, (dict, list)):
        return flat
    members = value.items() if isinstance(value, dict) else (("", member) for member in value)
    text, column = flat[0], indent + 1
    for place, (name, member) in enumerate(members):
        name = f"{json.dumps(name)}: " if name else ""
        length = len(name) + len(json.dumps(member, ensure_ascii=False))
        if place > 0 and column + 2 + length <= room:
            text, column = text + ", ", column + 2
        elif place > 0:
            text, column = text + ",\n" + " " * (indent + 1), indent + 1
        written = layout(member, column + len(name))
        text += name + written
        # What stands beside a member of several lines is overlooked.
        column = room if "\n" in written else column + length
    return text + flat[-1]


# Calls


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def told(self) -> dict[str, str]:
        """What the gateway tells of itself, without the prefix."""
        return {n.removeprefix("x-dragoman-"): value for n, value in self.headers.items() if n.startswith("x-dragoman-")}


def fetch(url: str, body: dict | None = None, headers: dict | None = None, method: str | None = None) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    # No proxy of the environment: all of this is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, headers, mask(answer.read().decode(errors="replace")))


@dataclass
class Call:
    """A call in one of the two formats, and what must come of it."""

    path: str
    body: dict
    upstreams: list[str] = field(default_factory=list)
    status: int = 200
    stand_in: str = ""
    key: str = KEY

    @property
    def auth(self) -> dict[str, str]:
        return {"x-api-key": self.key} if self.path == MESSAGES else {"authorization": f"Bearer {self.key}"}

    def make(self, stream: bool = False) -> Answer:
        body = self.body | ({"stream": True} if stream else {})
        return fetch(GATEWAY + self.path, body, self.auth | {"content-type": "application/json"})

    def sent(self) -> list[tuple[str, dict]]:
        """The upstreams, and what went to each: what a mock received, else what the filter would send."""
        received = iter(json.loads(fetch(f"{MOCK}/mock/requests").body))
        each = [(name, translated(name, self) if name in REAL else next(received, None)) for name in self.upstreams]
        return [(name, request) for name, request in each if request]

    def well(self, answer: Answer) -> bool:
        """Whether the answer is the one that was expected."""
        told = answer.told
        last = self.upstreams[-1] if self.upstreams else None
        if answer.status != self.status or told.get("upstream") != last:
            return False
        return last is None or told["attempts"] == str(len(self.upstreams))


CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


def chat(model: str) -> dict:
    return {
        "model": model,
        "max_completion_tokens": 300,
        "seed": 7,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}],
    }


def message(model: str, **more) -> dict:
    return {"model": model, "max_tokens": 300, "system": "Be brief.", "messages": [{"role": "user", "content": "Say hello."}]} | more


def translated(upstream: str, call: Call) -> dict | None:
    """By the filter's own code. The accounts' keys are kept from it: it puts `unset` in their place."""
    environment = {name: value for name, value in os.environ.items() if name not in KEYS.values()}
    command = [COMMAND, "translate", "request", "--config", CONFIG, "--upstream", upstream, "--path", call.path]
    body = call.body | ({"model": call.stand_in} if call.stand_in else {})
    done = subprocess.run(command, input=json.dumps(body), env=environment, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def hidden_key(headers: dict[str, str]) -> str:
    """The header with which an upstream is paid."""
    paid = [f"{name}: {'Bearer ' * (name == 'authorization')}***" for name in ("authorization", "x-api-key", "x-goog-api-key") if name in headers]
    return "  ".join(paid)


def events(body: str) -> list[str]:
    """The events of a stream, each on one line."""
    return [re.sub(r"\n", "  ", event) for event in body.split("\n\n") if event.strip()]


class Show:
    """Makes calls and shows them."""

    def __init__(self) -> None:
        self.number = 0
        self.failed = 0

    def call(self, title: str, call: Call, stream: bool = False) -> None:
        self.number += 1
        print(f"\n{bold(f'{self.number}  {title}')}")
        fetch(f"{MOCK}/mock/requests", method="DELETE")
        auth = "  ".join(f"{name}: {value}" for name, value in call.auth.items())
        say("client", f"POST {call.path}  {dim(auth)}\n{layout(call.body)}")
        answer = call.make()
        for upstream, sent in call.sent():
            same = (sent["path"], sent["body"]) == (call.path, call.body)
            say(upstream, f"POST {sent['path']}  {dim(hidden_key(sent['headers']))}\n{'(the same)' if same else layout(sent['body'])}")
        self.answer(call, "answer", answer)
        if stream:
            self.answer(call, "streamed", call.make(stream=True), stream=True)

    def answer(self, call: Call, label: str, answer: Answer, stream: bool = False) -> None:
        well = call.well(answer)
        told = "  ".join(f"{name}: {value}" for name, value in answer.told.items() if name != "upstream-request-id")
        say(label, f"{paint(32 if well else 31, str(answer.status))}  {dim(f'x-dragoman-*  {told}' if told else '')}")
        found = events(answer.body) if stream and answer.status == 200 else []
        if found:
            between = [f"… {len(found) - 3} more"] if len(found) > 3 else []
            say("", "\n".join(map(cut, [found[0], *between, *found[1:][-2:]])))
            well = well and ended(found)
        else:
            with contextlib.suppress(ValueError):
                answer.body = layout(json.loads(answer.body))
            say("", answer.body)
        if not well:
            self.failed += 1
            wanted = f"{call.status} from {call.upstreams[-1]}" if call.upstreams else f"{call.status}"
            say("", paint(31, f"not what was expected: {wanted}"))

    def counters(self) -> None:
        """The host's counters and gauges that are the filter's."""
        print(f"\n{bold('Counters')}  {dim(f'curl {ADMIN}/stats/prometheus')}")
        rows = re.findall(r"^(dragoman_(?:\w+_total|inflight))(?:\{(.*)\})? (\d+)$", fetch(f"{ADMIN}/stats/prometheus").body, re.M)
        self.failed += not rows
        for name, labels, value in rows:
            pairs = re.findall(r'(\w+)="(.*?)"', labels)
            shown = " ".join(f"{label}={text}" for label, text in pairs if text and label not in HOSTS_LABELS)
            print(f"{value:>8}  {name:32}{dim(shown)}".rstrip())


# Envoy before 1.39 adds the cluster whose filter came first.
HOSTS_LABELS = ("envoy_cluster_name", "wasm_scope")


def ended(found: list[str]) -> bool:
    """Whether a stream came to its end."""
    return found[-1] == "data: [DONE]" or found[-1].startswith("event: message_stop")


def calls(show: Show) -> None:
    for client, path, body in (("OpenAI's", CHAT, chat), ("Anthropic's", MESSAGES, message)):
        for provider, upstream, model in (("OpenAI", "openai", GPT), ("Anthropic", "claude", CLAUDE)):
            show.call(f"{client} format to {provider}", Call(path, body(model), [upstream]), stream=True)
    show.call("A fallback: the first upstream fails, the host's retry goes to the next", Call(CHAT, chat("smart"), ["down", "claude"]))
    show.call(
        "Another model stands in: the conversation is too long for the one that was asked for, and the next of the other is down",
        Call(CHAT, chat("short"), ["small", "down", "claude"], stand_in="smart"),
    )
    wrong = message(GPT, temperature=9)
    show.call("OpenAI's error, in the client's format", Call(MESSAGES, wrong, ["openai"], 400))
    show.call("The gateway's own error: a key that nobody has", Call(CHAT, chat(GPT), status=401, key="sk-nobody"))


# Processes


class Stop(Exception):
    """Ends the demo with a message."""


def taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def process(name: str, arguments: list, environment: dict[str, str], ready: str) -> Iterator[subprocess.Popen]:
    """A child that runs as long as the block, its output in a file, once `ready` answers."""
    log = FOLDER / f"{name}.log"
    with log.open("w") as output:
        # In a session of its own: Ctrl-C is for this program, which then ends the child.
        child = subprocess.Popen(
            arguments, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 30
        while not answers(ready):
            if child.poll() is not None or time.monotonic() > deadline:
                end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise Stop(f"{name} did not start; the end of {log.relative_to(ROOT)}:\n{end}")
            time.sleep(0.05)
        yield child
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        child.terminate()
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def answers(url: str) -> bool:
    try:
        return fetch(url).status == 200
    except OSError:
        return False


def bootstrap() -> Path:
    """Writes the Dragoman configuration and, from it, Envoy's."""
    CONFIG.write_text(document())
    authorities = Path("/etc/ssl/certs/ca-certificates.crt")
    command = [COMMAND, "envoy", CONFIG, "--address", "127.0.0.1", "--port", str(PORTS["GATEWAY_PORT"])]
    command += ["--admin-port", str(PORTS["ADMIN_PORT"])]
    command += [] if authorities.exists() else ["--ca", certifi.where()]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Stop(done.stderr)
    path = FOLDER / "envoy.yaml"
    path.write_text(done.stdout)
    return path


def environment() -> dict[str, str]:
    """Keys for the mocks, which take any, where there are no real ones."""
    mocks = {name: "mock" for name in [*KEYS.values(), "MOCK_API_KEY"] if not os.environ.get(name)}
    return os.environ | mocks


def head() -> None:
    print(f"{bold('Dragoman')}  an LLM gateway in Envoy, one wasm filter\n")
    say("gateway", f"{GATEWAY}  key {KEY}")
    for upstream, variable in KEYS.items():
        real = upstream in REAL
        say(upstream, f"your account ({variable})" if real else f"built-in mock; set {variable} for your account")
    say("down", "built-in mock of Gemini that always answers 503")
    say("small", "built-in mock of OpenAI to which every conversation is too long")
    say("files", f"{FOLDER.relative_to(ROOT)}/: dragoman.yaml, envoy.yaml made from it, envoy.log with the access log")


def tail() -> None:
    print(f"""
{bold('The gateway runs until Ctrl-C.')} Try:

curl {GATEWAY}/v1/chat/completions -H 'authorization: Bearer {KEY}' -H 'content-type: application/json' \\
  -d '{{"model": "{CLAUDE}", "messages": [{{"role": "user", "content": "Hi"}}], "stream": true}}'

curl {GATEWAY}/v1/messages -H 'x-api-key: {KEY}' -H 'content-type: application/json' \\
  -d '{{"model": "{GPT}", "max_tokens": 300, "messages": [{{"role": "user", "content": "Hi"}}]}}'

curl {GATEWAY}/v1/models -H 'authorization: Bearer {KEY}'

ANTHROPIC_BASE_URL={GATEWAY} ANTHROPIC_AUTH_TOKEN={KEY} claude --model {CLAUDE}
""", flush=True)


def run() -> int:
    for name, port in PORTS.items():
        if taken(port):
            raise Stop(f"port {port} is taken: stop what listens there, or choose another port with `make demo {name}=…`")
    FOLDER.mkdir(parents=True, exist_ok=True)
    envoy = [ENVOY, "-c", bootstrap(), "--use-dynamic-base-id", "--log-level", "warning"]
    mock = [COMMAND, "mock", "--port", str(PORTS["MOCK_PORT"])]
    with (
        process("mock", mock, dict(os.environ), f"{MOCK}/mock/health"),
        process("envoy", envoy, environment(), f"{GATEWAY}/health") as gateway,
    ):
        head()
        show = Show()
        calls(show)
        show.counters()
        if show.failed:
            print(paint(31, f"\n{show.failed} of the answers were not as expected."), flush=True)
        if not ONCE:
            tail()
            gateway.wait()
            raise Stop("Envoy has ended; see target/demo/envoy.log")
    return min(show.failed, 1)


def main() -> int:
    # Like Ctrl-C, so that no process stays behind.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return run()
    except Stop as stop:
        print(f"demo: {mask(str(stop))}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130 if ONCE else 0
    except BrokenPipeError:
        # Nobody reads on; Python would say so once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


if __name__ == "__main__":
    sys.exit(main())
