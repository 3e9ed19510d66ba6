"""Counts the wasm instructions that the filter spends on each kind of call, against the counts in fuel.json, and the memory
that its VM takes.

Fails where a count is more than five percent above, or the memory grows by so much between 500 calls and 2000. `--write` takes the counts of this run as the new baseline: compilers
differ by a few percent, so write it with the one that continuous integration uses.
"""

import json
import subprocess
import sys
from pathlib import Path

import configs
import traffic

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target/bench"
BASELINE = ROOT / "tests/bench/fuel.json"
RUNNER = FOLDER / "fuel/release/fuel"
WASM = ROOT / "target/dragoman.wasm"
TRAFFIC = FOLDER / "traffic"
TOLERANCE = 1.05
PATHS = {"claude": "/v1/messages", "openai": "/v1/chat/completions"}


def run(mode: str, *arguments: object) -> dict:
    done = subprocess.run([RUNNER, mode, WASM, FOLDER / "fuel.json", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{mode} {' '.join(map(str, arguments))}: {done.stderr}")
    return json.loads(done.stdout)


def memory_grows(model: str, upstream: str) -> bool:
    """Shows the memory of a VM; whether it grows too much."""
    answer = PATHS[upstream][1:].replace("/", "_")
    found = run("memory", model, TRAFFIC / f"{answer}.json", TRAFFIC / f"{answer}.sse")
    growth = found["later"] / found["warm"]
    print(
        f"memory, OpenAI to {upstream}: {found['warm'] / 2**20:.1f} MiB after 500 calls, {growth - 1:+.1%} after 2000; "
        f"{found['stream'] / 2**10:.1f} KiB per open stream"
    )
    return growth > TOLERANCE


def counts(model: str, upstream: str, kind: str) -> dict[str, int]:
    """Instructions of a call; for a stream those of an event, and those of all that is not an event."""
    path = PATHS[upstream]
    answer = path[1:].replace("/", "_") + (".sse" if kind == "stream" else ".json")
    spent = run("call", TRAFFIC / f"{model}.{kind}", TRAFFIC / answer)
    if spent["path"] != path:
        sys.exit(f"{kind} to {upstream}: went to {spent['path']}")
    call = spent["request"] + spent["head"] + spent["end"]
    if kind == "stream":
        return {"call": call, "event": spent["body"] // spent["events"]}
    return {"call": call + spent["body"]}


def main() -> None:
    traffic.write(TRAFFIC, list(configs.MODELS))
    # No call leaves the stub host: any port will do.
    (FOLDER / "fuel.json").write_text(json.dumps(configs.dragoman("standalone", 9900)))
    measured = {
        f"{kind}, OpenAI to {upstream}, per {part}": count
        for kind in ("chat", "stream", "image")
        for model, upstream in configs.MODELS.items()
        for part, count in counts(model, upstream, kind).items()
    }
    if "--write" in sys.argv:
        BASELINE.write_text(json.dumps(measured, indent=2) + "\n")
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if baseline.keys() != measured.keys():
        sys.exit("fuel.json has no baseline for these rows: run with --write")
    worse = False
    for name, count in measured.items():
        ratio = count / baseline[name]
        worse |= ratio > TOLERANCE
        print(f"{name:44}{count:12,}{ratio - 1:+9.1%}{'  too much' if ratio > TOLERANCE else ''}")
    for model, upstream in configs.MODELS.items():
        worse |= memory_grows(model, upstream)
    sys.exit(worse)


if __name__ == "__main__":
    main()
