"""The readings of the benchmarks, and their values net of the bare call."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

FILES = {
    "Rust": "rust.json",
    "Python": "python.json",
    "Node, WebAssembly": "node-wasm.json",
    "Node, native": "node-native.json",
    "Browser": "browser.json",
}
"""The file with the readings of each language or build."""


@dataclass(frozen=True)
class Figure:
    """Nanoseconds per call: minimum and median of the rounds."""

    minimum: float
    median: float

    def __str__(self) -> str:
        return f"{format_number(self.minimum)} / {format_number(self.median)}"

    def __sub__(self, other: "Figure") -> "Figure":
        return Figure(self.minimum - other.minimum, self.median - other.median)


class Readings:
    """The figures of one language for each path and contender, net if there is a bare call to subtract."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        rounds: dict[tuple[str, str], list[float]] = {(row["path"], row["contender"]): row["ns"] for row in rows}
        whole = {key: Figure(min(ns), median(ns)) for key, ns in rounds.items()}
        self._figures = dict(whole)
        self._rounds = dict(rounds)
        for row in rows:
            if row["bare"]:
                key, bare = (row["path"], row["contender"]), (row["path"], row["bare"])
                self._figures[key] = whole[key] - whole[bare]
                self._rounds[key] = [ns - own for ns, own in zip(rounds[key], rounds[bare], strict=True)]
        self.paths = list(dict.fromkeys(path for path, _ in self._figures))

    def contenders(self, paths: list[str]) -> list[str]:
        """The contenders on these paths, the bare calls last."""
        names = dict.fromkeys(name for path, name in self._figures if path in paths)
        return sorted(names, key=is_bare)

    def find(self, path: str, contender: str) -> Figure | None:
        return self._figures.get((path, contender))

    def net(self, path: str, contender: str) -> float:
        """The median."""
        return self._figures[path, contender].median

    def rounds(self, path: str, contender: str) -> list[float]:
        """The net value of each round."""
        return self._rounds[path, contender]

    def best_peer(self, path: str) -> str | None:
        """The peer with the lowest median."""
        peers = [name for name in self.contenders([path]) if not is_ours(name) and not is_bare(name)]
        return min(peers, key=lambda name: self.net(path, name), default=None)


def is_ours(contender: str) -> bool:
    return contender.startswith("halfopen")


def is_bare(contender: str) -> bool:
    return contender.startswith("bare")


def format_number(number: float) -> str:
    """Formats a number with its significant digits."""
    return f"{number:.1f}" if abs(number) < 100 else f"{number:,.0f}"


def load(folder: Path) -> tuple[dict[str, Readings], dict[str, str]]:
    """The readings of each language, and the versions of what ran them."""
    readings: dict[str, Readings] = {}
    versions: dict[str, str] = {}
    for language, file in FILES.items():
        document = json.loads((folder / file).read_text())
        readings[language] = Readings(document["rows"])
        versions |= document.get("versions", {})
    return readings, versions
