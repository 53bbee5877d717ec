"""A clock for tests. A breaker's clock is any callable that returns seconds, such as ``time.monotonic``."""

from math import inf

from halfopen._arguments import checked_number


class ManualClock:
    """A clock that moves only when a test moves it, so tests need not sleep.

    >>> from halfopen import CircuitBreaker
    >>> clock = ManualClock()
    >>> breaker = CircuitBreaker("gemini", failure_threshold=1, timeout_seconds=30, clock=clock)
    >>> breaker.acquire().failure()
    True
    >>> clock.advance(30)
    >>> breaker.state.value
    'half_open'
    """

    # With slots, assigning a misspelt attribute raises an error.
    __slots__ = ("__weakref__", "_seconds")

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = _checked(seconds)

    def __call__(self) -> float:
        """Seconds since this clock's origin."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Moves the clock forward.

        Raises ``InvalidValueError`` unless ``seconds`` is a finite number, at least 0.
        """
        self._seconds += _checked(seconds)

    def set(self, seconds: float) -> None:
        """Sets the clock to ``seconds``, which may be earlier than its present reading.

        Raises ``InvalidValueError`` unless ``seconds`` is a finite number, at least 0.
        """
        self._seconds = _checked(seconds)


def _checked(seconds: object) -> float:
    return checked_number("seconds", seconds, inf, "a finite number, at least 0")
