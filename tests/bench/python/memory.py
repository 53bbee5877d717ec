"""What a breaker takes of this process's memory, as an object of Python's with its circuit. Writes it to a file."""

import json
import resource
import sys
from pathlib import Path

from halfopen import CircuitBreaker

BREAKERS = 20_000


def main(file: str) -> None:
    # The first ones take what every process has once.
    kept = [breaker() for _ in range(BREAKERS)]
    before = most_memory()
    kept += [breaker() for _ in range(BREAKERS)]
    each = (most_memory() - before) / BREAKERS
    Path(file).write_text(json.dumps({"breaker": "streak only, in Python", "bytes": each}))


def breaker() -> CircuitBreaker:
    """One that has made its first calls: one that succeeded and one that failed."""
    made = CircuitBreaker()
    made.acquire().success()
    made.acquire().failure()
    return made


def most_memory() -> int:
    """In bytes. (The system tells kibibytes, save for macOS.)"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(sys.argv[1])
