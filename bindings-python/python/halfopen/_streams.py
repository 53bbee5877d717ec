"""Guards generators and async generators: the call ends when the generator ends."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from typing import Any

from halfopen._core import Stream
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
    if timeouts is None:
        return wrap(_ASYNC_GENERATOR, func, _begin=begin, _closing=aclosing)
    return wrap(_ASYNC_GENERATOR_WITH_TIMEOUTS, func, _begin=begin, _closing=aclosing, _watch=timeouts.start)


_GENERATOR = """
def guarded({parameters}):
    return (yield from _begin(_func({arguments})))
"""

# The stream must know when the consumer resumes, throws or closes, to leave out the consumer's time and errors.
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
                _stream.pause(_item)
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

_ASYNC_GENERATOR_WITH_TIMEOUTS = """
async def guarded({parameters}):
    _waits = _watch()
    _stream = _begin(_func({arguments}))
    try:
        async with _closing(_stream.generator) as _generator:
            _step = _generator.asend(None)
            while True:
                _stream.resume()
                _waits.begin()
                try:
                    _item = await _step
                except StopAsyncIteration:
                    _waits.end(True)
                    break
                except BaseException as _error:
                    _waits.fail(_error)
                    raise
                _waits.end(_stream.pause(_item))
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
    finally:
        _waits.close()
    _stream.returned()
"""


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
