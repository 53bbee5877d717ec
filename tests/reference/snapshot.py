"""Saving and restoring: docs/semantics.md, section 5.

A snapshot is taken through JSON, so that nothing but plain data can travel. Times are
told as what is left or what has passed, never as readings of a clock that the next
process does not have.
"""

from __future__ import annotations

import json

from config import Config
from model import Breaker
from openings import Openings
from window import Entry

VERSION = 1


def save(breaker: Breaker, now: int) -> str:
    half_open = breaker.state == "half_open"
    current = breaker.window.current_bucket(now)
    return json.dumps(
        {
            "version": VERSION,
            # The probes of a round do not outlive the process, and neither does the
            # round: it is saved as an open circuit that waits for its first probe.
            "state": "open" if half_open else breaker.state,
            "remaining": 0 if half_open else breaker.left(now),
            "successes": 0 if half_open else breaker.successes,
            "failures": breaker.failures,
            "mode": breaker.mode_at(now),
            "generation": breaker.generation,
            "wait": breaker.wait,
            # A record that is clean stays clean, wherever the next clock goes.
            "openings": 0 if clean(breaker, now) else breaker.openings.count,
            "last_wait": breaker.openings.last_wait,
            "closed_for": max(0, now - breaker.openings.closed_at),
            "window": [(current - entry.bucket, entry.failed, entry.slow) for entry in breaker.window.seen(now)],
            # Calls in flight are lost with the process, as if their permits had been
            # dropped: the sum of the counters holds on the other side as well.
            "counters": breaker.counters
            | {
                "in_flight": 0,
                "cancelled_calls": breaker.counters["cancelled_calls"] + breaker.counters["in_flight"],
            },
        }
    )


def clean(breaker: Breaker, now: int) -> bool:
    closed_for = now - breaker.openings.closed_at
    return breaker.state == "closed" and closed_for >= breaker.openings.last_wait


def restore(config: Config, snapshot: str, now: int) -> Breaker:
    saved = json.loads(snapshot)
    breaker = Breaker(config)
    breaker.state = saved["state"]
    breaker.mode = saved["mode"]
    breaker.generation = saved["generation"]
    breaker.failures = saved["failures"]
    breaker.successes = saved["successes"]
    breaker.wait = saved["wait"]
    if saved["remaining"] is not None:
        # A wait that was over stays over, wherever the new clock goes.
        breaker.deadline = now + saved["remaining"] if saved["remaining"] else 0
    breaker.openings = Openings(
        count=saved["openings"],
        last_wait=saved["last_wait"],
        closed_at=now - saved["closed_for"],
    )
    current = breaker.window.current_bucket(now)
    breaker.window.entries = [Entry(current - age, failed, slow) for age, failed, slow in saved["window"]]
    breaker.counters = saved["counters"]
    return breaker
