"""Refuses the private attributes of the replaced module, with an error that names a replacement."""

from typing import Any, NoReturn

from halfopen.errors import InvalidValueError

_ORDER = "call reset() or force_open()"
_READ = "read metrics or get_status()"
_SETTLE = "settle a permit: acquire().success() or acquire().failure()"

_INSTEAD = {
    "_state": f"read state, or {_ORDER}",
    "_metrics": _READ,
    "_failure_count": _READ,
    "_success_count": _READ,
    "_opened_at": _READ,
    "_last_failure_time": _READ,
    "_last_state_change": _READ,
    "_half_open_calls": "nothing: a probe frees its slot at its end",
    "_transition_to": _ORDER,
    "_on_success": _SETTLE,
    "_on_failure": _SETTLE,
}
_INSTEAD_OF_READING = {**_INSTEAD, "_lock": "nothing: there is no lock"}
"""Assigning ``_lock`` is allowed, because a subclass may have its own."""


_SET_BY_INIT = ("_native", "_observer")
_INITIALISED = "a breaker whose own __init__ has called super().__init__(config, provider_id, …)"


class RemovedAttributes:
    """Refuses access to these attributes, because an assignment would have no effect."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _INSTEAD:
            _refuse(name)
        super().__setattr__(name, value)

    # Only called for missing attributes, and for properties that have raised an `AttributeError`.
    def __getattr__(self, name: str) -> NoReturn:
        if name in _INSTEAD_OF_READING:
            _refuse(name)
        if name in _SET_BY_INIT:
            raise InvalidValueError("breaker", "one that is not initialised", _INITIALISED)
        # Raises the error of the property, which names the attribute that it lacks.
        super().__getattribute__(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)


def _refuse(name: str) -> NoReturn:
    raise AttributeError(f"halfopen.compat has no {name}: {_INSTEAD_OF_READING[name]} (docs/migrating.md)", name=name)
