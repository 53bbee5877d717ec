"""What a history has been through, so that what no vector shows and no chance leads to is noticed."""

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
ACTS = ("acquire", "settle", "drop", "force_open", "reset", "disable", "reconfigure", "restart")
EXPECTED = [
    *ACTS,
    *(f"transition: {cause}" for cause in CAUSES),
    *(f"rejected: {reason}" for reason in ("open", "probes_busy", "forced_open")),
    *(f"in mode {mode}" for mode in ("auto", "shadow", "disabled", "forced_open")),
    *(f"rates over {kind}" for kind in ("calls", "seconds")),
    "a call is only counted as rejected, in shadow",
    "a call rides on the permit of a probe",
    "a call inside another is one of its own",
    "a riding call settles",
    "slots are taken back",
    "a probe without a slot settles",
    "a settle is late",
    "a permit is settled again",
    "a cancelled call counts as a failure",
    "a hint lengthens a wait",
    "a wait is cut to the longest",
    "a wait has grown",
    "a row of openings is forgotten",
    "a wait is spread",
    "a forced wait ends in a probe",
    "the clock steps back in the middle of a wait",
    "the clock steps back in a window of seconds",
    "a window changes its shape",
]


class Census:
    """Counts what happens in one history."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.at_ms = 0

    @contextmanager
    def of(self, model: Breaker, step: Mapping[str, Any], permits: Mapping[str, tuple[Any, ...]]) -> Iterator[None]:
        """Looks at the model before and after a step; behind a permit's name stand, last, its breaker and itself."""
        now, known = step["at_ms"] * 1_000_000, len(model.transitions)
        before = dict(model.counters)
        mode, shape, openings, generation = model.mode, model.window.shape, model.openings.count, model.generation
        # Nothing here may keep the core's permit alive: it is settled by being dropped.
        name = step.get("settle", step.get("drop", ""))
        voice = self.voice(model, *permits[name][-2:]) if name in permits else None
        if step["at_ms"] < self.at_ms:
            self.note("the clock steps back in the middle of a wait", model.left(now) not in (None, 0))
            in_seconds = shape is not None and shape[0] == "seconds" and bool(model.window.seen(now))
            self.note("the clock steps back in a window of seconds", in_seconds)
        self.at_ms = step["at_ms"]
        yield
        grew = {name: count - before[name] for name, count in model.counters.items() if count != before[name]}
        for act in ACTS:
            self.note(act, act in step)
        self.note(f"in mode {model.mode_at(now)}")
        if model.config.judges_rates:
            self.note(f"rates over {model.config.window[0]}")
        self.note("a call is only counted as rejected, in shadow", "shadow_rejected" in grew)
        made = permits.get(step.get("acquire", ""))
        if made is not None and "inside" in step:
            rides = made[-1].outer is not None
            self.note("a call rides on the permit of a probe" if rides else "a call inside another is one of its own")
        self.note("slots are taken back", "probe_timeouts" in grew)
        if voice is not None:
            self.note(voice)
        cancelled = "drop" in step or step.get("outcome") == "cancelled"
        self.note("a cancelled call counts as a failure", cancelled and "failed_calls" in grew)
        self.note("a window changes its shape", "reconfigure" in step and model.window.shape != shape)
        if "rejected_calls" in grew:
            self.note(f"rejected: {self.reason(model)}")
        for _, _, cause in model.transitions[known:]:
            self.note(f"transition: {cause}")
            self.note("a forced wait ends in a probe", cause == "timeout_elapsed" and mode == "forced_open")
        if model.state == "open" and model.mode != "forced_open" and model.generation > generation:
            self.opening(model, step, openings)

    def opening(self, model: Breaker, step: Mapping[str, Any], openings: int) -> None:
        config, wait = model.config, model.wait
        self.note("a wait has grown", model.openings.count > 1 and config.timeout_multiplier > 1)
        self.note("a row of openings is forgotten", openings > 0 and model.openings.count == 1)
        self.note("a wait is spread", config.timeout_jitter > 0)
        self.note("a wait is cut to the longest", wait == config.max_timeout and wait > config.timeout)
        self.note("a hint lengthens a wait", step.get("retry_after_ms", 0) * 1_000_000 == wait)

    def voice(self, model: Breaker, breaker: Breaker, permit: Any) -> str | None:
        if permit.settled:
            return "a permit is settled again"
        if permit.outer is not None:
            return "a riding call settles"
        if breaker is not model or permit.generation != model.generation or not permit.votes:
            return "a settle is late"
        if model.state == "half_open" and permit not in model.slots:
            return "a probe without a slot settles"
        return None

    def reason(self, model: Breaker) -> str:
        if model.mode == "forced_open":
            return "forced_open"
        return "open" if model.state == "open" else "probes_busy"

    def note(self, what: str, happened: bool = True) -> None:
        if happened:
            self.counted[what] += 1
