"""Saving and restoring: docs/semantics.md, section 5.

A snapshot is converted to JSON, so it holds nothing but plain data. Times are remaining or
elapsed times, never readings of a clock, because the next process has another clock.
"""

from __future__ import annotations

import json

from config import Config
from model import Breaker
from open_streak import OpenStreak
from window import Entry

VERSION = 1


def save(breaker: Breaker, now: int) -> str:
    half_open = breaker.state == "half_open"
    current = breaker.window.current_bucket(now)
    return json.dumps(
        {
            "version": VERSION,
            # Neither the probes nor their round outlive the process: the round is saved as an
            # open circuit that waits for its first probe.
            "state": "open" if half_open else breaker.state,
            "remaining": 0 if half_open else breaker.remaining(now),
            "successes": 0 if half_open else breaker.successes,
            "failures": breaker.failures,
            "mode": breaker.mode_at(now),
            "generation": breaker.generation,
            "wait": breaker.wait,
            # An open streak that has ended stays ended, whatever the next clock reads.
            "open_streak": 0 if open_streak_ended(breaker, now) else breaker.open_streak.count,
            "last_wait": breaker.open_streak.last_wait,
            "closed_for": max(0, now - breaker.open_streak.closed_at),
            "window": [(current - entry.bucket, entry.failed, entry.slow) for entry in breaker.window.entries_at(now)],
            # Calls in flight end with the process, as if their permits were dropped, so that
            # the counters add up after the restore.
            "counters": breaker.counters
            | {
                "in_flight": 0,
                "cancelled_calls": breaker.counters["cancelled_calls"] + breaker.counters["in_flight"],
            },
        }
    )


def open_streak_ended(breaker: Breaker, now: int) -> bool:
    closed_for = now - breaker.open_streak.closed_at
    return breaker.state == "closed" and closed_for >= breaker.open_streak.last_wait


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
        # A wait that was over stays over, whatever the new clock reads.
        breaker.deadline = now + saved["remaining"] if saved["remaining"] else 0
    breaker.open_streak = OpenStreak(
        count=saved["open_streak"],
        last_wait=saved["last_wait"],
        closed_at=now - saved["closed_for"],
    )
    current = breaker.window.current_bucket(now)
    breaker.window.entries = [Entry(current - age, failed, slow) for age, failed, slow in saved["window"]]
    breaker.counters = saved["counters"]
    return breaker
