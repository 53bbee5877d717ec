"""The parts that ``install`` keeps in the application's state."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from halfopen.breaker import CircuitBreaker
from halfopen.fastapi._audit import AuditTrail
from halfopen.fastapi._events import EventLog
from halfopen.orchestration import Orchestrator
from halfopen.registry import Registry


@dataclass(frozen=True)
class Installed:
    """The breakers of an application, their newest events, and the newest changes by operators."""

    registry: Registry
    """The breakers that ``Depends(breaker(name))`` creates."""
    more: tuple[CircuitBreaker, ...]
    """The breakers that were given as ``breakers=``."""
    audit: AuditTrail
    orchestrators: tuple[Orchestrator, ...] = ()
    has_open_routes: bool = False
    """Whether every client of the application may see its breakers."""
    events: EventLog = field(init=False)
    kept: int = 1_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "events", EventLog(self.breakers, self.kept))

    def breakers(self) -> list[CircuitBreaker]:
        """All breakers, in the order of their names."""
        return sorted([*self.more, *self.registry.breakers()], key=lambda breaker: breaker.name)

    def find(self, name: str) -> CircuitBreaker | None:
        """The breaker of that name, if there is one."""
        given: Iterable[CircuitBreaker] = (breaker for breaker in self.more if breaker.name == name)
        return next(iter(given), None) or self.registry.get(name)


def installed_in(connection: HTTPConnection) -> Installed:
    """The application's breakers."""
    installed: Any = getattr(connection.app.state, "halfopen", None)
    if not isinstance(installed, Installed):
        raise RuntimeError("halfopen.fastapi.install(app) has not been called for this application")
    return installed
