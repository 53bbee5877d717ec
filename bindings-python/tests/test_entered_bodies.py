"""A response that a context manager yields is judged when its body has ended, not by its headers alone."""

import gc
from collections.abc import Callable
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest

from consumers import counts
from halfopen import CallTimeoutError, CircuitBreaker, InvalidValueError
from halfopen.types import Outcome
from provider import Cut, Fault, Provider, Stall, Status

SHORT = 0.01
MESSAGES: Any = [{"role": "user", "content": "two words"}]
ASKED: dict[str, Any] = {"model": "small", "messages": MESSAGES, "stream": True}

Manager = Callable[..., Any]
"""A function that returns the context manager of a request."""

GUARDS: dict[str, Callable[[CircuitBreaker, Manager], Any]] = {
    "stream": lambda breaker, opening: breaker.stream(opening()),
    "returned": lambda breaker, opening: breaker(opening)(),
}
both = pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)


class Clients:
    """The clients of a provider; each opens a request whose body is streamed."""

    def __init__(self, provider: Provider) -> None:
        url = provider.openai_url
        given: dict[str, Any] = {"api_key": "none", "max_retries": 0}
        self._url = f"{url}/chat/completions"
        self._clients: dict[str, Any] = {
            "httpx": httpx.Client(),
            "httpx2": httpx2.Client(),
            "openai": openai.OpenAI(base_url=url, **given),
            "anthropic": anthropic.Anthropic(base_url=provider.url, **given),
        }
        self._async_clients: dict[str, Any] = {
            "httpx": httpx.AsyncClient(),
            "httpx2": httpx2.AsyncClient(),
            "openai": openai.AsyncOpenAI(base_url=url, **given),
            "anthropic": anthropic.AsyncAnthropic(base_url=provider.url, **given),
        }

    def opening(self, name: str, *, is_async: bool = False) -> Manager:
        client = (self._async_clients if is_async else self._clients)[name]
        if name == "anthropic":
            return lambda: client.messages.with_streaming_response.create(**ASKED, max_tokens=50)
        if name == "openai":
            return lambda: client.chat.completions.with_streaming_response.create(**ASKED)
        return lambda: client.stream("POST", self._url, json=ASKED)

    async def close(self) -> None:
        for client in self._clients.values():
            client.close()
        for client in self._async_clients.values():
            await (client.aclose() if hasattr(client, "aclose") else client.close())


@pytest.fixture
async def clients(provider: Provider) -> Any:
    made = Clients(provider)
    yield made
    await made.close()


NAMES = ["httpx", "httpx2", "openai", "anthropic"]
BROKEN = (httpx.HTTPError, httpx2.HTTPError, openai.APIError, anthropic.APIError)


@both
@pytest.mark.parametrize("name", NAMES)
async def test_it_ends_with_its_body(name: str, guard: Any, clients: Clients) -> None:
    breaker = CircuitBreaker("provider")
    async with guard(breaker, clients.opening(name, is_async=True)) as response:
        assert counts(breaker) == (0, 0, 0, 1)
        assert b"fox" in b"".join(
            [part async for part in response.iter_bytes()]
            if name in {"openai", "anthropic"}
            else [await response.aread()]
        )
        assert counts(breaker) == (1, 0, 0, 0)
    with guard(breaker, clients.opening(name)) as response:
        assert counts(breaker) == (1, 0, 0, 1)
        assert b"fox" in b"".join(response.iter_bytes())
        assert counts(breaker) == (2, 0, 0, 0)
    assert counts(breaker) == (2, 0, 0, 0)


@both
@pytest.mark.parametrize("name", NAMES)
async def test_a_body_that_breaks_off_is_a_failure(name: str, guard: Any, clients: Clients, provider: Provider) -> None:
    breaker = CircuitBreaker("provider")
    provider.always(Cut())
    with pytest.raises(BROKEN):
        async with guard(breaker, clients.opening(name, is_async=True)) as response:
            await response.read() if name in {"openai", "anthropic"} else await response.aread()
    with pytest.raises(BROKEN), guard(breaker, clients.opening(name)) as response:
        response.read()
    assert counts(breaker) == (0, 2, 0, 0)


