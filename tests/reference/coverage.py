"""Fails when a row or an edge of docs/semantics.md is visited by no vector: `python tests/reference/coverage.py`.

The vectors are run on the model, and each step is noted as what the text calls it: the state and mode that it met, the
event, and what came of it. What must be among them stands below, theme by theme; rows.py says what that is of each row
of the text.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from itertools import product
from typing import Any

from census import EXPECTED, Census
from config import FIELDS, Invalid
from rows import OUTCOMES, disagreements
from run_vectors import MILLISECOND, OWN_VECTORS, Run

STATES = ("closed", "open", "half_open")
ORDERS = ("force_open", "disable", "reset", "reconfigure", "restart")
COUNTERS = tuple(Run({}).breaker.counters)

TRANSITIONS = {
    ("closed", "open", "consecutive_failures"),
    ("closed", "open", "failure_rate"),
    ("closed", "open", "slow_call_rate"),
    ("closed", "open", "forced"),
    ("open", "half_open", "timeout_elapsed"),
    ("open", "closed", "reset"),
    ("open", "closed", "disabled"),
    ("half_open", "closed", "probes_succeeded"),
    ("half_open", "closed", "reset"),
    ("half_open", "closed", "disabled"),
    ("half_open", "open", "probe_failed"),
    ("half_open", "open", "probe_slow"),
    ("half_open", "open", "forced"),
}
ACQUIRES = {
    ("auto", "closed", "admitted"),
    ("auto", "open", "open"),
    ("auto", "open", "first probe"),
    ("auto", "half_open", "admitted"),
    ("auto", "half_open", "probes_busy"),
    ("auto", "half_open", "taken back"),
    ("auto", "half_open", "rides"),
    ("forced_open", "open", "forced_open"),
    ("disabled", "closed", "admitted"),
    ("shadow", "closed", "admitted"),
    ("shadow", "open", "shadow_rejected"),
    ("shadow", "open", "first probe"),
    ("shadow", "half_open", "admitted"),
    ("shadow", "half_open", "shadow_rejected"),
    ("shadow", "half_open", "taken back"),
    ("shadow", "half_open", "rides"),
}
SETTLES = {
    *product(("current", "late"), ("closed", "half_open"), OUTCOMES),
    # An open circuit admits nobody, so whatever settles there was begun before.
    *product(("late",), ("open",), OUTCOMES),
    *product(("unheard",), ("disabled", "forced_open", "shadow"), OUTCOMES),
    ("again", "", ""),
    *product(("riding",), ("half_open",), OUTCOMES),
    ("slot taken back", "half_open", "success"),
    ("slot taken back", "half_open", "failure"),
}
OPERATOR = set(product(ORDERS, STATES))

UNKNOWN = "one that does not exist"

REQUIRED: dict[str, set[Any]] = {
    "transition": TRANSITIONS,
    "acquire": ACQUIRES,
    "settle": SETTLES,
    "order": OPERATOR,
    "counter moved": set(COUNTERS),
    "field refused": {*FIELDS, UNKNOWN},
    "field given": set(FIELDS),
    "happened": set(EXPECTED),
}


class Witness:
    """Notes what each step of each vector visits."""

    def __init__(self) -> None:
        self.visited: dict[str, set[Any]] = {theme: set() for theme in REQUIRED}

    def note(self, theme: str, what: object) -> None:
        self.visited[theme].add(what)

    def vector(self, vector: dict[str, Any]) -> None:
        if "config_error" in vector:
            field = vector["config_error"]
            self.note("field refused", field if field in FIELDS else UNKNOWN)
            return
        for field in vector["config"]:
            self.note("field given", field)
        run, census = Run(vector["config"]), Census()
        for step in vector["steps"]:
            with suppress(Invalid), census.of(run.breaker, step, run.permits):
                self.step(run, step)
        self.visited["happened"].update(census.counted)

    def step(self, run: Run, step: dict[str, Any]) -> None:
        now = step["at_ms"] * MILLISECOND
        breaker, before = run.breaker, dict(run.breaker.counters)
        mode, state, known = breaker.mode_at(now), breaker.state, len(breaker.transitions)
        settling = self.settling(run, step, mode, state)
        answer = run.act(step, now)
        for transition in run.breaker.transitions[known:]:
            self.note("transition", transition)
        for name, count in run.breaker.counters.items():
            if count > before[name]:
                self.note("counter moved", name)
        for order in ORDERS:
            if order in step:
                self.note("order", (order, state))
        if settling is not None:
            self.note("settle", settling)
        if answer is not None:
            first = (state, run.breaker.state) == ("open", "half_open")
            taken_back = run.breaker.counters["probe_timeouts"] > before["probe_timeouts"]
            shadowed = run.breaker.counters["shadow_rejected"] > before["shadow_rejected"]
            rides = answer.permit is not None and answer.permit.outer is not None
            admitted = "first probe" if first else "taken back" if taken_back else "rides" if rides else "admitted"
            self.note("acquire", (mode, state, "shadow_rejected" if shadowed else answer.reason or admitted))

    def settling(self, run: Run, step: dict[str, Any], mode: str, state: str) -> tuple[str, str, str] | None:
        if "settle" not in step or step["settle"] not in run.permits:
            return None
        breaker, permit = run.permits[step["settle"]]
        outcome = step["outcome"]
        if permit.settled:
            return ("again", "", "")
        if permit.outer is not None:
            return ("riding", state, outcome)
        if mode in {"disabled", "forced_open"} or not permit.votes:
            return ("unheard", mode, outcome)
        if breaker is not run.breaker or permit.generation != breaker.generation:
            return ("late", state, outcome)
        if state == "half_open" and permit not in breaker.slots:
            self.note("settle", ("current", state, outcome))
            return ("slot taken back", state, outcome)
        return ("current", state, outcome)


def main() -> int:
    witness = Witness()
    for path in sorted(OWN_VECTORS.rglob("*.json")):
        for vector in json.loads(path.read_text(encoding="utf-8")):
            witness.vector(vector)
    missing = [(theme, row) for theme, rows in REQUIRED.items() for row in sorted(rows - witness.visited[theme])]
    # A transition that the text does not know would be as wrong as one that is missing.
    unknown = [("transition", row) for row in sorted(witness.visited["transition"] - TRANSITIONS)]
    for theme, row in missing + unknown:
        print(f"{theme}: {row} is visited by no vector" if (theme, row) in missing else f"{theme}: {row} is unknown")
    unlike = list(disagreements(REQUIRED))
    print(*unlike, sep="\n", end="\n" if unlike else "")
    rows = sum(len(rows) for rows in REQUIRED.values())
    print(f"coverage: {rows - len(missing)} of {rows} rows and edges visited")
    return 1 if missing or unknown or unlike else 0


if __name__ == "__main__":
    sys.exit(main())
