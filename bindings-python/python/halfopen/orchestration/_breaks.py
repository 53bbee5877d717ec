"""Handles a stream that breaks after its first content."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from halfopen._arguments import check_function, refused
from halfopen._core import Need
from halfopen._pydantic_hooks import BY_CLASS, hook


@dataclass(frozen=True)
class Break:
    """A stream that broke."""

    provider: str
    error: Annotated[Exception, BY_CLASS]
    items: Sequence[Any]
    """The newest items that the consumer has received."""
    args: tuple[Any, ...]
    """The arguments of the function that opened the stream, without the provider."""


@dataclass(init=False, repr=False, unsafe_hash=True, slots=True)
class Resume:
    """The request that continues a broken stream: new arguments for the function, and a new need, if given.

    ``need`` says which providers can continue, for example ``Need(["prefill"])``.
    """

    args: tuple[Any, ...]
    need: Need | None

    def __init__(self, *args: Any, need: Need | None = None) -> None:
        self.args = args
        self.need = need

    def __repr__(self) -> str:
        need = () if self.need is None else (f"need={self.need!r}",)
        return f"Resume({', '.join((*map(repr, self.args), *need))})"

    __get_pydantic_core_schema__ = staticmethod(hook("resume_schema"))


OnBreak: TypeAlias = Literal["raise", "restart"] | Callable[[Break], Resume | None]
"""``"raise"``, ``"restart"``, or a function that returns how to resume, or ``None`` to raise."""


def check_on_break(on_break: object) -> None:
    """Refuses a value that ``on_break`` does not allow."""
    if on_break in ("raise", "restart"):
        return
    allowed = '"raise", "restart", or a plain function from a Break to a Resume or None'
    check_function("on_break", on_break, allowed, 1)


def checked_resume(resume: object) -> Resume | None:
    """Refuses a result of the ``on_break`` function that is neither a ``Resume`` nor ``None``."""
    if resume is None or isinstance(resume, Resume):
        return resume
    raise refused("on_break", resume, "a function that returns a Resume or None")


@dataclass(frozen=True)
class Restarted:
    """An item of a stream with ``on_break="restart"``: drop what came before it, the answer begins again."""

    old: str
    """The provider whose stream broke."""
    new: str
    """The provider whose answer follows."""
    dropped: int
    """How many items the consumer received from the old one."""
