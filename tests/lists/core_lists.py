"""The core's lists, as the binary `lists` of `tests/rust` prints them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Field:
    """A row of the table in `core/src/config/fields.rs`."""

    name: str
    meaning: str
    allowed: str
    default: Any
    kind: str
    """`string`, `number`, `boolean`, `window`, or the smallest of `u8`, `u16` and `u64` that holds an integer."""
    nullable: bool
    limits: dict[str, float]


@dataclass(frozen=True)
class Enumeration:
    """An enumeration of the core."""

    name: str
    about: str
    values: dict[str, str]
    """Each value with a sentence, in which code stands between backticks."""


@dataclass(frozen=True)
class Entry:
    """An entry of a reading."""

    name: str
    kind: str
    """`count`, `number`, `optional` for a number or none, `buckets`, or the name of an enumeration."""
    meaning: str
    """A sentence, in which code stands between backticks."""


@dataclass(frozen=True)
class Lists:
    """The lists that appear in more than one place."""

    fields: list[Field]
    enums: dict[str, Enumeration]
    readings: dict[str, list[Entry]]
    latest_millis: float
    """The largest reading of a clock, in milliseconds."""
    events_kept: int
    """How many transitions a breaker keeps."""


def read_lists() -> Lists:
    """Asks the core."""
    command = ["cargo", "run", "--quiet", "--package", "halfopen-tests", "--bin", "lists"]
    printed = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    fields = [field_of(name, schema) for name, schema in printed["fields"].items()]
    enums = {name: Enumeration(name, **enum) for name, enum in printed["enums"].items()}
    readings = {name: [Entry(*entry) for entry in entries] for name, entries in printed["readings"].items()}
    return Lists(fields, enums, readings, printed["latest_millis"], printed["events_kept"])


def field_of(name: str, schema: dict[str, Any]) -> Field:
    """A field, read from its JSON Schema."""
    meaning, allowed = schema["description"].removesuffix(".").split(". Allowed: ")
    options = schema.get("anyOf", [schema])
    limits = {key: value for key, value in options[0].items() if "imum" in key.lower()}
    kind: str = options[0]["type"]
    if kind == "integer":
        kind = {255: "u8", 65535: "u16"}.get(limits.get("maximum", 0), "u64")
    kind = "window" if kind == "object" else kind
    return Field(name, meaning, allowed, schema["default"], kind, {"type": "null"} in options, limits)
