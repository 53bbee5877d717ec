"""Measures a guarded call of halfopen and its peers, and writes the readings of all rounds to the given file."""

import asyncio
import json
import os
import platform
import sys
from pathlib import Path as File
from typing import Any

from choosing import rows_of_choices
from contenders import Call, contenders
from harness import measure
from paths import PATHS, Path, ProviderError, fail, fail_awaited, succeed, succeed_awaited
from streams import rows_of_streams

FIRST_CALLS = 300


def main(file: str) -> None:
    if hasattr(os, "sched_setaffinity"):
        # The last core, because the operating system does most of its own work on the first.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    versions = {"Python": f"{platform.python_implementation()} {platform.python_version()}"}
    rows = asyncio.run(rows_of_all_paths())
    File(file).write_text(json.dumps({"versions": versions, "rows": rows}))


async def rows_of_all_paths() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in PATHS:
        rows += await rows_of(path)
    return rows + await rows_of_streams() + await rows_of_choices()


async def rows_of(path: Path) -> list[dict[str, Any]]:
    function: Call
    if path.outcome == "success":
        function = succeed_awaited if path.awaited else succeed
    else:
        function = fail_awaited if path.awaited else fail
    guarded = dict(contenders(path, function))
    await check_outcomes(path, guarded)
    rows = await measure(str(path), path.awaited, guarded if path.opens else {**guarded, "bare": function})
    await check_outcomes(path, guarded)
    return rows


async def check_outcomes(path: Path, guarded: dict[str, Call]) -> None:
    """Makes enough calls to reach the state of the path, and checks the last outcomes."""
    for name, call in guarded.items():
        seen = await outcomes_of(path, call)
        # One of 50 calls succeeds on failure paths, so check the last two.
        if path.outcome not in seen[-2:]:
            raise SystemExit(f"{path}: {name} ended with {seen[-2:]}")


async def outcomes_of(path: Path, call: Call) -> list[str]:
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
            # A bug in this file is not a rejection.
            raise
        except Exception:
            seen.append("rejection")
    return seen


if __name__ == "__main__":
    main(sys.argv[1])
