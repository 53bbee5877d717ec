"""Checks a program, explains a configuration, shows a breaker at work, simulates outages, replays recorded calls."""

import argparse
import sys
from collections.abc import Sequence

from halfopen._commands import demo, doctor, explain, replay, simulate
from halfopen.errors import HalfopenError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns the exit status: 0; 1 if ``doctor`` has findings; 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m halfopen", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (doctor, explain, demo, simulate, replay):
        command.add(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except (HalfopenError, OSError) as error:
        print(f"python -m halfopen: {error}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
