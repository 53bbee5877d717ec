"""Budget, attempts, retries, hedges, exhaustion, checks and events."""

import asyncio
import copy
import pickle
import sys
import warnings
from collections import Counter
from typing import Any

import pytest

from halfopen import CircuitBreaker, ManualClock
from halfopen.orchestration import (
    AllProvidersFailed,
    AttemptEnded,
    Budget,
    CallEnded,
    Checked,
    Choice,
    CoolingDown,
    Event,
    Orchestrator,
    Provider,
    Switch,
)
from orchestrated import Hang, HttpError, Script, always, config, counts, in_flight, pair, providers


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


async def test_a_hedge_survives_the_failure_of_the_first_and_the_other_way_round() -> None:
    async def first_fails(provider: Provider) -> str:
        await asyncio.sleep(0.05 if provider.id == "a" else 0.1)
        if provider.id == "a":
            raise HttpError(500)
        return provider.id

    async def second_fails(provider: Provider) -> str:
        await asyncio.sleep(0.05 if provider.id == "a" else 0.01)
        if provider.id == "b":
            raise HttpError(500)
        return provider.id

    for function, answer in ((first_fails, "b"), (second_fails, "a")):
        orchestrator = pair(hedge_after_seconds=0.02)
        assert await orchestrator.call(function) == answer
        other = "a" if answer == "b" else "b"
        assert (counts(orchestrator, other), counts(orchestrator, answer)) == ({"failed": 1}, {"successful": 1})
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


async def test_exhausted_fails_with_the_earliest_time() -> None:
    clock = ManualClock()
    members = [Provider("a", config("a", timeout_seconds=50)), Provider("b", config("b", timeout_seconds=40))]
    orchestrator, script = Orchestrator(members, clock=clock), Script(a=[HttpError(500)], b=[HttpError(500)])
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(script)
    clock.advance(10)
    with pytest.raises(AllProvidersFailed) as caught:
        await orchestrator.call(script)
    failed = caught.value
    assert (failed.ended_by, failed.retry_after, failed.code) == ("exhausted", 30, "ALL_PROVIDERS_FAILED")
    assert [(it.provider, it.reason, it.retry_after) for it in failed.failures] == [
        ("a", "open", 40),
        ("b", "open", 30),
    ]
    assert len(script.asked) == 2


async def test_a_deadline_that_is_over_at_once_asks_nobody() -> None:
    orchestrator, script = pair(), Script()
    with pytest.raises(AllProvidersFailed) as caught:
        await orchestrator.call(script, deadline_seconds=1e-9)
    assert (script.asked, caught.value.ended_by) == ([], "deadline")
    assert [failure.reason for failure in caught.value.failures] == ["not_asked", "not_asked"]


async def test_exhausted_waits_inside_the_deadline() -> None:
    members = [Provider("a", config("a", timeout_seconds=0.05))]
    orchestrator = Orchestrator(members, on_exhausted="wait")
    script = Script(a=[HttpError(500)])
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(script)
    assert await orchestrator.call(script) == "a"
    script.parts["a"] = [HttpError(500)]
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(script)
    with pytest.raises(AllProvidersFailed) as caught:
        await orchestrator.call(script, deadline_seconds=0.01)
    assert caught.value.seconds < 1


async def test_exhausted_goes_to_the_last_resort() -> None:
    members = [*providers("a", "b"), Provider("canned", last_resort=True)]
    orchestrator, script = Orchestrator(members, on_exhausted="last_resort"), Script(a=[HttpError(500)])
    assert await orchestrator.call(script) == "b"
    script.parts["b"] = [HttpError(500)]
    assert await orchestrator.call(script) == "canned"
    assert [event.role for event in orchestrator.events(Choice)][-1] == "last_resort"


async def test_the_error_is_a_group_that_can_be_taken_apart_and_pickled() -> None:
    orchestrator, script = pair(), Script(a=[HttpError(500)], b=[ConnectionResetError("gone")])
    caught: AllProvidersFailed | None = None
    selected: object = None
    try:
        await orchestrator.call(script)
    except* ConnectionError as group:
        selected = group
    except* HttpError:
        pass
    assert isinstance(selected, AllProvidersFailed)
    assert [failure.provider for failure in selected.failures] == ["b"]
    script.parts = {"a": [ConnectionResetError()], "b": [ConnectionResetError()]}
    for name in ("a", "b"):
        orchestrator.breaker(name).reset()
    try:
        await orchestrator.call(script)
    except AllProvidersFailed as failed:
        caught = failed
    assert caught is not None
    for twin in (copy.copy(caught), pickle.loads(pickle.dumps(caught))):
        assert (str(twin), twin.retry_after, len(twin.failures)) == (str(caught), caught.retry_after, 2)
    assert "gone" not in str(caught)


