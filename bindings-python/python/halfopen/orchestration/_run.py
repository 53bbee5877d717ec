"""One call: its attempts, one after the other, until one is answered or nobody is left."""

import asyncio
import random
from abc import ABC, abstractmethod
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from halfopen._core import Attempt, Need, Order
from halfopen.breaker import CircuitBreaker
from halfopen.orchestration._engine import DEFAULT_RETRY_DELAY_SECONDS, Engine
from halfopen.orchestration._errors import (
    AllProvidersFailed,
    EndedBy,
    FailedResultError,
    ProviderFailure,
    ProviderUnavailableError,
)
from halfopen.orchestration._events import (
    AttemptEnded,
    Budget,
    CallEnded,
    Choice,
    CoolingDown,
    PassedOver,
    Switch,
    SwitchCause,
)
from halfopen.orchestration._hedging import race
from halfopen.orchestration._provider import Provider
from halfopen.orchestration._report import AttemptReport, Report, model_in, usage_in
from halfopen.orchestration._sessions import Session
from halfopen.orchestration._verdicts import Judgement
from halfopen.types import Outcome, PassReason

R = TypeVar("R")
_SHORTEST_WAIT = 0.01
"""Seconds: a provider whose wait is over may still reject, and no call may ask in a busy loop."""
_RETRY_SPREAD = 0.25
"""The delay of a retry is spread over ± this share of itself."""


class Options(NamedTuple):
    """What a caller says about a call."""

    session: str | Session | None
    need: Need | None
    replayable: bool
    deadline_seconds: float | None


