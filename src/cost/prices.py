"""Writes src/cost/prices.tsv from the public table of prices and context windows in the LiteLLM package: `make prices`.

    prices.py [WHEEL]    a wheel of litellm; without one, the latest is downloaded with pip
"""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path
from urllib.request import Request, urlopen

OUT = Path(__file__).with_name("prices.tsv")

# Their providers to ours, where the names differ.
PROVIDERS = {
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
    "cohere_chat": "cohere",
    "fireworks_ai-embedding-models": "fireworks_ai",
    "text-completion-codestral": "codestral",
    "text-completion-inception": "inception",
    "text-completion-openai": "openai",
}
# Prefixes of their names that are no part of the model's own.
PREFIXES = {
    "azure": ("azure/", "azure_text/"),
    "bedrock": ("bedrock/", "bedrock_converse/"),
    "codestral": ("codestral/", "text-completion-codestral/"),
    "inception": ("inception/", "text-completion-inception/"),
    "vertex": ("vertex_ai/",),
}

# Their fields to the parts of a price; the first of two that say the same is taken.
PARTS = [
    ("input_cost_per_token", "input"),
    ("output_cost_per_token", "output"),
    ("cache_read_input_token_cost", "cache_read"),
    ("input_cost_per_token_cache_hit", "cache_read"),
    ("cache_creation_input_token_cost_above_1hr", "cache_write_1h"),
    ("cache_creation_input_token_cost", "cache_write"),
    ("output_cost_per_reasoning_token", "reasoning"),
    ("input_cost_per_audio_token", "input_audio"),
    ("output_cost_per_audio_token", "output_audio"),
    ("input_cost_per_image_token", "input_image"),
    ("output_cost_per_image_token", "output_image"),
]
UNITS = [("input_cost_per_request", "request"), ("input_cost_per_query", "request"), ("output_cost_per_image", "image"),
         ("input_cost_per_character", "character"), ("input_cost_per_second", "second")]
ORDER = ["input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "input_audio", "output_audio",
         "input_image", "output_image", "image", "request", "character", "second"]
CLASSES = {"": "", "batches": "batch", "fast": "fast", "flex": "flex", "priority": "priority", "ultrafast": "fast"}
CLASS_ORDER = ["", "batch", "fast", "flex", "priority"]
MILLION = Decimal(1_000_000)


def number(value):
    """A price per million, without the noise of binary fractions."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value < 0:
        return None
    exact = (value * MILLION).normalize()
    if len(exact.as_tuple().digits) > 12:
        exact = exact.quantize(Decimal("1E-9")).normalize()
    return exact


def prices(entry):
    """{(part, class, tokens above which it holds): USD per million}"""
    found = {}
    for field, part in PARTS:
        pattern = re.compile(re.escape(field) + r"(?:_above_(\d+)k_tokens)?(?:_(batches|fast|flex|priority|ultrafast))?")
        for name, value in entry.items():
            match = pattern.fullmatch(name)
            price = match and number(value)
            if price is None:
                continue
            key = (part, CLASSES[match[2] or ""], int(match[1] or 0))
            found.setdefault(key, price)
    ranges = entry.get("tiered_pricing")
    if isinstance(ranges, list):
        for tier in ranges:
            start = tier.get("range", [None])[0]
            if start is None or start % 1000:
                continue
            for field, part in PARTS:
                price = number(tier.get(field))
                if price is not None:
                    found.setdefault((part, "", int(start) // 1000), price)
    special = entry.get("provider_specific_entry")
    if isinstance(special, dict) and "fast" in special:
        for (part, kind, above), price in list(found.items()):
            if kind == "":
                found.setdefault((part, "fast", above), (price * special["fast"]).normalize())
    tokens = any(price > 0 for price in found.values())
    for field, part in UNITS:
        price = number(entry.get(field))
        # An image's price by tokens and its price by the piece are two ways to say one thing.
        # Where tokens are paid, the same is told in characters or seconds of them.
        if part in ("character", "second") and (tokens or entry.get("mode") not in ("audio_speech", "audio_transcription")):
            continue
        if price and not (part == "image" and (tokens or entry.get("mode") not in ("image_generation", "image_edit"))):
            found.setdefault((part, "", 0), price)
    # Reasoning that costs what other output does needs no price, and then follows output in every class and tier.
    if found.get(("reasoning", "", 0)) == found.get(("output", "", 0)):
        found = {key: price for key, price in found.items() if key[0] != "reasoning"}
    # A part for nothing is a part that nobody has looked up: it costs what it is a part of.
    found = {key: price for key, price in found.items() if price > 0 or key[0] in ("input", "output")}
    # What is told for a class or tier alone has no base to differ from.
    for part, kind, above in list(found):
        if kind == "" and above == 0 and part in ("input", "output"):
            continue
        if (kind or above) and (part, "", 0) not in found:
            base = "output" if part in ("output_audio", "output_image", "reasoning") else "input"
            if (base, "", 0) not in found:
                del found[part, kind, above]
    return found


def useful(found):
    """Whether it prices calls. Zeros are left out: there they stand for what nobody has looked up."""
    return any(price > 0 for price in found.values()) and any(
        key[1:] == ("", 0) and key[0] in ("input", "image", "request", "character", "second", "output") for key in found
    )


def window(entry):
    """How many tokens of input the model takes, where that is known."""
    tokens = entry.get("max_input_tokens")
    return tokens if isinstance(tokens, int) and 0 < tokens <= 100_000_000 else None


def write(found, tokens):
    def one(key):
        part, kind, above = key
        return f"{part}{'.' + kind if kind else ''}{f'>{above}k' if above else ''}={found[key]:f}"

    order = sorted(found, key=lambda key: (CLASS_ORDER.index(key[1]), key[2], ORDER.index(key[0])))
    row = " ".join(one(key) for key in order)
    return f"{row}\t{tokens}" if tokens else row


# A date or version at the end of a name: the same model without it.
DATED = re.compile(r"^(.{3,}?)(?:-\d{8}|-\d{4}-\d\d-\d\d|@\d{8})(?:-v\d+(?::\d+)?)?$")


def undated(rows):
    """Rows for models of which only dated names are known, at the latest date's prices."""
    latest = {}
    for (provider, name), row in rows.items():
        match = DATED.match(name)
        if match and (provider, match[1]) not in rows:
            latest[provider, match[1]] = max(latest.get((provider, match[1]), ("", "")), (name, row))
    return {key: row for key, (_, row) in latest.items()}


