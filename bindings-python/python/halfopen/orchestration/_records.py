"""The record of a call in progress: its time, its attempts, and their events."""

from collections.abc import Sequence
from time import monotonic
from typing import ClassVar, NamedTuple

from halfopen._core import Attempt, Need
from halfopen.breaker import CircuitBreaker
from halfopen.orchestration._engine import Engine
from halfopen.orchestration._errors import AllProvidersFailed, EndedBy, ProviderFailure, ProviderUnavailableError
from halfopen.orchestration._events import AttemptEnded, Budget, CallEnded, Choice, PassedOver, Switch, SwitchCause
from halfopen.orchestration._provider import Provider
from halfopen.orchestration._provider_log import Moved
from halfopen.orchestration._report import AttemptReport, Report, model_in, usage_in
from halfopen.orchestration._sessions import Session
from halfopen.types import Asked, Outcome, PassReason


class Options(NamedTuple):
    """The options of a call, which the methods of ``Orchestrator`` take by keyword."""

    session: str | Session | None = None
    """A conversation that stays with one provider, or its id."""
    need: Need | None = None
    """The abilities that the provider must have."""
    replayable: bool = True
    """``False`` for a call with effects: after a failure, which may have had them, no other provider is asked."""
    deadline_seconds: float | None = None
    """Takes the place of the orchestrator's deadline."""


class Records:
    """The progress of a call. ``tried`` holds the providers that it has asked, in all its phases."""

    is_stream: ClassVar[bool]

    def __init__(self, engine: Engine, options: Options) -> None:
        session, self.need, self.replayable, deadline_seconds = options
        self.engine = engine
        self.number = next(engine.numbers)
        self.session = engine.session_of(session)
        self.session_id = None if self.session is None else self.session.id
        self.pin = None if self.session is None else engine.pin_of(self.session)
        self.tried: list[int] = []
        self.larger_than: int | None = None
        self.attempts = 0
        self.ended_attempts: list[AttemptReport] = []
        self.numbers: dict[Attempt, int] = {}
        self.has_ended = False
        self.begun = monotonic()
        self._deadline = engine.deadline_of(deadline_seconds)
        self._spent = 0.0
        self._waiting_since: float | None = self.begun
        self.failed: dict[int, tuple[Exception, float]] = {}
        self._before: str | None = None
        self.cause: SwitchCause = "failure"

    def provider_of(self, attempt: Attempt) -> Provider:
        """The provider of an attempt."""
        return self.engine.providers[attempt.index]

    def breaker_of(self, attempt: Attempt) -> CircuitBreaker:
        """The breaker of an attempt."""
        return self.engine.breakers[attempt.index]

    def asked(self, tried: Sequence[int] = (), pin: int | None = None) -> Asked:
        """The demands of the call on the pool, without the providers that it has tried."""
        return Asked(self.need, tried, pin, self.replayable, self.is_stream, self.larger_than)

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

    def began(self, attempt: Attempt, *, beside: bool = False) -> None:
        """An attempt has begun, after the last one or ``beside`` it."""
        engine, provider = self.engine, attempt.provider
        self.attempts += 1
        self.numbers[attempt] = self.attempts
        passed_over: tuple[PassedOver, ...] = ()
        passed = attempt.passed_over
        if passed:
            passed_over = tuple(PassedOver(engine.providers[index].id, why, wait) for index, why, wait in passed)
        engine.events.emit(Choice, self.number, self.session_id, provider, attempt.role, self.attempts, passed_over)
        if attempt.is_paid:
            engine.events.emit(Budget, self.number, True, engine.pool.tokens)
        if beside:
            return
        if self._before is not None and self._before != provider:
            self.switched(self._before, provider, self.cause)
        self._before = provider

    def hedged(self, attempt: Attempt) -> None:
        """An attempt of a race has answered. It is a switch if it is the second one."""
        before, provider = self._before, attempt.provider
        if before is not None and before != provider:
            has_failed = self.engine.index[before] in self.failed
            self.switched(before, provider, self.cause if has_failed else "hedge")
            self._before = provider

    def switched(self, old: str, new: str, cause: SwitchCause) -> None:
        """The call, or its session, moved to another provider."""
        self.engine.events.emit(Switch, self.number, self.session_id, old, new, cause)
        moved: Moved = "stream" if cause == "stream_broken" else "call" if self.session is None else "session"
        self.engine.log.switched(moved, old, new, cause)

    def attempt_ended(self, attempt: Attempt, outcome: Outcome, seconds: float, error: BaseException | None) -> None:
        """An attempt has ended."""
        provider, name = attempt.provider, None if error is None else type(error).__name__
        first_item = attempt.first_item_seconds if self.is_stream else None
        number = self.numbers[attempt]
        self.engine.events.emit(
            AttemptEnded, self.number, self.session_id, provider, number, outcome, seconds, first_item, name
        )
        kept = error if isinstance(error, Exception) else None
        self.ended_attempts.append(AttemptReport(provider, attempt.role, outcome, seconds, kept))

    def ended(self, outcome: Outcome, provider: str | None, ended_by: EndedBy | None = None) -> None:
        """The call has ended."""
        if self.has_ended:
            return
        self.has_ended = True
        seconds = monotonic() - self.begun
        self.engine.events.emit(
            CallEnded, self.number, self.session_id, outcome, provider, self.attempts, seconds, ended_by
        )

    def cancelled(self, attempt: Attempt) -> None:
        """The caller has given up."""
        seconds = attempt.seconds
        if attempt.cancelled():
            self.attempt_ended(attempt, "cancelled", seconds, None)

    def report(self, attempt: Attempt, answer: object) -> Report:
        """The provider that answered, with the model and the usage that the answer names."""
        provider = self.provider_of(attempt)
        model, seconds = model_in(answer) or provider.model, monotonic() - self.begun
        return Report(provider.id, model, usage_in(answer), tuple(self.ended_attempts), seconds)

    def has_larger(self) -> bool:
        """Whether a provider takes larger requests than the one that refused this one."""
        return bool(self.engine.pool.look(self.asked(self.tried)).picks)

    def failure(self, ended_by: EndedBy) -> AllProvidersFailed:
        """The error of a call that no provider answered."""
        engine = self.engine
        order = engine.pool.look(self.asked())
        passed: dict[int, tuple[PassReason, float | None]] = {
            index: (reason, wait) for index, reason, wait in order.passed_over
        }
        failures: list[ProviderFailure] = []
        for index, provider in enumerate(engine.providers):
            reason, wait = passed.get(index, (None, None))
            if index in self.failed:
                error, seconds = self.failed[index]
                failures.append(ProviderFailure(provider.id, error, "failed", seconds, wait))
            elif reason is not None:
                unavailable = ProviderUnavailableError(provider.id, reason, wait)
                failures.append(ProviderFailure(provider.id, unavailable, reason, None, wait))
        if not failures:
            failures = [
                ProviderFailure(it.id, ProviderUnavailableError(it.id, "not_asked", None), "not_asked", None, None)
                for it in engine.providers
            ]
        self.ended("failure", None, ended_by)
        # After "budget", a new call may be made at once: its first attempt costs nothing.
        now = 0.0 if ended_by == "budget" else None
        earliest = now if order.picks else order.earliest
        error = AllProvidersFailed(failures, ended_by, monotonic() - self.begun, earliest)
        engine.log.failed(error, self.attempts)
        return error
