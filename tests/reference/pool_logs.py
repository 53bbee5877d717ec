"""Random logs of pools, as vectors with the model's results."""

from __future__ import annotations

import random
from typing import Any

from pool import PRICES, STRATEGIES, Pool
from pool_replay import step_of

STEPS = 60
TIME_STEPS_MS = (0, 0, 1, 10, 500, 2000, -300, 5000, 70_000, 181_000)
CIRCUITS = ("closed", "closed", "half_open", "open", "probes_busy", "forced_open")


def vector(seed: int) -> dict[str, Any]:
    """A random log with the model's results."""
    rng = random.Random(seed)
    ids = "abcdefgh"[: rng.randrange(1, 6)]
    pool: dict[str, Any] = {
        "strategy": rng.choice(STRATEGIES),
        # JavaScript has no larger whole numbers.
        "seed": rng.getrandbits(53),
        "on_exhausted": rng.choice(["fail", "wait", "last_resort"]),
        "strict_pin": rng.random() < 0.3,
        "slow_start_ms": rng.choice([0, 1000, 10_000]),
        "hedge_after_ms": rng.choice([None, 0, 80]),
        "hedge_percentile": rng.choice([None, 50, 95]),
        "min_health": rng.choice([0, 0.5, 0.7, 1]),
        "providers": [provider(rng, name) for name in ids],
    }
    model, steps, at_ms = Pool(pool), list[dict[str, Any]](), 1000

    def take(step: dict[str, Any]) -> None:
        shown = step_of(model, step)
        steps.append(step | {"expect": {name: as_integer(value) for name, value in shown.items()}})

    # Debts need many moves that fail.
    is_storm = rng.random() < 0.3
    for _ in range(STEPS):
        at_ms = max(0, at_ms + rng.choice(TIME_STEPS_MS))
        take({"at_ms": at_ms} | step(rng, at_ms, ids, is_storm=is_storm, can_settle=bool(model.prices)))
    # A percentile needs more successes of one provider than there are steps before.
    name, kind = ids[0], rng.choice(["unary", "stream"])
    for _ in range(rng.choice([0, 19, 25, 110])):
        take({"at_ms": at_ms, "success": name, "latency_ms": rng.randrange(300), "kind": kind})
    take({"at_ms": at_ms + rng.choice([0, 180_000, 181_000]), "hedge": name, "kind": kind})
    return {
        "id": f"generated/pool-{seed}",
        "why": "every runner agrees with the model",
        "pool": pool,
        "steps": steps,
    }


def provider(rng: random.Random, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "tier": rng.randrange(2),
        "weight": rng.choice([0, 1, 1, 2, 7]),
        "enabled": rng.random() < 0.95,
        "capabilities": rng.sample(["x", "y"], rng.randrange(3)),
        "limit": rng.choice([None, None, 10, 100]),
        "key": rng.choice([None, "one", "two"]),
        "model": rng.choice([None, "small", "large"]),
        "max_concurrent_calls": rng.choice([None, None, 1, 2]),
        "last_resort": rng.random() < 0.1,
    }


def step(rng: random.Random, at_ms: int, ids: str, *, is_storm: bool, can_settle: bool) -> dict[str, Any]:
    name = rng.choice(ids)
    weights = {"choose": 45, "success": 15, "failure": 10, "set": 15, "limited": 5, "refused": 2}
    weights |= {"outrun": 2, "hedge": 2, "move": 8, "hold": 4, "settle": 8 * can_settle, "earn": 4}
    if is_storm:
        weights = {"choose": 5, "set": 2, "move": 40, "hold": 8, "settle": 40 * can_settle, "earn": 5}
    match rng.choices(list(weights), weights=list(weights.values()))[0]:
        case "choose":
            return {"choose": need(rng, ids), "deadline_ms": at_ms + rng.choice([0, 2000, 10_000])}
        case "success":
            latency_ms, kind = rng.choice([50, 100, 105, 2000]), rng.choice(["unary", "stream"])
            return {"success": name, "latency_ms": latency_ms, "kind": kind}
        case "set":
            situation = {"circuit": rng.choice(CIRCUITS), "in_flight": rng.randrange(3)}
            until = {"until_ms": at_ms + rng.choice([0, 500, 9000])} if rng.random() < 0.8 else {}
            return {"set": {name: situation | until}}
        case "limited":
            # With a hint: the jitter of the others is rounded differently in the last nanosecond.
            scope = rng.choice(["provider", "key", "model", "key_and_model"])
            return {"limited": name, "scope": scope, "retry_after_ms": rng.choice([0, 700, 90_000])}
        case "outrun":
            return {"outrun": name, "latency_ms": rng.choice([50, 3000]), "kind": rng.choice(["unary", "stream"])}
        case "hedge":
            return {"hedge": name, "kind": rng.choice(["unary", "stream"])}
        case "move":
            return {"move": rng.choice(list(PRICES)), "from": name}
        case "settle":
            return {"settle": rng.choice(["success", "failure", "failure", "ignored", "cancelled"])}
        case "hold" | "earn" as switch:
            return {switch: True}
        case other:
            return {other: name}


def need(rng: random.Random, ids: str) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "capabilities": rng.choice([[], [], [], ["x"], ["x", "y"]]),
        "size": rng.choice([0, 0, 5, 50, 500]),
        "larger_than": rng.choice([None, None, None, 10]),
        "tried": rng.choice([[], [], [rng.choice(ids)]]),
        "pin": rng.choice([None, None, rng.choice(ids)]),
        "replayable": rng.random() < 0.8,
        "kind": rng.choice(["unary", "unary", "stream"]),
    }
    return {name: value for name, value in chosen.items() if value is not None}


def as_integer(value: Any) -> Any:
    """Vectors write whole numbers without a decimal point."""
    if isinstance(value, list):
        return [as_integer(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
