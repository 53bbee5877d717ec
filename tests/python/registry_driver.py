"""Runs one vector on the registry of a package with the API of ``halfopen``."""

import json
from types import ModuleType
from typing import Any

from halfopen import CircuitBreakerOpenError, InvalidValueError, NameConflictError, RegistryFullError

Json = Any


class Session:
    """A registry whose breakers have a manual clock. It keeps permits, but no breaker."""

    def __init__(self, arguments: Json, package: ModuleType) -> None:
        self.package = package
        self.clock = package.ManualClock()
        self.registry = package.Registry(arguments["bound"], clock=self.clock)
        self.permits: dict[str, Any] = {}

    def step(self, step: Json) -> str | None:
        """Applies one step and returns the first difference."""
        self.clock.set(step["at_ms"] / 1000)
        expected = step.get("expect", {})
        seen: dict[str, Json] = {}
        try:
            seen.update(self._apply(step))
        except (InvalidValueError, NameConflictError, RegistryFullError) as refused:
            seen.update(error=refused.code, field=getattr(refused, "field", None))
            if "error" not in expected:
                return f"refused: {refused}"
        seen.update(names=[breaker.name for breaker in self.registry.breakers()], bound=self.registry.bound)
        for key, value in expected.items():
            if seen.get(key, "nothing") != value:
                return f"{key}: expected {value!r}, seen {seen.get(key, 'nothing')!r}"
        return None

    def _apply(self, step: Json) -> dict[str, Json]:
        registry = self.registry
        match step:
            case {"get_or_create": config}:
                registry.get_or_create(self.package.CircuitBreakerConfig(**config))
            case {"remove": name}:
                registry.remove(name)
            case {"remove_unused": True}:
                return {"removed": registry.remove_unused()}
            case {"set_bound": bound}:
                registry.set_bound(bound)
            case {"acquire": permit, "of": name}:
                try:
                    self.permits[permit] = registry.get(name).acquire()
                except CircuitBreakerOpenError:
                    return {"admitted": False}
                return {"admitted": True}
            case {"settle": permit, "outcome": outcome}:
                # A settled permit would still hold its breaker.
                self.permits.pop(permit).settle(outcome)
            case {"drop": permit}:
                del self.permits[permit]
            case {"disable": name}:
                registry.get(name).disable()
            case {"reset": name}:
                registry.get(name).reset()
            case {"reconfigure": config}:
                registry.get(config["name"]).reconfigure(self.package.CircuitBreakerConfig(**config))
            case _:
                pass
        return {}


def difference(vector: Json, package: ModuleType) -> str | None:
    """The first difference between the package and the vector."""
    expected = vector.get("config_error")
    try:
        session = Session(vector["registry"], package)
    except InvalidValueError as refused:
        return None if refused.field == expected else f"registry: seen {refused}"
    if expected is not None:
        return f"config_error: expected {expected}, seen none"
    for number, step in enumerate(vector["steps"], 1):
        found = session.step(step)
        if found is not None:
            return f"step {number} {json.dumps(step)}: {found}"
    return None
