"""Breakers as dependencies of routes."""

from collections.abc import Callable, Coroutine
from typing import Any, Unpack

from starlette.requests import HTTPConnection

from halfopen._arguments import config_of
from halfopen.breaker import CircuitBreaker
from halfopen.fastapi._state import installed_in
from halfopen.types import ConfigFields


def breaker(
    name: str, /, provider_id: str = "unknown", **fields: Unpack[ConfigFields]
) -> Callable[[HTTPConnection], Coroutine[Any, Any, CircuitBreaker]]:
    """A dependency: the application's breaker of that name, created at the first request if there is none.

    ``fields`` are those of ``CircuitBreakerConfig``. They are checked here, and used only if the breaker is created.

    Raises:
        InvalidValueError: for a name or a field that is not allowed.

    """
    config = config_of(name, fields)

    # A route may be a WebSocket, so this takes what both kinds of connection have in common.
    async def breaker_of(connection: HTTPConnection) -> CircuitBreaker:
        installed = installed_in(connection)
        return installed.find(name) or installed.registry.get_or_create(config, provider_id)

    return breaker_of
