"""Attempts, their budget, retries and pauses of an orchestrated call."""

import asyncio
from typing import Any

import pytest

from halfopen import ManualClock
from halfopen.orchestration import (
    AllProvidersFailed,
    Budget,
    CoolingDown,
    Orchestrator,
    Provider,
)
from orchestrated import Hang, HttpError, Script, always, config, providers


async def test_a_call_makes_no_more_attempts_than_allowed() -> None:
    orchestrator = Orchestrator(providers(*"abcde"), max_attempts=3)
    script = Script(**{name: [HttpError(500)] for name in "abcde"})
    with pytest.raises(AllProvidersFailed) as caught:
        await orchestrator.call(script)
    assert (script.asked, caught.value.ended_by) == (["a", "b", "c"], "max_attempts")


async def test_further_attempts_are_paid_until_the_budget_is_used_up() -> None:
    members = [Provider(name, config(name, failure_threshold=100), tier=tier) for tier, name in enumerate("ab")]
    orchestrator, script = Orchestrator(members), Script(a=always(HttpError(500)), b=always(HttpError(500)))
    ended: list[str] = []
    for _ in range(15):
        with pytest.raises(AllProvidersFailed) as caught:
            await orchestrator.call(script)
        ended.append(caught.value.ended_by)
    assert ended == ["exhausted"] * 10 + ["budget"] * 5
    assert len(script.asked) == 15 + 10
    assert [event.is_paid for event in orchestrator.events(Budget)] == [True] * 10 + [False] * 5
    assert caught.value.retry_after == 0, "the first attempt of a new call costs nothing"


async def test_a_backup_that_works_does_not_use_the_budget_up() -> None:
    members = [Provider(name, config(name, failure_threshold=1000), tier=tier) for tier, name in enumerate("ab")]
    orchestrator, script = Orchestrator(members, min_health=0), Script(a=always(HttpError(500)))
    for _ in range(50):
        assert await orchestrator.call(script) == "b"


@pytest.mark.parametrize("failure_threshold", [5, 1000])
async def test_a_backup_that_works_takes_all_calls_at_once(failure_threshold: int) -> None:
    circuit = config("a", failure_threshold=failure_threshold)
    orchestrator = Orchestrator([Provider("a", circuit), Provider("b", tier=1)], attempt_timeout_seconds=0.2)

    async def ask(provider: Provider) -> str:
        await (asyncio.Event().wait() if provider.id == "a" else asyncio.sleep(0.1))
        return provider.id

    answers = await asyncio.gather(*(orchestrator.call(ask) for _ in range(100)))
    assert answers == ["b"] * 100
    assert orchestrator._engine.pool.tokens == 100


async def test_calls_that_were_given_up_or_refused_cost_nothing() -> None:
    members = [Provider(name, config(name, failure_threshold=100), tier=tier) for tier, name in enumerate("ab")]
    orchestrator = Orchestrator(members)
    script = Script(a=always(HttpError(500)), b=[HttpError(400), *always(Hang())])
    with pytest.raises(HttpError):
        await orchestrator.call(script)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(orchestrator.call(script), 0.001)
    assert script.asked.count("b") == 21
    assert orchestrator._engine.pool.tokens == 100


async def test_a_move_is_free_where_every_new_call_makes_the_same_choice() -> None:
    members = [Provider(name, config(name, failure_threshold=100), tier=tier) for tier, name in enumerate("abc")]
    orchestrator, script = Orchestrator(members), Script(a=always(HttpError(500)), b=always(HttpError(500)))
    script.parts["c"] = always(HttpError(500))
    for _ in range(6):
        with pytest.raises(AllProvidersFailed):
            await orchestrator.call(script)
    assert orchestrator._engine.pool.tokens == 0
    with pytest.raises(AllProvidersFailed) as caught:
        await orchestrator.call(script)
    assert caught.value.ended_by == "budget"
    script.parts = {"a": [HttpError(429)]}
    assert await orchestrator.call(script) == "b"
    assert [event.is_paid for event in orchestrator.events(Budget)][-1] is False, "the last event is the refusal"


async def test_the_same_provider_is_asked_again_after_a_pause_if_that_is_set() -> None:
    members = [Provider(name, config(name, failure_threshold=5), tier=tier) for tier, name in enumerate("ab")]
    settings: dict[str, Any] = {"same_provider_retries": 1, "retry_delay_seconds": 0.02}
    orchestrator, script = Orchestrator(members, **settings), Script(a=[HttpError(500)])
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await orchestrator.call(script) == "a"
    assert loop.time() - begun >= 0.015
    assert script.asked == ["a", "a"]
    script.parts["a"] = [HttpError(500), HttpError(500)]
    assert await orchestrator.call(script) == "b"
    assert script.asked[2:] == ["a", "a", "b"]


@pytest.mark.parametrize("answer", [Hang(), HttpError(503, retry_after=20), HttpError(429)], ids=repr)
async def test_a_silent_provider_and_one_that_asks_for_a_pause_are_asked_once(answer: Any) -> None:
    members = [Provider(name, config(name, failure_threshold=5), tier=tier) for tier, name in enumerate("ab")]
    settings: dict[str, Any] = {"same_provider_retries": 1, "retry_delay_seconds": 0.01}
    orchestrator, script = Orchestrator(members, attempt_timeout_seconds=0.03, **settings), Script(a=[answer])
    assert await orchestrator.call(script) == "b"
    assert script.asked == ["a", "b"]


async def test_a_hint_is_obeyed_and_the_later_of_two_ends_counts() -> None:
    clock = ManualClock()
    members = [Provider("a", config("a", failure_threshold=99)), Provider("b", tier=1)]
    orchestrator, script = Orchestrator(members, clock=clock), Script(a=[HttpError(503, retry_after=20)])
    assert await orchestrator.call(script) == "b"
    assert orchestrator.breaker("a").state == "closed"
    clock.advance(19)
    assert await orchestrator.call(script) == "b"
    clock.advance(1)
    assert await orchestrator.call(script) == "a"
    script.parts["a"] = [HttpError(429, retry_after=60), HttpError(429, retry_after=1)]
    both = [asyncio.ensure_future(orchestrator.call(script)) for _ in range(2)]
    assert await asyncio.gather(*both) == ["b", "b"]
    clock.advance(59)
    assert await orchestrator.call(script) == "b"
    assert {event.provider for event in orchestrator.events(CoolingDown)} == {"a"}
