"""Runs the verdicts on the model: `python tests/reference/run_verdicts.py`; docs/vectors.md explains the keys."""

from __future__ import annotations

import json
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from verdict import Response, Verdict, verdict

TESTS = Path(__file__).parent.parent
KEYS = ("outcome", "scope", "retry_after_ms", "cooldown_ms")


def load() -> list[dict[str, Any]]:
    """All verdicts; exits if a file breaks a rule."""
    schema = json.loads((TESTS / "verdicts.schema.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    vectors: list[dict[str, Any]] = []
    for path in sorted((TESTS / "verdicts").glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        for error in validator.iter_errors(found):
            sys.exit(f"{path}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
        for vector in found:
            if vector["id"].split("/")[0] != path.stem:
                sys.exit(f"{path}: {vector['id']} is not named after its file")
        vectors += found
    for name, times in Counter(vector["id"] for vector in vectors).items():
        if times > 1:
            sys.exit(f"{name} occurs {times} times")
    return vectors


def run(response: dict[str, Any]) -> dict[str, Any]:
    # RFC 9110, section 5.3: the lines of a repeated header mean the same as one line with all of them.
    headers = {
        name: value if isinstance(value, str) else ", ".join(value)
        for name, value in response.get("headers", {}).items()
    }
    seen: Verdict = verdict(Response(response["status"], Fraction(response["now"]), response.get("code"), headers))
    return {
        "outcome": seen.outcome,
        "scope": seen.scope,
        "retry_after_ms": millis(seen.retry_after),
        "cooldown_ms": millis(seen.cooldown),
    }


def millis(wait: Fraction | None) -> float | None:
    return None if wait is None else float(wait * 1000)


def main() -> None:
    vectors = load()
    failed = 0
    for vector in vectors:
        expected, seen = {key: vector["verdict"].get(key) for key in KEYS}, run(vector["response"])
        if expected != seen:
            failed += 1
            print(f"{vector['id']}: expected {expected}, seen {seen}")
    print(f"verdicts reference: {len(vectors) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
