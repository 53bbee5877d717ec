"""Hedges: a second provider is asked when the first takes long."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from halfopen import ManualClock
from halfopen.orchestration import (
    AllProvidersFailed,
    Orchestrator,
    Provider,
    Switch,
)
from orchestrated import Hang, HttpError, Script, config, counts, in_flight, pair, providers


async def test_a_hedge_asks_another_provider_and_the_loser_is_ignored() -> None:
    orchestrator, script = pair(hedge_after_seconds=0.02), Script(a=[Hang()])
    result, report = await orchestrator.call_with_report(script)
    assert (result, report.provider) == ("b", "b")
    assert (counts(orchestrator, "a"), counts(orchestrator, "b")) == ({"ignored": 1}, {"successful": 1})
    assert in_flight(orchestrator) == 0
    assert {(it.provider, it.outcome) for it in report.attempts} == {("a", "ignored"), ("b", "success")}
    assert [(it.old, it.new, it.cause) for it in orchestrator.events(Switch)] == [("a", "b", "hedge")]


async def test_no_hedge_is_made_for_a_quick_answer_or_a_call_with_effects() -> None:
    orchestrator, script = pair(hedge_after_seconds=0.02), Script()
    assert await orchestrator.call(script) == "a"

    async def slow(provider: Provider) -> str:
        await asyncio.sleep(0.05)
        return provider.id

    assert await orchestrator.call(slow, replayable=False) == "a"
    assert script.asked == ["a"]


@pytest.mark.parametrize(("loser", "answer"), [("a", "b"), ("b", "a")])
async def test_a_hedge_survives_the_failure_of_the_first_and_the_other_way_round(loser: str, answer: str) -> None:
    hedged, failed = asyncio.Event(), asyncio.Event()

    async def one_fails(provider: Provider) -> str:
        if provider.id == "b":
            hedged.set()
        await hedged.wait()
        if provider.id == loser:
            failed.set()
            raise HttpError(500)
        await failed.wait()
        # The orchestrator receives the failure first.
        await asyncio.sleep(0.01)
        return provider.id

    orchestrator = pair(hedge_after_seconds=0.02)
    assert await orchestrator.call(one_fails) == answer
    assert (counts(orchestrator, loser), counts(orchestrator, answer)) == ({"failed": 1}, {"successful": 1})
    switches = [(it.old, it.new, it.cause) for it in orchestrator.events(Switch)]
    assert switches == ([("a", "b", "failure")] if answer == "b" else []), "a hedge that lost is no switch"


async def test_a_cancelled_call_cancels_both_of_a_hedge() -> None:
    orchestrator, script = pair(hedge_after_seconds=0.01), Script(a=[Hang()], b=[Hang()])
    task = asyncio.ensure_future(orchestrator.call(script))
    await asyncio.sleep(0.05)
    assert script.asked == ["a", "b"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (counts(orchestrator, "a"), counts(orchestrator, "b")) == ({"cancelled": 1}, {"cancelled": 1})
    assert in_flight(orchestrator) == 0


async def test_a_hedge_is_made_after_the_providers_own_percentile() -> None:
    clock = ManualClock()
    members = [Provider(name, config(name, failure_threshold=5), tier=tier) for tier, name in enumerate("ab")]
    orchestrator = Orchestrator(members, clock=clock, hedge_percentile=95, hedge_after_seconds=0.01)
    script = Script(a=[Hang()])

    async def takes(provider: Provider, seconds: float) -> str:
        clock.advance(seconds)
        return provider.id

    for _ in range(19):
        await orchestrator.call(takes, 0.03)
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(script, deadline_seconds=0.1)
    assert script.asked == ["a"], "nineteen calls say too little"
    await orchestrator.call(takes, 0.03)
    loop = asyncio.get_running_loop()
    script.parts["a"], begun = [Hang()], loop.time()
    assert await orchestrator.call(script) == "b"
    assert 0.025 < loop.time() - begun < 1
    assert counts(orchestrator, "a") == {"successful": 20, "failed": 1, "ignored": 1}


async def test_the_time_that_a_loser_took_counts_for_the_percentile() -> None:
    clock = ManualClock()
    orchestrator = pair(clock, hedge_percentile=50, hedge_after_seconds=0.01)

    async def ask(provider: Provider) -> str:
        if provider.id == "a":
            await asyncio.Event().wait()
        clock.advance(5)
        return "b"

    async def quick(provider: Provider) -> str:
        return provider.id

    for _ in range(20):
        await orchestrator.call(quick)
    pool = orchestrator._engine.pool
    assert pool.hedge_after(0, False) == 0.01
    for _ in range(21):
        assert await orchestrator.call(ask) == "b"
    assert pool.hedge_after(0, False) == 5
    assert pool.hedge_after(0, True) is None


async def test_hedges_hold_their_price_so_that_slow_providers_are_not_asked_twice_by_everybody() -> None:
    orchestrator, asked = pair(hedge_after_seconds=0.02), Counter[str]()

    async def ask(provider: Provider) -> str:
        asked[provider.id] += 1
        await asyncio.sleep(0.3)
        return provider.id

    assert set(await asyncio.gather(*(orchestrator.call(ask) for _ in range(50)))) == {"a"}
    assert asked == {"a": 50, "b": 10}
    # Ten hedges lost, and fifty first attempts succeeded.
    assert orchestrator._engine.pool.tokens == 50


async def test_a_hedge_is_no_probe_where_another_provider_can_take_it() -> None:
    clock = ManualClock()
    orchestrator = Orchestrator(providers("a", "b", "c"), clock=clock, hedge_after_seconds=0.01)
    orchestrator.breaker("b").acquire().failure()
    clock.advance(30)
    script = Script(a=[Hang()])
    assert await orchestrator.call(script) == "c"
    assert script.asked == ["a", "c"]


async def test_a_call_is_hedged_once() -> None:
    orchestrator, asked = Orchestrator(providers(*"abcd"), hedge_after_seconds=0.01, max_attempts=4), list[str]()

    async def ask(provider: Provider) -> str:
        asked.append(provider.id)
        await asyncio.sleep({"a": 0.03, "b": 0.03, "c": 0.1, "d": 0}[provider.id])
        if provider.id in ("a", "b"):
            raise HttpError(500)
        return provider.id

    assert await orchestrator.call(ask) == "c"
    assert asked == ["a", "b", "c"]


async def test_a_hedged_stream_is_closed_where_it_lost() -> None:
    closed: list[str] = []

    async def stream(provider: Provider) -> Any:
        try:
            if provider.id == "a":
                await asyncio.sleep(5)
            yield provider.id
        finally:
            closed.append(provider.id)

    orchestrator = pair(hedge_after_seconds=0.02)
    assert [item async for item in orchestrator.stream(stream)] == ["b"]
    assert sorted(closed) == ["a", "b"]
    assert in_flight(orchestrator) == 0
