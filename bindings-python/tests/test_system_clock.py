"""The default clock of a breaker, which reads the processor's counter where it can."""

from time import monotonic

from halfopen import CircuitBreaker


def test_the_default_clock_keeps_to_the_systems() -> None:
    breaker = CircuitBreaker("system clock")
    read = breaker._read_now
    origin = monotonic() - read()
    # Longer than it takes to measure the counter's rate. After that the time may be 5 ms off, where the counter jumps.
    end = monotonic() + 0.1
    readings = 0
    while (before := monotonic()) < end:
        now = origin + read()
        assert before - 0.006 < now < monotonic() + 0.006
        readings += 1
    assert readings > 100


def test_a_breakers_calls_last_as_long_as_the_system_says() -> None:
    breaker = CircuitBreaker("system clock")
    begun = monotonic()
    for _ in range(100_000):
        breaker.call_sync(int)
    elapsed = monotonic() - begun
    assert 0 < breaker.durations()["success"].total_seconds < elapsed + 0.1
