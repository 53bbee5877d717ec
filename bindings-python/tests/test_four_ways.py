"""The four ways to use a breaker share one circuit."""

import inspect

import pytest

from halfopen import CircuitBreaker, CircuitBreakerOpenError, CircuitBreakerState, Permit


class ProviderError(Exception):
    pass


def fail() -> None:
    raise ProviderError


async def test_all_four_ways_count_on_one_circuit(breaker: CircuitBreaker) -> None:
    async def unguarded(prompt: str) -> str:
        return prompt.upper()

    ask = breaker(unguarded)

    @breaker
    def ask_plainly(prompt: str) -> str:
        return prompt.lower()

    assert await ask("a") == "A"
    assert ask_plainly("A") == "a"
    assert await breaker.call(unguarded, "b") == "B"
    assert breaker.call_sync(len, "abc") == 3
    async with breaker:
        pass
    with breaker:
        pass
    assert breaker.acquire().success()
    assert breaker.metrics.successful_calls == 7
    assert breaker.metrics.consecutive_successes == 7

    with pytest.raises(ProviderError):
        breaker.call_sync(fail)
    for rejected in (lambda: ask_plainly("a"), lambda: breaker.call_sync(fail), breaker.acquire):
        with pytest.raises(CircuitBreakerOpenError):
            rejected()
    with pytest.raises(CircuitBreakerOpenError):
        await ask("a")
    with pytest.raises(CircuitBreakerOpenError):
        async with breaker:
            pytest.fail("a rejected body must not run")
    assert breaker.metrics.rejected_calls == 5


def test_a_decorated_function_keeps_its_kind(breaker: CircuitBreaker) -> None:
    @breaker
    def plain(a: int, *, b: str = "x") -> str:
        """Says something."""
        return b * a

    @breaker
    async def coroutine() -> None: ...

    assert not inspect.iscoroutinefunction(plain)
    assert inspect.iscoroutinefunction(coroutine)
    assert (plain.__name__, plain.__doc__) == ("plain", "Says something.")
    assert list(inspect.signature(plain).parameters) == ["a", "b"]
    assert plain.__wrapped__(2) == "xx"  # type: ignore[attr-defined]


def test_a_decorated_method_keeps_its_self(breaker: CircuitBreaker) -> None:
    class Client:
        prefix = "hello "

        @breaker
        def greet(self, name: str) -> str:
            return self.prefix + name

    assert Client().greet("you") == "hello you"


async def test_arguments_with_the_names_of_our_parameters_reach_the_function(breaker: CircuitBreaker) -> None:
    def takes(**kwargs: int) -> dict[str, int]:
        return kwargs

    names = {"func": 1, "self": 2, "fn": 3, "permit": 4, "args": 5}
    assert await breaker.call(takes, **names) == names
    assert breaker.call_sync(takes, **names) == names
    assert breaker(takes)(**names) == names


def test_a_permit_is_settled_once(breaker: CircuitBreaker) -> None:
    permit = breaker.acquire()
    assert not permit.settled
    assert permit.ignore()
    assert permit.settled
    assert not permit.failure()
    assert not permit.settle("failure")
    assert breaker.state is CircuitBreakerState.CLOSED
    assert (breaker.metrics.ignored_calls, breaker.metrics.failed_calls) == (1, 0)


def test_a_dropped_permit_is_cancelled(breaker: CircuitBreaker) -> None:
    breaker.acquire()
    assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (1, 0)


def test_a_permit_keeps_its_breaker(breaker: CircuitBreaker) -> None:
    permit: Permit = breaker.acquire()
    assert permit.breaker is breaker


def test_nested_blocks_have_separate_permits(breaker: CircuitBreaker) -> None:
    with breaker as outer:
        with breaker as inner:
            assert outer is not inner
            assert breaker.metrics.in_flight == 2
        assert inner.settled
        assert not outer.settled
    assert breaker.metrics.successful_calls == 2


def test_a_block_left_in_another_context_leaks_nothing(breaker: CircuitBreaker) -> None:
    import contextvars

    contextvars.copy_context().run(breaker.__enter__)
    contextvars.copy_context().run(breaker.__exit__, None, None, None)
    assert (breaker.metrics.successful_calls, breaker.metrics.in_flight) == (1, 0)
    breaker.__exit__(None, None, None)
    assert breaker.metrics.successful_calls == 1


def test_blocks_left_in_other_contexts_do_not_accumulate(breaker: CircuitBreaker) -> None:
    import contextvars

    for _ in range(100):
        breaker.__enter__()
        contextvars.Context().run(breaker.__exit__, None, None, None)
    noted = {variable.name: value for variable, value in contextvars.copy_context().items()}
    assert len(noted["halfopen_marks"]) <= 1
    assert breaker.metrics.successful_calls == 100


async def test_a_task_started_inside_a_block_keeps_no_breaker_alive() -> None:
    import asyncio
    import weakref

    breaker = CircuitBreaker()
    gone = weakref.ref(breaker)
    async with breaker:
        task = asyncio.create_task(asyncio.Event().wait())
    del breaker
    assert gone() is None
    task.cancel()


def test_the_error_of_a_call_is_the_same_object(breaker: CircuitBreaker) -> None:
    mine = ProviderError("mine")

    def raises() -> None:
        raise mine

    with pytest.raises(ProviderError) as caught:
        breaker.call_sync(raises)
    assert caught.value is mine
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