class Run(ABC, Generic[R]):
    """A call in progress. ``tried`` is the one set of providers that it has asked, for all its phases."""

    def __init__(self, engine: Engine, options: Options, *, is_stream: bool) -> None:
        self.engine = engine
        self.number = next(engine.numbers)
        self.session = engine.session_of(options.session)
        self.session_id = None if self.session is None else self.session.id
        self.need = options.need
        self.replayable = options.replayable
        self.is_stream = is_stream
        self.pin = None if self.session is None else engine.pin_of(self.session)
        self.tried: list[int] = []
        self.larger_than: int | None = None
        self.attempts = 0
        self.retries = 0
        self.ended_attempts: list[AttemptReport] = []
        self.numbers: dict[Attempt, int] = {}
        self.current: Attempt | None = None
        """The attempt that ended last, or that runs."""
        self.has_ended = False
        self.begun = monotonic()
        self._deadline = engine.deadline_of(options.deadline_seconds)
        self._spent = 0.0
        self._waiting_since: float | None = self.begun
        self._failed: dict[int, tuple[Exception, float]] = {}
        self._last: Judgement | None = None
        self._before: str | None = None
        self._cause: SwitchCause = "failure"

    @abstractmethod
    async def once(self, attempt: Attempt) -> R:
        """Makes one attempt. It does not settle it."""

    async def discard(self, result: R) -> None:
        """Nobody wants this result."""

    async def obtain(self) -> tuple[Attempt, R]:
        """Makes attempts until one is answered.

        Raises ``AllProvidersFailed``, or the error of an attempt after which no other provider is asked.
        """
        engine = self.engine
        hedges = engine.settings.hedge_after_seconds is not None
        while True:
            self.current = attempt = await self._next()
            try:
                if self.session is not None:
                    await self._announce(attempt, self.session)
                if hedges:
                    attempt, result = await race(self, attempt)
                    self.current = attempt
                else:
                    result = await self.once(attempt)
            except BaseException as error:
                if not self.settle(self.current, error):
                    raise
                continue
            if not self.is_stream and attempt.looks_at(result) and not self._accepts(attempt, result):
                continue
            return attempt, result

    def left(self) -> float | None:
        """The rest of the deadline in seconds; ``None`` if there is no deadline."""
        if self._deadline is None:
            return None
        waiting = 0.0 if self._waiting_since is None else monotonic() - self._waiting_since
        return self._deadline - self._spent - waiting

    def content_flows(self, *, flows: bool) -> None:
        """Content of a stream has begun to come, or it has broken off. The deadline limits the time without content."""
        if flows and self._waiting_since is not None:
            self._spent += monotonic() - self._waiting_since
            self._waiting_since = None
        elif not flows and self._waiting_since is None:
            self._waiting_since = monotonic()

    def provider_of(self, attempt: Attempt) -> Provider:
        """The provider of an attempt."""
        return self.engine.providers[attempt.index]

    def breaker_of(self, attempt: Attempt) -> CircuitBreaker:
        """The breaker of an attempt."""
        return self.engine.breakers[attempt.index]

    def settle(self, attempt: Attempt, error: BaseException, cause: SwitchCause = "failure") -> bool:
        """Settles an attempt that raised this, and returns whether another one may follow."""
        if attempt.has_ended:
            # It was cancelled, because the error is the host's own.
            self.ended("cancelled", None)
            return False
        judgement = self.engine.rules.judge(self.breaker_of(attempt), error)
        self._settle(attempt, error, judgement)
        if judgement.next == "no" or not isinstance(error, Exception):
            outcome = judgement.verdict.outcome
            self.ended("ignored" if outcome == "success" else outcome, self.provider_of(attempt).id)
            return False
        if judgement.next == "larger":
            self.larger_than = self.provider_of(attempt).limit
            if self.larger_than is None or not self._has_larger():
                self.ended("ignored", self.provider_of(attempt).id)
                return False
        self._note(attempt, error, judgement, cause)
        return True

    def succeeded(self, attempt: Attempt) -> None:
        """The attempt has answered the call."""
        seconds = attempt.succeeded()
        if seconds is None:
            # Its result was judged before.
            self.ended("ignored", self.provider_of(attempt).id)
            return
        provider = self.provider_of(attempt).id
        self._attempt_ended(attempt, "success", seconds, None)
        if self.session is not None:
            self._pin(self.session, attempt, provider)
        self.ended("success", provider)

    def cancelled(self, attempt: Attempt) -> None:
        """The caller has given up."""
        seconds = attempt.seconds
        if attempt.cancelled():
            self._attempt_ended(attempt, "cancelled", seconds, None)

    def ended(self, outcome: Outcome, provider: str | None, ended_by: EndedBy | None = None) -> None:
        """The call has ended."""
        if self.has_ended:
            return
        self.has_ended = True
        seconds = monotonic() - self.begun
        fields = (self.number, self.session_id, outcome, provider, self.attempts, seconds, ended_by)
        self.engine.events.emit(CallEnded, *fields)

    async def hedge(self, first: Attempt) -> Attempt | None:
        """Begins an attempt at another provider beside one that is slow; ``None`` if there may be none."""
        if self.attempts >= self.engine.settings.max_attempts or not self.replayable:
            return None
        tried = [*self.tried, first.index]
        found = self.engine.pool.begin(self.need, tried, None, True, self.is_stream, self.larger_than, True, False)
        if isinstance(found, Order):
            return None
        self._began(found)
        if self.session is not None:
            await self._announce(found, self.session)
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
            self._attempt_ended(attempt, "ignored", seconds, None)

    def report(self, attempt: Attempt, answer: object) -> Report:
        """Who answered, with the model and the usage that the answer names."""
        provider = self.provider_of(attempt)
        model, seconds = model_in(answer) or provider.model, monotonic() - self.begun
        return Report(provider.id, model, usage_in(answer), tuple(self.ended_attempts), seconds)

    async def _next(self) -> Attempt:
        """The next attempt, admitted by the circuit of its provider."""
        engine, last = self.engine, self._last
        if last is not None:
            if last.next == "if_replayable" and not self.replayable:
                raise self._failure("not_replayable")
            if self.attempts >= engine.settings.max_attempts:
                raise self._failure("max_attempts")
            again = await self._again(last)
            if again is not None:
                return again
        after_timeout = last is not None and last.is_timeout
        while True:
            left = self.left()
            if left is not None and left <= 0:
                raise self._failure("deadline")
            found = engine.pool.begin(
                self.need,
                self.tried,
                self.pin,
                self.replayable,
                self.is_stream,
                self.larger_than,
                self.attempts > 0,
                after_timeout,
            )
            if isinstance(found, Attempt):
                self._began(found)
                return found
            if found.is_unpaid:
                engine.events.emit(Budget, self.number, False, engine.pool.tokens)
                raise self._failure("budget")
            wait = found.earliest
            if not found.waits or wait is None or (left is not None and wait >= left):
                raise self._failure("exhausted")
            await asyncio.sleep(max(wait, _SHORTEST_WAIT))

    async def _again(self, last: Judgement) -> Attempt | None:
        """A further attempt at the provider that has just failed, if there may be one."""
        settings, attempt = self.engine.settings, self.current
        assert attempt is not None
        # A provider that was silent is asked once, and one that named a wait is left alone.
        may_retry = (
            self.retries < settings.same_provider_retries
            and last.verdict.outcome == "failure"
            and last.verdict.retry_after is None
            and not last.is_timeout
        )
        if may_retry:
            self.retries += 1
            delay = settings.retry_delay_seconds or DEFAULT_RETRY_DELAY_SECONDS
            delay *= 2 ** (self.retries - 1) * random.uniform(1 - _RETRY_SPREAD, 1 + _RETRY_SPREAD)
            left = self.left()
            if left is None or delay < left:
                await asyncio.sleep(delay)
                again = self.engine.pool.begin_at(attempt.index, self.is_stream, False)
                if again is not None:
                    self._began(again)
                    return again
        self.retries = 0
        self.tried.append(attempt.index)
        return None

    def _began(self, attempt: Attempt) -> None:
        engine, provider = self.engine, self.provider_of(attempt).id
        self.attempts += 1
        self.numbers[attempt] = self.attempts
        passed_over: tuple[PassedOver, ...] = ()
        passed = attempt.passed_over
        if passed:
            passed_over = tuple(PassedOver(engine.providers[index].id, why, wait) for index, why, wait in passed)
        fields = (self.number, self.session_id, provider, attempt.role, self.attempts, passed_over)
        engine.events.emit(Choice, *fields)
        if self.attempts > 1:
            engine.events.emit(Budget, self.number, True, engine.pool.tokens)
        if self._before is not None and self._before != provider:
            engine.events.emit(Switch, self.number, self.session_id, self._before, provider, self._cause)
        self._before = provider

    async def _announce(self, attempt: Attempt, session: Session) -> None:
        """Tells the host that a session speaks with another provider from now on."""
        new = self.provider_of(attempt)
        old, session.spoke_with = session.spoke_with, new.id
        if old is None or old == new.id:
            return
        if self.attempts == 1:
            cause: SwitchCause = "unavailable"
            if attempt.is_probe:
                cause = "probe"
            elif new.id in (session.primary, session.provider):
                cause = "return_to_primary"
            self.engine.events.emit(Switch, self.number, session.id, old, new.id, cause)
        on_switch = self.engine.settings.on_switch
        if on_switch is not None:
            try:
                waited = on_switch(self.engine.providers[self.engine.index[old]], new, session.unfinished_input)
                if waited is not None:
                    await waited
            except BaseException:
                # It is the host's error and not the provider's.
                self.cancelled(attempt)
                raise

    def _accepts(self, attempt: Attempt, result: R) -> bool:
        """Whether a result ends the call; one that is an error of the provider's does not."""
        error = FailedResultError(self.provider_of(attempt).id, result)
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
        self._attempt_ended(attempt, verdict.outcome, seconds, error if isinstance(error, BaseException) else None)
        if cooling is not None:
            provider = self.provider_of(attempt).id
            self.engine.events.emit(CoolingDown, provider, verdict.scope or "provider", cooling)

    def _attempt_ended(self, attempt: Attempt, outcome: Outcome, seconds: float, error: BaseException | None) -> None:
        provider, name = self.provider_of(attempt).id, None if error is None else type(error).__name__
        first_item = attempt.first_item_seconds if self.is_stream else None
        number = self.numbers[attempt]
        fields = (self.number, self.session_id, provider, number, outcome, seconds, first_item, name)
        self.engine.events.emit(AttemptEnded, *fields)
        kept = error if isinstance(error, Exception) else None
        self.ended_attempts.append(AttemptReport(provider, attempt.role, outcome, seconds, kept))

    def _note(self, attempt: Attempt, error: Exception, judgement: Judgement, cause: SwitchCause) -> None:
        self._failed[attempt.index] = (error, self.ended_attempts[-1].seconds)
        self._last = judgement
        self._cause = cause

    def _pin(self, session: Session, attempt: Attempt, provider: str) -> None:
        pinned = session.provider
        if pinned == provider:
            return
        now = self.engine.pool.now()
        if pinned is None:
            session.pin(provider, now)
        elif attempt.index == self.pin:
            session.pin(provider, now, "return_to_primary")
        elif attempt.is_probe:
            # The probe's answer came from the primary. With `never`, the session stays where it was.
            if self.engine.settings.return_to_primary == "between_turns":
                session.pin(provider, now, "probe")
        elif self._is_lost(self.engine.index[pinned]):
            session.pin(provider, now, self._cause if self._failed else "unavailable")

    def _is_lost(self, index: int) -> bool:
        """Whether a session leaves this provider: it failed, or its circuit or a cooldown keeps calls away."""
        passed = {at: reason for at, reason, _ in self.engine.look(self.need).passed_over}
        return index in self._failed or passed.get(index, "full") != "full"

    def _has_larger(self) -> bool:
        order = self.engine.pool.look(self.need, [*self.tried], None, self.replayable, self.is_stream, self.larger_than)
        return bool(order.picks)

    def _failure(self, ended_by: EndedBy) -> AllProvidersFailed:
        """The error of a call that nobody answered."""
        engine = self.engine
        order = engine.pool.look(self.need, [], None, self.replayable, self.is_stream, self.larger_than)
        passed: dict[int, tuple[PassReason, float | None]] = {
            index: (reason, wait) for index, reason, wait in order.passed_over
        }
        failures: list[ProviderFailure] = []
        for index, provider in enumerate(engine.providers):
            reason, wait = passed.get(index, (None, None))
            if index in self._failed:
                error, seconds = self._failed[index]
                failures.append(ProviderFailure(provider.id, error, "failed", seconds, wait))
            elif reason is not None:
                unavailable = ProviderUnavailableError(provider.id, reason, wait)
                failures.append(ProviderFailure(provider.id, unavailable, reason, None, wait))
        self.ended("failure", None, ended_by)
        earliest = None if order.picks else order.earliest
        return AllProvidersFailed(failures, ended_by, monotonic() - self.begun, earliest)
