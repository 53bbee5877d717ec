"""The table in the README: the overhead of a successful call, next to the best peer."""

import re
from pathlib import Path

from readings import Readings, format_number
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
"""The label in the README; the language, the path and the contender in the report."""

BETWEEN = re.compile("(?<=<!-- from make bench -->\n).*?(?=<!-- end -->)", re.DOTALL)


def update_readme(readme: Path, readings: dict[str, Readings]) -> None:
    """Replaces the text between the two marks by the table."""
    rows = [row(label, readings[language], path, ours) for label, language, path, ours in QUOTED]
    text = table(("median, net, in ns", "durations recorded", "not recorded", "the best peer"), rows)
    updated, marks = BETWEEN.subn(lambda _: text, readme.read_text())
    if marks != 1:
        raise SystemExit(f"{readme} has no marks for the benchmarks")
    readme.write_text(updated)


def row(label: str, readings: Readings, path: str, ours: str) -> tuple[str, ...]:
    peer = readings.best_peer(path)
    names = (ours, f"{ours}, durations off", *([peer] if peer else []))
    figures = [format_number(readings.net(path, name)) for name in names]
    return label, *figures[:2], f"{figures[2]}, {peer}" if peer else ""
