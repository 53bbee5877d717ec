"""``is_content``, ``is_end`` and the time to the first item."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from consumers import counts, drain, first_of
from halfopen import CircuitBreaker, InvalidValueError, ManualClock


def is_done(item: str) -> bool:
    return item == "[DONE]"


def plain(*items: str) -> Iterator[str]:
    yield from items


async def awaited(*items: str) -> AsyncIterator[str]:
    for item in items:
        yield item


WAYS: dict[str, Callable[[CircuitBreaker], Callable[..., Any]]] = {
    "decorated": lambda breaker: breaker(awaited),
    "decorated plain": lambda breaker: breaker(plain),
    "returned": lambda breaker: lambda *items: breaker.call_sync(awaited, *items),
    "returned plain": lambda breaker: lambda *items: breaker.call_sync(plain, *items),
    "guarded": lambda breaker: lambda *items: breaker.stream(awaited(*items)),
    "guarded plain": lambda breaker: lambda *items: breaker.stream(plain(*items)),
}


async def close(stream: Any) -> None:
    if hasattr(stream, "aclose"):
        await stream.aclose()
    else:
        stream.close()


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_without_its_last_item_is_a_failure(way: str) -> None:
    breaker = CircuitBreaker(is_end=is_done)
    guarded = WAYS[way](breaker)
    assert await drain(guarded("a", "b")) == ["a", "b"]
    assert counts(breaker) == (0, 1, 0, 0)
    assert await drain(guarded("a", "[DONE]")) == ["a", "[DONE]"]
    assert counts(breaker) == (1, 1, 0, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_that_is_complete_is_a_success_wherever_the_consumer_stops(way: str) -> None:
    breaker = CircuitBreaker(is_end=is_done)
    stream = WAYS[way](breaker)("[DONE]", "more")
    assert await first_of(stream) == "[DONE]"
    assert counts(breaker) == (1, 0, 0, 0)
    await close(stream)
    assert counts(breaker) == (1, 0, 0, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_the_time_to_the_first_item_has_its_own_histogram(clock: ManualClock, way: str) -> None:
    def slow_plain() -> Iterator[str]:
        clock.advance(2)
        yield "ping"
        clock.advance(3)
        yield "text"
        clock.advance(100)

    async def slow_awaited() -> AsyncIterator[str]:
        for item in slow_plain():
            yield item

    source: Any = slow_plain if "plain" in way else slow_awaited
    ways: dict[str, Callable[[CircuitBreaker], Any]] = {
        "decorated": lambda breaker: breaker(source)(),
        "returned": lambda breaker: breaker.call_sync(source),
        "guarded": lambda breaker: breaker.stream(source()),
    }
    for is_content, seconds in ((None, 2), (lambda item: item == "text", 5)):
        breaker = CircuitBreaker(clock=clock, is_content=is_content)
        stream = ways[way.split(maxsplit=1)[0]](breaker)
        clock.advance(1000)
        assert await first_of(stream) == "ping"
        clock.advance(1000)
        assert await drain(stream) == ["text"]
        read = breaker.first_item_durations()
        assert (read.count, read.total_seconds) == (1, seconds)
        assert breaker.durations()["success"].total_seconds == 105


async def test_a_stream_without_content_has_no_first_item(clock: ManualClock) -> None:
    breaker = CircuitBreaker(clock=clock, is_content=lambda _: False)
    await drain(breaker(awaited)("a", "b"))
    assert breaker.first_item_durations().count == 0
    assert counts(breaker) == (1, 0, 0, 0)


async def test_the_time_to_the_first_item_includes_the_call_that_opened_the_stream(clock: ManualClock) -> None:
    async def opened() -> AsyncIterator[str]:
        clock.advance(3)
        return awaited("a")

    breaker = CircuitBreaker(clock=clock)
    await drain(await breaker.call(opened))
    assert breaker.first_item_durations().total_seconds == 3


@pytest.mark.parametrize("name", ["is_content", "is_end"])
async def test_an_exception_of_a_function_is_logged_once_and_means_true(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(item: str) -> bool:
        raise KeyError(item)

    fields: dict[str, Any] = {name: broken}
    breaker = CircuitBreaker(**fields)
    with caplog.at_level(logging.WARNING, "halfopen"):
        for _ in range(3):
            assert await drain(breaker(awaited)("secret", "b")) == ["secret", "b"]
    assert len(caplog.records) == 1
    assert name in caplog.text
    assert "secret" not in caplog.text
    assert counts(breaker) == (3, 0, 0, 0)
    assert breaker.first_item_durations().count == 3


@pytest.mark.parametrize("name", ["is_content", "is_end"])
@pytest.mark.parametrize("function", [5, "text", lambda: True, awaited])
def test_an_unusable_function_is_refused_by_name(name: str, function: Any) -> None:
    fields: dict[str, Any] = {name: function}
    with pytest.raises(InvalidValueError) as refused:
        CircuitBreaker(**fields)
    assert refused.value.field == name
