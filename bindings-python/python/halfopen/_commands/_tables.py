"""Prints the results of commands."""

from collections.abc import Mapping, Sequence
from typing import Any

_MISSING = "-"


def seconds(value: float | None) -> str:
    """A duration, if there is one."""
    return _MISSING if value is None else f"{value:,.2f} s"


def print_table(rows: Sequence[tuple[str, Sequence[str]]], names: Sequence[str]) -> None:
    """Rows with a title, and a column for each name."""
    width = max(len(title) for title, _ in rows)
    columns = [
        max(12, len(name) + 2, *(len(cells[index]) + 2 for _, cells in rows)) for index, name in enumerate(names)
    ]
    print(" " * width + "".join(name.rjust(column) for name, column in zip(names, columns, strict=True)))
    for title, cells in rows:
        print(title.ljust(width) + "".join(cell.rjust(column) for cell, column in zip(cells, columns, strict=True)))


def print_transitions(heading: str, transitions: Sequence[tuple[float, str, Mapping[str, Any]]]) -> None:
    """Prints the first twenty transitions, and the number of the others."""
    if not transitions:
        return
    print(f"\n{heading}")
    for at, place, transition in transitions[:20]:
        print(f"  {at:10.2f} s  {place}: {transition['explanation']}")
    if len(transitions) > 20:
        print(f"  and {len(transitions) - 20:,} more")
