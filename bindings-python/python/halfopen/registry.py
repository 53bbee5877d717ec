"""Breakers by name, for hosts that make them where they are needed."""

from collections.abc import Callable

from halfopen._core import CircuitBreakerConfig, Names
from halfopen.arguments import check_functions
from halfopen.breaker import CircuitBreaker
from halfopen.errors import InvalidValueError, NameConflictError, RegistryFullError
from halfopen.guard import Classifier


class Registry:
    """A bounded set of breakers, one for each name, shared by any number of threads.

    Bounded, because names are often made of what users send: a registry without a bound is a leak with an address.
    ``clock`` and ``classify`` are handed to each breaker that it makes.

    >>> from halfopen import CircuitBreakerConfig, Registry
    >>> registry = Registry(1_000)
    >>> config = CircuitBreakerConfig(name="gemini")
    >>> registry.get_or_create(config) is registry.get_or_create(config)
    True
    """

    def __init__(
        self, bound: int, *, clock: Callable[[], float] | None = None, classify: Classifier | None = None
    ) -> None:
        if not isinstance(bound, int) or isinstance(bound, bool) or bound < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValueError("bound", repr(bound), "a whole number, at least 1")
        check_functions(clock, classify)
        self._bound = bound
        self._clock = clock
        self._classify = classify
        # It has a lock of its own, which a fork never finds taken.
        self._breakers: Names[CircuitBreaker] = Names()

    def get_or_create(self, config: CircuitBreakerConfig, provider_id: str = "unknown") -> CircuitBreaker:
        """The breaker of the configuration's name, made now if there is none.

        Raises ``NameConflictError`` where that name has another configuration or another provider, and
        ``RegistryFullError`` where a new one would be one too many, even without those that nobody uses.
        """
        known = self.get(config.name)
        if known is None:
            # It reads a clock, which may be the host's, so it is made before the lock is taken; somebody else may be
            # first.
            known = self._add(CircuitBreaker(config, provider_id, clock=self._clock, classify=self._classify))
        if known.config != config or known.provider_id != provider_id:
            raise NameConflictError(config.name)
        return known

    def get(self, name: str) -> CircuitBreaker | None:
        """The breaker of that name, if there is one."""
        return self._breakers.get(name)

    def remove(self, name: str) -> CircuitBreaker | None:
        """Lets go of the breaker of that name; whoever holds it keeps it."""
        return self._breakers.remove(name)

    def remove_unused(self) -> int:
        """Lets go of the breakers that nobody else holds and that are idle, and says how many those were.

        Idle is a circuit that holds nothing against the next calls: closed, without a failure streak, without a failure
        or a slow call in its window, without an opening that would make the next wait longer, without a call in flight,
        a listener or an operator's order. So whoever asks for its name again gets one that behaves alike.
        """
        names = [breaker.name for breaker in self._breakers.all()]
        return sum(self._remove_if_unused(name) for name in names)

    def breakers(self) -> list[CircuitBreaker]:
        """All breakers, in the order of their names."""
        return self._breakers.all()

    def __len__(self) -> int:
        return len(self._breakers)

    def _add(self, made: CircuitBreaker) -> CircuitBreaker:
        if len(self) >= self._bound:
            self.remove_unused()
        known = self._breakers.add(made.name, made, self._bound)
        if known is None:
            raise RegistryFullError(self._bound)
        return known

    def _remove_if_unused(self, name: str) -> bool:
        breaker = self.get(name)
        # This reads the breaker's clock, which may be the host's.
        if breaker is None or not breaker.is_idle():
            return False
        del breaker
        return self._breakers.remove_unshared(name)
