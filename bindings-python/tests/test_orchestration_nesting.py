"""Calls inside orchestrated calls: a probe is shared, and a failure counts once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from halfopen import CircuitBreaker, ManualClock
from halfopen.orchestration import AllProvidersFailed, Orchestrator, Provider, StreamBrokenError
from halfopen.types import Outcome
from orchestrated import config, counts


def waited(*further: Provider, **settings: Any) -> Orchestrator:
    """An orchestrator that prefers a provider whose circuit has one slot for a probe and offers it."""
    clock = ManualClock()
    providers = [Provider("a", config("a", half_open_max_calls=1)), *further]
    orchestrator = Orchestrator(providers, clock=clock, attempt_timeout_seconds=5, **settings)
    orchestrator.breaker("a").acquire().failure()
    clock.advance(30)
    return orchestrator


def closed() -> tuple[Orchestrator, CircuitBreaker]:
    orchestrator = Orchestrator([Provider("a")])
    return orchestrator, orchestrator.breaker("a")


async def hello() -> str:
    await asyncio.sleep(0)
    return "hello"


async def fail(_: Provider) -> None:
    await asyncio.sleep(0)
    raise OSError


async def test_a_call_of_the_same_breaker_inside_an_orchestrated_probe_shares_its_permit() -> None:
    orchestrator = waited()
    breaker = orchestrator.breaker("a")

    async def ask(_: Provider) -> str:
        breaker.call_sync(int)
        await asyncio.create_task(breaker.call(hello))
        return await breaker.call(hello)

    assert await orchestrator.call(ask) == "hello"
    assert breaker.state == "closed"
    assert counts(orchestrator, "a") == {"failed": 1, "successful": 1}


async def test_an_orchestrated_call_inside_an_orchestrated_probe_shares_its_permit() -> None:
    orchestrator = waited()

    async def ask(_: Provider) -> str:
        return await hello()

    async def outer(_: Provider) -> str:
        assert orchestrator.ranking() == ([("a", "probe")], [])
        return await orchestrator.call(ask)

    assert await orchestrator.call(outer) == "hello"
    assert orchestrator.breaker("a").state == "closed"


async def test_an_orchestrated_call_inside_another_probe_shares_its_permit() -> None:
    orchestrator = waited()
    breaker = orchestrator.breaker("a")

    async def ask(_: Provider) -> str:
        return await hello()

    assert await breaker.call(orchestrator.call, ask) == "hello"
    assert breaker.state == "closed"
    assert counts(orchestrator, "a") == {"failed": 1, "successful": 1}


async def test_the_steps_of_an_orchestrated_probing_stream_share_its_permit() -> None:
    orchestrator = waited()
    breaker = orchestrator.breaker("a")

    async def items(_: Provider) -> AsyncIterator[str]:
        yield await breaker.call(hello)
        yield await breaker.call(hello)

    stream = orchestrator.stream(items)
    assert await anext(stream) == "hello"
    with pytest.raises(Exception, match="probes_busy"):
        breaker.acquire()
    assert [item async for item in stream] == ["hello"]
    assert breaker.state == "closed"
    assert counts(orchestrator, "a") == {"failed": 1, "successful": 1, "rejected": 1}


async def test_a_context_that_a_probing_stream_opens_shares_its_permit() -> None:
    orchestrator = waited()
    breaker = orchestrator.breaker("a")

    class Opening:
        async def __aenter__(self) -> AsyncIterator[str]:
            await breaker.call(hello)
            return self.items()

        async def __aexit__(self, *_: object) -> None:
            pass

        async def items(self) -> AsyncIterator[str]:
            yield "hello"

    assert [item async for item in orchestrator.stream(lambda _: Opening())] == ["hello"]
    assert breaker.state == "closed"


async def test_hedged_attempts_share_their_own_probes_only() -> None:
    orchestrator = waited(Provider("b", tier=1), hedge_after_seconds=4)
    breaker = orchestrator.breaker("a")

    async def ask(_: Provider) -> str:
        return await breaker.call(hello)

    assert await orchestrator.call(ask) == "hello"
    assert breaker.state == "closed"


async def test_a_background_check_shares_its_probe() -> None:
    checked = asyncio.Event()

    async def check(_: Provider) -> None:
        try:
            await breaker.call(hello)
        finally:
            checked.set()

    orchestrator = waited(check=check, check_interval_seconds=0.001)
    breaker = orchestrator.breaker("a")
    async with orchestrator:
        await asyncio.wait_for(checked.wait(), 10)
    assert breaker.state == "closed"


async def test_the_context_of_the_caller_is_inside_no_probe_afterwards() -> None:
    orchestrator = waited()
    breaker = orchestrator.breaker("a")
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(fail)
    assert breaker.state == "open"
    with pytest.raises(Exception, match="OPEN"):
        breaker.acquire()


async def test_one_failure_through_orchestrated_layers_counts_once() -> None:
    orchestrator, breaker = closed()

    async def middle(_: Provider) -> None:
        await orchestrator.call(fail)

    async def outer(_: Provider) -> None:
        await orchestrator.call(middle)

    with pytest.raises(AllProvidersFailed):
        await breaker.call(orchestrator.call, outer)
    assert counts(orchestrator, "a") == {"failed": 1, "ignored": 3}


@pytest.mark.parametrize("long_lived", [False, True])
async def test_one_failure_through_orchestrated_streams_counts_once(long_lived: bool) -> None:
    orchestrator, _ = closed()

    async def broken(_: Provider) -> AsyncIterator[int]:
        yield 1
        raise OSError

    async def outer(_: Provider) -> AsyncIterator[int]:
        async for item in orchestrator.stream(broken, long_lived=long_lived):
            yield item

    with pytest.raises(StreamBrokenError):
        [item async for item in orchestrator.stream(outer, long_lived=long_lived)]
    expected = {"successful": 2, "failed": 1} if long_lived else {"failed": 1, "ignored": 1}
    assert counts(orchestrator, "a") == expected


async def test_a_result_that_a_provider_has_returned_as_its_error_counts_once() -> None:
    def judge(result: object) -> Outcome | None:
        return "failure" if result == 503 else None

    orchestrator = Orchestrator([Provider("a", CircuitBreaker("a", judge=judge))])

    async def ask(_: Provider) -> int:
        return 503

    with pytest.raises(AllProvidersFailed):
        await orchestrator.breaker("a").call(orchestrator.call, ask)
    assert counts(orchestrator, "a") == {"failed": 1, "ignored": 1}


async def test_a_provider_that_was_not_asked_makes_no_failure_of_a_counted_one() -> None:
    orchestrator = Orchestrator([Provider("a"), Provider("b", tier=1)])
    orchestrator.breaker("b").force_open()
    breaker = orchestrator.breaker("a")
    with pytest.raises(AllProvidersFailed):
        await breaker.call(orchestrator.call, fail)
    assert counts(orchestrator, "a") == {"failed": 1, "ignored": 1}
