"""Runs one vector on the model of the pool."""

from __future__ import annotations

import json
from typing import Any

from config import Invalid
from pool_replay import replay


def run(vector: dict[str, Any]) -> list[str]:
    """The differences between the model and the vector."""
    expected_error = vector.get("config_error")
    try:
        shown = replay({"pool": vector["pool"], "steps": vector.get("steps", [])})
    except Invalid as refusal:
        return [] if refusal.field == expected_error else [f"pool: {refusal}"]
    if expected_error is not None:
        return [f"pool: expected {expected_error} to be refused, saw it accepted"]
    return [
        f"step {number} {json.dumps(step)}: {key}: seen {json.dumps(seen(result, key))}"
        for number, (step, result) in enumerate(zip(vector["steps"], shown, strict=True), 1)
        for key, expected in step.get("expect", {}).items()
        if seen(result, key) != expected
    ]


def seen(result: dict[str, Any], key: str) -> object:
    if key == "first":
        return next((name for name, _ in result["picks"]), None)
    return result.get(key, "nothing")
