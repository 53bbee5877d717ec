"""How the backend talks to its providers: by ``call``, by the decorator, and by a subclass of its own."""

import logging
from collections.abc import Callable
from typing import Any

from app.patterns import CircuitBreaker, CircuitBreakerConfig

log = logging.getLogger("app.sessions")


class NamedBreaker(CircuitBreaker):
    """Remembers the names of the functions that it called."""

    def __init__(self, provider_id: str, config: CircuitBreakerConfig) -> None:
        super().__init__(config, provider_id=provider_id)
        self.called: list[str] = []

    async def call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.called.append(getattr(func, "__name__", "?"))
        return await super().call(func, *args, **kwargs)


class Session:
    def __init__(self, provider_id: str, config: CircuitBreakerConfig) -> None:
        self.breaker = NamedBreaker(provider_id, config)
        self.down = False
        self.ask = self.breaker(self._ask)

    async def say(self, text: str, *, fn: str = "echo") -> str:
        answer: str = await self.breaker.call(self._say, text, fn=fn)
        return answer

    async def _say(self, text: str, fn: str) -> str:
        if self.down:
            raise ConnectionError("token=secret")
        return f"{fn}: {text}"

    def _ask(self, text: str) -> str:
        return text.upper()