def generate(table, known):
    rows = {}
    for name, entry in table.items():
        theirs = entry.get("litellm_provider") or ""
        provider = "vertex" if theirs.startswith("vertex_ai") else PROVIDERS.get(theirs, theirs)
        if provider not in known or entry.get("mode") in ("video_generation", "evaluation", "search"):
            continue
        for prefix in PREFIXES.get(provider, (f"{provider}/",)):
            name = name.removeprefix(prefix)
        found = prices(entry)
        # Prices by size are in names such as `1024-x-1024/dall-e-3`, and commitments are paid by the hour.
        if not useful(found) or re.search(r"\d-x-\d|-commitment/|\s", name):
            continue
        rows.setdefault((provider, name), write(found, window(entry)))
    rows |= undated(rows)
    return sorted(rows.items(), key=lambda row: f"{row[0][0]}/{row[0][1]}".encode())


def wheel(directory):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "litellm"]
    subprocess.run([*command, "--only-binary", ":all:", "--dest", directory], check=True)
    return next(Path(directory).glob("litellm-*.whl"))


def read(path):
    """The table, the release, and where in it the table is."""
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if re.search(r"/model_prices_and_context_window\w*\.json$", n))
        table = json.loads(archive.read(name), parse_float=Decimal)
    return table, path.name.split("-")[1], name


def released(version):
    """The day on which PyPI got the release."""
    request = Request("https://pypi.org/simple/litellm/", headers={"accept": "application/vnd.pypi.simple.v1+json"})
    with urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    return next(file["upload-time"][:10] for file in files if file["filename"].startswith(f"litellm-{version}-"))


def main():
    catalogue = Path(__file__).parents[1].joinpath("provider/catalogue.rs").read_text()
    known = set(re.findall(r'^        id: "([^"]+)"', catalogue, re.M))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else wheel(directory)
        table, version, name = read(path)
    try:
        date = released(version)
    except OSError as error:
        sys.exit(f"prices: the day of release of litellm {version} is not known: {error}")
    rows = generate(table, known)
    head = f"""\
# Prices in USD per million tokens, images, requests, characters or seconds; written by `make prices`, not by hand.
# Source: {name} in litellm {version} of {date}, https://pypi.org/project/litellm/{version}/
# Licence of the source: MIT, Copyright (c) 2023 Berri AI
#
# provider, model, prices: PART[.CLASS][>TOKENS]=PRICE, where a price with >TOKENS holds for calls with more input; then how
# many tokens of input the model takes, where that is known.
"""
    OUT.write_text(head + "".join(f"{provider}\t{name}\t{row}\n" for (provider, name), row in rows))
    print(f"{OUT}: {len(rows)} models of litellm {version} ({date})")


if __name__ == "__main__":
    main()
