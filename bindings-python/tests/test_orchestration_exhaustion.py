"""No provider is available: the call fails, waits, or goes to the last resort."""

import copy
import pickle

import pytest

from halfopen import ManualClock
from halfopen.orchestration import (
    AllProvidersFailed,
    Choice,
    Orchestrator,
    Provider,
)
from orchestrated import HttpError, Script, config, pair, providers


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


async def test_a_part_of_a_providers_own_group_can_be_selected() -> None:
    gone, late = ConnectionResetError("gone"), TimeoutError("late")
    script = Script(a=[ExceptionGroup("tasks", [gone, late])], b=[HttpError(500)])
    with pytest.raises(AllProvidersFailed) as caught:
        await pair().call(script)
    matching, rest = caught.value.split(ConnectionError)
    assert isinstance(matching, AllProvidersFailed)
    assert isinstance(rest, AllProvidersFailed)
    [failure] = matching.failures
    assert isinstance(failure.error, ExceptionGroup)
    assert (failure.provider, failure.error.exceptions) == ("a", (gone,))
    assert [failure.provider for failure in rest.failures] == ["a", "b"]
    assert rest.subgroup(TimeoutError) is not None


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