async def test_checks_probe_with_ones_own_function_and_no_call_is_a_probe() -> None:
    checked: list[str] = []

    async def check(provider: Provider) -> None:
        checked.append(provider.id)
        if len(checked) == 1:
            raise ConnectionResetError

    clock = ManualClock()
    orchestrator, script = pair(clock, check=check, check_interval_seconds=0.01), Script(a=[HttpError(500)])
    async with orchestrator:
        assert await orchestrator.call(script) == "b"
        await asyncio.sleep(0.05)
        assert checked == [], "no circuit offers a probe"
        clock.advance(30)
        await asyncio.sleep(0.05)
        assert (checked, orchestrator.breaker("a").state) == (["a"], "open")
        clock.advance(30)
        await asyncio.sleep(0.05)
        assert (checked, orchestrator.breaker("a").state) == (["a", "a"], "closed")
    await asyncio.sleep(0.05)
    assert [(event.provider, event.outcome) for event in orchestrator.events(Checked)] == [
        ("a", "failure"),
        ("a", "success"),
    ]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_check_that_hangs_is_cut_off_and_one_that_is_stopped_is_neutral() -> None:
    async def check(_: Provider) -> None:
        await asyncio.Event().wait()

    clock = ManualClock()
    orchestrator = pair(clock, check=check, check_interval_seconds=0.01, attempt_timeout_seconds=0.03)
    orchestrator.breaker("a").acquire().failure()
    clock.advance(30)
    async with orchestrator:
        await asyncio.sleep(0.1)
    assert counts(orchestrator, "a")["failed"] == 2
    orchestrator = pair(clock, check=check, check_interval_seconds=0.01)
    orchestrator.breaker("a").acquire().failure()
    clock.advance(30)
    async with orchestrator:
        await asyncio.sleep(0.05)
    assert counts(orchestrator, "a") == {"failed": 1, "cancelled": 1}


async def test_events_tell_every_choice_and_switch_and_are_bounded() -> None:
    seen: list[Event] = []
    members = [Provider(name, config(name, failure_threshold=2), tier=tier) for tier, name in enumerate("ab")]
    orchestrator, script = Orchestrator(members, kept_events=5), Script(a=[HttpError(500)])
    unsubscribe = orchestrator.subscribe(seen.append)
    await orchestrator.call(script, session="s")
    assert [type(event) for event in seen] == [
        Choice,
        AttemptEnded,
        Choice,
        Budget,
        Switch,
        AttemptEnded,
        CallEnded,
    ]
    assert [event.sequence for event in seen] == list(range(1, 8))
    (switch,) = orchestrator.events(Switch)
    assert (switch.session, switch.old, switch.new, switch.cause) == ("s", "a", "b", "failure")
    assert orchestrator.events(after=6) == seen[6:]
    assert unsubscribe()
    assert not unsubscribe()
    for _ in range(20):
        await orchestrator.call(script)
    assert len(seen) == 7
    assert len(orchestrator.events(Choice)) == 5
    assert len(orchestrator.events(Switch)) == 1, "many choices do not push out the switches"


async def test_a_listener_that_fails_harms_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)

    def listener(_: Event) -> None:
        raise KeyError("listener")

    orchestrator, script = pair(), Script()
    orchestrator.subscribe(listener)
    assert await orchestrator.call(script) == "a"
    assert {report.exc_type for report in reported} == {KeyError}


async def test_explain_says_who_is_next_and_why() -> None:
    clock = ManualClock()
    orchestrator, script = pair(clock), Script(a=["a", HttpError(500)])
    await orchestrator.call(script, session="s")
    await orchestrator.call(script, session="s")
    clock.advance(12)
    assert orchestrator.explain("s") == (
        "Session 's' is pinned to b since 12.0 s (failure). It began with a. The next call goes to b (normal). "
        "Passed over: a (open, back in 18.0 s). The last switch went from a to b (failure)."
    )
    assert orchestrator.explain("t").startswith("Session 't' is not pinned to a provider. The next call goes to b")
    assert [session.id for session in orchestrator.sessions()] == ["s"], "asking begins no session"
    orchestrator.breaker("b").force_open()
    assert "No provider is available; the first may be back in 18.0 s." in orchestrator.explain()
    picks, passed = orchestrator.ranking()
    assert (picks, [it.reason for it in passed]) == ([], ["open", "forced_open"])
    clock.advance(18)
    assert orchestrator.ranking()[0] == [("a", "probe")]


async def test_the_status_tells_the_recent_record() -> None:
    clock = ManualClock()
    orchestrator = pair(clock)

    async def slow(provider: Provider) -> str:
        clock.advance(2)
        return provider.id

    for _ in range(3):
        await orchestrator.call(slow)
    first, second = orchestrator.status()
    assert (first.provider, first.state, first.success_rate, first.call_seconds) == ("a", "closed", 1.0, 2.0)
    assert (first.in_flight, second.success_rate, second.cooling_down_for) == (0, None, None)


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
