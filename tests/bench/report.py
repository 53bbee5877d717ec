"""Writes docs/benchmarks.md and the table in the README from the readings in target/bench.

No figure is typed by hand.
"""

import gzip
import json
from collections.abc import Iterator
from statistics import median
from typing import Any

from environment import ROOT, machine, pinned_versions, revision, rust_version
from instructions import baseline, parse_counts
from readings import Readings, format_number, load
from readme_table import update_readme
from simulated import Simulated
from tables import comparison, table
from targets import Target, number, targets

RESULTS = ROOT / "target/bench"
WASM = ROOT / "bindings-wasm/dist"

INTRODUCTION = """\
# How much a guarded call costs

Written by `make bench`; no figure is typed by hand. The code is in [tests/bench](../tests/bench): for each language a
`contenders` file configures the breakers and a `harness` times them.

All contenders of a path run in one process and take turns in each round, a few milliseconds each; in Rust and in
Python pinned to one core. Figures are nanoseconds per call, *minimum / median* of the rounds. Figures of success and
failure are *net*: the minimum of the bare call (last columns) is subtracted from the minimum, its median from the
median. A rejected call is never made, so its figure is the whole time until the caller has the error. In brackets: the
median of halfopen divided by that of the best peer on the same path. Durations are recorded unless the column says
otherwise. On failure paths one call in 50 succeeds, so that every circuit stays closed. The outcomes are checked
before and after the rounds.
"""

TARGETS = """\
The targets apply to the medians of the whole run; *half of the rounds* is the interquartile range over the rounds. The
limits in nanoseconds were set on another machine, with slower atomic additions and the same clock.
"""

SCRAPES = """\
One scrape of 5,000 breakers in Python, in CPU nanoseconds for each breaker. *Precomputed samples*: the client library
writes the same text from samples that were computed before.
"""

MEMORY_OF_HOSTS = ("memory-python.json", "memory-node.json")

NOTES = {
    "Rust": "Built with `cargo build --release`. If two threads call one breaker, the time of the slower one counts. "
    "The peers record no durations. recloser has one policy, the failure rate of the last calls, and failsafe's "
    "window is a period of time. tower-resilience awaits a lock, so two threads that block on it wait for the "
    "operating system. A halfopen breaker counts in four stripes, assigned to threads in turn: *the first and the "
    "fifth thread* share one.",
    "Python": "`halfopen` is the decorator. The replaced module is [an imitation](../tests/bench/python/replaced.py) "
    "of a backend's own breaker. A stream has 1,000 items; no peer guards one, so an async generator that only "
    "passes the items on stands beside it. Where each item suspends its task, the harness takes the steps itself, and "
    "once more asyncio does. A step of asyncio runs 21,600 instructions, after which little of a guard, or of a "
    "generator, is in the processor's first cache; and while any timer is set, asyncio looks at it in each step.",
    "Node, WebAssembly": "`await breaker.call(fn)` with the build that Node loads by default. The windows of opossum "
    "and of cockatiel's SamplingBreaker are periods of time.",
    "Node, native": "The same with `HALFOPEN_BACKEND=native`.",
    "Browser": "Headless Chromium. *Acquire* is `breaker.acquire()`, settled at once or after one `await`; then the "
    "permit has outlived its turn and is tracked until it is settled or collected. The rest is `await "
    "breaker.call(fn)`.",
}


def main() -> None:
    readings, versions = load(RESULTS)
    memory = json.loads((RESULTS / "memory.json").read_text())
    scrapes = json.loads((RESULTS / "scrape-python.json").read_text())["scrapes"]
    # `index.js` contains the module.
    wasm_bytes = next(packed for name, _, packed in wasm_sizes() if name.endswith("index.js"))
    simulated = Simulated.read(RESULTS)
    results = list(targets(readings, wasm_bytes, memory["breakers"][0]["bytes"], scrapes))
    results.extend(simulated.targets())
    text = "\n".join(sections(readings, versions, memory, scrapes, simulated=simulated, results=results))
    (ROOT / "docs/benchmarks.md").write_text(text)
    update_readme(ROOT / "README.md", readings)
    print(target_table(results))


