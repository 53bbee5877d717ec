"""The parts of the core and of the Python binding depend on each other in one direction."""

import re
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from code_blocks import ROOT

CORE = ROOT / "core/src"
BINDING = ROOT / "bindings-python/src"
ROOMS = ("config", "control", "evidence", "snapshot", "breaker", "registry", "host")
"""No room imports a later one."""
TESTS = re.compile(r"#\[cfg\((?:all\()?test\b[^\n]*\nmod \w+ \{.*?\n\}\n", re.DOTALL)


def code_of(file: Path) -> str:
    """A file without its comments and tests."""
    return TESTS.sub("", re.sub(r"//[^\n]*", "", file.read_text()))


def imports_of(code: str, module: str) -> set[str]:
    """The first names after ``module::``, also those of a list in braces."""
    code = re.sub(rf"\b{module}::\{{([^;]*)\}};", lambda listed: re.sub(r"(\w+)", rf"{module}::\1 ", listed[1]), code)
    return {found[1] for found in re.finditer(rf"\b{module}::(\w+)", code)}


def core() -> dict[str, set[str]]:
    """The modules of the core, each with those that it imports."""
    graph: dict[str, set[str]] = {}
    for file in sorted(CORE.rglob("*.rs")):
        path = file.relative_to(CORE)
        room = path.parts[0].removesuffix(".rs")
        if room != "lib" and path.name != "tests.rs" and "exhaustive" not in path.parts:
            graph.setdefault(room, set()).update(imports_of(code_of(file), "crate") - {room})
    return {room: imported & set(graph) for room, imported in graph.items()}


def binding() -> dict[str, set[str]]:
    """The same of the Python binding, where each file of ``ffi`` is a module."""
    ffi = {file.stem: code_of(file) for file in (BINDING / "ffi").glob("*.rs") if file.stem != "mod"}
    exported: dict[str, str] = {}
    for stem, code in ffi.items():
        exported |= {found[1]: stem for found in re.finditer(r"\b(?:fn|struct|enum|const) (\w+)", code)}
    graph: dict[str, set[str]] = {}
    for file in sorted(BINDING.rglob("*.rs")):
        path = file.relative_to(BINDING)
        is_ffi = path.parts[0] == "ffi"
        if path.name == "lib.rs" or (is_ffi and path.stem == "mod"):
            continue
        module, code = path.stem if is_ffi else path.parts[0].removesuffix(".rs"), code_of(file)
        names = imports_of(code, "crate::ffi") | (imports_of(code, "super") if is_ffi else set[str]())
        imported = {exported.get(name, name) for name in names} | imports_of(code, "crate")
        graph.setdefault(module, set()).update(imported - {module, "ffi"})
    return {module: imported & set(graph) for module, imported in graph.items()}


@pytest.mark.parametrize("graph", [core, binding])
def test_nothing_imports_in_a_circle(graph: Callable[[], dict[str, set[str]]]) -> None:
    modules = graph()
    assert len(modules) > 15
    assert sum(map(len, modules.values())) > 50
    # Raises `CycleError`, which names the modules.
    TopologicalSorter(modules).prepare()


def test_the_rooms_of_the_core_are_in_order() -> None:
    modules = core()
    for place, room in enumerate(ROOMS):
        assert modules[room] & set(ROOMS[place + 1 :]) == set(), room
    assert "host" not in {imported for room in set(modules) - {"serde"} for imported in modules[room]}


def test_the_root_of_the_crate_has_at_most_twenty_names() -> None:
    code = code_of(CORE / "lib.rs")
    exported = re.findall(r"^pub mod (\w+)", code, re.MULTILINE)
    for names in re.findall(r"^pub use \w+::(?:\{([^}]*)\}|\w+);", code, re.MULTILINE):
        exported += re.findall(r"\w+", names) or ["one"]
    assert 10 < len(exported) <= 20, exported
