"""How long a guarded call takes, beside the peers. Writes the readings of all rounds to the file that it is given."""

import asyncio
import json
import os
import platform
import sys
from pathlib import Path as File
from typing import Any

from contenders import Call, contenders
from harness import measure
from paths import PATHS, Path, ProviderError, fail, fail_awaited, succeed, succeed_awaited

FIRST_CALLS = 300


def main(file: str) -> None:
    if hasattr(os, "sched_setaffinity"):
        # The last core: the operating system does most of its own work on the first.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    versions = {"Python": f"{platform.python_implementation()} {platform.python_version()}"}
    rows = asyncio.run(rows_of_all_paths())
    File(file).write_text(json.dumps({"versions": versions, "rows": rows}))


async def rows_of_all_paths() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in PATHS:
        rows += await rows_of(path)
    return rows


async def rows_of(path: Path) -> list[dict[str, Any]]:
    function: Call
    if path.outcome == "success":
        function = succeed_awaited if path.awaited else succeed
    else:
        function = fail_awaited if path.awaited else fail
    guarded = dict(contenders(path, function))
    await end_as_they_should(path, guarded)
    rows = await measure(str(path), path.awaited, guarded if path.opens else {**guarded, "bare": function})
    await end_as_they_should(path, guarded)
    return rows


async def end_as_they_should(path: Path, guarded: dict[str, Call]) -> None:
    """Makes as many calls as lead to where the path begins, and makes sure that it is there."""
    for name, call in guarded.items():
        seen = await endings(path, call)
        # One of 50 succeeds on the way of failures, so a single last one proves nothing.
        if path.outcome not in seen[-2:]:
            raise SystemExit(f"{path}: {name} ended with {seen[-2:]}")


async def endings(path: Path, call: Call) -> list[str]:
    seen: list[str] = []
    for _ in range(FIRST_CALLS):
        try:
            result = call()
            if path.awaited:
                await result
            seen.append("success")
        except ProviderError:
            seen.append("failure")
        except (AttributeError, NameError, TypeError):
            # A mistake in here is no rejection.
            raise
        except Exception:
            seen.append("rejection")
    return seen


if __name__ == "__main__":
    main(sys.argv[1])
