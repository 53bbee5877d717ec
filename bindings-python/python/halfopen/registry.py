"""A bounded set of breakers by name."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Unpack

from halfopen._arguments import check_functions, check_seconds, config_of, exception_types
from halfopen._core import CircuitBreakerConfig, RegistryPolicy
from halfopen._sealed import Sealed, made_once
from halfopen._stream_items import checked_item_function
from halfopen.breaker import PER_BREAKER, CircuitBreaker
from halfopen.errors import NameConflictError
from halfopen.types import Classifier, ConfigFields, ExceptionTypes, Judge


class Registry(Sealed):
    """A bounded set of breakers, one for each name, shared by any number of threads.

    Names often come from user input; without a bound, this would leak memory. Each breaker gets the
    other arguments.

    >>> from halfopen import Registry
    >>> registry = Registry(1_000)
    >>> registry.get_or_create("gemini", failure_threshold=3) is registry.get("gemini")
    True
    """

    _instead: ClassVar[Mapping[str, str]] = {
        **made_once("Registry", *PER_BREAKER),
        "bound": "call set_bound(bound), which also evicts",
    }
    _no_attribute = "call set_bound(bound) to change the bound; a subclass may have attributes of its own"

    def __init__(
        self,
        bound: int,
        *,
        clock: Callable[[], float] | None = None,
        classify: Classifier | None = None,
        judge: Judge | None = None,
        ignore: ExceptionTypes = (),
        count: ExceptionTypes = (),
        call_timeout_seconds: float | None = None,
        first_item_timeout_seconds: float | None = None,
        idle_timeout_seconds: float | None = None,
        is_content: Callable[[Any], bool] | None = None,
        is_end: Callable[[Any], bool] | None = None,
    ) -> None:
        # Its lock is never held during a fork.
        self._policy: RegistryPolicy[CircuitBreaker] = RegistryPolicy(bound)
        check_functions(clock, classify, judge)
        self._arguments: dict[str, Any] = {
            "clock": clock,
            "classify": classify,
            "judge": judge,
            "ignore": exception_types("ignore", ignore),
            "count": exception_types("count", count),
            "call_timeout_seconds": check_seconds("call_timeout_seconds", call_timeout_seconds),
            "first_item_timeout_seconds": check_seconds("first_item_timeout_seconds", first_item_timeout_seconds),
            "idle_timeout_seconds": check_seconds("idle_timeout_seconds", idle_timeout_seconds),
            "is_content": checked_item_function("is_content", is_content),
            "is_end": checked_item_function("is_end", is_end),
        }

    @property
    def bound(self) -> int:
        """The most breakers that it holds. If it was lowered while more were in use, those stay."""
        return self._policy.bound

    def set_bound(self, bound: int) -> None:
        """Changes the bound.

        Unused breakers are removed until no more are left than ``bound``; those in use stay, and no new one is made
        until there are fewer. Raises ``InvalidValueError`` unless it is a whole number of at least 1.
        """
        self._policy.set_bound(bound)

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
            known = self._policy.add(CircuitBreaker(checked, provider_id, **self._arguments))
        field = known._difference(checked) or ("provider_id" if known.provider_id != provider_id else None)
        if field is not None:
            raise NameConflictError(checked.name, field)
        return known

    def get(self, name: str) -> CircuitBreaker | None:
        """The breaker of that name, if there is one."""
        return self._policy.get(name)

    def remove(self, name: str) -> CircuitBreaker | None:
        """Removes the breaker of that name and returns it. Code that already holds it can go on using it."""
        return self._policy.remove(name)

    def remove_unused(self) -> int:
        """Removes the breakers that are idle and that nothing else refers to; returns their number.

        Replacing an idle breaker with a new one loses nothing: it is closed, has no failure streak, no failure or slow
        call in its window, no call in flight, no listener and no earlier opening that would make the next wait longer,
        and no operator has disabled it.
        """
        return self._policy.remove_unused()

    def breakers(self) -> list[CircuitBreaker]:
        """All breakers, ordered by name."""
        return self._policy.all()

    def __len__(self) -> int:
        return len(self._policy)
