"""A host of the component through wasmtime: the clock is its own, and each instance has one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from wasmtime import Engine, Store
from wasmtime.component import Component, Func, Linker, Record, ResourceAny, Variant

FILE = Path(__file__).parents[3] / "bindings-wasm" / "dist" / "component" / "halfopen.component.wasm"

ENGINE = Engine()
COMPONENT = Component(ENGINE, FILE.read_bytes())


class Refused(Exception):
    """The record that a function returned as its error, by the names of its fields."""

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

    def ask(self, name: str, *arguments: Any) -> Any:
        """What the function of that name returns; raises ``Refused`` where that is an error."""
        answer = self._function(name)(self._store, *arguments)
        # Where the two sides of a result are of one Python type, wasmtime says which one it is.
        payload = answer.payload if isinstance(answer, Variant) else answer
        if isinstance(payload, Record) and hasattr(payload, "code"):
            raise Refused(payload)
        return payload

    def drop(self, resource: ResourceAny) -> None:
        """Lets go of a breaker or a permit: wasmtime does not when Python does."""
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
    """What a record holds, by name, to be read or changed."""
    return record.__dict__
