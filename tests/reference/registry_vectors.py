"""Runs one vector on the model of the registry."""

from __future__ import annotations

import json
from typing import Any

from config import Invalid, parse
from model import Breaker, Permit
from registry import Refused, Registry

MILLISECOND = 1_000_000


class RegistryRun:
    """One vector on one registry."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.registry = Registry(arguments["bound"])
        self.permits: dict[str, tuple[Breaker, Permit]] = {}

    def step(self, step: dict[str, Any]) -> list[str]:
        """Applies the step and returns the expectations that are not met."""
        expected = step.get("expect", {})
        seen: dict[str, object] = {}
        try:
            seen |= self.apply(step, step["at_ms"] * MILLISECOND)
        except (Refused, Invalid) as refusal:
            seen |= {"error": refusal.code, "field": refusal.field}
            if "error" not in expected:
                return [f"refused with {refusal.code}"]
        seen |= {"names": list(self.registry.entries), "bound": self.registry.bound}
        return [
            f"{key}: expected {json.dumps(expected[key])}, seen {json.dumps(seen.get(key))}"
            for key in expected
            if expected[key] != seen.get(key)
        ]

    def apply(self, step: dict[str, Any], now: int) -> dict[str, object]:
        registry = self.registry
        match step:
            case {"get_or_create": config}:
                registry.get_or_create(config, now)
            case {"remove": name}:
                registry.remove(name)
            case {"remove_unused": True}:
                return {"removed": registry.evict(0, now)}
            case {"set_bound": bound}:
                registry.set_bound(bound, now)
            case {"acquire": permit, "of": name}:
                breaker = registry.entries[name].breaker
                answer = breaker.acquire(now)
                if answer.permit is not None:
                    self.permits[permit] = (breaker, answer.permit)
                return {"admitted": answer.permit is not None}
            case {"settle": permit, "outcome": outcome}:
                breaker, settled = self.permits[permit]
                breaker.settle(settled, outcome, now, None)
            case {"drop": permit}:
                breaker, dropped = self.permits.pop(permit)
                breaker.drop(dropped, now)
            case {"disable": name}:
                registry.entries[name].breaker.disable(now)
            case {"reset": name}:
                registry.entries[name].breaker.reset(now)
            case {"reconfigure": config}:
                entry = registry.entries[config["name"]]
                entry.breaker.reconfigure(parse(config), now)
                entry.given = config
            case _:
                pass
        return {}


def run(vector: dict[str, Any]) -> list[str]:
    """The differences between the model and the vector."""
    try:
        registry_run = RegistryRun(vector["registry"])
    except Invalid as refusal:
        return [] if refusal.field == vector.get("config_error") else [f"registry: {refusal}"]
    if "config_error" in vector:
        return [f"registry: expected {vector['config_error']} to be refused, saw it accepted"]
    differences = []
    for number, step in enumerate(vector["steps"], 1):
        differences += [f"step {number} {json.dumps(step)}: {line}" for line in registry_run.step(step)]
    return differences
