"""Compares the instruction counts of the core's paths with the baseline, and fails if one is higher.

It also fails if a count is so much lower that the baseline would hide the next regression.

Reads the output of `cargo bench --bench instructions -- --output-format=json` from standard input. With `renew` it
writes the baseline instead.
"""

import json
import sys
from pathlib import Path

BASELINE = Path(__file__).parent / "rust/instructions.txt"
CALLS = 1000
"""The number of calls in each benchmark."""
TOLERANCE = 0.03
"""Counts vary by less than this between processors and patch releases of the compiler."""

HEAD = "# Instructions per call. Written by `make bench-instructions RENEW=1` after an intended change.\n"


def main() -> None:
    counts = parse_counts(sys.stdin.read())
    if sys.argv[1:] == ["renew"]:
        BASELINE.write_text(HEAD + "".join(f"{count:8.1f}  {path}\n" for path, count in counts.items()))
        return
    sys.exit(compare(counts, baseline()))


def baseline() -> dict[str, float]:
    lines = [line.split() for line in BASELINE.read_text().splitlines() if not line.startswith("#")]
    return {path: float(count) for count, path in lines}


def parse_counts(report: str) -> dict[str, float]:
    counts: dict[str, float] = {}
    for line in report.splitlines():
        benchmark = json.loads(line)
        metrics = benchmark["profiles"][0]["summaries"]["total"]["summary"]["Callgrind"]["Ir"]["metrics"]
        # "Both" if the result of an earlier run exists; that one comes second.
        new = metrics["Left"] if "Left" in metrics else metrics["Both"][0]
        counts[f"{benchmark['function_name']}.{benchmark['id']}"] = new["Int"] / CALLS
    return counts


def compare(counts: dict[str, float], expected: dict[str, float]) -> int:
    if counts.keys() != expected.keys():
        print(f"the baseline has different paths: {sorted(counts.keys() ^ expected.keys())}", file=sys.stderr)
        return 1
    outside = 0
    for path, count in counts.items():
        change = count / expected[path] - 1
        verdict = "" if abs(change) <= TOLERANCE else "  above the tolerance" if change > 0 else "  renew the baseline"
        outside += bool(verdict)
        print(f"{count:8.1f}  {change:+7.1%}  {path}{verdict}")
    return 1 if outside else 0


if __name__ == "__main__":
    main()
