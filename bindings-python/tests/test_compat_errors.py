"""The error of the replaced module in ``halfopen.compat``."""

import copy
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import halfopen
from compat_calls import failing, fails, rejects
from halfopen import ManualClock
from halfopen.compat import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError


async def awaited(way: Callable[[], Any]) -> None:
    result = way()
    if isinstance(result, Awaitable):
        await result


async def test_every_way_to_call_raises_the_replaced_modules_error() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(name="manner_error", failure_threshold=1), clock=ManualClock())
    fails(breaker)

    def block() -> None:
        with breaker:
            pass

    async def async_block() -> None:
        async with breaker:
            pass

    async def call() -> None:
        await breaker.call(failing)

    async def decorated() -> None:
        await breaker(failing)()

    ways: list[Callable[[], Any]] = [breaker.acquire, block, async_block, call, decorated]
    for way in ways:
        with pytest.raises(halfopen.CircuitBreakerOpenError) as caught:
            await awaited(way)
        error = caught.value
        assert type(error) is CircuitBreakerOpenError
        assert error.args == ("Circuit breaker 'manner_error' is OPEN. Retry after 60.0 seconds.",)
        assert (error.circuit_name, error.retry_after, error.reason) == ("manner_error", 60.0, "open")
        assert error.code == "CIRCUIT_OPEN"


class Named(CircuitBreakerOpenError):
    def __init__(self, provider: str) -> None:
        super().__init__(f"provider_{provider}", 7)
        self.provider = provider


@pytest.mark.parametrize("error", [CircuitBreakerOpenError("gemini", 12.345, "probes_busy"), Named("gemini")])
def test_the_error_can_be_changed_pickled_and_copied(error: CircuitBreakerOpenError) -> None:
    error.retry_after = 3.5
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert (twin.args, str(twin), vars(twin)) == (error.args, str(error), vars(error))
        assert (twin.retry_after, twin.reason) == (3.5, error.reason)


def test_the_attributes_of_the_error_have_their_old_names() -> None:
    assert vars(CircuitBreakerOpenError("gemini", 5.0)) == {
        "circuit_name": "gemini",
        "retry_after": 5.0,
        "reason": "open",
    }


async def test_a_forced_opening_ends_by_itself_and_its_rejections_carry_a_number() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(CircuitBreakerConfig(name="forced", timeout_seconds=20), clock=clock)
    await breaker.force_open()
    assert rejects(breaker).retry_after == 20
    assert breaker.get_status()["retry_after_seconds"] == 20
    clock.advance(20)
    assert await breaker.call(lambda: 1) == 1
    await breaker.force_open(5)
    assert rejects(breaker).retry_after == 5
    breaker.native.force_open()
    assert rejects(breaker).retry_after == 20, "even where the breaker underneath is held without end"
