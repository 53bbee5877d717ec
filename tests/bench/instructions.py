"""Compares how many instructions the core's paths take with the baseline, and fails where one takes more.

It also fails where one takes so much less that the baseline would hide the next regression.

Reads on standard input what `cargo bench --bench instructions -- --output-format=json` prints. With `renew` it writes
the baseline instead.
"""

import json
import sys
from pathlib import Path

BASELINE = Path(__file__).parent / "rust/instructions.txt"
CALLS = 1000
"""As many as each of the benchmarks makes."""
TOLERATED = 0.03
"""Another kind of processor, or another patch of the compiler, moves a count by no more."""

HEAD = "# Instructions a call. Written by `make bench-instructions RENEW=1`, where a change is meant.\n"


def main() -> None:
    counts = counted(sys.stdin.read())
    if sys.argv[1:] == ["renew"]:
        BASELINE.write_text(HEAD + "".join(f"{count:8.1f}  {path}\n" for path, count in counts.items()))
        return
    sys.exit(compare(counts, baseline()))


def baseline() -> dict[str, float]:
    lines = [line.split() for line in BASELINE.read_text().splitlines() if not line.startswith("#")]
    return {path: float(count) for count, path in lines}


def counted(report: str) -> dict[str, float]:
    counts: dict[str, float] = {}
    for line in report.splitlines():
        benchmark = json.loads(line)
        metrics = benchmark["profiles"][0]["summaries"]["total"]["summary"]["Callgrind"]["Ir"]["metrics"]
        # "Both" where an earlier run has left its own behind, which comes second.
        new = metrics["Left"] if "Left" in metrics else metrics["Both"][0]
        counts[f"{benchmark['function_name']}.{benchmark['id']}"] = new["Int"] / CALLS
    return counts


def compare(counts: dict[str, float], expected: dict[str, float]) -> int:
    if counts.keys() != expected.keys():
        print(f"the baseline has other paths: {sorted(counts.keys() ^ expected.keys())}", file=sys.stderr)
        return 1
    moved = 0
    for path, count in counts.items():
        change = count / expected[path] - 1
        verdict = (
            "" if abs(change) <= TOLERATED else "  more than is tolerated" if change > 0 else "  renew the baseline"
        )
        moved += bool(verdict)
        print(f"{count:8.1f}  {change:+7.1%}  {path}{verdict}")
    return 1 if moved else 0


if __name__ == "__main__":
    main()
