"""Random histories through the Python binding and through the model: every number must agree after every event.

`python tests/reference/histories.py [EVENTS] [SEED]`; a disagreement is printed as a vector, ready to be kept. At the
end stands how often each thing happened; that something never happens in a long run is a failure, too.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from multiprocessing import Pool
from typing import Any

import halfopen
from census import EXPECTED, Census
from config import parse
from model import Breaker, Permit
from snapshot import restore, save

MILLISECOND = 1_000_000
EVENTS_A_HISTORY = 200
PROCESSES = 2
LONG_ENOUGH = 100_000
"""With so many events everything has to have happened."""
PASSING = (0, 0, 1, 1, 2, 3, 5, 20, 150, 1000, -1, -7, -150)
"""Milliseconds between two steps."""
OUTCOMES = ("success", "success", "success", "failure", "failure", "failure", "ignored", "cancelled")


def some_config(chance: random.Random) -> dict[str, Any]:
    """A small configuration, in which thresholds are near and times are short."""
    config: dict[str, Any] = {
        "failure_threshold": chance.choice([None, 1, 2, 3]),
        "success_threshold": chance.randint(1, 3),
        "timeout_seconds": chance.choice([0.001, 0.005, 0.02]),
        "half_open_max_calls": chance.randint(1, 3),
        "timeout_multiplier": chance.choice([1, 1.5, 2]),
        "max_timeout_seconds": chance.choice([None, 0.02, 0.05]),
        "timeout_jitter": chance.choice([0, 0, 0.3, 1]),
        "probe_timeout_seconds": chance.choice([None, 0.002, 0.01, 2]),
        "cancel_failure_after_seconds": chance.choice([None, None, 0.003]),
        "slow_call_seconds": chance.choice([None, 0.002, 0.004]),
        "window": chance.choice([{"calls": 3}, {"calls": 7}, {"seconds": 1}, {"seconds": 2}]),
        "minimum_calls": chance.randint(1, 3),
        "shadow": chance.random() < 0.15,
        "record_durations": chance.random() < 0.7,
    }
    if config["failure_threshold"] is None or chance.random() < 0.4:
        config["failure_rate_threshold"] = chance.choice([0.1, 0.3333, 0.5, 1])
    if config["slow_call_seconds"] is not None and chance.random() < 0.5:
        config["slow_call_rate_threshold"] = chance.choice([0.25, 0.5, 1])
    return config


def some_step(
    chance: random.Random, at_ms: int, model: Breaker, permits: Mapping[str, tuple[Any, ...]], number: int
) -> dict[str, Any]:
    """One step at that time; the last of what stands behind a permit's name is the model's."""
    step: dict[str, Any] = {"at_ms": at_ms}
    if model.mode_at(at_ms * MILLISECOND) in {"forced_open", "disabled"} and chance.random() < 0.1:
        return step | {"reset": True}
    known = list(permits) if chance.random() < 0.05 else [name for name in permits if not permits[name][-1].settled]
    kind = chance.random()
    if kind < 0.48 or not known:
        # Also inside a call that has ended, and not of the breaker of before a restart.
        here = [name for name, (*_, breaker, _) in permits.items() if breaker is model]
        inside = {"inside": chance.choice(here)} if here and chance.random() < 0.2 else {}
        return step | {"acquire": str(number)} | inside
    if kind < 0.92:
        step |= {"settle": chance.choice(known), "outcome": chance.choice(OUTCOMES)}
        return step | ({"retry_after_ms": chance.choice([0, 3, 30, 300])} if chance.random() < 0.1 else {})
    if kind < 0.95:
        return step | {"drop": chance.choice(known)}
    if kind < 0.96:
        return step | {"force_open": chance.choice([None, 1, 7, 40])}
    if kind < 0.97:
        return step | {"reset": True}
    if kind < 0.975:
        return step | {"disable": True}
    if kind < 0.99:
        return step | {"reconfigure": some_config(chance)}
    return step | {"restart": True}


class Both:
    """One breaker of each kind, on the same clock."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.clock = halfopen.ManualClock()
        self.core = halfopen.CircuitBreaker(halfopen.CircuitBreakerConfig(**config), clock=self.clock)
        self.model = Breaker(parse(config))
        self.model.jitter = partial(drawn, self.core, self.model)
        self.permits: dict[str, tuple[halfopen.Permit, Breaker, Permit]] = {}

    def step(self, step: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Does the step on both, and tells what each shows after it."""
        now = step["at_ms"] * MILLISECOND
        self.clock.set(step["at_ms"] / 1000)
        known = self.core.read_status()["state_transitions"]
        self.model.transitions.clear()
        core_said, model_said = self.act(step, now)
        core_said["announced"] = [
            (it["from_state"], it["to_state"], it["cause"]) for it in self.core.read_events(known)
        ]
        model_said["announced"] = list(self.model.transitions)
        return core_said | self.core_shows(), model_said | self.model_shows(now)

    def act(self, step: dict[str, Any], now: int) -> tuple[dict[str, Any], dict[str, Any]]:
        match step:
            case {"acquire": name}:
                return self.acquire(name, self.permits.get(step.get("inside", "")), now)
            case {"settle": name, "outcome": outcome}:
                permit, model, shadow = self.permits[name]
                hint = step.get("retry_after_ms")
                permit.settle(outcome, None if hint is None else hint / 1000)
                model.settle(shadow, outcome, now, None if hint is None else hint * MILLISECOND)
            case {"drop": name}:
                permit, model, shadow = self.permits.pop(name)
                del permit
                model.drop(shadow, now)
            case {"force_open": millis}:
                self.core.force_open(None if millis is None else millis / 1000)
                self.model.force_open(None if millis is None else millis * MILLISECOND, now)
            case {"reset": True}:
                self.core.reset()
                self.model.reset(now)
            case {"disable": True}:
                self.core.disable()
                self.model.disable(now)
            case {"reconfigure": config}:
                self.core.reconfigure(halfopen.CircuitBreakerConfig(**config))
                self.model.reconfigure(parse(config), now)
            case {"restart": True}:
                saved, self.core = self.core, halfopen.CircuitBreaker(self.core.config, clock=self.clock)
                self.core.restore(saved.snapshot())
                self.model = restore(self.model.config, save(self.model, now), now)
                self.model.jitter = partial(drawn, self.core, self.model)
            case _:
                raise ValueError(step)
        return {}, {}

    def acquire(
        self, name: str, inside: tuple[halfopen.Permit, Breaker, Permit] | None, now: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        outer, shadow = (inside[0], inside[2]) if inside else (None, None)
        answer = self.model.acquire(now, shadow)
        model_said = {"reason": answer.reason, "wait": answer.retry_after}
        try:
            permit = self.core.acquire(inside=outer)
        except halfopen.CircuitBreakerOpenError as rejected:
            return {"reason": rejected.reason, "wait": nanos(rejected.retry_after)}, model_said
        if answer.permit is not None:
            self.permits[name] = (permit, self.model, answer.permit)
        return {"reason": None, "wait": None}, model_said

    def core_shows(self) -> dict[str, Any]:
        raw: dict[str, Any] = dict(self.core.read_status())
        raw["left"] = nanos(raw["retry_after_seconds"])
        return raw

    def model_shows(self, now: int) -> dict[str, Any]:
        model, seen = self.model, self.model.window.seen(now)
        return model.counters | {
            "state": model.state_at(now),
            "mode": model.mode_at(now),
            "left": model.retry_after(now),
            "consecutive_failures": model.failures,
            "consecutive_successes": model.successes,
            "window_calls": len(seen),
            "window_failed": sum(entry.failed for entry in seen),
            "window_slow": sum(entry.slow for entry in seen),
        }


def drawn(core: halfopen.CircuitBreaker, model: Breaker, _generation: int) -> Fraction:
    """The share, from -1 to 1, by which the core spread its latest wait.

    The model takes that draw for its own; whether any draw could have led to that wait, the rules decide.
    """
    spread, events = model.config.timeout_jitter, core.read_events(0)
    wait = nanos(events[-1]["retry_after_seconds"]) if events else None
    if wait is None or not spread:
        return Fraction(0)
    grown = model.config.timeout * model.config.timeout_multiplier**model.openings.count
    return max(Fraction(-1), min(Fraction(1), (wait / grown - 1) / spread))


def nanos(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)


def history(seed: int) -> tuple[Counter[str], str | None]:
    """What happened in one history; and the steps that lead to a disagreement, as a vector, if there is one."""
    chance = random.Random(seed)
    config = some_config(chance)
    if chance.random() < 0.5:
        config.pop("max_timeout_seconds")
    both, steps, at_ms, census = Both(config), list[dict[str, Any]](), 0, Census()
    for number in range(EVENTS_A_HISTORY):
        at_ms = max(0, at_ms + chance.choice(PASSING))
        step = some_step(chance, at_ms, both.model, both.permits, number)
        steps.append(step)
        with census.of(both.model, step, both.permits):
            core, model = both.step(step)
        different = {name: (core[name], wanted) for name, wanted in model.items() if core[name] != wanted}
        if different:
            vector = json.dumps({"id": f"histories/seed-{seed}", "why": "…", "config": config, "steps": steps})
            return census.counted, f"seed {seed}, (core, model): {different}\n{vector}"
    return census.counted, None


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    count = max(1, events // EVENTS_A_HISTORY)
    counted = Counter[str]()
    with Pool(PROCESSES) as pool:
        for done, (happened, disagreement) in enumerate(
            pool.imap_unordered(history, range(first, first + count), 16), 1
        ):
            counted += happened
            if disagreement is not None:
                print(disagreement)
                print(f"histories: a disagreement after {done} histories")
                pool.terminate()
                return 1
    print("\n".join(f"  {counted[what]:>9} {what}" for what in EXPECTED))
    never = [what for what in EXPECTED if not counted[what]]
    print(f"histories: {count} of {EVENTS_A_HISTORY} events each, {count * EVENTS_A_HISTORY} events, no disagreement")
    if events >= LONG_ENOUGH and never:
        print("histories: none of them had: " + "; ".join(never))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
