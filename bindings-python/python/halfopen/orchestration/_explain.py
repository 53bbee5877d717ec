"""Explains in sentences who gets the next call, and why."""

from halfopen._core import Order
from halfopen.orchestration._engine import Engine
from halfopen.orchestration._events import Switch
from halfopen.orchestration._sessions import Session


def explain(engine: Engine, session_id: str | None) -> str:
    """The session, the order of the next call, those passed over, and the last switch."""
    session = None if session_id is None else engine.sessions.get(session_id)
    pin = None if session is None else engine.pin_of(session)
    sentences = [] if session_id is None else [_session(engine, session_id, session)]
    sentences += _order(engine, engine.look(pin=pin))
    switches = [event for event in engine.events.kept((Switch,), 0) if isinstance(event, Switch)]
    if session_id is not None:
        switches = [event for event in switches if event.session == session_id]
    if switches:
        last = switches[-1]
        sentences.append(f"The last switch went from {last.old} to {last.new} ({last.cause}).")
    return " ".join(sentences)


def _session(engine: Engine, session_id: str, session: Session | None) -> str:
    if session is None or session.provider is None:
        return f"Session {session_id!r} is not pinned to a provider."
    held = engine.pool.now() - session.switched_at
    why = "" if session.cause is None else f" ({session.cause})"
    primary = "" if session.primary == session.provider else f" It began with {session.primary}."
    return f"Session {session_id!r} is pinned to {session.provider} since {held:.1f} s{why}.{primary}"


def _order(engine: Engine, order: Order) -> list[str]:
    ids = [provider.id for provider in engine.providers]
    picks = [f"{ids[index]} ({role})" for index, role in order.picks]
    if picks:
        sentences = [f"The next call goes to {', then '.join(picks)}."]
    elif order.earliest is None:
        sentences = ["No provider is available."]
    else:
        sentences = [f"No provider is available; the first may be back in {order.earliest:.1f} s."]
    passed = [
        f"{ids[index]} ({reason}" + (")" if wait is None else f", back in {wait:.1f} s)")
        for index, reason, wait in order.passed_over
    ]
    return [*sentences, f"Passed over: {', '.join(passed)}."] if passed else sentences
