"""Time for tests. A breaker's clock is any callable that returns seconds, such as ``time.monotonic``."""


class ManualClock:
    """A clock that moves when it is told to, so that nobody's tests sleep.

    >>> from halfopen import CircuitBreaker, CircuitBreakerConfig
    >>> clock = ManualClock()
    >>> breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1, timeout_seconds=30), clock=clock)
    >>> breaker.acquire().failure()
    True
    >>> clock.advance(30)
    >>> breaker.state.value
    'half_open'
    """

    # So that no attribute is set by mistake: `set()` and `advance()` move it.
    __slots__ = ("__weakref__", "_seconds")

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds

    def __call__(self) -> float:
        """Seconds since this clock's origin."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Moves the clock forward."""
        self._seconds += seconds

    def set(self, seconds: float) -> None:
        """Puts the clock at ``seconds``, which may lie before its present reading."""
        self._seconds = seconds
