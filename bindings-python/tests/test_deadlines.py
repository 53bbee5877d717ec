"""``call_timeout_seconds`` cuts off coroutines; a deadline around the call stays neutral."""

import asyncio
import copy
import functools
import inspect
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest
import trio

from consumers import counts
from halfopen import (
    CallTimeoutError,
    CircuitBreaker,
    CircuitBreakerConfig,
    HalfopenError,
    InvalidValueError,
    Registry,
    compat,
)
from nesting import in_a_block, in_an_async_block

SHORT = 0.01
LONG = 30.0


def cutting(seconds: float = SHORT, **fields: Any) -> CircuitBreaker:
    return CircuitBreaker("gemini", call_timeout_seconds=seconds, **fields)


async def hang() -> str:
    await anyio.sleep_forever()
    return "never"


async def answer(text: str = "answer") -> str:
    await anyio.lowlevel.checkpoint()
    return text


WAYS: dict[str, Callable[[CircuitBreaker, Callable[[], Awaitable[Any]]], Awaitable[Any]]] = {
    "decorated": lambda breaker, func: breaker(func)(),
    "called": lambda breaker, func: breaker.call(func),
    "called with a plain function": lambda breaker, func: breaker.call(lambda: func()),  # noqa: PLW0108 (the case)
    "decorated partial": lambda breaker, func: breaker(functools.partial(func))(),
}
BACKENDS = ["asyncio", "trio"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_hangs_is_cut_off_and_fails(way: str, backend: str) -> None:
    breaker = cutting(failure_threshold=1)

    async def main() -> None:
        with pytest.raises(CallTimeoutError) as caught:
            await WAYS[way](breaker, hang)
        assert (caught.value.circuit_name, caught.value.seconds, caught.value.code) == ("gemini", SHORT, "CALL_TIMEOUT")

    anyio.run(main, backend=backend)
    assert counts(breaker) == (0, 1, 0, 0)
    assert breaker.state == "open"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_ends_in_time_is_not_affected(way: str, backend: str) -> None:
    breaker = cutting(LONG)

    async def fail() -> None:
        await anyio.lowlevel.checkpoint()
        raise TimeoutError("of the client")

    async def main() -> None:
        assert await WAYS[way](breaker, answer) == "answer"
        with pytest.raises(TimeoutError, match="of the client") as caught:
            await WAYS[way](breaker, fail)
        assert type(caught.value) is TimeoutError

    anyio.run(main, backend=backend)
    assert counts(breaker) == (1, 1, 0, 0)


AROUND: dict[str, Callable[[Awaitable[Any]], Any]] = {
    "asyncio.timeout": lambda call: within(asyncio.timeout(SHORT), call),
    "asyncio.wait_for": lambda call: asyncio.wait_for(call, SHORT),
    "anyio.fail_after": lambda call: within_plain(anyio.fail_after(SHORT), call),
}


async def within(scope: Any, call: Awaitable[Any]) -> None:
    async with scope:
        await call


async def within_plain(scope: Any, call: Awaitable[Any]) -> None:
    with scope:
        await call


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("way", WAYS)
async def test_a_deadline_around_the_call_is_neutral(way: str, around: str) -> None:
    breaker = cutting(LONG)
    with pytest.raises(TimeoutError) as caught:
        await AROUND[around](WAYS[way](breaker, hang))
    assert not isinstance(caught.value, HalfopenError)
    assert counts(breaker) == (0, 0, 1, 0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
def test_an_anyio_scope_around_the_call_is_neutral(way: str, backend: str) -> None:
    breaker = cutting(LONG)

    async def main() -> None:
        with anyio.move_on_after(SHORT) as scope:
            await WAYS[way](breaker, hang)
        assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert counts(breaker) == (0, 0, 1, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_if_both_deadlines_expire_the_one_around_the_call_wins(way: str) -> None:
    breaker = cutting(SHORT)
    around = asyncio.timeout(LONG)

    async def hang_until_both_expired() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            # The breaker's deadline expired. The other one expires before the call ends.
            around.reschedule(0)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as caught:
        await within(around, WAYS[way](breaker, hang_until_both_expired))
    assert not isinstance(caught.value, HalfopenError)
    assert counts(breaker) == (0, 0, 1, 0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", [*WAYS, "session"])
def test_an_anyio_scope_that_is_cancelled_as_well_wins(way: str, backend: str) -> None:
    breaker = cutting(SHORT)

    async def main() -> None:
        async def hang_until_both_expired() -> None:
            try:
                await anyio.sleep_forever()
            except anyio.get_cancelled_exc_class():
                scope.cancel()
                raise

        with anyio.CancelScope() as scope:
            if way == "session":
                async with breaker.session():
                    await hang_until_both_expired()
            else:
                await WAYS[way](breaker, hang_until_both_expired)
        assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert counts(breaker) == (0, 0, 1, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_scope_that_was_cancelled_before_a_shielded_call_was_cut_off_wins(backend: str) -> None:
    breaker = cutting(SHORT)

    async def main() -> None:
        @breaker
        async def shielded() -> None:
            scope.cancel()
            with anyio.CancelScope(shield=True):
                await anyio.sleep(2 * SHORT)
            await anyio.sleep_forever()

        with anyio.CancelScope() as scope:
            await shielded()
        assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert counts(breaker) == (0, 0, 1, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_cancelling_the_task_is_neutral(way: str) -> None:
    breaker = cutting(LONG)
    started = asyncio.Event()

    async def start_and_hang() -> None:
        started.set()
        await hang()

    task = asyncio.ensure_future(WAYS[way](breaker, start_and_hang))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert counts(breaker) == (0, 0, 1, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_error_while_being_cut_off_stays_the_error(backend: str) -> None:
    async def hang_and_fail() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise OSError("connection lost")

    breaker = cutting(SHORT)

    async def main() -> None:
        with pytest.raises(OSError, match="connection lost"):
            await breaker.call(hang_and_fail)

    anyio.run(main, backend=backend)
    assert counts(breaker) == (0, 1, 0, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_that_returns_although_it_is_cut_off_is_judged_by_its_result(backend: str) -> None:
    async def hang_and_return() -> str:
        try:
            return await hang()
        except anyio.get_cancelled_exc_class():
            return "what there is"

    breaker = cutting(SHORT)

    async def main() -> None:
        assert await breaker.call(hang_and_return) == "what there is"

    anyio.run(main, backend=backend)
    assert counts(breaker) == (1, 0, 0, 0)


async def test_the_task_can_go_on_after_a_call_was_cut_off() -> None:
    breaker = cutting(20 * SHORT)
    task = asyncio.current_task()
    assert task
    for _ in range(3):
        with pytest.raises(CallTimeoutError):
            await breaker.call(hang)
        assert task.cancelling() == 0
    assert await breaker.call(answer) == "answer"
    async with asyncio.timeout(LONG):
        assert await breaker.call(answer) == "answer"


async def test_a_rejection_starts_no_deadline() -> None:
    breaker = cutting(SHORT)
    breaker.force_open()
    for way in WAYS.values():
        with pytest.raises(HalfopenError, match="OPEN"):
            await way(breaker, hang)


async def test_the_classifier_decides_about_a_call_that_was_cut_off() -> None:
    breaker = cutting(classify=lambda error: "ignored" if isinstance(error, CallTimeoutError) else "failure")
    with pytest.raises(CallTimeoutError):
        await breaker.call(hang)
    assert breaker.metrics.ignored_calls == 1


async def test_a_coroutine_that_opens_a_stream_is_cut_off_and_the_stream_is_not() -> None:
    async def opened() -> AsyncIterator[int]:
        async def items() -> AsyncIterator[int]:
            yield 1
            await asyncio.sleep(2 * SHORT)
            yield 2

        return items()

    breaker = cutting(SHORT)
    stream = await breaker.call(opened)
    assert [item async for item in stream] == [1, 2]
    assert counts(breaker) == (1, 0, 0, 0)


def plain() -> int:
    return 1


def generator() -> Iterator[int]:
    yield 1


class Client:
    def method(self) -> int:
        return 1


@pytest.mark.parametrize(
    "func",
    [plain, generator, Client, Client().method, staticmethod(plain), property(lambda _: 1), len, lambda *_: hang()],
)
def test_decorating_a_plain_function_is_refused_with_a_solution(func: Any) -> None:
    breaker = cutting(LONG)
    with pytest.raises(InvalidValueError, match="timeout of the client") as refused:
        breaker(func)
    assert refused.value.field == "func"


class Model:
    """A callable object, as frameworks make them."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def __call__(self, text: str) -> str:
        await anyio.sleep(self.seconds)
        return text.upper()


class Tokens:
    """A callable object that makes async generators."""

    async def __call__(self) -> AsyncIterator[int]:
        yield 1
        await anyio.lowlevel.checkpoint()
        yield 2


@pytest.mark.parametrize("made", [lambda model: model, lambda model: functools.partial(functools.partial(model))])
async def test_an_object_with_an_async_call_is_a_coroutine_function(made: Callable[[Any], Any]) -> None:
    breaker = cutting()
    ask = breaker(made(Model(LONG)))
    assert inspect.iscoroutinefunction(ask)
    with pytest.raises(CallTimeoutError):
        await ask("hello")
    assert await breaker(made(Model(0)))("hello") == "HELLO"
    assert await CircuitBreaker()(made(Model(0)))("hello") == "HELLO"
    assert counts(breaker) == (1, 1, 0, 0)


async def test_an_object_whose_call_is_an_async_generator_function_is_guarded_as_one() -> None:
    breaker = cutting(LONG)
    tokens = breaker(Tokens())
    assert inspect.isasyncgenfunction(tokens)
    items = tokens()
    assert [item async for item in items] == [1, 2]
    assert counts(breaker) == (1, 0, 0, 0)


def test_a_plain_call_and_blocks_are_refused_with_a_solution() -> None:
    breaker = cutting(LONG)
    ways: tuple[Callable[[], object], ...] = (
        lambda: breaker.call_sync(plain),
        lambda: in_a_block(breaker, plain),
        lambda: asyncio.run(in_an_async_block(breaker, plain)),
    )
    for refused in ways:
        with pytest.raises(InvalidValueError, match=r"await breaker\.call") as caught:
            refused()
        assert (caught.value.field, caught.value.value) == ("call_timeout_seconds", "30")
    assert breaker.metrics.total_calls == 0
    with breaker.acquire():
        pass
    assert counts(breaker) == (1, 0, 0, 0)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "5", 10**9])
def test_a_bad_timeout_is_refused_by_name(seconds: Any) -> None:
    for make in (CircuitBreaker, functools.partial(Registry, 1)):
        with pytest.raises(InvalidValueError, match="call_timeout_seconds") as refused:
            make(call_timeout_seconds=seconds)
        assert refused.value.field == "call_timeout_seconds"
        assert "or None" in refused.value.allowed


def test_the_timeout_is_an_attribute_and_the_breakers_of_a_registry_have_it() -> None:
    assert CircuitBreaker().call_timeout_seconds is None
    assert cutting(5).call_timeout_seconds == 5.0
    assert Registry(1, call_timeout_seconds=5).get_or_create("gemini").call_timeout_seconds == 5.0


def test_without_a_task_the_call_is_refused() -> None:
    breaker = cutting(LONG)
    for way in (breaker(answer)(), breaker.call(answer)):
        with pytest.raises(RuntimeError, match="asyncio or trio"):
            way.send(None)
    assert breaker.metrics.total_calls == 0


def test_trio_as_a_guest_of_asyncio() -> None:
    breaker = cutting(SHORT)

    async def in_trio() -> None:
        with pytest.raises(CallTimeoutError):
            await breaker.call(trio.sleep_forever)

    async def host() -> None:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()
        trio.lowlevel.start_guest_run(
            in_trio, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=done.set_result
        )
        (await done).unwrap()

    asyncio.run(host())
    assert counts(breaker) == (0, 1, 0, 0)


def test_the_error_can_be_pickled_and_copied() -> None:
    error = CallTimeoutError("gemini", 2.5)
    assert str(error) == "a call of circuit 'gemini' was cut off after 2.5 s (call_timeout_seconds)"
    assert isinstance(error, TimeoutError)
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert (type(twin), str(twin), twin.seconds) == (CallTimeoutError, str(error), 2.5)


def test_a_configuration_and_a_timeout() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(name="gemini"), "google", call_timeout_seconds=5)
    assert breaker.call_timeout_seconds == 5
    assert breaker(answer).__name__ == "answer"


async def test_the_replaced_modules_breaker_has_deadlines() -> None:
    breaker = compat.CircuitBreaker(compat.CircuitBreakerConfig(name="deadline"), call_timeout_seconds=SHORT)
    with pytest.raises(CallTimeoutError):
        await breaker(hang)()
    assert breaker.metrics.failed_calls == 1
