"""A naive model of the breaker, written from docs/semantics.md and nothing else.

It is independent of the core, so it has other bugs: one thread, lists and dicts, whole
nanoseconds, exact fractions, no optimisation. If the two disagree, the text decides.
It leaves out what vectors do not cover: durations, percentiles, listeners, `explain`.
snapshot.py saves and restores it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from call_groups import CallGroups
from config import SECOND, YEAR_IN_SECONDS, Config, Invalid
from open_streak import OpenStreak
from window import Entry, Window, rate_reached

COUNTERS = {
    "success": "successful_calls",
    "failure": "failed_calls",
    "ignored": "ignored_calls",
    "cancelled": "cancelled_calls",
}


@dataclass(eq=False)
class Permit:
    started_at: int | None  # None if no rule needs durations
    generation: int
    votes: bool  # false for calls admitted in shadow or while disabled
    settled: bool = False
    probe: bool = False
    outer: Permit | None = None  # the probe whose permit this call shares


@dataclass(frozen=True)
class Answer:
    """The result of acquire: a permit, or a reason and the wait if it is known."""

    permit: Permit | None
    reason: str | None = None
    retry_after: int | None = None


class Breaker:
    def __init__(self, config: Config) -> None:
        self.config = config
        # Maps a generation to a number from -1 to 1. Replace it to test jitter.
        self.jitter: Callable[[int], Fraction] = lambda _generation: Fraction(0)
        self.state = "closed"
        self.mode = self.configured_mode
        self.generation = 0
        self.failures = 0
        self.successes = 0
        self.window = Window(config)
        self.groups: CallGroups[Permit] = CallGroups()
        # While open: the end of the wait (None: no end) and the chosen wait.
        self.deadline: int | None = None
        self.wait = 0
        self.open_streak = OpenStreak()
        # While half-open: the probes that hold a slot, and the last probe activity.
        self.slots: list[Permit] = []
        self.last_activity = 0
        named = ["rejected_calls", "shadow_rejected", "slow_calls", "state_transitions", "probe_timeouts", "in_flight"]
        self.counters = dict.fromkeys(["total_calls", *COUNTERS.values(), *named], 0)
        self.transitions: list[tuple[str, str, str]] = []

    # Queries. They change nothing.

    @property
    def configured_mode(self) -> str:
        return "shadow" if self.config.shadow else "auto"

    def mode_at(self, now: int) -> str:
        forced_opening_ended = self.mode == "forced_open" and self.remaining(now) == 0
        return self.configured_mode if forced_opening_ended else self.mode

    def state_at(self, now: int) -> str:
        return "half_open" if self.remaining(now) == 0 else self.state

    def remaining(self, now: int) -> int | None:
        """The remaining wait; None if no wait is running."""
        if self.state != "open" or self.deadline is None:
            return None
        return max(0, min(self.wait, self.deadline - now))

    def retry_after(self, now: int) -> int | None:
        return self.remaining(now) or None

    # Calls.

    def acquire(self, now: int, inside: Permit | None = None) -> Answer:
        if inside is not None and self.shares_permit(inside):
            return Answer(Permit(None, inside.generation, votes=False, outer=inside.outer or inside))
        self.mode = self.mode_at(now)
        if self.mode == "disabled":
            return self.admit(now, votes=False)
        if self.state == "closed":
            self.evaluate_overdue(now)
        if self.state == "closed":
            answer = self.admit(now, votes=True)
            if (
                answer.permit is not None
                and self.config.slow_call_rate is not None
                and self.config.slow_call is not None
            ):
                self.groups.join(answer.permit, self.config.slow_call, now)
            return answer
        if self.state == "open":
            if self.remaining(now) != 0:
                reason = "forced_open" if self.mode == "forced_open" else "open"
                return self.reject(now, reason, self.remaining(now))
            self.failures = 0
            self.successes = 0
            self.change_state("half_open", "timeout_elapsed", now)
            self.last_activity = now
        return self.acquire_probe(now)

    def evaluate_overdue(self, now: int) -> None:
        overdue = [permit for permit in self.groups.overdue(now) if not permit.settled]
        if overdue:
            entries = self.window.entries_at(now) + [Entry(0, failed=False, slow=True)] * len(overdue)
            cause = rate_reached(self.config, entries)
            if cause is not None:
                self.open(cause, now, None)

    def shares_permit(self, inside: Permit) -> bool:
        probe = inside.outer or inside
        by_operator = self.mode in {"forced_open", "disabled"}
        return probe.probe and not inside.settled and not by_operator and probe.generation == self.generation

    def acquire_probe(self, now: int) -> Answer:
        idle = max(0, now - self.last_activity)
        if len(self.slots) >= self.config.half_open_max_calls:
            if idle < self.config.probe_timeout:
                left = self.config.probe_timeout - idle
                return self.reject(now, "probes_busy", min(SECOND, left))
            self.counters["probe_timeouts"] += len(self.slots)
            self.slots = []
        answer = self.admit(now, votes=True)
        assert answer.permit is not None
        answer.permit.probe = True
        self.slots.append(answer.permit)
        self.last_activity = max(self.last_activity, now)
        return answer

    def admit(self, now: int, votes: bool) -> Answer:
        self.counters["total_calls"] += 1
        self.counters["in_flight"] += 1
        return Answer(Permit(now if self.config.measures_durations else None, self.generation, votes))

    def reject(self, now: int, reason: str, retry_after: int | None) -> Answer:
        if self.mode == "shadow":
            self.counters["shadow_rejected"] += 1
            return self.admit(now, votes=False)
        self.counters["rejected_calls"] += 1
        return Answer(None, reason, retry_after)

    def drop(self, permit: Permit, now: int) -> None:
        self.settle(permit, "cancelled", now)

    def settle(self, permit: Permit, outcome: str, now: int, hint: int | None = None) -> None:
        if permit.settled:
            return
        permit.settled = True
        if permit.outer is not None:
            return
        duration = -1 if permit.started_at is None else max(0, now - permit.started_at)
        limit = self.config.cancel_failure_after
        if outcome != "failure":
            hint = None
        if outcome == "cancelled" and limit is not None and duration >= limit:
            outcome = "failure"
        votes = outcome in ("success", "failure")
        slow_call = self.config.slow_call
        slow = votes and slow_call is not None and duration >= slow_call

        self.counters[COUNTERS[outcome]] += 1
        self.counters["in_flight"] -= 1
        self.counters["slow_calls"] += slow
        if not permit.votes or permit.generation != self.generation:
            return
        if self.state == "half_open":
            self.settle_probe(permit, outcome, now, slow, hint)
        elif votes:
            self.settle_closed(outcome, now, slow, hint)

    def settle_closed(self, outcome: str, now: int, slow: bool, hint: int | None) -> None:
        failed = outcome == "failure"
        self.failures = self.failures + 1 if failed else 0
        self.successes = 0 if failed else self.successes + 1
        self.window.add(now, failed, slow)
        cause = self.cause_to_open(now)
        if cause is not None:
            self.open(cause, now, hint if failed else None)

    def cause_to_open(self, now: int) -> str | None:
        threshold = self.config.failure_threshold
        if threshold is not None and self.failures >= threshold:
            return "consecutive_failures"
        return rate_reached(self.config, self.window.entries_at(now))

    def settle_probe(self, permit: Permit, outcome: str, now: int, slow: bool, hint: int | None) -> None:
        # A probe whose slot was reclaimed holds none, so it frees none.
        self.slots = [holder for holder in self.slots if holder is not permit]
        self.last_activity = max(self.last_activity, now)
        too_slow = slow and self.config.slow_call_rate is not None
        if outcome == "failure":
            self.failures += 1
            self.open("probe_failed", now, hint)
        elif outcome == "success" and too_slow:
            self.failures += 1
            self.open("probe_slow", now, None)
        elif outcome == "success":
            self.successes += 1
            if self.successes >= self.config.success_threshold:
                self.change_state("closed", "probes_succeeded", now)

    # Transitions.

    def change_state(self, state: str, cause: str, now: int) -> None:
        """Starts a generation, and records a transition if the state changes."""
        self.generation += 1
        self.slots = []
        self.groups = CallGroups()
        if state == "open":
            self.successes = 0
            if self.state == "closed":
                self.open_streak.leave_closed(now)
        if state == "closed":
            self.failures = 0
            self.window = Window(self.config)
            self.open_streak.closed_at = now
        if state != self.state:
            self.counters["state_transitions"] += 1
            self.transitions.append((self.state, state, cause))
        self.state = state

    def open(self, cause: str, now: int, hint: int | None) -> None:
        self.change_state("open", cause, now)
        jitter = self.jitter(self.generation)
        self.wait = self.open_streak.next_wait(self.config, jitter, hint)
        self.deadline = now + self.wait

    # The operator.

    def force_open(self, duration: int | None, now: int) -> None:
        if duration is not None and not 0 < duration <= YEAR_IN_SECONDS * SECOND:
            raise Invalid("duration", duration, "above 0, at most a year, or none")
        self.change_state("open", "forced", now)
        self.mode = "forced_open"
        self.deadline = None if duration is None else now + duration
        self.wait = duration or 0

    def reset(self, now: int) -> None:
        self.close_by_operator("reset", self.configured_mode, now)

    def disable(self, now: int) -> None:
        self.close_by_operator("disabled", "disabled", now)

    def close_by_operator(self, cause: str, mode: str, now: int) -> None:
        self.change_state("closed", cause, now)
        self.mode = mode
        self.successes = 0
        self.open_streak.count = 0

    def reconfigure(self, config: Config, now: int) -> None:
        """Keeps the state, the mode, the counters and the running wait."""
        if self.mode != self.mode_at(now):
            # A forced opening that is over ended in the mode that was configured then.
            self.mode = self.configured_mode
            self.deadline = 0
        self.config = config
        self.groups = CallGroups()
        if Window(config).shape != self.window.shape:
            self.window = Window(config)
