"""The environment of the benchmarks: the machine, and the pinned versions of all contenders."""

import json
import os
import platform
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "tests/bench"

CRATES = ("failsafe", "recloser", "tower-resilience-circuitbreaker", "quanta")
PYTHON = ("circuitbreaker", "hyx", "purgatory", "pybreaker", "pyresilience", "pydantic", "prometheus-client")
NODE = ("cockatiel", "opossum")


def machine() -> str:
    """The processor, the number of cores, and the operating system."""
    return f"{processor()}, {os.cpu_count()} cores, {system()}"


def revision() -> str:
    """The measured commit, and whether there were uncommitted changes."""
    changed = _git("status", "--porcelain", "--", "core", "bindings-python", "bindings-node", "bindings-wasm", "tests")
    return _git("rev-parse", "--short", "HEAD") + (" and uncommitted changes" if changed else "")


def pinned_versions() -> dict[str, str]:
    cargo = tomllib.loads((BENCH / "rust/Cargo.lock").read_text())
    crates = {package["name"]: package["version"] for package in cargo["package"]}
    requirements = dict(re.findall(r"^([\w.-]+)==(\S+)", (BENCH / "python/requirements.txt").read_text(), re.M))
    packages = json.loads((BENCH / "node/package-lock.json").read_text())["packages"]
    return {
        "halfopen": crates["halfopen"],
        **{name: crates[name] for name in CRATES},
        **{name: requirements[name] for name in PYTHON},
        **{name: packages[f"node_modules/{name}"]["version"] for name in NODE},
    }


def rust_version() -> str:
    return _output("rustc", "--version").split()[1]


def processor() -> str:
    try:
        names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    except FileNotFoundError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.platform(terse=True)


def _git(*arguments: str) -> str:
    return _output("git", *arguments).strip()


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
