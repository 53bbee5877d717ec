"""Measures the memory of a breaker, with its Python object, and writes it to the given file."""

import json
import resource
import sys
from pathlib import Path

from halfopen import CircuitBreaker

BREAKERS = 20_000


def main(file: str) -> None:
    # The first breakers include the one-time allocations of the process.
    kept = [breaker() for _ in range(BREAKERS)]
    before = peak_memory()
    kept += [breaker() for _ in range(BREAKERS)]
    each = (peak_memory() - before) / BREAKERS
    Path(file).write_text(json.dumps({"breaker": "streak only, in Python", "bytes": each}))


def breaker() -> CircuitBreaker:
    """A breaker that has made one successful and one failed call."""
    created = CircuitBreaker()
    created.acquire().success()
    created.acquire().failure()
    return created


def peak_memory() -> int:
    """In bytes. (`ru_maxrss` is in kibibytes, except on macOS.)"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(sys.argv[1])
