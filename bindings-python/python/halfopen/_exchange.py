"""One guarded HTTP request: its permit, its timeouts, and the verdict on its response and on the end of its body."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar
from weakref import ref

from halfopen._core import Permit
from halfopen._result_rules import as_verdict
from halfopen._sdk_errors import passing_sdks
from halfopen._sse import AnswerReader
from halfopen._stream_timeouts import Watch
from halfopen.errors import CallTimeoutError, CircuitBreakerOpenError
from halfopen.types import Outcome

if TYPE_CHECKING:
    from halfopen.breaker import CircuitBreaker

T = TypeVar("T")


class Exchange:
    """An admitted request, until its permit is settled.

    If the body comes after the headers, the request ends with the body. The consumer's time between two parts of it
    does not count. A body that the consumer abandons is neutral, and so is a request that ends after its client was
    closed: ``is_closed`` says whether it was.
    """

    def __init__(
        self,
        breaker: "CircuitBreaker",
        request: object = None,
        is_closed: Callable[[], bool] = lambda: False,
        permit: Permit | None = None,
    ) -> None:
        """Asks for a permit, unless the call has one already."""
        self._permit = _permit_of(breaker) if permit is None else permit
        self._rules = breaker._rules
        self._request = request
        self._is_closed = is_closed
        # The body of the response holds this object.
        self._response: Callable[[], object] = lambda: None
        self._deadline = breaker._deadline
        self._timeouts = breaker._stream_timeouts
        self._watch: Watch | None = None
        self._waiting = False
        self._answer: AnswerReader | None = None
        self._encoded = False
        self.at_end: Callable[[], None] | None = None
        """Called when the body has ended, before that is a success."""

    def made(self, request: Callable[[], T]) -> T:
        """Makes a request; requests that are made inside it share its permit if it is a probe."""
        try:
            self._permit._enter()
            return request()
        finally:
            self._permit._leave()

    async def awaited(self, request: Callable[[], Awaitable[T]]) -> T:
        """Awaits the response to a request, within the breaker's timeouts."""
        try:
            self._permit._enter()
            self.watch()
            if self._deadline is None:
                return await self._watched(request)
            async with self._deadline.start():
                return await self._watched(request)
        except CallTimeoutError as late:
            passing = passing_sdks(late)
            self._settle_by(passing)
            raise passing from late.__cause__
        except BaseException as error:
            self._settle_by(error)
            raise
        finally:
            self._permit._leave()

    async def _watched(self, request: Callable[[], Awaitable[T]]) -> T:
        watch = self._watch
        if watch is None:
            return await request()
        watch.begin()
        try:
            response = await request()
        except BaseException as error:
            try:
                watch.fail(error)
            finally:
                watch.close()
            raise
        # Headers are not content, so the first item may take what is left of its time.
        watch.end(False)
        return response

    def watch(self) -> None:
        """The timeouts of streams apply from now on, in the running task."""
        if self._timeouts is not None:
            self._watch = self._timeouts.start()

    def raised(self, error: BaseException, *, may_go_on: bool = False) -> None:
        """The request, or reading its response, ended with this error; with ``may_go_on`` the body may still be read.

        Raises ``CallTimeoutError`` instead if a timeout of the breaker cut it off.
        """
        if self._watch is not None and self._waiting:
            self._waiting = False
            try:
                self._watch.fail(error)
            except CallTimeoutError as late:
                self._watch.close()
                passing = passing_sdks(late)
                self._settle_by(passing)
                raise passing from error
        if may_go_on:
            self._permit.pause()
            return
        self._close_watch()
        self._settle_by(error)

    def is_mistake(self, error: BaseException) -> bool:
        """Whether the caller made a mistake, for example with an argument, a header or a body.

        Clients raise errors of their own, or of the operating system, for what the provider does.
        """
        return (
            type(error).__module__ == "builtins"
            and isinstance(error, Exception)
            and not isinstance(error, (OSError, EOFError, BaseExceptionGroup))
            and self._has_default_verdict(error)
        )

    def _has_default_verdict(self, error: BaseException) -> bool:
        return not self._rules.counts_every_error and self._rules.own_verdict(error) is None

    def _settle_by(self, error: BaseException) -> None:
        if self.is_mistake(error):
            self._permit.ignore()
            return
        if self._is_closed() and self._has_default_verdict(error):
            self._permit.cancel()
            self._note()
            return
        self._permit.__exit__(type(error), error, error.__traceback__)
        if isinstance(error, Exception):
            self._note()

    def _settle(self, outcome: Outcome, retry_after: float | None = None) -> None:
        if outcome == "failure" and any(map(self._permit._has_counted, self._known_by())):
            outcome = "ignored"
        self._permit.settle(outcome, retry_after)
        if outcome == "failure":
            self._note()

    def _note(self) -> None:
        """Notes the request and the response, by which outer calls recognise this failure in an error of an SDK."""
        for known in self._known_by():
            self._permit._note(known)

    def _known_by(self) -> list[object]:
        response = self._response()
        objects = (self._request, response, getattr(response, "request_info", None))
        return [known for known in objects if known is not None]

    def _close_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            if self._waiting:
                watch.end(True)
            watch.close()

    def answered(
        self,
        response: object,
        status: int,
        headers: Iterable[tuple[str, str]],
        *,
        bodiless: bool,
        arrived: bool = False,
        encoded: bool = False,
    ) -> bool:
        """The headers have come, and perhaps the whole body has; returns whether the verdict waits for the body.

        With ``encoded``, the parts of the body are compressed, and ``decoded`` gets their content.
        """
        self._response = ref(response)
        verdict = as_verdict(self._rules.of_result(response))
        fields = {name.lower(): value for name, value in headers}
        bodiless = bodiless or status in (101, 204, 304) or fields.get("content-length") == "0"
        if verdict.outcome != "success" or bodiless:
            self._close_watch()
            self._settle(verdict.outcome, verdict.retry_after)
            return False
        if fields.get("content-type", "").lower().startswith("text/event-stream"):
            self._answer = AnswerReader()
            self._encoded = encoded
        elif arrived:
            self._close_watch()
            self._permit.success()
            return False
        self._permit.pause()
        return True

    def through(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Hands on the parts of a plain body; the request ends with them."""
        try:
            self.waits()
            for part in parts:
                self.received(part)
                yield part
                self.waits()
        except GeneratorExit:
            self.left()
            raise
        except BaseException as error:
            self.raised(error)
            raise
        self.ended()

    def waits(self) -> None:
        """The consumer asks for the next part of the body."""
        self._permit.resume()
        if self._watch is not None:
            self._watch.begin()
        self._waiting = True

    def received(self, part: bytes) -> None:
        """The consumer has got a part of the body."""
        self._permit.pause()
        if not self._encoded:
            self._read(part)
        self._waiting = False
        if self._watch is not None:
            # Whether a compressed part has content shows only after the wait for it.
            self._watch.end(self._answer is None or self._encoded or self._answer.has_content)

    def decoded(self, content: bytes) -> None:
        """The consumer has got this content, of a body whose parts are compressed."""
        if self._encoded:
            self._read(content)

    def _read(self, content: bytes) -> None:
        if self._answer is not None:
            self._answer.feed(content)
            self._failed_in_its_protocol(("malformed",))

    def ended(self) -> None:
        """The body has ended."""
        if self.at_end is not None:
            self.at_end()
        self._close_watch()
        if not self._failed_in_its_protocol(("malformed", "incomplete")):
            self._permit.success()

    def left(self, *, arrived: bool = False) -> None:
        """The consumer reads no further; ``arrived`` says whether the whole body has come."""
        # A task that still waits for a part ends its wait itself.
        if not self._waiting:
            self._close_watch()
        if self._failed_in_its_protocol(("malformed",)):
            return
        if arrived if self._answer is None else self._answer.ending == "complete":
            self._permit.success()
        else:
            self._permit.cancel()

    def _failed_in_its_protocol(self, failures: tuple[str, ...]) -> bool:
        """Whether the events of the answer have settled the call."""
        answer = self._answer
        if answer is None:
            return False
        if answer.error is not None:
            outcome = "failure" if self._rules.counts_every_error else answer.error.outcome
            self._settle(outcome, answer.error.retry_after)
        elif answer.ending in failures:
            self._settle("failure")
        else:
            return False
        return True


def _permit_of(breaker: "CircuitBreaker") -> Permit:
    try:
        return breaker.acquire()
    except CircuitBreakerOpenError as error:
        raise passing_sdks(error) from None
