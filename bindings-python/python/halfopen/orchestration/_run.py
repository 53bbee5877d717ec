"""One call: its attempts, one after the other, until one is answered or no provider is left."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from halfopen._arguments import has_refused_arguments
from halfopen._core import Attempt, Order
from halfopen.orchestration._engine import DEFAULT_RETRY_DELAY_SECONDS, Engine
from halfopen.orchestration._errors import FailedResultError
from halfopen.orchestration._events import Budget, SwitchCause
from halfopen.orchestration._hedging import race
from halfopen.orchestration._pins import announce, pin
from halfopen.orchestration._records import Options, Records
from halfopen.orchestration._verdicts import Judgement

R = TypeVar("R")
_SHORTEST_WAIT = 0.01
"""Seconds. A provider may still reject when its wait is over, and then the call must not ask in a busy loop."""
_RETRY_SPREAD = 0.25
"""The delay of a retry is spread over ± this share of itself."""


class Run(Records, ABC, Generic[R]):
    """A call that makes attempts."""

    current: Attempt | None = None
    """The attempt that ended last, or that runs."""
    _retries = 0
    _has_hedged = False
    _last: Judgement | None = None

    def __init__(self, engine: Engine, func: Callable[..., Any], args: tuple[Any, ...], options: Options) -> None:
        super().__init__(engine, options)
        self._func = func
        self._args = args

    def called(self, attempt: Attempt) -> Any:
        """Calls the function for the provider of an attempt."""
        try:
            return self._func(self.provider_of(attempt), *self._args)
        except TypeError as error:
            if has_refused_arguments(self._func, error):
                self.cancelled(attempt)
            raise

    @abstractmethod
    async def once(self, attempt: Attempt) -> R:
        """Makes one attempt. It does not settle it."""

    async def discard(self, result: R) -> None:
        """Abandons the attempt, whose result is not needed."""

    async def obtain(self) -> tuple[Attempt, R]:
        """Makes attempts until one is answered.

        Raises ``AllProvidersFailed``, or the error of an attempt after which no other provider is asked.
        """
        engine = self.engine
        hedges = engine.settings.hedges
        while True:
            try:
                self.current = attempt = await self._next()
            except asyncio.CancelledError:
                self.ended("cancelled", None)
                raise
            try:
                if self.session is not None:
                    await announce(self, attempt, self.session)
                may_hedge = hedges and not self._has_hedged
                delay = engine.pool.hedge_after(attempt.index, self.is_stream) if may_hedge else None
                if delay is None:
                    result = await self.once(attempt)
                else:
                    attempt, result = await race(self, attempt, delay)
                    self.hedged(attempt)
                    self.current = attempt
            except BaseException as error:
                if not self.settle(self.current, error):
                    raise
                continue
            if not self.is_stream and attempt.looks_at(result) and not self._accepts(attempt, result):
                continue
            return attempt, result

    def settle(self, attempt: Attempt, error: BaseException, cause: SwitchCause = "failure") -> bool:
        """Settles an attempt that raised this, and returns whether another one may follow."""
        if attempt.has_ended:
            # It was cancelled, because the error is the user's own.
            self.ended("cancelled", None)
            return False
        judgement = self.engine.rules.judge(self.breaker_of(attempt), error)
        self._settle(attempt, error, judgement)
        if judgement.next == "no" or not isinstance(error, Exception):
            outcome = judgement.verdict.outcome
            self.ended("ignored" if outcome == "success" else outcome, attempt.provider)
            return False
        if judgement.next == "larger":
            self.larger_than = self.provider_of(attempt).limit
            if self.larger_than is None or not self.has_larger():
                self.ended("ignored", attempt.provider)
                return False
        self._note(attempt, error, judgement, cause)
        return True

    def succeeded(self, attempt: Attempt) -> None:
        """The attempt has answered the call."""
        seconds = attempt.succeeded()
        if seconds is None:
            # Its result was judged before.
            self.ended("ignored", attempt.provider)
            return
        provider = attempt.provider
        self.attempt_ended(attempt, "success", seconds, None)
        if self.session is not None:
            pin(self, self.session, attempt)
        self.ended("success", provider)

    async def hedge(self, first: Attempt) -> Attempt | None:
        """Begins the one hedge of a call, at another provider; ``None`` if no hedge is possible."""
        if self.attempts >= self.engine.settings.max_attempts or not self.replayable:
            return None
        found = self.engine.pool.begin_beside(self.asked([*self.tried, first.index]))
        if isinstance(found, Order):
            return None
        self._has_hedged = True
        self.began(found, beside=True)
        if self.session is not None:
            await announce(self, found, self.session)
        return found

    def failed_beside(self, attempt: Attempt, error: BaseException) -> bool:
        """Settles an attempt that failed while another one runs; false if its error ends the call."""
        judgement = self.engine.rules.judge(self.breaker_of(attempt), error)
        if judgement.next == "no" or not isinstance(error, Exception) or not self.settle(attempt, error):
            return False
        self.tried.append(attempt.index)
        return True

    def lost(self, attempt: Attempt) -> None:
        """Another provider was faster, which says nothing about this one."""
        seconds = attempt.seconds
        if attempt.ignored():
            self.attempt_ended(attempt, "ignored", seconds, None)

    async def _next(self) -> Attempt:
        """The next attempt, admitted by the circuit of its provider."""
        engine, last = self.engine, self._last
        if last is not None:
            if last.next == "if_replayable" and not self.replayable:
                raise self.failure("not_replayable")
            if self.attempts >= engine.settings.max_attempts:
                raise self.failure("max_attempts")
            again = await self._again(last)
            if again is not None:
                return again
        left = None if self.current is None else self.current.index
        after = None if last is None else last.move_after
        while True:
            time_left = self.left()
            if time_left is not None and time_left <= 0:
                raise self.failure("deadline")
            found = engine.pool.begin(self.asked(self.tried, self.pin), left, after)
            if isinstance(found, Attempt):
                self.began(found)
                return found
            if found.is_unpaid:
                engine.events.emit(Budget, self.number, False, engine.pool.tokens)
                raise self.failure("budget")
            wait = found.earliest
            if not found.waits or wait is None or (time_left is not None and wait >= time_left):
                raise self.failure("exhausted")
            await asyncio.sleep(max(wait, _SHORTEST_WAIT))

    async def _again(self, last: Judgement) -> Attempt | None:
        """A further attempt at the provider that has just failed, if there may be one."""
        settings, attempt = self.engine.settings, self.current
        assert attempt is not None
        # A provider that was silent is asked once, and one that named a wait is left alone.
        may_retry = (
            self._retries < settings.same_provider_retries
            and last.verdict.outcome == "failure"
            and last.verdict.retry_after is None
            and not last.is_timeout
        )
        if may_retry:
            self._retries += 1
            delay = settings.retry_delay_seconds or DEFAULT_RETRY_DELAY_SECONDS
            delay *= 2 ** (self._retries - 1) * random.uniform(1 - _RETRY_SPREAD, 1 + _RETRY_SPREAD)
            left = self.left()
            if left is None or delay < left:
                await asyncio.sleep(delay)
                again = self.engine.pool.begin_at(attempt.index, self.is_stream, False)
                if again is not None:
                    self.began(again)
                    return again
        self._retries = 0
        self.tried.append(attempt.index)
        return None

    def _accepts(self, attempt: Attempt, result: R) -> bool:
        """Whether a result ends the call. A result that is an error of the provider does not."""
        error = FailedResultError(attempt.provider, result)
        judgement = self.engine.rules.judge_result(self.breaker_of(attempt), error)
        if judgement.verdict.outcome == "success":
            return True
        self._settle(attempt, result, judgement)
        if judgement.next == "no":
            return True
        self._note(attempt, error, judgement, "failure")
        return False

    def _settle(self, attempt: Attempt, error: object, judgement: Judgement) -> None:
        seconds, verdict = attempt.seconds, judgement.verdict
        cooling = attempt.ended(error, *verdict)
        self.attempt_ended(attempt, verdict.outcome, seconds, error if isinstance(error, BaseException) else None)
        if cooling is not None:
            self.engine.cools_down(attempt.index, verdict.scope, cooling)

    def _note(self, attempt: Attempt, error: Exception, judgement: Judgement, cause: SwitchCause) -> None:
        self.failed[attempt.index] = (error, self.ended_attempts[-1].seconds)
        self._last = judgement
        self.cause = cause
