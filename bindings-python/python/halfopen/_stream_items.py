"""Asks the functions ``is_content`` and ``is_end`` about an item, and survives functions that fail."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from halfopen._arguments import check_function

_log = logging.getLogger("halfopen")


def checked_item_function(field: str, function: Callable[[Any], bool] | None) -> Callable[[Any], bool] | None:
    """A function that calls this one. If it raises, the answer is true, and the first exception is logged.

    Raises ``InvalidValueError`` for anything but a plain function of one argument, or ``bool``.
    """
    if function is None:
        return None
    allowed = "a plain function from an item to true or false, or None"
    check_function(field, function, allowed, 1, may_be_class=function is bool)
    has_failed = False

    def ask(item: object) -> bool:
        nonlocal has_failed
        try:
            return bool(function(item))
        except Exception as fault:
            if not has_failed:
                has_failed = True
                _warn("%s raised %s for %s; the answer is taken as true", field, type(fault), type(item))
            return True

    return ask


def _warn(message: str, *parts: object) -> None:
    # Types only: the text of an exception may contain a secret. Logging may fail, for example at interpreter exit.
    with suppress(Exception):
        _log.warning(message, *parts)
