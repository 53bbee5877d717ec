# All tasks of this repository; `make` lists them.
#
# Needs: Rust (rustup), Python 3.11 or newer, Node 20 or newer. Everything else is installed into the tree: a virtual
# environment in .venv, node_modules, and tools below target/. A step repeats only when its inputs change.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv/bin
# The versions of CPython that the package supports; .venv has one of them. PYTHON312=/path/to/python says where 3.12 is.
PYTHONS := 3.11 3.12 3.13
other_pythons = $(filter-out $(shell $(VENV)/python -c 'import sys; print("{}.{}".format(*sys.version_info))'),$(PYTHONS))
# A target that has no `std`.
NO_STD_TARGET := aarch64-unknown-none

DONE := target/done
BENCH := target/bench
# The interpreter for a rule of `venv-3.12` or another version.
python = $(or $(PYTHON$(subst .,,$*)),python$*)
# The versions of a crate and its tool must be equal, so both come from the lock file.
locked = $(shell sed -n '/^name = "$1"$$/{n;s/version = "\(.*\)"/\1/p;}' $2)
IAI_CALLGRIND_VERSION := $(call locked,iai-callgrind,tests/bench/rust/Cargo.lock)
WASM_BINDGEN_VERSION := $(call locked,wasm-bindgen,Cargo.lock)

