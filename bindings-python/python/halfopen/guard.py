"""Settling a permit by what becomes of a call: it returns, it raises, it streams, it is given up."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from inspect import isasyncgen, isawaitable, isgenerator
from typing import Any

from halfopen._core import Permit
from halfopen.vocabulary import Outcome

Classifier = Callable[[Exception], Outcome]
"""Says of an exception what it means for the provider."""


_log = logging.getLogger("halfopen")
_OUTCOMES = frozenset(("success", "failure", "ignored", "cancelled"))
_PLAIN = frozenset({type(None), bool, int, float, str, bytes, list, tuple, dict, set})


def outcome_of(error: BaseException, classify: Classifier | None) -> Outcome:
    """What an exception says about the provider.

    ``asyncio.CancelledError``, ``KeyboardInterrupt``, ``SystemExit`` and ``GeneratorExit`` are no ``Exception``: they
    tell that the caller gave up, not that the provider failed.
    """
    if not isinstance(error, Exception):
        return "cancelled"
    if classify is None:
        return "failure"
    try:
        outcome = classify(error)
    except Exception as fault:
        # Types only: the text of an exception, or of the one it came from, may hold a secret.
        _log.warning("a classifier raised %s for %s; counted as a failure", type(fault), type(error))
        return "failure"
    if isinstance(outcome, str) and outcome in _OUTCOMES:  # pyright: ignore[reportUnnecessaryIsInstance]
        return outcome
    _log.warning("a classifier returned no outcome for %s; counted as a failure", type(error))
    return "failure"


def judged(permit: Permit, result: Any, classify: Classifier | None) -> Any:
    """What a function returned, settled now or, where it has yet to be awaited or iterated, at its end."""
    # The checks below are slow for what most functions return, so the common case is told apart by its type.
    if type(result) in _PLAIN:
        permit.success()
        return result
    if isawaitable(result):
        return guarded_awaitable(permit, result, classify)
    return _judged_value(permit, result, classify)


async def judged_async(permit: Permit, result: Any, classify: Classifier | None) -> Any:
    """The same for a call that is itself awaited."""
    if isawaitable(result):
        return await guarded_awaitable(permit, result, classify)
    return _judged_value(permit, result, classify)


async def guarded_awaitable(permit: Permit, awaitable: Awaitable[Any], classify: Classifier | None) -> Any:
    """Awaits, and settles by what comes of it."""
    try:
        result = await awaitable
    except BaseException as error:
        permit.settle(outcome_of(error, classify))
        raise
    return _judged_value(permit, result, classify)


def async_stream_function(
    begin: Callable[..., tuple[Permit, AsyncGenerator[Any, Any]]], classify: Classifier | None
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """An async generator function that passes a stream on, both ways.

    The stream begins with the first item that is asked for. Its end is a success, its error counts, and a consumer that
    stops early is neutral.
    """

    async def guarded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        permit, stream = begin(*args, **kwargs)
        try:
            async with aclosing(stream):
                step = stream.asend(None)
                while True:
                    try:
                        item = await step
                    except StopAsyncIteration:
                        break
                    try:
                        step = stream.asend((yield item))
                    except GeneratorExit:
                        raise
                    except BaseException as thrown:
                        step = stream.athrow(thrown)
        except BaseException as error:
            permit.settle(outcome_of(error, classify))
            raise
        permit.success()

    return guarded


def guarded_stream(
    permit: Permit, stream: Generator[Any, Any, Any], classify: Classifier | None
) -> Generator[Any, Any, Any]:
    """The same for a plain generator, whose return value is kept."""
    try:
        with closing(stream):
            result = yield from stream
    except BaseException as error:
        permit.settle(outcome_of(error, classify))
        raise
    permit.success()
    return result


def _judged_value(permit: Permit, result: Any, classify: Classifier | None) -> Any:
    if isasyncgen(result):
        stream = result
        return async_stream_function(lambda: (permit, stream), classify)()
    if isgenerator(result):
        return guarded_stream(permit, result, classify)
    permit.success()
    return result
