"""``docs/metrics.md`` lists exactly what is exported."""

import re
from pathlib import Path
from typing import get_args

from halfopen._metric_families import CIRCUIT_FAMILIES, POOL_FAMILIES
from halfopen.orchestration._events import SwitchCause
from halfopen.types import Outcome, Reason, Role, Scope, State

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
FAMILIES = (*CIRCUIT_FAMILIES, *POOL_FAMILIES)


def rows(first: str) -> list[list[str]]:
    """The cells of the table whose first column has this heading."""
    table = PAGE[PAGE.index(f"| {first} |") :].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def names(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`(\w+)`", cell))


def test_the_page_lists_the_metrics_with_their_labels() -> None:
    listed = [(*names(metric), kind, names(labels), text) for metric, kind, labels, text in rows("metric")]
    assert listed == [tuple(family) for family in FAMILIES]


def test_the_page_lists_the_values_of_the_labels() -> None:
    values = {label: names(cell) for labels, cell in rows("label") for label in names(labels)}
    assert values.keys() == {label for family in FAMILIES for label in family.labels}
    for label in ("state", "from_state", "to_state"):
        assert values[label] == get_args(State)
    assert values["outcome"][:4] == get_args(Outcome)
    for label, allowed in (("reason", Reason), ("role", Role), ("cause", SwitchCause), ("scope", Scope)):
        assert values[label] == get_args(allowed)