# A binding depends on the core and on its own sources, so an edit rebuilds no other binding.
CORE_SOURCES = $(shell find core/src core/counter -type f) core/Cargo.toml Cargo.toml Cargo.lock
PYTHON_SOURCES = $(shell find bindings-python/src -type f) bindings-python/Cargo.toml bindings-python/pyproject.toml
WASM_SOURCES = $(shell find bindings-wasm/src bindings-wasm/ts bindings-wasm/api/src bindings-wasm/api/ts -type f) \
	$(wildcard bindings-wasm/*.json bindings-wasm/*.toml bindings-wasm/api/*.json bindings-wasm/api/*.toml) \
	$(filter-out %/component.mjs,$(wildcard bindings-wasm/scripts/*.mjs))
NODE_SOURCES = $(shell find bindings-node/src bindings-node/ts bindings-node/scripts -type f) \
	$(wildcard bindings-node/*.json bindings-node/*.toml bindings-node/*.rs)
COMPONENT_SOURCES = $(shell find bindings-wasm/component/src bindings-wasm/component/wit -type f) \
	bindings-wasm/component/Cargo.toml bindings-wasm/scripts/component.mjs bindings-wasm/scripts/tools.mjs
BENCH_CRATE := tests/bench/rust/Cargo.toml
FUZZ_CRATE := tests/fuzz/Cargo.toml
PYTHON_CODE := bindings-python/python bindings-python/tests tests/documents tests/lists tests/python tests/reference tests/e2e tests/bench docs/demo

PROOF := prove-exhaustive prove-interleavings prove-miri prove-table prove-histories prove-fuzz

.PHONY: demo generate interface test prove prove-short $(PROOF) prove-mutants bench bench-instructions vectors format lint-rust lint-python lint-js lint-bench \
	test-rust test-python test-node test-packages test-wide test-pythons $(PYTHONS:%=test-python-%) wheel test-browser test-documents test-e2e test-simulator docs docs-serve help check build python wasm node component dev-python dev-wasm dev-node clean

## Common tasks

# Lists the targets with a `##` text, below the headings of this file.
help: ## Prints this list
	@awk 'BEGIN { FS = ":.*## " } /^## / { heading = substr($$0, 4); next } /^[a-z0-9-]+:.*## / { \
		if (heading) { printf "\n%s\n", heading; heading = "" } printf "  make %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: python ## The guarded backend on http://127.0.0.1:8000; ONCE=1 runs a scripted outage
	@cd docs/demo && ../../$(VENV)/python -m halfopen_demo$(if $(ONCE),.scenario)

test: lint-rust test-rust prove-short lint-python test-python lint-js test-node test-packages test-browser test-simulator test-documents vectors test-e2e ## All checks and tests, in about ten minutes
	@echo "make test: all passed"

vectors: python node component $(DONE)/with-pool $(DONE)/chromium ## Runs the shared vectors in every runner
	@tests/run-vectors

generate: $(DONE)/rust ## Writes the lists of fields and enumerations into the bindings and docs
	$(PYTHON) tests/lists/write_lists.py

format: $(DONE)/venv $(DONE)/node_modules ## Formats all code
	cargo fmt --all
	cargo fmt --manifest-path $(BENCH_CRATE)
	cargo fmt --manifest-path $(FUZZ_CRATE)
	$(VENV)/ruff format $(PYTHON_CODE)
	npm run --silent format

build: python node component ## All packages and the component, as released

python: $(DONE)/python ## The Python package
wasm: $(DONE)/wasm ## The browser package
node: $(DONE)/node ## The Node package
component: $(DONE)/component ## The WebAssembly component

clean: ## Removes all build results, but not the tools
	rm -rf tests/bench/node/node_modules $(BENCH)
	rm -rf .venv node_modules $(DONE) target/pythons target/wheel target/packages target/with-pool target/debug target/release target/wasm32-unknown-unknown

## After an edit

# Format, lints, types and the core's tests. The linters use a development build if there is one.
check: lint-rust lint-python lint-js ## Format, lints, types, core's tests: the quick check before a commit
	cargo test --quiet --package halfopen --features sim
	@echo "make check: all passed"

# Development builds replace the release builds of the same packages. The next `make python` or `make test` builds for
# release again, because each build removes the stamp of the other one.
dev-python: $(DONE)/dev-python ## The Python package, compiled in seconds and slower at run time
dev-wasm: $(DONE)/dev-wasm ## The same for the browser package
dev-node: $(DONE)/dev-node ## The same for the Node package

DEV_PROFILE := dev-fast
# The build that is in place: a development build or the one for release.
built = $(if $(wildcard $(DONE)/dev-$1),dev-$1,$1)

## Checks and tests

lint-rust: $(DONE)/rust ## Format, clippy and docs of Rust
	cargo fmt --all --check
	cargo fmt --manifest-path $(BENCH_CRATE) --check
	cargo fmt --manifest-path $(FUZZ_CRATE) --check
	cargo clippy --quiet --locked --manifest-path $(FUZZ_CRATE) --target-dir target/fuzz --all-targets -- -D warnings
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	cargo clippy --quiet --package halfopen --no-default-features --features spin,json --target $(NO_STD_TARGET) -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --package halfopen --features sim

lint-python: $(call built,python) ## Format, lints and types of Python
	$(VENV)/ruff format --check $(PYTHON_CODE)
	$(VENV)/ruff check $(PYTHON_CODE)
	$(VENV)/python tests/lists/write_lists.py --check
	$(VENV)/mypy
	$(VENV)/pyright
	$(VENV)/python -m mypy.stubtest halfopen._core

lint-js: $(call built,node) ## Format, lints and types of JavaScript
	npm run --silent check

test-rust: $(DONE)/rust ## The core's tests
	cargo test --quiet --package halfopen --features sim
	cargo test --quiet --package halfopen --release --test threads
	cargo run --quiet --package halfopen-tests --bin simulations

test-python: python node component $(DONE)/promtool ## The tests of the Python package and the component
	$(VENV)/pytest bindings-python/tests tests/python
	$(VENV)/pytest --doctest-modules bindings-python/python

# The interpreters are looked for before the first test runs.
test-pythons: $(DONE)/venv ## The same with the wheel, on the other supported versions of CPython
	@$(MAKE) --no-print-directory --keep-going $(other_pythons:%=$(DONE)/venv-%)
	@$(MAKE) --no-print-directory $(other_pythons:%=test-python-%)

$(PYTHONS:%=test-python-%): test-python-%: $(DONE)/venv-% wheel node component $(DONE)/promtool
	@echo "Python $*: the tests"
	target/pythons/$*/bin/pip install --quiet --force-reinstall --no-deps target/wheel/*.whl
	target/pythons/$*/bin/pytest bindings-python/tests tests/python
	target/pythons/$*/bin/pytest --doctest-modules --pyargs halfopen

# One wheel for all versions.
wheel: python
	@rm -rf target/wheel
	cd bindings-python && ../$(VENV)/maturin build --release --locked --quiet --out ../target/wheel

test-node: node component ## The tests of the Node package, with both builds of the core
	npm run --silent test:native
	npm run --silent test:wasm
	npm run --silent test:component

# Packs the packages as npm publishes them and installs them in projects below target/packages.
packages = node --test --test-concurrency=1 --test-reporter=./tests/packages/harness/reporter.mjs --test-reporter-destination=stdout

test-packages: node $(DONE)/chromium ## The npm packages, installed in projects of users
	$(packages) tests/packages/quick.test.mjs

test-wide: node python component $(DONE)/simulator $(DONE)/chromium $(DONE)/promtool ## The same with every bundler, runtime, test tool and client; a minute of outage; test-pythons: 15 minutes, 3.5 GB
	@$(MAKE) --no-print-directory test-pythons
	$(packages) tests/packages/quick.test.mjs tests/packages/wide.test.mjs
	npm run --silent --workspace docs/simulator test:frames
	HALFOPEN_WIDE=1 $(VENV)/pytest --capture=no bindings-python/tests/test_outage.py

test-browser: node $(DONE)/chromium ## The tests of the browser package in Chromium
	npm run --silent test:browser

test-simulator: python node $(DONE)/simulator $(DONE)/chromium ## The simulator's page in Chromium, and the code that it copies
	npm run --silent --workspace docs/simulator test

interface: python node ## Writes docs/interface.md, the public names of all packages
	$(VENV)/python tests/documents/interface_page.py

docs: $(DONE)/docs ## The guide and the references of the APIs, in target/docs
docs-serve: docs ## The guide on http://127.0.0.1:4173
	$(VENV)/python -m http.server --bind 127.0.0.1 --directory target/docs 4173

test-documents: python node component docs $(DONE)/chromium $(DONE)/promtool ## The code in all documents, and the page of public names
	$(VENV)/pytest tests/documents
	npm run --silent --workspace halfopen-docs test

test-e2e: python $(DONE)/node_modules $(DONE)/simulator $(DONE)/chromium ## The demo, end to end, and a replay of the log that it records
	$(VENV)/pytest tests/e2e
	$(MAKE) --no-print-directory demo ONCE=1

## Proof: `make test` runs the short form, `make prove` the long one

# Each part can run alone. tests/figures.awk extracts the figures from the log; core/README.md quotes them.
prove: ## Exhaustive search, interleavings, miri, histories, fuzzing: an hour
	@mkdir -p target/proof
	@for part in $(PROOF); do \
		echo "== $$part"; SECONDS=0; $(MAKE) --no-print-directory $$part || exit 1; echo "== $$part took $$SECONDS s"; \
	done 2>&1 | tee target/proof/log
	@awk -f tests/figures.awk target/proof/log

exhaustive = cargo test --quiet --package halfopen --release --lib --test sequences every_ -- --nocapture
interleavings = RUSTFLAGS="--cfg loom" cargo test --quiet --package halfopen --release --test loom \
	--target-dir target/loom -- --nocapture

# Random histories with the results of the model, run by every runner.
generated = rm -rf target/generated && $(VENV)/python tests/reference/generate.py target/generated $1 && \
	HALFOPEN_VECTORS=$(CURDIR)/target/generated tests/run-vectors

prove-short: python node component $(DONE)/with-pool $(DONE)/chromium
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

# Without the searches and the tests with thousands of calls, breakers or threads, which take hours in miri.
MIRI_TESTS := configuration contradictions entries explain fork futures host listeners nesting overdue percentile permits \
	registry snapshots status

prove-miri: $(DONE)/rust $(DONE)/miri
	MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=16 cargo +nightly miri test --package halfopen --target-dir target/miri \
		--lib $(MIRI_TESTS:%=--test %) -- --skip every_reachable --skip many_hours

prove-table: python
	$(VENV)/python tests/reference/coverage.py

prove-histories: python node component $(DONE)/with-pool $(DONE)/chromium
	$(VENV)/python tests/reference/histories.py 10000000
	$(call generated,500)

# libFuzzer prints the folder of a failing input in its last lines.
FUZZ_SECONDS ?= 300
fuzz = PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo +nightly fuzz run --fuzz-dir tests/fuzz --features libfuzzer \
	--target-dir target/fuzz $1 -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1

prove-fuzz: $(DONE)/rust $(DONE)/cargo-fuzz
	$(call fuzz,configs)
	$(call fuzz,histories)
	$(call fuzz,snapshots)
	$(call fuzz,responses)

# tests/mutants.toml lists the excluded mutants. The first run uses the quick tests, the second runs all tests on the
# survivors. cargo-mutants exits with 2 if a mutant survived, and with 3 if one timed out.
#
# The core has 3,000 mutants, and each takes a core for 5 seconds. So this is no part of `make prove`, and a folder runs
# alone: `make prove-mutants FILES='core/src/control/**'`.
FILES ?= core/src/**
mutants = target/tools/bin/cargo-mutants mutants --config tests/mutants.toml --file '$(FILES)' --package halfopen --jobs 2 \
	--output target/proof

prove-mutants: $(DONE)/rust $(DONE)/cargo-mutants ## The core changed in one place at a time: hours; FILES='core/src/control/**'
	$(mutants) --timeout=10 --cargo-arg=--lib --cargo-arg=--bins -- -- --skip every_reachable || [[ $$? = [23] ]]
	$(mutants) --iterate --cargo-arg=--tests || [ $$? = 3 ]
	[ ! -s target/proof/mutants.out/missed.txt ]

## Benchmarks: not part of `make test`, which therefore does not install the peers

# Runs a cargo command on the benchmark crate.
bench_cargo = CARGO_TARGET_DIR=$(CURDIR)/$(BENCH)/rust cargo $1 --quiet --locked --manifest-path $(BENCH_CRATE)

bench: lint-bench python node $(DONE)/simulator $(DONE)/chromium $(DONE)/bench-python $(DONE)/bench-node ## Writes docs/benchmarks.md, in minutes
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
	cargo run --quiet --release --package halfopen-tests --bin simulations measure $(BENCH)/simulation.json
	node tests/bench/browser/simulation.mjs $(BENCH)/simulation-browser.json
	$(MAKE) --no-print-directory bench-instructions
	$(VENV)/python tests/bench/report.py

# RENEW=1 writes a new baseline after an intended change.
bench-instructions: $(DONE)/venv $(DONE)/iai-callgrind-runner-$(IAI_CALLGRIND_VERSION) ## Counts the instructions of the core; needs valgrind
	IAI_CALLGRIND_RUNNER=$(CURDIR)/target/tools/bin/iai-callgrind-runner \
		$(call bench_cargo,bench) --bench instructions -- --output-format=json > $(BENCH)/instructions.json
	$(VENV)/python tests/bench/instructions.py $(if $(RENEW),renew) < $(BENCH)/instructions.json

# The benchmark crate needs the peers, so the other linters leave it out.
lint-bench: $(DONE)/rust
	$(call bench_cargo,clippy) --all-targets -- -D warnings

## Prerequisites

$(DONE):
	@mkdir -p $@ $(BENCH)

$(DONE)/rust: rust-toolchain.toml | $(DONE)
	@echo "Rust: the toolchain in rust-toolchain.toml"
	rustc --version || rustup toolchain install
	for target in wasm32-unknown-unknown $(NO_STD_TARGET); do \
		rustup target list --installed | grep -qx $$target || rustup target add $$target || exit 1; done
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

$(PYTHONS:%=$(DONE)/venv-%): $(DONE)/venv-%: requirements.txt | $(DONE)
	@echo "Python $*: a virtual environment in target/pythons/$*"
	@$(python) -c 'import sys; sys.exit("{}.{}".format(*sys.version_info) != "$*")' || { \
		echo "The tests need CPython $*, and '$(python)' does not start it. Install it ('uv python install $*', or" \
			"'pyenv install $*'), and put python$* on the PATH or pass PYTHON$(subst .,,$*)=/path/to/python"; exit 1; }
	$(python) -m venv --clear target/pythons/$*
	target/pythons/$*/bin/pip install --quiet --requirement requirements.txt
	@touch $@

$(DONE)/python: $(DONE)/rust $(DONE)/venv $(CORE_SOURCES) $(PYTHON_SOURCES)
	@echo "Python: the package halfopen, built into .venv"
	cd bindings-python && ../$(VENV)/maturin develop --release --quiet
	@rm -f $(DONE)/dev-python
	@touch $@

$(DONE)/dev-python: $(DONE)/rust $(DONE)/venv $(CORE_SOURCES) $(PYTHON_SOURCES)
	@rm -f $(DONE)/python
	cd bindings-python && ../$(VENV)/maturin develop --profile $(DEV_PROFILE) --quiet
	@touch $@

$(DONE)/node_modules: package-lock.json | $(DONE)
	@echo "Node: node_modules"
	node -e 'if (parseInt(process.versions.node) < 20) { console.error("halfopen needs Node 20 or newer"); process.exit(1) }'
	npm ci --no-audit --no-fund
	@touch $@

$(DONE)/bench-python: $(DONE)/venv tests/bench/python/requirements.txt
	@echo "Benchmarks: the peers in Python, in a separate environment"
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

WASM_PREREQUISITES = $(DONE)/rust $(DONE)/node_modules $(DONE)/wasm-bindgen-$(WASM_BINDGEN_VERSION) $(CORE_SOURCES) $(WASM_SOURCES)

SIMULATOR_SOURCES = $(shell find docs/simulator bindings-wasm/sim -type f -not -path '*/pkg/*' -not -path '*/test/*') \
	bindings-wasm/api/ts/letters.ts bindings-wasm/scripts/letters.mjs bindings-wasm/scripts/tools.mjs

# The page with the simulation, which has a WebAssembly of its own.
$(DONE)/simulator: $(DONE)/rust $(DONE)/node_modules $(DONE)/wasm-bindgen-$(WASM_BINDGEN_VERSION) $(CORE_SOURCES) $(SIMULATOR_SOURCES)
	@echo "Simulator: the page, in target/simulator"
	cargo clippy --quiet --package halfopen-sim-wasm --target wasm32-unknown-unknown -- -D warnings
	npm run --silent --workspace docs/simulator build
	@touch $@

DOCS_SOURCES = $(shell find docs -name '*.md' -not -path 'docs/demo/*') $(shell find docs/.vitepress docs/scripts -type f) docs/package.json

# VitePress refuses a dead link between its pages, and the last step one between all pages, with the references.
$(DONE)/docs: $(DOCS_SOURCES) $(DONE)/python $(DONE)/node $(DONE)/simulator $(CORE_SOURCES)
	@echo "Documentation: the guide, and the references of the APIs"
	npm run --silent --workspace halfopen-docs build
	@rm -rf target/docs/simulator && cp -r target/simulator target/docs/simulator
	$(VENV)/pdoc --output-directory target/docs/api/python halfopen
	npm run --silent --workspace halfopen-docs references
	cargo doc --quiet --no-deps --package halfopen --features sim,serde
	@mkdir -p target/docs/api && cp -r target/doc target/docs/api/rust
	npm run --silent --workspace halfopen-docs links
	@touch $@

$(DONE)/wasm: $(WASM_PREREQUISITES)
	@echo "Browser: the package halfopen-wasm"
	npm run --silent build:wasm
	@rm -f $(DONE)/dev-wasm
	@touch $@

# The vectors of pools need it; no package contains it. After the page's module, because cargo writes both to one path.
$(DONE)/with-pool: $(DONE)/wasm
	@echo "Vectors: the WebAssembly with the pool"
	npm run --silent build:with-pool
	@touch $@

$(DONE)/dev-wasm: $(WASM_PREREQUISITES)
	@rm -f $(DONE)/wasm
	HALFOPEN_PROFILE=$(DEV_PROFILE) npm run --silent build:wasm
	@touch $@

# The Node package contains the WebAssembly of the browser package.
$(DONE)/node: $(DONE)/wasm $(NODE_SOURCES)
	@echo "Node: the package halfopen"
	npm run --silent build:node
	@rm -f $(DONE)/dev-node
	@touch $@

$(DONE)/dev-node: $(DONE)/dev-wasm $(NODE_SOURCES)
	@rm -f $(DONE)/node
	HALFOPEN_PROFILE=$(DEV_PROFILE) npm run --silent build:node
	@touch $@

# Without --locked, because its own lock file is too old for its dependencies.
$(DONE)/wasm-bindgen-$(WASM_BINDGEN_VERSION): | $(DONE)
	@echo "WebAssembly: the tool wasm-bindgen, in two minutes"
	target/tools/bin/wasm-bindgen --version 2>&1 | grep -qw $(WASM_BINDGEN_VERSION) || \
		cargo install --quiet wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION) --root target/tools
	@touch $@

$(DONE)/component: $(DONE)/rust $(DONE)/node_modules $(CORE_SOURCES) $(COMPONENT_SOURCES)
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
