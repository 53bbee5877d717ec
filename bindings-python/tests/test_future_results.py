"""Futures and tasks of guarded plain functions are returned themselves, and their end is judged once."""

import asyncio
import concurrent.futures
import gc
from collections.abc import Callable
from typing import Any

import pytest

from deferred import AWAITABLES, coroutine, counts
from halfopen import CircuitBreaker, CircuitBreakerConfig


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))


@pytest.mark.parametrize("name", ["task", "future", "gathered future", "future of a thread"])
async def test_a_future_is_returned_itself_and_can_be_cancelled(breaker: CircuitBreaker, name: str) -> None:
    made = AWAITABLES[name](None)
    seen: list[object] = []
    returned = breaker.call_sync(lambda: made)
    assert returned is made
    assert counts(breaker) == {"in flight": 1}
    returned.add_done_callback(seen.append)
    returned.cancel()
    done, pending = await asyncio.wait([returned])
    assert (done, pending, seen) == ({made}, set(), [made])
    with pytest.raises(asyncio.CancelledError):
        await returned
    assert counts(breaker) == {"cancelled": 1}


async def test_asyncio_still_reports_an_error_that_is_never_retrieved(breaker: CircuitBreaker) -> None:
    seen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
    task = breaker.call_sync(lambda: asyncio.ensure_future(coroutine(OSError("down"))))
    await asyncio.wait([task])
    assert counts(breaker) == {"failure": 1}
    del task
    gc.collect()
    assert [context["message"] for context in seen] == ["Task exception was never retrieved"]


async def test_a_task_that_outlives_its_caller_is_judged_at_its_end(breaker: CircuitBreaker) -> None:
    may_end = asyncio.Event()
    task = breaker.call_sync(lambda: asyncio.ensure_future(may_end.wait()))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(task), 0.001)
    assert counts(breaker) == {"in flight": 1}
    may_end.set()
    await task
    assert counts(breaker) == {"success": 1}


@pytest.mark.parametrize(
    "fault", [None, OSError("down"), concurrent.futures.CancelledError()], ids=["success", "failure", "cancelled"]
)
def test_a_future_of_a_thread_pool_is_returned_itself_and_judged_when_done(
    breaker: CircuitBreaker, fault: Exception | None
) -> None:
    made: concurrent.futures.Future[str] = concurrent.futures.Future()
    assert breaker(lambda: made)() is made
    assert asyncio.run(breaker.call(lambda: made)) is made
    assert counts(breaker) == {"in flight": 2}
    if isinstance(fault, concurrent.futures.CancelledError):
        made.cancel()
        assert counts(breaker) == {"cancelled": 2}
    elif fault:
        made.set_exception(fault)
        assert counts(breaker) == {"failure": 2}
    else:
        made.set_result("answer")
        assert counts(breaker) == {"success": 2}


def test_a_guarded_function_runs_in_a_thread_pool(breaker: CircuitBreaker) -> None:
    def divide(number: int) -> float:
        return 1 / number

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        submit: Callable[[int], concurrent.futures.Future[float]] = breaker(lambda number: pool.submit(divide, number))
        running = [submit(number) for number in (1, 0, 2)]
    assert [future.exception() is None for future in running] == [True, False, True]
    assert counts(breaker) == {"success": 2, "failure": 1}


@pytest.mark.parametrize("of", ["a thread", "a loop"])
def test_a_future_that_is_never_done_returns_its_permit(breaker: CircuitBreaker, of: str) -> None:
    loop = asyncio.new_event_loop()
    make: Callable[[], object] = concurrent.futures.Future if of == "a thread" else loop.create_future
    returned = breaker.call_sync(make)
    loop.close()
    assert counts(breaker) == {"in flight": 1}
    del returned
    gc.collect()
    assert counts(breaker) == {"cancelled": 1}


async def test_the_error_of_a_task_counts_once_in_the_layers_that_await_it(breaker: CircuitBreaker) -> None:
    fetch: Callable[[], asyncio.Future[str]]
    fetch = breaker(lambda: asyncio.ensure_future(coroutine(OSError("down"))))

    @breaker
    async def layer() -> str:
        return await fetch()

    outermost = breaker(layer)
    with pytest.raises(OSError, match="down"):
        await outermost()
    assert counts(breaker) == {"failure": 1}
    with pytest.raises(OSError, match="down"):
        await outermost()
    assert counts(breaker) == {"failure": 2}


def test_the_error_of_a_thread_counts_once_in_the_layers_that_wait_for_it(breaker: CircuitBreaker) -> None:
    def fail() -> None:
        raise OSError("down")

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        submit: Callable[[], concurrent.futures.Future[None]] = breaker(lambda: pool.submit(fail))
        layer: Callable[[], None] = breaker(lambda: submit().result())
        with pytest.raises(OSError, match="down"):
            layer()
    assert counts(breaker) == {"failure": 1}


async def test_a_future_shared_by_several_calls_fails_each(breaker: CircuitBreaker) -> None:
    shared = asyncio.ensure_future(coroutine(OSError("down")))
    fetch: Callable[[], asyncio.Future[str]] = breaker(lambda: shared)
    answers = await asyncio.gather(fetch(), fetch(), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError, OSError]
    assert counts(breaker) == {"failure": 2}
