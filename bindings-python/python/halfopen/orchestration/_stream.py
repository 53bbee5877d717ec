"""Streams: before the first content another provider takes over unnoticed; afterwards ``on_break`` decides."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Generic, Self, TypeVar

from halfopen._core import Attempt
from halfopen.orchestration._breaks import Break, OnBreak, Restarted, check_on_break, checked_resume
from halfopen.orchestration._engine import Engine
from halfopen.orchestration._errors import AllProvidersFailed, StreamBrokenError
from halfopen.orchestration._events import FirstItem
from halfopen.orchestration._items import Reader
from halfopen.orchestration._opened import Opened
from halfopen.orchestration._pins import pin
from halfopen.orchestration._records import Options
from halfopen.orchestration._report import Report
from halfopen.orchestration._run import Run

T = TypeVar("T")


class StreamRun(Run[Opened[T]]):
    """A call of a function that returns a stream."""

    is_stream = True

    def __init__(
        self,
        engine: Engine,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        options: Options,
        on_break: OnBreak | None,
        *,
        long_lived: bool,
    ) -> None:
        super().__init__(engine, func, args, options)
        if on_break is not None:
            check_on_break(on_break)
        self._on_break = engine.settings.on_break if on_break is None else on_break
        self.is_long_lived = long_lived
        """Whether it is a socket, which is a success at its first content and may carry several answers."""
        self.opened: Opened[T] | None = None
        """The stream that the consumer reads."""

    async def once(self, attempt: Attempt) -> Opened[T]:
        """Opens the stream of one provider and reads it up to its first content."""
        opened: Opened[T] = Opened(self, attempt)
        try:
            await opened.open()
        except BaseException:
            await opened.close()
            raise
        return opened

    async def discard(self, result: Opened[T]) -> None:
        """Closes a stream that is not read."""
        await result.close()

    def reader_of(self, attempt: Attempt) -> Reader:
        """A reader for the items of an attempt."""
        settings, breaker = self.engine.settings, self.breaker_of(attempt)
        is_content, is_end = breaker._is_content or settings.is_content, breaker._is_end or settings.is_end
        return Reader(is_content, is_end, settings.is_tool_call)

    def timeouts_of(self, attempt: Attempt) -> tuple[float | None, float | None]:
        """The seconds to the first content and between two items."""
        settings, own, left = self.engine.settings, self.breaker_of(attempt)._stream_timeouts, self.left()
        first, idle = settings.first_item_timeout_seconds, settings.idle_timeout_seconds
        if own is not None:
            first = own.first_item_seconds if own.first_item_seconds is not None else first
            idle = own.idle_seconds if own.idle_seconds is not None else idle
        if left is not None:
            first = left if first is None else min(first, left)
        return first, idle

    def first_content(self, attempt: Attempt) -> None:
        """The first content of an attempt has come."""
        seconds = attempt.first_item()
        self.content_flows(flows=True)
        if self.is_long_lived:
            attempt.healthy()
        self.engine.events.emit(FirstItem, self.number, self.session_id, attempt.provider, seconds)

    async def items(self) -> AsyncGenerator[T | Restarted, None]:
        """The items for the consumer."""
        delivered: deque[T | Restarted] = deque(maxlen=self.engine.settings.kept_items)
        count = 0
        try:
            attempt, self.opened = await self.obtain()
            if self.is_long_lived and self.session is not None:
                pin(self, self.session, attempt)
            while True:
                opened = self.opened
                try:
                    item = await opened.next()
                except StopAsyncIteration:
                    if not opened.attempt.has_ended:
                        self.succeeded(opened.attempt)
                    return
                except Exception as error:
                    marker = await self._continue(opened, error, delivered, count)
                    if marker is not None:
                        delivered.clear()
                        count = 0
                        yield marker
                    continue
                delivered.append(item)
                count += 1
                opened.attempt.pause()
                yield item
                opened.attempt.resume()
        except BaseException:
            self._give_up()
            raise
        finally:
            if self.opened is not None:
                await self.opened.close()

    def report_so_far(self) -> Report | None:
        """The report of the provider that answers, as far as it is known."""
        if self.opened is None:
            return None
        reader = self.opened.reader
        return self.report(self.opened.attempt, {"model": reader.model, "usage": reader.usage})

    async def _continue(
        self, opened: Opened[T], error: Exception, delivered: "deque[T | Restarted]", count: int
    ) -> Restarted | None:
        """Continues a stream that broke, or raises; returns the marker for the consumer, if there is one."""
        await opened.close()
        provider = opened.attempt.provider
        if not self.settle(opened.attempt, error, "stream_broken"):
            raise error
        on_break, broken = self._on_break, StreamBrokenError(provider, delivered)
        restarts = on_break == "restart"
        resume = None
        # A repeated tool call could have its effects twice.
        if callable(on_break) and not opened.called_tool:
            resume = checked_resume(on_break(Break(provider, error, tuple(delivered), self._args)))
        if opened.called_tool or (resume is None and not restarts):
            self.ended("failure", provider)
            self.engine.log.broke(provider, error)
            raise broken from error
        if resume is not None:
            self._args = resume.args
            self.need = resume.need or self.need
        self.content_flows(flows=False)
        try:
            attempt, self.opened = await self.obtain()
        except AllProvidersFailed as failed:
            raise broken from failed
        return Restarted(provider, attempt.provider, count) if restarts else None

    def _give_up(self) -> None:
        """The consumer wants no more items, or cannot have any."""
        if self.opened is not None and not self.opened.attempt.has_ended:
            self.cancelled(self.opened.attempt)
        self.ended("cancelled", None)


class Stream(AsyncIterator[T], Generic[T]):
    """The items of a stream, whichever provider they come from. It is for one ``async for``.

    Leave it with ``async with`` or ``aclose`` when you stop early, so that the provider's stream is closed at once.
    """

    def __init__(self, run: StreamRun[Any]) -> None:
        self._run = run
        self._items: AsyncGenerator[Any, None] = run.items()

    @property
    def provider(self) -> str | None:
        """The provider that answers; ``None`` before the first item."""
        opened = self._run.opened
        return None if opened is None else opened.attempt.provider

    @property
    def report(self) -> Report | None:
        """The provider that answers, with model, usage and attempts as far as known; ``None`` before the first item."""
        return self._run.report_so_far()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        item: T = await self._items.__anext__()
        return item

    async def aclose(self) -> None:
        """The consumer wants no more items."""
        await self._items.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
