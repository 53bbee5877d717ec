"""What the README quotes of the report: what a guarded call that succeeds costs, beside the best peer."""

import re
from pathlib import Path

from readings import Readings, shown
from tables import table

QUOTED = (
    ("Rust", "Rust", "streak, success, one thread", "halfopen"),
    ("Rust, two threads on one breaker", "Rust", "streak, success, two threads", "halfopen"),
    ("Rust, window of 100 calls", "Rust", "window of 100, success, one thread", "halfopen"),
    ("Python", "Python", "sync, streak, success", "halfopen"),
    ("Python, `async`", "Python", "async, streak, success", "halfopen"),
    ("Node", "Node, WebAssembly", "streak, success", "halfopen"),
    ("Node, the native build", "Node, native", "streak, success", "halfopen"),
    ("browser", "Browser", "streak, success", "halfopen"),
)
"""What it is called there; the language, the path and the contender."""

BETWEEN = re.compile("(?<=<!-- from make bench -->\n).*?(?=<!-- end -->)", re.DOTALL)


def quote(readme: Path, readings: dict[str, Readings]) -> None:
    """Puts the table where its two marks stand."""
    rows = [row(label, readings[language], path, ours) for label, language, path, ours in QUOTED]
    text = table(("median, net, in ns", "durations recorded", "not recorded", "the best peer"), rows)
    quoted, marks = BETWEEN.subn(lambda _: text, readme.read_text())
    if marks != 1:
        raise SystemExit(f"{readme} has no place for the benchmarks")
    readme.write_text(quoted)


def row(label: str, readings: Readings, path: str, ours: str) -> tuple[str, ...]:
    peer = readings.best_peer(path)
    names = (ours, f"{ours}, durations off", *([peer] if peer else []))
    figures = [shown(readings.net(path, name)) for name in names]
    return label, *figures[:2], f"{figures[2]}, {peer}" if peer else ""
