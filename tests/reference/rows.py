"""The rows of the tables in docs/semantics.md, and the visits that each needs from the vectors.

Rows that are added to the text or removed from it are reported.
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
            acquire("auto", "half_open", "reclaimed"),
            settle("slot reclaimed", "half_open", "success"),
            settle("slot reclaimed", "half_open", "failure"),
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
            *(settle("no vote", "forced_open", outcome) for outcome in OUTCOMES),
        },
        "`disabled`": {
            acquire("disabled", "closed", "admitted"),
            *(settle("no vote", "disabled", outcome) for outcome in OUTCOMES),
        },
        "`shadow`": {
            *(acquire("shadow", state, "shadow_rejected") for state in ("open", "half_open")),
            *(settle("no vote", "shadow", outcome) for outcome in OUTCOMES),
        },
    },
}
# This section defines terms, not behaviour.
TERMS = "1. Terms"


def rows_of_the_text() -> Iterator[tuple[str, str]]:
    """The section and the first cell of each row."""
    section = ""
    for line in TEXT.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"#+ (.*)", line):
            section = heading[1]
        elif line.startswith("| ") and not line.startswith("| ---"):
            yield section, line.split(" | ")[0].removeprefix("| ")


def disagreements(required: dict[str, set[Any]]) -> Iterator[str]:
    """Differences between the text, the rows above and the required visits."""
    headers = {"event", "field", "mode"}
    written = {(section, row) for section, row in rows_of_the_text() if section != TERMS and row not in headers}
    known = {(section, row) for section, rows in VISITS.items() for row in rows}
    for section, row in sorted(written - known):
        yield f"{section}: the row {row!r} of the text has no visits in rows.py"
    for section, row in sorted(known - written):
        yield f"{section}: the row {row!r} is not in the text"
    for section, row in sorted(known & written):
        for kind, visit in sorted(VISITS[section][row]):
            if visit not in required[kind]:
                yield f"{section}: {kind} {visit}, of the row {row!r}, is not among the required visits"
