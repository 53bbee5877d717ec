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


class Registry(Sealed, RegistryPolicy[CircuitBreaker]):
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
        self.set_bound(bound)
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
            known = self._add(CircuitBreaker(checked, provider_id, **self._arguments))
        field = known._difference(checked) or ("provider_id" if known.provider_id != provider_id else None)
        if field is not None:
            raise NameConflictError(checked.name, field)
        return known
