"""Streams of real SDKs, the context managers that yield them, and their helpers, are judged at their end."""

from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from consumers import counts, drain
from halfopen import CallTimeoutError, CircuitBreaker
from provider import Cut, Fault, Provider, Stall, Status

SHORT = 0.01
MESSAGES: Any = [{"role": "user", "content": "two words"}]


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
@pytest.mark.parametrize("fault", [None, Cut(), Stall(), Status(503)])
@pytest.mark.parametrize("is_returned", [False, True])
async def test_a_helper_of_an_sdk_that_reads_the_stream(
    helper: str, fault: Fault | None, is_returned: bool, provider: Provider
) -> None:
    breaker = CircuitBreaker("sdk", idle_timeout_seconds=10 * SHORT)
    provider.next(fault)
    caught: Exception | None = None
    async with (
        anthropic.AsyncAnthropic(base_url=provider.url, api_key="none", max_retries=0) as anthropics,
        openai.AsyncOpenAI(base_url=provider.openai_url, api_key="none", max_retries=0) as openais,
    ):

        def request() -> Any:
            if helper == "get_final_completion":
                return openais.chat.completions.stream(model="small", messages=MESSAGES)
            return anthropics.messages.stream(model="small", messages=MESSAGES, max_tokens=50)

        manager = breaker(request)() if is_returned else breaker.stream(request())
        try:
            async with manager as stream:
                await HELPERS[helper](stream)
        except (CallTimeoutError, httpx2.HTTPError, anthropic.APIError, openai.APIError) as error:
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
