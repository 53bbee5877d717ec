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
BENCH := target/bench
# One version for a crate and its tool: they must be equal, so the lock file says it.
locked = $(shell sed -n '/^name = "$1"$$/{n;s/version = "\(.*\)"/\1/p;}' $2)
IAI_CALLGRIND_VERSION := $(call locked,iai-callgrind,tests/bench/rust/Cargo.lock)
WASM_BINDGEN_VERSION := $(call locked,wasm-bindgen,Cargo.lock)

RUST_SOURCES = $(shell find core/src bindings-*/src bindings-wasm/api/src -name '*.rs') Cargo.toml Cargo.lock core/Cargo.toml
NODE_SOURCES = $(shell find bindings-wasm bindings-node -path '*/node_modules' -prune -o -path '*/dist' -prune -o -path '*/pkg' -prune -o -path '*/native' -prune -o -path '*/component*' -prune -o -type f -print)
COMPONENT_SOURCES = $(shell find core/src bindings-wasm/component/src bindings-wasm/component/wit -type f) \
	bindings-wasm/component/Cargo.toml bindings-wasm/scripts/component.mjs bindings-wasm/scripts/tools.mjs Cargo.toml Cargo.lock core/Cargo.toml
BENCH_CRATE := tests/bench/rust/Cargo.toml
FUZZ_CRATE := tests/fuzz/Cargo.toml
PYTHON_CODE := bindings-python/python bindings-python/tests tests/python tests/reference tests/e2e tests/bench docs/demo

PROOF := prove-exhaustive prove-interleavings prove-miri prove-table prove-histories prove-fuzz prove-mutants

.PHONY: demo test prove prove-short $(PROOF) bench bench-instructions vectors format lint-rust lint-python lint-js lint-bench \
	test-rust test-python test-node test-packages test-wide test-browser test-e2e build python node component clean

demo: python ## The guarded backend on http://127.0.0.1:8000; ONCE=1 runs a scripted outage
	@cd docs/demo && ../../$(VENV)/python -m halfopen_demo$(if $(ONCE),.scenario)

test: lint-rust test-rust prove-short lint-python test-python lint-js test-node test-packages test-browser vectors test-e2e ## Everything
	@echo "make test: all passed"

vectors: python node component $(DONE)/chromium ## The shared vectors in every runner
	@tests/run-vectors

format: $(DONE)/venv $(DONE)/node_modules ## Puts all code into its form
	cargo fmt --all
	cargo fmt --manifest-path $(BENCH_CRATE)
	$(VENV)/ruff format $(PYTHON_CODE)
	npm run --silent format

build: python node component ## Both packages, and the component

python: $(DONE)/python
node: $(DONE)/node
component: $(DONE)/component ## The core as a WebAssembly component

## Checks

lint-rust: $(DONE)/rust
	cargo fmt --all --check
	cargo fmt --manifest-path $(BENCH_CRATE) --check
	cargo fmt --manifest-path $(FUZZ_CRATE) --check
	cargo clippy --quiet --locked --manifest-path $(FUZZ_CRATE) --target-dir target/fuzz --all-targets -- -D warnings
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

test-python: python component $(DONE)/promtool
	$(VENV)/pytest bindings-python/tests tests/python
	$(VENV)/pytest --doctest-modules bindings-python/python

test-node: node component
	npm run --silent test:native
	npm run --silent test:wasm
	npm run --silent test:component

# The packages, packed as npm publishes them, in projects of users below target/packages.
packages = node --test --test-concurrency=1 --test-reporter=./tests/packages/harness/reporter.mjs --test-reporter-destination=stdout

test-packages: node $(DONE)/chromium
	$(packages) tests/packages/quick.test.mjs

test-wide: node $(DONE)/chromium ## Every bundler, runtime, test tool and client that bindings-node/README.md lists: five minutes, 2.2 GB
	$(packages) tests/packages/quick.test.mjs tests/packages/wide.test.mjs

test-browser: node $(DONE)/chromium
	npm run --silent test:browser

test-e2e: python $(DONE)/chromium
	$(VENV)/pytest tests/e2e
	$(MAKE) --no-print-directory demo ONCE=1

## The proof: what `make test` runs in short, `make prove` runs at length

