"""A naive model of the breaker, written from docs/semantics.md and nothing else.

It is here to be wrong in other ways than the core: one thread, lists and dicts, whole
nanoseconds, exact fractions, no thought for speed. Where the two disagree, the text
decides. What a vector cannot ask for is left out: durations, percentiles, listeners,
`explain`. Saving and restoring is in snapshot.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from config import SECOND, YEAR_IN_SECONDS, Config, Invalid
from openings import Openings
from window import Window, rate_reached

COUNTERS = {
    "success": "successful_calls",
    "failure": "failed_calls",
    "ignored": "ignored_calls",
    "cancelled": "cancelled_calls",
}


@dataclass(eq=False)
class Permit:
    born: int | None  # None where no rule asked for the time when it was handed out
    generation: int
    votes: bool  # false for a call that the machine did not admit itself
    settled: bool = False
    probe: bool = False
    outer: Permit | None = None  # set where the call rides on the permit of that probe


@dataclass(frozen=True)
class Answer:
    """What acquire says: a permit, or a reason and a wait where one is known."""

    permit: Permit | None
    reason: str | None = None
    retry_after: int | None = None


class Breaker:
    def __init__(self, config: Config) -> None:
        self.config = config
        # For a generation, a number from -1 to 1. Replace it to see the wait spread.
        self.jitter: Callable[[int], Fraction] = lambda _generation: Fraction(0)
        self.state = "closed"
        self.mode = self.own_mode
        self.generation = 0
        self.failures = 0
        self.successes = 0
        self.window = Window(config)
        # While open: when the wait is over (None: never) and how long it was to be.
        self.deadline: int | None = None
        self.wait = 0
        self.openings = Openings()
        # While half-open: the probes that hold a slot, and their last sign of life.
        self.slots: list[Permit] = []
        self.last_activity = 0
        named = ["rejected_calls", "shadow_rejected", "slow_calls", "state_transitions", "probe_timeouts", "in_flight"]
        self.counters = dict.fromkeys(["total_calls", *COUNTERS.values(), *named], 0)
        self.transitions: list[tuple[str, str, str]] = []

    # What can be read. Nothing here changes anything.

    @property
    def own_mode(self) -> str:
        return "shadow" if self.config.shadow else "auto"

    def mode_at(self, now: int) -> str:
        hold_is_over = self.mode == "forced_open" and self.left(now) == 0
        return self.own_mode if hold_is_over else self.mode

    def state_at(self, now: int) -> str:
        return "half_open" if self.left(now) == 0 else self.state

    def left(self, now: int) -> int | None:
        """What is left of the wait; None where no wait is running."""
        if self.state != "open" or self.deadline is None:
            return None
        return max(0, min(self.wait, self.deadline - now))

    def retry_after(self, now: int) -> int | None:
        return self.left(now) or None

    # Calls.

    def acquire(self, now: int, inside: Permit | None = None) -> Answer:
        if inside is not None and self.rides(inside):
            return Answer(Permit(None, inside.generation, votes=False, outer=inside.outer or inside))
        self.mode = self.mode_at(now)
        if self.mode == "disabled":
            return self.admit(now, votes=False)
        if self.state == "closed":
            return self.admit(now, votes=True)
        if self.state == "open":
            if self.left(now) != 0:
                reason = "forced_open" if self.mode == "forced_open" else "open"
                return self.turn_away(now, reason, self.left(now))
            self.failures = 0
            self.successes = 0
            self.move("half_open", "timeout_elapsed", now)
            self.last_activity = now
        return self.acquire_probe(now)

    def rides(self, inside: Permit) -> bool:
        probe = inside.outer or inside
        operated = self.mode in {"forced_open", "disabled"}
        return probe.probe and not inside.settled and not operated and probe.generation == self.generation

    def acquire_probe(self, now: int) -> Answer:
        quiet = max(0, now - self.last_activity)
        if len(self.slots) >= self.config.half_open_max_calls:
            if quiet < self.config.probe_timeout:
                left = self.config.probe_timeout - quiet
                return self.turn_away(now, "probes_busy", min(SECOND, left))
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
        return Answer(Permit(now if self.config.measures else None, self.generation, votes))

    def turn_away(self, now: int, reason: str, retry_after: int | None) -> Answer:
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
        duration = -1 if permit.born is None else max(0, now - permit.born)
        limit = self.config.cancel_failure_after
        if outcome == "cancelled" and limit is not None and duration >= limit:
            outcome = "failure"
        decides = outcome in ("success", "failure")
        slow_call = self.config.slow_call
        slow = decides and slow_call is not None and duration >= slow_call

        self.counters[COUNTERS[outcome]] += 1
        self.counters["in_flight"] -= 1
        self.counters["slow_calls"] += slow
        if not permit.votes or permit.generation != self.generation:
            return
        if self.state == "half_open":
            self.settle_probe(permit, outcome, now, slow, hint)
        elif decides:
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
        return rate_reached(self.config, self.window.seen(now))

    def settle_probe(self, permit: Permit, outcome: str, now: int, slow: bool, hint: int | None) -> None:
        # A probe whose slot was taken back is not among them, and frees nothing.
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
                self.move("closed", "probes_succeeded", now)

    # Transitions.

    def move(self, state: str, cause: str, now: int) -> None:
        """A new generation, and a transition where the state is another one."""
        self.generation += 1
        self.slots = []
        if state == "open":
            self.successes = 0
            if self.state == "closed":
                self.openings.leave_closed(now)
        if state == "closed":
            self.failures = 0
            self.window = Window(self.config)
            self.openings.closed_at = now
        if state != self.state:
            self.counters["state_transitions"] += 1
            self.transitions.append((self.state, state, cause))
        self.state = state

    def open(self, cause: str, now: int, hint: int | None) -> None:
        self.move("open", cause, now)
        jitter = self.jitter(self.generation)
        self.wait = self.openings.next_wait(self.config, jitter, hint)
        self.deadline = now + self.wait

    # The operator.

    def force_open(self, duration: int | None, now: int) -> None:
        if duration is not None and not 0 < duration <= YEAR_IN_SECONDS * SECOND:
            raise Invalid("duration", duration, "above 0, at most a year, or none")
        self.move("open", "forced", now)
        self.mode = "forced_open"
        self.deadline = None if duration is None else now + duration
        self.wait = duration or 0

    def reset(self, now: int) -> None:
        self.start_afresh("reset", self.own_mode, now)

    def disable(self, now: int) -> None:
        self.start_afresh("disabled", "disabled", now)

    def start_afresh(self, cause: str, mode: str, now: int) -> None:
        self.move("closed", cause, now)
        self.mode = mode
        self.successes = 0
        self.openings.count = 0

    def reconfigure(self, config: Config, now: int) -> None:
        """State, mode, counters and the running wait stay as they are."""
        if self.mode != self.mode_at(now):
            # A hold that is over has ended in the mode that was configured then.
            self.mode = self.own_mode
            self.deadline = 0
        self.config = config
        if Window(config).shape != self.window.shape:
            self.window = Window(config)
