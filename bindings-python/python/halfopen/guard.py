"""What becomes of a call that is awaited or iterated, and what a classifier says of its error."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from inspect import isasyncgen
from typing import Any

from halfopen._core import Call
from halfopen.vocabulary import Outcome

Classifier = Callable[[Exception], Outcome]
"""Says of an exception what it means for the provider."""

_log = logging.getLogger("halfopen")
_OUTCOMES = frozenset(("success", "failure", "ignored", "cancelled"))


def classified(classify: Classifier, error: Exception) -> Outcome:
    """What a classifier says of an exception; a failure where it says nothing that can be understood."""
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


async def guarded_awaitable(call: Call, awaitable: Awaitable[Any]) -> Any:
    """Awaits what a call returned, which is when the call ends."""
    try:
        result = await awaitable
    except BaseException as error:
        call.raised(error)
        raise
    return call.returned(result)


def guarded_stream(call: Call, stream: Any) -> Any:
    """The stream that a call returned, which ends the call at its own end."""
    if isasyncgen(stream):
        return async_stream_function(lambda: (call, stream))()
    return guarded_generator(call, stream)


def async_stream_function(
    begin: Callable[..., tuple[Call, AsyncGenerator[Any, Any]]],
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """An async generator function that passes a stream on, both ways.

    The stream begins with the first item that is asked for. Its end is a success, its error counts, and a consumer that
    stops early is neutral.
    """

    async def guarded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call, stream = begin(*args, **kwargs)
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
            call.raised(error)
            raise
        call.returned(None)

    return guarded


def guarded_generator(call: Call, stream: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """The same for a plain generator, whose return value is kept."""
    try:
        with closing(stream):
            result = yield from stream
    except BaseException as error:
        call.raised(error)
        raise
    call.returned(None)
    return result
