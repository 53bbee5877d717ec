"""Random histories as vectors for every runner, with the model's answers: `generate.py FOLDER [HISTORIES] [SEED]`."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from histories import EVENTS_A_HISTORY, PASSING, some_config, some_step
from run_vectors import Run

WHOLE = 10
"""After every so many steps all that can be expected is; after the others, what differs from the step before."""

SHOWN = [
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
    """A history that the model has lived through."""
    chance = random.Random(seed)
    config = without_jitter(some_config(chance))
    run, steps, at_ms, before = Run(config), list[dict[str, Any]](), 0, dict[str, object]()
    for number in range(EVENTS_A_HISTORY):
        at_ms = max(0, at_ms + chance.choice(PASSING))
        step = some_step(chance, at_ms, run.breaker, run.permits, number)
        if step.get("outcome") != "failure":
            # In JavaScript only a failure can carry a hint.
            step.pop("retry_after_ms", None)
        if "reconfigure" in step:
            step["reconfigure"] = without_jitter(step["reconfigure"])
        now = at_ms * 1_000_000
        answer = run.act(step, now)
        if "drop" in step:
            del run.permits[step["drop"]]
        shown = {key: whole(run.look(key, now, answer, None)) for key in SHOWN}
        expect = {key: value for key, value in shown.items() if number % WHOLE == 0 or before.get(key, ()) != value}
        if answer is not None:
            expect |= {key: whole(run.look(key, now, answer, None)) for key in ("admitted", "reason", "retry_after_ms")}
        expect["transitions"] = run.look("transitions", now, answer, None)
        steps.append(step | {"expect": expect})
        before = shown
    return {
        "id": f"generated/seed-{seed}",
        "why": "what the model did, every runner does",
        "config": config,
        "steps": steps,
    }


def without_jitter(config: dict[str, Any]) -> dict[str, Any]:
    """Its seed is drawn anew each time, so no vector can say what it comes to."""
    return config | {"timeout_jitter": 0}


def whole(value: object) -> object:
    """As vectors write numbers: whole ones without a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def main() -> None:
    folder = Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    folder.mkdir(parents=True, exist_ok=True)
    vectors = [vector(seed) for seed in range(first, first + count)]
    (folder / "generated.json").write_text(json.dumps(vectors), encoding="utf-8")
    print(f"generated: {count} histories of {EVENTS_A_HISTORY} events, with what the model says of each")


if __name__ == "__main__":
    main()
