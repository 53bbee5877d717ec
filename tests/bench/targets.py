"""The targets: ratios of medians in one run, and times on the machine of the run."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from readings import Readings, format_number
from reasons import (
    ASYNC_STREAMED,
    BROWSER,
    CLOCKED,
    COUNTED,
    INTERPRETED,
    NATIVE,
    REJECTED,
    SIZE,
    STREAMED,
    TIMED,
)

KIB = 1024


@dataclass(frozen=True)
class Target:
    name: str
    measured: float
    limit: float
    unit: str
    """The unit of both: ``ns``, ``bytes``, or ``× PEER``."""
    rounds: tuple[float, ...] = ()
    """The values of the rounds, if there are any."""
    at_least: bool = False
    """Whether the limit is a minimum."""
    reason: str = ""
    """The reason for a missed target."""

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    @property
    def quartiles(self) -> tuple[float, float] | None:
        """The interquartile range of the rounds."""
        if not self.rounds:
            return None
        first, _, third = quantiles(self.rounds, n=4)
        return first, third

    @property
    def verdict(self) -> str:
        verdict = "met" if self.met else "**not met**"
        close = self.quartiles is not None and self.quartiles[0] < self.limit < self.quartiles[1]
        return f"{verdict}, narrowly" if close else verdict


def targets(
    readings: dict[str, Readings], wasm_bytes: int, breaker_bytes: int, scrapes: list[dict[str, Any]]
) -> Iterator[Target]:
    yield from rust(readings["Rust"])
    yield from python(readings["Python"])
    shared, different = scrapes
    added = shared["halfopen"] - shared["precomputed"]
    yield Target("Python: a scrape beyond its text, for each breaker that shares its labels", added, 2_000, "ns")
    share = different["halfopen"] / different["client_library"]
    yield Target("Python: a scrape of 5,000 labels", share, 1, "× the client library's own metrics")
    for build in ("Node, WebAssembly", "Node, native"):
        yield from node(build, readings[build])
    path = "acquire, settle"
    yield time(
        readings["Browser"], path, "halfopen, durations off", 60, name=f"Browser: {path}, durations off", reason=BROWSER
    )
    yield Target("Browser: the module with its JavaScript, gzipped", wasm_bytes, 80 * KIB, "bytes", reason=SIZE)
    yield Target("a breaker that counts a streak only", breaker_bytes, KIB, "bytes")


def rust(readings: Readings) -> Iterator[Target]:
    path, ours = "streak, success, one thread", "halfopen, durations off"
    alone = readings.net(path, ours)
    yield ratio(readings, path, ours, "recloser", 0.6, name=f"Rust: {path}, durations off")
    yield time(readings, path, ours, 8, name=f"Rust: {path}, durations off", reason=COUNTED)
    yield time(readings, path, "halfopen", 35, name=f"Rust: {path}, durations on", reason=TIMED)
    together = "streak, success, two threads"
    rounds = zip(readings.rounds(together, ours), readings.rounds(path, ours), strict=True)
    yield Target(
        f"Rust: {together}, durations off",
        readings.net(together, ours) / alone,
        1.5,
        "× our one thread's",
        tuple(two / one for two, one in rounds),
    )
    window = "window of 100, success, one thread"
    yield time(readings, window, ours, 30, name=f"Rust: {window}, durations off")
    choosing = "choose among 5 providers"
    for strategy in ("round_robin", "random", "best_performance", "highest_availability"):
        yield time(readings, choosing, strategy, 1_000, name=f"Rust: {choosing}, {strategy}")
    rejection = "streak, rejection, one thread"
    yield ratio(readings, rejection, "halfopen", "recloser", 1, name=f"Rust: {rejection}", reason=REJECTED)


def python(readings: Readings) -> Iterator[Target]:
    for mode, limit, share in (("sync", 100, 0.3), ("async", 170, 0.4)):
        path = f"{mode}, streak, success"
        yield time(readings, path, "halfopen", limit, name=f"Python: {path}", reason=INTERPRETED)
        yield ratio(readings, path, "halfopen", "circuitbreaker", share, name=f"Python: {path}", reason=INTERPRETED)
    path, replaced = "async, streak, success", "the replaced module"
    rounds = zip(readings.rounds(path, replaced), readings.rounds(path, "halfopen"), strict=True)
    yield Target(
        f"Python: {path}",
        readings.net(path, replaced) / readings.net(path, "halfopen"),
        50,
        f"× less than {replaced}",
        tuple(theirs / ours for theirs, ours in rounds),
        at_least=True,
        reason=INTERPRETED,
    )
    for mode in ("sync", "async"):
        path = f"{mode}, streak, rejection"
        yield ratio(readings, path, "halfopen", "circuitbreaker", 0.5, name=f"Python: {path}", reason=INTERPRETED)
    for mode, reason in (
        ("sync", STREAMED),
        ("async", ASYNC_STREAMED),
        ("async iterator", ASYNC_STREAMED),
        ("async and suspending", ASYNC_STREAMED),
    ):
        path = f"stream, {mode}, each item"
        yield time(readings, path, "halfopen", 60, name=f"Python: {path}", reason=reason)
    for source, reason in (
        ("async", ASYNC_STREAMED),
        ("async iterator", ASYNC_STREAMED),
        ("async and suspending", ASYNC_STREAMED),
    ):
        path, timeouts = f"stream, {source}, each item", "halfopen, both timeouts"
        yield time(readings, path, timeouts, 250, name=f"Python: {path}, both timeouts", reason=reason)
    path = "choose among 5 providers"
    for strategy in ("priority_list", "random"):
        yield time(readings, path, f"halfopen {strategy}", 5_000, name=f"Python: {path}, {strategy}")
    yield ratio(readings, path, "halfopen random", "litellm Router", 1, name=f"Python: {path}, random")
    path = "orchestrator, one of 5 healthy providers"
    yield time(readings, path, "halfopen", 15_000, name=f"Python: {path}")


def node(build: str, readings: Readings) -> Iterator[Target]:
    peer, reason = "cockatiel ConsecutiveBreaker", NATIVE if "native" in build else CLOCKED
    path = "streak, success"
    yield ratio(
        readings, path, "halfopen, durations off", peer, 0.7, name=f"{build}: {path}, durations off", reason=reason
    )
    yield ratio(readings, path, "halfopen", peer, 1.3, name=f"{build}: {path}, durations on", reason=reason)
    path = "streak, rejection"
    yield ratio(readings, path, "halfopen", peer, 0.5, name=f"{build}: {path}", reason=reason)


def time(readings: Readings, path: str, ours: str, limit: float, *, name: str, reason: str = "") -> Target:
    rounds = tuple(readings.rounds(path, ours))
    return Target(name, readings.net(path, ours), limit, "ns", rounds, reason=reason)


def ratio(readings: Readings, path: str, ours: str, peer: str, limit: float, *, name: str, reason: str = "") -> Target:
    both = zip(readings.rounds(path, ours), readings.rounds(path, peer), strict=True)
    rounds = tuple(own / other for own, other in both)
    measured = readings.net(path, ours) / readings.net(path, peer)
    return Target(name, measured, limit, f"× {peer}", rounds, reason=reason)


def number(target: Target, value: float) -> str:
    """Formats a value of this target."""
    if target.unit.startswith("×"):
        return f"{value:.2f}"
    return f"{value:,.0f}" if target.unit == "bytes" else format_number(value)
