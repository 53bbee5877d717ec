"""Stream objects like those of SDKs, and managers that yield them, keep their interface and are judged at their end."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self
from unittest.mock import AsyncMock, MagicMock

import aiohttp
import anthropic
import httpx2
import openai
import pytest

from consumers import counts, drain, first_of
from halfopen import CallTimeoutError, CircuitBreaker, CircuitBreakerOpenError, InvalidValueError

SHORT = 0.01


class Response:
    """An HTTP response that succeeded."""

    status_code = 200


class AsyncStream:
    """Like that of the SDKs."""

    def __init__(self, *items: int, fault: Exception | None = None) -> None:
        self.response = Response()
        self.closed = 0
        self._items = list(items)
        self._fault = fault

    async def __anext__(self) -> int:
        await asyncio.sleep(0)
        if self._items:
            return self._items.pop(0)
        raise self._fault or StopAsyncIteration

    async def __aiter__(self) -> AsyncIterator[int]:
        while True:
            try:
                yield await self.__anext__()
            except StopAsyncIteration:
                return

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        self.closed += 1


class Stream:
    """The same without ``async``."""

    def __init__(self, *items: int, fault: Exception | None = None) -> None:
        self.response = Response()
        self.closed = 0
        self._items = list(items)
        self._fault = fault

    def __next__(self) -> int:
        if self._items:
            return self._items.pop(0)
        raise self._fault or StopIteration

    def __iter__(self) -> Iterator[int]:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed += 1


async def called(breaker: CircuitBreaker, source: Any) -> Any:
    async def opened() -> Any:
        return source

    return await breaker.call(opened)


async def called_sync(breaker: CircuitBreaker, source: Any) -> Any:
    return breaker.call_sync(lambda: source)


async def guarded(breaker: CircuitBreaker, source: Any) -> Any:
    return breaker.stream(source)


async def decorated(breaker: CircuitBreaker, source: Any) -> Any:
    @breaker
    async def opened() -> Any:
        return source

    return await opened()


WAYS: dict[str, Callable[[CircuitBreaker, Any], Any]] = {
    "called": called,
    "called without await": called_sync,
    "guarded": guarded,
    "decorated": decorated,
}
KINDS: list[Any] = [AsyncStream, Stream]


async def close(stream: Any) -> None:
    closing = stream.close()
    if closing is not None:
        await closing


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_object_is_judged_at_its_end(kind: Any, way: str) -> None:
    breaker = CircuitBreaker()
    stream = await WAYS[way](breaker, kind(1, 2))
    assert counts(breaker) == (0, 0, 0, 1)
    assert await drain(stream) == [1, 2]
    assert counts(breaker) == (1, 0, 0, 0)
    stream = await WAYS[way](breaker, kind(1, fault=OSError("cut")))
    with pytest.raises(OSError, match="cut"):
        await drain(stream)
    assert counts(breaker) == (1, 1, 0, 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_object_keeps_its_interface(kind: Any, way: str) -> None:
    breaker, source = CircuitBreaker(), kind(1, 2)
    stream = await WAYS[way](breaker, source)
    assert isinstance(stream, kind)
    assert stream.response is source.response
    assert await first_of(stream) == 1
    assert await first_of(stream) == 2
    await close(stream)
    assert stream.closed == source.closed == 1
    assert counts(breaker) == (0, 0, 1, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_leaving_its_block_stops_a_stream_object(way: str) -> None:
    breaker, source = CircuitBreaker(), AsyncStream(1, 2)

    async def consume() -> None:
        async with await WAYS[way](breaker, source) as stream:
            assert isinstance(stream, AsyncStream)
            async for _ in stream:
                raise KeyError

    with pytest.raises(KeyError):
        await consume()
    assert counts(breaker) == (0, 0, 1, 0)
    with await WAYS[way](breaker, Stream(1, 2)) as stream:
        assert list(stream) == [1, 2]
    assert counts(breaker) == (1, 0, 1, 0)
    assert source.closed == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_dropped_stream_object_returns_its_permit(kind: Any, way: str) -> None:
    breaker = CircuitBreaker()
    stream = await WAYS[way](breaker, kind(1, 2))
    del stream
    gc.collect()
    assert counts(breaker) == (0, 0, 1, 0)
    stream = await WAYS[way](breaker, kind(1, 2))
    assert await first_of(stream) == 1
    del stream
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert counts(breaker) == (0, 0, 2, 0)


async def test_closing_a_stream_object_while_another_task_waits_for_it() -> None:
    class Endless(AsyncStream):
        """Ends when it is closed."""

        ended = asyncio.Event()

        async def __anext__(self) -> int:
            await self.ended.wait()
            raise StopAsyncIteration

        async def close(self) -> None:
            self.ended.set()

    breaker = CircuitBreaker()
    stream = breaker.stream(Endless())
    waiting = asyncio.create_task(drain(stream))
    await asyncio.sleep(0)
    await stream.close()
    assert await waiting == []
    assert counts(breaker) == (0, 0, 1, 0)


async def test_timeouts_and_the_last_item_apply_to_stream_objects() -> None:
    class Stalls(AsyncStream):
        """Hangs at its end."""

        async def __anext__(self) -> int:
            if not self._items:
                await asyncio.Event().wait()
            return await super().__anext__()

    breaker = CircuitBreaker(idle_timeout_seconds=SHORT, is_end=lambda item: item == 9)
    with pytest.raises(CallTimeoutError, match="idle"):
        await drain(await called(breaker, Stalls(1, 2)))
    assert counts(breaker) == (0, 1, 0, 0)
    await drain(await called(breaker, AsyncStream(1)))
    assert counts(breaker) == (0, 2, 0, 0)
    await drain(await called(breaker, AsyncStream(1, 9)))
    assert counts(breaker) == (1, 2, 0, 0)


@pytest.mark.parametrize("result", [iter([1]), MagicMock(), AsyncMock(), zip("a", "b", strict=True)])
def test_other_iterators_and_mocks_are_plain_results(result: Any) -> None:
    breaker = CircuitBreaker()
    assert breaker.call_sync(lambda: result) is result
    assert counts(breaker) == (1, 0, 0, 0)


def test_a_file_is_a_plain_result() -> None:
    breaker = CircuitBreaker()
    with breaker.call_sync(open, __file__) as file:
        assert counts(breaker) == (1, 0, 0, 0)
        assert file.readline()


# Context managers


@asynccontextmanager
async def managed(fault: Exception | None = None) -> AsyncIterator[AsyncStream]:
    if fault:
        raise fault
    async with AsyncStream(1, 2) as stream:
        yield stream


@contextmanager
def managed_plain(fault: Exception | None = None) -> Iterator[Stream]:
    if fault:
        raise fault
    with Stream(1, 2) as stream:
        yield stream


async def test_a_context_manager_begins_the_call_and_its_stream_ends_it() -> None:
    breaker = CircuitBreaker()
    manager = breaker.stream(managed())
    assert breaker.metrics.total_calls == 0
    async with manager as stream:
        assert counts(breaker) == (0, 0, 0, 1)
        assert [item async for item in stream] == [1, 2]
        assert counts(breaker) == (1, 0, 0, 0)
    with breaker.stream(managed_plain()) as plain:
        assert list(plain) == [1, 2]
    assert counts(breaker) == (2, 0, 0, 0)


async def test_entering_may_fail_or_be_rejected_and_leaving_early_is_neutral() -> None:
    breaker = CircuitBreaker()
    with pytest.raises(OSError, match="refused"):
        async with breaker.stream(managed(OSError("refused"))):
            pass
    with pytest.raises(OSError, match="refused"), breaker.stream(managed_plain(OSError("refused"))):
        pass
    assert counts(breaker) == (0, 2, 0, 0)
    async with breaker.stream(managed()) as stream:
        assert await anext(stream) == 1
    with breaker.stream(managed_plain()) as plain:
        assert isinstance(plain, Stream)
    assert counts(breaker) == (0, 2, 2, 0)
    breaker.force_open()
    with pytest.raises(CircuitBreakerOpenError):
        async with breaker.stream(managed()):
            pass


class Requesting:
    """Like the stream managers of the SDKs: it is given a coroutine that makes the request."""

    def __init__(self, request: Coroutine[Any, Any, AsyncStream]) -> None:
        self.__request = request

    async def __aenter__(self) -> AsyncStream:
        return await self.__request

    async def __aexit__(self, *_: object) -> None: ...


async def requested() -> AsyncStream:
    return AsyncStream(1, 2)


@pytest.mark.filterwarnings("error")
async def test_a_rejected_manager_closes_the_request_that_it_was_given() -> None:
    breaker = CircuitBreaker()
    async with breaker.stream(Requesting(requested())) as stream:
        assert await drain(stream) == [1, 2]
    breaker.force_open()
    session = aiohttp.ClientSession()
    openai_client = openai.AsyncOpenAI(api_key="key")
    anthropic_client = anthropic.AsyncAnthropic(api_key="key")
    question: Any = [{"role": "user", "content": "hello"}]
    managers: list[Any] = [
        Requesting(requested()),
        session.get("http://localhost"),
        openai_client.responses.stream(model="small", input="hello"),
        openai_client.chat.completions.stream(model="small", messages=question),
        anthropic_client.messages.stream(model="small", messages=question, max_tokens=9),
    ]
    while managers:
        with pytest.raises(CircuitBreakerOpenError):
            async with breaker.stream(managers.pop()):
                pass
        gc.collect()
    await session.close()
    await openai_client.close()
    await anthropic_client.close()


@pytest.mark.parametrize(("status", "expected"), [(200, (1, 0, 0, 0)), (503, (0, 1, 0, 0)), (429, (0, 0, 0, 0))])
async def test_a_response_that_is_entered_is_judged(status: int, expected: tuple[int, ...]) -> None:
    breaker = CircuitBreaker(is_end=bool)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status))
    async with (
        httpx2.AsyncClient(transport=transport) as client,
        breaker.stream(client.stream("GET", "http://provider")) as response,
    ):
        assert response.status_code == status
    assert counts(breaker) == expected
    with httpx2.Client(transport=transport) as plain, breaker.stream(plain.stream("GET", "http://provider")):
        pass
    assert counts(breaker) == tuple(2 * count for count in expected)


async def test_entering_has_the_deadline_of_a_call() -> None:
    @asynccontextmanager
    async def hangs() -> AsyncIterator[AsyncStream]:
        await asyncio.Event().wait()
        yield AsyncStream()

    breaker = CircuitBreaker(call_timeout_seconds=SHORT)
    with pytest.raises(CallTimeoutError, match="call_timeout_seconds"):
        async with breaker.stream(hangs()):
            pass
    assert counts(breaker) == (0, 1, 0, 0)


@pytest.mark.parametrize("source", [5, "text", object(), [1], None])
def test_anything_else_is_refused(source: Any) -> None:
    breaker = CircuitBreaker()
    with pytest.raises(InvalidValueError, match="source"):
        breaker.stream(source)
    assert breaker.metrics.total_calls == 0


@pytest.mark.parametrize("make", [AsyncStream, Stream])
def test_guarding_a_stream_makes_no_dictionary_through_which_python_then_finds_its_attributes(
    make: Callable[[], AsyncStream | Stream],
) -> None:
    breaker = CircuitBreaker()

    @breaker
    def opened() -> AsyncStream | Stream:
        return source

    source = make()
    breaker.stream(source)
    opened()
    assert not [held for held in gc.get_referents(source) if isinstance(held, dict)]
