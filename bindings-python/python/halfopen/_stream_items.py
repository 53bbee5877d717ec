"""Asks the functions ``is_content`` and ``is_end`` about an item, and survives functions that fail."""

from collections.abc import Callable
from typing import Any

from halfopen._arguments import check_function
from halfopen._log import WarnOnce


def checked_item_function(field: str, function: Callable[[Any], bool] | None) -> Callable[[Any], bool] | None:
    """A function that calls this one. If it raises, the answer is true, and the first exception is logged.

    Raises ``InvalidValueError`` for anything but a plain function of one argument, or ``bool``.
    """
    if function is None:
        return None
    allowed = "a plain function from an item to true or false, or None"
    check_function(field, function, allowed, 1, may_be_class=function is bool)
    warn = WarnOnce()

    def ask(item: object) -> bool:
        try:
            return bool(function(item))
        except Exception as fault:
            warn("%s raised %s for %s; the answer is taken as true", field, type(fault), type(item))
            return True

    return ask
