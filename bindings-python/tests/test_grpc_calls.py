"""Calls of grpc that guarded functions return are judged when they end, with a real server."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import grpc.aio
import pytest

from consumers import counts
from halfopen import CallTimeoutError, CircuitBreaker
from real_servers import eventually
from rpc_server import OPTIONS, serving

SUCCESS, FAILURE, CANCELLED, IN_FLIGHT = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker("model", failure_threshold=9)


Way = Callable[[CircuitBreaker, Callable[[], Any]], Awaitable[Any]]


async def by_decorator(breaker: CircuitBreaker, func: Callable[[], Any]) -> Any:
    return breaker(func)()


async def by_decorated_coroutine(breaker: CircuitBreaker, func: Callable[[], Any]) -> Any:
    async def coroutine() -> Any:
        return func()

    return await breaker(coroutine)()


async def by_call_sync(breaker: CircuitBreaker, func: Callable[[], Any]) -> Any:
    return breaker.call_sync(func)


async def by_call(breaker: CircuitBreaker, func: Callable[[], Any]) -> Any:
    return await breaker.call(func)


async def by_call_of_a_coroutine(breaker: CircuitBreaker, func: Callable[[], Any]) -> Any:
    async def coroutine() -> Any:
        return func()

    return await breaker.call(coroutine)


WAYS: list[Way] = [by_decorator, by_decorated_coroutine, by_call_sync, by_call, by_call_of_a_coroutine]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", OPTIONS, ids=["threads", "one thread"])
async def test_a_stream_is_judged_at_its_end(
    breaker: CircuitBreaker, address: str, way: Way, options: list[tuple[str, int]]
) -> None:
    with grpc.insecure_channel(address, options=options) as channel:
        stream = await way(breaker, lambda: channel.unary_stream("/stream/whole")(b""))
        assert isinstance(stream, grpc.Call)
        assert next(stream) == b"1"
        assert counts(breaker) == IN_FLIGHT
        assert list(stream) == [b"2"]
        assert counts(breaker) == SUCCESS
        assert stream.code() is grpc.StatusCode.OK
        broken = await way(breaker, lambda: channel.unary_stream("/stream/broken")(b""))
        with pytest.raises(grpc.RpcError):
            list(broken)
        assert counts(breaker) == (1, 1, 0, 0)


@pytest.mark.parametrize("options", OPTIONS, ids=["threads", "one thread"])
def test_a_stream_that_is_abandoned_is_cancelled(
    breaker: CircuitBreaker, address: str, options: list[tuple[str, int]]
) -> None:
    with grpc.insecure_channel(address, options=options) as channel:
        stream = breaker.call_sync(lambda: channel.unary_stream("/stream/whole")(b""))
        assert next(stream) == b"1"
        del stream
        gc.collect()
        assert counts(breaker) == CANCELLED


@pytest.mark.parametrize("way", WAYS)
async def test_a_future_is_judged_at_its_end(breaker: CircuitBreaker, address: str, way: Way) -> None:
    with grpc.insecure_channel(address) as channel:
        whole = await way(breaker, lambda: channel.unary_unary("/one/whole").future(b""))
        assert whole.result() == b"answer"
        eventually(lambda: counts(breaker) == SUCCESS)
        broken = await way(breaker, lambda: channel.unary_unary("/one/broken").future(b""))
        assert broken.exception().code() is grpc.StatusCode.UNAVAILABLE
        eventually(lambda: counts(breaker) == (1, 1, 0, 0))


def test_a_future_that_has_ended_is_judged_at_once_and_a_cancelled_one_is_neutral(
    breaker: CircuitBreaker, address: str
) -> None:
    with grpc.insecure_channel(address) as channel:
        broken = channel.unary_unary("/one/broken").future(b"")
        broken.exception()
        breaker.call_sync(lambda: broken)
        assert counts(breaker) == FAILURE
        stream = breaker.call_sync(lambda: channel.unary_stream("/stream/whole")(b""))
        stream.cancel()
        eventually(lambda: counts(breaker) == (0, 1, 1, 0))


@pytest.mark.parametrize("way", WAYS)
async def test_an_async_stream_is_judged_at_its_end(breaker: CircuitBreaker, address: str, way: Way) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stream = await way(breaker, lambda: channel.unary_stream("/stream/whole")(b""))
        assert isinstance(stream, grpc.aio.UnaryStreamCall)
        assert counts(breaker) == IN_FLIGHT
        assert [item async for item in stream] == [b"1", b"2"]
        assert counts(breaker) == SUCCESS
        assert await stream.code() is grpc.StatusCode.OK
        broken = await way(breaker, lambda: channel.unary_stream("/stream/broken")(b""))
        with pytest.raises(grpc.aio.AioRpcError):
            [item async for item in broken]
        assert counts(breaker) == (1, 1, 0, 0)
        left = await way(breaker, lambda: channel.unary_stream("/stream/whole")(b""))
        async for _ in left:
            break
        del left
        gc.collect()
        assert counts(breaker) == (1, 1, 1, 0)


async def test_an_async_stream_may_be_read(breaker: CircuitBreaker, address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stream = await breaker.call(lambda: channel.unary_stream("/stream/whole")(b""))
        assert [await stream.read(), await stream.read()] == [b"1", b"2"]
        assert counts(breaker) == IN_FLIGHT
        assert await stream.read() is grpc.aio.EOF
        assert counts(breaker) == SUCCESS
        broken = await breaker.call(lambda: channel.unary_stream("/stream/broken")(b""))
        with pytest.raises(grpc.aio.AioRpcError):
            [await broken.read() for _ in range(3)]
        assert counts(breaker) == (1, 1, 0, 0)


async def test_an_async_stream_that_is_written_to_may_fail_there(breaker: CircuitBreaker, address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        whole = breaker(channel.stream_stream("/both/whole"))()
        await whole.write(b"1")
        assert await whole.read() == b"1"
        await whole.done_writing()
        assert await whole.read() is grpc.aio.EOF
        with pytest.raises(asyncio.InvalidStateError):
            await whole.write(b"2")
        assert counts(breaker) == SUCCESS
        broken = breaker(channel.stream_stream("/both/broken"))()
        await broken.write(b"1")
        assert await broken.read() == b"1"
        assert await broken.code() is grpc.StatusCode.UNAVAILABLE
        with pytest.raises(asyncio.InvalidStateError):
            await broken.write(b"2")
        assert counts(breaker) == (1, 1, 0, 0)
        left = breaker(channel.stream_stream("/both/whole"))()
        await left.write(b"1")
        left.cancel()
        with pytest.raises((asyncio.CancelledError, asyncio.InvalidStateError)):
            await left.write(b"2")
        del left
        gc.collect()
        assert counts(breaker) == (1, 1, 1, 0)


@pytest.mark.parametrize("way", [by_decorator, by_decorated_coroutine, by_call_sync, by_call_of_a_coroutine])
async def test_an_async_call_is_judged_when_it_was_awaited(breaker: CircuitBreaker, address: str, way: Way) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        whole = await way(breaker, lambda: channel.unary_unary("/one/whole")(b""))
        assert isinstance(whole, grpc.aio.UnaryUnaryCall)
        assert counts(breaker) == IN_FLIGHT
        assert await whole == b"answer"
        assert counts(breaker) == SUCCESS
        broken = await way(breaker, lambda: channel.unary_unary("/one/broken")(b""))
        with pytest.raises(grpc.aio.AioRpcError):
            await broken
        assert counts(breaker) == (1, 1, 0, 0)


@pytest.mark.parametrize("observed", ["code", "details", "trailing_metadata", "debug_error_string"])
@pytest.mark.parametrize("way", [by_decorator, by_decorated_coroutine, by_call_sync, by_call_of_a_coroutine])
async def test_an_async_call_is_judged_when_its_status_was_asked_for(address: str, way: Way, observed: str) -> None:
    judged: list[Any] = []
    breaker = CircuitBreaker("model", failure_threshold=9, judge=judged.append)
    async with grpc.aio.insecure_channel(address) as channel:
        whole = await way(breaker, lambda: channel.unary_unary("/one/whole")(b""))
        await getattr(whole, observed)()
        assert counts(breaker) == SUCCESS
        assert judged == [b"answer"]
        assert await whole == b"answer"
        broken = await way(breaker, lambda: channel.unary_unary("/one/broken")(b""))
        await getattr(broken, observed)()
        assert await broken.code() is grpc.StatusCode.UNAVAILABLE
        assert counts(breaker) == (1, 1, 0, 0)
        with pytest.raises(grpc.aio.AioRpcError):
            await broken
        cancelled = await way(breaker, lambda: channel.unary_unary("/one/whole")(b""))
        cancelled.cancel()
        await getattr(cancelled, observed)()
        assert counts(breaker) == (1, 1, 1, 0)
        assert judged == [b"answer"]


async def test_call_awaits_an_async_call(breaker: CircuitBreaker, address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        assert await breaker.call(channel.unary_unary("/one/whole"), b"") == b"answer"
    assert counts(breaker) == SUCCESS


class Guard(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """An interceptor that guards each call of its channel."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self.breaker = breaker

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self.breaker.call_sync(continuation, client_call_details, request)


