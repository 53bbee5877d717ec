"""A bounded set of breakers by name."""

from collections.abc import Callable
from typing import Unpack

from halfopen._arguments import check_functions, check_seconds, config_of
from halfopen._classify import Classifier
from halfopen._core import CircuitBreakerConfig, Names
from halfopen.breaker import CircuitBreaker
from halfopen.errors import InvalidValueError, NameConflictError, RegistryFullError
from halfopen.types import ConfigFields


class Registry:
    """A bounded set of breakers, one for each name, shared by any number of threads.

    Names often come from user input; without a bound, this would leak memory. Each breaker gets ``clock``,
    ``classify`` and ``call_timeout_seconds``.

    >>> from halfopen import Registry
    >>> registry = Registry(1_000)
    >>> registry.get_or_create("gemini", failure_threshold=3) is registry.get("gemini")
    True
    """

    def __init__(
        self,
        bound: int,
        *,
        clock: Callable[[], float] | None = None,
        classify: Classifier | None = None,
        call_timeout_seconds: float | None = None,
    ) -> None:
        if not isinstance(bound, int) or isinstance(bound, bool) or bound < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValueError("bound", repr(bound), "a whole number, at least 1")
        check_functions(clock, classify)
        self._call_timeout_seconds = check_seconds("call_timeout_seconds", call_timeout_seconds)
        self._bound = bound
        self._clock = clock
        self._classify = classify
        # Its lock is never held during a fork.
        self._breakers: Names[CircuitBreaker] = Names()

    def get_or_create(
        self, config: CircuitBreakerConfig | str, provider_id: str = "unknown", **fields: Unpack[ConfigFields]
    ) -> CircuitBreaker:
        """The breaker of that name, which is created if there is none. The arguments are those of ``CircuitBreaker``.

        Raises ``NameConflictError`` if the breaker of that name has another configuration or provider, and
        ``RegistryFullError`` if ``bound`` breakers are in use.
        """
        checked = config_of(config, fields)
        known = self.get(checked.name)
        if known is None:
            # The constructor reads the clock, which may be the user's, so it must run without the lock. Another thread
            # may add a breaker of that name first.
            known = self._add(self._create(checked, provider_id))
        if known.config != checked or known.provider_id != provider_id:
            raise NameConflictError(checked.name)
        return known

    def get(self, name: str) -> CircuitBreaker | None:
        """The breaker of that name, if there is one."""
        return self._breakers.get(name)

    def remove(self, name: str) -> CircuitBreaker | None:
        """Removes the breaker of that name and returns it. Code that already holds it can go on using it."""
        return self._breakers.remove(name)

    def remove_unused(self) -> int:
        """Removes the breakers that are idle and that nothing else refers to; returns their number.

        Replacing an idle breaker with a new one loses nothing: it is closed, has no failure streak, no failure or slow
        call in its window, no call in flight, no listener, no operator's order, and no earlier opening that would make
        the next wait longer.
        """
        names = [breaker.name for breaker in self._breakers.all()]
        return sum(self._remove_if_unused(name) for name in names)

    def breakers(self) -> list[CircuitBreaker]:
        """All breakers, ordered by name."""
        return self._breakers.all()

    def __len__(self) -> int:
        return len(self._breakers)

    def _create(self, config: CircuitBreakerConfig, provider_id: str) -> CircuitBreaker:
        return CircuitBreaker(
            config,
            provider_id,
            clock=self._clock,
            classify=self._classify,
            call_timeout_seconds=self._call_timeout_seconds,
        )

    def _add(self, made: CircuitBreaker) -> CircuitBreaker:
        if len(self) >= self._bound:
            self.remove_unused()
        known = self._breakers.add(made.name, made, self._bound)
        if known is None:
            raise RegistryFullError(self._bound)
        return known

    def _remove_if_unused(self, name: str) -> bool:
        breaker = self.get(name)
        # `is_idle` reads the breaker's clock, which may be the user's.
        if breaker is None or not breaker.is_idle():
            return False
        del breaker
        return self._breakers.remove_unshared(name)
