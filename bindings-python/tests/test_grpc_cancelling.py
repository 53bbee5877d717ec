"""Calls of grpc that their user cancels are nobody's failure, and end at once, with a real server."""

import asyncio
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import grpc
import grpc.aio
import pytest

from consumers import counts
from halfopen import CircuitBreaker, ManualClock
from real_servers import eventually
from rpc_server import OPTIONS, serving

CANCELLED, IN_FLIGHT = (0, 0, 1, 0), (0, 0, 0, 1)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture(params=OPTIONS, ids=["threads", "one thread"])
def channel(request: pytest.FixtureRequest, address: str) -> Iterator[Any]:
    with grpc.insecure_channel(address, options=request.param) as opened:
        yield opened


WAYS: dict[str, Callable[[CircuitBreaker, Callable[[], Any]], Any]] = {
    "decorated": lambda breaker, func: breaker(func)(),
    "called": lambda breaker, func: breaker.call_sync(func),
    "stream": lambda breaker, func: breaker.stream(func()),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_ends_when_it_is_cancelled(breaker: CircuitBreaker, channel: Any, way: str) -> None:
    stream = WAYS[way](breaker, lambda: channel.unary_stream("/stream/hanging")(b""))
    assert counts(breaker) == IN_FLIGHT
    assert stream.cancel() is True
    assert counts(breaker) == CANCELLED
    assert stream.cancel() is False
    with pytest.raises(grpc.RpcError):
        next(stream)
    assert counts(breaker) == CANCELLED
    assert breaker.metrics.ignored_calls == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_is_cancelled_after_an_item_ends_too(breaker: CircuitBreaker, channel: Any, way: str) -> None:
    stream = WAYS[way](breaker, lambda: channel.stream_stream("/both/whole")(iter([b"1", b"2"])))
    assert next(stream) == b"1"
    stream.cancel()
    assert counts(breaker) == CANCELLED


def test_another_thread_cancels_the_stream_that_is_waited_for(breaker: CircuitBreaker, channel: Any) -> None:
    stream = breaker.call_sync(lambda: channel.unary_stream("/stream/hanging")(b""))
    errors = list[Exception]()

    def wait() -> None:
        try:
            next(stream)
        except grpc.RpcError as error:
            errors.append(error)

    waiting = Thread(target=wait)
    waiting.start()
    stream.cancel()
    waiting.join(10)
    assert len(errors) == 1
    assert counts(breaker) == CANCELLED


def test_a_stream_that_had_ended_before_is_judged_by_its_end(breaker: CircuitBreaker, channel: Any) -> None:
    stream = breaker.call_sync(lambda: channel.unary_stream("/stream/whole")(b""))
    assert list(stream) == [b"1", b"2"]
    assert stream.cancel() is False
    assert counts(breaker) == (1, 0, 0, 0)


def test_a_function_that_cancels_its_own_stream_was_cancelled(breaker: CircuitBreaker, channel: Any) -> None:
    def func() -> None:
        stream = channel.unary_stream("/stream/hanging")(b"")
        stream.cancel()
        next(stream)

    with pytest.raises(grpc.RpcError):
        breaker.call_sync(func)
    assert counts(breaker) == CANCELLED


def test_a_call_that_the_server_cancelled_is_ignored(breaker: CircuitBreaker, channel: Any) -> None:
    with pytest.raises(grpc.RpcError):
        breaker.call_sync(lambda: channel.unary_unary("/one/cancelled")(b""))
    assert breaker.metrics.ignored_calls == 1


def test_a_future_that_is_cancelled_was_cancelled(breaker: CircuitBreaker, channel: Any) -> None:
    future = breaker.call_sync(lambda: channel.unary_unary("/one/hanging").future(b""))
    future.cancel()
    with pytest.raises(grpc.FutureCancelledError):
        future.result()
    eventually(lambda: counts(breaker) == CANCELLED)


def test_a_cancelled_probe_gives_its_slot_back(breaker: CircuitBreaker, clock: ManualClock, channel: Any) -> None:
    breaker.force_open(1)
    clock.advance(1)
    stream = breaker.call_sync(lambda: channel.unary_stream("/stream/hanging")(b""))
    stream.cancel()
    assert breaker.call_sync(lambda: channel.unary_unary("/one/whole")(b"")) == b"answer"
    assert counts(breaker) == (1, 0, 1, 0)


async def test_an_async_stream_ends_when_it_is_cancelled(breaker: CircuitBreaker, address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stream = breaker.call_sync(lambda: channel.unary_stream("/stream/hanging")(b""))
        assert counts(breaker) == IN_FLIGHT
        assert stream.cancel() is True
        assert counts(breaker) == CANCELLED
        with pytest.raises(asyncio.CancelledError):
            await anext(aiter(stream))
        assert stream.cancel() is False
        assert counts(breaker) == CANCELLED


async def test_an_async_call_ends_when_it_is_cancelled(breaker: CircuitBreaker, address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        call = breaker(lambda: channel.unary_unary("/one/hanging")(b""))()
        assert counts(breaker) == IN_FLIGHT
        assert call.cancel() is True
        assert counts(breaker) == CANCELLED
        with pytest.raises(asyncio.CancelledError):
            await call
        assert counts(breaker) == CANCELLED
        whole = breaker(lambda: channel.unary_unary("/one/whole")(b""))()
        assert await whole == b"answer"
        assert whole.cancel() is False
        assert counts(breaker) == (1, 0, 1, 0)
