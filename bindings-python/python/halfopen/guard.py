"""What becomes of a call that is iterated, and what a classifier says of its error."""

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, suppress
from types import AsyncGeneratorType
from typing import Any

from halfopen._core import Stream
from halfopen.forward import forwarding
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
        _warn("a classifier raised %s for %s; counted as a failure", type(fault), type(error))
        return "failure"
    if isinstance(outcome, str) and outcome in _OUTCOMES:  # pyright: ignore[reportUnnecessaryIsInstance]
        return outcome
    _warn("a classifier returned no outcome for %s; counted as a failure", type(error))
    return "failure"


def _warn(message: str, *classes: type) -> None:
    # Whatever happens to a log record, as when the interpreter is nearly gone, the call keeps its own error.
    with suppress(Exception):
        _log.warning(message, *classes)


def guarded_stream(stream: Stream, generator: Any) -> Any:
    """The generator that a call returned, guarded: the call ends when it does."""
    # Not by `inspect`, which does not work any more when the interpreter is nearly gone.
    return _async_generator(stream) if isinstance(generator, AsyncGeneratorType) else _generator(stream)


def guarded_generator_function(
    begin: Callable[[Any], Stream], func: Callable[..., Any]
) -> Callable[..., Generator[Any, Any, Any]]:
    """``func`` with each of its generators guarded; ``begin`` begins the call."""
    return forwarding(_GENERATOR, func, _begin=begin)


def guarded_async_generator_function(
    begin: Callable[[Any], Stream], func: Callable[..., Any]
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """The same for an async generator function."""
    return forwarding(_ASYNC_GENERATOR, func, _begin=begin, _closing=aclosing)


_GENERATOR = """
def guarded({parameters}):
    return (yield from _begin(_func({arguments})))
"""

# What the consumer does is passed on to the generator, and told to the stream, which leaves its time and errors out.
_ASYNC_GENERATOR = """
async def guarded({parameters}):
    _stream = _begin(_func({arguments}))
    try:
        async with _closing(_stream.generator) as _generator:
            _step = _generator.asend(None)
            while True:
                _stream.resume()
                try:
                    _item = await _step
                except StopAsyncIteration:
                    break
                _stream.pause()
                try:
                    _step = _generator.asend((yield _item))
                except GeneratorExit:
                    _stream.resume()
                    raise
                except BaseException as _error:
                    _stream.thrown(_error)
                    _step = _generator.athrow(_error)
    except BaseException as _error:
        _stream.raised(_error)
        raise
    _stream.returned()
"""


def _begun(stream: Stream) -> Stream:
    return stream


_generator = guarded_generator_function(_begun, _begun)
_async_generator = guarded_async_generator_function(_begun, _begun)
