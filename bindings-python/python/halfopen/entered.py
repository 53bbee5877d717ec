"""Which permit belongs to which ``with breaker:``.

Many tasks and threads enter one breaker at once, so the permit of each entry is kept in the context of the task or
thread that entered. A ``with`` may also be left in another context than it was entered in (a framework may run the two
halves of a generator in two worker threads); then any permit that was entered and not yet left serves, so that none
leaks. ``with breaker.acquire() as permit:`` carries its own permit and has no such question.
"""

from contextvars import ContextVar
from itertools import count

from halfopen._core import Permit

# Numbers and no permits: a task that is started inside a block inherits its context, and must keep nothing alive.
_entered: ContextVar[tuple[int, ...]] = ContextVar("halfopen_entered", default=())
_numbers = count()
_open_numbers: set[int] = set()


class Entries:
    """The permits of one breaker's open ``with`` blocks."""

    def __init__(self) -> None:
        self._open: dict[int, Permit] = {}

    def push(self, permit: Permit) -> None:
        """A ``with`` block was entered with this permit."""
        number = next(_numbers)
        self._open[number] = permit
        _open_numbers.add(number)
        # Blocks that were left in another context are still noted in this one.
        _entered.set((*filter(_open_numbers.__contains__, _entered.get()), number))

    def pop(self) -> Permit | None:
        """The permit of the block that is left now; ``None`` where none was entered."""
        for number in reversed(_entered.get()):
            permit = self._open.pop(number, None)
            if permit is not None:
                break
        else:
            try:
                number, permit = self._open.popitem()
            except KeyError:
                return None
        _open_numbers.discard(number)
        _entered.set(tuple(filter(_open_numbers.__contains__, _entered.get())))
        return permit