# Each part can be run alone; tests/figures.awk draws the figures from the log, and core/README.md repeats them.
prove: ## An hour or more: every value, interleaving and history, fuzzing, mutants
	@mkdir -p target/proof
	@for part in $(PROOF); do \
		echo "== $$part"; SECONDS=0; $(MAKE) --no-print-directory $$part || exit 1; echo "== $$part took $$SECONDS s"; \
	done 2>&1 | tee target/proof/log
	@awk -f tests/figures.awk target/proof/log

exhaustive = cargo test --quiet --package halfopen --release --lib --test stories every_ -- --nocapture
interleavings = RUSTFLAGS="--cfg loom" cargo test --quiet --package halfopen --release --test loom \
	--target-dir target/loom -- --nocapture

# Histories that the model has lived through, in every runner.
generated = rm -rf target/generated && $(VENV)/python tests/reference/generate.py target/generated $1 && \
	HALFOPEN_VECTORS=$(CURDIR)/target/generated tests/run-vectors

prove-short: python node component $(DONE)/chromium
	$(exhaustive)
	$(interleavings)
	cargo test --quiet --locked --manifest-path $(FUZZ_CRATE) --target-dir target/fuzz
	$(VENV)/python tests/reference/coverage.py
	$(VENV)/python tests/reference/histories.py 200000
	$(call generated,100)

prove-exhaustive: $(DONE)/rust
	HALFOPEN_PROVE=1 $(exhaustive)

prove-interleavings: $(DONE)/rust
	HALFOPEN_PROVE=1 $(interleavings)

# What it does not run takes it hours: the searches, and a hundred threads.
prove-miri: $(DONE)/rust $(DONE)/miri
	MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=16 cargo +nightly miri test --package halfopen --target-dir target/miri \
		--lib --test permits --test listeners --test registry --test percentile --test configuration --test status \
		--test explain --test entries --test contradictions --test snapshots -- \
		--skip every_reachable --skip as_a_map

prove-table: python
	$(VENV)/python tests/reference/coverage.py

prove-histories: python node component $(DONE)/chromium
	$(VENV)/python tests/reference/histories.py 10000000
	$(call generated,500)

# What libFuzzer finds stands in the folder that its last lines name.
FUZZ_SECONDS ?= 300
fuzz = PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo +nightly fuzz run --fuzz-dir tests/fuzz --features libfuzzer \
	--target-dir target/fuzz $1 -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1

prove-fuzz: $(DONE)/rust $(DONE)/cargo-fuzz
	$(call fuzz,configs)
	$(call fuzz,histories)
	$(call fuzz,snapshots)

# Which mutants, and why some are left out: tests/mutants.toml. The quick tests notice most; what gets past them meets all.
# cargo-mutants ends with 2 where one survived, and with 3 where one was noticed because it ran without end.
mutants = target/tools/bin/cargo-mutants mutants --config tests/mutants.toml --package halfopen --jobs 2 --output target/proof

prove-mutants: $(DONE)/rust $(DONE)/cargo-mutants
	$(mutants) --timeout=10 --cargo-arg=--lib --cargo-arg=--bins -- -- --skip every_reachable || [[ $$? = [23] ]]
	$(mutants) --iterate --cargo-arg=--tests || [ $$? = 3 ]
	[ ! -s target/proof/mutants.out/missed.txt ]

## The benchmarks: no part of `make test`, so nobody who runs that installs the peers

# cargo, with one of its commands.
bench_cargo = CARGO_TARGET_DIR=$(CURDIR)/$(BENCH)/rust cargo $1 --quiet --locked --manifest-path $(BENCH_CRATE)

bench: lint-bench python node $(DONE)/chromium $(DONE)/bench-python $(DONE)/bench-node ## docs/benchmarks.md, in minutes
	$(call bench_cargo,run) --release --bin memory $(BENCH)/memory.json
	PYTHONPATH=bindings-python/python $(BENCH)/venv/bin/python tests/bench/python/memory.py $(BENCH)/memory-python.json
	PYTHONPATH=bindings-python/python $(BENCH)/venv/bin/python tests/bench/python/scrape.py $(BENCH)/scrape-python.json
	node --expose-gc tests/bench/node/memory.mjs $(BENCH)/memory-node.json
	$(call bench_cargo,run) --release --bin time $(BENCH)/rust.json
	PYTHONPATH=bindings-python/python $(BENCH)/venv/bin/python tests/bench/python/time_calls.py $(BENCH)/python.json
	for build in wasm native; do \
		HALFOPEN_BACKEND=$$build node --expose-gc tests/bench/node/time.mjs $(BENCH)/node-$$build.json || exit 1; \
	done
	node tests/bench/browser/time.mjs $(BENCH)/browser.json
	$(MAKE) --no-print-directory bench-instructions
	$(VENV)/python tests/bench/report.py

