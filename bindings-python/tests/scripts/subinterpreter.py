"""Imports the package in a subinterpreter, and in the main one after that."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

interpreters: Any = import_module("_interpreters" if find_spec("_interpreters") else "_xxsubinterpreters")

CODE = """
try:
    import halfopen
except ImportError as error:
    print(error)
else:
    halfopen.CircuitBreaker()(int)()
"""

# One that shares the interpreter's lock, as those of mod_wsgi do.
other = interpreters.create("legacy") if find_spec("_interpreters") else interpreters.create(isolated=False)
problem = interpreters.run_string(other, CODE)
if problem is not None:
    print(problem.formatted)
interpreters.destroy(other)

from halfopen import CircuitBreaker  # noqa: E402

print(CircuitBreaker()(int)())
