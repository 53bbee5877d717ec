"""Times loops of calls: the contenders in turn, round after round.

So whatever slows the machine down for a while slows all of them.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any

ROUNDS = 15
TURN_NS = 8_000_000
"""How long one contender's turn in a round takes."""

Call = Callable[[], Any]


async def measure(path: str, awaited: bool, contenders: Mapping[str, Call]) -> list[dict[str, Any]]:
    """Nanoseconds per call for each contender and each round. What a call raises is caught, as a caller would."""
    print(path, file=sys.stderr)
    calls = {name: await _calls_in_a_turn(awaited, call) for name, call in contenders.items()}
    readings: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            readings[name].append(await _turn(awaited, call, calls[name]) / calls[name])
    # A rejected call has no bare one: what is asked is how long the caller waits for its error.
    bare = {name: "bare" if "bare" in contenders and name != "bare" else None for name in contenders}
    return [{"path": path, "contender": name, "bare": bare[name], "ns": ns} for name, ns in readings.items()]


async def _calls_in_a_turn(awaited: bool, call: Call) -> int:
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
        # Whatever a breaker has left for the event loop to do is not done in another's turn.
        await asyncio.sleep(0)


def _time(call: Call, calls: int) -> int:
    start = perf_counter_ns()
    for _ in range(calls):
        try:  # noqa: SIM105  # unlike a context manager, it costs nothing where nothing is raised
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
