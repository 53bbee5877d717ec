"""The breaker's outcome, and whether the next provider is asked: a test for each row of the guide's table."""

import asyncio
from typing import Any

import pytest

from halfopen import CallTimeoutError, CircuitBreakerOpenError, ManualClock
from halfopen.orchestration import AllProvidersFailed, Need, Orchestrator, Provider
from orchestrated import Hang, HttpError, Script, config, counts, in_flight, pair, providers


@pytest.mark.parametrize("error", [HttpError(500), HttpError(503), HttpError(529), ConnectionResetError()], ids=repr)
async def test_a_failure_counts_and_the_next_is_asked(error: Exception) -> None:
    orchestrator, script = pair(), Script(a=[error])
    assert await orchestrator.call(script) == "b"
    assert counts(orchestrator, "a") == {"failed": 1}
    assert counts(orchestrator, "b") == {"successful": 1}


async def test_a_hint_of_a_failure_opens_the_circuit_for_so_long() -> None:
    clock = ManualClock()
    orchestrator, script = pair(clock), Script(a=[HttpError(503, retry_after=90)])
    assert await orchestrator.call(script) == "b"
    assert orchestrator.breaker("a").get_status()["retry_after_seconds"] == 90


async def test_our_deadline_counts_as_a_failure() -> None:
    orchestrator, script = pair(attempt_timeout_seconds=0.02), Script(a=[Hang()])
    assert await orchestrator.call(script) == "b"
    assert counts(orchestrator, "a") == {"failed": 1}


async def test_a_failed_call_that_may_not_be_repeated_ends() -> None:
    orchestrator, script = pair(), Script(a=[HttpError(503)])
    with pytest.raises(AllProvidersFailed) as caught:
        await orchestrator.call(script, replayable=False)
    assert caught.value.ended_by == "not_replayable"
    assert script.asked == ["a"]


@pytest.mark.parametrize("replayable", [True, False])
async def test_429_is_ignored_cools_key_and_model_and_the_next_is_asked_at_once(replayable: bool) -> None:
    clock = ManualClock()
    members = [
        Provider("large", config("large"), key="k", model="large"),
        Provider("small", config("small"), key="k", model="small"),
        Provider("twin", config("twin"), key="k", model="large"),
    ]
    orchestrator, script = Orchestrator(members, clock=clock), Script(large=[HttpError(429, retry_after=20)])
    assert await orchestrator.call(script, replayable=replayable) == "small"
    assert counts(orchestrator, "large") == {"ignored": 1}
    orchestrator.update("small", enabled=False)
    with pytest.raises(AllProvidersFailed) as caught:
        await orchestrator.call(script)
    assert {failure.provider: failure.reason for failure in caught.value.failures} == {
        "large": "cooling_down",
        "small": "disabled",
        "twin": "cooling_down",
    }
    assert caught.value.retry_after == 20
    clock.advance(20)
    assert await orchestrator.call(script) == "large"


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refused_key_is_ignored_and_only_another_key_is_asked(status: int) -> None:
    clock = ManualClock()
    members = [
        Provider("a", config("a"), key="one"),
        Provider("b", config("b"), key="one"),
        Provider("c", config("c"), key="two"),
    ]
    orchestrator, script = Orchestrator(members, clock=clock), Script(a=[HttpError(status)])
    assert await orchestrator.call(script) == "c"
    assert counts(orchestrator, "a") == {"ignored": 1}
    clock.advance(299)
    assert await orchestrator.call(script) == "c"
    clock.advance(1)
    assert await orchestrator.call(script) == "a"


async def test_404_of_a_model_cools_the_model_and_the_next_is_asked() -> None:
    members = [
        Provider("a", config("a"), model="old"),
        Provider("b", config("b"), model="old"),
        Provider("c", config("c"), model="new"),
    ]
    orchestrator, script = Orchestrator(members), Script(a=[HttpError(404, code="model_not_found")])
    assert await orchestrator.call(script) == "c"
    assert counts(orchestrator, "a") == {"ignored": 1}
    assert script.asked == ["a", "c"]


async def test_a_context_that_is_too_long_goes_to_strictly_larger_ones_only() -> None:
    members = [
        Provider("a", config("a"), limit=8),
        Provider("same", config("same"), limit=8),
        Provider("larger", config("larger"), limit=9),
    ]
    orchestrator, script = Orchestrator(members), Script(a=[HttpError(400, code="context_length_exceeded")])
    assert await orchestrator.call(script) == "larger"
    assert script.asked == ["a", "larger"]
    assert counts(orchestrator, "a") == {"ignored": 1}


@pytest.mark.parametrize("limit", [8, None])
async def test_a_context_that_is_too_long_for_all_is_the_providers_own_error(limit: int | None) -> None:
    error = HttpError(413)
    orchestrator, script = Orchestrator(providers("a", "b", limit=limit)), Script(a=[error])
    with pytest.raises(HttpError) as caught:
        await orchestrator.call(script)
    assert caught.value is error
    assert script.asked == ["a"]


