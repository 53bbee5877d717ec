"""How fast scenarios are simulated."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tables import table
from targets import Target


@dataclass(frozen=True)
class Simulated:
    """Simulated calls in a second, by scenario of the simulator's page."""

    rust: Mapping[str, float]
    browser: Mapping[str, float]

    @staticmethod
    def read(results: Path) -> "Simulated":
        rust, browser = (
            json.loads((results / f"{name}.json").read_text()) for name in ("simulation", "simulation-browser")
        )
        return Simulated(rust, browser)

    def targets(self) -> Iterator[Target]:
        """The slowest scenario counts."""
        for name, rates, least in (("Rust", self.rust, 1_000_000), ("Browser", self.browser, 200_000)):
            yield Target(f"{name}: simulated calls in a second", min(rates.values()), least, "calls", at_least=True)

    def table(self) -> str:
        rows = [(name, f"{rate / 1000:,.0f}", f"{self.browser[name] / 1000:,.0f}") for name, rate in self.rust.items()]
        return table(("scenario", "Rust", "browser"), rows)
