"""Hosts the component in wasmtime. The host provides the clock; each instance has its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from wasmtime import Engine, Store
from wasmtime.component import Component, Func, Linker, Record, ResourceAny, Variant

FILE = Path(__file__).parents[3] / "bindings-wasm" / "dist" / "component" / "halfopen.component.wasm"

ENGINE = Engine()
COMPONENT = Component(ENGINE, FILE.read_bytes())


class ComponentError(Exception):
    """The error record that a function returned, as a dict."""

    def __init__(self, record: Record) -> None:
        self.record = fields(record)
        super().__init__(self.record)


class Instance:
    """An instance that reads the time, in nanoseconds, from ``now``."""

    def __init__(self, now: Callable[[], int]) -> None:
        def read(_store: object) -> int:
            return now()

        linker = Linker(ENGINE)
        with linker.root() as root, root.add_instance("halfopen:breaker/clock@0.1.0") as clock:
            clock.add_func("now", read)
        self._store = Store(ENGINE)
        self._instance = linker.instantiate(self._store, COMPONENT)
        self._circuit = self._instance.get_export_index(self._store, "halfopen:breaker/circuit@0.1.0")
        self._functions: dict[str, Func] = {}

    def call(self, name: str, *arguments: Any) -> Any:
        """Calls a function by name; raises ``ComponentError`` if it returns an error."""
        answer = self._function(name)(self._store, *arguments)
        # If both sides of a result have the same Python type, wasmtime wraps the value in a variant.
        payload = answer.payload if isinstance(answer, Variant) else answer
        if isinstance(payload, Record) and hasattr(payload, "code"):
            raise ComponentError(payload)
        return payload

    def drop(self, resource: ResourceAny) -> None:
        """Drops a breaker or a permit, because wasmtime does not do so when Python collects it."""
        resource.drop(self._store)

    def _function(self, name: str) -> Func:
        if name not in self._functions:
            index = self._instance.get_export_index(self._store, name, self._circuit)
            assert index is not None, f"the component has no {name}"
            function = self._instance.get_func(self._store, index)
            assert function is not None, f"{name} is no function of the component"
            self._functions[name] = function
        return self._functions[name]


def fields(record: object) -> dict[str, Any]:
    """The fields of a record by name, readable and writable."""
    return record.__dict__
