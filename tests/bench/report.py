"""Writes docs/benchmarks.md, and what the README quotes of it, from what the benchmarks have left in target/bench.

No figure in it is typed by hand.
"""

import gzip
import json
from collections.abc import Iterator
from statistics import median
from typing import Any

from instructions import baseline
from quoted import quote
from readings import Readings, load, shown
from surroundings import ROOT, machine, pinned_versions, rust_version
from tables import comparison, table
from targets import number, targets

RESULTS = ROOT / "target/bench"
WASM = ROOT / "bindings-wasm/dist/web"

INTRODUCTION = """\
# How much a guarded call costs

Written by `make bench`; no figure is typed by hand. What was measured: [tests/bench](../tests/bench), for each language
a `contenders` file that sets up the breakers and a `harness` that times them.

All contenders of a path run in one process and in turn, round after round, each as long as the others. Figures are
nanoseconds a call, *minimum / median* of the rounds; of success and failure *net*: what the bare call takes (last
columns) is taken off. A rejected call is never made, so its figure is the whole time until the caller has its error in
hand. In brackets: our median over that of the best peer on the same path. Where not said otherwise, durations are
recorded. On the paths of failure one call in 50 succeeds, so that every circuit stays closed.
"""

NOTES = {
    "Rust": "Where two threads call through one breaker, the slower one's time counts. The peers record no durations. "
    "recloser knows one policy, the share of the last calls, and failsafe's window is one of time.",
    "Python": "`halfopen` is the decorator. The module that is replaced is [an imitation of "
    "it](../tests/bench/python/replaced.py).",
    "Node, WebAssembly": "`await breaker.call(fn)` with the build that Node loads where nobody asks for another. "
    "The windows of opossum and of cockatiel's SamplingBreaker are of time.",
    "Node, native": "The same with `HALFOPEN_BACKEND=native`.",
    "Browser": "Headless Chromium. *Acquire and settle* is `breaker.acquire().success()`; the rest is "
    "`await breaker.call(fn)`.",
}


def main() -> None:
    readings, versions = load(RESULTS)
    memory = json.loads((RESULTS / "memory.json").read_text())
    text = "\n".join(sections(readings, versions, memory))
    (ROOT / "docs/benchmarks.md").write_text(text)
    quote(ROOT / "README.md", readings)


def sections(readings: dict[str, Readings], versions: dict[str, str], memory: dict[str, Any]) -> Iterator[str]:
    sizes = list(wasm_sizes())
    streak_only = memory["breakers"][0]["bytes"]
    yield INTRODUCTION
    yield f"Machine: {machine()}. Versions stand [at the end](#versions).\n"
    yield "## Targets\n"
    rows = [
        (it.what, f"≤ {number(it, it.limit)}", number(it, it.measured), "met" if it.met else "**not met**")
        for it in targets(readings, sum(size for _, _, size in sizes), streak_only)
    ]
    yield table(("path", "target", "measured (medians)", ""), rows)
    for language, its in readings.items():
        yield f"## {language}\n"
        yield f"{NOTES[language]}\n"
        for paths in tables_of(its.paths):
            yield comparison(its, paths)
    yield "## Memory\n"
    yield "With all that a breaker owns on the heap, after its first calls.\n"
    yield table(("breaker", "bytes"), [(it["breaker"], f"{it['bytes']:,}") for it in memory["breakers"]])
    yield many_breakers(memory["registry"])
    yield "## WebAssembly\n"
    yield "What a page loads.\n"
    yield table(("file", "bytes", "gzipped"), [(name, f"{raw:,}", f"{packed:,}") for name, raw, packed in sizes])
    yield "## Instructions\n"
    yield "Of the core, on a clock that costs nothing; `make bench-instructions` holds the code to them.\n"
    yield table(("path", "instructions a call"), [(path, f"{count:,.0f}") for path, count in baseline().items()])
    yield "## Versions\n"
    named = {"Rust": rust_version()} | versions | pinned_versions()
    yield table(("who took part", "version"), named.items())


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
