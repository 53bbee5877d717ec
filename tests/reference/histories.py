"""Runs random histories on the Python binding and on the model; all values must agree after every event.

`python tests/reference/histories.py [EVENTS] [SEED]` prints a disagreement as a vector that can be added to the suite.
At the end it prints how often each event occurred. A long run fails if an event never occurred.
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
from config import parse
from event_counts import EVENTS, EventCounts
from model import Breaker, Permit
from snapshot import restore, save

MILLISECOND = 1_000_000
EVENTS_PER_HISTORY = 200
PROCESSES = 2
LONG_RUN_EVENTS = 100_000
"""In a run of this length every event must occur."""
TIME_STEPS_MS = (0, 0, 1, 1, 2, 3, 5, 20, 150, 1000, -1, -7, -150)
"""Milliseconds between two steps."""
OUTCOMES = ("success", "success", "success", "failure", "failure", "failure", "ignored", "cancelled")


def random_config(rng: random.Random) -> dict[str, Any]:
    """A configuration with low thresholds and short times, so that a short history reaches all rules."""
    config: dict[str, Any] = {
        "failure_threshold": rng.choice([None, 1, 2, 3]),
        "success_threshold": rng.randint(1, 3),
        "timeout_seconds": rng.choice([0.001, 0.005, 0.02]),
        "half_open_max_calls": rng.randint(1, 3),
        "timeout_multiplier": rng.choice([1, 1.5, 2]),
        "max_timeout_seconds": rng.choice([None, 0.02, 0.05]),
        "timeout_jitter": rng.choice([0, 0, 0.3, 1]),
        "probe_timeout_seconds": rng.choice([None, 0.002, 0.01, 2]),
        "cancel_failure_after_seconds": rng.choice([None, None, 0.003]),
        "slow_call_seconds": rng.choice([None, 0.002, 0.004]),
        "window": rng.choice([{"calls": 3}, {"calls": 7}, {"seconds": 1}, {"seconds": 2}]),
        "minimum_calls": rng.randint(1, 3),
        "shadow": rng.random() < 0.15,
        "record_durations": rng.random() < 0.7,
    }
    if config["failure_threshold"] is None or rng.random() < 0.4:
        config["failure_rate_threshold"] = rng.choice([0.1, 0.3333, 0.5, 1])
    if config["slow_call_seconds"] is not None and rng.random() < 0.5:
        config["slow_call_rate_threshold"] = rng.choice([0.25, 0.5, 1])
    return config


def random_step(
    rng: random.Random, at_ms: int, model: Breaker, permits: Mapping[str, tuple[Any, ...]], number: int
) -> dict[str, Any]:
    """One step at that time. The tuple of a permit ends with the model's permit."""
    step: dict[str, Any] = {"at_ms": at_ms}
    if model.mode_at(at_ms * MILLISECOND) in {"forced_open", "disabled"} and rng.random() < 0.1:
        return step | {"reset": True}
    known = list(permits) if rng.random() < 0.05 else [name for name in permits if not permits[name][-1].settled]
    kind = rng.random()
    if kind < 0.48 or not known:
        # The outer call may have ended, but its permit must come from the current breaker.
        current = [name for name, (*_, breaker, _) in permits.items() if breaker is model]
        inside = {"inside": rng.choice(current)} if current and rng.random() < 0.2 else {}
        return step | {"acquire": str(number)} | inside
    if kind < 0.92:
        step |= {"settle": rng.choice(known), "outcome": rng.choice(OUTCOMES)}
        return step | ({"retry_after_ms": rng.choice([0, 3, 30, 300])} if rng.random() < 0.1 else {})
    if kind < 0.95:
        return step | {"drop": rng.choice(known)}
    if kind < 0.96:
        return step | {"force_open": rng.choice([None, 1, 7, 40])}
    if kind < 0.97:
        return step | {"reset": True}
    if kind < 0.975:
        return step | {"disable": True}
    if kind < 0.99:
        return step | {"reconfigure": random_config(rng)}
    return step | {"restart": True}


