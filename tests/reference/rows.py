"""The rows of the tables in docs/semantics.md, and what a vector has to visit for each.

A row that is new in the text, or gone from it, is found here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config import FIELDS
from model import COUNTERS

TEXT = Path(__file__).parents[2] / "docs" / "semantics.md"
OUTCOMES = tuple(COUNTERS)

Visit = tuple[str, Any]


def acquire(mode: str, state: str, answer: str) -> Visit:
    return ("acquire", (mode, state, answer))


def settle(kind: str, place: str, outcome: str) -> Visit:
    return ("settle", (kind, place, outcome))


VISITS: dict[str, dict[str, set[Visit]]] = {
    "3. Configuration": {f"`{name}`": {("field given", name), ("field refused", name)} for name in FIELDS},
    "closed": {
        "acquire": {acquire("auto", "closed", "admitted")},
        "`success`": {settle("current", "closed", "success")},
        "`failure`": {settle("current", "closed", "failure")},
        "`ignored`, `cancelled`": {settle("current", "closed", outcome) for outcome in OUTCOMES[2:]},
    },
    "half_open": {
        "acquire, a slot free": {acquire("auto", "half_open", "admitted")},
        "acquire, no slot free": {acquire("auto", "half_open", "probes_busy")},
        "acquire, no slot free, and for `probe_timeout_seconds` no probe was admitted or settled": {
            acquire("auto", "half_open", "taken back"),
            settle("slot taken back", "half_open", "success"),
            settle("slot taken back", "half_open", "failure"),
        },
        "`success`": {
            settle("current", "half_open", "success"),
            ("transition", ("half_open", "closed", "probes_succeeded")),
        },
        "`failure`": {settle("current", "half_open", "failure"), ("transition", ("half_open", "open", "probe_failed"))},
        "slow `success`, when a slow-call rate is set": {("transition", ("half_open", "open", "probe_slow"))},
        "`ignored`, `cancelled`": {settle("current", "half_open", outcome) for outcome in OUTCOMES[2:]},
    },
    "modes": {
        "`forced_open`": {
            acquire("forced_open", "open", "forced_open"),
            *(settle("unheard", "forced_open", outcome) for outcome in OUTCOMES),
        },
        "`disabled`": {
            acquire("disabled", "closed", "admitted"),
            *(settle("unheard", "disabled", outcome) for outcome in OUTCOMES),
        },
        "`shadow`": {
            *(acquire("shadow", state, "shadow_rejected") for state in ("open", "half_open")),
            *(settle("unheard", "shadow", outcome) for outcome in OUTCOMES),
        },
    },
}
# It defines words, and no behaviour.
WORDS = "1. Words"


def in_the_text() -> Iterator[tuple[str, str]]:
    """Each row by its section and its first cell."""
    section = ""
    for line in TEXT.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"#+ (.*)", line):
            section = heading[1]
        elif line.startswith("| ") and not line.startswith("| ---"):
            yield section, line.split(" | ")[0].removeprefix("| ")


def disagreements(required: dict[str, set[Any]]) -> Iterator[str]:
    """Where the text, the rows above and what must be visited differ."""
    heads = {"event", "field", "mode"}
    written = {(section, row) for section, row in in_the_text() if section != WORDS and row not in heads}
    known = {(section, row) for section, rows in VISITS.items() for row in rows}
    for section, row in sorted(written - known):
        yield f"{section}: the row {row!r} of the text has no visits in rows.py"
    for section, row in sorted(known - written):
        yield f"{section}: the row {row!r} is not in the text"
    for section, row in sorted(known & written):
        for theme, visit in sorted(VISITS[section][row]):
            if visit not in required[theme]:
                yield f"{section}: {theme} {visit}, of the row {row!r}, is not among what must be visited"
