"""Guards generators and async generators: the call ends when the generator ends."""

from collections.abc import AsyncGenerator, Callable, Generator
from inspect import CO_ASYNC_GENERATOR
from types import AsyncGeneratorType
from typing import Any

from halfopen._core import AsyncItems, Breaker, Stream
from halfopen._proxy import class_of
from halfopen._stream_timeouts import StreamTimeouts
from halfopen._wrap import wrap


def guarded_generator_function(
    begin: Callable[[Any], Stream], func: Callable[..., Any]
) -> Callable[..., Generator[Any, Any, Any]]:
    """``func`` with each of its generators guarded; ``begin`` begins the call."""
    return wrap(_GENERATOR, func, _begin=begin)


def guarded_async_generator_function(
    breaker: Breaker, func: Callable[..., Any], timeouts: StreamTimeouts | None
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """The same for an async generator function. The call begins with the first item."""
    names: dict[str, Any] = {
        "_items": AsyncItems.of_generator,
        "_breaker": breaker,
        "_start": timeouts and timeouts.start,
    }
    return wrap(_ASYNC_GENERATOR, func, CO_ASYNC_GENERATOR, **names)


_GENERATOR = """
def guarded({parameters}):
    return (yield from _begin(_func({arguments})))
"""

# It is not an async generator function itself, but has the flag of one, because its result stands in for a generator.
_ASYNC_GENERATOR = """
def guarded({parameters}):
    return _items(_breaker, _func({arguments}), _start)
"""


def _return_stream(stream: Stream) -> Stream:
    return stream


guarded_generator = guarded_generator_function(_return_stream, _return_stream)


def guarded_items(stream: Stream) -> Any:
    """The items of a stream, guarded, with the timeouts of its breaker. At their end only a generator is closed."""
    source = stream.generator
    if not hasattr(class_of(source), "__anext__"):
        return guarded_generator(stream)
    timeouts = stream.breaker._stream_timeouts
    return AsyncItems(stream, isinstance(source, AsyncGeneratorType), timeouts and timeouts.start)


async def nothing_to_close() -> None:
    """Closes a generator that has ended."""
