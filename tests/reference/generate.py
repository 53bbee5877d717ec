"""Writes random histories as vectors, with the model's results: `generate.py FOLDER [HISTORIES] [SEED]`."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pool_logs
from histories import EVENTS_PER_HISTORY, TIME_STEPS_MS, random_config, random_step
from run_vectors import VectorRun

FULL_EXPECTATION_EVERY = 10
"""Every tenth step expects all values; the other steps expect the values that changed."""

COMPARED = [
    "state",
    "mode",
    "retry_after_ms",
    "in_flight",
    "total_calls",
    "successful_calls",
    "failed_calls",
    "ignored_calls",
    "cancelled_calls",
    "rejected_calls",
    "shadow_rejected",
    "slow_calls",
    "state_transitions",
    "probe_timeouts",
    "consecutive_failures",
    "consecutive_successes",
    "window_calls",
    "window_failed",
    "window_slow",
]


def vector(seed: int) -> dict[str, Any]:
    """A random history with the model's results."""
    rng = random.Random(seed)
    config = without_jitter(random_config(rng))
    run, steps, at_ms, previous = VectorRun(config), list[dict[str, Any]](), 0, dict[str, object]()
    for number in range(EVENTS_PER_HISTORY):
        at_ms = max(0, at_ms + rng.choice(TIME_STEPS_MS))
        step = random_step(rng, at_ms, run.breaker, run.permits, number)
        if step.get("outcome") != "failure":
            # In JavaScript only a failure can carry a hint.
            step.pop("retry_after_ms", None)
        if "reconfigure" in step:
            step["reconfigure"] = without_jitter(step["reconfigure"])
        now = at_ms * 1_000_000
        answer = run.apply(step, now)
        if "drop" in step:
            del run.permits[step["drop"]]
        current = {key: as_integer(run.read(key, now, answer, None)) for key in COMPARED}
        expect = {
            key: value
            for key, value in current.items()
            if number % FULL_EXPECTATION_EVERY == 0 or previous.get(key, ()) != value
        }
        if answer is not None:
            expect |= {
                key: as_integer(run.read(key, now, answer, None)) for key in ("admitted", "reason", "retry_after_ms")
            }
        expect["transitions"] = run.read("transitions", now, answer, None)
        steps.append(step | {"expect": expect})
        previous = current
    return {
        "id": f"generated/seed-{seed}",
        "why": "every runner agrees with the model",
        "config": config,
        "steps": steps,
    }


def without_jitter(config: dict[str, Any]) -> dict[str, Any]:
    """Each runner draws its own seed, so a vector cannot expect a wait with jitter."""
    return config | {"timeout_jitter": 0}


def as_integer(value: object) -> object:
    """Vectors write whole numbers without a decimal point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def main() -> None:
    folder = Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(first, first + count)
    for name, made in (("histories", vector), ("pools", pool_logs.vector)):
        vectors = [made(seed) for seed in seeds]
        (folder / f"{name}.json").write_text(json.dumps(vectors), encoding="utf-8")
    events = f"{count} histories of {EVENTS_PER_HISTORY} events, and {count} logs of pools of {pool_logs.STEPS} steps"
    print(f"generated: {events}, with the model's results")


if __name__ == "__main__":
    main()
