"""Writes docs/benchmarks.md, and what the README quotes of it, from what the benchmarks have left in target/bench.

No figure in it is typed by hand.
"""

import gzip
import json
from collections.abc import Iterator
from statistics import median
from typing import Any

from instructions import baseline, counted
from quoted import quote
from readings import Readings, load, shown
from surroundings import ROOT, machine, pinned_versions, revision, rust_version
from tables import comparison, table
from targets import Target, number, targets

RESULTS = ROOT / "target/bench"
WASM = ROOT / "bindings-wasm/dist/web"

INTRODUCTION = """\
# How much a guarded call costs

Written by `make bench`; no figure is typed by hand. What was measured: [tests/bench](../tests/bench), for each language
a `contenders` file that sets up the breakers and a `harness` that times them.

All contenders of a path run in one process and in turn, round after round, each for some milliseconds; in Rust and in
Python on one core of their own. Figures are nanoseconds a call, *minimum / median* of the rounds; of success and
failure *net*: from the minimum the minimum of the bare call (last columns) is taken off, from the median its median. A
rejected call is never made, so its figure is the whole time until the caller has its error in hand. In brackets: our
median over that of the best peer on the same path. Where not said otherwise, durations are recorded. On the paths of
failure one call in 50 succeeds, so that every circuit stays closed. That each call ends as its path says is checked
before the rounds and after them.
"""

TARGETS = """\
Medians of the whole run are judged; *half of the rounds* says between which values the same figure lies in the middle
half of them, round by round. A limit in nanoseconds is one for another machine than this, with slower atomic additions
and the same clock.
"""

SCRAPES = """\
What one scrape of 5,000 breakers takes in Python, in nanoseconds of the processor's time for each. *Samples
ready-made*: the client library writes the same text of samples that were made before.
"""

MEMORY_OF_HOSTS = ("memory-python.json", "memory-node.json")

NOTES = {
    "Rust": "Built as `cargo build --release` does it. Where two threads call through one breaker, the slower one's "
    "time counts. The peers record no durations. recloser knows one policy, the share of the last calls, "
    "and failsafe's window is one of time. tower-resilience awaits a lock, so two threads that block on it "
    "wait for the operating system. A breaker of ours counts in four places, which threads take in turn: "
    "*the first and the fifth thread* share one.",
    "Python": "`halfopen` is the decorator. The module that is replaced is [an imitation of "
    "it](../tests/bench/python/replaced.py).",
    "Node, WebAssembly": "`await breaker.call(fn)` with the build that Node loads where nobody asks for another. "
    "The windows of opossum and of cockatiel's SamplingBreaker are of time.",
    "Node, native": "The same with `HALFOPEN_BACKEND=native`.",
    "Browser": "Headless Chromium. *Acquire* is `breaker.acquire()`, settled at once or after one `await`, by which it "
    "has outlived its turn and is watched until it is settled or collected; the rest is `await breaker.call(fn)`.",
}


def main() -> None:
    readings, versions = load(RESULTS)
    memory = json.loads((RESULTS / "memory.json").read_text())
    scrapes = json.loads((RESULTS / "scrape-python.json").read_text())["scrapes"]
    wasm_bytes = sum(size for _, _, size in wasm_sizes())
    held = list(targets(readings, wasm_bytes, memory["breakers"][0]["bytes"], scrapes))
    (ROOT / "docs/benchmarks.md").write_text("\n".join(sections(readings, versions, memory, scrapes, held)))
    quote(ROOT / "README.md", readings)
    print(judged(held))


def sections(
    readings: dict[str, Readings],
    versions: dict[str, str],
    memory: dict[str, Any],
    scrapes: list[dict[str, Any]],
    held: list[Target],
) -> Iterator[str]:
    yield INTRODUCTION
    yield f"Machine: {machine()}. Code: {revision()}. Versions stand [at the end](#versions).\n"
    yield "## Targets\n"
    yield TARGETS
    yield judged(held)
    reasons = {it.reason: it.what.split(":")[0] for it in held if not it.met and it.reason}
    yield "Why some are not met:\n"
    yield "".join(f"- {where}: {reason}\n" for reason, where in reasons.items())
    for language, its in readings.items():
        yield f"## {language}\n"
        yield f"{NOTES[language]}\n"
        for paths in tables_of(its.paths):
            yield comparison(its, paths)
    yield "## Memory\n"
    yield "With all that a breaker owns on the heap, after its first calls.\n"
    rows = [*memory["breakers"], *(json.loads((RESULTS / file).read_text()) for file in MEMORY_OF_HOSTS)]
    yield table(("breaker", "bytes"), [(it["breaker"], f"{it['bytes']:,.0f}") for it in rows])
    yield many_breakers(memory["registry"])
    yield "## Scrapes\n"
    yield SCRAPES
    columns = ("halfopen", "ready_made", "client_library")
    yield table(
        ("labels", "halfopen", "samples ready-made", "the client library's own metrics"),
        [(it["labels"], *(shown(it[column]) for column in columns)) for it in scrapes],
    )
    yield "## WebAssembly\n"
    yield "What a page loads.\n"
    rows = [(name, f"{raw:,}", f"{packed:,}") for name, raw, packed in wasm_sizes()]
    yield table(("file", "bytes", "gzipped"), rows)
    yield "## Instructions\n"
    yield "Of the core, on a clock that costs nothing; `make bench-instructions` holds the code to the baseline.\n"
    counts = counted((RESULTS / "instructions.json").read_text())
    yield table(
        ("path", "instructions a call", "the baseline"),
        [(path, f"{count:,.0f}", f"{baseline()[path]:,.0f}") for path, count in counts.items()],
    )
    yield "## Versions\n"
    named = {"Rust": rust_version()} | versions | pinned_versions()
    yield table(("who took part", "version"), named.items())


def judged(held: list[Target]) -> str:
    """What was wanted and what was measured."""
    head = ("path", "target", "median", "half of the rounds", "of what", "")
    return table(head, [row(it) for it in held])


def row(target: Target) -> tuple[str, ...]:
    spread = " to ".join(number(target, bound) for bound in target.quartiles or ())
    limit = f"{'≥' if target.at_least else '≤'} {number(target, target.limit)}"
    return target.what, limit, number(target, target.measured), spread, target.unit, target.verdict


def tables_of(paths: list[str]) -> Iterator[list[str]]:
    """Paths with the same first word stand in one table, since they have most contenders in common."""
    for first in dict.fromkeys(path.split(",")[0] for path in paths):
        yield [path for path in paths if path.split(",")[0] == first]


def many_breakers(registry: dict[str, Any]) -> str:
    return (
        f"A registry of {registry['breakers']:,} breakers by name takes {registry['bytes']:,} bytes, "
        f"{registry['bytes'] / registry['breakers']:,.0f} a breaker. To make one takes "
        f"{shown(min(registry['make_ns']))} / {shown(median(registry['make_ns']))} ns, to find one "
        f"{shown(min(registry['find_ns']))} / {shown(median(registry['find_ns']))} ns.\n"
    )


def wasm_sizes() -> Iterator[tuple[str, int, int]]:
    for name in ("halfopen_wasm_bg.wasm", "index.js"):
        content = (WASM / name).read_bytes()
        yield str((WASM / name).relative_to(ROOT)), len(content), len(gzip.compress(content, 9))


if __name__ == "__main__":
    main()