@pytest.mark.parametrize("decorated", [False, True], ids=["interceptor", "interceptor and decorator"])
def test_an_error_that_an_interceptor_returns_is_judged_as_if_it_was_raised(
    breaker: CircuitBreaker, address: str, decorated: bool
) -> None:
    with grpc.insecure_channel(address) as channel:
        guarded = grpc.intercept_channel(channel, Guard(breaker))
        methods = {name: guarded.unary_unary(f"/one/{name}") for name in ("whole", "broken", "invalid")}
        calls = {name: breaker(method) if decorated else method for name, method in methods.items()}
        for name in ("broken", "invalid"):
            with pytest.raises(grpc.RpcError):
                calls[name](b"")
        assert counts(breaker)[:2] == (0, 1)
        # The decorator around the interceptor ignores the failure that the interceptor has counted.
        assert breaker.metrics.ignored_calls == (3 if decorated else 1)
        assert calls["whole"](b"") == b"answer"
        assert breaker.metrics.successful_calls == (2 if decorated else 1)


async def test_timeouts_of_streams_cut_off_an_async_stream(address: str) -> None:
    breaker = CircuitBreaker("model", first_item_timeout_seconds=0.05)
    async with grpc.aio.insecure_channel(address) as channel:
        stream = await breaker.call(lambda: channel.unary_stream("/stream/hanging")(b""))
        with pytest.raises(CallTimeoutError):
            await anext(aiter(stream))
        assert counts(breaker) == FAILURE
