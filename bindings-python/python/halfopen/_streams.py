"""Guards generators and async generators: the call ends when the generator ends."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from typing import Any

from halfopen._core import NextItem, Stream
from halfopen._stream_timeouts import StreamTimeouts
from halfopen._wrap import wrap


def guarded_generator_function(
    begin: Callable[[Any], Stream], func: Callable[..., Any]
) -> Callable[..., Generator[Any, Any, Any]]:
    """``func`` with each of its generators guarded; ``begin`` begins the call."""
    return wrap(_GENERATOR, func, _begin=begin)


def guarded_async_generator_function(
    begin: Callable[[Any], Stream], func: Callable[..., Any], timeouts: StreamTimeouts | None
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """The same for an async generator function."""
    watch = _no_watch if timeouts is None else timeouts.start
    return wrap(_ASYNC_GENERATOR, func, _begin=begin, _closing=aclosing, _next_item=NextItem, _watch=watch)


_GENERATOR = """
def guarded({parameters}):
    return (yield from _begin(_func({arguments})))
"""

# `_next` tells the stream when the consumer waits and when it has an item. Python code remains only because the result
# must be an async generator, and for what the consumer sends or throws in.
_ASYNC_GENERATOR = """
async def guarded({parameters}):
    _waits = _watch()
    _stream = _begin(_func({arguments}))
    try:
        async with _closing(_stream.generator) as _generator:
            _next = _next_item(_stream, _waits)
            while True:
                try:
                    _item = await _next
                except StopAsyncIteration:
                    break
                try:
                    _sent = yield _item
                except GeneratorExit:
                    _stream.resume()
                    raise
                except BaseException as _error:
                    _stream.thrown(_error)
                    _next.prepare(_generator.athrow(_error))
                else:
                    if _sent is not None:
                        _next.prepare(_generator.asend(_sent))
    except BaseException as _error:
        _stream.raised(_error)
        raise
    finally:
        if _waits is not None:
            _waits.close()
    _stream.returned()
"""


def _no_watch() -> None:
    return None


def _return_stream(stream: Stream) -> Stream:
    return stream


guarded_generator = guarded_generator_function(_return_stream, _return_stream)
_without_timeouts = guarded_async_generator_function(_return_stream, _return_stream, None)


def guarded_async_generator(stream: Stream) -> AsyncGenerator[Any, Any]:
    """The async generator of a stream, guarded, with the timeouts of its breaker."""
    timeouts = stream.breaker._stream_timeouts
    if timeouts is None:
        return _without_timeouts(stream)
    return guarded_async_generator_function(_return_stream, _return_stream, timeouts)(stream)


async def guarded_async_iterator(stream: Stream) -> AsyncGenerator[Any, None]:
    """The items of a stream whose source is any async iterator. It is not closed here."""
    timeouts = stream.breaker._stream_timeouts
    waits = None if timeouts is None else timeouts.start()
    try:
        next_item = NextItem(stream, waits)
        while True:
            try:
                item = await next_item
            except StopAsyncIteration:
                break
            try:
                yield item
            except GeneratorExit:
                stream.resume()
                raise
    except BaseException as error:
        stream.raised(error)
        raise
    finally:
        if waits is not None:
            waits.close()
    stream.returned()
