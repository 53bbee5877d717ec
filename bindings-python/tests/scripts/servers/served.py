"""A breaker of a server that forks its workers, for a WSGI, an ASGI and a Celery application.

It is made before the fork, in a process in which other threads scrape metrics and make breakers.
"""

import os
import threading

from prometheus_client import CollectorRegistry, generate_latest

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock
from halfopen.prometheus import register

registry = CollectorRegistry()
register(registry)
breaker = CircuitBreaker(
    CircuitBreakerConfig(name="served", failure_threshold=1, timeout_seconds=100, timeout_jitter=0.5),
    clock=ManualClock(),
)
_parent = os.getpid()


@breaker
def ask(fails: bool) -> str:
    """The guarded function."""
    if fails:
        raise OSError
    return "done"


def answer() -> dict[str, object]:
    """A worker's report: the result of a call, and its wait."""
    breaker.reset()
    answer = ask(False)
    try:
        ask(True)
    except OSError:
        wait = breaker.get_status()["retry_after_seconds"]
    own = CircuitBreaker()
    assert own.call_sync(str) == ""
    assert b'circuit="served"' in generate_latest(registry)
    return {"process": os.getpid(), "forked": os.getpid() != _parent, "answer": answer, "wait": wait}


def _be_busy() -> None:
    while True:
        generate_latest(registry)
        CircuitBreaker(CircuitBreakerConfig(name="short-lived")).call_sync(str)


threading.Thread(target=_be_busy, daemon=True).start()
