"""The wheel, as users install it: built, installed in a fresh environment, imported, called and type-checked."""

import json
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
TREE = PROJECT.parent

# Prints what an application sees of the installed package.
APPLICATION = """
import asyncio, importlib.metadata, json
import halfopen
from halfopen import CircuitBreaker

breaker = CircuitBreaker("gemini", failure_threshold=3)

@breaker
async def ask(prompt: str) -> str:
    return prompt.upper()

print(json.dumps({
    "answer": asyncio.run(ask("hello")),
    "calls": breaker.metrics.successful_calls,
    "file": halfopen.__file__,
    "version": importlib.metadata.version("halfopen"),
}))
"""

TYPED = """
from typing import assert_type

from halfopen import CircuitBreaker

breaker = CircuitBreaker("gemini", failure_threshold=3)


@breaker
async def ask(prompt: str) -> str:
    return prompt.upper()


async def main() -> None:
    assert_type(await ask("hello"), str)
    assert_type(breaker.call_sync(len, "hello"), int)
"""


def run(*command: str | Path, cwd: Path = TREE) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # The profile of the build that is in place, so that the compiler has little to do.
    profile = "dev-fast" if (TREE / "target/done/dev-python").exists() else "release"
    maturin = Path(sys.executable).with_name("maturin")
    run(maturin, "build", "--quiet", "--locked", "--profile", profile, "--out", folder, cwd=PROJECT)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    return python


def test_the_wheel_holds_the_package_its_types_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if not name.split("/")[0].endswith(".dist-info")}
    sources = PROJECT / "python"
    shipped = {".py", ".pyi", ".html", ".css", ".js"}
    expected = {str(path.relative_to(sources)) for path in sources.glob("halfopen/**/*") if path.suffix in shipped}
    [compiled] = files - expected - {"halfopen/py.typed"}
    assert compiled.startswith("halfopen/_core.")
    assert files >= expected
    assert {"halfopen/py.typed", "halfopen/_core.pyi"} <= files


def test_its_metadata_is_complete(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Name"] == "halfopen"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT OR Apache-2.0"
    assert set(metadata.get_all("Provides-Extra", [])) >= {"compat", "prometheus"}
    assert str(metadata.get_payload()).strip() == (PROJECT / "README.md").read_text().strip()


def test_an_application_imports_it_and_makes_a_call(python: Path, tmp_path: Path) -> None:
    seen = json.loads(run(python, "-W", "error", "-c", APPLICATION, cwd=tmp_path))
    assert (seen["answer"], seen["calls"]) == ("HELLO", 1)
    assert Path(seen["file"]).is_relative_to(python.parents[1])
    assert seen["version"] in (TREE / "Cargo.toml").read_text()


def test_a_type_checker_reads_its_types(python: Path, tmp_path: Path) -> None:
    (tmp_path / "application.py").write_text(TYPED)
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), "application.py")
    assert "no issues found" in run(*mypy, cwd=tmp_path)
