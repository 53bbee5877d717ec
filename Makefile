# Everything that is done here, by name. A newcomer needs two: `make demo` and `make test`.
#
# Needs: Rust (rustup), Python 3.11 or newer, Node 20 or newer. What else is missing is installed into the tree: a
# virtual environment in .venv, node_modules, and tools below target/. Each step repeats only when its inputs change.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv/bin
DONE := target/done
# One version for the crate and the tool: they must be equal, so the lock file says it.
WASM_BINDGEN_VERSION := $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/version = "\(.*\)"/\1/p;}' Cargo.lock)

RUST_SOURCES = $(shell find core/src bindings-*/src -name '*.rs') Cargo.toml Cargo.lock core/Cargo.toml
NODE_SOURCES = $(shell find bindings-wasm bindings-node -path '*/node_modules' -prune -o -path '*/dist' -prune -o -type f -print)
PYTHON_CODE := bindings-python/python bindings-python/tests tests/python tests/reference tests/e2e docs/demo

.PHONY: demo test prove prove-short vectors format lint-rust lint-python lint-js test-rust test-python test-node test-browser test-e2e \
	build python node clean

demo: python ## The guarded backend on http://127.0.0.1:8000; ONCE=1 runs the story by itself
	@cd docs/demo && ../../$(VENV)/python -m halfopen_demo$(if $(ONCE),.story)

test: lint-rust test-rust prove-short lint-python test-python lint-js test-node test-browser vectors test-e2e ## Everything
	@echo "make test: all passed"

vectors: python node $(DONE)/chromium ## The shared vectors in every runner
	@tests/run-vectors

format: $(DONE)/venv $(DONE)/node_modules ## Puts all code into its form
	cargo fmt --all
	$(VENV)/ruff format $(PYTHON_CODE)
	npm run --silent format

build: python node ## Both packages

python: $(DONE)/python
node: $(DONE)/node

## Checks

lint-rust: $(DONE)/rust
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	cargo clippy --quiet --package halfopen --no-default-features --features spin,json -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --package halfopen --features json

lint-python: python
	$(VENV)/ruff format --check $(PYTHON_CODE)
	$(VENV)/ruff check $(PYTHON_CODE)
	$(VENV)/mypy
	$(VENV)/pyright
	$(VENV)/python -m mypy.stubtest halfopen._core

lint-js: node
	npm run --silent check

test-rust: $(DONE)/rust
	cargo test --quiet --package halfopen --features json
	cargo test --quiet --package halfopen --release --test threads

test-python: python
	$(VENV)/pytest bindings-python/tests tests/python
	$(VENV)/pytest --doctest-modules bindings-python/python

test-node: node
	npm run --silent test:native
	npm run --silent test:wasm

test-browser: node $(DONE)/chromium
	npm run --silent test:browser

test-e2e: python $(DONE)/chromium
	$(VENV)/pytest tests/e2e
	$(MAKE) --no-print-directory demo ONCE=1

## The proof: what `make test` runs in short, `make prove` runs at length

LOOM := RUSTFLAGS="--cfg loom" cargo test --quiet --package halfopen --release --test loom --target-dir target/loom

prove-short: python
	$(LOOM)
	$(VENV)/python tests/reference/coverage.py
	$(VENV)/python tests/reference/histories.py 200000

prove: python $(DONE)/miri $(DONE)/cargo-mutants ## An hour or so: every value, interleaving, history and mutant
	HALFOPEN_PROVE=1 cargo test --quiet --package halfopen --release --lib every_reachable_value -- --nocapture
	$(LOOM)
	MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test --package halfopen --lib --target-dir target/miri -- \
		--skip exhaustive --skip as_a_map
	$(VENV)/python tests/reference/coverage.py
	$(VENV)/python tests/reference/histories.py 10000000
	target/tools/bin/cargo-mutants mutants --package halfopen --features json --test-package halfopen,halfopen-tests --output target

## What has to be there first

$(DONE):
	@mkdir -p $@

$(DONE)/rust: rust-toolchain.toml | $(DONE)
	@echo "Rust: the toolchain that rust-toolchain.toml names"
	rustc --version || rustup toolchain install
	rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown
	@touch $@

$(DONE)/miri: | $(DONE)
	rustup component add rust-src miri --toolchain nightly
	@touch $@

$(DONE)/cargo-mutants: | $(DONE)
	cargo install --quiet cargo-mutants --locked --root target/tools
	@touch $@

$(DONE)/venv: requirements.txt | $(DONE)
	@echo "Python: a virtual environment in .venv"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "halfopen needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(VENV)/pip install --quiet --requirement requirements.txt
	@touch $@

$(DONE)/python: $(DONE)/rust $(DONE)/venv bindings-python/pyproject.toml bindings-python/Cargo.toml $(RUST_SOURCES)
	@echo "Python: the package halfopen, built into .venv"
	cd bindings-python && ../$(VENV)/maturin develop --release --quiet
	@touch $@

$(DONE)/node_modules: package-lock.json | $(DONE)
	@echo "Node: node_modules"
	node -e 'if (parseInt(process.versions.node) < 20) { console.error("halfopen needs Node 20 or newer"); process.exit(1) }'
	npm ci --no-audit --no-fund
	@touch $@

$(DONE)/wasm-bindgen-$(WASM_BINDGEN_VERSION): | $(DONE)
	@echo "WebAssembly: wasm-bindgen $(WASM_BINDGEN_VERSION) into target/tools (some minutes, once)"
	target/tools/bin/wasm-bindgen --version 2>/dev/null | grep -qx "wasm-bindgen $(WASM_BINDGEN_VERSION)" || \
		cargo install --quiet wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION) --root target/tools
	@touch $@

$(DONE)/node: $(DONE)/rust $(DONE)/node_modules $(DONE)/wasm-bindgen-$(WASM_BINDGEN_VERSION) $(RUST_SOURCES) $(NODE_SOURCES)
	@echo "Node and browser: the packages halfopen and halfopen-wasm"
	npm run --silent build:wasm
	npm run --silent build:node
	@touch $@

$(DONE)/chromium: | $(DONE)
	@if [ ! -x /usr/bin/chromium ]; then \
		if [ "$$(id -u)" -ne 0 ]; then \
			echo "The browser tests need Debian's chromium: sudo apt-get install --no-install-recommends chromium"; exit 1; \
		fi; \
		echo "Browser: Debian's chromium"; \
		apt-get update --quiet=2; \
		apt-get install --quiet=2 --yes --no-install-recommends chromium; \
	fi
	@touch $@

clean: ## Away with all that was built; the tools stay
	rm -rf .venv node_modules $(DONE) target/debug target/release target/wasm32-unknown-unknown
