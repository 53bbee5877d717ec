"""Looks at the items of a guarded stream: by the functions ``is_content`` and ``is_end``, and for errors.

The SDKs raise most errors that a provider reports in a stream, but hand on some as items. These are recognised by the
names of their classes, because the items of a stream may be anything.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from halfopen._answer_items import facts_of
from halfopen._arguments import check_function
from halfopen._core import status_of_close_code
from halfopen._log import WarnOnce
from halfopen._names import names_of
from halfopen._result_rules import verdict_of, verdict_of_item
from halfopen.types import Verdict

if TYPE_CHECKING:
    from halfopen.breaker import CircuitBreaker

_ERROR_EVENTS = frozenset(
    (
        "openai.types.responses.response_error_event.ResponseErrorEvent",
        "openai.types.responses.response_failed_event.ResponseFailedEvent",
        "openai.types.beta.beta_response_error_event.BetaResponseErrorEvent",
        "openai.types.beta.beta_response_failed_event.BetaResponseFailedEvent",
        "google.genai._gaos.types.interactions.errorevent.ErrorEvent",
    )
)


def verdict_of_event(breaker: "CircuitBreaker", item: object) -> Verdict | None:
    """The verdict on an item that reports an error; ``None`` for an item of a class that never does."""
    if _ERROR_EVENTS.isdisjoint(names_of(type(item))):
        return None
    error = facts_of(item).error
    verdict = verdict_of_item(item if error is None else error)
    return Verdict("failure", verdict.retry_after, "provider") if breaker._rules.counts_every_error else verdict


@lru_cache(maxsize=512)
def is_silent_socket(kind: type) -> bool:
    """Whether the items of such a socket end without an error, however the connection ends."""
    return "aiohttp.client_ws.ClientWebSocketResponse" in names_of(kind)


def verdict_of_closed(socket: Any) -> Verdict | None:
    """The verdict on the end of such a socket, by its close code; ``None`` for an ordinary end."""
    code = socket.close_code
    status = None if code is None else status_of_close_code(code)
    return None if status is None else verdict_of(status, None)


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
