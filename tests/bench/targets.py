"""The targets: ratios of medians in one run, and times on the machine of the run."""

from collections.abc import Iterator
from dataclasses import dataclass

from readings import Readings, shown

KIB = 1024


@dataclass(frozen=True)
class Target:
    what: str
    measured: float
    limit: float
    unit: str
    """Of both: ``ns``, ``bytes``, or ``× somebody's``."""

    @property
    def met(self) -> bool:
        return self.measured <= self.limit


def targets(readings: dict[str, Readings], wasm_bytes: int, breaker_bytes: int) -> Iterator[Target]:
    yield from rust(readings["Rust"])
    yield from python(readings["Python"])
    for build in ("Node, WebAssembly", "Node, native"):
        yield from node(build, readings[build])
    yield Target(
        "Browser: acquire and settle, durations off",
        readings["Browser"].net("acquire and settle", "halfopen, durations off"),
        15,
        "ns",
    )
    yield Target("WebAssembly with the whole core and its glue, gzipped", wasm_bytes, 20 * KIB, "bytes")
    yield Target("a breaker that counts a streak only", breaker_bytes, KIB, "bytes")


def rust(readings: Readings) -> Iterator[Target]:
    path, ours = "streak, success, one thread", "halfopen, durations off"
    alone = readings.net(path, ours)
    yield ratio(readings, path, ours, "recloser", 0.6, what=f"Rust: {path}, durations off")
    yield Target(f"Rust: {path}, durations off", alone, 8, "ns")
    # The clock that it has, and not the processor's counter: `core/src/clock/system.rs` says why.
    clock = readings.net("floor, one thread", "read halfopen::SystemClock")
    yield Target(
        f"Rust: {path}, durations on (that, two clock reads, 10 ns)",
        readings.net(path, "halfopen"),
        alone + 2 * clock + 10,
        "ns",
    )
    together = "streak, success, two threads"
    yield Target(f"Rust: {together}, durations off", readings.net(together, ours) / alone, 1.5, "× our one thread's")
    window = "window of 100, success, one thread"
    yield Target(f"Rust: {window}, durations off", readings.net(window, ours), 30, "ns")
    rejection = "streak, rejection, one thread"
    yield ratio(readings, rejection, "halfopen", "recloser", 1, what=f"Rust: {rejection}")


def python(readings: Readings) -> Iterator[Target]:
    for mode, limit, share in (("sync", 100, 0.3), ("async", 170, 0.4)):
        path = f"{mode}, streak, success"
        yield Target(f"Python: {path}", readings.net(path, "halfopen"), limit, "ns")
        yield ratio(readings, path, "halfopen", "circuitbreaker", share, what=f"Python: {path}")
    path = "async, streak, success"
    yield ratio(readings, path, "halfopen", "the module that is replaced", 1 / 50, what=f"Python: {path}")
    for mode in ("sync", "async"):
        path = f"{mode}, streak, rejection"
        yield ratio(readings, path, "halfopen", "circuitbreaker", 0.5, what=f"Python: {path}")


def node(build: str, readings: Readings) -> Iterator[Target]:
    peer = "cockatiel ConsecutiveBreaker"
    path = "streak, success"
    yield ratio(readings, path, "halfopen, durations off", peer, 0.6, what=f"{build}: {path}, durations off")
    yield ratio(readings, path, "halfopen", peer, 1.3, what=f"{build}: {path}, durations on")
    path = "streak, rejection"
    yield ratio(readings, path, "halfopen", peer, 0.5, what=f"{build}: {path}")


def ratio(readings: Readings, path: str, ours: str, peer: str, limit: float, *, what: str) -> Target:
    return Target(what, readings.net(path, ours) / readings.net(path, peer), limit, f"× {peer}")


def number(target: Target, value: float) -> str:
    """A value of this target with its unit."""
    if target.unit.startswith("×"):
        return f"{value:.2f} {target.unit}"
    return f"{value:,.0f} bytes" if target.unit == "bytes" else f"{shown(value)} {target.unit}"
