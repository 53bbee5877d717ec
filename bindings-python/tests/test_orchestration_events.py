"""Background checks, events, explanations and readings of an orchestrator."""

import asyncio
import sys
from typing import Any, cast

import pytest

from halfopen import InvalidValueError, ManualClock
from halfopen.orchestration import (
    AttemptEnded,
    Budget,
    CallEnded,
    Checked,
    Choice,
    Event,
    Orchestrator,
    Provider,
    Switch,
)
from orchestrated import HttpError, Script, config, counts, pair


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


async def test_a_check_that_is_no_coroutine_function_says_nothing_about_a_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)

    def check(_: Provider) -> None:
        """Returns nothing to wait for."""

    clock, wrong = ManualClock(), cast("Any", check)
    orchestrator = pair(clock, check=wrong, check_interval_seconds=0.01)
    orchestrator.breaker("a").acquire().failure()
    clock.advance(30)
    async with orchestrator:
        await asyncio.sleep(0.05)
    assert counts(orchestrator, "a")["failed"] == 1
    assert orchestrator.breaker("a").state == "half_open"
    error = reported[0].exc_value
    assert (type(error), error.field) == (InvalidValueError, "check")
    assert orchestrator.events(Checked) == []


async def test_a_check_that_is_cancelled_inside_ends_no_others() -> None:
    checked: list[str] = []

    async def check(provider: Provider) -> None:
        checked.append(provider.id)
        if len(checked) == 1:
            raise asyncio.CancelledError

    clock = ManualClock()
    orchestrator, closed = pair(clock, check=check, check_interval_seconds=0.01), asyncio.Event()
    orchestrator.breaker("a").acquire().failure()
    clock.advance(30)
    orchestrator.subscribe(lambda _: closed.set())
    async with orchestrator, asyncio.timeout(10):
        await closed.wait()
    assert counts(orchestrator, "a") == {"failed": 1, "cancelled": 1, "successful": 1}


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
