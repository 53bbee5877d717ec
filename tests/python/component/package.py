"""Adapts the component to the part of the API of ``halfopen`` that the vectors use."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wasmtime.component import ResourceAny

from component.host import ComponentError, Instance, fields
from halfopen import (
    CircuitBreakerOpenError,
    CircuitBreakerState,
    InvalidValueError,
    NameConflictError,
    RegistryFullError,
)

_now = 0
_instance = Instance(lambda: _now)


class ManualClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self._now = 0

    def set(self, seconds: float) -> None:
        """Sets the clock, rounded to the whole milliseconds that vectors use."""
        self._now = round(seconds * 1_000) * 1_000_000

    def activate(self) -> None:
        """Makes the component read this clock."""
        global _now  # noqa: PLW0603  # the imported clock function returns it
        _now = self._now


@contextmanager
def _package_errors() -> Generator[None]:
    """Converts errors of the component to those of the package."""
    try:
        yield
    except ComponentError as error:
        match error.record:
            case {"code": "CIRCUIT_OPEN", "reason": reason, "retry-after-seconds": wait}:
                raise CircuitBreakerOpenError("vector", wait, _snake_case(reason)) from None
            case {"code": "INVALID_VALUE", "field": field, "value": value, "allowed": allowed}:
                raise InvalidValueError(field, value, allowed) from None
            case {"code": "NAME_CONFLICT", "circuit-name": name, "field": field}:
                raise NameConflictError(name, field) from None
            case {"code": "REGISTRY_FULL", "bound": bound}:
                raise RegistryFullError(bound) from None
            case _:
                raise


def replay_pool(log: str) -> list[dict[str, Any]]:
    """Replays a log of a pool."""
    with _package_errors():
        shown: list[dict[str, Any]] = json.loads(_instance.call("replay-pool", log))
    return shown


class _Resource:
    """A resource of the component; it is dropped when Python collects this object."""

    def __init__(self, kind: str, resource: ResourceAny, clock: ManualClock) -> None:
        self._kind = kind
        self._resource = resource
        self._clock = clock

    def __del__(self) -> None:
        self._clock.activate()
        _instance.drop(self._resource)

    def _call(self, method: str, *arguments: Any) -> Any:
        self._clock.activate()
        with _package_errors():
            return _instance.call(f"[method]{self._kind}.{method}", self._resource, *arguments)


class CircuitBreakerConfig:
    """A configuration, parsed from JSON, because a typed record cannot hold values of a wrong type."""

    def __init__(self, **fields: Any) -> None:
        with _package_errors():
            self.record = _instance.call("parse-config", json.dumps(fields))


class Permit(_Resource):
    """Permission to make one call."""

    def acquire_nested(self) -> ResourceAny:
        permit: ResourceAny = self._call("acquire-nested")
        return permit

    def settle(self, outcome: str, retry_after: float | None = None) -> bool:
        return bool(self._call("settle", outcome, retry_after))


class Registry(_Resource):
    """Breakers by name."""

    def __new__(cls, bound: int, *, clock: ManualClock) -> "Registry":
        with _package_errors():
            registry = _instance.call("[static]registry.create", bound)
        self = super().__new__(cls)
        _Resource.__init__(self, "registry", registry, clock)
        return self

    def __init__(self, bound: int, *, clock: ManualClock) -> None: ...

    @property
    def bound(self) -> int:
        return int(self._call("bound"))

    def set_bound(self, bound: int) -> None:
        self._call("set-bound", bound)

    def get_or_create(self, config: CircuitBreakerConfig) -> "CircuitBreaker":
        return CircuitBreaker.of(self._call("get-or-create", config.record, None), self._clock)

    def get(self, name: str) -> "CircuitBreaker | None":
        handle = self._call("get", name)
        return None if handle is None else CircuitBreaker.of(handle, self._clock)

    def remove(self, name: str) -> "CircuitBreaker | None":
        handle = self._call("remove", name)
        return None if handle is None else CircuitBreaker.of(handle, self._clock)

    def remove_unused(self) -> int:
        return int(self._call("remove-unused"))

    def breakers(self) -> list["CircuitBreaker"]:
        return [CircuitBreaker.of(handle, self._clock) for handle in self._call("breakers")]


@dataclass
class Event:
    """A transition."""

    sequence: int
    from_state: CircuitBreakerState
    to_state: CircuitBreakerState
    cause: str


class CircuitBreaker(_Resource):
    """A circuit breaker."""

    def __init__(self, config: CircuitBreakerConfig, *, clock: ManualClock) -> None:
        clock.activate()
        with _package_errors():
            breaker = _instance.call("[static]breaker.create", config.record, None)
        super().__init__("breaker", breaker, clock)

    @classmethod
    def of(cls, handle: ResourceAny, clock: ManualClock) -> "CircuitBreaker":
        """A breaker around a handle that a registry handed out."""
        self = cls.__new__(cls)
        _Resource.__init__(self, "breaker", handle, clock)
        return self

    @property
    def name(self) -> str:
        return str(self._call("name"))

    @property
    def config(self) -> CircuitBreakerConfig:
        """The configuration in force, as the constructor takes it."""
        config = CircuitBreakerConfig()
        config.record = self._call("config")
        return config

    def acquire(self, *, inside: Permit | None = None) -> Permit:
        permit = self._call("acquire") if inside is None else inside.acquire_nested()
        return Permit("permit", permit, self._clock)

    def force_open(self, seconds: float | None) -> None:
        self._call("force-open", seconds)

    def disable(self) -> None:
        self._call("disable")

    def reset(self) -> None:
        self._call("reset")

    def reconfigure(self, config: CircuitBreakerConfig) -> None:
        self._call("reconfigure", config.record)

    def snapshot(self) -> str:
        return str(self._call("snapshot"))

    def restore(self, document: str) -> None:
        self._call("restore", document)

    def get_status(self) -> dict[str, Any]:
        status = _fields(self._call("status"))
        window = {f"window_{name}": count for name, count in _fields(status.pop("window")).items()}
        return {
            "state": _snake_case(status["state"]),
            "mode": _snake_case(status["mode"]),
            "retry_after_seconds": status["retry_after_seconds"],
            "metrics": {**status, **_fields(status.pop("counts")), **window},
        }

    def events(self, after: int) -> list[Event]:
        return [
            Event(
                event["sequence"],
                CircuitBreakerState(_snake_case(event["from_state"])),
                CircuitBreakerState(_snake_case(event["to_state"])),
                _snake_case(event["cause"]),
            )
            for event in map(_fields, self._call("events", after))
        ]


def _snake_case(name: str) -> Any:
    return name.replace("-", "_")


def _fields(record: Any) -> dict[str, Any]:
    return {_snake_case(name): value for name, value in fields(record).items()}
