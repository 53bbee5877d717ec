"""Runs the shared vectors on the model: `python tests/reference/run_vectors.py`.

It also runs the folder in HALFOPEN_VECTORS, if that is set. docs/vectors.md explains the
keys of a vector.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import pool_vectors
import registry_vectors
from config import Invalid, parse
from model import Answer, Breaker, Permit
from snapshot import restore, save

TESTS = Path(__file__).parent.parent
OWN_VECTORS = TESTS / "vectors"
MILLISECOND = 1_000_000


class VectorRun:
    """One vector on one breaker."""

    def __init__(self, config: dict[str, object]) -> None:
        self.config = parse(config)
        self.breaker = Breaker(self.config)
        # A permit belongs to the breaker that issued it, also after a restart.
        self.permits: dict[str, tuple[Breaker, Permit]] = {}
        self.fetched = 0

    def step(self, step: dict[str, Any]) -> list[str]:
        """Applies the step and returns the expectations that are not met."""
        now = step["at_ms"] * MILLISECOND
        answer, error = None, None
        try:
            answer = self.apply(step, now)
        except Invalid as refusal:
            error = refusal.code
        except LookupError as broken_vector:
            return [str(broken_vector)]
        expected = step.get("expect", {})
        seen = {key: self.read(key, now, answer, error) for key in expected}
        if error is not None and "error" not in expected:
            return [f"refused with {error}"]
        return [
            f"{key}: expected {json.dumps(expected[key])}, seen {json.dumps(seen[key])}"
            for key in expected
            if expected[key] != seen[key]
        ]

    def apply(self, step: dict[str, Any], now: int) -> Answer | None:
        match step:
            case {"acquire": name}:
                inside = self.permits.get(step.get("inside", ""))
                # A permit from before a restart belongs to the old breaker, so no new call is nested in it.
                outer = inside[1] if inside and inside[0] is self.breaker else None
                answer = self.breaker.acquire(now, outer)
                if answer.permit is not None:
                    self.permits[name] = (self.breaker, answer.permit)
                return answer
            case {"settle": name, "outcome": outcome}:
                breaker, permit = self.permit(name)
                hint = step.get("retry_after_ms")
                hint = None if hint is None else hint * MILLISECOND
                breaker.settle(permit, outcome, now, hint)
            case {"drop": name}:
                breaker, permit = self.permit(name)
                breaker.drop(permit, now)
            case {"force_open": duration}:
                duration = None if duration is None else duration * MILLISECOND
                self.breaker.force_open(duration, now)
            case {"disable": True}:
                self.breaker.disable(now)
            case {"reset": True}:
                self.breaker.reset(now)
            case {"reconfigure": config}:
                self.config = parse(config)
                self.breaker.reconfigure(self.config, now)
            case {"restart": True}:
                saved = save(self.breaker, now)
                # A copy: later transitions of the old breaker do not belong to the new one.
                announced = list(self.breaker.transitions)
                self.breaker = restore(self.config, saved, now)
                self.breaker.transitions = announced
            case _ if set(step) - {"at_ms", "expect"}:
                raise LookupError("unknown kind of step")
            case _:
                pass
        return None

    def permit(self, name: str) -> tuple[Breaker, Permit]:
        if name not in self.permits:
            raise LookupError(f"broken vector: {name} holds no permit")
        return self.permits[name]

    def read(self, key: str, now: int, answer: Answer | None, error: str | None) -> object:
        breaker = self.breaker
        match key:
            case "admitted":
                return answer is not None and answer.permit is not None
            case "reason":
                return None if answer is None else answer.reason
            case "retry_after_ms":
                left = answer.retry_after if answer else breaker.retry_after(now)
                return None if left is None else left / MILLISECOND
            case "state":
                return breaker.state_at(now)
            case "mode":
                return breaker.mode_at(now)
            case "consecutive_failures":
                return breaker.failures
            case "consecutive_successes":
                return breaker.successes
            case "window_calls":
                return len(breaker.window.entries_at(now))
            case "window_failed":
                return sum(entry.failed for entry in breaker.window.entries_at(now))
            case "window_slow":
                return sum(entry.slow for entry in breaker.window.entries_at(now))
            case "transitions":
                announced = breaker.transitions[self.fetched :]
                self.fetched = len(breaker.transitions)
                return [list(transition) for transition in announced]
            case "error":
                return error
            case _:
                return breaker.counters.get(key, "nothing")


def run(vector: dict[str, Any]) -> list[str]:
    """The differences between the model and the vector, or the errors of the vector."""
    if "pool" in vector:
        return pool_vectors.run(vector)
    if "registry" in vector:
        return registry_vectors.run(vector)
    bad_field = vector.get("config_error")
    try:
        vector_run = VectorRun(vector["config"])
    except Invalid as refusal:
        if refusal.field == bad_field:
            return []
        return [f"config: {refusal}"]
    if bad_field is not None:
        return [f"config: expected {bad_field} to be refused, saw it accepted"]
    differences = []
    for number, step in enumerate(vector["steps"], 1):
        differences += [f"step {number} {json.dumps(step)}: {line}" for line in vector_run.step(step)]
    return differences


def load(folder: Path, validator: Draft202012Validator) -> list[dict[str, Any]]:
    """All vectors under the folder; exits if a file breaks a rule."""
    vectors: list[dict[str, Any]] = []
    for path in sorted(folder.rglob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        # Vectors from another folder may have extra keys; they only have to pass.
        for error in validator.iter_errors(found) if folder == OWN_VECTORS else ():
            place = "/".join(str(part) for part in error.absolute_path)
            sys.exit(f"{path}: {place}: {error.message}")
        for vector in found:
            theme = vector["id"].split("/")[0]
            if folder == OWN_VECTORS and theme != path.parent.name:
                sys.exit(f"{path}: {vector['id']} is not named after its folder")
        vectors += found
    if not vectors:
        sys.exit(f"{folder}: no vectors")
    for name, times in Counter(vector["id"] for vector in vectors).items():
        if times > 1:
            sys.exit(f"{folder}: {name} occurs {times} times")
    return vectors


def main() -> None:
    schema = json.loads((TESTS / "vectors.schema.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    folders = [OWN_VECTORS]
    if os.environ.get("HALFOPEN_VECTORS"):
        folders.append(Path(os.environ["HALFOPEN_VECTORS"]))
    vectors = [vector for folder in folders for vector in load(folder, validator)]
    failed = 0
    for vector in vectors:
        differences = run(vector)
        failed += bool(differences)
        for difference in differences:
            print(f"{vector['id']}: {difference}")
    print(f"vectors reference: {len(vectors) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
