"""Runs the shared verdicts in ``tests/verdicts`` on ``halfopen.classify``."""

import json
import sys
from pathlib import Path
from typing import Any

from halfopen.classify import classify_response

VERDICTS = Path(__file__).parents[1] / "verdicts"


def run(response: dict[str, Any]) -> dict[str, Any]:
    lines = [
        (name, line)
        for name, value in response.get("headers", {}).items()
        for line in ([value] if isinstance(value, str) else value)
    ]
    verdict = classify_response(response["status"], lines, code=response.get("code"), now=response["now"])
    return {
        "outcome": verdict.outcome,
        "scope": verdict.scope,
        "retry_after_ms": millis(verdict.retry_after),
        "cooldown_ms": millis(verdict.cooldown),
    }


def millis(seconds: float | None) -> float | None:
    """Milliseconds, rounded to the nanosecond, the resolution of the core."""
    return None if seconds is None else round(seconds * 1000, 6)


def main() -> int:
    """Runs all verdicts and prints how many passed."""
    passed = failed = 0
    for file in sorted(VERDICTS.glob("*.json")):
        for vector in json.loads(file.read_text(encoding="utf-8")):
            seen = run(vector["response"])
            expected = {key: vector["verdict"].get(key) for key in seen}
            passed += seen == expected
            if seen != expected:
                failed += 1
                print(f"{vector['id']}: expected {expected}, seen {seen}")
    print(f"verdicts python: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
