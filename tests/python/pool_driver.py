"""Runs one vector on the pool of a package: the vector is a log, which the package replays."""

import json
from collections.abc import Callable
from typing import Any

from halfopen import InvalidValueError

Json = Any


def difference(vector: Json, replay: Callable[[str], list[dict[str, Json]]]) -> str | None:
    """The first difference between the package and the vector."""
    expected_error = vector.get("config_error")
    try:
        shown = replay(json.dumps({"pool": vector["pool"], "steps": vector.get("steps", [])}))
    except InvalidValueError as refused:
        return None if refused.field == expected_error else f"pool: seen {refused}"
    if expected_error is not None:
        return f"config_error: expected {expected_error}, seen none"
    for number, (step, result) in enumerate(zip(vector["steps"], shown, strict=True), 1):
        for key, expected in step.get("expect", {}).items():
            found = _seen(result, key)
            if found != expected:
                return f"step {number} {json.dumps(step)}: {key}: seen {found!r}"
    return None


def _seen(result: dict[str, Json], key: str) -> Json:
    if key == "first":
        return next((name for name, _ in result["picks"]), None)
    return result.get(key, "nothing")
