"""``explain``: says how a circuit with a configuration behaves."""

import argparse
from pathlib import Path

from halfopen._commands._configurations import read_configuration


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    command = commands.add_parser("explain", help="say how a circuit with a configuration behaves")
    command.add_argument("config", type=Path, help="TOML, or JSON if it ends with .json: fields of a configuration")
    command.set_defaults(run=_explain)


def _explain(options: argparse.Namespace) -> int:
    config = read_configuration(options.config)
    print(f"{config.name}:")
    for sentence in config.explain():
        print(f"- {sentence}")
    return 0
