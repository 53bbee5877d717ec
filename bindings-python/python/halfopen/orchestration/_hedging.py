"""A second attempt beside one that is slow: the first answer wins."""

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from halfopen._core import Attempt

if TYPE_CHECKING:
    from halfopen.orchestration._run import Run

R = TypeVar("R")
_CLEANUP_SECONDS = 1.0
"""Seconds that a winner waits for a loser to clean up after its cancellation."""


async def race(run: "Run[R]", first: Attempt, delay: float) -> tuple[Attempt, R]:
    """Runs an attempt, and another one beside it if the first takes longer than ``delay``, in seconds.

    Returns the attempt that answered. Raises the error after which nothing runs any more; then ``run.current`` is its
    attempt. An attempt that lost is settled as ignored.
    """
    running: dict[asyncio.Task[R], Attempt] = {asyncio.ensure_future(run.once(first)): first}
    left_behind = run.lost
    try:
        done, _ = await asyncio.wait(running, timeout=delay)
        if not done:
            second = await run.hedge(first)
            if second is not None:
                running[asyncio.ensure_future(run.once(second))] = second
        while True:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            # The order of declaration decides where both end at once.
            for task in [task for task in running if task in done]:
                attempt = running.pop(task)
                run.current = attempt
                error = None if task.cancelled() else task.exception()
                if error is not None and running and run.failed_beside(attempt, error):
                    continue
                return attempt, task.result()
    except BaseException as error:
        if not isinstance(error, Exception):
            left_behind = run.cancelled
        raise
    finally:
        for task, attempt in running.items():
            left_behind(attempt)
            task.cancel()
            task.add_done_callback(_retrieve)
        if running:
            await asyncio.wait(running, timeout=_CLEANUP_SECONDS)
            for task in running:
                if task.done() and not task.cancelled() and task.exception() is None:
                    await run.discard(task.result())


def _retrieve(task: "asyncio.Task[Any]") -> None:
    """Reads the error of an abandoned task, so that asyncio does not report it."""
    if not task.cancelled():
        task.exception()
