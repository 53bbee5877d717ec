"""Times loops of calls.

The contenders take turns in each round, so that a temporary slowdown of the machine affects all of them.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any

ROUNDS = 15
TURN_NS = 8_000_000
"""The time of one contender's turn in a round."""

Call = Callable[[], Any]


async def measure(path: str, awaited: bool, contenders: Mapping[str, Call]) -> list[dict[str, Any]]:
    """Nanoseconds per call for each contender and each round. Errors are caught, as a caller would do."""
    print(path, file=sys.stderr)
    calls = {name: await _calls_per_turn(awaited, call) for name, call in contenders.items()}
    readings: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            readings[name].append(await _turn(awaited, call, calls[name]) / calls[name])
    # Rejections have no bare call to subtract: the figure is the time until the caller has the error.
    bare = {name: "bare" if "bare" in contenders and name != "bare" else None for name in contenders}
    return [{"path": path, "contender": name, "bare": bare[name], "ns": ns} for name, ns in readings.items()]


async def _calls_per_turn(awaited: bool, call: Call) -> int:
    calls = 100
    while (taken := await _turn(awaited, call, calls)) < TURN_NS / 4:
        calls *= 2
    return int(calls * TURN_NS / taken)


async def _turn(awaited: bool, call: Call, calls: int) -> int:
    gc.collect()
    gc.disable()
    try:
        return await _time_awaited(call, calls) if awaited else _time(call, calls)
    finally:
        gc.enable()
        # Run pending tasks of this breaker before another contender's turn.
        await asyncio.sleep(0)


def _time(call: Call, calls: int) -> int:
    start = perf_counter_ns()
    for _ in range(calls):
        try:  # noqa: SIM105  # a context manager would add overhead to each call
            call()
        except Exception:
            pass
    return perf_counter_ns() - start


async def _time_awaited(call: Call, calls: int) -> int:
    start = perf_counter_ns()
    for _ in range(calls):
        try:  # noqa: SIM105
            await call()
        except Exception:
            pass
    return perf_counter_ns() - start
