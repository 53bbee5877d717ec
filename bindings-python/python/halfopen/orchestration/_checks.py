"""Background checks: the user's own function, through the permit of a probe."""

import asyncio
import random
from contextlib import suppress
from typing import Any

from halfopen._arguments import refused
from halfopen._core import Attempt, is_awaitable, report_unraisable
from halfopen.errors import CallTimeoutError
from halfopen.orchestration._engine import Engine
from halfopen.orchestration._events import Checked
from halfopen.orchestration._probing import inside
from halfopen.orchestration._provider import Provider
from halfopen.orchestration._settings import CHECK_ALLOWED, Check
from halfopen.types import Outcome

DEFAULT_INTERVAL_SECONDS = 30.0
_SPREAD = 0.2
"""Each interval is spread over ± this share of itself, so that several processes do not check together."""


class Checks:
    """Checks the providers whose circuits offer a probe, one at a time, so that no user's call has to be the probe."""

    def __init__(self, engine: Engine, check: Check) -> None:
        self._engine = engine
        self._check = check
        self._interval = engine.settings.check_interval_seconds or DEFAULT_INTERVAL_SECONDS
        self._task: asyncio.Task[None] | None = None
        self._users = 0

    def start(self) -> None:
        """Begins to check, in the running event loop, unless they run already."""
        self._users += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="halfopen checks")

    async def stop(self) -> None:
        """Ends it after the last user; a check that runs is cancelled, which says nothing about its provider."""
        self._users -= 1
        if self._users == 0 and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        engine = self._engine
        while True:
            await asyncio.sleep(self._interval * random.uniform(1 - _SPREAD, 1 + _SPREAD))
            for index, provider in enumerate(engine.providers):
                attempt = engine.pool.begin_at(index, False, True) if provider.enabled else None
                if attempt is not None:
                    await self._checked(attempt)

    async def _checked(self, attempt: Attempt) -> None:
        engine, provider = self._engine, self._engine.providers[attempt.index]
        breaker = engine.breakers[attempt.index]
        seconds = breaker.call_timeout_seconds or engine.settings.attempt_timeout_seconds
        outcome: Outcome = "success"
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                if not await inside(attempt, lambda: self._run_check(provider)):
                    # It is the user's mistake, and says nothing about the provider.
                    attempt.cancelled()
                    report_unraisable(refused("check", self._check, CHECK_ALLOWED), self._check)
                    return
        except TimeoutError as error:
            late = CallTimeoutError(breaker.name, seconds or 0.0, "attempt_timeout_seconds")
            outcome = self._failed(attempt, late if scope.expired() else error)
        except Exception as error:
            outcome = self._failed(attempt, error)
        except asyncio.CancelledError:
            attempt.cancelled()
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something inside of the check was cancelled; the checks go on.
            return
        except BaseException:
            attempt.cancelled()
            raise
        lasted = attempt.seconds
        attempt.succeeded()
        engine.events.emit(Checked, provider.id, outcome, lasted)

    async def _run_check(self, provider: Provider) -> bool:
        """Runs the check; false if the function has returned no awaitable."""
        answer: Any = self._check(provider)
        if not is_awaitable(answer):
            return False
        await answer
        return True

    def _failed(self, attempt: Attempt, error: Exception) -> Outcome:
        engine = self._engine
        verdict = engine.rules.judge(engine.breakers[attempt.index], error).verdict
        cooling = attempt.ended(error, *verdict)
        if cooling is not None:
            engine.cools_down(attempt.index, verdict.scope, cooling)
        return verdict.outcome