# RENEW=1 writes a new baseline, where a change is meant.
bench-instructions: $(DONE)/venv $(DONE)/iai-callgrind-runner-$(IAI_CALLGRIND_VERSION) ## Needs valgrind
	IAI_CALLGRIND_RUNNER=$(CURDIR)/target/tools/bin/iai-callgrind-runner \
		$(call bench_cargo,bench) --bench instructions -- --output-format=json > $(BENCH)/instructions.json
	$(VENV)/python tests/bench/instructions.py $(if $(RENEW),renew) < $(BENCH)/instructions.json

# All that the other linters leave out because it needs the peers.
lint-bench: $(DONE)/rust
	$(call bench_cargo,clippy) --all-targets -- -D warnings

## What has to be there first

$(DONE):
	@mkdir -p $@ $(BENCH)

$(DONE)/rust: rust-toolchain.toml | $(DONE)
	@echo "Rust: the toolchain that rust-toolchain.toml names"
	rustc --version || rustup toolchain install
	rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown
	@touch $@

$(DONE)/miri: | $(DONE)
	rustup component add rust-src miri --toolchain nightly
	@touch $@

$(DONE)/cargo-fuzz: | $(DONE)
	cargo install --quiet cargo-fuzz --version 0.13.2 --locked --root target/tools
	@touch $@

$(DONE)/cargo-mutants: | $(DONE)
	cargo install --quiet cargo-mutants --version 27.1.0 --locked --root target/tools
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

$(DONE)/bench-python: $(DONE)/venv tests/bench/python/requirements.txt
	@echo "Benchmarks: the peers in Python, in an environment of their own"
	$(PYTHON) -m venv $(BENCH)/venv
	$(BENCH)/venv/bin/pip install --quiet --require-hashes --requirement tests/bench/python/requirements.txt
	@touch $@

$(DONE)/bench-node: $(DONE)/node_modules tests/bench/node/package-lock.json
	@echo "Benchmarks: the peers in Node"
	cd tests/bench/node && npm ci --no-audit --no-fund
	@touch $@

$(DONE)/iai-callgrind-runner-$(IAI_CALLGRIND_VERSION): | $(DONE)
	@valgrind --version || { echo "Instructions are counted by valgrind: sudo apt-get install valgrind"; exit 1; }
	cargo install --quiet iai-callgrind-runner --version $(IAI_CALLGRIND_VERSION) --locked --root target/tools
	@touch $@

$(DONE)/node: $(DONE)/rust $(DONE)/node_modules $(DONE)/wasm-bindgen-$(WASM_BINDGEN_VERSION) $(RUST_SOURCES) $(NODE_SOURCES)
	@echo "Node and browser: the packages halfopen and halfopen-wasm"
	npm run --silent build:node
	@touch $@

# Without its own lock file, which is older than its dependencies allow.
$(DONE)/wasm-bindgen-$(WASM_BINDGEN_VERSION): | $(DONE)
	@echo "WebAssembly: the tool wasm-bindgen, in two minutes"
	target/tools/bin/wasm-bindgen --version 2>&1 | grep -qw $(WASM_BINDGEN_VERSION) || \
		cargo install --quiet wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION) --root target/tools
	@touch $@

$(DONE)/component: $(DONE)/rust $(DONE)/node_modules $(COMPONENT_SOURCES)
	@echo "Component: the package halfopen:breaker"
	npm run --silent build:component
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

$(DONE)/promtool: | $(DONE)
	@if [ ! -x /usr/bin/promtool ]; then \
		if [ "$$(id -u)" -ne 0 ]; then \
			echo "The tests of the alert rules need promtool, which is in Debian's prometheus:" \
				"sudo apt-get install --no-install-recommends prometheus"; exit 1; \
		fi; \
		echo "Alert rules: promtool, from Debian's prometheus"; \
		apt-get update --quiet=2; \
		apt-get install --quiet=2 --yes --no-install-recommends prometheus; \
	fi
	@touch $@

clean: ## Away with all that was built; the tools stay
	rm -rf tests/bench/node/node_modules $(BENCH)
	rm -rf .venv node_modules $(DONE) target/packages target/debug target/release target/wasm32-unknown-unknown
