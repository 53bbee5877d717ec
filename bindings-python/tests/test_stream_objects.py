"""Stream objects of SDKs, and context managers that yield streams, keep their interface and are judged at their end."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self
from unittest.mock import AsyncMock, MagicMock

import anthropic
import httpx2
import openai
import pytest

from halfopen import CallTimeoutError, CircuitBreaker, CircuitBreakerOpenError, InvalidValueError
from provider import Cut, Fault, Provider, Stall

SHORT = 0.01
MESSAGES: Any = [{"role": "user", "content": "two words"}]


def counts(breaker: CircuitBreaker) -> tuple[int, int, int, int]:
    """Successes, failures, cancelled calls, calls in flight."""
    read = breaker.metrics
    return read.successful_calls, read.failed_calls, read.cancelled_calls, read.in_flight


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


async def drain(stream: Any) -> list[int]:
    return [item async for item in stream] if hasattr(stream, "__anext__") else list(stream)


async def first_of(stream: Any) -> Any:
    return await anext(stream) if hasattr(stream, "__anext__") else next(stream)


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


# With the real SDKs


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


async def test_a_stream_of_the_openai_sdk(provider: Provider) -> None:
    breaker = CircuitBreaker("openai", idle_timeout_seconds=10 * SHORT)
    async with openai.AsyncOpenAI(base_url=provider.openai_url, api_key="none", max_retries=0) as client:
        create = breaker(client.chat.completions.create)
        stream = await create(model="small", messages=MESSAGES, stream=True)
        assert isinstance(stream, openai.AsyncStream)
        assert stream.response.status_code == 200
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        assert text == provider.text
        assert counts(breaker) == (1, 0, 0, 0)

        async with await create(model="small", messages=MESSAGES, stream=True) as stream:
            async for _ in stream:
                break
        assert counts(breaker) == (1, 0, 1, 0)

        provider.next(Stall())
        with pytest.raises(CallTimeoutError, match="idle_timeout_seconds"):
            async for _ in await create(model="small", messages=MESSAGES, stream=True):
                pass
        assert counts(breaker) == (1, 1, 1, 0)


async def test_a_cut_stream_of_the_openai_sdk_is_a_failure(provider: Provider) -> None:
    breaker = CircuitBreaker("openai")
    async with openai.AsyncOpenAI(base_url=provider.openai_url, api_key="none", max_retries=0) as client:
        provider.next(Cut())
        stream = await breaker.call(client.chat.completions.create, model="small", messages=MESSAGES, stream=True)
        with pytest.raises(Exception, match=r".*"):
            async for _ in stream:
                pass
    assert counts(breaker) == (0, 1, 0, 0)


async def test_a_context_manager_of_the_anthropic_sdk(provider: Provider) -> None:
    breaker = CircuitBreaker("anthropic")
    async with anthropic.AsyncAnthropic(base_url=provider.url, api_key="none", max_retries=0) as client:
        manager = client.messages.stream(model="small", messages=MESSAGES, max_tokens=50)
        async with breaker.stream(manager) as stream:
            events = [event.type async for event in stream]
        assert events[-1] == "message_stop"
        assert counts(breaker) == (1, 0, 0, 0)


HELPERS: dict[str, Callable[[Any], Any]] = {
    "text_stream": lambda stream: drain(stream.text_stream),
    "get_final_message": lambda stream: stream.get_final_message(),
    "get_final_completion": lambda stream: stream.get_final_completion(),
}


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("fault", [None, Cut(), Stall()])
async def test_a_helper_of_an_sdk_that_reads_the_stream(helper: str, fault: Fault | None, provider: Provider) -> None:
    breaker = CircuitBreaker("sdk", idle_timeout_seconds=10 * SHORT)
    provider.next(fault)
    caught: Exception | None = None
    async with (
        anthropic.AsyncAnthropic(base_url=provider.url, api_key="none", max_retries=0) as anthropics,
        openai.AsyncOpenAI(base_url=provider.openai_url, api_key="none", max_retries=0) as openais,
    ):
        manager: Any = (
            openais.chat.completions.stream(model="small", messages=MESSAGES)
            if helper == "get_final_completion"
            else anthropics.messages.stream(model="small", messages=MESSAGES, max_tokens=50)
        )
        try:
            async with breaker.stream(manager) as stream:
                await HELPERS[helper](stream)
        except (CallTimeoutError, httpx2.HTTPError, openai.APIError) as error:
            caught = error
    assert (caught is None) == (fault is None)
    assert isinstance(caught, CallTimeoutError) == isinstance(fault, Stall)
    assert counts(breaker) == ((0, 1, 0, 0) if fault else (1, 0, 0, 0))


def test_a_helper_of_a_plain_stream(provider: Provider) -> None:
    breaker = CircuitBreaker("anthropic")
    with anthropic.Anthropic(base_url=provider.url, api_key="none", max_retries=0) as client:
        request: Any = {"model": "small", "messages": MESSAGES, "max_tokens": 50}
        with breaker.stream(client.messages.stream(**request)) as stream:
            assert "".join(stream.text_stream) == provider.text
        assert counts(breaker) == (1, 0, 0, 0)
        with breaker.stream(client.messages.stream(**request)) as stream:
            assert next(stream.text_stream)
        assert counts(breaker) == (1, 0, 1, 0)


def test_a_plain_stream_of_the_openai_sdk(provider: Provider) -> None:
    breaker = CircuitBreaker("openai")
    with openai.OpenAI(base_url=provider.openai_url, api_key="none", max_retries=0) as client:
        stream = breaker.call_sync(client.chat.completions.create, model="small", messages=MESSAGES, stream=True)
        assert isinstance(stream, openai.Stream)
        assert len(list(stream)) > 2
    assert counts(breaker) == (1, 0, 0, 0)
