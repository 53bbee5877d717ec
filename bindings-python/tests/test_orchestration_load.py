"""Many clients at once: no task is left behind, no needless probe is made, and a healed provider gets traffic."""

import asyncio
import warnings
from typing import Any

import pytest

from halfopen import CircuitBreaker, ManualClock
from halfopen.orchestration import (
    AllProvidersFailed,
    Orchestrator,
    Provider,
)
from orchestrated import Hang, HttpError, Script, always, config, in_flight, pair


async def test_no_coroutine_and_no_task_is_left_behind() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        orchestrator, script = pair(hedge_after_seconds=0.01), Script(a=[Hang()], b=[HttpError(500)])
        with pytest.raises(AllProvidersFailed):
            await orchestrator.call(script, deadline_seconds=0.2)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_two_hundred_clients_make_no_more_probes_than_there_are_slots() -> None:
    clock = ManualClock()
    members = [Provider("a", config("a", half_open_max_calls=2)), Provider("b", tier=1)]
    orchestrator = Orchestrator(members, clock=clock)
    running = most = probes = 0

    async def ask(provider: Provider) -> str:
        nonlocal running, most, probes
        if provider.id == "b":
            return "b"
        probes += 1
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        raise HttpError(503)

    orchestrator.breaker("a").acquire().failure()
    for _ in range(3):
        clock.advance(30)
        answers = await asyncio.gather(*(orchestrator.call(ask) for _ in range(200)))
        assert set(answers) == {"b"}
    assert (most, probes) == (2, 6)
    assert orchestrator.breaker("a").metrics.rejected_calls == 0
    assert in_flight(orchestrator) == 0


@pytest.mark.parametrize(
    "strategy", ["priority_list", "round_robin", "random", "best_performance", "highest_availability"]
)
async def test_a_healed_provider_carries_traffic_within_one_wait(strategy: Any) -> None:
    clock = ManualClock()
    members = [Provider(name, CircuitBreaker(config(name), clock=clock)) for name in "abc"]
    orchestrator, script = Orchestrator(members, strategy=strategy, clock=clock), Script()
    script.parts["a"] = always(HttpError(503))
    for _ in range(100):
        await orchestrator.call(script)
        clock.advance(1)
    assert script.asked.count("a") <= 1 + 100 // 30 + 1
    script.parts.clear()
    clock.advance(30)
    assert await orchestrator.call(script) == "a", "the first call after the wait is the probe"
    assert orchestrator.breaker("a").state == "closed"
