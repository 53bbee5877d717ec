"""The stream of one attempt, with its timeouts and what its items say."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from halfopen._answer_items import Facts
from halfopen._arguments import refused
from halfopen._core import Attempt, is_awaitable
from halfopen._result_rules import verdict_of_item
from halfopen._stream_timeouts import StreamTimeouts, Watch
from halfopen.orchestration._errors import IncompleteStreamError, ReportedError
from halfopen.orchestration._probing import inside

if TYPE_CHECKING:
    from halfopen.orchestration._stream import StreamRun

T = TypeVar("T")
_STREAMS = "a function that returns an async iterable, an async context manager that yields one, or an awaitable of one"


class Opened(Generic[T]):
    """A stream that a provider has begun. The items before the first content wait in ``_early``."""

    def __init__(self, run: "StreamRun[T]", attempt: Attempt) -> None:
        self.attempt = attempt
        self.called_tool = False
        self.is_complete = False
        """Whether the answer's last item has come."""
        self.reader = run.reader_of(attempt)
        self._run = run
        self._shares_permit = attempt.shares_permit
        self._early: deque[T] = deque()
        self._items: AsyncIterator[T] | None = None
        self._closers: list[Any] = []
        self._has_content = False
        self._has_end = True
        self._watch = self._watched()

    async def open(self) -> None:
        """Opens the stream, and reads until its first content or its end."""
        await self._waiting(self._source())
        while not self._has_content:
            try:
                self._early.append(await self._step())
            except StopAsyncIteration:
                if not self.is_complete:
                    raise IncompleteStreamError(self.attempt.provider) from None
                return

    async def next(self) -> T:
        """The next item.

        Raises ``StopAsyncIteration`` at the end of a complete answer, otherwise the error that broke the stream.
        """
        if self._early:
            return self._early.popleft()
        try:
            return await self._step()
        except StopAsyncIteration:
            if self._has_end and not self.is_complete:
                raise IncompleteStreamError(self.attempt.provider) from None
            raise
        except Exception:
            if self.is_complete and not self._run.is_long_lived:
                # The answer is complete, so an error after it does not matter.
                raise StopAsyncIteration from None
            raise

    async def close(self) -> None:
        """Closes the provider's stream. Its own errors while it closes change nothing."""
        if self._watch is not None:
            self._watch.close()
        while self._closers:
            closing = self._closers.pop()
            with suppress(Exception):
                waited = closing()
                if is_awaitable(waited):
                    await waited

    async def _source(self) -> None:
        source = self._run.called(self.attempt)
        if is_awaitable(source):
            source = await source
        if not hasattr(source, "__anext__") and hasattr(source, "__aenter__"):
            manager, source = source, await source.__aenter__()
            self._closers.append(lambda: manager.__aexit__(None, None, None))
        if not hasattr(source, "__aiter__"):
            # It is the user's mistake, and says nothing about the provider.
            self._run.cancelled(self.attempt)
            raise refused("func", source, _STREAMS)
        for name in ("aclose", "close"):
            if hasattr(source, name):
                self._closers.append(getattr(source, name))
                break
        self._items = source if hasattr(source, "__anext__") else source.__aiter__()

    async def _step(self) -> T:
        assert self._items is not None
        item: T = await self._waiting(self._items.__anext__())
        facts = self.reader.read(item)
        if facts.error is not None:
            error = facts.error
            raise ReportedError(self.attempt.provider, error, verdict_of_item(error))
        self._take(facts)
        return item

    def _take(self, facts: Facts) -> None:
        if facts.is_content and not self._has_content:
            self._has_content = True
            self._run.first_content(self.attempt)
        if self._has_end and facts.is_content and not facts.has_end:
            self._has_end = False
        self.called_tool = self.called_tool or facts.is_tool_call
        if facts.is_content and self._run.is_long_lived:
            # A socket carries one answer after the other.
            self.is_complete = False
        if facts.is_end and not self.is_complete:
            self.is_complete = True
            if not self._run.is_long_lived:
                self._run.succeeded(self.attempt)

    async def _waiting(self, awaitable: Any) -> Any:
        """Waits for the provider, as long as the timeouts allow."""
        if self._shares_permit:
            return await inside(self.attempt, lambda: self._timed(awaitable))
        return await self._timed(awaitable)

    async def _timed(self, awaitable: Any) -> Any:
        watch = self._watch
        if watch is None:
            return await awaitable
        watch.begin()
        try:
            result = await awaitable
        except StopAsyncIteration:
            watch.end(True)
            raise
        except BaseException as error:
            watch.fail(error)
            raise
        watch.end(self._has_content)
        return result

    def _watched(self) -> Watch | None:
        first, idle = self._run.timeouts_of(self.attempt)
        if first is None and idle is None:
            return None
        return StreamTimeouts(self._run.breaker_of(self.attempt).name, first, idle).start()
