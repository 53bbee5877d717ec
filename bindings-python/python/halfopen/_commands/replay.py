"""``replay``: runs recorded calls through one or two configurations."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from halfopen._commands._configurations import add_configurations, configurations, read_text, read_toml
from halfopen._commands._tables import print_table, print_transitions, seconds
from halfopen._core import CircuitBreakerConfig
from halfopen.simulation import Replayed, replay


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    command = commands.add_parser("replay", help="run recorded calls through configurations A and B")
    command.add_argument("log", type=Path, help="JSON lines, CSV with a header, or spans (docs/simulation.md)")
    command.add_argument("--circuit", metavar="ATTRIBUTE", help="the attribute of spans that names their circuit")
    add_configurations(command, "--b", "--in-force")
    command.set_defaults(run=_replay)


_REPLAY: Sequence[tuple[str, Callable[[Replayed], str]]] = [
    ("calls made that would be made again", lambda result: f"{result['admitted']:,}"),
    ("failures that would have been spared", lambda result: f"{result['spared_failures']:,}"),
    ("  seconds that they took", lambda result: seconds(result["spared_seconds"])),
    ("calls that would have been refused in vain", lambda result: f"{result['refused_in_vain']:,}"),
    ("rejected calls that would be rejected again", lambda result: f"{result['still_rejected']:,}"),
    ("rejected calls of unknown outcome", lambda result: f"{result['unknown']:,}"),
    ("changes of state", lambda result: f"{len(result['transitions']):,}"),
]


def _replay(options: argparse.Namespace) -> int:
    log = read_text(options.log)
    if options.in_force is not None:
        result, _ = replay(log, CircuitBreakerConfig(**read_toml(options.in_force)), circuit=options.circuit)
        different = result["first_difference"]
        verdict = "reproduces every recorded decision" if different is None else f"differs at record {different + 1}"
        print(f"The configuration in force {verdict}.\n")
    results: dict[str, Replayed] = {}
    for name, config in configurations(options).items():
        best, worst = replay(log, config, circuit=options.circuit)
        if best["unknown"] or worst["unknown"]:
            results[f"{name}, best"], results[f"{name}, worst"] = best, worst
        else:
            results[name] = best
    print_table([(title, [read(result) for result in results.values()]) for title, read in _REPLAY], list(results))
    for name, result in results.items():
        print_transitions(f"{name}:", [(it["at_seconds"], it["circuit"], it) for it in result["transitions"]])
    return 0
