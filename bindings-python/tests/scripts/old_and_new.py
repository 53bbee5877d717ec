"""Random histories through the replaced module and through ``halfopen.compat``: everything that a backend sees agrees.

Prints the number of steps that were compared. Two differences are left out, which ``docs/migrating.md`` lists: the two
streaks, and the state after the wait is over, which reads as half-open.
"""

import asyncio
import importlib
import logging
import random
import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from halfopen import ManualClock

sys.path.insert(0, str(Path(__file__).parents[1] / "backend" / "replaced"))
# First the replaced module, whose collectors the other one then uses.
old: Any = importlib.import_module("circuit_breaker")
compat: Any = importlib.import_module("halfopen.compat")
MODULES = {"old": old, "new": compat}
STEPS = ("succeed", "succeed", "fail", "fail", "fail", "wrong arguments", "wait 1", "wait 5", "reset", "force open")
STREAKS = {"consecutive_failures", "consecutive_successes"}
clock = ManualClock()


class Calendar(datetime):
    """The dates of the manual clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Calendar":
        return cls(2026, 1, 1, tzinfo=tz) + timedelta(seconds=clock())


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.levels: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.levels.append(record.levelname)


async def succeed() -> str:
    return "ok"


async def fail() -> None:
    raise ConnectionError


async def answer(module: Any, breaker: Any, step: str) -> object:
    try:
        match step:
            case "succeed":
                return await breaker.call(succeed)
            case "fail":
                return await breaker.call(fail)
            case "wrong arguments":
                return await breaker.call(succeed, 1)
            case "reset":
                return await breaker.reset()
            case "force open":
                return await breaker.force_open()
            case _:
                return None
    except (ConnectionError, TypeError) as error:
        return type(error)
    except module.CircuitBreakerOpenError as error:
        return error.args, round(error.retry_after, 6)


def status(breaker: Any, other: Any) -> dict[str, Any]:
    """The status as both modules have it; ``other`` is that of the other module."""
    told = breaker.get_status()
    metrics = {name: value for name, value in told["metrics"].items() if name not in STREAKS and "last" not in name}
    metrics |= {name: value is None for name, value in told["metrics"].items() if "last" in name}
    is_over = {breaker.state, other.state} == {"open", "half_open"}
    state = None if is_over else (told["state"], told["retry_after_seconds"])
    return {"metrics": metrics, "config": told["config"], "state": state}


def exposed(name: str, provider: str) -> dict[str, float]:
    """The samples, without durations."""
    return {
        f"{sample.name} {sorted((sample.labels | {'provider': ''}).items())}": sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.labels.get("name") == name
        and sample.labels["provider"] == provider
        and not sample.name.endswith(("_sum", "_bucket", "_created"))
    }


async def history(number: int, records: Records) -> int:
    """Compares after each step; returns the number of steps."""
    chance, name = random.Random(number), f"history_{number}"
    settings = {
        "failure_threshold": chance.randint(1, 3),
        "success_threshold": chance.randint(1, 3),
        "half_open_max_calls": chance.randint(1, 3),
        "timeout_seconds": chance.choice([5, 10]),
    }
    configs = [module.CircuitBreakerConfig.model_validate({"name": name, **settings}) for module in MODULES.values()]
    breakers: dict[str, Any] = {
        "old": old.CircuitBreaker(configs[0], "old"),
        "new": compat.CircuitBreaker(configs[1], "new", clock=clock),
    }
    steps = chance.choices(STEPS, k=chance.randint(3, 25))
    for number_of_step, step in enumerate(steps):
        if step.startswith("wait"):
            clock.advance(float(step.removeprefix("wait ")))
        seen: dict[str, Any] = {}
        for version, module in MODULES.items():
            records.levels.clear()
            seen[version] = [await answer(module, breakers[version], step), list(records.levels)]
        for version, other in (("old", "new"), ("new", "old")):
            seen[version] += [status(breakers[version], breakers[other]), exposed(name, version)]
        assert seen["old"] == seen["new"], f"{settings}, {steps[: number_of_step + 1]}:\n{seen['old']}\n{seen['new']}"
    for collector in (old.circuit_breaker_state, old.circuit_breaker_calls_total):
        collector.clear()
    old.circuit_breaker_state_transitions.clear()
    old.circuit_breaker_call_duration.clear()
    return len(steps)


old.datetime = Calendar
told = Records()
logger = logging.getLogger("app.patterns.circuit_breaker")
logger.addHandler(told)
logger.setLevel(logging.DEBUG)
logger.propagate = False
print(sum(asyncio.run(history(number, told)) for number in range(300)))
