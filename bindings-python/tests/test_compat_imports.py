"""Importing ``halfopen.compat``: twice, beside other collectors, and without the libraries that it uses."""

import subprocess
import sys
from pathlib import Path


def python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


TWICE = """
import sys
from prometheus_client import REGISTRY
import halfopen.compat as first
for name in [name for name in sys.modules if name.startswith("halfopen")]:
    del sys.modules[name]
import importlib
import halfopen.compat as second
importlib.reload(second)
assert first is not second
for module in (first, second):
    assert module.circuit_breaker_state is first.circuit_breaker_state
    breaker = module.CircuitBreaker(module.CircuitBreakerConfig(name="x"), "p")
    breaker.acquire().success()
labels = {"name": "x", "provider": "p", "status": "success"}
print(REGISTRY.get_sample_value("circuit_breaker_calls_total", labels))
second.circuit_breaker_calls_total.clear()
breaker.acquire().success()
print(REGISTRY.get_sample_value("circuit_breaker_calls_total", labels))
"""

BESIDE = """
import sys
sys.path.insert(0, sys.argv[1])
import circuit_breaker as old
from halfopen import compat
from prometheus_client import REGISTRY
assert compat.circuit_breaker_state is old.circuit_breaker_state
breaker = compat.CircuitBreaker(compat.CircuitBreakerConfig(name="x"), "p")
breaker.acquire().success()
old.circuit_breaker_calls_total.clear()
breaker.acquire().success()
print(REGISTRY.get_sample_value("circuit_breaker_calls_total", {"name": "x", "provider": "p", "status": "success"}))
"""


def test_importing_twice_or_beside_the_old_module_works() -> None:
    assert python(TWICE) == "2.0\n1.0\n"
    assert python(BESIDE, str(Path(__file__).with_name("backend") / "replaced")) == "1.0\n"


AFTER = """
import sys
sys.path.insert(0, sys.argv[1])
from halfopen import compat
try:
    import circuit_breaker
except ValueError as error:
    print(error)
compat.CircuitBreaker(compat.CircuitBreakerConfig(name="x"), "p").acquire().success()
from prometheus_client import REGISTRY
print(REGISTRY.get_sample_value("circuit_breaker_calls_total", {"name": "x", "provider": "p", "status": "success"}))
"""


def test_importing_the_old_module_afterwards_raises_the_error_of_the_migration_page() -> None:
    error, count = python(AFTER, str(Path(__file__).with_name("backend") / "replaced")).splitlines()
    assert count == "1.0"
    page = Path(__file__).parents[2] / "docs" / "migrating.md"
    assert f"`ValueError: {error}`" in " ".join(page.read_text(encoding="utf-8").split())


def test_another_metric_of_the_name_raises_an_error_with_a_solution() -> None:
    code = """
from prometheus_client import Gauge
Gauge("circuit_breaker_state", "another", ["circuit"])
try:
    import halfopen.compat
except ValueError as error:
    print(error)
"""
    printed = python(code)
    assert "circuit_breaker_state" in printed
    assert "Unregister or rename" in printed


def test_prometheus_client_is_optional_and_a_missing_pydantic_is_named() -> None:
    blocked = "import sys\nsys.modules['prometheus_client'] = None\n"
    code = """
from halfopen import compat
assert not hasattr(compat, "circuit_breaker_state")
breaker = compat.CircuitBreaker(compat.CircuitBreakerConfig(failure_threshold=1))
breaker.acquire().failure()
print(breaker.state.value)
"""
    assert python(blocked + code) == "open\n"
    code = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "pydantic" else find(name)
try:
    import halfopen.compat
except ModuleNotFoundError as error:
    print(error)
"""
    assert "pip install 'halfopen[compat]'" in python(code)


def test_every_module_can_be_imported_where_processes_do_not_fork() -> None:
    code = """
import os
del os.fork, os.register_at_fork
import halfopen
from importlib import import_module
from pkgutil import walk_packages
for module in walk_packages(halfopen.__path__, "halfopen."):
    if module.name != "halfopen.__main__":
        import_module(module.name)
print("imported")
"""
    assert python(code) == "imported\n"
