"""Runs the shared vectors on a package with the API of ``halfopen``.

It runs those in ``tests/vectors``, and in the folder that ``HALFOPEN_VECTORS`` names.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pool_driver
import registry_driver
from halfopen import CircuitBreakerOpenError, InvalidValueError

Json = Any
Replay = Callable[[str], list[dict[str, Json]]]
ADDITIONAL_KEYS = {"at_ms", "expect", "inside", "outcome", "retry_after_ms"}


class Difference(Exception):
    """A result differs from the expected value."""


class Session:
    """A breaker on a manual clock, and its permits."""

    def __init__(self, config: Json, package: ModuleType) -> None:
        self.package = package
        self.clock = package.ManualClock()
        self.breaker = package.CircuitBreaker(package.CircuitBreakerConfig(**config), clock=self.clock)
        self.permits: dict[str, Any] = {}
        self.fetched_to = 0
        self.announced: list[list[str]] = []

    def step(self, step: Json) -> None:
        """Applies one step and compares the results."""
        self.clock.set(step["at_ms"] / 1000)
        expected = step.get("expect", {})
        result: dict[str, Json] = {}
        try:
            self._apply(step)
            result.update(admitted=True, reason=None, retry_after_ms=None)
        except CircuitBreakerOpenError as rejected:
            result.update(admitted=False, reason=rejected.reason, retry_after_ms=_millis(rejected.retry_after))
        except InvalidValueError as refused:
            if "error" not in expected:
                raise Difference(f"refused: {refused}") from None
            result["error"] = refused.code
        seen = self._status() | (result if "acquire" in step or "error" in result else {})
        if "transitions" in expected:
            seen["transitions"] = self._transitions()
        for key, value in expected.items():
            if seen.get(key, "nothing") != value:
                raise Difference(f"{key}: expected {value!r}, seen {seen.get(key, 'nothing')!r}")

    def _apply(self, step: Json) -> None:
        match [key for key in step if key not in ADDITIONAL_KEYS]:
            case []:
                pass
            case ["acquire"]:
                inside = self.permits.get(step.get("inside"))
                self.permits[step["acquire"]] = self.breaker.acquire(inside=inside)
            case ["settle"]:
                # A dropped permit no longer exists in Python, so it cannot be settled.
                if permit := self.permits.get(step["settle"]):
                    hint = step.get("retry_after_ms")
                    permit.settle(step["outcome"], None if hint is None else hint / 1000)
            case ["drop"]:
                self.permits.pop(step["drop"], None)
            case ["force_open"]:
                millis = step["force_open"]
                self.breaker.force_open(None if millis is None else millis / 1000)
            case ["disable"]:
                self.breaker.disable()
            case ["reset"]:
                self.breaker.reset()
            case ["reconfigure"]:
                self.breaker.reconfigure(self.package.CircuitBreakerConfig(**step["reconfigure"]))
            case ["restart"]:
                self._restart()
            case unknown:
                raise Difference(f"unknown kind of step: {unknown}")

    def _status(self) -> dict[str, Json]:
        status = self.breaker.get_status()
        retry_after_ms = _millis(status["retry_after_seconds"])
        return {**status["metrics"], "state": status["state"], "mode": status["mode"], "retry_after_ms": retry_after_ms}

    def _restart(self) -> None:
        self._fetch()
        saved = self.breaker
        self.breaker = self.package.CircuitBreaker(saved.config, clock=self.clock)
        self.breaker.restore(saved.snapshot())

    def _transitions(self) -> list[list[str]]:
        self._fetch()
        announced, self.announced = self.announced, []
        return announced

    def _fetch(self) -> None:
        events = self.breaker.events(self.fetched_to)
        self.fetched_to = events[-1].sequence if events else self.fetched_to
        self.announced += [[event.from_state.value, event.to_state.value, event.cause] for event in events]


def run(vector: Json, package: ModuleType, replay: Replay) -> None:
    """Runs one vector; raises the first difference."""
    if "pool" in vector:
        if found := pool_driver.difference(vector, replay):
            raise Difference(found)
        return
    if "registry" in vector:
        if found := registry_driver.difference(vector, package):
            raise Difference(found)
        return
    try:
        session = Session(vector["config"], package)
    except InvalidValueError as refused:
        if refused.field != vector.get("config_error"):
            raise Difference(f"config_error: expected {vector.get('config_error')}, seen {refused}") from None
        return
    if "config_error" in vector:
        raise Difference(f"config_error: expected {vector['config_error']}, seen none")
    for number, step in enumerate(vector["steps"], 1):
        try:
            session.step(step)
        except Difference as difference:
            raise Difference(f"step {number} {json.dumps(step)}: {difference}") from None


def main(runner: str, package: ModuleType, replay: Replay) -> int:
    """Runs all vectors and prints how many passed."""
    further = os.environ.get("HALFOPEN_VECTORS")
    folders = [Path(__file__).parents[1] / "vectors", *([Path(further)] if further else [])]
    passed = failed = 0
    for folder in folders:
        ids: set[str] = set()
        for vector in (vector for file in sorted(folder.rglob("*.json")) for vector in json.loads(file.read_text())):
            try:
                if vector["id"] in ids:
                    raise Difference("the id is not unique in its folder")
                ids.add(vector["id"])
                run(vector, package, replay)
                passed += 1
            except Difference as difference:
                failed += 1
                print(f"{vector['id']}: {difference}")
    print(f"vectors {runner}: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def _millis(seconds: float | None) -> float | None:
    """Milliseconds, rounded to the nanosecond, the resolution of the core."""
    return None if seconds is None else round(seconds * 1000, 6)