@pytest.mark.parametrize("name", NAMES)
async def test_a_consumer_that_leaves_early_is_neutral(name: str, clients: Clients) -> None:
    breaker = CircuitBreaker("provider")
    async with breaker.stream(clients.opening(name, is_async=True)()) as response:
        async for _ in response.iter_bytes() if name in {"openai", "anthropic"} else response.aiter_bytes():
            break
    async with breaker.stream(clients.opening(name, is_async=True)()):
        pass
    with breaker.stream(clients.opening(name)()) as response:
        assert next(response.iter_bytes())
    with breaker.stream(clients.opening(name)()):
        pass
    gc.collect()
    assert counts(breaker) == (0, 0, 4, 0)


@pytest.mark.parametrize("fault", [Status(503), Status(429)])
@pytest.mark.parametrize("name", NAMES)
async def test_an_error_status_is_judged_at_once(name: str, fault: Fault, clients: Clients, provider: Provider) -> None:
    breaker = CircuitBreaker("provider")
    provider.always(fault)
    expected = (0, 1, 0, 0) if fault == Status(503) else (0, 0, 0, 0)
    try:
        async with breaker.stream(clients.opening(name, is_async=True)()):
            assert counts(breaker) == expected
    except BROKEN:
        assert name in {"openai", "anthropic"}
    assert counts(breaker) == expected


async def test_the_parts_of_an_sdk_that_reads_the_body(clients: Clients) -> None:
    breaker = CircuitBreaker("provider")
    async with breaker.stream(clients.opening("openai", is_async=True)()) as response:
        async for _ in await response.parse():
            pass
    with breaker.stream(clients.opening("openai")()) as response:
        assert list(response.parse())
        assert response.http_response.is_closed
    assert counts(breaker) == (2, 0, 0, 0)


async def test_the_timeouts_of_streams_apply_to_the_body(clients: Clients, provider: Provider) -> None:
    breaker = CircuitBreaker("provider", first_item_timeout_seconds=30, idle_timeout_seconds=10 * SHORT)
    provider.next(Stall())
    with pytest.raises(CallTimeoutError, match="idle_timeout_seconds"):
        async with breaker.stream(clients.opening("httpx2", is_async=True)()) as response:
            await response.aread()
    assert counts(breaker) == (0, 1, 0, 0)
    with pytest.raises(InvalidValueError, match="async stream"):
        breaker.stream(clients.opening("httpx2")())


async def test_functions_of_items_are_not_asked_about_the_parts_of_a_body(clients: Clients) -> None:
    asked = list[object]()

    def ask(item: object) -> bool:
        asked.append(item)
        return False

    breaker = CircuitBreaker("provider", is_end=ask, is_content=ask)
    async with breaker.stream(clients.opening("httpx2", is_async=True)()) as response:
        await response.aread()
    assert counts(breaker) == (1, 0, 0, 0)
    assert asked == []


async def test_judge_sees_the_response_first(clients: Clients) -> None:
    judged = list[object]()

    def judge(result: object) -> Outcome:
        judged.append(result)
        return "failure"

    breaker = CircuitBreaker("provider", judge=judge)
    async with breaker.stream(clients.opening("httpx2", is_async=True)()) as response:
        await response.aread()
    assert counts(breaker) == (0, 1, 0, 0)
    assert judged == [response]


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx2.Response(200),
        lambda: httpx2.Response(204, stream=Empty()),
        lambda: httpx2.Response(200, headers={"content-length": "0"}, stream=Empty()),
        lambda: httpx2.Response(200, content=b"all of it"),
    ],
)
def test_a_body_that_is_empty_or_has_come_needs_no_reading(answer: Callable[[], httpx2.Response]) -> None:
    breaker = CircuitBreaker("provider")
    transport = httpx2.MockTransport(lambda _: answer())
    with httpx2.Client(transport=transport) as client, breaker.stream(client.stream("GET", "http://provider")):
        pass
    assert counts(breaker) == (1, 0, 0, 0)


def test_head_has_no_body(provider: Provider) -> None:
    breaker = CircuitBreaker("provider")
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, stream=Empty()))
    with httpx2.Client(transport=transport) as client, breaker.stream(client.stream("HEAD", provider.url)):
        pass
    assert counts(breaker) == (1, 0, 0, 0)


class Empty(httpx2.SyncByteStream):
    """A body of which nothing has been read."""
