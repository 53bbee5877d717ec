"""The component in the clothes of the package ``halfopen``, as far as the vectors look."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wasmtime.component import ResourceAny

from component.host import Instance, Refused, fields
from halfopen import CircuitBreakerOpenError, CircuitBreakerState, InvalidValueError

_reading = 0
_instance = Instance(lambda: _reading)


class ManualClock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self._now = 0

    def set(self, seconds: float) -> None:
        """To whole milliseconds, which are what vectors have, exactly."""
        self._now = round(seconds * 1_000) * 1_000_000

    def tell(self) -> None:
        """From now on the component reads this one."""
        global _reading  # noqa: PLW0603  # what an imported function returns
        _reading = self._now


@contextmanager
def _granted() -> Generator[None]:
    """Raises what the component refuses as the package does."""
    try:
        yield
    except Refused as refused:
        match refused.record:
            case {"code": "CIRCUIT_OPEN", "reason": reason, "retry-after-seconds": wait}:
                raise CircuitBreakerOpenError("vector", wait, _word(reason)) from None
            case {"code": "INVALID_VALUE", "field": field, "value": value, "allowed": allowed}:
                raise InvalidValueError(field, value, allowed) from None
            case _:
                raise


class _Resource:
    """What the component has, and drops when Python does."""

    def __init__(self, kind: str, resource: ResourceAny, clock: ManualClock) -> None:
        self._kind = kind
        self._resource = resource
        self._clock = clock

    def __del__(self) -> None:
        self._clock.tell()
        _instance.drop(self._resource)

    def _ask(self, method: str, *arguments: Any) -> Any:
        self._clock.tell()
        with _granted():
            return _instance.ask(f"[method]{self._kind}.{method}", self._resource, *arguments)


class CircuitBreakerConfig:
    """A configuration: no record can hold what is wrong by its type, so it is read from JSON."""

    def __init__(self, **fields: Any) -> None:
        with _granted():
            self.record = _instance.ask("parse-config", json.dumps(fields))


class Permit(_Resource):
    """The leave to make one call."""

    def acquire_nested(self) -> ResourceAny:
        permit: ResourceAny = self._ask("acquire-nested")
        return permit

    def settle(self, outcome: str, retry_after: float | None = None) -> bool:
        return bool(self._ask("settle", outcome, retry_after))


@dataclass
class Event:
    """A change of state."""

    sequence: int
    from_state: CircuitBreakerState
    to_state: CircuitBreakerState
    cause: str


class CircuitBreaker(_Resource):
    """A circuit breaker."""

    def __init__(self, config: CircuitBreakerConfig, *, clock: ManualClock) -> None:
        clock.tell()
        with _granted():
            breaker = _instance.ask("[static]breaker.create", config.record, None)
        super().__init__("breaker", breaker, clock)

    @property
    def config(self) -> CircuitBreakerConfig:
        """The configuration in force, as a new breaker of this module takes it."""
        config = CircuitBreakerConfig()
        config.record = self._ask("config")
        return config

    def acquire(self, *, inside: Permit | None = None) -> Permit:
        made = self._ask("acquire") if inside is None else inside.acquire_nested()
        return Permit("permit", made, self._clock)

    def force_open(self, seconds: float | None) -> None:
        self._ask("force-open", seconds)

    def disable(self) -> None:
        self._ask("disable")

    def reset(self) -> None:
        self._ask("reset")

    def reconfigure(self, config: CircuitBreakerConfig) -> None:
        self._ask("reconfigure", config.record)

    def snapshot(self) -> str:
        return str(self._ask("snapshot"))

    def restore(self, document: str) -> None:
        self._ask("restore", document)

    def get_status(self) -> dict[str, Any]:
        status = _fields(self._ask("status"))
        window = {f"window_{name}": count for name, count in _fields(status.pop("window")).items()}
        return {
            "state": _word(status["state"]),
            "mode": _word(status["mode"]),
            "retry_after_seconds": status["retry_after_seconds"],
            "metrics": {**status, **_fields(status.pop("counts")), **window},
        }

    def events(self, after: int) -> list[Event]:
        return [
            Event(
                event["sequence"],
                CircuitBreakerState(_word(event["from_state"])),
                CircuitBreakerState(_word(event["to_state"])),
                _word(event["cause"]),
            )
            for event in map(_fields, self._ask("events", after))
        ]


def _word(name: str) -> Any:
    return name.replace("-", "_")


def _fields(record: Any) -> dict[str, Any]:
    return {_word(name): value for name, value in fields(record).items()}
