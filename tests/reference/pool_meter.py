"""The measurements of the pool's model: success rates, latencies, and the numbers that it draws."""

from __future__ import annotations

from math import exp, sqrt

MASK = 2**64 - 1
SECOND = 1_000_000_000
FORGOTTEN_AFTER = 180 * SECOND


def mix(state: int) -> int:
    z = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def fnv1a(text: str) -> int:
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def decay(nanos: int) -> float:
    return exp(-(max(0, nanos) / SECOND) / 60)


class Meter:
    """Every sample is kept, and the sums are computed when somebody asks."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, bool]] = []
        self.latencies: dict[str, tuple[float, int]] = {}

    @property
    def newest(self) -> int:
        return max(at for at, _ in self.samples)

    def sample(self, now: int, succeeded: bool) -> None:
        if self.samples and now - self.newest > FORGOTTEN_AFTER:
            self.__init__()  # type: ignore[misc]
        # A clock that steps back changes no weight: the sample is as old as the newest one.
        self.samples.append((max([now, *(at for at, _ in self.samples)]), succeeded))

    def success(self, now: int, latency: float, kind: str) -> None:
        self.sample(now, succeeded=True)
        old, at = self.latencies.get(kind, (0.0, now))
        slower = latency >= old
        self.latencies[kind] = (latency if slower else old + (1 - decay(now - at)) * (latency - old), now)

    def failure(self, now: int) -> None:
        self.sample(now, succeeded=False)

    def is_cold(self, now: int, closed_since: int | None) -> bool:
        if len(self.samples) < 3 or now - self.newest > FORGOTTEN_AFTER:
            return True
        return closed_since is not None and self.samples[0][0] < closed_since

    def weights(self, now: int) -> tuple[float, float]:
        """The decayed successes, and the decayed total."""
        total = sum(decay(now - at) for at, _ in self.samples)
        return sum(decay(now - at) for at, succeeded in self.samples if succeeded), total

    def success_rate(self) -> float:
        successes, total = self.weights(self.newest)
        return successes / total

    def lower_bound(self, now: int) -> float:
        successes, total = self.weights(max(now, self.newest))
        rate, z = successes / total, 1.96
        centre = rate + z * z / (2 * total)
        spread = z * sqrt((rate * (1 - rate) + z * z / (4 * total)) / total)
        return (centre - spread) / (1 + z * z / total)


class Latencies:
    """Every latency is kept, and the newest hundred are looked at."""

    def __init__(self) -> None:
        self.all: list[tuple[int, int]] = []

    def percentile(self, percent: int, now: int) -> int | None:
        recent = sorted(latency for at, latency in self.all[-100:] if now - at <= FORGOTTEN_AFTER)
        if len(recent) < 20:
            return None
        return next(it for it in recent if 100 * sum(other <= it for other in recent) >= percent * len(recent))
