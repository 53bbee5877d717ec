"""Guards a stream, or a context manager that yields one, by what it is."""

from functools import lru_cache
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

from halfopen._arguments import refuse_plain_stream, refused
from halfopen._core import Stream
from halfopen._proxy import class_of
from halfopen._stream_managers import guarded_manager
from halfopen._stream_objects import guarded_object, is_open_stream, is_stream, items_of
from halfopen._streams import guarded_items

if TYPE_CHECKING:
    from halfopen.breaker import CircuitBreaker

_GENERATORS = (GeneratorType, AsyncGeneratorType)


def guard_stream(breaker: "CircuitBreaker", source: Any) -> Any:
    """A stream or a context manager that yields one, guarded."""
    kind = class_of(source)
    if not (hasattr(kind, "__anext__") or hasattr(kind, "__aiter__") or hasattr(kind, "__aenter__")):
        _check_no_timeouts(breaker, source)
    if is_open_stream(source) or (is_stream(source) and not _is_request(kind)):
        stream = breaker._begin_stream(source if isinstance(source, _GENERATORS) else items_of(source))
        stream.rest()
        return _guarded(stream, source)
    if hasattr(kind, "__aenter__") or hasattr(kind, "__enter__"):
        return guarded_manager(breaker._begin_stream, breaker._deadline, source)
    allowed = "an iterator, an async iterator, an iterable with close(), or a context manager that yields one of them"
    raise refused("source", source, allowed)


def guarded_stream(stream: Stream, source: Any) -> Any:
    """The stream that a call returned, guarded."""
    # `inspect` would fail at interpreter exit.
    if isinstance(source, GeneratorType):
        _check_no_timeouts(stream.breaker, source)
    return _guarded(stream, source) if is_stream(source) else _returned_manager(stream, source)


def _guarded(stream: Stream, source: Any) -> Any:
    return guarded_items(stream) if isinstance(source, _GENERATORS) else guarded_object(stream, source)


def _returned_manager(stream: Stream, source: Any) -> Any:
    """The context manager that a call returned. Entering it the first time is part of that call."""
    breaker = stream.breaker
    if not hasattr(class_of(source), "__aenter__"):
        _check_no_timeouts(breaker, source)

    def begin(items: Any) -> Stream:
        return stream.hand_on(items) or breaker._begin_stream(items)

    return guarded_manager(begin, breaker._deadline, source)


@lru_cache(maxsize=512)
def _is_request(kind: type) -> bool:
    """Whether entering or awaiting it makes the stream, as ``connect`` of websockets does, although it has items."""
    is_open = hasattr(kind, "__anext__") or hasattr(kind, "aclose") or hasattr(kind, "close")
    return hasattr(kind, "__aenter__") and (hasattr(kind, "__await__") or not is_open)


def _check_no_timeouts(breaker: "CircuitBreaker", source: Any) -> None:
    """Refuses a plain stream if a timeout would have to cut it off."""
    if breaker._stream_timeouts is not None:
        refuse_plain_stream("source", source)
    if hasattr(class_of(source), "__enter__"):
        breaker._check_no_deadline()