class BreakerPair:
    """The core's breaker and the model's, on the same clock."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.clock = halfopen.ManualClock()
        self.core = halfopen.CircuitBreaker(halfopen.CircuitBreakerConfig(**config), clock=self.clock)
        self.model = Breaker(parse(config))
        self.model.jitter = partial(core_jitter, self.core, self.model)
        self.permits: dict[str, tuple[halfopen.Permit, Breaker, Permit]] = {}

    def step(self, step: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Applies the step to both and returns the values that each shows after it."""
        now = step["at_ms"] * MILLISECOND
        self.clock.set(step["at_ms"] / 1000)
        known = self.core._read_status()["state_transitions"]
        self.model.transitions.clear()
        core_result, model_result = self.apply(step, now)
        core_result["transitions"] = [
            (it["from_state"], it["to_state"], it["cause"]) for it in self.core._read_events(known)
        ]
        model_result["transitions"] = list(self.model.transitions)
        return core_result | self.core_values(), model_result | self.model_values(now)

    def apply(self, step: dict[str, Any], now: int) -> tuple[dict[str, Any], dict[str, Any]]:
        match step:
            case {"acquire": name}:
                return self.acquire(name, self.permits.get(step.get("inside", "")), now)
            case {"settle": name, "outcome": outcome}:
                permit, model, model_permit = self.permits[name]
                hint = step.get("retry_after_ms")
                permit.settle(outcome, None if hint is None else hint / 1000)
                model.settle(model_permit, outcome, now, None if hint is None else hint * MILLISECOND)
            case {"drop": name}:
                permit, model, model_permit = self.permits.pop(name)
                del permit
                model.drop(model_permit, now)
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
                self.model.jitter = partial(core_jitter, self.core, self.model)
            case _:
                raise ValueError(step)
        return {}, {}

    def acquire(
        self, name: str, inside: tuple[halfopen.Permit, Breaker, Permit] | None, now: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        outer, model_outer = (inside[0], inside[2]) if inside else (None, None)
        # The core first, because an acquire can open the circuit, and then the model applies the core's jitter.
        permit, core_result = None, dict[str, Any](reason=None, wait=None)
        try:
            permit = self.core.acquire(inside=outer)
        except halfopen.CircuitBreakerOpenError as rejected:
            core_result = {"reason": rejected.reason, "wait": nanos(rejected.retry_after)}
        answer = self.model.acquire(now, model_outer)
        if permit is not None and answer.permit is not None:
            self.permits[name] = (permit, self.model, answer.permit)
        return core_result, {"reason": answer.reason, "wait": answer.retry_after}

    def core_values(self) -> dict[str, Any]:
        raw: dict[str, Any] = dict(self.core._read_status())
        raw["remaining"] = nanos(raw["retry_after_seconds"])
        return raw

    def model_values(self, now: int) -> dict[str, Any]:
        model, entries = self.model, self.model.window.entries_at(now)
        return model.counters | {
            "state": model.state_at(now),
            "mode": model.mode_at(now),
            "remaining": model.retry_after(now),
            "consecutive_failures": model.failures,
            "consecutive_successes": model.successes,
            "window_calls": len(entries),
            "window_failed": sum(entry.failed for entry in entries),
            "window_slow": sum(entry.slow for entry in entries),
        }


def core_jitter(core: halfopen.CircuitBreaker, model: Breaker, _generation: int) -> Fraction:
    """The jitter, from -1 to 1, that the core applied to its latest wait.

    The model applies the same jitter; the comparison of the waits then checks every other rule of the wait.
    """
    spread, events = model.config.timeout_jitter, core._read_events(0)
    wait = nanos(events[-1]["retry_after_seconds"]) if events else None
    if wait is None or not spread:
        return Fraction(0)
    grown = model.config.timeout * model.config.timeout_multiplier**model.open_streak.count
    return max(Fraction(-1), min(Fraction(1), (wait / grown - 1) / spread))


def nanos(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)


def history(seed: int) -> tuple[Counter[str], str | None]:
    """The events of one history, and the disagreement as a vector, if there is one."""
    rng = random.Random(seed)
    config = random_config(rng)
    if rng.random() < 0.5:
        config.pop("max_timeout_seconds")
    pair, steps, at_ms, event_counts = BreakerPair(config), list[dict[str, Any]](), 0, EventCounts()
    for number in range(EVENTS_PER_HISTORY):
        at_ms = max(0, at_ms + rng.choice(TIME_STEPS_MS))
        step = random_step(rng, at_ms, pair.model, pair.permits, number)
        steps.append(step)
        with event_counts.step(pair.model, step, pair.permits):
            core, model = pair.step(step)
        different = {name: (core[name], expected) for name, expected in model.items() if core[name] != expected}
        if different:
            vector = json.dumps({"id": f"histories/seed-{seed}", "why": "…", "config": config, "steps": steps})
            return event_counts.counted, f"seed {seed}, (core, model): {different}\n{vector}"
    return event_counts.counted, None


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    count = max(1, events // EVENTS_PER_HISTORY)
    counted = Counter[str]()
    with Pool(PROCESSES) as pool:
        for done, (events_seen, disagreement) in enumerate(
            pool.imap_unordered(history, range(first, first + count), 16), 1
        ):
            counted += events_seen
            if disagreement is not None:
                print(disagreement)
                print(f"histories: a disagreement after {done} histories")
                pool.terminate()
                return 1
    print("\n".join(f"  {counted[event]:>9} {event}" for event in EVENTS))
    never = [event for event in EVENTS if not counted[event]]
    print(
        f"histories: {count} of {EVENTS_PER_HISTORY} events each, {count * EVENTS_PER_HISTORY} events, no disagreement"
    )
    if events >= LONG_RUN_EVENTS and never:
        print("histories: these events never occurred: " + "; ".join(never))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
