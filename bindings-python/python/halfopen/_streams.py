"""Guards generators and async generators: the call ends when the generator ends."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from types import AsyncGeneratorType
from typing import Any

from halfopen._core import Stream
from halfopen._wrap import wrap


def guarded_stream(stream: Stream, generator: Any) -> Any:
    """The generator that a call returned, guarded."""
    # `inspect` would fail at interpreter exit.
    return _async_generator(stream) if isinstance(generator, AsyncGeneratorType) else _generator(stream)


def guarded_generator_function(
    begin: Callable[[Any], Stream], func: Callable[..., Any]
) -> Callable[..., Generator[Any, Any, Any]]:
    """``func`` with each of its generators guarded; ``begin`` begins the call."""
    return wrap(_GENERATOR, func, _begin=begin)


def guarded_async_generator_function(
    begin: Callable[[Any], Stream], func: Callable[..., Any]
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """The same for an async generator function."""
    return wrap(_ASYNC_GENERATOR, func, _begin=begin, _closing=aclosing)


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


def _return_stream(stream: Stream) -> Stream:
    return stream


_generator = guarded_generator_function(_return_stream, _return_stream)
_async_generator = guarded_async_generator_function(_return_stream, _return_stream)
