"""Tables in Markdown."""

from collections.abc import Iterable

from readings import Readings, is_ours


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table with text in the first column and right-aligned figures in the others."""
    lines = [list(head), *(list(row) for row in rows)]
    rule = ["---"] + ["---:"] * (len(lines[0]) - 1)
    return "".join(f"| {' | '.join(line)} |\n" for line in [lines[0], rule, *lines[1:]])


def comparison(readings: Readings, paths: list[str]) -> str:
    """A row for each path and a column for each contender; halfopen's figures include the ratio to the best peer."""
    contenders = readings.contenders(paths)
    return table(("path", *contenders), [(path, *(_cell(readings, path, it) for it in contenders)) for path in paths])


def _cell(readings: Readings, path: str, contender: str) -> str:
    figure, peer = readings.find(path, contender), readings.best_peer(path)
    if figure is None:
        return ""
    if is_ours(contender) and peer is not None:
        return f"{figure} ({figure.median / readings.net(path, peer):.2f} ×)"
    return str(figure)
