"""Counts the events of a history, so that events that no vector and no random history reaches are reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from model import Breaker

CAUSES = (
    *("consecutive_failures", "failure_rate", "slow_call_rate", "timeout_elapsed", "probes_succeeded"),
    *("probe_failed", "probe_slow", "forced", "reset", "disabled"),
)
ACTIONS = ("acquire", "settle", "drop", "force_open", "reset", "disable", "reconfigure", "restart")
EVENTS = [
    *ACTIONS,
    *(f"transition: {cause}" for cause in CAUSES),
    *(f"rejected: {reason}" for reason in ("open", "probes_busy", "forced_open")),
    *(f"in mode {mode}" for mode in ("auto", "shadow", "disabled", "forced_open")),
    *(f"rates over {kind}" for kind in ("calls", "seconds")),
    "a call is admitted and counted as rejected, in shadow",
    "a nested call shares a probe's permit",
    "a nested call has a permit of its own",
    "a call with a shared permit settles",
    "overdue calls open the circuit",
    "overdue calls do not open the circuit",
    "slots are reclaimed",
    "a probe without a slot settles",
    "a settle is stale",
    "a permit is settled again",
    "a cancelled call counts as a failure",
    "a hint lengthens a wait",
    "a wait is capped",
    "a wait has grown",
    "an open streak restarts",
    "a wait has jitter",
    "a forced opening ends in a probe",
    "the clock steps back in the middle of a wait",
    "the clock steps back in a window of seconds",
    "a window changes its shape",
]


class EventCounts:
    """The events of one history."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.at_ms = 0

    @contextmanager
    def step(self, model: Breaker, step: Mapping[str, Any], permits: Mapping[str, tuple[Any, ...]]) -> Iterator[None]:
        """Compares the model before and after a step. The tuple of a permit ends with its breaker and the permit."""
        now, old_transitions = step["at_ms"] * 1_000_000, len(model.transitions)
        before = dict(model.counters)
        mode, shape, streak, generation = model.mode, model.window.shape, model.open_streak.count, model.generation
        # Keep no reference to the core's permit: dropping it must settle it.
        name = step.get("settle", step.get("drop", ""))
        settled = self.settle_event(model, *permits[name][-2:]) if name in permits else None
        if step["at_ms"] < self.at_ms:
            self.note("the clock steps back in the middle of a wait", model.remaining(now) not in (None, 0))
            calls_in_window = shape is not None and shape[0] == "seconds" and bool(model.window.entries_at(now))
            self.note("the clock steps back in a window of seconds", calls_in_window)
        self.at_ms = step["at_ms"]
        yield
        increased = {name: count - before[name] for name, count in model.counters.items() if count != before[name]}
        for action in ACTIONS:
            self.note(action, action in step)
        self.note(f"in mode {model.mode_at(now)}")
        if model.config.has_rate:
            self.note(f"rates over {model.config.window[0]}")
        self.note("a call is admitted and counted as rejected, in shadow", "shadow_rejected" in increased)
        acquired = permits.get(step.get("acquire", ""))
        if acquired is not None and "inside" in step:
            shared = acquired[-1].outer is not None
            self.note("a nested call shares a probe's permit" if shared else "a nested call has a permit of its own")
        self.note("slots are reclaimed", "probe_timeouts" in increased)
        if "acquire" in step:
            opened = any(state == "open" for _, state, _ in model.transitions[old_transitions:])
            self.note("overdue calls open the circuit", opened)
            self.note("overdue calls do not open the circuit", not opened and self.has_overdue_calls(model, now))
        if settled is not None:
            self.note(settled)
        cancelled = "drop" in step or step.get("outcome") == "cancelled"
        self.note("a cancelled call counts as a failure", cancelled and "failed_calls" in increased)
        self.note("a window changes its shape", "reconfigure" in step and model.window.shape != shape)
        if "rejected_calls" in increased:
            self.note(f"rejected: {self.reason(model)}")
        for _, _, cause in model.transitions[old_transitions:]:
            self.note(f"transition: {cause}")
            self.note("a forced opening ends in a probe", cause == "timeout_elapsed" and mode == "forced_open")
        if model.state == "open" and model.mode != "forced_open" and model.generation > generation:
            self.note_opening(model, step, streak)

    def note_opening(self, model: Breaker, step: Mapping[str, Any], streak: int) -> None:
        config, wait = model.config, model.wait
        self.note("a wait has grown", model.open_streak.count > 1 and config.timeout_multiplier > 1)
        self.note("an open streak restarts", streak > 0 and model.open_streak.count == 1)
        self.note("a wait has jitter", config.timeout_jitter > 0)
        self.note("a wait is capped", wait == config.max_timeout and wait > config.timeout)
        self.note("a hint lengthens a wait", step.get("retry_after_ms", 0) * 1_000_000 == wait)

    def settle_event(self, model: Breaker, breaker: Breaker, permit: Any) -> str | None:
        if permit.settled:
            return "a permit is settled again"
        if permit.outer is not None:
            return "a call with a shared permit settles"
        if breaker is not model or permit.generation != model.generation or not permit.votes:
            return "a settle is stale"
        if model.state == "half_open" and permit not in model.slots:
            return "a probe without a slot settles"
        return None

    def has_overdue_calls(self, model: Breaker, now: int) -> bool:
        return any(not call.settled for call in model.groups.overdue(now))

    def reason(self, model: Breaker) -> str:
        if model.mode == "forced_open":
            return "forced_open"
        return "open" if model.state == "open" else "probes_busy"

    def note(self, event: str, happened: bool = True) -> None:
        if happened:
            self.counted[event] += 1
