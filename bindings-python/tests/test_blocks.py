"""Each block has its own permit, in any order and in any thread or context."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from halfopen import CircuitBreaker, CircuitBreakerConfig, InvalidValueError, ManualClock, Permit


class Mine(Exception):
    pass


@pytest.fixture
def patient() -> CircuitBreaker:
    """A breaker that stays closed."""
    return CircuitBreaker(CircuitBreakerConfig(failure_threshold=1000))


def blocks(breaker: CircuitBreaker) -> Generator[Permit, None, None]:
    with breaker as permit:
        yield permit


async def async_blocks(breaker: CircuitBreaker) -> AsyncIterator[Permit]:
    async with breaker as permit:
        yield permit


def test_a_stale_success_of_another_block_does_not_close_the_circuit(
    breaker: CircuitBreaker, clock: ManualClock
) -> None:
    old, new = blocks(breaker), blocks(breaker)
    next(old)
    breaker.acquire().failure()
    clock.advance(30)
    probe = next(new)
    assert next(old, None) is None
    assert not probe.settled
    assert breaker.state == "half_open"
    with pytest.raises(Mine):
        new.throw(Mine())
    assert breaker.state == "open"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
async def test_blocks_that_are_not_nested_each_end_their_own_permit(
    patient: CircuitBreaker, order: tuple[int, ...]
) -> None:
    plain = [blocks(patient) for _ in order]
    permits = [next(generator) for generator in plain]
    for ended, number in enumerate(order, 1):
        assert next(plain[number], None) is None
        assert [permits[number].settled for number in order] == [True] * ended + [False] * (len(order) - ended)

    awaited = [async_blocks(patient) for _ in order]
    permits = [await anext(generator) for generator in awaited]
    for ended, number in enumerate(order, 1):
        assert await anext(awaited[number], None) is None
        assert [permits[number].settled for number in order] == [True] * ended + [False] * (len(order) - ended)
    assert (patient.metrics.successful_calls, patient.metrics.in_flight) == (6, 0)


def test_two_blocks_of_one_frame_are_left_from_the_inside(patient: CircuitBreaker) -> None:
    def nested() -> Iterator[tuple[Permit, Permit]]:
        with patient as outer:
            with patient as inner:
                yield outer, inner
            yield outer, inner

    first, second = nested(), nested()
    pairs = [next(first), next(second)]
    next(first)
    next(second)
    assert [(outer.settled, inner.settled) for outer, inner in pairs] == [(False, True)] * 2


def test_a_block_may_end_in_another_thread_and_context(patient: CircuitBreaker) -> None:
    generators = [blocks(patient) for _ in range(8)]
    permits: dict[int, Permit] = {}

    def in_a_thread(function: Callable[[], object]) -> None:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(function,))
        thread.start()
        thread.join()

    for number, generator in enumerate(generators):
        in_a_thread(lambda number=number, generator=generator: permits.update({number: next(generator)}))  # type: ignore[misc]
    for number in (3, 0, 7, 5, 1, 2, 6, 4):
        in_a_thread(lambda number=number: next(generators[number], None))  # type: ignore[misc]
        assert permits[number].settled
    assert sum(permit.settled for permit in permits.values()) == 8
    assert patient.metrics.successful_calls == 8


def test_a_dependency_in_worker_threads_ends_its_own_permit(patient: CircuitBreaker) -> None:
    together = threading.Barrier(2)
    seen: dict[str, Permit] = {}

    def dependency() -> Iterator[Permit]:
        with patient as permit:
            yield permit

    api = FastAPI()

    @api.get("/{name}")
    def route(name: str, permit: Annotated[Any, Depends(dependency)]) -> None:
        seen[name] = permit
        together.wait(30)
        if name == "bad":
            raise Mine

    with TestClient(api, raise_server_exceptions=False) as client:
        for _ in range(5):
            threads = [threading.Thread(target=client.get, args=(f"/{name}",)) for name in ("good", "bad")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert seen["good"].settled
            assert seen["bad"].settled
    assert (patient.metrics.successful_calls, patient.metrics.failed_calls) == (5, 5)


async def test_an_exit_stack_leaves_the_last_block_of_its_context_first(patient: CircuitBreaker) -> None:
    with contextlib.ExitStack() as stack:
        permits = [stack.enter_context(patient) for _ in range(3)]
        with patient as inner:
            pass
        assert [inner.settled, *(permit.settled for permit in permits)] == [True, False, False, False]
    assert all(permit.settled for permit in permits)

    started = asyncio.Event()

    async def task(fails: bool) -> Permit:
        async with contextlib.AsyncExitStack() as stack:
            permit = await stack.enter_async_context(patient)
            await started.wait()
            assert not permit.settled
            if fails:
                raise Mine
        return permit

    tasks = [asyncio.ensure_future(task(fails)) for fails in (True, False, True, False)]
    await asyncio.sleep(0)
    started.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(it) for it in ended] == [Mine, Permit, Mine, Permit]
    assert (patient.metrics.successful_calls, patient.metrics.failed_calls) == (6, 2)


async def test_a_delegating_context_manager_ends_the_block_of_its_context(
    patient: CircuitBreaker,
) -> None:
    class PassedOn:
        def __enter__(self) -> Permit:
            return patient.__enter__()

        def __exit__(self, *error: Any) -> None:
            patient.__exit__(*error)

    async def task(fails: bool) -> Permit:
        with PassedOn() as permit:
            await asyncio.sleep(0)
            assert not permit.settled
            if fails:
                raise Mine
        return permit

    ended = await asyncio.gather(*(task(fails) for fails in (True, False, True)), return_exceptions=True)
    assert [type(it) for it in ended] == [Mine, Permit, Mine]
    assert (patient.metrics.successful_calls, patient.metrics.failed_calls) == (1, 2)


def with_a_permit(breaker: CircuitBreaker, body: Callable[[Permit], None]) -> None:
    with breaker.acquire() as permit:
        body(permit)


def with_a_permit_async(breaker: CircuitBreaker, body: Callable[[Permit], None]) -> None:
    async def main() -> None:
        async with breaker.acquire() as permit:
            body(permit)

    asyncio.run(main())


def with_an_entered_permit(breaker: CircuitBreaker, body: Callable[[Permit], None]) -> None:
    with contextlib.ExitStack() as stack:
        body(stack.enter_context(breaker.acquire()))


PERMIT_BLOCKS = [with_a_permit, with_a_permit_async, with_an_entered_permit]


@pytest.mark.parametrize("block", PERMIT_BLOCKS)
def test_the_block_of_a_permit_settles_it(patient: CircuitBreaker, block: Any) -> None:
    def body(error: BaseException | None) -> Callable[[Permit], None]:
        def run(permit: Permit) -> None:
            assert not permit.settled
            if error is not None:
                raise error

        return run

    block(patient, body(None))
    for error in (Mine(), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            block(patient, body(error))
        assert caught.value is error
    metrics = patient.metrics
    assert (metrics.successful_calls, metrics.failed_calls, metrics.cancelled_calls, metrics.in_flight) == (1, 1, 1, 0)


@pytest.mark.parametrize("block", PERMIT_BLOCKS)
def test_a_permit_settled_in_its_block_stays_settled(patient: CircuitBreaker, block: Any) -> None:
    def body(permit: Permit) -> None:
        assert permit.ignore()
        raise Mine

    with pytest.raises(Mine):
        block(patient, body)
    assert (patient.metrics.ignored_calls, patient.metrics.failed_calls) == (1, 0)


async def test_a_settled_permit_cannot_be_entered(patient: CircuitBreaker) -> None:
    permit = patient.acquire()
    with permit as entered:
        assert entered is permit
    with pytest.raises(InvalidValueError) as refused, permit:
        pytest.fail("a refused body must not run")
    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", "permit")
    with pytest.raises(InvalidValueError):
        async with permit:
            pytest.fail("a refused body must not run")
    assert patient.metrics.total_calls == 1


def test_blocks_of_permits_end_in_any_order(patient: CircuitBreaker) -> None:
    def held() -> Generator[Permit, None, None]:
        with patient.acquire() as permit:
            yield permit

    first, second = held(), held()
    permits = next(first), next(second)
    assert next(first, None) is None
    assert [permit.settled for permit in permits] == [True, False]
    second.close()
    assert (patient.metrics.successful_calls, patient.metrics.cancelled_calls) == (1, 1)