@pytest.mark.parametrize("code", ["content_policy_violation", None])
async def test_a_refusal_of_content_is_answered_by_nobody_else(code: str | None) -> None:
    error = HttpError(400, code=code)
    orchestrator, script = pair(), Script(a=[error])
    with pytest.raises(HttpError) as caught:
        await orchestrator.call(script)
    assert caught.value is error
    assert counts(orchestrator, "a") == {"ignored": 1}
    assert script.asked == ["a"]


async def test_a_refusal_of_content_is_answered_by_somebody_else_if_asked_for() -> None:
    def refused(error: Exception) -> bool:
        return getattr(error, "status_code", None) == 400

    orchestrator, script = pair(next_after=refused), Script(a=[HttpError(400)])
    assert await orchestrator.call(script) == "b"


async def test_the_callers_cancellation_is_neutral_and_stops_everything() -> None:
    orchestrator, script = pair(), Script(a=[Hang()])
    task = asyncio.ensure_future(orchestrator.call(script))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert counts(orchestrator, "a") == {"cancelled": 1}
    assert (script.asked, in_flight(orchestrator)) == (["a"], 0)


async def test_a_provider_that_rejects_is_passed_over_free_of_charge() -> None:
    clock = ManualClock()
    orchestrator, script = pair(clock, max_attempts=1), Script(a=[HttpError(500)])
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(script)
    for _ in range(5):
        assert await orchestrator.call(script) == "b"
    assert script.asked == ["a", *"bbbbb"]
    assert counts(orchestrator, "a") == {"failed": 1}


async def test_a_full_provider_is_passed_over_free_of_charge() -> None:
    orchestrator = Orchestrator(providers("a", "b", max_concurrent_calls=1), max_attempts=1)
    script = Script(a=[Hang()])
    slow = asyncio.ensure_future(orchestrator.call(script))
    await asyncio.sleep(0)
    assert await orchestrator.call(script) == "b"
    slow.cancel()
    await asyncio.wait([slow])
    assert await orchestrator.call(script) == "a"


async def test_busy_probes_are_passed_over_free_of_charge() -> None:
    clock = ManualClock()
    members = [
        Provider("a", config("a", half_open_max_calls=1)),
        Provider("b", config("b"), tier=1),
    ]
    orchestrator, script = Orchestrator(members, clock=clock), Script(a=[HttpError(500), Hang()])
    assert await orchestrator.call(script) == "b"
    clock.advance(30)
    probe = asyncio.ensure_future(orchestrator.call(script))
    await asyncio.sleep(0)
    for _ in range(3):
        assert await orchestrator.call(script) == "b"
    assert script.asked == [*"ab", "a", *"bbb"]
    probe.cancel()
    await asyncio.wait([probe])


async def test_a_rejection_inside_the_function_moves_on() -> None:
    orchestrator, script = pair(), Script(a=[CircuitBreakerOpenError("inner", 3.0)])
    assert await orchestrator.call(script) == "b"
    assert counts(orchestrator, "a") == {"ignored": 1}


async def test_a_returned_error_response_is_a_failure() -> None:
    def judge(result: Any) -> Any:
        return "failure" if result == "down" else None

    from halfopen import CircuitBreaker

    members = [Provider("a", CircuitBreaker("a", judge=judge)), Provider("b")]
    orchestrator, script = Orchestrator(members), Script(a=["down"])
    assert await orchestrator.call(script) == "b"
    assert counts(orchestrator, "a") == {"failed": 1}


async def test_the_deadline_of_the_call_ends_it_and_says_so() -> None:
    orchestrator = pair(deadline_seconds=0.6, attempt_timeout_seconds=0.3, first_item_timeout_seconds=None)
    script = Script(a=[Hang()], b=[Hang()])
    with pytest.raises(AllProvidersFailed) as caught:
        await orchestrator.call(script)
    failures = caught.value.failures
    assert [type(failure.error) for failure in failures] == [CallTimeoutError, CallTimeoutError]
    assert "deadline_seconds" in str(failures[1].error)
    assert 0.6 <= caught.value.seconds < 5


async def test_a_need_selects_providers() -> None:
    members = [Provider("a", limit=10), Provider("b", capabilities={"tools"}), Provider("c")]
    orchestrator, script = Orchestrator(members), Script()
    assert await orchestrator.call(script, need=Need(["tools"])) == "b"
    assert await orchestrator.call(script, need=Need(size=11)) == "b"
    with pytest.raises(AllProvidersFailed) as caught:
        await orchestrator.call(script, need=Need(["vision"]))
    assert {failure.reason for failure in caught.value.failures} == {"missing_capability"}
    assert caught.value.retry_after is None
