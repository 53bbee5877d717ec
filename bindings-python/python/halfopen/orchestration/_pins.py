"""The moves of a session: the provider that it is pinned to, and the callbacks of a switch."""

from typing import Any

from halfopen._core import Attempt, is_awaitable
from halfopen.orchestration._events import SwitchCause
from halfopen.orchestration._records import Records
from halfopen.orchestration._sessions import Session


async def announce(call: Records, attempt: Attempt, session: Session) -> None:
    """Tells ``on_switch`` that a session speaks with another provider from now on."""
    new = call.provider_of(attempt)
    old, session.spoke_with = session.spoke_with, new.id
    if old is None or old == new.id:
        return
    if call.attempts == 1:
        cause: SwitchCause = "unavailable"
        if attempt.is_probe:
            cause = "probe"
        elif new.id in (session.primary, session.provider):
            cause = "return_to_primary"
        call.switched(old, new.id, cause)
    on_switch = call.engine.settings.on_switch
    if on_switch is not None:
        try:
            waited: Any = on_switch(call.engine.providers[call.engine.index[old]], new, session.unfinished_input)
            if is_awaitable(waited):
                await waited
        except BaseException:
            # It is the user's error and not the provider's.
            call.cancelled(attempt)
            raise


def pin(call: Records, session: Session, attempt: Attempt) -> None:
    """Pins the session of a call that this provider has answered."""
    pinned, provider = session.provider, attempt.provider
    if pinned == provider:
        return
    now = call.engine.pool.now()
    if pinned is None:
        session.pin(provider, now)
    elif attempt.index == call.pin:
        session.pin(provider, now, "return_to_primary")
    elif attempt.is_probe:
        # The probe's answer came from the primary. With `never`, the session stays where it was.
        if call.engine.settings.return_to_primary == "between_turns":
            session.pin(provider, now, "probe")
    elif _is_lost(call, call.engine.index[pinned]):
        session.pin(provider, now, call.cause if call.failed else "unavailable")


def _is_lost(call: Records, index: int) -> bool:
    """Whether a session leaves this provider: it failed, or its circuit or a cooldown keeps calls away."""
    passed = {at: reason for at, reason, _ in call.engine.look(call.need).passed_over}
    return index in call.failed or passed.get(index, "full") != "full"
