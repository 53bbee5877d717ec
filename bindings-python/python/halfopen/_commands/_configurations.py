"""Configurations in files, as arguments of commands."""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

from halfopen._core import CircuitBreakerConfig
from halfopen.errors import InvalidValueError


def add_configurations(command: argparse.ArgumentParser, *optional: str) -> None:
    """Adds the option ``--a``, and further ones that may be left out."""
    command.add_argument("--a", type=Path, required=True, metavar="TOML", help="fields of a configuration")
    for name in optional:
        command.add_argument(name, type=Path, metavar="TOML", help="fields of another configuration")


def configurations(options: argparse.Namespace) -> dict[str, CircuitBreakerConfig]:
    """The configurations of ``--a`` and, if it is given, of ``--b``."""
    paths = {"A": options.a, "B": options.b}
    return {name: CircuitBreakerConfig(**read_toml(path)) for name, path in paths.items() if path is not None}


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a TOML document."""
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InvalidValueError("file", str(path), f"a TOML document ({error})") from error


def read_text(path: Path) -> str:
    """The text of a file, without a byte order mark."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidValueError("file", str(path), f"text in UTF-8 ({error})") from error


def read_configuration(path: Path) -> CircuitBreakerConfig:
    """A configuration in TOML, or in JSON if the file ends with ``.json``."""
    if path.suffix != ".json":
        return CircuitBreakerConfig(**read_toml(path))
    try:
        fields = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InvalidValueError("config", str(path), f"a JSON document ({error})") from error
    return CircuitBreakerConfig.model_validate(fields)
