"""Which permit belongs to which ``with breaker:``.

Many tasks and threads enter one breaker at once, so the permit of each entry is kept in the context of the task or
thread that entered. A ``with`` may also be left in another context than it was entered in (a framework may run the two
halves of a generator in two worker threads); then any permit that was entered and not yet left serves, so that none
leaks. ``with breaker.acquire() as permit:`` carries its own permit and has no such question.
"""

from contextvars import ContextVar

from halfopen._core import Breaker, Permit

_entered: ContextVar[tuple[Permit, ...]] = ContextVar("halfopen_entered", default=())


class Entries:
    """The permits of one breaker's open ``with`` blocks."""

    def __init__(self) -> None:
        self._open: dict[int, Permit] = {}

    def push(self, permit: Permit) -> None:
        """A ``with`` block was entered with this permit."""
        self._open[id(permit)] = permit
        _entered.set((*_entered.get(), permit))

    def pop(self, breaker: Breaker) -> Permit | None:
        """The permit of the block that is left now; ``None`` where none was entered."""
        here = _entered.get()
        mine = next(
            (permit for permit in reversed(here) if permit.breaker is breaker and id(permit) in self._open), None
        )
        if mine is not None:
            _entered.set(tuple(permit for permit in here if permit is not mine))
            return self._open.pop(id(mine), None)
        return self._take_any()

    def _take_any(self) -> Permit | None:
        try:
            return self._open.popitem()[1]
        except KeyError:
            return None
