"""Replays logs on the pool's model."""

from __future__ import annotations

from typing import Any

from pool import MILLISECOND, SCOPES, Pool, millis


def replay(log: dict[str, Any]) -> list[dict[str, Any]]:
    """The result of each step of a log."""
    pool = Pool(log["pool"])
    return [step_of(pool, step) for step in log["steps"]]


def step_of(pool: Pool, step: dict[str, Any]) -> dict[str, Any]:
    """Applies a step and returns what it shows."""
    now = step.get("at_ms", 0) * MILLISECOND
    shown: dict[str, Any] = {}
    match step:
        case {"success": name}:
            provider = pool.provider(name)
            latency_ms, kind = step.get("latency_ms", 0), step.get("kind", "unary")
            provider.meter.success(now, latency_ms / 1000, kind)
            provider.latencies[kind].all.append((now, latency_ms * MILLISECOND))
            for scope in SCOPES:
                for cooldown in pool.shared(name, scope):
                    cooldown.without_hint = 0
        case {"failure": name}:
            pool.provider(name).meter.failure(now)
        case {"limited": name}:
            pool.limited(name, step.get("scope", "key_and_model"), step.get("retry_after_ms"), now)
        case {"refused": name}:
            pool.limited(name, "key", None, now)
        case {"set": situations}:
            for name, situation in situations.items():
                pool.set(name, situation, now)
        case {"outrun": name}:
            sample = now, step.get("latency_ms", 0) * MILLISECOND
            pool.provider(name).latencies[step.get("kind", "unary")].all.append(sample)
        case {"hedge": name}:
            shown["hedge_after_ms"] = millis(pool.hedge(pool.provider(name), step.get("kind", "unary"), now))
        case {"move": after}:
            shown["paid"] = pool.move(after, step.get("from", ""), now)
        case {"hold": True}:
            shown["paid"] = pool.hold()
        case {"settle": outcome}:
            pool.settle(outcome)
        case {"earn": True}:
            pool.tokens = min(100, pool.tokens + 1)
        case {"choose": need}:
            deadline = step.get("deadline_ms")
            shown = pool.choose(need, now, None if deadline is None else deadline * MILLISECOND)
        case _:
            pass
    return shown | {"tokens": pool.tokens, "held": pool.held}
