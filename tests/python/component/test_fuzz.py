"""Odd values thrown at the component in wasmtime: it refuses them by name, and no instance of it ends."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from wasmtime.component import Record, ResourceAny, Variant

from component.host import Instance, Refused, fields

NUMBERS = [0.0, -0.0, -1.0, 1.0, 0.5, 1e-9, 1e-300, 3600.0, 31_536_001.0, 1e300, float("nan"), float("inf")]
COUNTS = [0, 1, 2, 3, 255, 256, 10_000, 65_536, 2**32 - 1]
MOMENTS = [0, 1, 999_999_999, 60_000_000_000, 2**53, 2**63, 2**64 - 1]
TEXTS = ["", " ", "a", "ß", "\u2028", "\0", "😀" * 128, "x" * 129, "x" * 100_000]
DOCUMENTS = ["", "null", "{}", "[]", "1e999", '{"version":1}', "[" * 100_000, '{"a":' * 200, '"\\ud800"']
CODES = {"CIRCUIT_OPEN", "INVALID_VALUE", "NAME_CONFLICT", "REGISTRY_FULL"}


class Session:
    """What a host could do with an instance, of everything something odd."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 0
        self.instance = Instance(lambda: self.now)
        self.ask = self.instance.ask
        self.defaults = self.ask("parse-config", "{}")
        self.breaker = self.ask("[static]breaker.create", self.defaults, None)
        self.registry = self.ask("[static]registry.create", 3)
        self.permits: list[ResourceAny] = []
        self.snapshot = "{}"

    def step(self) -> None:
        """Does anything; only the records of the WIT package may come out as errors."""
        of = self.chance.choice
        acts: list[Callable[[], object]] = [
            lambda: self.take(self.ask("[static]breaker.create", self.config(), of(MOMENTS))),
            lambda: self.take(self.ask("[method]registry.get-or-create", self.registry, self.config(), None)),
            lambda: self.ask("[method]registry.remove", self.registry, of(TEXTS)),
            lambda: self.ask("[method]registry.remove-unused", self.registry),
            lambda: self.permits.append(self.call("acquire")),
            lambda: self.settle("settle", of(["success", "failure", "ignored", "cancelled"]), of([None, *NUMBERS])),
            lambda: self.settle("failure", of([None, *NUMBERS])),
            self.drop,
            lambda: self.call("force-open", of([None, *NUMBERS])),
            lambda: self.call(of(["disable", "reset", "explain", "durations", "edges", "mode", "is-idle", "config"])),
            lambda: self.call("reconfigure", self.config()),
            lambda: self.call("percentile", of(NUMBERS), of(["success", "failure", "ignored"])),
            lambda: self.call("events", of(MOMENTS)),
            lambda: self.ask("parse-config", of(DOCUMENTS)),
            lambda: setattr(self, "snapshot", self.call("snapshot")),
            lambda: self.call("restore", of([self.snapshot, self.damaged(), *DOCUMENTS])),
            lambda: setattr(self, "now", of(MOMENTS)),
            lambda: setattr(self, "now", (self.now + 30_000_000_000) % 2**64),
        ]
        try:
            of(acts)()
        except Refused as refused:
            if refused.record["code"] not in CODES:
                raise

    def call(self, method: str, *arguments: Any) -> Any:
        return self.ask(f"[method]breaker.{method}", self.breaker, *arguments)

    def settle(self, how: str, *arguments: Any) -> None:
        if self.permits:
            self.ask(f"[method]permit.{how}", self.chance.choice(self.permits), *arguments)

    def drop(self) -> None:
        if self.permits:
            self.instance.drop(self.permits.pop())

    def take(self, breaker: ResourceAny) -> None:
        while self.permits:
            self.drop()
        self.instance.drop(self.breaker)
        self.breaker = breaker

    def config(self) -> Record:
        """Two odd fields, so that some configurations pass."""
        of = self.chance.choice
        odd: dict[str, list[Any]] = {
            "name": ["a", "b", "c", "d", *TEXTS],
            "failure-threshold": [Variant("some", count) for count in (None, *COUNTS)],
            "window": [Variant(kind, count) for kind in ("calls", "seconds") for count in COUNTS],
            "minimum-calls": MOMENTS,
            **dict.fromkeys(("success-threshold", "half-open-max-calls"), COUNTS),
            **{name: [True, False] for name in ("shadow", "record-durations")},
        }
        record = Record()
        fields(record).update(fields(self.defaults))
        for name in self.chance.sample(sorted(fields(record)), 2):
            setattr(record, name, of(odd.get(name, NUMBERS)))
        return record

    def damaged(self) -> str:
        """A snapshot with a part cut out, doubled or of another value."""
        at = self.chance.randrange(len(self.snapshot))
        before, after = self.snapshot[:at], self.snapshot[at + self.chance.randrange(20) :]
        return before + self.chance.choice(["", "0", "9" * 30, "-", "null", '"', "}", before]) + after


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_a_host_hands_in_the_instance_lives_and_the_counters_add_up(seed: int) -> None:
    session = Session(seed)
    for _ in range(500):
        session.step()
        counts = fields(session.call("status").counts)
        ended = [counts[f"{how}-calls"] for how in ("successful", "failed", "ignored", "cancelled")]
        assert counts["total-calls"] == sum(ended) + counts["in-flight"]
