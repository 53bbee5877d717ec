"""The types of the package: mypy and pyright check this file, and pytest runs it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import assert_type

import httpx
import httpx2
import pytest
from requests.adapters import HTTPAdapter

from halfopen import CircuitBreaker, ManualClock, Permit, Registry
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.httpx import BreakerPerHost, BreakerPerKey, guarded_async_transport, guarded_transport
from halfopen.requests import CircuitBreakerAdapter
from halfopen.session import Session


class Mine(CircuitBreaker):
    """A subclass. Methods that return the breaker must have this type."""

    def guard(self, func: Callable[[int], int]) -> Callable[[int], int]:
        return self(func)


class Voice(Session):
    """A subclass, which ``with`` must bind as this type."""


def plain(count: int, *, text: str = "a") -> str:
    return text * count


async def coroutine(count: int, *, text: str = "a") -> str:
    return text * count


def generator(count: int) -> Generator[int, str, bytes]:
    yield count
    return b""


def iterator(count: int) -> Iterator[int]:
    yield count


async def async_generator(count: int) -> AsyncGenerator[int, str]:
    yield count


async def async_iterator(count: int) -> AsyncIterator[int]:
    yield count


def future(count: int) -> asyncio.Future[int]:
    made: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    made.set_result(count)
    return made


async def test_a_decorated_function_keeps_its_type() -> None:
    breaker = CircuitBreaker()
    assert_type(breaker(plain)(2, text="b"), str)
    assert_type(await breaker(coroutine)(2), str)
    assert_type(breaker(generator)(2), Generator[int, str, bytes]).close()
    assert_type(next(breaker(iterator)(2)), int)
    assert_type([item async for item in breaker(async_generator)(2)], list[int])
    assert_type([item async for item in breaker(async_iterator)(2)], list[int])
    assert_type(await breaker(future)(2), int)
    # A wrong argument is an error of the checker and of the call.
    with pytest.raises(TypeError):
        breaker(plain)("two", count=2)  # type: ignore[arg-type, misc]  # pyright: ignore
    with pytest.raises(TypeError):
        await breaker(coroutine)()  # type: ignore[call-arg]  # pyright: ignore


async def test_call_gives_what_the_function_gives() -> None:
    breaker = CircuitBreaker()
    assert_type(await breaker.call(plain, 2, text="b"), str)
    assert_type(await breaker.call(coroutine, 2, text="b"), str)
    assert_type(await breaker.call(generator, 2), Generator[int, str, bytes]).close()
    assert_type([item async for item in await breaker.call(async_generator, 2)], list[int])
    assert_type(await breaker.call(future, 2), int)
    assert_type(await breaker.call(partial(coroutine, text="b"), 2), str)
    with pytest.raises(TypeError):
        await breaker.call(coroutine, 2, wrong="b")  # type: ignore[call-arg]  # pyright: ignore


async def test_call_sync_gives_what_the_function_gives() -> None:
    breaker = CircuitBreaker()
    assert_type(breaker.call_sync(plain, 2, text="b"), str)
    assert_type(await breaker.call_sync(coroutine, 2), str)
    assert_type(breaker.call_sync(generator, 2), Generator[int, str, bytes]).close()
    assert_type([item async for item in breaker.call_sync(async_generator, 2)], list[int])
    with pytest.raises(TypeError):
        breaker.call_sync(plain, 2, wrong="b")  # type: ignore[call-arg]  # pyright: ignore


async def test_decorated_methods_and_context_managers_keep_their_types() -> None:
    breaker = CircuitBreaker()

    class Provider:
        @breaker
        async def ask(self, text: str) -> int:
            return len(text)

        @breaker
        @staticmethod
        def parse(text: str) -> int:
            return int(text)

        @breaker
        @classmethod
        def make(cls) -> "Provider":
            return cls()

        @property
        @breaker
        def size(self) -> int:
            return 5

    @contextmanager
    @breaker
    def opened(name: str) -> Generator[bytes]:
        yield name.encode()

    @asynccontextmanager
    @breaker
    async def connected(name: str) -> AsyncGenerator[bytes]:
        yield name.encode()

    provider = assert_type(Provider.make(), Provider)
    assert_type(await provider.ask("hello"), int)
    assert_type(Provider.parse("5"), int)
    assert_type(provider.size, int)
    with opened("a") as stream:
        assert_type(stream, bytes)
    async with connected("a") as stream:
        assert_type(stream, bytes)


async def test_blocks_give_permits() -> None:
    breaker = CircuitBreaker()
    with breaker as permit:
        assert_type(permit, Permit)
    async with breaker as permit:
        assert_type(permit, Permit)
    with breaker.acquire() as permit:
        assert_type(permit, Permit)


def test_a_subclass_is_kept() -> None:
    mine = Mine("gemini", clock=ManualClock())
    assert_type(mine, Mine)
    assert_type(mine.guard(abs)(-5), int)

    class Keeping(Registry):
        def kept(self) -> "Keeping":
            return self

    assert_type(Keeping(5).kept(), Keeping)
    assert_type(Keeping(5).get("gemini"), CircuitBreaker | None)


async def test_a_subclass_guards_as_its_base_does() -> None:
    mine = Mine()
    assert_type(mine(plain)(2), str)
    assert_type(await mine(coroutine)(2), str)
    assert_type(mine(generator)(2), Generator[int, str, bytes]).close()
    assert_type([item async for item in mine(async_generator)(2)], list[int])
    assert_type(await mine(future)(2), int)
    with mine.session() as session:
        assert_type(session, Session)
    with Voice(mine) as voice:
        assert_type(voice, Voice)
    async with Voice(mine) as voice:
        assert_type(voice, Voice)


async def test_a_guarded_transport_is_one_of_its_library() -> None:
    breaker = CircuitBreaker()
    new = guarded_transport(httpx2.HTTPTransport(), breaker)
    old = guarded_transport(httpx.HTTPTransport(), breaker)
    assert_type(new, httpx2.BaseTransport)
    assert_type(old, httpx.BaseTransport)
    with httpx2.Client(transport=new), httpx.Client(transport=old):
        pass
    registry = Registry(5)
    per_host = BreakerPerHost(registry, breaker.config)
    per_path = BreakerPerKey[httpx.Request](registry, breaker.config, lambda request: request.url.path)
    new_async = guarded_async_transport(httpx2.AsyncHTTPTransport(), per_host)
    old_async = guarded_async_transport(httpx.AsyncHTTPTransport(), per_path)
    assert_type(new_async, httpx2.AsyncBaseTransport)
    assert_type(old_async, httpx.AsyncBaseTransport)
    async with httpx2.AsyncClient(transport=new_async), httpx.AsyncClient(transport=old_async):
        pass
    CircuitBreakerMiddleware(per_host)
    CircuitBreakerMiddleware(lambda request: breaker if request.method == "GET" else None)
    CircuitBreakerAdapter(HTTPAdapter(), per_host)


def test_functions_that_take_guarded_functions_take_them() -> None:
    breaker = CircuitBreaker()

    def repeat(ask: Callable[[int], Awaitable[str]]) -> Callable[[int], Awaitable[str]]:
        return ask

    assert callable(repeat(breaker(coroutine)))
    assert [*map(breaker(plain), [1, 2])] == ["a", "aa"]