def sections(
    readings: dict[str, Readings],
    versions: dict[str, str],
    memory: dict[str, Any],
    scrapes: list[dict[str, Any]],
    *,
    simulated: Simulated,
    results: list[Target],
) -> Iterator[str]:
    yield INTRODUCTION
    yield f"Machine: {machine()}. Code: {revision()}. Versions are [at the end](#versions).\n"
    yield "## Targets\n"
    yield TARGETS
    yield target_table(results)
    reasons = {it.reason: it.name.split(":")[0] for it in results if not it.met and it.reason}
    yield "Reasons for missed targets:\n"
    yield "".join(f"- {where}: {reason}\n" for reason, where in reasons.items())
    for language, its in readings.items():
        yield f"## {language}\n"
        yield f"{NOTES[language]}\n"
        for paths in tables_of(its.paths):
            yield comparison(its, paths)
    yield "## Memory\n"
    yield "Including all heap allocations of a breaker, after its first calls.\n"
    rows = [*memory["breakers"], *(json.loads((RESULTS / file).read_text()) for file in MEMORY_OF_HOSTS)]
    yield table(("breaker", "bytes"), [(it["breaker"], f"{it['bytes']:,.0f}") for it in rows])
    yield many_breakers(memory["registry"])
    yield "## Scrapes\n"
    yield SCRAPES
    columns = ("halfopen", "precomputed", "client_library")
    yield table(
        ("labels", "halfopen", "precomputed samples", "the client library's own metrics"),
        [(it["labels"], *(format_number(it[column]) for column in columns)) for it in scrapes],
    )
    yield "## Simulation\n"
    yield "Thousands of simulated calls a second, in the scenarios of the [simulator's page](simulation.md), with A.\n"
    yield simulated.table()
    yield "## WebAssembly\n"
    yield "`index.js` contains the module. `halfopen.wasm` is for hosts that forbid compiling bytes.\n"
    rows = [(name, f"{raw:,}", f"{packed:,}") for name, raw, packed in wasm_sizes()]
    yield table(("file", "bytes", "gzipped"), rows)
    yield "## Instructions\n"
    yield "Of the core, with a manual clock; `make bench-instructions` compares them with the baseline.\n"
    counts = parse_counts((RESULTS / "instructions.json").read_text())
    yield table(
        ("path", "instructions per call", "baseline"),
        [(path, f"{count:,.0f}", f"{baseline()[path]:,.0f}") for path, count in counts.items()],
    )
    yield "## Versions\n"
    named = {"Rust": rust_version()} | versions | pinned_versions()
    yield table(("component", "version"), named.items())


def target_table(results: list[Target]) -> str:
    """The targets and the measured values."""
    head = ("path", "target", "median", "half of the rounds", "unit", "")
    return table(head, [row(it) for it in results])


def row(target: Target) -> tuple[str, ...]:
    spread = " to ".join(number(target, bound) for bound in target.quartiles or ())
    limit = f"{'≥' if target.at_least else '≤'} {number(target, target.limit)}"
    return target.name, limit, number(target, target.measured), spread, target.unit, target.verdict


def tables_of(paths: list[str]) -> Iterator[list[str]]:
    """Paths with the same first word share a table, because they have most contenders in common."""
    for first in dict.fromkeys(path.split(",")[0] for path in paths):
        yield [path for path in paths if path.split(",")[0] == first]


def many_breakers(registry: dict[str, Any]) -> str:
    return (
        f"A registry of {registry['breakers']:,} breakers by name takes {registry['bytes']:,} bytes, "
        f"{registry['bytes'] / registry['breakers']:,.0f} per breaker. Creating one takes "
        f"{format_number(min(registry['make_ns']))} / {format_number(median(registry['make_ns']))} ns, finding one "
        f"{format_number(min(registry['find_ns']))} / {format_number(median(registry['find_ns']))} ns.\n"
    )


def wasm_sizes() -> Iterator[tuple[str, int, int]]:
    for name in ("index.js", "halfopen.wasm"):
        content = (WASM / name).read_bytes()
        yield str((WASM / name).relative_to(ROOT)), len(content), len(gzip.compress(content, 9))


if __name__ == "__main__":
    main()
