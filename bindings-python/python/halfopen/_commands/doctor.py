"""``doctor``: imports a program and finds combinations of settings that are wrong together."""

import argparse
import os
import sys
from importlib import import_module

from halfopen._commands._findings import Finding, find
from halfopen._commands._program import read_program


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    command = commands.add_parser("doctor", help="find settings of a program that are wrong together")
    command.add_argument("module", nargs="+", help="what the server imports, for example app.main or app.main:app")
    command.add_argument(
        "--workers",
        type=int,
        default=os.environ.get("WEB_CONCURRENCY", "1"),
        help="the number of worker processes; by default WEB_CONCURRENCY, or 1",
    )
    command.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    # A server runs in the folder of the program and imports it from there.
    sys.path.insert(0, "")
    for name in options.module:
        module, _, attribute = name.partition(":")
        try:
            imported = import_module(module)
            # A module with __getattr__ may make its breakers only when its attribute is looked up.
            if attribute:
                getattr(imported, attribute)
        except Exception as error:
            print(f"python -m halfopen: {name} cannot be imported: {type(error).__name__}: {error}", file=sys.stderr)
            return 2
    program = read_program(options.workers)
    findings = find(program)
    for number, finding in enumerate(findings, 1):
        _print(number, finding)
    read = f"{_counted(len(program.breakers), 'breaker')} and {_counted(len(program.clients), 'client')}"
    print(f"{_counted(len(findings), 'finding')} in {read}.")
    return 1 if findings else 0


def _print(number: int, finding: Finding) -> None:
    print(f"{number}. {finding.code}: {finding.what}.")
    print(f"   Why: {finding.why}")
    print(f"   Write: {finding.write}\n")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
