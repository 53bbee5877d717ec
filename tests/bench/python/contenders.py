"""The breakers, configured alike. Each guards a function."""

# The peers are installed for the benchmarks only, so type checkers cannot import them.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import circuitbreaker
import purgatory
import pybreaker
import pyresilience
from hyx.circuitbreaker import consecutive_breaker

import halfopen
from halfopen.recording import Recorder
from paths import DAY, NEVER, Path
from replaced import ReplacedBreaker

Call = Callable[[], Any]


def contenders(path: Path, function: Call) -> Iterator[tuple[str, Call]]:
    """The contenders that support this path: the name and the guarded function."""
    yield from ours(path, function)
    if path.policy == "streak":
        yield "circuitbreaker", circuitbreaker.CircuitBreaker(path.failures, recovery_timeout=DAY)(function)
        yield "purgatory", purgatory_breaker(path)(function)
        if path.awaited:
            yield "hyx", consecutive_breaker(failure_threshold=path.failures, recovery_time_secs=DAY)(function)
            yield "the replaced module", replaced(path)(function)
        else:
            yield "pybreaker", pybreaker.CircuitBreaker(fail_max=path.failures, reset_timeout=DAY)(function)
    # The only peer with a window.
    yield "pyresilience", pyresilience.resilient(circuit_breaker=pyresilience_config(path))(function)


def ours(path: Path, function: Call) -> Iterator[tuple[str, Call]]:
    """The two ways to guard a function, each with and without durations, and a call that a recorder keeps."""
    for suffix, record in (("", True), (", durations off", False)):
        yield f"halfopen{suffix}", halfopen_breaker(path, record)(function)
        breaker = halfopen_breaker(path, record)
        if path.awaited:
            yield f"halfopen call(){suffix}", partial(breaker.call, function)
        else:
            yield f"halfopen call_sync(){suffix}", partial(breaker.call_sync, function)
    breaker = halfopen_breaker(path, record_durations=True)
    # Of the default size, which is full after a few rounds.
    Recorder().record(breaker)
    yield "halfopen, recorded", breaker(function)


def halfopen_breaker(path: Path, record_durations: bool) -> halfopen.CircuitBreaker:
    if path.policy == "streak":
        threshold = 1 if path.opens else 65_535
        config = halfopen.CircuitBreakerConfig(
            failure_threshold=threshold, timeout_seconds=DAY, record_durations=record_durations
        )
    else:
        config = halfopen.CircuitBreakerConfig(
            failure_threshold=None,
            failure_rate_threshold=0.5 if path.opens else 1.0,
            window={"calls": 100},
            minimum_calls=100,
            timeout_seconds=DAY,
            record_durations=record_durations,
        )
    return halfopen.CircuitBreaker(config)


def purgatory_breaker(path: Path) -> Callable[[Call], Call]:
    factory = purgatory.AsyncCircuitBreakerFactory if path.awaited else purgatory.SyncCircuitBreakerFactory
    breaker: Callable[[Call], Call] = factory(default_threshold=path.failures, default_ttl=DAY)("provider")
    return breaker


def pyresilience_config(path: Path) -> Any:
    if path.policy == "streak":
        return pyresilience.CircuitBreakerConfig(failure_threshold=path.failures, recovery_timeout=DAY)
    return pyresilience.CircuitBreakerConfig(
        sliding_window_size=100,
        failure_rate_threshold=0.5 if path.opens else 1.0,
        minimum_calls=100,
        # It also counts consecutive failures.
        failure_threshold=NEVER,
        recovery_timeout=DAY,
    )


def replaced(path: Path) -> ReplacedBreaker:
    return ReplacedBreaker("provider", path.failures, timedelta(seconds=DAY))
