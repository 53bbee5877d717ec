"""Records calls, so that an incident can be replayed through another configuration."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from sys import intern
from time import monotonic
from typing import Any, ClassVar

from halfopen._arguments import check_whole_number, refused
from halfopen._inner import AnyBreaker, checked_breaker
from halfopen._sealed import Sealed, made_once
from halfopen.types import Outcome, Reason

__all__ = ["Recorder"]

_Kept = tuple[float, str, float, str]


class Recorder(Sealed):
    """Keeps the newest calls of breakers in memory: when each began, its circuit, its duration and its outcome.

    It stores no arguments, no results and no texts. A call costs one entry in a bounded queue and no input or output.

    >>> from halfopen import CircuitBreaker
    >>> recorder = Recorder()
    >>> breaker = CircuitBreaker("gemini")
    >>> recorder.record(breaker)
    >>> breaker.call_sync(str.upper, "hello")
    'HELLO'
    >>> [(record["circuit"], record["outcome"]) for record in recorder.records()]
    [('gemini', 'success')]

    Args:
        bound: The most calls that are kept, 1 to 10,000,000. The oldest go first; each takes about 130 bytes.

    """

    _instead: ClassVar[Mapping[str, str]] = made_once("Recorder", "bound")

    def __init__(self, bound: int = 100_000) -> None:
        check_whole_number("bound", bound, 1, 10_000_000)
        self._calls: deque[_Kept] = deque(maxlen=bound)
        # Times count from here: small numbers keep more digits than those of a wall clock.
        self._origin = monotonic()

    def record(self, breaker: AnyBreaker) -> None:
        """Records the further calls of a breaker.

        Raises:
            InvalidValueError: for a breaker that is observed already, as each of ``halfopen.compat`` is, or that does
                not record durations.

        """
        breaker = checked_breaker(breaker)
        if not breaker.config.record_durations:
            raise refused("breaker", breaker, "one with record_durations=True")
        if not breaker._observe(_Observer(breaker.name, self._calls, self._origin)):
            raise refused("breaker", breaker, "one that is not observed yet")

    def records(self) -> Iterator[dict[str, Any]]:
        """The calls in the order of their ends, as ``halfopen.simulation.replay`` takes them."""
        for began, circuit, seconds, outcome in self._calls.copy():
            yield {"at_seconds": began, "circuit": circuit, "duration_seconds": seconds, "outcome": outcome}

    def write(self, path: str | PathLike[str]) -> int:
        """Writes the calls to a file, one line of JSON each, and returns their number."""
        count = 0
        with open(path, "w", encoding="utf-8") as file:
            for count, record in enumerate(self.records(), 1):  # noqa: B007
                file.write(json.dumps(record) + "\n")
        return count

    def __len__(self) -> int:
        return len(self._calls)


@dataclass(slots=True, eq=False)
class _Observer:
    circuit: str
    calls: deque[_Kept]
    origin: float

    def admitted(self) -> None:
        """A call is recorded when it ends."""

    def rejected(self, _retry_after: float | None, _reason: Reason, /) -> None:
        self.calls.append((monotonic() - self.origin, self.circuit, 0.0, "rejected"))

    def settled(self, outcome: Outcome, seconds: float | None, /) -> None:
        seconds = seconds or 0.0
        # A call that began before the recorder has a negative time; its log begins with the recorder.
        began = max(0.0, monotonic() - self.origin - seconds)
        # Each call brings a new string, which would take 56 bytes.
        self.calls.append((began, self.circuit, seconds, intern(outcome)))
