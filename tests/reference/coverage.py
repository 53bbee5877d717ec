"""Fails when no vector visits a row or an edge of docs/semantics.md: `python tests/reference/coverage.py`.

Runs the vectors on the model and records each step in the terms of the text: state and mode before it, event, result.
The visits that must occur are listed below by kind; rows.py maps each row of the text to its visits.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from itertools import product
from typing import Any

from config import FIELDS, Invalid
from event_counts import EVENTS, EventCounts
from rows import OUTCOMES, disagreements
from run_vectors import MILLISECOND, OWN_VECTORS, VectorRun

STATES = ("closed", "open", "half_open")
OPERATIONS = ("force_open", "disable", "reset", "reconfigure", "restart")
COUNTERS = tuple(VectorRun({}).breaker.counters)

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
    ("auto", "half_open", "reclaimed"),
    ("auto", "half_open", "shares permit"),
    ("forced_open", "open", "forced_open"),
    ("disabled", "closed", "admitted"),
    ("shadow", "closed", "admitted"),
    ("shadow", "open", "shadow_rejected"),
    ("shadow", "open", "first probe"),
    ("shadow", "half_open", "admitted"),
    ("shadow", "half_open", "shadow_rejected"),
    ("shadow", "half_open", "reclaimed"),
    ("shadow", "half_open", "shares permit"),
}
SETTLES = {
    *product(("current", "stale"), ("closed", "half_open"), OUTCOMES),
    # An open circuit admits no call, so every call that settles there began before.
    *product(("stale",), ("open",), OUTCOMES),
    *product(("no vote",), ("disabled", "forced_open", "shadow"), OUTCOMES),
    ("again", "", ""),
    *product(("shared permit",), ("half_open",), OUTCOMES),
    ("slot reclaimed", "half_open", "success"),
    ("slot reclaimed", "half_open", "failure"),
}
OPERATOR = set(product(OPERATIONS, STATES))

UNKNOWN = "an unknown field"

REQUIRED: dict[str, set[Any]] = {
    "transition": TRANSITIONS,
    "acquire": ACQUIRES,
    "settle": SETTLES,
    "operation": OPERATOR,
    "counter moved": set(COUNTERS),
    "field refused": {*FIELDS, UNKNOWN},
    "field given": set(FIELDS),
    "event": set(EVENTS),
}


class Recorder:
    """Records the visits of each step of each vector."""

    def __init__(self) -> None:
        self.visited: dict[str, set[Any]] = {kind: set() for kind in REQUIRED}

    def note(self, kind: str, visit: object) -> None:
        self.visited[kind].add(visit)

    def vector(self, vector: dict[str, Any]) -> None:
        if "config_error" in vector:
            field = vector["config_error"]
            self.note("field refused", field if field in FIELDS else UNKNOWN)
            return
        for field in vector["config"]:
            self.note("field given", field)
        run, event_counts = VectorRun(vector["config"]), EventCounts()
        for step in vector["steps"]:
            with suppress(Invalid), event_counts.step(run.breaker, step, run.permits):
                self.step(run, step)
        self.visited["event"].update(event_counts.counted)

    def step(self, run: VectorRun, step: dict[str, Any]) -> None:
        now = step["at_ms"] * MILLISECOND
        breaker, before = run.breaker, dict(run.breaker.counters)
        mode, state, old_transitions = breaker.mode_at(now), breaker.state, len(breaker.transitions)
        settle = self.settle_visit(run, step, mode, state)
        answer = run.apply(step, now)
        for transition in run.breaker.transitions[old_transitions:]:
            self.note("transition", transition)
        for name, count in run.breaker.counters.items():
            if count > before[name]:
                self.note("counter moved", name)
        for operation in OPERATIONS:
            if operation in step:
                self.note("operation", (operation, state))
        if settle is not None:
            self.note("settle", settle)
        if answer is not None:
            first_probe = (state, run.breaker.state) == ("open", "half_open")
            reclaimed = run.breaker.counters["probe_timeouts"] > before["probe_timeouts"]
            in_shadow = run.breaker.counters["shadow_rejected"] > before["shadow_rejected"]
            shares = answer.permit is not None and answer.permit.outer is not None
            if first_probe:
                result = "first probe"
            elif reclaimed:
                result = "reclaimed"
            else:
                result = "shares permit" if shares else "admitted"
            self.note("acquire", (mode, state, "shadow_rejected" if in_shadow else answer.reason or result))

    def settle_visit(self, run: VectorRun, step: dict[str, Any], mode: str, state: str) -> tuple[str, str, str] | None:
        if "settle" not in step or step["settle"] not in run.permits:
            return None
        breaker, permit = run.permits[step["settle"]]
        outcome = step["outcome"]
        if permit.settled:
            return ("again", "", "")
        if permit.outer is not None:
            return ("shared permit", state, outcome)
        if mode in {"disabled", "forced_open"} or not permit.votes:
            return ("no vote", mode, outcome)
        if breaker is not run.breaker or permit.generation != breaker.generation:
            return ("stale", state, outcome)
        if state == "half_open" and permit not in breaker.slots:
            self.note("settle", ("current", state, outcome))
            return ("slot reclaimed", state, outcome)
        return ("current", state, outcome)


def main() -> int:
    recorder = Recorder()
    for path in sorted(OWN_VECTORS.rglob("*.json")):
        for vector in json.loads(path.read_text(encoding="utf-8")):
            if "config" in vector:
                recorder.vector(vector)
    missing = [(kind, row) for kind, rows in REQUIRED.items() for row in sorted(rows - recorder.visited[kind])]
    # A transition that the text does not define is an error, too.
    unknown = [("transition", row) for row in sorted(recorder.visited["transition"] - TRANSITIONS)]
    for kind, row in missing + unknown:
        print(f"{kind}: {row} is visited by no vector" if (kind, row) in missing else f"{kind}: {row} is unknown")
    differences = list(disagreements(REQUIRED))
    print(*differences, sep="\n", end="\n" if differences else "")
    rows = sum(len(rows) for rows in REQUIRED.values())
    print(f"coverage: {rows - len(missing)} of {rows} rows and edges visited")
    return 1 if missing or unknown or differences else 0


if __name__ == "__main__":
    sys.exit(main())
