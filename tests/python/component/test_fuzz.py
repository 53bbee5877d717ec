"""Calls the component in wasmtime with invalid and boundary values: it returns errors and never traps."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from wasmtime.component import Record, ResourceAny, Variant

from component.host import ComponentError, Instance, fields

NUMBERS = [0.0, -0.0, -1.0, 1.0, 0.5, 1e-9, 1e-300, 3600.0, 31_536_001.0, 1e300, float("nan"), float("inf")]
COUNTS = [0, 1, 2, 3, 255, 256, 10_000, 65_536, 2**32 - 1]
MOMENTS = [0, 1, 999_999_999, 60_000_000_000, 2**53, 2**63, 2**64 - 1]
TEXTS = ["", " ", "a", "ß", "\u2028", "\0", "😀" * 128, "x" * 129, "x" * 100_000]
DOCUMENTS = ["", "null", "{}", "[]", "1e999", '{"version":1}', "[" * 100_000, '{"a":' * 200, '"\\ud800"']
CODES = {"CIRCUIT_OPEN", "INVALID_VALUE", "NAME_CONFLICT", "REGISTRY_FULL"}


class Session:
    """Random operations on one instance, with invalid and boundary values."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now = 0
        self.instance = Instance(lambda: self.now)
        self.call = self.instance.call
        self.defaults = self.call("parse-config", "{}")
        self.breaker = self.call("[static]breaker.create", self.defaults, None)
        self.registry = self.call("[static]registry.create", 3)
        self.permits: list[ResourceAny] = []
        self.snapshot = "{}"

    def step(self) -> None:
        """Runs one random operation; only error records of the WIT package may come back."""
        choice = self.rng.choice
        operations: list[Callable[[], object]] = [
            lambda: self.replace_breaker(self.call("[static]breaker.create", self.config(), choice(MOMENTS))),
            lambda: self.replace_breaker(
                self.call("[method]registry.get-or-create", self.registry, self.config(), None)
            ),
            lambda: self.call("[method]registry.remove", self.registry, choice(TEXTS)),
            lambda: self.call("[method]registry.remove-unused", self.registry),
            lambda: self.permits.append(self.call_breaker("acquire")),
            lambda: self.settle(
                "settle", choice(["success", "failure", "ignored", "cancelled"]), choice([None, *NUMBERS])
            ),
            lambda: self.settle("failure", choice([None, *NUMBERS])),
            self.drop,
            lambda: self.call_breaker("force-open", choice([None, *NUMBERS])),
            lambda: self.call_breaker(
                choice(["disable", "reset", "explain", "durations", "edges", "mode", "is-idle", "config"])
            ),
            lambda: self.call_breaker("reconfigure", self.config()),
            lambda: self.call_breaker("percentile", choice(NUMBERS), choice(["success", "failure", "ignored"])),
            lambda: self.call_breaker("events", choice(MOMENTS)),
            lambda: self.call("parse-config", choice(DOCUMENTS)),
            lambda: setattr(self, "snapshot", self.call_breaker("snapshot")),
            lambda: self.call_breaker("restore", choice([self.snapshot, self.damaged_snapshot(), *DOCUMENTS])),
            lambda: setattr(self, "now", choice(MOMENTS)),
            lambda: setattr(self, "now", (self.now + 30_000_000_000) % 2**64),
        ]
        try:
            choice(operations)()
        except ComponentError as error:
            if error.record["code"] not in CODES:
                raise

    def call_breaker(self, method: str, *arguments: Any) -> Any:
        return self.call(f"[method]breaker.{method}", self.breaker, *arguments)

    def settle(self, method: str, *arguments: Any) -> None:
        if self.permits:
            self.call(f"[method]permit.{method}", self.rng.choice(self.permits), *arguments)

    def drop(self) -> None:
        if self.permits:
            self.instance.drop(self.permits.pop())

    def replace_breaker(self, breaker: ResourceAny) -> None:
        while self.permits:
            self.drop()
        self.instance.drop(self.breaker)
        self.breaker = breaker

    def config(self) -> Record:
        """A configuration with two fields replaced, so that some configurations are valid."""
        choice = self.rng.choice
        replacements: dict[str, list[Any]] = {
            "name": ["a", "b", "c", "d", *TEXTS],
            "failure-threshold": [Variant("some", count) for count in (None, *COUNTS)],
            "window": [Variant(kind, count) for kind in ("calls", "seconds") for count in COUNTS],
            "minimum-calls": MOMENTS,
            **dict.fromkeys(("success-threshold", "half-open-max-calls"), COUNTS),
            **{name: [True, False] for name in ("shadow", "record-durations")},
        }
        record = Record()
        fields(record).update(fields(self.defaults))
        for name in self.rng.sample(sorted(fields(record)), 2):
            setattr(record, name, choice(replacements.get(name, NUMBERS)))
        return record

    def damaged_snapshot(self) -> str:
        """A snapshot with a part removed, doubled or replaced."""
        at = self.rng.randrange(len(self.snapshot))
        before, after = self.snapshot[:at], self.snapshot[at + self.rng.randrange(20) :]
        return before + self.rng.choice(["", "0", "9" * 30, "-", "null", '"', "}", before]) + after


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_counters_add_up_after_any_operations(seed: int) -> None:
    session = Session(seed)
    for _ in range(500):
        session.step()
        counts = fields(session.call_breaker("status").counts)
        ended = [counts[f"{outcome}-calls"] for outcome in ("successful", "failed", "ignored", "cancelled")]
        assert counts["total-calls"] == sum(ended) + counts["in-flight"]
