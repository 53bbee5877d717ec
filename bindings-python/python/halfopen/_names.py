"""Names of classes, by which other libraries' classes are recognised without importing them."""

from collections.abc import Iterator


def names_of(kind: type) -> Iterator[str]:
    """The full names of a class and its bases, nearest first."""
    for base in kind.__mro__:
        yield f"{base.__module__}.{base.__qualname__}"
